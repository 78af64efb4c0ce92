# Dense networks: forward, loss and gradient by backpropagation.
#
# Rows go through in chunks whose activations stay in the cache.  The size of a chunk depends on
# the shape of the network only, so sums are formed in the same order for any caller.

cdef extern from "fenv_mode.h":
    unsigned int fn_get_mode() noexcept nogil
    void fn_set_mode(unsigned int mode) noexcept nogil
    const unsigned int FN_FLUSH

cdef enum:
    CHUNK_BYTES = 196608            # activations and deltas of a chunk: part of an L2 cache
    CHUNK_ROWS = 256                # at least; below it the products lose speed
    POLL_OPERATIONS = 2000000


cdef inline Py_ssize_t padded(Py_ssize_t n) noexcept nogil:
    """Elements of a buffer for n: whole cache lines and a vector of slack."""
    return (n + 4 * VL + 63) // 64 * 64


cdef inline Py_ssize_t block(Py_ssize_t rows, Py_ssize_t n) noexcept nogil:
    """The same for (rows, n), additive in n but for the slack."""
    return (rows + 15) // 16 * 16 * n + 64


cdef Py_ssize_t rows_at_once(const Plan *plan) noexcept nogil:
    cdef Py_ssize_t units = 2 * plan.widest, i
    for i in range(plan.n_layers):
        units += plan.layers[i].n_outputs
    units = CHUNK_BYTES // (units * <Py_ssize_t> sizeof(real))
    if units < CHUNK_ROWS:
        units = CHUNK_ROWS
    return units // 8 * 8


cdef inline Py_ssize_t chunk_rows(const Plan *plan, Py_ssize_t n_rows) noexcept nogil:
    # rows_at_once() divides, so small batches do not ask it
    return n_rows if n_rows <= CHUNK_ROWS else min(n_rows, rows_at_once(plan))


