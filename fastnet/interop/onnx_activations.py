"""Activations as ONNX nodes, and back.

`EXPORT` says once how each activation is built of operators.  The exporter calls it with a builder
of nodes; the importer calls it with `Expression`, which brings formulas into a normal form, and so
recognizes the same formula when it reads it, however a product or a sum was ordered.
"""

import math

__all__ = [
    "DEFAULTS",
    "ELEMENTWISE",
    "EXPORT",
    "EXPORT64",
    "SINCE",
    "Expression",
    "Ops",
    "comparable",
    "formulas",
]

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


# The first opset that has an operator as it is used here; 13 for all others
SINCE = {"LeakyRelu": 16, "LayerNormalization": 17, "Mish": 18, "Gelu": 20}


class Ops:
    """What a formula is written with: each method adds an operator and returns its output.

    Subclasses have ``apply(op, *inputs, **attributes)``, where an input is an output of a method or
    a Python float, and ``attributes`` are those of the operator.
    """

    def __getattr__(self, op):
        if not op[0].isupper():
            raise AttributeError(op)
        return lambda *inputs, **attributes: self.apply(op, *inputs, **attributes)


def exp_minus_one(ops, z):
    """e^min(z, 0) - 1"""
    return ops.Sub(ops.Exp(ops.Min(z, 0.0)), 1.0)


def step(ops, z):
    one = ops.Where(ops.Greater(z, 0.0), 1.0, 0.0)
    return ops.Where(ops.Equal(z, z), one, z)  # NaN stays NaN


# Attributes of operators are float32, and ONNX Runtime has many operators for float32 only: with
# float64 some formulas are written out.
EXPORT = {
    "identity": lambda ops, z: z,
    "relu": lambda ops, z: ops.Relu(z),
    "leaky_relu": lambda ops, z: ops.LeakyRelu(z, alpha=0.01),
    "elu": lambda ops, z: ops.Elu(z, alpha=1.0),
    "selu": lambda ops, z: ops.Selu(z, alpha=SELU_ALPHA, gamma=SELU_SCALE),
    "gelu": lambda ops, z: ops.Gelu(z, approximate="none"),
    "silu": lambda ops, z: ops.Mul(z, ops.Sigmoid(z)),
    "mish": lambda ops, z: ops.Mish(z),
    "sigmoid": lambda ops, z: ops.Sigmoid(z),
    "steep_sigmoid": lambda ops, z: ops.Sigmoid(ops.Mul(z, 4.9)),
    "tanh": lambda ops, z: ops.Tanh(z),
    "softplus": lambda ops, z: ops.Softplus(z),
    "softsign": lambda ops, z: ops.Softsign(z),
    "elliot": lambda ops, z: ops.Add(ops.Mul(ops.Softsign(z), 0.5), 0.5),
    "hard_tanh": lambda ops, z: ops.Clip(z, -1.0, 1.0),
    "hard_sigmoid": lambda ops, z: ops.HardSigmoid(z, alpha=1 / 6, beta=0.5),
    "softmax": lambda ops, z: ops.Softmax(z, axis=-1),
    "sin": lambda ops, z: ops.Sin(z),
    "abs": lambda ops, z: ops.Abs(z),
    "square": lambda ops, z: ops.Mul(z, z),
    "cube": lambda ops, z: ops.Mul(ops.Mul(z, z), z),
    "exp": lambda ops, z: ops.Exp(z),
    "gaussian": lambda ops, z: ops.Exp(ops.Neg(ops.Mul(z, z))),
    "step": step,
    "inverse": lambda ops, z: ops.Reciprocal(z),
    "log": lambda ops, z: ops.Log(z),
}


def softplus64(ops, z):
    return ops.Add(ops.Max(z, 0.0), ops.Log(ops.Add(ops.Exp(ops.Neg(ops.Abs(z))), 1.0)))


def softsign64(ops, z):
    return ops.Div(z, ops.Add(ops.Abs(z), 1.0))


EXPORT64 = EXPORT | {
    "leaky_relu": lambda ops, z: ops.Max(z, ops.Mul(z, 0.01)),
    "elu": lambda ops, z: ops.Where(ops.Greater(z, 0.0), z, exp_minus_one(ops, z)),
    "selu": lambda ops, z: ops.Where(
        ops.Greater(z, 0.0),
        ops.Mul(z, SELU_SCALE),
        ops.Mul(exp_minus_one(ops, z), SELU_SCALE * SELU_ALPHA),
    ),
    "mish": lambda ops, z: ops.Mul(z, ops.Tanh(softplus64(ops, z))),
    "softplus": softplus64,
    "softsign": softsign64,
    "elliot": lambda ops, z: ops.Add(ops.Mul(softsign64(ops, z), 0.5), 0.5),
    "hard_sigmoid": lambda ops, z: ops.Clip(ops.Add(ops.Mul(z, 1 / 6), 0.5), 0.0, 1.0),
}


# How other exporters write them
def other_formulas(ops, z):
    half = ops.Mul(z, 0.5)
    yield "gelu", ops.Mul(half, ops.Add(ops.Erf(ops.Mul(z, math.sqrt(0.5))), 1.0))
    yield "mish", ops.Mul(z, ops.Tanh(ops.Softplus(z)))
    yield "mish", ops.Mul(z, ops.Tanh(ops.Log(ops.Add(ops.Exp(z), 1.0))))
    yield "softplus", ops.Log(ops.Add(ops.Exp(z), 1.0))
    yield "sigmoid", ops.Reciprocal(ops.Add(ops.Exp(ops.Neg(z)), 1.0))
    yield "elu", ops.Where(ops.Greater(z, 0.0), z, ops.Sub(ops.Exp(z), 1.0))
    yield "hard_sigmoid", ops.Div(ops.Clip(ops.Add(z, 3.0), 0.0, 6.0), 6.0)
    yield "step", ops.Where(ops.Greater(z, 0.0), 1.0, 0.0)
    yield "step", ops.Cast(ops.Greater(z, 0.0))


