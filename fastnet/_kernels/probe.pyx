"""Every kernel of every table, callable from Python: for the tests and the benchmarks only.

Arrays are copied into buffers with the alignment and slack that kernels expect, at an offset of
``misalign`` elements from an aligned address, so that a test reaches exactly what the table holds.
"""

import importlib

import numpy as np

cimport numpy as cnp
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdlib cimport calloc, free
from libc.stdint cimport int32_t, uint64_t, uintptr_t
from libc.string cimport memset

from fastnet._kernels import dispatch
from fastnet._kernels.dispatch cimport floating_point_mode, monotonic_seconds
from fastnet._kernels.table cimport *

cnp.import_array()

ACTIVATIONS = {
    "identity": IDENTITY, "relu": RELU, "leaky_relu": LEAKY_RELU, "elu": ELU, "sigmoid": SIGMOID,
    "steep_sigmoid": STEEP_SIGMOID, "tanh": TANH, "softplus": SOFTPLUS, "gelu": GELU, "sin": SIN,
    "gaussian": GAUSSIAN, "softmax": SOFTMAX, "selu": SELU, "silu": SILU, "mish": MISH,
    "softsign": SOFTSIGN, "elliot": ELLIOT, "hard_tanh": HARD_TANH, "hard_sigmoid": HARD_SIGMOID,
    "abs": ABS, "square": SQUARE, "cube": CUBE, "exp": EXP, "step": STEP, "inverse": INVERSE,
    "log": LOG,
}
LOSSES = {
    "squared_error": SQUARED_ERROR, "half_squared_error": HALF_SQUARED_ERROR,
    "cross_entropy": CROSS_ENTROPY, "binary_cross_entropy": BINARY_CROSS_ENTROPY,
    "kl_divergence": KL_DIVERGENCE, "absolute_error": ABSOLUTE_ERROR, "huber": HUBER,
    "log_cosh": LOG_COSH, "poisson": POISSON, "hinge": HINGE, "quantile": QUANTILE,
}
cdef enum:
    GUARD = 32          # sentinel elements behind each output

    GUARD_BYTE = 0xA5

# A value that no kernel computes by accident
SENTINEL = 12345.678


cdef void *address(array):
    return cnp.PyArray_DATA(<cnp.ndarray> array)


cdef Monitor no_monitor() noexcept:
    cdef Monitor monitor
    monitor.poll = NULL
    monitor.context = NULL
    monitor.operations = 0
    monitor.user_mode = floating_point_mode()
    return monitor


cdef class PlanOf:
    """The plan of a network given as a list of (weights, biases or None, activation)."""

    cdef Plan plan
    cdef object parameters

    def __cinit__(self, layers):
        cdef Layer *layer
        parts = []
        n = 0
        self.plan.layers = <Layer *> calloc(len(layers), sizeof(Layer))
        self.plan.n_layers = len(layers)
        units = 0
        self.plan.n_inputs = self.plan.widest = layers[0][0].shape[0]
        for i, (weights, biases, activation) in enumerate(layers):
            layer = &self.plan.layers[i]
            layer.n_inputs, layer.n_outputs = weights.shape
            layer.units_before = units
            units += layer.n_outputs
            layer.activation = ACTIVATIONS[activation]
            layer.weights = n
            layer.biases = -1
            parts.append(np.ravel(weights))
            n += weights.size
            if biases is not None:
                layer.biases = n
                parts.append(biases)
                n += biases.size
            self.plan.n_outputs = layer.n_outputs
            self.plan.widest = max(self.plan.widest, layer.n_outputs)
        self.plan.n_parameters = n
        self.parameters = np.concatenate(parts)

    def __dealloc__(self):
        free(self.plan.layers)


