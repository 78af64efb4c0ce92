"""Settings of evolution: every rate and rule, with two presets."""

import dataclasses
import inspect
import math
import numbers
import textwrap

import numpy as np

from fastnet import activations as _activations
from fastnet._arrays import nearest
from fastnet._checks import checked_int
from fastnet._files import brief

__all__ = ["Config"]

REQUIRED = dataclasses.MISSING

MODES = ("feed_forward", "recurrent", "time_step")
# Sizes beyond these are mistakes, and their products still fit the counters of the loops.
MOST_NODES = 1_000_000
MOST_GENOMES = 2**31 - 1
# Weights stay finite, however often so much is added.
MOST_POWER = 1e100


def _field(default, doc, section=None):
    """A field, and the heading of the section of config files that begins with it."""
    return dataclasses.field(default=default, metadata={"doc": doc, "section": section})


@dataclasses.dataclass(frozen=True, init=False, repr=False)
class Config:
    """Settings of evolution; immutable, with a hash.

    Every field may be given by name.  Rates are probabilities, from 0 to 1.  The defaults are
    those of `Config.paper`.

    Parameters
    ----------

    Raises
    ------
    ValueError, TypeError
        A name is unknown (the nearest one is suggested) or a value out of range.

    Examples
    --------
    >>> from fastnet import neat
    >>> config = neat.Config(n_inputs=2, n_outputs=1, population_size=50)
    >>> config.replace(mode="recurrent").mode
    'recurrent'
    """

    n_inputs: int = _field(REQUIRED, "inputs of the networks, without the bias", "The networks")
    n_outputs: int = _field(REQUIRED, "outputs of the networks")
    mode: str = _field(
        "feed_forward",
        "how networks compute: feed_forward (no cycles), recurrent (one synchronous step a call) "
        "or time_step (activation spreads from the inputs until it is quiet)")
    step_limit: int = _field(20, "time_step: steps after which the current values are returned")
    activation: str = _field("steep_sigmoid", "activation of hidden nodes")
    output_activation: str | None = _field(None, "activation of output nodes; none: as activation")
    activations: tuple = _field(
        (), "what a node's activation may mutate to; empty: activation alone")
    activation_mutation_rate: float = _field(
        0.0, "share of nodes (hidden and output) whose activation is drawn anew")
    bias: str | None = _field(
        "node", "node (a node that is always 1), per_node (a number in each node) or none")

    population_size: int = _field(150, "genomes of a generation", "The first generation")
    initial_connection: str | float = _field(
        "full", "full, none, or the fraction of the possible connections that a new genome has")
    initial_hidden: int | tuple = _field(
        0, "hidden nodes of a new genome: a number, or the least and the most")
    initial_weight_power: float = _field(
        1.0, "new connections have weights between minus and plus this")

    crossover_rate: float = _field(
        0.75, "share of the children that have two parents", "Crossover")
    crossover: str = _field(
        "fitter", "who gives disjoint and excess genes: fitter (the fitter parent) or either")
    tie: str = _field(
        "random",
        "fitter, and both are equally fit: genes of both, of neither, or each with probability 1/2 "
        "(random)")
    average_crossover_rate: float = _field(
        0.0, "share of the crossovers that average the weights of matching genes")
    disable_rate: float | None = _field(
        0.75,
        "probability that a gene which is disabled in one parent is so in the child; none: an "
        "enabled copy is preferred")
    interspecies_rate: float = _field(0.001, "share of the crossovers with another species")

    weight_mutation: str = _field(
        "perturb", "perturb (add a random number) or scale (multiply by one from 0 to 2)",
        "Mutation of weights and biases")
    weight_mutation_rate: float = _field(0.8, "share of the children whose weights mutate")
    weight_replace_rate: float = _field(
        0.1, "share of the weights of such a child that are drawn anew instead")
    weight_power: float = _field(
        2.5, "largest absolute value (uniform) or standard deviation (gaussian) of what is "
        "added, and of a weight that is drawn anew")
    weight_distribution: str = _field(
        "uniform", "of what is added and of what is drawn anew: uniform or gaussian")
    weight_cap: float | None = _field(8.0, "largest absolute value of a weight or bias, or none")
    bias_mutation_rate: float = _field(
        0.8, "per_node: share of the children whose biases mutate")
    bias_replace_rate: float = _field(0.1, "per_node: share of these biases that are drawn anew")
    bias_power: float = _field(1.0, "per_node: what weight_power is for weights")

    add_node_rate: float = _field(
        0.03, "share of the children one of whose connections is split by a new node",
        "Mutation of the structure")
    split_oldest_below: int = _field(
        15, "genomes of fewer connections than this split an old one: the oldest with probability "
        "0.7, else the next one with 0.7, and so on; larger ones any, all equally likely")
    add_connection_rate: float = _field(0.05, "share of the children that get a connection")
    toggle_connection_rate: float = _field(
        0.0, "share of the children one of whose connections is switched on or off")
    enable_connection_rate: float = _field(
        0.0, "share of the children whose first disabled connection is switched on")
    remove_connection_rate: float = _field(0.0, "share of the children that lose a connection")
    remove_node_rate: float = _field(0.0, "share of the children that lose a hidden node")
    structural_mutation_only: bool = _field(
        True, "a child that was to get or lose a node or connection keeps its weights, also where "
        "no such change was possible")
    self_loops: bool = _field(False, "recurrent and time_step: a node may feed itself")
    innovation_scope: str = _field(
        "run",
        "for how long equal innovations have equal numbers: run (the whole run) or generation")

    c_excess: float = _field(1.0, "weight of excess genes in the distance", "Species")
    c_disjoint: float = _field(1.0, "weight of disjoint genes in the distance")
    c_weight: float = _field(
        0.4, "weight of the mean absolute difference of the weights of matching genes")
    distance_normalization: str = _field(
        "one", "what the numbers of excess and disjoint genes are divided by: size (genes of the "
        "larger genome) or one")
    compatibility_threshold: float = _field(
        3.0, "genomes closer than this are of one species; with target_species the first value")
    target_species: int | None = _field(
        None, "number of species that the threshold is steered to, or none; genomes then join the "
        "oldest species that is close enough, not first that of their parents")
    threshold_step: float = _field(
        0.3, "target_species: change of the threshold a generation")
    representative: str = _field(
        "random", "the member that stands for a species in the next generation: random or best")
    elitism: int = _field(
        1, "best members of a species that survive unchanged", "Survival and stagnation")
    elitism_species_size: int = _field(
        5, "only species with more members than this keep them")
    survival_threshold: float = _field(
        0.2, "share of a species that may become parents, but one member at least")
    stagnation: int | None = _field(
        15, "generations without a better maximum after which a species has no children (the best "
        "one is exempt), or none")
    population_stagnation: int | None = _field(
        20, "generations without a better maximum of all after which only the two best species "
        "have children, for one generation, and are given time to improve again; or none")

    def __init__(self, n_inputs, n_outputs, **fields):
        fields |= {"n_inputs": n_inputs, "n_outputs": n_outputs}
        known = {field.name: field.default for field in dataclasses.fields(self)}
        for name in fields:
            if name not in known:
                raise ValueError(nearest(name, tuple(known), "field of Config"))
        for name, default in known.items():
            value = _CHECKS[name](fields.get(name, default), name)
            object.__setattr__(self, name, value)

    @classmethod
    def paper(cls, n_inputs, n_outputs, **fields):
        """Settings of Stanley & Miikkulainen 2002, section 4.1.

        Where the paper is silent (size of perturbations, initial weights, survival, which
        connections are split), those of the authors' program.

        Parameters
        ----------
        n_inputs, n_outputs : int
        **fields
            Any field, instead of its value here.
        """
        return cls(n_inputs, n_outputs, **fields)

    @classmethod
    def time_step(cls, n_inputs, n_outputs, **fields):
        """Connection-only genomes whose activation spreads in time steps.

        No bias, sigmoid nodes, recurrent connections; disjoint and excess genes from a strictly
        fitter parent, the active copy of a matching gene; weights are scaled by a number from 0 to
        2 or drawn anew, and connections are switched on and off.

        Parameters
        ----------
        n_inputs, n_outputs : int
        **fields
            Any field, instead of its value here.
        """
        preset = {
            "mode": "time_step",
            "activation": "sigmoid",
            "bias": None,
            "crossover": "fitter",
            "tie": "neither",
            "disable_rate": None,
            "weight_mutation": "scale",
            "weight_distribution": "gaussian",
            "weight_power": 1.0,
            "weight_cap": None,
            "split_oldest_below": 0,
            "toggle_connection_rate": 0.05,
            "structural_mutation_only": False,
        }
        return cls(n_inputs, n_outputs, **(preset | fields))

    @classmethod
    def load(cls, path):
        """The settings in a TOML file.

        What a file leaves out has its default, but for ``n_inputs`` and ``n_outputs``.  The word
        ``"none"`` stands for None.

        Parameters
        ----------
        path : str or path-like

        Raises
        ------
        OSError
            The file cannot be read.
        fastnet.FileFormatError
            It is no TOML, or has an unknown key (the nearest one is suggested) or a value that the
            field cannot have.
        """
        from fastnet.neat import config_files

        return config_files.load(path, cls)

    def save(self, path):
        """Write a TOML file, replacing what is at ``path`` at once or not at all.

        It has every field, with its meaning and its default as comments.

        Parameters
        ----------
        path : str or path-like

        Raises
        ------
        OSError
            The file cannot be written; what was there before is untouched.

        Examples
        --------
        >>> from fastnet import neat
        >>> config = neat.Config.time_step(n_inputs=3, n_outputs=1)
        >>> config.save("controller.toml")
        >>> neat.Config.load("controller.toml") == config
        True
        """
        from fastnet.neat import config_files

        config_files.save(self, path)

    def replace(self, **fields):
        """A copy with other values of these fields.

        Parameters
        ----------
        **fields
            As of the class; the same errors.
        """
        return type(self)(**(self.to_dict() | fields))

    def to_dict(self):
        """All fields by name, in the order of the class."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def __reduce__(self):
        return _restore, (type(self), self.to_dict())

    def __repr__(self):
        changed = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != field.default
        ]
        return f"{type(self).__name__}({', '.join(changed)})"


def _restore(cls, fields):
    return cls(**fields)


def _with_parameters(doc):
    """The docstring of the class, with the fields, whose only home is their metadata."""
    # Python 3.13 has taken the indentation away already
    doc = inspect.cleandoc(doc)
    lines = []
    for field in dataclasses.fields(Config):
        kind = field.type.__name__ if isinstance(field.type, type) else str(field.type)
        default = "" if field.default is REQUIRED else f", default {field.default!r}"
        lines += [f"{field.name} : {kind}{default}"]
        lines += textwrap.wrap(field.metadata["doc"], 92, **dict.fromkeys(
            ("initial_indent", "subsequent_indent"), " " * 4))
    heading = "Parameters\n----------\n"
    return doc.replace(heading, heading + "\n".join(lines) + "\n", 1)


if Config.__doc__ is not None:  # python -OO
    Config.__doc__ = _with_parameters(Config.__doc__)


def _int(value, name, least, most):
    """`checked_int`, with short messages whatever the value is."""
    if not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be an int, got {brief.repr(value)}")
    if isinstance(value, int) and value.bit_length() > 64:
        bound = f"most {most}" if value > 0 else f"least {least}"
        raise ValueError(f"{name} must be at {bound}, got a number of {value.bit_length()} bits")
    return checked_int(value, name, least, most)


def _count(least, most=MOST_GENOMES):
    return lambda value, name: _int(value, name, least, most)


def _optional(check):
    return lambda value, name: None if value is None else check(value, name)


def _number(least, most=math.inf):
    def check(value, name):
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise TypeError(f"{name} must be a number, got {brief.repr(value)}")
        try:
            value = float(value)
        except OverflowError:  # an integer or a fraction
            value = math.inf
        if not (math.isfinite(value) and least <= value <= most):
            bounds = f"from {least:g} to {most:g}" if most < math.inf else f"at least {least:g}"
            raise ValueError(f"{name} must be {bounds}, got {value!r}")
        return value
    return check


def _positive(value, name):
    value = _number(0.0)(value, name)
    if value == 0:
        raise ValueError(f"{name} must be above 0, got 0")
    return value


def _choice(*choices):
    def check(value, name):
        if value is None and None in choices:
            return None
        if not isinstance(value, str):
            known = ", ".join(repr(choice) for choice in choices)
            raise TypeError(f"{name} must be one of {known}, got {brief.repr(value)}")
        return _known(value, name, choices, "value")
    return check


def _known(value, name, known, what):
    """The equal one of these names: a subclass of str may be something else, too."""
    for choice in known:
        if value == choice:
            return choice
    raise ValueError(f"{name}: {nearest(str(value)[:80], map(str, known), what)}")


def _flag(value, name):
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {brief.repr(value)}")
    return bool(value)


def _activation(value, name):
    if not isinstance(value, str):
        raise TypeError(f"{name} must be the name of an activation, got {brief.repr(value)}")
    if value == "softmax":
        raise ValueError(f"{name} must be elementwise: softmax needs a whole layer")
    known = [name for name in _activations.names() if name != "softmax"]
    return _known(value, name, known, "activation")


def _activation_list(value, name):
    if isinstance(value, str):
        value = (value,)
    # not of a set, whose order differs from one run of Python to the next
    if not isinstance(value, (tuple, list)):
        raise TypeError(
            f"{name} must be a tuple or list of names of activations, got {brief.repr(value)}")
    # a name twice would be drawn twice as often
    return tuple(dict.fromkeys(_activation(item, f"{name}[{i}]") for i, item in enumerate(value)))


def _initial_connection(value, name):
    if isinstance(value, str):
        return _known(value, name, ("full", "none"), "value")
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"{name} must be 'full', 'none' or a number from 0 to 1, got {brief.repr(value)}")
    return _RATE(value, name)


def _initial_hidden(value, name):
    if not isinstance(value, (tuple, list)):
        return _int(value, name, 0, MOST_NODES)
    if len(value) != 2:
        raise ValueError(
            f"{name} must be a number or a pair (least, most), got {brief.repr(value)}")
    least = _int(value[0], f"{name}[0]", 0, MOST_NODES)
    return (least, _int(value[1], f"{name}[1]", least, MOST_NODES))


_RATE = _number(0.0, 1.0)
_POWER = _number(0.0, MOST_POWER)
_CHECKS = {
    "n_inputs": _count(1, MOST_NODES),
    "n_outputs": _count(1, MOST_NODES),
    "population_size": _count(1),
    "mode": _choice(*MODES),
    "step_limit": _count(1),
    "activation": _activation,
    "output_activation": _optional(_activation),
    "activations": _activation_list,
    "activation_mutation_rate": _RATE,
    "bias": _choice("node", "per_node", None),
    "initial_connection": _initial_connection,
    "initial_hidden": _initial_hidden,
    "initial_weight_power": _POWER,
    "crossover_rate": _RATE,
    "crossover": _choice("fitter", "either"),
    "tie": _choice("both", "neither", "random"),
    "average_crossover_rate": _RATE,
    "disable_rate": _optional(_RATE),
    "interspecies_rate": _RATE,
    "weight_mutation": _choice("perturb", "scale"),
    "weight_mutation_rate": _RATE,
    "weight_replace_rate": _RATE,
    "weight_power": _POWER,
    "weight_distribution": _choice("uniform", "gaussian"),
    "weight_cap": _optional(_positive),
    "bias_mutation_rate": _RATE,
    "bias_replace_rate": _RATE,
    "bias_power": _POWER,
    "add_node_rate": _RATE,
    "split_oldest_below": _count(0),
    "add_connection_rate": _RATE,
    "toggle_connection_rate": _RATE,
    "enable_connection_rate": _RATE,
    "remove_connection_rate": _RATE,
    "remove_node_rate": _RATE,
    "structural_mutation_only": _flag,
    "self_loops": _flag,
    "innovation_scope": _choice("run", "generation"),
    "c_excess": _number(0.0),
    "c_disjoint": _number(0.0),
    "c_weight": _number(0.0),
    "distance_normalization": _choice("size", "one"),
    "compatibility_threshold": _number(0.0),
    "target_species": _optional(_count(1)),
    "threshold_step": _positive,
    "representative": _choice("random", "best"),
    "elitism": _count(0),
    "elitism_species_size": _count(0),
    "survival_threshold": _RATE,
    "stagnation": _optional(_count(1)),
    "population_stagnation": _optional(_count(1)),
}
