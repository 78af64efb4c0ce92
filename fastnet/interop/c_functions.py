"""The activations as C, for `c_networks` and `c_genomes`: texts that a source is put together from.

They are the functions of ``_kernels/functions.pxi`` and ``activations.pxi`` for one number, with
their polynomials, but that of e^r in single precision has a term less, which costs a quarter of a
unit in the last place; formulas and sources are explained there.  What is selected is selected by
bits: most compilers take a conditional expression apart and cannot make vectors of a loop then.

In a text ``@`` is the prefix of all names, ``real`` the type of the numbers, ``word`` the unsigned
integer of its size, and ``#[a]`` or ``#[single|double]`` a number of that type.
"""

import re

import numpy as np

from fastnet.interop.c_elementary import ELEMENTARY
from fastnet.interop.c_exponentials import EXPONENTIALS

__all__ = ["CONSTANTS", "FUNCTIONS", "function_of", "literal", "translate", "with_needs"]

# name: what it needs and its text; in the order in which C wants them
FUNCTIONS = {
    **EXPONENTIALS,
    **ELEMENTARY,
    "identity": ((), ""),
    "relu": (
        ("max",),
        """
static @INLINE real @relu(real x)
{
    return @max(#[0.0], x);
}
""",
    ),
    "leaky_relu": (
        ("max",),
        """
static @INLINE real @leaky_relu(real x)
{
    return @max(#[0.01] * x, x);
}
""",
    ),
    "elu": (
        ("expm1", "select"),
        """
static @INLINE real @elu(real x)
{
    return @select(x > #[0.0], x, @expm1(x));
}
""",
    ),
    "selu": (
        ("expm1", "select"),
        """
static @INLINE real @selu(real x)
{
    const int positive = x > #[0.0];
    const real scale = @select(positive, #[1.0507009873554804934], #[1.7580993408473768600]);
    return scale * @select(positive, x, @expm1(x));
}
""",
    ),
    "softsign": (
        ("clipped",),
        """
static @INLINE real @softsign(real x)
{
    const real t = @clipped(x, LARGEST);
    return @number(@bits(t / (#[1.0] + t)) ^ (@bits(x) & SIGN));
}
""",
    ),
    "elliot": (
        ("abs", "by_sign"),
        """
static @INLINE real @elliot(real x)
{
    const real r = #[0.5] / (#[1.0] + @abs(x));
    return @by_sign(x, #[1.0] - r, r);
}
""",
    ),
    "hard_tanh": (
        ("max", "min"),
        """
static @INLINE real @hard_tanh(real x)
{
    return @max(#[-1.0], @min(#[1.0], x));
}
""",
    ),
    "hard_sigmoid": (
        ("max", "min"),
        """
static @INLINE real @hard_sigmoid(real x)
{
    return @max(#[0.0], @min(#[1.0], (x + #[3.0]) * #[0.16666666666666667]));
}
""",
    ),
    "square": (
        (),
        """
static @INLINE real @square(real x)
{
    return x * x;
}
""",
    ),
    "cube": (
        (),
        """
static @INLINE real @cube(real x)
{
    return x * x * x;
}
""",
    ),
    "unit_step": (
        ("select",),
        """
static @INLINE real @unit_step(real x)
{
    return @select(x > #[0.0], #[1.0], @select(x <= #[0.0], #[0.0], x));
}
""",
    ),
    "inverse": (
        (),
        """
static @INLINE real @inverse(real x)
{
    return #[1.0] / x;
}
""",
    ),
    "softmax": (
        ("exp",),
        """
/* z becomes softmax z; the largest passes over a NaN, which comes back through the sum */
static @INLINE void @softmax(size_t n, real *z)
{
    real largest = z[0], total[4] = {#[0.0], #[0.0], #[0.0], #[0.0]}, scale;
    size_t j;
    for (j = 1; j < n; ++j)
        largest = @max(z[j], largest);
    for (j = 0; j < n; ++j)
        z[j] = @exp(z[j] - largest);
    for (j = 0; j < n; ++j)
        total[j % 4] += z[j];
    scale = #[1.0] / ((total[0] + total[1]) + (total[2] + total[3]));
    for (j = 0; j < n; ++j)
        z[j] *= scale;
}
""",
    ),
    "reciprocal_root": (
        (),
        """
/* 1 / sqrt(x) for x > 0: Newton's method from a guess by the exponent; 0 at infinity */
static double @reciprocal_root(double x)
{
    const double y = x < 1e-290 ? x * 1.2676506002282294e30 : x;
    uint64_t b;
    double r;
    int k;
    if (!(x <= 1.7976931348623157e308))
        return 1.0 / x;
    memcpy(&b, &y, sizeof b);
    b = 0x5fe6eb50c7b537a9u - (b >> 1);
    memcpy(&r, &b, sizeof r);
    for (k = 0; k < 5; ++k)
        r *= 1.5 - 0.5 * y * r * r;
    return x < 1e-290 ? r * 1.125899906842624e15 : r;
}
""",
    ),
    "layer_norm": (
        ("reciprocal_root",),
        """
/* z becomes gains (z - mean) / sqrt(variance + epsilon) + biases (Ba, Kiros, Hinton 2016) */
static void @layer_norm(size_t n, const real *gains, const real *biases, double epsilon, real *z)
{
    double mean = 0.0, variance = 0.0, scale;
    size_t j;
    for (j = 0; j < n; ++j)
        mean += (double)z[j];
    mean /= (double)n;
    for (j = 0; j < n; ++j)
        variance += ((double)z[j] - mean) * ((double)z[j] - mean);
    scale = @reciprocal_root(variance / (double)n + epsilon);
    for (j = 0; j < n; ++j)
        z[j] = @FMA((real)(((double)z[j] - mean) * scale), gains[j], biases[j]);
}
""",
    ),
}

