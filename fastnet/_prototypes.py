"""The functions of fastnet.h as ctypes has them, with the types of their arguments; addresses."""

import functools

# What a function returns and takes, by ctypes' names; None: nothing
PROTOTYPES = {
    "fn_status_message": ("c_char_p", "c_int"),
    "fn_graph_n_inputs": ("c_size_t", "c_void_p"),
    "fn_graph_n_outputs": ("c_size_t", "c_void_p"),
    "fn_graph_mode": ("c_int", "c_void_p"),
    "fn_graph_reset": ("c_int", "c_void_p"),
    "fn_activate": ("c_int", "c_void_p", "c_void_p", "c_void_p"),
    "fn_activate_rows": ("c_int", "c_void_p", "c_size_t", "c_void_p", "c_void_p"),
    "fn_net_from_object": ("c_void_p", "py_object"),
    "fn_net_from_memory": ("c_void_p", "c_void_p", "c_size_t", "c_void_p"),
    "fn_net_retain": ("c_void_p", "c_void_p"),
    "fn_net_release": (None, "c_void_p"),
    "fn_net_n_inputs": ("c_size_t", "c_void_p"),
    "fn_net_n_outputs": ("c_size_t", "c_void_p"),
    "fn_net_n_parameters": ("c_size_t", "c_void_p"),
    "fn_net_dtype": ("c_int", "c_void_p"),
    "fn_workspace_size": ("c_size_t", "c_void_p", "c_size_t", "c_int"),
    "fn_workspace_new": ("c_void_p", "c_size_t"),
    "fn_workspace_place": ("c_void_p", "c_void_p", "c_size_t"),
    "fn_workspace_overhead": ("c_size_t",),
    "fn_workspace_free": (None, "c_void_p"),
    "fn_forward_f32": ("c_int", "c_void_p", "c_void_p", "c_size_t", "c_void_p", "c_void_p"),
    "fn_forward_f64": ("c_int", "c_void_p", "c_void_p", "c_size_t", "c_void_p", "c_void_p"),
    "fn_loss_id": ("c_int", "c_char_p"),
    "fn_loss_and_gradient_f32": (
        "c_int", "c_void_p", "c_void_p", "c_int", "c_size_t", "c_void_p", "c_void_p", "c_void_p",
        "c_void_p",
    ),
    "fn_loss_and_gradient_f64": (
        "c_int", "c_void_p", "c_void_p", "c_int", "c_size_t", "c_void_p", "c_void_p", "c_void_p",
        "c_void_p",
    ),
    "fn_graph_from_object": ("c_void_p", "py_object"),
    "fn_graph_from_memory": ("c_void_p", "c_void_p", "c_size_t", "c_void_p"),
    "fn_graph_clone": ("c_void_p", "c_void_p"),
    "fn_graph_release": (None, "c_void_p"),
}


class Local:
    """Base of what has an address, which means something in this process only."""

    __slots__ = ()

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        raise TypeError(
            f"{type(self).__name__} cannot be pickled: its address means something in this process "
            "only")


@functools.cache
def __getattr__(name):
    """That of `fastnet.capi`."""
    if name not in PROTOTYPES:
        raise AttributeError(f"module 'fastnet.capi' has no attribute {name!r}")
    # loaded by who wants such functions
    import ctypes

    from fastnet import capi

    result, *arguments = [kind and getattr(ctypes, kind) for kind in PROTOTYPES[name]]
    # what takes an object runs with the interpreter's lock and may raise
    library = ctypes.PyDLL if "py_object" in PROTOTYPES[name] else ctypes.CDLL
    function = getattr(library(capi.__file__), name)
    function.restype, function.argtypes = result, arguments
    return function
