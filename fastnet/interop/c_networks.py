"""Dense networks as C: `network_to_c`."""

import textwrap

import numpy as np

from fastnet.interop.c_functions import function_of
from fastnet.interop.c_source import Source, tolerances
from fastnet.interop.stack import check_named_activations
from fastnet.nn.layers import Dense, Dropout

__all__ = ["network_to_c", "rounded"]

# Columns of a block: sums of that many stay in registers while a loop goes over the inputs
WIDTHS = {4: (64, 32, 16, 8, 4), 8: (32, 16, 8, 4, 2)}

# Loops of these are worth rounding up to whole vectors
LONG = {
    "elu", "exp", "gaussian", "gelu", "log", "mish", "selu", "sigmoid", "silu", "sin", "softplus",
    "steep_sigmoid", "tanh",
}  # fmt: skip

COLUMNS = """
/* z = {formula} for {width} columns: x (n,), w (n, {width}) */
static @INLINE void @columns_{width}(size_t n, const real *@RESTRICT x, const {type} *@RESTRICT w,
                                     {scales}const real *@RESTRICT b, real *@RESTRICT z)
{{
    size_t i, j;
    for (j = 0; j < {width}; ++j)
        z[j] = {start};
    for (i = 0; i < n / 8; ++i, x += 8, w += {width} * 8)
{eight}    for (i = 0; i < n / 4 % 2; ++i, x += 4, w += {width} * 4)
        for (j = 0; j < {width}; ++j)
            z[j] += {four};
    for (i = 0; i < n % 4; ++i, ++x, w += {width})
        for (j = 0; j < {width}; ++j)
            z[j] = @FMA(*x, {cast}w[j], z[j]);
{finish}}}
"""

FINISH = """\
    for (j = 0; j < {width}; ++j)
        z[j] = @FMA(scales[j], z[j], {bias});
"""


def network_to_c(net, name="network", *, dtype=None, int8=False, X=None):
    """A C99 source, which is C++17 too, that computes what the network computes.

    It needs nothing but the standard headers of a compiler without an operating system, and has

    * ``void NAME_predict(const T *x, T *y)``, one row, T being float or double;
    * ``int NAME_self_test(void)``: 0 if a sum of all constants is right and a row gives the
      outputs that it gave here;
    * ``NAME_N_INPUTS`` and ``NAME_N_OUTPUTS``.

    All else is static.  Nothing is allocated, no static is written, and no mathematical library is
    called.  Dropout layers leave nothing.

    Parameters
    ----------
    net : fastnet.Network
    name : str
        What all names in the source begin with: a C identifier.
    dtype : "float32" or "float64", optional
        Precision of constants and arithmetic; by default that of the network.
    int8 : bool
        Weights in 8 bits with a factor for each unit, a quarter of the memory; biases and all
        arithmetic stay as they are.  What that changes in the outputs is measured, and written in
        the first lines of the source.
    X : array-like (n_rows, n_inputs), optional
        Rows to measure it on, such as the network will meet; by default 1000 of the standard normal
        distribution.

    Returns
    -------
    str
        Plain ASCII.

    Raises
    ------
    ValueError
        name is no C identifier, a layer has a custom activation, or a parameter is NaN, infinite or
        too large for dtype.

    Notes
    -----
    Loops over the units of a layer are inside of those over its inputs, in blocks of so many units
    that their sums stay in registers; compilers make vector instructions of them (``-O3
    -march=native``).  The macro ``NAME_WEIGHTS`` may be defined as an attribute that places the
    constants, on a microcontroller for example.

    Examples
    --------
    >>> import fastnet as fn
    >>> source = fn.Network([4, 8, 2], hidden="tanh", seed=0).to_c("steering")
    >>> "void steering_predict(const float *x, float *y);" in source
    True
    """
    source = Source(name, net.dtype if dtype is None else dtype)
    check_named_activations(net, "C source")
    if not isinstance(int8, (bool, np.bool_)):
        raise TypeError(f"int8 must be True or False, got {int8!r}")
    if X is not None and not int8:
        raise ValueError("X is for measuring what int8=True changes, which is False")
    exact = twin(net, rounded(net.parameters, source.dtype))
    used = twin(net, exact.parameters)
    write = Writer(source, net.n_inputs)
    for k, layer in enumerate(used.layers):
        if isinstance(layer.spec, Dropout):
            continue
        if isinstance(layer.spec, Dense):
            write.dense(k, layer, int8)
        else:
            write.layer_norm(k, layer)
        write.activation(layer.activation, layer.n_outputs, layer is used.layers[-1])
    write.predict(net.n_inputs, net.n_outputs)
    x = rounded(np.sin(1.0 + np.arange(net.n_inputs)), source.dtype)

    def evaluate(x, parameters):
        return twin(net, parameters)(x)

    source.self_test(x, *tolerances(evaluate, x, used.parameters, source.dtype))
    description = [f"{net.n_parameters} parameters, {source.dtype.name}"]
    if int8:
        description = measured(exact, used, X)
    return source.text(title(net), description, net.n_inputs, net.n_outputs)


