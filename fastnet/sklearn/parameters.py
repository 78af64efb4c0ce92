"""Parameters of the estimators: their rules, and the layers and optimizers they describe.

As scikit-learn asks, nothing is checked or changed before `fit`, and what is wrong is a ValueError
that names the parameter.
"""

import copy
import math
import numbers

import numpy as np

import fastnet as fn
from fastnet import optim

# name: class in fastnet.optim
SOLVERS = {
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSProp",
    "adagrad": "Adagrad",
    "rprop": "Rprop",
    "lbfgs": "LBFGS",
    "levenberg_marquardt": "LevenbergMarquardt",
}
# They see all rows at each step, so that a batch of a stream has no meaning to them.
FULL_BATCH = ("rprop", "lbfgs", "levenberg_marquardt")
# They decide themselves when they have converged.
SELF_STOPPING = ("lbfgs", "levenberg_marquardt")

LEARNING_RATES = ("constant", "invscaling", "adaptive")


def is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))


def is_integer(value):
    return isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.bool_))


def is_sequence(value):
    return isinstance(value, (list, tuple, np.ndarray))


def within(low, high, interval):
    """A rule: a real number in an interval, which is written as mathematics does."""

    def holds(value):
        return (
            is_number(value)
            and low <= value <= high
            and not (value == low and interval[0] == "(")
            and not (value == high and interval[-1] == ")")
        )

    return holds, f"a number in {interval}"


def count(low):
    """A rule: an int of at least this."""
    return (lambda value: is_integer(value) and value >= low), f"an int of at least {low}"


def one_of(*choices):
    """A rule: one of some strings."""
    words = ", ".join(map(repr, choices))
    return (lambda value: isinstance(value, str) and value in choices), f"one of {words}"


FLAG = (lambda value: isinstance(value, (bool, np.bool_))), "True or False"

RULES = {
    "solver": (
        lambda value: (
            isinstance(value, optim.Optimizer) or (isinstance(value, str) and value in SOLVERS)
        ),
        f"an optimizer or one of {', '.join(map(repr, SOLVERS))}",
    ),
    "alpha": within(0, math.inf, "[0, inf)"),
    "batch_size": (
        lambda value: (
            (isinstance(value, str) and value == "auto") or (is_integer(value) and value >= 1)
        ),
        "'auto' or an int of at least 1",
    ),
    "learning_rate": one_of(*LEARNING_RATES),
    "learning_rate_init": (
        lambda value: callable(value) or (is_number(value) and 0 < value < math.inf),
        "a number in (0, inf) or a schedule",
    ),
    "power_t": within(0, math.inf, "[0, inf)"),
    "max_iter": count(1),
    "shuffle": FLAG,
    "tol": (lambda value: is_number(value) and not math.isnan(value), "a number"),
    "verbose": (
        lambda value: isinstance(value, (bool, np.bool_)) or (is_integer(value) and value >= 0),
        "True, False or an int of at least 0",
    ),
    "warm_start": FLAG,
    "momentum": within(0, 1, "[0, 1)"),
    "nesterovs_momentum": FLAG,
    "early_stopping": FLAG,
    "validation_fraction": within(0, 1, "(0, 1)"),
    "beta_1": within(0, 1, "[0, 1)"),
    "beta_2": within(0, 1, "[0, 1)"),
    "epsilon": within(0, math.inf, "(0, inf)"),
    "n_iter_no_change": (
        lambda value: value == math.inf or (is_integer(value) and value >= 1),
        "an int of at least 1 or inf",
    ),
    "max_fun": count(1),
    "layer_norm": FLAG,
    "dtype": (
        lambda value: (isinstance(value, str) and value == "auto") or precision(value) is not None,
        "'auto', 'float32' or 'float64'",
    ),
    "n_threads": count(1),
}


def refuse(estimator, name, expected):
    """Raise the ValueError that scikit-learn's users know."""
    raise ValueError(
        f"The {name!r} parameter of {type(estimator).__name__} must be {expected}. "
        f"Got {getattr(estimator, name)!r} instead."
    )


