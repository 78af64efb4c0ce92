# The Jacobian of a dense network at one row: derivatives of every output by parameters and inputs.

cdef Py_ssize_t jacobian_scratch(const Plan *plan) noexcept nogil:
    cdef Py_ssize_t size = 2 * padded(plan.n_outputs * plan.widest) + padded(plan.widest), i
    for i in range(plan.n_layers):
        size += 2 * padded(plan.layers[i].n_outputs)
    return (size + product_scratch(plan, max(plan.n_outputs, <Py_ssize_t> 1))) * sizeof(real)


cdef void jacobian_row(const Layer *layer, const real *parameters, const real *inputs,
                       const real *d, real *d_parameters) noexcept nogil:
    """Derivatives of one output by the parameters of one layer; d (n_outputs,) is by its z."""
    cdef real *target = d_parameters + layer.weights
    cdef Py_ssize_t n = layer.n_outputs, j, k
    if layer.kind == LAYER_NORM:
        layer_norm_backward(1, n, inputs, parameters + layer.weights, layer.parameter, d, False,
                            target, NULL)
    else:
        for k in range(layer.n_inputs):
            for j in range(n):
                target[k * n + j] = inputs[k] * d[j]
    if layer.biases >= 0:
        memcpy(d_parameters + layer.biases, d, n * sizeof(real))


cdef int jacobian(const Plan *plan, const void *parameters_, const void *x_, void *d_parameters_,
                  void *d_inputs_, void *scratch_, Monitor *monitor) noexcept nogil:
    """d_parameters (n_outputs, n_parameters) and d_inputs (n_outputs, n_inputs) at x.

    A backward pass for all outputs at once: row o of d is d output_o / d z of the layer.
    """
    cdef const real *parameters = <const real *> parameters_
    cdef const real *x = <const real *> x_
    cdef real *d_parameters = <real *> d_parameters_
    cdef real *d_inputs = <real *> d_inputs_
    cdef real *scratch = <real *> scratch_
    cdef Py_ssize_t n = plan.n_outputs, delta_size = padded(n * plan.widest), i, j, o
    cdef real *d = scratch
    cdef real *d_next = scratch + delta_size
    cdef real *derivative = scratch + 2 * delta_size
    cdef real *outputs = derivative + padded(plan.widest)
    cdef real *a
    cdef real *z
    cdef real *swap
    cdef const real *inputs = x
    cdef const Layer *layer
    a = outputs
    for i in range(plan.n_layers):
        layer = plan.layers + i
        z = a + padded(layer.n_outputs)
        if layer.kind == DENSE:
            matvec(layer.n_inputs, layer.n_outputs, inputs, parameters + layer.weights,
                   biases_of(layer, parameters), IDENTITY, z)
        elif layer.kind == LAYER_NORM:
            layer_norm(1, layer.n_outputs, inputs, parameters + layer.weights,
                       parameters + layer.biases, layer.parameter, z)
        else:
            memcpy(z, inputs, layer.n_outputs * sizeof(real))
        if layer.activation == CUSTOM_ACTIVATION:
            if call_value(layer, 1, z, a, monitor) != OK:
                return STOPPED
        elif layer.activation == SOFTMAX:
            softmax(1, layer.n_outputs, z, a)
        else:
            activate(layer.activation, layer.n_outputs, z, a)
        inputs = a
        a = z + padded(layer.n_outputs)
    scratch = a                                     # of the products
    memset(d, 0, n * n * sizeof(real))
    for o in range(n):
        d[o * n + o] = 1
    i = plan.n_layers
    while i > 0:
        i -= 1
        layer = plan.layers + i
        z = a - padded(layer.n_outputs)
        a = z - padded(layer.n_outputs)
        if layer.activation == CUSTOM_ACTIVATION or layer.activation == SOFTMAX:
            for o in range(n):
                if through_activation(layer, 1, z, a, d + o * layer.n_outputs, monitor) != OK:
                    return STOPPED
        elif layer.activation != IDENTITY:
            for j in range(layer.n_outputs):
                derivative[j] = 1
            multiply_derivative(layer.activation, layer.n_outputs, z, a, derivative)
            for o in range(n):
                for j in range(layer.n_outputs):
                    d[o * layer.n_outputs + j] *= derivative[j]
        inputs = x
        if i:
            inputs = a - 2 * padded(layer.n_inputs)
        if d_parameters != NULL and layer.kind != DROPOUT:
            for o in range(n):
                jacobian_row(layer, parameters, inputs, d + o * layer.n_outputs,
                             d_parameters + o * plan.n_parameters)
        if i == 0 and d_inputs == NULL:
            break
        if layer.kind == DENSE:
            gradient_inputs(n, layer.n_inputs, layer.n_outputs, d, parameters + layer.weights,
                            d_next, scratch)
        elif layer.kind == LAYER_NORM:
            for o in range(n):
                layer_norm_backward(1, layer.n_outputs, inputs, parameters + layer.weights,
                                    layer.parameter, d + o * layer.n_outputs, False, NULL,
                                    d_next + o * layer.n_outputs)
        else:
            continue
        swap = d
        d = d_next
        d_next = swap
    if d_inputs != NULL:
        memcpy(d_inputs, d, n * plan.n_inputs * sizeof(real))
    return OK