def title(net):
    """What the network is, in lines of the comment."""
    sizes = [str(net.n_inputs)]
    for layer in net.layers:
        if not isinstance(layer.spec, Dropout):
            kind = "" if isinstance(layer.spec, Dense) else "layer norm "
            sizes.append(f"{kind}{layer.n_outputs} {layer.activation}")
    text = "a dense network, " + " - ".join(sizes)
    return textwrap.fill(text, 90, subsequent_indent="   ")


def rounded(values, dtype):
    """Values as numbers of that precision, in float64; all must be finite."""
    with np.errstate(over="ignore"):
        result = values.astype(dtype).astype(np.float64)
    wrong = np.flatnonzero(~np.isfinite(result))
    if wrong.size:
        raise ValueError(
            f"parameters[{wrong[0]}] is {values[wrong[0]]}, which cannot be written as a finite "
            f"{np.dtype(dtype).name}"
        )
    return result


def twin(net, parameters):
    """The network in float64 with other parameters."""
    other = type(net)._of_layers(net.n_inputs, [layer.spec for layer in net.layers], "float64")
    other.parameters[:] = parameters
    return other


def measured(exact, used, X):
    """Lines on what other weights change."""
    if X is None:
        rng = np.random.Generator(np.random.Philox(0))
        X = rng.standard_normal((1000, exact.n_inputs))
        of = "of the standard normal distribution"
    else:
        of = "that were given"
    a, b = exact(X), used(X)
    if a.ndim != 2 or not len(a):
        raise ValueError(f"X must have shape (n_rows, {exact.n_inputs}), got {np.shape(X)}")
    finite = np.isfinite(a).all(axis=1) & np.isfinite(b).all(axis=1)
    if not finite.any():
        raise ValueError("no row of X gives finite outputs, of which changes could be measured")
    a, b = a[finite], b[finite]
    worst = np.max(np.abs(a - b))
    return [
        f"{exact.n_parameters} parameters, weights in 8 bits.  On {len(a)} rows {of}",
        f"that changed outputs by at most {worst:.3g} (mean {np.mean(np.abs(a - b)):.3g}); the",
        f"outputs themselves were up to {np.max(np.abs(a)):.3g}.",
    ]


def blocks(n, itemsize):
    """Columns 0..n as (first, width)."""
    first, parts = 0, []
    for width in WIDTHS[itemsize]:
        while n - first >= width:
            parts.append((first, width))
            first += width
    if first < n:
        parts.append((first, n - first))
    return parts


def columns(width, int8, itemsize):
    """The function for so many columns.

    It takes eight inputs at a time, so that sums which do not stay in registers are stored seldom.
    Where vectors are short, it takes two columns far apart, so that fewer turns of a loop that is
    not unrolled are left; where they are long, that would keep the loop from being unrolled.
    """
    cast, bias = "(real)" if int8 else "", "b ? b[j] : #[0.0]"

    def four(first, column):
        text = f"x[{first}] * {cast}w[j + {width * first + column}]"
        for k in range(first + 1, first + 4):
            text = f"@FMA(x[{k}], {cast}w[j + {width * k + column}],\n                {text})"
        return text

    def eight(step):
        sums = "".join(
            f"            z[j + {k}] += {four(0, k)}\n                + {four(4, k)};\n"
            for k in range(0, width, step)
        )
        return f"        for (j = 0; j < {step}; ++j) {{\n{sums}        }}\n"

    once = eight(width)
    if width * itemsize >= 256:
        once = f"#ifdef __AVX__\n{once}#else\n{eight(width // 2)}#endif\n"
    return COLUMNS.format(
        width=width, cast=cast, four=four(0, 0), eight=once,
        type="int8_t" if int8 else "real",
        formula="b + scales (x w)" if int8 else "b + x w",
        scales="const real *@RESTRICT scales, " if int8 else "",
        start="#[0.0]" if int8 else bias,
        finish=FINISH.format(width=width, bias=bias) if int8 else "",
    )  # fmt: skip