def check(estimator):
    """Check the parameters that have the same rules in every estimator."""
    for name, (holds, expected) in RULES.items():
        if not holds(getattr(estimator, name)):
            refuse(estimator, name, expected)
    if callable(estimator.learning_rate_init) and estimator.learning_rate != "constant":
        refuse(estimator, "learning_rate", "'constant' where learning_rate_init is a schedule")
    layers(estimator, 1, "identity")


def precision(value):
    """float32 or float64 as a dtype; None for anything else."""
    try:
        dtype = np.dtype(value)
    except TypeError:
        return None
    return dtype if value is not None and dtype in (np.float32, np.float64) else None


def hidden_sizes(estimator):
    """Widths of the hidden layers; a single number is one layer."""
    sizes = estimator.hidden_layer_sizes
    sizes = list(sizes) if is_sequence(sizes) else [sizes]
    if not all(is_integer(size) and size > 0 for size in sizes):
        refuse(estimator, "hidden_layer_sizes", "an int > 0 or a sequence of them")
    return [int(size) for size in sizes]


def resolve_activation(estimator, name, value):
    """A name as fastnet writes it, or a custom activation."""
    if isinstance(value, fn.Activation):
        return value
    if isinstance(value, str):
        value = "sigmoid" if value == "logistic" else value
        if value in fn.activations.names():
            return value
    names = ", ".join(map(repr, ("logistic", *fn.activations.names())))
    refuse(estimator, name, f"a fastnet.Activation, one of {names}, or one a hidden layer")


def for_each_layer(estimator, name, n_layers):
    """One value a hidden layer, where a single one serves all."""
    value = getattr(estimator, name)
    if not is_sequence(value):
        return [value] * n_layers
    if len(value) != n_layers:
        refuse(estimator, name, f"one value or one for each of the {n_layers} hidden layers")
    return list(value)


def layers(estimator, n_outputs, out_activation):
    """The layers that the parameters describe."""
    sizes = hidden_sizes(estimator)
    activations = [
        resolve_activation(estimator, "activation", value)
        for value in for_each_layer(estimator, "activation", len(sizes))
    ]
    rates = for_each_layer(estimator, "dropout", len(sizes))
    if not all(is_number(rate) and 0 <= rate < 1 for rate in rates):
        refuse(estimator, "dropout", "a number in [0, 1) or one for each hidden layer")
    described = []
    for size, activation, rate in zip(sizes, activations, rates, strict=True):
        if estimator.layer_norm:
            described += [dense(estimator, size, "identity"), fn.LayerNorm(activation)]
        else:
            described.append(dense(estimator, size, activation))
        if rate:
            described.append(fn.Dropout(float(rate)))
    described.append(dense(estimator, n_outputs, out_activation))
    return described


def dense(estimator, n_outputs, activation):
    try:
        return fn.Dense(n_outputs, activation, init=estimator.init)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The 'init' parameter of {type(estimator).__name__} is wrong: {error}"
        ) from None


def solver_name(solver):
    """Also of an optimizer; its class where that has no name."""
    if isinstance(solver, str):
        return solver
    names = {class_name: name for name, class_name in SOLVERS.items()}
    return next((names[c.__name__] for c in type(solver).__mro__ if c.__name__ in names), "")


def optimizer(estimator):
    """A fresh optimizer: that of the parameters, or a copy of the one they give."""
    solver = estimator.solver
    if not isinstance(solver, str):
        fresh = copy.deepcopy(solver)
        fresh.reset()
        return fresh
    kind = getattr(optim, SOLVERS[solver])
    rate = estimator.learning_rate_init
    if solver == "sgd":
        nesterov = bool(estimator.nesterovs_momentum) and estimator.momentum > 0
        return kind(rate, momentum=estimator.momentum, nesterov=nesterov)
    if solver in ("adam", "adamw"):
        return kind(rate, beta1=estimator.beta_1, beta2=estimator.beta_2, epsilon=estimator.epsilon)
    if solver in ("rmsprop", "adagrad"):
        return kind(rate)
    if solver in SELF_STOPPING:
        return kind(tolerance=max(0.0, estimator.tol))
    return kind()