def comparable(expression):
    """A formula with its numbers rounded: what was float32 once is equal to what was not."""
    if isinstance(expression, float):
        return float(f"{expression:.5g}")
    if isinstance(expression, tuple):
        return tuple(comparable(part) for part in expression)
    return expression


class Expression(Ops):
    """Formulas of one variable ``Z`` in normal form: nested tuples and floats.

    A product is ("Mul", number, factors) with the factors sorted, a sum likewise; quotients,
    differences and powers become these.  Composite operators are written out.
    """

    Z = ("Z",)

    def apply(self, op, *inputs, **attributes):
        if op == "Mul":
            return collect("Mul", inputs, math.prod, 1.0)
        if op in ("Add", "Sum"):
            return collect("Add", inputs, sum, 0.0)
        if op == "Neg":
            return self.Mul(-1.0, *inputs)
        if op == "Sub":
            return self.Add(inputs[0], self.Neg(inputs[1]))
        if op == "Reciprocal":
            return reciprocal(inputs[0])
        if op == "Div":
            return self.Mul(inputs[0], self.Reciprocal(inputs[1]))
        if op == "Pow" and inputs[1] in (2.0, 3.0):
            return self.Mul(*[inputs[0]] * int(inputs[1]))
        if op == "Relu":
            return self.Max(inputs[0], 0.0)
        if op == "Softsign":
            return softsign64(self, *inputs)
        if op == "Swish":
            z = inputs[0]
            return self.Mul(z, self.Sigmoid(self.Mul(z, attributes.get("alpha", 1.0))))
        if op == "HardSigmoid":
            line = self.Add(self.Mul(inputs[0], attributes["alpha"]), attributes["beta"])
            return self.Clip(line, 0.0, 1.0)
        if op == "HardSwish":
            return self.Mul(inputs[0], self.HardSigmoid(inputs[0], alpha=1 / 6, beta=0.5))
        if op == "Greater" and inputs[1] != 0.0:
            return ("Less", inputs[1], inputs[0])
        if op == "Less" and inputs[0] == 0.0:
            return ("Greater", inputs[1], 0.0)
        if op == "PRelu":
            return ("LeakyRelu", inputs[0], ("alpha", inputs[1]))
        if op in ("Max", "Min", "Equal"):
            inputs = sorted(inputs, key=repr)
        if op == "Max" and len(inputs) == 2 and all(isinstance(x, tuple) for x in inputs):
            for a, b in (inputs, inputs[::-1]):  # max(z, c z), 0 < c < 1
                if a[0] == "Mul" and a[2] == (b,) and 0 < a[1] < 1:
                    return self.LeakyRelu(b, alpha=a[1])
        return (op, *inputs, *sorted(attributes.items()))


def collect(op, inputs, fold, neutral):
    """A product or a sum, with those in it taken apart, as (op, number, sorted parts)."""
    numbers, parts = [], []
    for x in inputs:
        if isinstance(x, float):
            numbers.append(x)
        elif x[0] == op:
            numbers.append(x[1])
            parts += x[2]
        else:
            parts.append(x)
    number = float(fold(numbers))
    if not parts:
        return number
    if len(parts) == 1 and math.isclose(number, neutral, rel_tol=1e-6):
        return parts[0]
    return (op, number, tuple(sorted(parts, key=repr)))


def reciprocal(x):
    """1/x; that of a product is the product of those of its parts."""
    if isinstance(x, float):
        return 1 / x if x else math.inf
    if x[0] == "Mul" and x[1]:
        return collect("Mul", [1 / x[1], *map(reciprocal, x[2])], math.prod, 1.0)
    return x[1] if x[0] == "Reciprocal" else ("Reciprocal", x)


def formulas(names):
    """Every formula that is known, `comparable`: a dict from it to the activation's name."""
    ops = Expression()
    known = {}
    for table in (EXPORT, EXPORT64):
        for name, formula in table.items():
            known[formula(ops, ops.Z)] = name
    for name, expression in other_formulas(ops, ops.Z):
        known[expression] = name
    return {comparable(formula): name for formula, name in known.items() if name in names}


# Operators that may stand in a formula, and attributes that they have where none are given
# fmt: off
ELEMENTWISE = frozenset((
    "Abs", "Add", "Clip", "Div", "Elu", "Equal", "Erf", "Exp", "Gelu", "Greater", "HardSigmoid",
    "HardSwish", "LeakyRelu", "Less", "Log", "Max", "Min", "Mish", "Mul", "Neg", "PRelu", "Pow",
    "Reciprocal", "Relu", "Selu", "Sigmoid", "Sin", "Softplus", "Softsign", "Sub", "Sum", "Swish",
    "Tanh", "Where",
))
# fmt: on
DEFAULTS = {
    "Elu": {"alpha": 1.0},
    "Gelu": {"approximate": "none"},
    "HardSigmoid": {"alpha": 0.2, "beta": 0.5},
    "LeakyRelu": {"alpha": 0.01},
    "Selu": {"alpha": SELU_ALPHA, "gamma": SELU_SCALE},
}
