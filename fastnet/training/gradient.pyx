"""Loss and gradient of a model over rows as they come from Python."""

cimport numpy as cnp
from libc.string cimport memcpy

from fastnet._arrays cimport check_overlap, typenum_of
from fastnet._arrays cimport output as output_array
from fastnet._kernels.table cimport OK, Monitor
from fastnet._workspace cimport Workspace, acquire, release
from fastnet.training.model cimport Model, Watch, raise_stopped, watch
from fastnet.training.rows cimport TrainingRows

cnp.import_array()

cdef enum:
    UNLOCKED_OPERATIONS = 400000        # shorter work, of a few microseconds, keeps the lock


cdef tuple loss_and_gradient(Model model, Workspace workspace, cnp.ndarray parameters, object X,
                             object y, object loss, object sample_weight, object reduction,
                             object out):
    cdef TrainingRows rows = TrainingRows(model, X, y, loss, sample_weight)
    cdef cnp.npy_intp n = model.n_parameters
    cdef Py_ssize_t itemsize = model.kernels.itemsize
    cdef cnp.ndarray gradient
    cdef double value, scale
    cdef Py_ssize_t gradient_bytes = (n * itemsize + 319) // 64 * 64
    cdef Monitor monitor
    cdef Watch state
    cdef int status
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction must be 'mean' or 'sum', got {reduction!r}")
    scale = 1.0 / rows.total_weight if reduction == "mean" else 1.0
    if out is None:
        gradient = cnp.PyArray_SimpleNew(1, &n, typenum_of(itemsize))
    else:
        gradient = output_array(out, "out", 1, &n, typenum_of(itemsize))
        check_overlap(gradient, "out", parameters, "parameters")
        rows.check_apart(gradient, "out")
    # The gradient is formed in the workspace: kernels write whole vectors, and an error leaves out
    # as it was.
    workspace = acquire(workspace, gradient_bytes + model.gradient_bytes(rows.rows.n_rows))
    watch(&monitor, &state)
    if 6.0 * rows.rows.n_rows * n > UNLOCKED_OPERATIONS:
        with nogil:
            status = model.gradient_rows(
                model.data, &rows.loss, &rows.rows, scale, &value, workspace.data,
                <char *> workspace.data + gradient_bytes, &monitor)
    else:
        status = model.gradient_rows(
            model.data, &rows.loss, &rows.rows, scale, &value, workspace.data,
            <char *> workspace.data + gradient_bytes, &monitor)
    if status == OK:
        memcpy(cnp.PyArray_DATA(gradient), workspace.data, n * itemsize)
    release(workspace)
    if status != OK:
        raise_stopped()
    return value, gradient
