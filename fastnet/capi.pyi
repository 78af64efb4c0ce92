from _ctypes import CFuncPtr

__all__ = [
    "fn_activate",
    "fn_activate_rows",
    "fn_forward_f32",
    "fn_forward_f64",
    "fn_graph_clone",
    "fn_graph_from_memory",
    "fn_graph_from_object",
    "fn_graph_mode",
    "fn_graph_n_inputs",
    "fn_graph_n_outputs",
    "fn_graph_release",
    "fn_graph_reset",
    "fn_loss_and_gradient_f32",
    "fn_loss_and_gradient_f64",
    "fn_loss_id",
    "fn_net_dtype",
    "fn_net_from_memory",
    "fn_net_from_object",
    "fn_net_n_inputs",
    "fn_net_n_outputs",
    "fn_net_n_parameters",
    "fn_net_release",
    "fn_net_retain",
    "fn_status_message",
    "fn_workspace_free",
    "fn_workspace_new",
    "fn_workspace_overhead",
    "fn_workspace_place",
    "fn_workspace_size",
]

_capi: object

fn_activate: CFuncPtr
fn_activate_rows: CFuncPtr
fn_forward_f32: CFuncPtr
fn_forward_f64: CFuncPtr
fn_graph_clone: CFuncPtr
fn_graph_from_memory: CFuncPtr
fn_graph_from_object: CFuncPtr
fn_graph_mode: CFuncPtr
fn_graph_n_inputs: CFuncPtr
fn_graph_n_outputs: CFuncPtr
fn_graph_release: CFuncPtr
fn_graph_reset: CFuncPtr
fn_loss_and_gradient_f32: CFuncPtr
fn_loss_and_gradient_f64: CFuncPtr
fn_loss_id: CFuncPtr
fn_net_dtype: CFuncPtr
fn_net_from_memory: CFuncPtr
fn_net_from_object: CFuncPtr
fn_net_n_inputs: CFuncPtr
fn_net_n_outputs: CFuncPtr
fn_net_n_parameters: CFuncPtr
fn_net_release: CFuncPtr
fn_net_retain: CFuncPtr
fn_status_message: CFuncPtr
fn_workspace_free: CFuncPtr
fn_workspace_new: CFuncPtr
fn_workspace_overhead: CFuncPtr
fn_workspace_place: CFuncPtr
fn_workspace_size: CFuncPtr
