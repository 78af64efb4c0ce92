"""What functions in C need of a network."""

import typing

from fastnet import capi


class CInterface(typing.NamedTuple):
    """The address of a network, which it keeps, and functions for it; see `Network.ctypes`."""

    address: int
    network: object

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        raise TypeError(
            "an address cannot be pickled, it means something in this process only: pickle the "
            "network")

    @property
    def activate(self):
        return capi.fn_activate

    @property
    def activate_rows(self):
        return capi.fn_activate_rows

    @property
    def reset(self):
        return capi.fn_graph_reset
