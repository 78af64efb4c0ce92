"""What functions in C need of a network."""

from collections import namedtuple

from fastnet import capi
from fastnet._prototypes import Local


class CInterface(Local, namedtuple("CInterface", ["address", "network"])):
    """The address of a network, which it keeps, and functions for it; see `Network.ctypes`."""

    __slots__ = ()

    @property
    def activate(self):
        return capi.fn_activate

    @property
    def activate_rows(self):
        return capi.fn_activate_rows

    @property
    def reset(self):
        return capi.fn_graph_reset
