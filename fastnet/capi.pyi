from ctypes import _CFuncPtr

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

fn_activate: _CFuncPtr
fn_activate_rows: _CFuncPtr
fn_graph_mode: _CFuncPtr
fn_graph_n_inputs: _CFuncPtr
fn_graph_n_outputs: _CFuncPtr
fn_graph_reset: _CFuncPtr
fn_status_message: _CFuncPtr