class Writer:
    """The body of predict: values go to and fro between two buffers, a and b."""

    def __init__(self, source, n_inputs):
        self.source = source
        self.lines = []
        self.values = "x"  # where the values are
        self.n = n_inputs
        self.room = 1
        self.widths = set()
        self.buffers = set()

    def other(self):
        return "b" if self.values == "a" else "a"

    def padded(self, n):
        """n rounded up to whole vectors."""
        lanes = 32 // self.source.itemsize
        if n <= lanes // 2:
            return n if n < 2 else lanes // 2
        return -(-n // lanes) * lanes

    def loop(self, n, statement, first=0):
        self.lines += [f"for (j = {first}; j < {n}; ++j)", f"    {statement}"]

    def own(self):
        """The values in a buffer, not in x."""
        if self.values == "x":
            self.loop(self.n, "a[j] = x[j];")
            self.values = "a"
            self.buffers.add("a")
            self.room = max(self.room, self.padded(self.n))

    def dense(self, k, layer, int8):
        source = self.source
        n_in, n = layer.weights.shape
        target = self.other()
        self.buffers.add(target)
        self.room = max(self.room, self.padded(n))
        parts = blocks(n, source.itemsize)
        if int8:
            scales = rounded(np.max(np.abs(layer.weights), axis=0) / 127, source.dtype)
            scales[scales == 0] = 1.0
            whole = np.clip(np.rint(layer.weights / scales), -127, 127)
            # the network that is compared has these weights
            layer.weights[...] = scales * whole
            weights = whole.astype(np.int8)
            source.array(f"scales{k}", scales)
        else:
            weights = layer.weights
        source.array(
            f"weights{k}",
            np.concatenate([weights[:, first : first + w].ravel() for first, w in parts]),
            "int8_t" if int8 else "real",
        )
        if layer.biases is not None:
            source.array(f"biases{k}", layer.biases)
        for first, width in parts:
            if width not in self.widths:
                self.widths.add(width)
                source.add(columns(width, int8, source.itemsize))
            scale = f"@scales{k} + {first}, " if int8 else ""
            bias = "0" if layer.biases is None else f"@biases{k} + {first}"
            self.lines.append(
                f"@columns_{width}({n_in}, {self.values}, @weights{k} + {n_in * first}, "
                f"{scale}{bias}, {target} + {first});"
            )
        self.values, self.n = target, n

    def layer_norm(self, k, layer):
        self.own()
        self.source.use("layer_norm")
        self.source.array(f"gains{k}", layer.gains)
        self.source.array(f"biases{k}", layer.biases)
        self.lines.append(
            f"@layer_norm({self.n}, @gains{k}, @biases{k}, {layer.epsilon!r}, {self.values});"
        )

    def activation(self, activation, n, last):
        """Apply it to n values; what comes last goes to y where no padding does."""
        if activation == "identity":
            return
        f = function_of(activation)
        self.source.use(f)
        v = self.values
        if activation == "softmax":
            self.lines.append(f"@softmax({n}, {v});")
            return
        count = n
        if activation in LONG:
            count = self.padded(n)
            if count > n:
                self.loop(count, f"{v}[j] = #[0.0];", n)
        if last and count == n and v != "x":
            self.values = "y"
        elif activation == "sin":
            self.values = self.other()
            self.buffers.add(self.values)
        self.loop(count, f"{self.values}[j] = @{f}({v}[j]);")
        if activation == "sin":
            self.source.use("large_sin", "abs")
            self.lines += [
                f"for (j = 0; j < {n}; ++j)",
                f"    if (@abs({v}[j]) > SIN_LIMIT)",
                f"        {self.values}[j] = @large_sin({v}[j]);",
            ]

    def predict(self, n_inputs, n_outputs):
        """The function, of all that was written."""
        if self.values != "y":
            self.own()
            self.loop(n_outputs, f"y[j] = {self.values}[j];")
        text = "\n    ".join(self.lines)
        declared = ", ".join(f"{b}[{self.room}] @ALIGNED" for b in sorted(self.buffers))
        self.source.add(
            f"\nvoid @predict(const real *x, real *y)\n{{\n    real {declared};\n    size_t j;\n"
            f"    {text}\n}}\n"
        )
