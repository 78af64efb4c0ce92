"""The frame of exported C: names, constants, the parts every source has, and its self-test."""

import re

import numpy as np

from fastnet.interop.c_functions import FUNCTIONS, literal, translate, with_needs

__all__ = ["Source", "checked_dtype", "tolerances"]

# Of C23 and of C++26, which is what the source may be compiled as, but for those like _Bool
KEYWORDS = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t
char32_t class co_await co_return co_yield compl concept const const_cast consteval constexpr
constinit continue contract_assert decltype default delete do double dynamic_cast else enum
explicit export extern false float for friend goto if inline int long mutable namespace new
noexcept not not_eq nullptr operator or or_eq private protected public register reinterpret_cast
requires restrict return short signed sizeof static static_assert static_cast struct switch
template this thread_local throw true try typedef typeid typename typeof typeof_unqual union
unsigned using virtual void volatile wchar_t while xor xor_eq
"""

HEADER = """\
/* $NAME: {title}

{description}

   Written by fastnet {version}.  Nothing is allocated or kept, so every function may run on any
   number of threads at once.  x and y may be the same memory.  Arithmetic must be that of IEEE 754
   (no -ffast-math); results are within a few units in the last place of fastnet's.

   Elsewhere, define @_DECLARATIONS_ONLY and include this file for the declarations.
   Define @_WEIGHTS as what the compiler wants in order to place the constants, for example
   __attribute__((section(".flash"))).  */

#ifndef @_DECLARED
#define @_DECLARED

#include <stddef.h>

#define @_N_INPUTS {n_inputs}
#define @_N_OUTPUTS {n_outputs}

#ifdef __cplusplus
extern "C" {{
#endif

{declarations}

#ifdef __cplusplus
}}
#endif

#endif

#if !defined(@_DECLARATIONS_ONLY) && !defined(@_DEFINED)
#define @_DEFINED

#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(_M_FP_FAST) \\
    || defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error "without -ffast-math, its parts and /fp:fast: rounding and NaN count"
#endif

#include <stdint.h>
#include <string.h>

#ifndef @_WEIGHTS
#define @_WEIGHTS
#endif

#if defined(__GNUC__)
#define @_INLINE inline __attribute__((always_inline, unused))
#define @_ALIGNED __attribute__((aligned(64)))
#define @_RESTRICT __restrict__
#else
#define @_INLINE inline
#define @_ALIGNED
#define @_RESTRICT
#endif

