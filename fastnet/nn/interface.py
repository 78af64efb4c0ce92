"""What functions in C need of a dense network."""

from collections import namedtuple

from fastnet import capi
from fastnet._prototypes import Local


class CWorkspace(Local, namedtuple("CWorkspace", ["address", "memory"])):
    """The address of an ``fn_workspace`` and the memory it is in, which this keeps."""

    __slots__ = ()


class CInterface(Local, namedtuple("CInterface", ["address", "network"])):
    """The address of a network, which it keeps, and functions for it; see `Network.ctypes`."""

    __slots__ = ()

    def workspace(self, n_rows=1, gradient=False):
        """Scratch for so many rows or fewer, of forward or of loss_and_gradient as well."""
        import numpy as np

        from fastnet._checks import checked_int

        n_rows = checked_int(n_rows, "n_rows")
        n_bytes = capi.fn_workspace_size(self.address, n_rows, bool(gradient))
        if n_bytes == 0:
            raise ValueError(f"n_rows is {n_rows}, which no memory holds")
        memory = np.zeros(n_bytes + capi.fn_workspace_overhead(), np.uint8)
        address = capi.fn_workspace_place(memory.ctypes.data, memory.nbytes)
        return CWorkspace(address, memory)

    @property
    def forward_f32(self):
        return capi.fn_forward_f32

    @property
    def forward_f64(self):
        return capi.fn_forward_f64

    @property
    def loss_and_gradient_f32(self):
        return capi.fn_loss_and_gradient_f32

    @property
    def loss_and_gradient_f64(self):
        return capi.fn_loss_and_gradient_f64