CONSTANTS = {
    4: {
        "BIAS": "127",
        "FRACTION": "23",
        "HIGH": "0xff800000u",
        "LARGEST": "3.4028235e+38f",
        "LOWEST": "(-104.0f)",
        "MAGIC": "12582912.0f",
        "ONE": "0x3f800000u",
        "ROOT_HALF": "0x3f3504f3u",
        "SIGN": "0x80000000u",
        "SIGN_PLACE": "31",
        "SIN_LIMIT": "3000.0f",
        "UPPER": "0xfffff000u",
    },
    8: {
        "BIAS": "1023",
        "FRACTION": "52",
        "HIGH": "0xfff0000000000000u",
        "LARGEST": "1.7976931348623157e+308",
        "LOWEST": "(-746.0)",
        "MAGIC": "6755399441055744.0",
        "ONE": "0x3ff0000000000000u",
        "ROOT_HALF": "0x3fe6a09e667f3bcdu",
        "SIGN": "0x8000000000000000u",
        "SIGN_PLACE": "63",
        "SIN_LIMIT": "1.6e6",
        "UPPER": "0xfffffffff8000000u",
    },
}


def function_of(activation):
    """The function of an activation: NAME_step is what makes a step."""
    return "unit_step" if activation == "step" else activation


def literal(value, itemsize):
    """A number as C, which reads back as the same one."""
    if itemsize == 8:
        return repr(float(value))
    # str() of it goes by the print options of NumPy
    value = np.float32(value)
    if value == 0 or 1e-4 <= abs(value) < 1e8:
        return np.format_float_positional(value, trim="0") + "f"
    return np.format_float_scientific(value, trim="-") + "f"


def with_needs(names):
    """The names with all that they need, in the order of FUNCTIONS."""
    wanted, left = set(), list(names)
    while left:
        name = left.pop()
        if name not in wanted:
            wanted.add(name)
            left.extend(FUNCTIONS[name][0])
    return [name for name in FUNCTIONS if name in wanted]


def translate(text, name, itemsize):
    """A text for one precision, with names that begin with that of the network."""

    def number(match):
        single, _, double = match[1].partition("|")
        return literal(float(single if itemsize == 4 or not double else double), itemsize)

    text = re.sub(r"#\[([^]]*)\]", number, text)
    for constant, value in CONSTANTS[itemsize].items():
        text = re.sub(rf"\b{constant}\b", value, text)
    text = re.sub(r"\breal\b", "float" if itemsize == 4 else "double", text)
    text = re.sub(r"\bword\b", "uint32_t" if itemsize == 4 else "uint64_t", text)
    return text.replace("@", f"{name}_")