/* a b + c, rounded once where that is fast */
#if defined(__GNUC__) && (defined(__FMA__) || defined({fast_fma}))
#define @_FMA(a, b, c) {fma}((a), (b), (c))
#else
#define @_FMA(a, b, c) ((a) * (b) + (c))
#endif
"""

DECLARATIONS = """\
/* x (@_N_INPUTS,) to y (@_N_OUTPUTS,) */
void @_predict(const real *x, real *y);
/* 0 if constants and results are what they were in fastnet */
int @_self_test(void);"""

STATE_DECLARATIONS = """\
/* bytes of a state, which may lie anywhere */
size_t @_state_size(void);
/* before the first step */
void @_reset(void *state);
/* one step from the state that the last one left */
void @_step(void *state, const double *x, double *y);"""

SELF_TEST = """
int @self_test(void)
{{
    static @WEIGHTS const real x[] = {x};
    static @WEIGHTS const real expected[] = {expected};
    /* negative: not compared */
    static @WEIGHTS const real tolerance[] = {tolerance};
    real y[{n_outputs}];
{locals}    size_t i;
    uint64_t sum = 0;
{sums}    if (sum != {sum}u)
        return 1;
{run}    for (i = 0; i < {n_outputs}; ++i) {{
        const real d = y[i] - expected[i];
        if (tolerance[i] >= #[0.0] && !(d <= tolerance[i] && -d <= tolerance[i]))
            return 1;
    }}
    return 0;
}}
"""


class Source:
    """A source in the making.

    Parameters
    ----------
    name : str
        What all names in it begin with.
    dtype : numpy.dtype
    """

    def __init__(self, name, dtype):
        self.name = checked_name(name)
        self.dtype = checked_dtype(dtype)
        self.itemsize = self.dtype.itemsize
        self.functions = set()
        self.constants = []  # text of the arrays
        self.sums = []  # text of their sums
        self.sum = 0
        self.n_summed = 0
        self.body = []

    def use(self, *functions):
        """Have these functions of `c_functions` in the source."""
        self.functions.update(functions)

    def array(self, label, values, ctype="real"):
        """Constants of this name, which the self-test sums."""
        values = np.ravel(values)
        if not values.size:
            return
        self.constants.append(
            f"static @WEIGHTS @ALIGNED const {ctype} @{label}[{values.size}] = "
            f"{self.braces(values)};\n"
        )
        if ctype == "real":
            self.use("bits")
            bits = values.astype(self.dtype).view(f"u{self.itemsize}")
            term = f"@bits(@{label}[i])"
        else:
            bits = values.astype(np.int8).view(np.uint8)
            term = f"(uint8_t)@{label}[i]"
        # an odd factor: no change of one number leaves the sum as it was
        factors = 2 * np.arange(self.n_summed, self.n_summed + bits.size, dtype=np.uint64) + 1
        self.sum = (self.sum + int((bits.astype(np.uint64) * factors).sum())) % 2**64
        self.sums.append(
            f"    for (i = 0; i < {bits.size}; ++i)\n"
            f"        sum += (2 * (uint64_t)(i + {self.n_summed}) + 1) * {term};\n"
        )
        self.n_summed += bits.size

    def number(self, value):
        return literal(value, self.itemsize)

    def braces(self, values):
        """Values between braces, as many lines as they need."""
        if np.asarray(values).dtype == np.int8:
            words = [str(value) for value in values.tolist()]
        else:
            words = [self.number(value) for value in np.asarray(values, np.float64).tolist()]
        lines, line = [], "   "
        for k, word in enumerate(words):
            word = f" {word}," if k < len(words) - 1 else f" {word}"
            if len(line) + len(word) > 100:
                lines.append(line)
                line = "   "
            line += word
        return "\n".join(["{", *lines, line + "}"])

    def add(self, text):
        self.body.append(text)

    def self_test(self, x, expected, tolerance, n_steps=0):
        """The test that x gives what is expected, after some steps of a network with a state."""
        if n_steps:
            state = f"    double input[{len(x)}], output[{len(expected)}];\n"
            state += "    unsigned char state[@STATE_SIZE];\n    int k;\n"
            run = f"""\
    for (i = 0; i < {len(x)}; ++i)
        input[i] = (double)x[i];
    @reset(state);
    for (k = 0; k < {n_steps}; ++k)
        @step(state, input, output);
    for (i = 0; i < {len(expected)}; ++i)
        y[i] = (real)output[i];
"""
        else:
            state, run = "", "    @predict(x, y);\n"
        self.add(
            SELF_TEST.format(
                x=self.braces(x),
                expected=self.braces(expected),
                tolerance=self.braces(tolerance),
                n_outputs=len(expected),
                locals=state,
                sums="".join(self.sums),
                sum=f"0x{self.sum:016x}",
                run=run,
            )
        )

    def text(self, title, description, n_inputs, n_outputs, has_state=False):
        declarations = DECLARATIONS + ("\n" + STATE_DECLARATIONS if has_state else "")
        header = HEADER.format(
            title=title,
            description="\n".join("   " + line for line in description),
            version=own_version(),
            n_inputs=n_inputs,
            n_outputs=n_outputs,
            declarations=declarations,
            fast_fma="__FP_FAST_FMAF" if self.itemsize == 4 else "__FP_FAST_FMA",
            fma="__builtin_fmaf" if self.itemsize == 4 else "__builtin_fma",
        )
        functions = [FUNCTIONS[name][1] for name in with_needs(self.functions)]
        texts = [f if isinstance(f, str) else f[self.itemsize] for f in functions]
        text = header.replace("@_", "@") + "\n" + "\n".join(self.constants)
        text += "".join(texts) + "".join(self.body) + "\n#endif\n"
        text = translate(text, self.name, self.itemsize)
        return text.replace("$NAME", self.name, 1)


def checked_name(name):
    """The name, if names in C may begin with it."""
    if not isinstance(name, str):
        raise TypeError(f"name must be a str, got {type(name).__name__}")
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(
            f"name must be a C identifier (letters, digits and _, no digit first), got {name!r}"
        )
    if name in KEYWORDS.split() or re.match("_[A-Z_]", name):
        raise ValueError(f"name must be no keyword of C or C++ (or like one), got {name!r}")
    return name


def checked_dtype(dtype):
    try:
        dtype = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"dtype must be float32 or float64, got {dtype!r}") from None
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32 or float64, got {dtype}")
    return dtype


def own_version():
    """The version of fastnet."""
    from fastnet import __version__

    return __version__


def tolerances(evaluate, x, parameters, dtype, n_trials=16):
    """What the network gives for x, in float64, and how far other roundings may lead from it.

    Parameters
    ----------
    evaluate : callable(x, parameters) -> ndarray (n_outputs,)
        In float64.
    x, parameters : ndarray
    dtype : numpy.dtype
        Of the arithmetic to tolerate.

    Returns
    -------
    expected, tolerance : ndarray (n_outputs,)
        A tolerance below 0 is that of an output which no number can be expected of.
    """
    eps = float(np.finfo(dtype).eps)
    rng = np.random.Generator(np.random.Philox(0))
    expected = evaluate(x, parameters)
    spread = np.zeros_like(expected)
    with np.errstate(all="ignore"):
        for _ in range(n_trials):
            y = evaluate(
                x * (1 + eps * rng.uniform(-1, 1, x.shape)),
                parameters * (1 + eps * rng.uniform(-1, 1, parameters.shape)),
            )
            spread = np.maximum(spread, np.abs(y - expected))
        tolerance = 16 * spread + 32 * eps * np.abs(expected) + float(np.finfo(dtype).tiny)
        usable = np.isfinite(expected) & np.isfinite(tolerance)
        usable &= np.abs(expected) + tolerance < float(np.finfo(dtype).max)
    return np.where(usable, expected, 0.0), np.where(usable, tolerance, -1.0)
