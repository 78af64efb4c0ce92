# One kernel module: every subject for one instruction set and precision, and the table of them.

from cpython.pycapsule cimport PyCapsule_New

from fastnet._kernels.table cimport *

include "vector.pxi"
include "functions.pxi"
include "activations.pxi"
include "softmax.pxi"
include "entropy.pxi"
include "losses.pxi"
include "tiles.pxi"
include "matmul.pxi"
include "peak.pxi"
include "random.pxi"
include "regularization.pxi"
include "rows.pxi"
include "updates.pxi"
include "dense.pxi"
include "jacobian.pxi"
include "local.pxi"
include "graphs.pxi"
include "graph_gradient.pxi"

cdef extern from *:
    const char *FN_ISA

cdef Kernels kernel_table
memset(&kernel_table, 0, sizeof(kernel_table))
kernel_table.isa = FN_ISA
kernel_table.dtype = "float32" if sizeof(real) == 4 else "float64"
kernel_table.itemsize = sizeof(real)
kernel_table.vector_length = VL

kernel_table.matmul = matmul
kernel_table.gradient_weights = gradient_weights
kernel_table.gradient_inputs = gradient_inputs
kernel_table.matvec = matvec
kernel_table.matmul_scratch = matmul_scratch

kernel_table.activate = activate
kernel_table.multiply_derivative = multiply_derivative
kernel_table.softmax = softmax
kernel_table.softmax_backward = softmax_backward
kernel_table.exp = exp_rows
kernel_table.log = log_rows

kernel_table.loss = loss

kernel_table.layer_norm = layer_norm
kernel_table.layer_norm_backward = layer_norm_backward
kernel_table.dropout_mask = dropout_mask
kernel_table.penalty = penalty

kernel_table.gather = gather
kernel_table.column_sums = column_sums
kernel_table.sum = sum_
kernel_table.dot = dot
kernel_table.first_nonfinite = first_nonfinite
kernel_table.scale = scale
kernel_table.multiply = multiply
kernel_table.add = add

kernel_table.sgd = sgd
kernel_table.momentum = momentum
kernel_table.adam = adam
kernel_table.rmsprop = rmsprop
kernel_table.adagrad = adagrad
kernel_table.rprop = rprop
kernel_table.clamp = clamp

kernel_table.rows_at_once = rows_at_once
kernel_table.forward_scratch = forward_scratch
kernel_table.forward = forward
kernel_table.gradient_scratch = gradient_scratch
kernel_table.loss_gradient = loss_gradient
kernel_table.jacobian_scratch = jacobian_scratch
kernel_table.jacobian = jacobian

kernel_table.graph_prepare = graph_prepare
kernel_table.graph_state = graph_state
kernel_table.graph_reset = graph_reset
kernel_table.graph_step = graph_step
kernel_table.graph_rows_scratch = graph_rows_scratch
kernel_table.graph_rows = graph_rows
kernel_table.graph_rows_at_once = graph_rows_at_once
kernel_table.graph_gradient_scratch = graph_gradient_scratch
kernel_table.graph_gradient = graph_gradient
kernel_table.graph_jacobian_scratch = graph_jacobian_scratch
kernel_table.graph_jacobian = graph_jacobian

kernel_table.fma_chain = fma_chain
kernel_table.random_bits = random_bits
kernel_table.uniform = uniform
kernel_table.normal = normal
kernel_table.permutation = permutation

table = PyCapsule_New(&kernel_table, "fastnet._kernels.Kernels", NULL)
