"""Dense networks: the public class, on top of `fastnet.nn.dense`."""

import copy

import numpy as np

cimport cython
cimport numpy as cnp
from libc.stdint cimport uintptr_t
from libc.string cimport memcpy

from fastnet.nn.initializers import initialize
from fastnet.nn.layers import Dense, LayerNorm, describe, n_parameters_of, view_of
from fastnet.random import RandomStream

from fastnet._arrays cimport (
    convert, is_plain, itemsize_of, matrix, real_array
)
from fastnet._header cimport NetHandle
from fastnet._kernels.table cimport OK, Monitor
from fastnet._workspace cimport Memory, Workspace, acquire, new_memory, release
from fastnet.activations cimport Activation
from fastnet.nn.dense cimport DenseModel
from fastnet.nn.handle cimport fill_handle
from fastnet.training.gradient cimport loss_and_gradient
from fastnet.training.model cimport Watch, raise_stopped, watch

cnp.import_array()

cdef class Network(DenseModel):
    """A dense feed-forward network.

    Parameters
    ----------
    sizes : list of int
        Units of each layer, inputs first; or, with ``layers=``, the number of inputs.
    layers : list of fastnet.Dense, fastnet.Dropout, fastnet.LayerNorm, optional
        The layers one by one, instead of sizes.
    hidden, output : str or fastnet.Activation
        Activation of the hidden layers (or a list, one each) and of the output layer.
    bias : bool
        Whether layers have biases.
    init : str or callable
        Initial weights, see `fastnet.nn.initializers`; biases begin at 0.
    dtype : "float32" or "float64"
        Precision of parameters and of everything computed.
    seed : int or None
        The same seed gives the same initial parameters.

    Attributes
    ----------
    parameters : ndarray (n_parameters,)
        Writable: layer by layer, weights (n_in, n_out) row-major, then biases (n_out,).
    layers : tuple
        Views of the parameters: ``.weights``, ``.biases``, ``.activation``; of a LayerNorm
        ``.gains``, ``.biases``, of a Dropout ``.rate``.
    n_inputs, n_outputs, n_parameters : int
    dtype : numpy.dtype
    history : fastnet.History or None
        Of the last `fit`.

    Examples
    --------
    >>> import numpy as np, fastnet as fn
    >>> net = fn.Network([2, 8, 1], hidden="tanh", seed=0)
    >>> net(np.zeros(2)).shape, net(np.zeros((5, 2))).shape
    ((1,), (5, 1))
    """

    def __init__(self, sizes, layers=None, *, hidden="relu", output="identity", bias=True,
                 init="auto", dtype="float32", seed=None):
        inputs, described = describe(sizes, layers, hidden, output, bias, init)
        self._build(inputs, described, dtype)
        self.reinitialize(seed)

    @classmethod
    def from_arrays(cls, layers, dtype=None):
        """A network of given weights.

        Parameters
        ----------
        layers : list of (weights, biases or None, activation)
            weights (n_in, n_out), biases (n_out,); copied.
        dtype : optional
            By default float32 where every array is float32, else float64.
        """
        try:
            layers = list(layers)
        except TypeError:
            raise TypeError(
                "layers must be a list of (weights, biases or None, activation), "
                f"got {type(layers).__name__}"
            ) from None
        if not layers:
            raise ValueError("layers must hold at least one (weights, biases, activation)")
        arrays = []
        for k, layer in enumerate(layers):
            try:
                weights, biases, activation = layer
            except (TypeError, ValueError):
                raise ValueError(
                    f"layers[{k}] must be (weights, biases or None, activation)") from None
            weights = real_array(weights, f"layers[{k}]: weights")
            if weights.ndim != 2 or 0 in weights.shape:
                raise ValueError(
                    f"layers[{k}]: weights must have shape (n_in, n_out), both at least 1, "
                    f"got {weights.shape}"
                )
            if k and weights.shape[0] != arrays[-1][0].shape[1]:
                raise ValueError(
                    f"layers[{k}]: weights of shape {weights.shape} do not follow "
                    f"weights of shape {arrays[-1][0].shape}"
                )
            if biases is not None:
                biases = real_array(biases, f"layers[{k}]: biases")
                if biases.shape != weights.shape[1:]:
                    raise ValueError(
                        f"layers[{k}]: biases must have shape {weights.shape[1:]}, "
                        f"got {biases.shape}"
                    )
            arrays.append((weights, biases, activation))
        if dtype is None:
            given = [a for layer in arrays for a in layer[:2] if a is not None]
            dtype = "float32" if all(a.dtype == np.float32 for a in given) else "float64"
        specs = [Dense(w.shape[1], f, b is not None) for w, b, f in arrays]
        cdef Network net = cls._of_layers(arrays[0][0].shape[0], specs, dtype)
        for k, (weights, biases, _) in enumerate(arrays):
            net.layers[k].weights[...] = convert(weights, f"layers[{k}]: weights", net.typenum)
            if biases is not None:
                net.layers[k].biases[...] = convert(biases, f"layers[{k}]: biases", net.typenum)
        return net

    def reinitialize(self, seed=None):
        """New initial parameters; the same seed gives the same ones."""
        fresh = np.zeros(self.n_parameters, self.dtype)
        first = 0
        for k, layer in enumerate(self.layers):
            n = n_parameters_of(layer.spec, layer.n_inputs)
            view = view_of(layer.spec, layer.n_inputs, fresh[first:first + n])
            if isinstance(layer.spec, Dense):
                rng = RandomStream(seed, stream=k) if seed is not None else RandomStream()
                view.weights[...] = initialize(
                    layer.spec.init, layer.activation, layer.n_inputs, layer.n_outputs, rng)
            elif isinstance(layer.spec, LayerNorm):
                view.gains[...] = 1
            first += n
        self.parameters[:] = fresh

    # -- outputs -------------------------------------------------------------------------------

    def __call__(self, X):
        """Outputs for one row (n_inputs,) -> (n_outputs,) or many (n_rows, n_inputs).

        NaN and infinity propagate.  The dtype of the result is that of the network.
        """
        cdef cnp.npy_intp n
        cdef cnp.ndarray out
        if is_plain(X, self.n_inputs, self.typenum):
            n = self.n_outputs
            out = cnp.PyArray_SimpleNew(1, &n, self.typenum)
            self.one_row(cnp.PyArray_DATA(<cnp.ndarray> X), cnp.PyArray_DATA(out))
            return out
        return self.many_rows(X, None, 1)

    def predict(self, X, out=None, n_threads=1):
        """The same as calling the network, with a buffer for the result.

        Parameters
        ----------
        X : array-like (n_inputs,) or (n_rows, n_inputs)
        out : ndarray, optional
            To fill and return: shape of the result, dtype of the network, C-contiguous.
        n_threads : int
            For many rows: how many threads work; the result is the same, bit for bit.

        Raises
        ------
        ValueError, TypeError
            X or out has the wrong shape, dtype or layout.
        """
        if (
            out is not None
            and is_plain(X, self.n_inputs, self.typenum)
            and is_plain(out, self.n_outputs, self.typenum)
            and cnp.PyArray_ISWRITEABLE(<cnp.ndarray> out)
            and cnp.PyArray_DATA(<cnp.ndarray> out) != cnp.PyArray_DATA(<cnp.ndarray> X)
        ):
            self.one_row(cnp.PyArray_DATA(<cnp.ndarray> X), cnp.PyArray_DATA(<cnp.ndarray> out))
            return out
        return self.many_rows(X, out, n_threads)

    def predict_population(self, P, X):
        """Outputs of many networks of this shape.

        Parameters
        ----------
        P : array-like (n_networks, n_parameters)
            One flat vector of parameters a row; those of this network do not matter.
        X : array-like (n_rows, n_inputs)

        Returns
        -------
        ndarray (n_networks, n_rows, n_outputs)
        """
        self.check_built()
        cdef cnp.ndarray p = matrix(P, "P", self.n_parameters, self.typenum)
        cdef cnp.ndarray x = matrix(X, "X", self.n_inputs, self.typenum)
        cdef Py_ssize_t n_networks = cnp.PyArray_DIM(p, 0), n_rows = cnp.PyArray_DIM(x, 0), k
        cdef Py_ssize_t itemsize = itemsize_of(self.typenum)
        cdef Py_ssize_t p_bytes = (self.n_parameters * itemsize + 319) // 64 * 64
        cdef cnp.ndarray y = np.empty((n_networks, n_rows, self.n_outputs), self.dtype)
        cdef const char *source = <const char *> cnp.PyArray_DATA(p)
        cdef const void *rows = cnp.PyArray_DATA(x)
        cdef char *target = <char *> cnp.PyArray_DATA(y)
        cdef Monitor monitor
        cdef Watch state
        cdef Workspace workspace
        cdef int status = OK
        if n_networks == 0 or n_rows == 0:
            return y
        workspace = acquire(self.workspace, p_bytes + self.forward_bytes(n_rows))
        watch(&monitor, &state)
        with nogil:
            for k in range(n_networks):
                # a copy, because kernels read whole vectors past the end of the parameters
                memcpy(workspace.data, source + k * self.n_parameters * itemsize,
                       self.n_parameters * itemsize)
                status = self.kernels.forward(
                    &self.plan, workspace.data, n_rows, rows,
                    target + k * n_rows * self.n_outputs * itemsize,
                    <char *> workspace.data + p_bytes, &monitor)
                if status != OK:
                    break
        release(workspace)
        if status != OK:
            raise_stopped()
        return y

    # -- gradients -----------------------------------------------------------------------------

    def loss_and_gradient(self, X, y, loss="auto", sample_weight=None, reduction="mean", out=None):
        """Loss over rows and its gradient by backpropagation (Rumelhart, Hinton, Williams 1986).

        Parameters
        ----------
        X : array-like (n_rows, n_inputs)
        y : array-like
            Targets (n_rows, n_outputs), for one output also (n_rows,), or labels (n_rows,).
        loss : str or fastnet.Loss
            "auto" is cross_entropy after softmax, binary_cross_entropy after one sigmoid output,
            else squared_error.
        sample_weight : array-like (n_rows,), optional
        reduction : "mean" or "sum"
            sum(w_i L_i) / sum(w_i), or sum(w_i L_i); L_i is summed over outputs.
        out : ndarray (n_parameters,), optional
            Buffer for the gradient.

        Returns
        -------
        value : float
        gradient : ndarray (n_parameters,), laid out as `parameters`
        """
        return loss_and_gradient(self, self.workspace, self.parameters, X, y, loss, sample_weight,
                                 reduction, out)

    def jacobian(self, X):
        """Derivatives of the outputs by the parameters.

        X (n_inputs,) gives (n_outputs, n_parameters); X (n_rows, n_inputs) gives
        (n_rows, n_outputs, n_parameters).
        """
        return self.jacobians(X, False)

    def input_jacobian(self, X):
        """Derivatives of the outputs by the inputs: (n_outputs, n_inputs), or with rows first."""
        return self.jacobians(X, True)

    def trace(self, x, y=None, loss="auto"):
        """Every quantity of the forward and the backward pass of one row.

        See `fastnet.nn.gradients.Trace` for the fields.
        """
        from fastnet.nn.gradients import trace
        return trace(self, x, y, loss)

    # -- training ------------------------------------------------------------------------------

    def fit(self, X, y, loss="auto", optimizer="adam", epochs=10, batch_size=32, shuffle=True,
            seed=None, sample_weight=None, class_weight=None, validation_data=None, metrics=(),
            early_stopping=None, callbacks=(), progress=False, n_threads=1, l1=0.0, l2=0.0):
        """Train by gradient descent on the mean loss over rows; see `fastnet.training.fit.fit`."""
        from fastnet.training.fit import fit
        return fit(self, X, y, loss, optimizer, epochs, batch_size, shuffle, seed, sample_weight,
                   class_weight, validation_data, metrics, early_stopping, callbacks, progress,
                   n_threads, l1, l2)

    def partial_fit(self, X, y, loss="auto", optimizer=None, batch_size=32, shuffle=True,
                    seed=None, sample_weight=None, class_weight=None, validation_data=None,
                    metrics=(), callbacks=(), progress=False, n_threads=1, l1=0.0, l2=0.0):
        """One pass over X; keeps the optimizer, with its state, of the first call."""
        from fastnet.training.fit import partial_fit
        return partial_fit(
            self, X, y, optimizer, loss=loss, batch_size=batch_size, shuffle=shuffle, seed=seed,
            sample_weight=sample_weight, class_weight=class_weight,
            validation_data=validation_data, metrics=metrics, callbacks=callbacks,
            progress=progress, n_threads=n_threads, l1=l1, l2=l2)

    def evaluate(self, X, y, loss="auto", metrics=()):
        """Mean loss and metrics over the rows, as a dict."""
        from fastnet.training.fit import evaluate
        return evaluate(self, X, y, loss, metrics)

    # -- from and for other libraries ----------------------------------------------------------

    @classmethod
    def from_torch(cls, module):
        """A network of a PyTorch module; see `fastnet.interop.torch.from_torch`."""
        from fastnet.interop.torch import from_torch
        return from_torch(cls, module)

    def to_torch(self):
        """A ``torch.nn.Sequential`` of this network; see `fastnet.interop.torch.to_torch`."""
        from fastnet.interop.torch import to_torch
        return to_torch(self)

    @classmethod
    def from_sklearn(cls, mlp):
        """A network of a fitted perceptron; see `fastnet.interop.sklearn.from_sklearn`."""
        from fastnet.interop.sklearn import from_sklearn
        return from_sklearn(cls, mlp)

    @classmethod
    def from_onnx(cls, model):
        """A network of an ONNX model, file or bytes; see `fastnet.interop.onnx.from_onnx`."""
        from fastnet.interop.onnx import from_onnx
        return from_onnx(cls, model)

    def to_onnx(self, path=None):
        """An ONNX model of the network, and to path; see `fastnet.interop.onnx.to_onnx`."""
        from fastnet.interop.onnx import to_onnx
        return to_onnx(self, path)

    def to_c(self, name="network", *, dtype=None, int8=False, X=None):
        """The network as C source without dependencies; see `fastnet.interop.c.network_to_c`."""
        from fastnet.interop.c import network_to_c
        return network_to_c(self, name, dtype=dtype, int8=int8, X=X)

    def save(self, path):
        """Write the network to a safetensors file, replacing what is there at once.

        The file has layers and parameters, not the initializers: a loaded network is
        reinitialized as with ``init="auto"``.
        """
        from fastnet.nn.files import save
        save(self, path)

    @property
    def _partial_optimizer(self):
        return self.partial_optimizer

    @_partial_optimizer.setter
    def _partial_optimizer(self, optimizer):
        self.partial_optimizer = optimizer

    # -- for other languages -------------------------------------------------------------------

    @property
    def ctypes(self):
        """For functions in C, ctypes, numba and whatever takes addresses.

        Returns
        -------
        fastnet.nn.interface.CInterface
            ``address``, an int: the ``fn_net *`` of ``fastnet.h``; functions of ctypes that return
            0 or an error, among them ``forward_f32(address, work, n_rows, x, y)`` and
            ``forward_f64`` for the other precision; and ``workspace(n_rows=1, gradient=False)``,
            whose ``address`` is that of scratch, for one thread at a time.  Network and workspace
            have to be kept as long as their addresses are used; later changes of the parameters are
            seen.

        Raises
        ------
        ValueError
            An activation is a function of Python, which C cannot call.

        Examples
        --------
        >>> import numpy as np, fastnet as fn
        >>> net = fn.Network([2, 8, 1], seed=0)
        >>> c, x, y = net.ctypes, np.ones(2, np.float32), np.empty(1, np.float32)
        >>> work = c.workspace()
        >>> c.forward_f32(c.address, work.address, 1, x.ctypes, y.ctypes)
        0
        >>> y == net(x)
        array([ True])
        """
        from fastnet.nn.interface import CInterface
        cdef Memory handle
        cdef bint has_gradient = True
        self.check_built()
        if self.is_custom:
            raise ValueError(
                "C functions cannot evaluate this network, because an activation is a function of "
                "Python: give that as a function in C"
            )
        with cython.critical_section(self):
            # made once: an address that another thread has got stays what it is
            if self.handle is None:
                for layer in self.layers:
                    if isinstance(layer.activation, Activation):
                        has_gradient &= (<Activation> layer.activation).c_derivative is not None
                handle = new_memory(sizeof(NetHandle))
                fill_handle(<void *> self, self.kernels, &self.plan, self.data, has_gradient,
                            <NetHandle *> handle.data)
                self.handle = handle
        return CInterface(<uintptr_t> self.handle.data, self)

    @property
    def capsule(self):
        """A PyCapsule ``"fn_net"`` of the same handle as that of `ctypes`; it keeps the network.

        Raises
        ------
        ValueError
            An activation is a function of Python, which C cannot call.
        """
        from fastnet._callbacks import capsule
        return capsule(self)

    def lowlevel(self, signature):
        """The network as a C function, for ``scipy.LowLevelCallable``.

        For another number of values than the network takes, it gives NaN, or where it returns an
        int 0, which SciPy reports as an error.

        Parameters
        ----------
        signature : str
            As SciPy spells it, here or with ``npy_intp`` for ``intptr_t``.
            ``scipy.integrate.quad`` and ``nquad``: ``double (double, void *)`` or
            ``double (int, double *, void *)``.
            ``scipy.ndimage.generic_filter``: ``int (double *, intptr_t, double *, void *)``;
            ``generic_filter1d``: ``int (double *, intptr_t, double *, intptr_t, void *)``;
            ``geometric_transform``: ``int (intptr_t *, double *, int, int, void *)``.

        Returns
        -------
        PyCapsule
            Named with the signature; it keeps the network, and later changes of the parameters are
            seen.  Any number of threads may call it.

        Raises
        ------
        ValueError, TypeError
            The signature is another one, or the network has another number of inputs or outputs
            than the function has; or an activation is a function of Python.

        Examples
        --------
        >>> import fastnet as fn
        >>> from scipy import LowLevelCallable, integrate
        >>> net = fn.Network([1, 8, 1], hidden="tanh", dtype="float64", seed=0)
        >>> f = LowLevelCallable(net.lowlevel("double (double, void *)"))
        >>> value, error = integrate.quad(f, 0.0, 1.0)
        """
        from fastnet._callbacks import lowlevel
        return lowlevel(self, signature)

    # -- the object ----------------------------------------------------------------------------

    def _specs(self):
        """The layers as they were described."""
        return [layer.spec for layer in self.layers]

    @classmethod
    def _of_layers(cls, n_inputs, specs, dtype):
        """A network of described layers; every parameter is 0."""
        cdef Network net = cls.__new__(cls)
        net._build(n_inputs, specs, dtype)
        return net

    def _astype(self, dtype):
        """The same layers and parameters in another precision."""
        cdef Network net = type(self)._of_layers(self.n_inputs, self._specs(), dtype)
        net.parameters[:] = self.parameters
        return net

    def __copy__(self):
        cdef Network net = self._astype(self.dtype)
        net.history = copy.deepcopy(self.history)
        net.partial_optimizer = copy.deepcopy(self.partial_optimizer)
        return net

    def __deepcopy__(self, memo):
        return self.__copy__()

    def __reduce__(self):
        return (
            _restore,
            (type(self), self.n_inputs, self._specs(), self.dtype.str[1:],
             np.array(self.parameters), self.history, self.partial_optimizer),
        )

    def __repr__(self):
        if not all(isinstance(layer.spec, Dense) for layer in self.layers):
            dtype = ", dtype='float64'" if self.dtype == np.float64 else ""
            return f"{type(self).__name__}({self.n_inputs}, layers={self._specs()!r}{dtype})"
        sizes = [self.n_inputs, *(layer.n_outputs for layer in self.layers)]
        hidden = [layer.activation for layer in self.layers[:len(self.layers) - 1]]
        biases = [layer.biases is not None for layer in self.layers]
        parts = [str(sizes)]
        if hidden:
            parts.append(f"hidden={hidden[0]!r}" if len(set(map(id, hidden))) == 1 or
                         all(f == hidden[0] for f in hidden) else f"hidden={hidden!r}")
        if self.output_activation() != "identity":
            parts.append(f"output={self.output_activation()!r}")
        if not all(biases):
            parts.append(f"bias={biases!r}" if any(biases) else "bias=False")
        if self.dtype == np.float64:
            parts.append("dtype='float64'")
        return f"{type(self).__name__}({', '.join(parts)})"


def _restore(cls, n_inputs, specs, dtype, parameters, history, optimizer):
    """A pickled network."""
    cdef Network net = cls._of_layers(n_inputs, specs, dtype)
    net.parameters[:] = parameters
    net.history = history
    net.partial_optimizer = optimizer
    return net
