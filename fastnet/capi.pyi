from _ctypes import CFuncPtr

__all__ = [
    "fn_activate",
    "fn_activate_rows",
    "fn_graph_mode",
    "fn_graph_n_inputs",
    "fn_graph_n_outputs",
    "fn_graph_reset",
    "fn_status_message",
]

_capi: object

fn_activate: CFuncPtr
fn_activate_rows: CFuncPtr
fn_graph_mode: CFuncPtr
fn_graph_n_inputs: CFuncPtr
fn_graph_n_outputs: CFuncPtr
fn_graph_reset: CFuncPtr
fn_status_message: CFuncPtr
