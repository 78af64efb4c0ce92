"""The functions of fastnet.h as ctypes has them, with the types of their arguments."""

import functools

# What a function returns and takes, by ctypes' names
PROTOTYPES = {
    "fn_status_message": ("c_char_p", "c_int"),
    "fn_graph_n_inputs": ("c_size_t", "c_void_p"),
    "fn_graph_n_outputs": ("c_size_t", "c_void_p"),
    "fn_graph_mode": ("c_int", "c_void_p"),
    "fn_graph_reset": ("c_int", "c_void_p"),
    "fn_activate": ("c_int", "c_void_p", "c_void_p", "c_void_p"),
    "fn_activate_rows": ("c_int", "c_void_p", "c_size_t", "c_void_p", "c_void_p"),
}


@functools.cache
def __getattr__(name):
    """That of `fastnet.capi`."""
    if name not in PROTOTYPES:
        raise AttributeError(f"module 'fastnet.capi' has no attribute {name!r}")
    # loaded by who wants such functions
    import ctypes

    from fastnet import capi

    result, *arguments = [getattr(ctypes, kind) for kind in PROTOTYPES[name]]
    function = getattr(ctypes.CDLL(capi.__file__), name)
    function.restype, function.argtypes = result, arguments
    return function