cdef Py_ssize_t product_scratch(const Plan *plan, Py_ssize_t rows) noexcept nogil:
    """Elements of scratch for the products of every layer."""
    cdef Py_ssize_t size = 0, i
    for i in range(plan.n_layers):
        if plan.layers[i].kind == DENSE:
            size = max(size,
                       matmul_scratch(rows, plan.layers[i].n_inputs, plan.layers[i].n_outputs))
    return padded(size // <Py_ssize_t> sizeof(real))


cdef inline int call_value(const Layer *layer, Py_ssize_t rows, const real *z, real *a,
                           Monitor *monitor) noexcept nogil:
    """The hook of a custom activation, in the caller's floating-point mode."""
    cdef unsigned int mode = fn_get_mode()
    cdef int status
    if not (mode ^ monitor.user_mode) & FN_FLUSH:
        # to write the register twice takes a tenth of the time of a small network
        return layer.custom.value(layer.custom.context, rows, layer.n_outputs, z, a)
    fn_set_mode(monitor.user_mode)
    status = layer.custom.value(layer.custom.context, rows, layer.n_outputs, z, a)
    fn_set_mode(mode)
    return status


cdef inline int call_backward(const Layer *layer, Py_ssize_t rows, const real *z, const real *a,
                              real *d, Monitor *monitor) noexcept nogil:
    cdef unsigned int mode = fn_get_mode()
    cdef int status
    fn_set_mode(monitor.user_mode)
    status = layer.custom.backward(layer.custom.context, rows, layer.n_outputs, z, a, d)
    fn_set_mode(mode)
    return status


cdef inline int poll(Monitor *monitor, double operations) noexcept nogil:
    monitor.operations += operations
    if monitor.operations < POLL_OPERATIONS:
        return OK
    monitor.operations = 0
    if monitor.poll == NULL:
        return OK
    return monitor.poll(monitor.context)


cdef inline bint keeps_input(const Layer *layer) noexcept nogil:
    """Whether the backward pass of this layer needs z beside f(z)."""
    return layer.activation == CUSTOM_ACTIVATION or needs_input(layer.activation)


cdef inline bint is_fused(int loss_kind) noexcept nogil:
    """Whether a loss takes the inputs of the output activation and gives the gradient by them."""
    return (loss_kind == CROSS_ENTROPY or loss_kind == BINARY_CROSS_ENTROPY
            or loss_kind == KL_DIVERGENCE)


cdef inline const real *biases_of(const Layer *layer, const real *parameters) noexcept nogil:
    if layer.biases < 0:
        return NULL
    return parameters + layer.biases


cdef int layer_forward(const Layer *layer, const real *parameters, Py_ssize_t rows,
                       const real *x, real *z, real *a, real *scratch,
                       Monitor *monitor) noexcept nogil:
    """a (rows, n_outputs) = f(z), z = x w + b or x normalized; no dropout.

    z may be a where nobody needs it afterwards.
    """
    cdef const real *w = parameters + layer.weights
    cdef const real *b = biases_of(layer, parameters)
    if layer.kind == LAYER_NORM:
        layer_norm(rows, layer.n_outputs, x, w, b, layer.parameter, z)
    elif z == a and layer.activation != CUSTOM_ACTIVATION:
        matmul(rows, layer.n_inputs, layer.n_outputs, x, w, b, layer.activation, a, scratch)
        return OK
    else:
        matmul(rows, layer.n_inputs, layer.n_outputs, x, w, b, IDENTITY, z, scratch)
    if layer.activation == CUSTOM_ACTIVATION:
        return call_value(layer, rows, z, a, monitor)
    if layer.activation == SOFTMAX:
        softmax(rows, layer.n_outputs, z, a)
    else:
        activate(layer.activation, rows * layer.n_outputs, z, a)
    return OK


# ---- forward ---------------------------------------------------------------------------------

cdef Py_ssize_t forward_scratch(const Plan *plan, Py_ssize_t n_rows) noexcept nogil:
    cdef Py_ssize_t rows = chunk_rows(plan, n_rows)
    if n_rows == 1:
        # forward_row() has no products of matrices
        return 3 * padded(plan.widest) * sizeof(real)
    return (3 * padded(rows * plan.widest) + product_scratch(plan, rows)) * sizeof(real)


cdef int forward_row(const Plan *plan, const real *parameters, const real *x, real *y,
                     real *scratch, Monitor *monitor) noexcept nogil:
    cdef Py_ssize_t step = padded(plan.widest), i, turn = 0
    cdef const Layer *layer
    cdef const real *b
    cdef real *a
    cdef real *z = scratch + 2 * step
    for i in range(plan.n_layers):
        layer = plan.layers + i
        if layer.kind == DROPOUT:
            continue
        b = biases_of(layer, parameters)
        a = scratch + turn * step
        turn ^= 1
        if layer.kind == DENSE and layer.activation != CUSTOM_ACTIVATION:
            matvec(layer.n_inputs, layer.n_outputs, x, parameters + layer.weights, b,
                   layer.activation, a)
        elif layer.kind == DENSE:
            matvec(layer.n_inputs, layer.n_outputs, x, parameters + layer.weights, b, IDENTITY, z)
            if call_value(layer, 1, z, a, monitor) != OK:
                return STOPPED
        elif layer_forward(layer, parameters, 1, x, z, a, NULL, monitor) != OK:
            return STOPPED
        x = a
    for i in range(plan.n_outputs):
        y[i] = x[i]
    return OK


cdef int forward(const Plan *plan, const void *parameters_, Py_ssize_t n_rows, const void *x_,
                 void *y_, void *scratch_, Monitor *monitor) noexcept nogil:
    """y (n_rows, n_outputs) from x (n_rows, n_inputs)."""
    cdef const real *parameters = <const real *> parameters_
    cdef const real *source
    cdef const real *x = <const real *> x_
    cdef real *y = <real *> y_
    cdef real *a
    cdef real *z
    cdef real *scratch = <real *> scratch_
    cdef Py_ssize_t chunk, step, rows, i, turn
    cdef Py_ssize_t first = 0
    cdef const Layer *layer
    if n_rows == 1:
        return forward_row(plan, parameters, x, y, scratch, monitor)
    chunk = chunk_rows(plan, n_rows)
    step = padded(chunk * plan.widest)
    while first < n_rows:
        rows = min(n_rows - first, chunk)
        source = x + first * plan.n_inputs
        turn = 0
        for i in range(plan.n_layers):
            layer = plan.layers + i
            a = y + first * plan.n_outputs
            if i < plan.n_layers - 1:
                if layer.kind == DROPOUT:
                    continue
                a = scratch + turn * step
                turn ^= 1
            z = scratch + 2 * step if layer.activation == CUSTOM_ACTIVATION else a
            if layer.kind == DROPOUT:
                memcpy(a, source, rows * layer.n_outputs * sizeof(real))
            elif layer_forward(layer, parameters, rows, source, z, a, scratch + 3 * step,
                               monitor) != OK:
                return STOPPED
            source = a
        first += rows
        if poll(monitor, 2.0 * rows * plan.n_parameters) != OK:
            return STOPPED
    return OK


# ---- loss and gradient -----------------------------------------------------------------------

cdef inline Py_ssize_t layers_offset(const Plan *plan, Py_ssize_t rows) noexcept nogil:
    """Where the layers begin in the scratch of a gradient: after x, two deltas and row losses."""
    return block(rows, plan.n_inputs) + 2 * block(rows, plan.widest) + block(rows, 1)


cdef inline real *outputs_of(const Plan *plan, Py_ssize_t layer, Py_ssize_t rows,
                             real *layers) noexcept nogil:
    """Outputs (rows, n_outputs) of a layer; z of the layer comes after them."""
    return layers + 2 * block(rows, plan.layers[layer].units_before) + (2 * layer - 2) * 64


cdef Py_ssize_t gradient_scratch(const Plan *plan, Py_ssize_t n_rows) noexcept nogil:
    cdef Py_ssize_t rows = chunk_rows(plan, n_rows), i
    cdef Py_ssize_t size = layers_offset(plan, rows)
    for i in range(plan.n_layers):
        size += 2 * block(rows, plan.layers[i].n_outputs)
    return (size + product_scratch(plan, rows)) * sizeof(real)


cdef void drop(const Layer *layer, const Dropout *dropout, Py_ssize_t index, Py_ssize_t rows,
               const real *x, real *mask, real *a) noexcept nogil:
    """a = mask x, (rows, n_outputs) each; x as it is where dropout is not active."""
    cdef Py_ssize_t n = layer.n_outputs
    memcpy(a, x, rows * n * sizeof(real))
    if dropout.is_active:
        dropout_mask(layer.parameter, dropout.seed, dropout.stream + index, dropout.first_row * n,
                     rows * n, mask)
        multiply(rows * n, mask, a)


cdef int through_activation(const Layer *layer, Py_ssize_t rows, const real *z, const real *a,
                            real *d, Monitor *monitor) noexcept nogil:
    """d (rows, n_outputs): dC/da becomes dC/dz."""
    if layer.activation == CUSTOM_ACTIVATION:
        return call_backward(layer, rows, z, a, d, monitor)
    if layer.activation == SOFTMAX:
        softmax_backward(rows, layer.n_outputs, a, d)
    elif layer.activation != IDENTITY:
        multiply_derivative(layer.activation, rows * layer.n_outputs, z, a, d)
    return OK


cdef inline int rows_loss(Py_ssize_t n, const Loss *spec, const Rows *rows, double scale,
                          const real *z, const real *a, bint wants_gradient, real *row_loss,
                          real *d, double *value, Monitor *monitor) noexcept nogil:
    """Adds the loss of the rows to value; d (n_rows, n) is by a, of a fused loss by z."""
    cdef const real *weights = <const real *> rows.weights
    cdef Py_ssize_t i, j
    cdef real factor
    cdef unsigned int mode
    cdef int status
    if spec.kind != CUSTOM_LOSS:
        value[0] += scale * loss(spec.kind, spec.parameter, n, rows, z, a, scale, NULL,
                                 d if wants_gradient else NULL)
        return OK
    mode = fn_get_mode()
    fn_set_mode(monitor.user_mode)
    status = spec.hook(spec.context, rows.n_rows, n, a, rows.targets, row_loss,
                       d if wants_gradient else NULL)
    fn_set_mode(mode)
    if status != OK:
        return STOPPED
    for i in range(rows.n_rows):
        factor = weights[i] if weights != NULL else 1
        value[0] += scale * factor * row_loss[i]
        factor = <real> (scale * factor)
        if wants_gradient:
            for j in range(n):
                d[i * n + j] *= factor
    return OK


cdef int output_loss(const Plan *plan, const Loss *spec, const Rows *rows, double scale,
                     const real *z, const real *a, bint wants_gradient, real *row_loss, real *d,
                     double *value, Monitor *monitor) noexcept nogil:
    """Adds the loss of the rows to value; d = dC/dz of the last layer."""
    cdef const Layer *last = plan.layers + plan.n_layers - 1
    if rows_loss(plan.n_outputs, spec, rows, scale, z, a, wants_gradient, row_loss, d, value,
                 monitor) != OK:
        return STOPPED
    if not wants_gradient or is_fused(spec.kind):
        return OK
    return through_activation(last, rows.n_rows, z, a, d, monitor)


cdef int backward(const Plan *plan, const real *parameters, const Dropout *dropout,
                  Py_ssize_t rows, Py_ssize_t chunk, const real *x, real *d, real *d_next,
                  bint accumulate, real *gradient, real *layers, real *products,
                  Monitor *monitor) noexcept nogil:
    """From d = dC/dz of the last layer to the gradient of every parameter."""
    cdef Py_ssize_t i = plan.n_layers
    cdef const Layer *layer
    cdef const Layer *below
    cdef const real *inputs
    cdef real *swap
    while i > 0:
        i -= 1
        layer = plan.layers + i
        inputs = x
        if i:
            inputs = outputs_of(plan, i - 1, chunk, layers)
        if layer.biases >= 0:
            column_sums(rows, layer.n_outputs, d, accumulate, gradient + layer.biases)
        if layer.kind == DENSE:
            gradient_weights(rows, layer.n_inputs, layer.n_outputs, inputs, d, accumulate,
                             gradient + layer.weights, products)
            if i == 0:
                break
            gradient_inputs(rows, layer.n_inputs, layer.n_outputs, d, parameters + layer.weights,
                            d_next, products)
        elif layer.kind == LAYER_NORM:
            layer_norm_backward(rows, layer.n_outputs, inputs, parameters + layer.weights,
                                layer.parameter, d, accumulate, gradient + layer.weights, d_next)
        else:
            memcpy(d_next, d, rows * layer.n_outputs * sizeof(real))
            if dropout.is_active:
                multiply(rows * layer.n_outputs,
                         outputs_of(plan, i, chunk, layers) + block(chunk, layer.n_outputs), d_next)
        if i == 0:
            break
        below = plan.layers + i - 1
        if through_activation(below, rows, inputs + block(chunk, below.n_outputs), inputs,
                              d_next, monitor) != OK:
            return STOPPED
        swap = d
        d = d_next
        d_next = swap
    return OK


cdef inline void part_of_rows(Py_ssize_t n_inputs, Py_ssize_t n_outputs, const Rows *rows,
                              Py_ssize_t first, Py_ssize_t n, Rows *part) noexcept nogil:
    """Rows first to first + n."""
    part[0] = rows[0]
    part.n_rows = n
    part.x = <const real *> rows.x + first * n_inputs
    if rows.targets != NULL:
        part.targets = <const real *> rows.targets + first * n_outputs
    if rows.labels != NULL:
        part.labels = rows.labels + first
    if rows.weights != NULL:
        part.weights = <const real *> rows.weights + first
    part.dropout.first_row += first


cdef int loss_gradient(const Plan *plan, const void *parameters_, const Loss *spec,
                       const Rows *rows, double scale, double *value, void *gradient_,
                       void *scratch_, Monitor *monitor) noexcept nogil:
    """value = scale sum_i w_i L_i and its gradient, chunk by chunk of rows."""
    cdef const real *parameters = <const real *> parameters_
    cdef real *gradient = <real *> gradient_
    cdef real *scratch = <real *> scratch_
    cdef Py_ssize_t chunk = chunk_rows(plan, rows.n_rows), i
    cdef Py_ssize_t inputs_size = block(chunk, plan.n_inputs)
    cdef Py_ssize_t delta_size = block(chunk, plan.widest)
    cdef Py_ssize_t first = 0
    cdef const real *x
    cdef const real *inputs
    cdef real *d = scratch + inputs_size
    cdef real *row_loss = scratch + inputs_size + 2 * delta_size
    cdef real *layers = scratch + layers_offset(plan, chunk)
    cdef real *products
    cdef real *a = NULL
    cdef real *z = NULL
    cdef const Layer *layer
    cdef bint is_last
    cdef const Rows *now = rows         # the rows of a chunk, which mostly are all
    cdef Rows part
    layer = plan.layers + plan.n_layers - 1
    products = (outputs_of(plan, plan.n_layers - 1, chunk, layers)
                + 2 * block(chunk, layer.n_outputs))
    value[0] = 0
    while first < rows.n_rows:
        if rows.n_rows > chunk:
            part_of_rows(plan.n_inputs, plan.n_outputs, rows, first,
                         min(rows.n_rows - first, chunk), &part)
            now = &part
        x = <const real *> now.x
        if (gradient != NULL and plan.layers[0].kind == DENSE
                and plan.layers[0].n_outputs <= NARROW):
            # gradient_weights reads past the end of x there, and these are the caller's rows
            memcpy(scratch, x, now.n_rows * plan.n_inputs * sizeof(real))
            x = scratch
        inputs = x
        for i in range(plan.n_layers):
            layer = plan.layers + i
            is_last = i == plan.n_layers - 1
            a = outputs_of(plan, i, chunk, layers)
            z = a
            if keeps_input(layer) or is_last and is_fused(spec.kind):
                z = a + block(chunk, layer.n_outputs)
            if layer.kind == DROPOUT:
                drop(layer, &now.dropout, i, now.n_rows, inputs,
                     a + block(chunk, layer.n_outputs), a)
            elif layer_forward(layer, parameters, now.n_rows, inputs, z, a, products,
                               monitor) != OK:
                return STOPPED
            inputs = a
        if output_loss(plan, spec, now, scale, z, a, gradient != NULL, row_loss, d, value,
                       monitor) != OK:
            return STOPPED
        if gradient != NULL:
            if backward(plan, parameters, &now.dropout, now.n_rows, chunk, x, d, d + delta_size,
                        first > 0, gradient, layers, products, monitor) != OK:
                return STOPPED
        first += now.n_rows
        if poll(monitor, (6.0 if gradient != NULL else 2.0)
                * now.n_rows * plan.n_parameters) != OK:
            return STOPPED
    return OK