cdef class Table:
    """The kernels of one instruction set and precision."""

    def __init__(self, isa, dtype, misalign=0):
        module = importlib.import_module(f"fastnet._kernels.{isa}_{dtype}")
        self.k = <const Kernels *> PyCapsule_GetPointer(module.table, "fastnet._kernels.Kernels")
        self.isa = self.k.isa.decode()
        self.dtype = np.dtype(self.k.dtype.decode())
        self.misalign = misalign

    @property
    def vector_length(self):
        return self.k.vector_length

    def entries(self):
        """Addresses of the functions of the table, in the order of table.pxd; 0 where none is."""
        cdef uintptr_t *first = <uintptr_t *> &self.k.matmul
        cdef Py_ssize_t n_bytes = <char *> self.k + sizeof(Kernels) - <char *> first
        return [first[i] for i in range(n_bytes // sizeof(uintptr_t))]

    def buffer(self, n, dtype=None):
        """A zeroed 1-D array of n elements with alignment, ``misalign`` and slack."""
        dtype = self.dtype if dtype is None else np.dtype(dtype)
        raw = np.zeros(n * dtype.itemsize + ALIGNMENT + 2 * SLACK_BYTES, np.uint8)
        first = -raw.ctypes.data % ALIGNMENT + self.misalign * dtype.itemsize
        return raw[first:first + n * dtype.itemsize].view(dtype)

    def copy(self, array, dtype=None):
        """The array in such a buffer, C order."""
        array = np.asarray(array)
        out = self.buffer(array.size, dtype).reshape(array.shape)
        out[...] = array
        return out

    def place(self, n, fill, dtype=None):
        """An array full of ``fill`` and the index in it where n elements may lie.

        Slack and a guard follow them.
        """
        dtype = self.dtype if dtype is None else np.dtype(dtype)
        pad = ALIGNMENT // dtype.itemsize
        slack = SLACK_BYTES // dtype.itemsize
        raw = np.full(n + 2 * pad + self.misalign + slack + GUARD, fill, dtype)
        return raw, pad + self.misalign + -raw.ctypes.data % ALIGNMENT // dtype.itemsize

    def given(self, array):
        """A copy with NaN before and behind: a kernel may read slack, but no result may show it."""
        array = np.asarray(array)
        raw, first = self.place(array.size, np.nan)
        out = raw[first:first + array.size].reshape(array.shape)
        out[...] = array
        return out

    def matmul_scratch(self, n_rows, n_inputs, n_outputs):
        return self.k.matmul_scratch(n_rows, n_inputs, n_outputs)

    def scratch(self, n_rows, n_inputs, n_outputs):
        """Scratch of exactly the size the kernels ask for, between guards.

        Returns (array, index of the first byte, size).
        """
        n = self.k.matmul_scratch(n_rows, n_inputs, n_outputs)
        assert n >= 0
        raw = np.full(n + 3 * ALIGNMENT, GUARD_BYTE, np.uint8)
        return raw, ALIGNMENT + -raw.ctypes.data % ALIGNMENT, n

    def check_scratch(self, scratch, name):
        raw, first, n = scratch
        assert (raw[:first] == GUARD_BYTE).all() and (raw[first + n:] == GUARD_BYTE).all(), \
            f"{name} wrote beside its scratch"

    def take(self, raw, first, shape, slack, name):
        """The result at ``first``, after the check that nothing else but its slack was written."""
        n = int(np.prod(shape))
        behind = first + n + (SLACK_BYTES // raw.itemsize if slack else 0)
        sentinel = raw.dtype.type(SENTINEL)
        assert (raw[:first] == sentinel).all(), f"{name} wrote before the start"
        assert (raw[behind:] == sentinel).all(), f"{name} wrote past the end"
        return raw[first:first + n].reshape(shape).copy()

    def matmul(self, x, w, b, activation="identity"):
        """f(x w + b)"""
        cdef Py_ssize_t n_rows = x.shape[0], n_inputs = w.shape[0], n_outputs = w.shape[1]
        x, w, b = self.given(x), self.given(w), None if b is None else self.given(b)
        raw, first = self.place(n_rows * n_outputs, SENTINEL)
        scratch = self.scratch(n_rows, n_inputs, n_outputs)
        self.k.matmul(n_rows, n_inputs, n_outputs, address(x), address(w),
                      NULL if b is None else address(b), ACTIVATIONS[activation],
                      address(raw[first:]), address(scratch[0][scratch[1]:]))
        self.check_scratch(scratch, "matmul")
        return self.take(raw, first, (n_rows, n_outputs), False, "matmul")

    def gradient_weights(self, x, d, out=None):
        """x^T d, added to out where it is given"""
        cdef Py_ssize_t n_rows = x.shape[0], n_inputs = x.shape[1], n_outputs = d.shape[1]
        x, d = self.given(x), self.given(d)
        raw, first = self.place(n_inputs * n_outputs, SENTINEL)
        if out is not None:
            raw[first:first + n_inputs * n_outputs] = np.ravel(out)
        scratch = self.scratch(n_rows, n_inputs, n_outputs)
        self.k.gradient_weights(n_rows, n_inputs, n_outputs, address(x), address(d),
                                out is not None, address(raw[first:]),
                                address(scratch[0][scratch[1]:]))
        self.check_scratch(scratch, "gradient_weights")
        return self.take(raw, first, (n_inputs, n_outputs), False, "gradient_weights")

    def gradient_inputs(self, d, w):
        """d w^T"""
        cdef Py_ssize_t n_rows = d.shape[0], n_inputs = w.shape[0], n_outputs = w.shape[1]
        d, w = self.given(d), self.given(w)
        raw, first = self.place(n_rows * n_inputs, SENTINEL)
        scratch = self.scratch(n_rows, n_inputs, n_outputs)
        self.k.gradient_inputs(n_rows, n_inputs, n_outputs, address(d), address(w),
                               address(raw[first:]), address(scratch[0][scratch[1]:]))
        self.check_scratch(scratch, "gradient_inputs")
        return self.take(raw, first, (n_rows, n_inputs), True, "gradient_inputs")

    def matvec(self, x, w, b, activation="identity"):
        """f(x w + b) of one row"""
        cdef Py_ssize_t n_inputs = w.shape[0], n_outputs = w.shape[1]
        x, w, b = self.given(x), self.given(w), None if b is None else self.given(b)
        raw, first = self.place(n_outputs, SENTINEL)
        self.k.matvec(n_inputs, n_outputs, address(x), address(w),
                      NULL if b is None else address(b), ACTIVATIONS[activation],
                      address(raw[first:]))
        return self.take(raw, first, (n_outputs,), True, "matvec")

    def activate(self, activation, z, in_place=False):
        a = self.guarded(z if in_place else np.full(np.shape(z), np.nan))
        x = a if in_place else self.copy(z)
        self.k.activate(ACTIVATIONS[activation], np.size(z), address(x), address(a))
        return self.checked(a, np.shape(z))

    def exp(self, x):
        x = self.copy(x)
        y = self.guarded(np.full(x.shape, np.nan))
        self.k.exp(x.size, address(x), address(y))
        return self.checked(y, x.shape)

    def log(self, x):
        x = self.copy(x)
        y = self.guarded(np.full(x.shape, np.nan))
        self.k.log(x.size, address(x), address(y))
        return self.checked(y, x.shape)

    def multiply_derivative(self, activation, z, a, d):
        """d f'(z); z may be None where the derivative needs only the output a"""
        z, a = None if z is None else self.copy(z), self.copy(a)
        out = self.guarded(d)
        self.k.multiply_derivative(
            ACTIVATIONS[activation], a.size, NULL if z is None else address(z), address(a),
            address(out))
        return self.checked(out, a.shape)

    def softmax(self, z, in_place=False):
        a = self.guarded(z if in_place else np.full(np.shape(z), np.nan))
        x = a if in_place else self.copy(z)
        self.k.softmax(np.shape(z)[0], np.shape(z)[1], address(x), address(a))
        return self.checked(a, np.shape(z))

    def softmax_backward(self, a, d):
        a, out = self.copy(a), self.guarded(d)
        self.k.softmax_backward(a.shape[0], a.shape[1], address(a), address(out))
        return self.checked(out, a.shape)

    def guarded(self, array, dtype=None):
        """The array flat in such a buffer, with GUARD sentinels behind it."""
        array = np.asarray(array)
        out = self.buffer(array.size + GUARD, dtype)
        out[:array.size] = array.ravel()
        out[array.size:] = SENTINEL
        return out

    def checked(self, buffer, shape):
        """What a kernel left in a guarded buffer, after a look at the guard."""
        n = buffer.size - GUARD
        assert (buffer[n:] == buffer.dtype.type(SENTINEL)).all(), "written past the end"
        return np.array(buffer[:n]).reshape(shape)

    def loss(self, kind, predictions, targets=None, z=None, labels=None, weights=None, scale=1.0,
             row_loss=True, gradient=True, parameter=0.0):
        """(value, row_loss or None, d or None)."""
        cdef Rows rows
        p = self.copy(predictions)
        z = self.copy(p if z is None else z)
        n_rows, n = p.shape
        memset(&rows, 0, sizeof(rows))
        rows.n_rows = n_rows
        if targets is not None:
            targets = self.copy(targets)
            rows.targets = address(targets)
        if labels is not None:
            labels = np.ascontiguousarray(labels, np.int32)
            rows.labels = <const int32_t *> address(labels)
        if weights is not None:
            weights = self.copy(weights)
            rows.weights = address(weights)
        losses = self.guarded(np.full(n_rows, np.nan))
        d = self.guarded(np.full((n_rows, n), np.nan))
        value = self.k.loss(
            LOSSES[kind], parameter, n, &rows, address(z), address(p), scale,
            address(losses) if row_loss else NULL, address(d) if gradient else NULL)
        return (value, self.checked(losses, n_rows) if row_loss else None,
                self.checked(d, (n_rows, n)) if gradient else None)

    def gather(self, source, order):
        source, order = self.copy(source), np.ascontiguousarray(order, np.int32)
        shape = (order.size, source.shape[1])
        out = self.guarded(np.zeros(shape))
        self.k.gather(
            shape[0], shape[1], address(source), <const int32_t *> address(order), address(out))
        return self.checked(out, shape)

    def column_sums(self, x, sums=None):
        """With ``sums`` they are added to."""
        x = self.copy(x)
        out = self.guarded(np.full(x.shape[1], np.nan) if sums is None else sums)
        self.k.column_sums(x.shape[0], x.shape[1], address(x), sums is not None, address(out))
        return self.checked(out, x.shape[1])

    def sum(self, x):
        x = self.copy(x)
        return self.k.sum(x.size, address(x))

    def dot(self, x, y):
        x, y = self.copy(x), self.copy(y)
        return self.k.dot(x.size, address(x), address(y))

    def first_nonfinite(self, x):
        x = self.copy(x)
        return self.k.first_nonfinite(x.size, address(x))

    def scale(self, factor, x):
        out = self.guarded(x)
        self.k.scale(np.size(x), factor, address(out))
        return self.checked(out, np.shape(x))

    def sgd(self, parameters, gradient, learning_rate, weight_decay=0.0):
        p, g = self.guarded(parameters), self.copy(gradient)
        self.k.sgd(g.size, address(p), address(g), learning_rate, weight_decay)
        return self.checked(p, g.shape)

    def momentum(self, parameters, gradient, velocity, learning_rate, momentum, nesterov=False,
                 weight_decay=0.0):
        """(parameters, velocity) after the step."""
        p, g, v = self.guarded(parameters), self.copy(gradient), self.guarded(velocity)
        self.k.momentum(g.size, address(p), address(g), address(v), learning_rate, momentum,
                        nesterov, weight_decay)
        return self.checked(p, g.shape), self.checked(v, g.shape)

    def adam(self, parameters, gradient, m, v, step, learning_rate, beta1, beta2, epsilon,
             weight_decay=0.0):
        """(parameters, m, v) after the step."""
        p, g = self.guarded(parameters), self.copy(gradient)
        m, v = self.guarded(m), self.guarded(v)
        self.k.adam(g.size, address(p), address(g), address(m), address(v), step, learning_rate,
                    beta1, beta2, epsilon, weight_decay)
        return self.checked(p, g.shape), self.checked(m, g.shape), self.checked(v, g.shape)

    def layer_norm(self, x, gains, biases, epsilon, in_place=False):
        x, gains, biases = self.copy(x), self.copy(gains), self.copy(biases)
        z = self.guarded(x)
        n_rows, n = x.shape
        self.k.layer_norm(n_rows, n, address(z) if in_place else address(x), address(gains),
                          address(biases), epsilon, address(z))
        return self.checked(z, (n_rows, n))

    def layer_norm_backward(self, x, gains, epsilon, d, d_gains=None):
        """(d_gains, d_x); d_gains given: accumulated into."""
        x, gains, d = self.copy(x), self.copy(gains), self.copy(d)
        n_rows, n = x.shape
        sums = self.guarded(np.full(n, np.nan) if d_gains is None else d_gains)
        d_x = self.guarded(np.full((n_rows, n), np.nan))
        self.k.layer_norm_backward(n_rows, n, address(x), address(gains), epsilon, address(d),
                                   d_gains is not None, address(sums), address(d_x))
        return self.checked(sums, n), self.checked(d_x, (n_rows, n))

    def dropout_mask(self, rate, seed, stream, first, n):
        mask = self.guarded(np.full(n, np.nan))
        self.k.dropout_mask(rate, seed, stream, first, n, address(mask))
        return self.checked(mask, n)

    def penalty(self, w, l1, l2, d=None):
        """(value, d + its gradient)"""
        w = self.copy(w)
        d = self.guarded(np.zeros(w.shape) if d is None else d)
        value = self.k.penalty(w.size, address(w), l1, l2, address(d))
        return value, self.checked(d, w.shape)

    def multiply(self, x, y):
        x, y = self.copy(x), self.guarded(y)
        self.k.multiply(x.size, address(x), address(y))
        return self.checked(y, x.shape)

    def add(self, factor, x, y):
        x, y = self.copy(x), self.guarded(y)
        self.k.add(x.size, factor, address(x), address(y))
        return self.checked(y, x.shape)

    def rmsprop(self, parameters, gradient, square, mean, velocity, learning_rate, rho, momentum,
                epsilon, weight_decay=0.0):
        """(parameters, square, mean, velocity) after the step; mean and velocity may be None."""
        g = self.copy(gradient)
        p, s = self.guarded(parameters), self.guarded(square)
        c = None if mean is None else self.guarded(mean)
        v = None if velocity is None else self.guarded(velocity)
        self.k.rmsprop(g.size, address(p), address(g), address(s),
                       NULL if c is None else address(c), NULL if v is None else address(v),
                       learning_rate, rho, momentum, epsilon, weight_decay)
        return (self.checked(p, g.shape), self.checked(s, g.shape),
                None if c is None else self.checked(c, g.shape),
                None if v is None else self.checked(v, g.shape))

    def adagrad(self, parameters, gradient, squares, learning_rate, epsilon, weight_decay=0.0):
        """(parameters, squares) after the step."""
        p, g, s = self.guarded(parameters), self.copy(gradient), self.guarded(squares)
        self.k.adagrad(g.size, address(p), address(g), address(s), learning_rate, epsilon,
                       weight_decay)
        return self.checked(p, g.shape), self.checked(s, g.shape)

    def rprop(self, parameters, gradient, signs, lengths, grow, shrink, least, most):
        """(parameters, signs, lengths) after the step."""
        p, g = self.guarded(parameters), self.copy(gradient)
        s, l = self.guarded(signs), self.guarded(lengths)
        self.k.rprop(g.size, address(p), address(g), address(s), address(l), grow, shrink, least,
                     most)
        return self.checked(p, g.shape), self.checked(s, g.shape), self.checked(l, g.shape)

    def clamp(self, limit, x):
        out = self.guarded(x)
        self.k.clamp(np.size(x), limit, address(out))
        return self.checked(out, np.shape(x))

    def random_bits(self, seed, stream, first, n):
        out = self.guarded(np.zeros(n), np.uint64)
        self.k.random_bits(seed, stream, first, n, <uint64_t *> address(out))
        return self.checked(out, n)

    def uniform(self, seed, stream, first, n):
        out = self.guarded(np.zeros(n))
        self.k.uniform(seed, stream, first, n, address(out))
        return self.checked(out, n)

    def normal(self, seed, stream, first, n):
        out = self.guarded(np.zeros(n))
        self.k.normal(seed, stream, first, n, address(out))
        return self.checked(out, n)

    def permutation(self, seed, stream, n):
        out = self.guarded(np.zeros(n), np.int32)
        self.k.permutation(seed, stream, n, <int32_t *> address(out))
        return self.checked(out, n)

    # ---- dense networks, given as a list of (weights, biases or None, name of the activation)

    def rows_at_once(self, layers):
        cdef PlanOf plan = PlanOf(layers)
        return self.k.rows_at_once(&plan.plan)

    def workspace(self, n_bytes):
        """Scratch of exactly n_bytes between guards, see check_scratch."""
        assert n_bytes >= 0
        raw = np.full(n_bytes + 3 * ALIGNMENT + SLACK_BYTES, GUARD_BYTE, np.uint8)
        return raw, ALIGNMENT + -raw.ctypes.data % ALIGNMENT, n_bytes

    def forward_scratch(self, layers, n_rows):
        cdef PlanOf plan = PlanOf(layers)
        return self.k.forward_scratch(&plan.plan, n_rows)

    def gradient_scratch(self, layers, n_rows):
        cdef PlanOf plan = PlanOf(layers)
        return self.k.gradient_scratch(&plan.plan, n_rows)

    def jacobian_scratch(self, layers):
        cdef PlanOf plan = PlanOf(layers)
        return self.k.jacobian_scratch(&plan.plan)

    def forward(self, layers, x):
        cdef PlanOf plan = PlanOf(layers)
        cdef Monitor monitor = no_monitor()
        n_rows, n_outputs = x.shape[0], plan.plan.n_outputs
        parameters, x = self.given(plan.parameters), self.given(x)
        raw, first = self.place(n_rows * n_outputs, SENTINEL)
        scratch = self.workspace(self.k.forward_scratch(&plan.plan, n_rows))
        status = self.k.forward(&plan.plan, address(parameters), n_rows, address(x),
                                address(raw[first:]), address(scratch[0][scratch[1]:]), &monitor)
        assert status == OK
        self.check_scratch(scratch, "forward")
        return self.take(raw, first, (n_rows, n_outputs), False, "forward")

    def loss_gradient(self, layers, x, kind, targets=None, labels=None, weights=None, scale=1.0,
                      gradient=True, parameter=0.0):
        """(value, flat gradient or None) of scale sum_i w_i L_i"""
        cdef PlanOf plan = PlanOf(layers)
        cdef Monitor monitor = no_monitor()
        cdef Rows rows
        cdef Loss loss
        cdef double value = SENTINEL
        n_rows = x.shape[0]
        parameters, x = self.given(plan.parameters), self.given(x)
        memset(&rows, 0, sizeof(rows))
        rows.n_rows = n_rows
        rows.x = address(x)
        if targets is not None:
            targets = self.given(targets)
            rows.targets = address(targets)
        if labels is not None:
            labels = np.ascontiguousarray(labels, np.int32)
            rows.labels = <const int32_t *> address(labels)
        if weights is not None:
            weights = self.given(weights)
            rows.weights = address(weights)
        loss.kind = LOSSES[kind]
        loss.parameter = parameter
        loss.context = NULL
        loss.hook = NULL
        raw, first = self.place(plan.plan.n_parameters, SENTINEL)
        scratch = self.workspace(self.k.gradient_scratch(&plan.plan, n_rows))
        status = self.k.loss_gradient(
            &plan.plan, address(parameters), &loss, &rows, scale, &value,
            address(raw[first:]) if gradient else NULL, address(scratch[0][scratch[1]:]), &monitor)
        assert status == OK
        self.check_scratch(scratch, "loss_gradient")
        result = self.take(raw, first, (plan.plan.n_parameters,), True, "loss_gradient")
        return value, result if gradient else None

    def jacobian(self, layers, x):
        """(d outputs / d parameters, d outputs / d inputs) at one row x"""
        cdef PlanOf plan = PlanOf(layers)
        cdef Monitor monitor = no_monitor()
        n_outputs = plan.plan.n_outputs
        by_parameters, by_inputs = (n_outputs, plan.plan.n_parameters), (n_outputs, x.shape[0])
        parameters, x = self.given(plan.parameters), self.given(x)
        raw, first = self.place(int(np.prod(by_parameters)), SENTINEL)
        raw_inputs, first_inputs = self.place(int(np.prod(by_inputs)), SENTINEL)
        scratch = self.workspace(self.k.jacobian_scratch(&plan.plan))
        status = self.k.jacobian(
            &plan.plan, address(parameters), address(x), address(raw[first:]),
            address(raw_inputs[first_inputs:]), address(scratch[0][scratch[1]:]), &monitor)
        assert status == OK
        self.check_scratch(scratch, "jacobian")
        return (self.take(raw, first, by_parameters, False, "jacobian by parameters"),
                self.take(raw_inputs, first_inputs, by_inputs, False, "jacobian by inputs"))

    def fma_chain(self, repeats, factor=0.5):
        """(floating-point operations done, sum of all chains)."""
        cdef double sink = factor
        cdef double operations = self.k.fma_chain(repeats, &sink)
        return operations, sink


def fma_peak(isa=None, dtype="float32", seconds=2e-3):
    """Rate of independent multiply-adds on one core, in GFLOP/s, over about ``seconds``.

    ``isa``: an instruction set that this processor supports, by default the chosen one.
    """
    cdef Table table = Table(dispatch.chosen if isa is None else isa, dtype)
    cdef double sink, start, operations = 0.0, elapsed = 0.0, wanted = seconds
    cdef Py_ssize_t repeats = 2000
    # The first, short chain wakes the vector units and tells how many repeats fill the time.
    for _ in range(2):
        sink = 0.5
        start = monotonic_seconds()
        operations = table.k.fma_chain(repeats, &sink)
        elapsed = max(monotonic_seconds() - start, 1e-7)
        repeats = max(2000, <Py_ssize_t> (repeats * wanted / elapsed))
    return operations / elapsed * 1e-9
