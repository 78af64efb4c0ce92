# Activations: value a = f(z) and derivative f'(z) of each side by side, then the loops over arrays.
#
# A derivative is computed from the output a alone where that loses nothing (see needs_input); there
# z is not read.  At a kink it is one of the one-sided derivatives.  Where a or z is NaN, so is it.


cdef inline vf relu(vf z) noexcept nogil:
    return vmax(vzero(), z)


cdef inline vf relu_derivative(vf z, vf a) noexcept nogil:
    return vselect(vgt(a, vzero()), vset1(1.0), vselect(vnan(a), a, vzero()))


cdef inline vf leaky_relu(vf z) noexcept nogil:
    return vmax(vset1(0.01) * z, z)


cdef inline vf leaky_relu_derivative(vf z, vf a) noexcept nogil:
    return vselect(vgt(a, vzero()), vset1(1.0), vselect(vnan(a), a, vset1(0.01)))


cdef inline vf elu(vf z) noexcept nogil:
    return vselect(vgt(z, vzero()), z, vexpm1(z))


cdef inline vf elu_derivative(vf z, vf a) noexcept nogil:
    # e^z = a + 1 for z <= 0
    return vselect(vgt(a, vzero()), vset1(1.0), a + vset1(1.0))


cdef inline vf sigmoid_derivative(vf z, vf a) noexcept nogil:
    return a * (vset1(1.0) - a)


cdef inline vf steep_sigmoid_derivative(vf z, vf a) noexcept nogil:
    return vset1(4.9) * a * (vset1(1.0) - a)


cdef inline vf tanh_derivative(vf z, vf a) noexcept nogil:
    return (vset1(1.0) - a) * (vset1(1.0) + a)


cdef inline vf softplus_derivative(vf z, vf a) noexcept nogil:
    # sigmoid(z) = 1 - e^-a
    return -vexpm1(-a)


cdef inline vf gaussian_derivative(vf z, vf a) noexcept nogil:
    # the limit keeps infinity times 0 from being NaN
    return vset1(-2.0) * a * vmax(vset1(-100.0), vmin(vset1(100.0), z))


# The published constants (Klambauer et al. 2017, section 2): the fixed point of mean 0, variance 1

cdef inline vf selu_scale() noexcept nogil:
    return vset1(1.0507009873554804934)


cdef inline vf selu_scale_alpha() noexcept nogil:
    return vset1(1.7580993408473768600)


cdef inline vf selu(vf z) noexcept nogil:
    # the factor after the selection: one product
    cdef vm positive = vgt(z, vzero())
    return (vselect(positive, selu_scale(), selu_scale_alpha())
            * vselect(positive, z, vexpm1(z)))


cdef inline vf selu_derivative(vf z, vf a) noexcept nogil:
    # scale alpha e^z = a + scale alpha for z <= 0
    return vselect(vgt(a, vzero()), selu_scale(), a + selu_scale_alpha())


cdef inline vf softsign(vf z) noexcept nogil:
    # the limit keeps infinity / infinity from being NaN
    cdef vf t = vmin(largest_number(), vabs(z))
    return vcopysign(t / (vset1(1.0) + t), z)


cdef inline vf softsign_derivative(vf z, vf a) noexcept nogil:
    # (1 - |a|)^2 would lose the tail, which falls as slowly as 1 / z^2
    cdef vf r = vset1(1.0) / (vset1(1.0) + vabs(z))
    return r * r


cdef inline vf elliot(vf z) noexcept nogil:
    # 1 - r or r = 1 / (2 (1 + |z|)): no cancellation on either side
    cdef vf r = vset1(0.5) / (vset1(1.0) + vabs(z))
    return vselect(vge(z, vzero()), vset1(1.0) - r, r)


cdef inline vf elliot_derivative(vf z, vf a) noexcept nogil:
    cdef vf r = vset1(1.0) / (vset1(1.0) + vabs(z))
    return vset1(0.5) * r * r


cdef inline vf hard_tanh(vf z) noexcept nogil:
    return vmax(vset1(-1.0), vmin(vset1(1.0), z))


cdef inline vf hard_tanh_derivative(vf z, vf a) noexcept nogil:
    return vselect(vgt(vset1(1.0), vabs(a)), vset1(1.0), vselect(vnan(a), a, vzero()))


cdef inline vf hard_sigmoid(vf z) noexcept nogil:
    # z + 3 is exact where it is small, z / 6 + 1/2 is not
    return vmax(vzero(), vmin(vset1(1.0), (z + vset1(3.0)) * vset1(0.16666666666666667)))


cdef inline vf hard_sigmoid_derivative(vf z, vf a) noexcept nogil:
    # a rounds to 1 before z reaches 3
    return vselect(vgt(vset1(3.0), vabs(z)), vset1(0.16666666666666667),
                   vselect(vnan(z), z, vzero()))


cdef inline vf sign(vf z) noexcept nogil:
    # 0 or NaN where z is
    return vselect(vgt(z, vzero()), vset1(1.0), vselect(vgt(vzero(), z), vset1(-1.0), z))


cdef inline vf step(vf z) noexcept nogil:
    return vselect(vgt(z, vzero()), vset1(1.0), vselect(vnan(z), z, vzero()))


cdef inline vf step_derivative(vf z, vf a) noexcept nogil:
    return vselect(vnan(a), a, vzero())


cdef inline vf log_derivative(vf z, vf a) noexcept nogil:
    # NaN where the value is; the slope at -0 is that at 0
    return vselect(vge(z, vzero()), vset1(1.0) / vabs(z), vset1(NAN))


cdef inline bint needs_input(int activation) noexcept nogil:
    return (activation == GELU or activation == SIN or activation == GAUSSIAN
            or activation == SILU or activation == MISH or activation == SOFTSIGN
            or activation == ELLIOT or activation == HARD_SIGMOID or activation == ABS
            or activation == SQUARE or activation == CUBE or activation == LOG)


cdef inline bint is_common(int activation) noexcept nogil:
    """Whether a product of one row applies the activation in its registers.

    Every shape of that product has a copy of the chain, so only what is met in every other network
    is in it; the others are a pass over the row.
    """
    return activation < SOFTMAX


# With a literal activation the chains below fold to one call.

cdef inline vf apply_common(int activation, vf z) noexcept nogil:
    if activation == RELU:
        return relu(z)
    elif activation == LEAKY_RELU:
        return leaky_relu(z)
    elif activation == ELU:
        return elu(z)
    elif activation == SIGMOID:
        return vsigmoid(z)
    elif activation == STEEP_SIGMOID:
        return vsteep_sigmoid(z)
    elif activation == TANH:
        return vtanh(z)
    elif activation == SOFTPLUS:
        return vsoftplus(z)
    elif activation == GELU:
        return vgelu(z)
    elif activation == SIN:
        return vsin(z)
    elif activation == GAUSSIAN:
        return vgaussian(z)
    return z


cdef inline vf apply_activation(int activation, vf z) noexcept nogil:
    if is_common(activation):
        return apply_common(activation, z)
    elif activation == SELU:
        return selu(z)
    elif activation == SILU:
        return vsilu(z)
    elif activation == MISH:
        return vmish(z)
    elif activation == SOFTSIGN:
        return softsign(z)
    elif activation == ELLIOT:
        return elliot(z)
    elif activation == HARD_TANH:
        return hard_tanh(z)
    elif activation == HARD_SIGMOID:
        return hard_sigmoid(z)
    elif activation == ABS:
        return vabs(z)
    elif activation == SQUARE:
        return z * z
    elif activation == CUBE:
        return z * z * z
    elif activation == EXP:
        return vexp(z)
    elif activation == STEP:
        return step(z)
    elif activation == INVERSE:
        return vset1(1.0) / z
    elif activation == LOG:
        return vlog(z)
    return z


cdef inline vf activation_derivative(int activation, vf z, vf a) noexcept nogil:
    if activation == RELU:
        return relu_derivative(z, a)
    elif activation == LEAKY_RELU:
        return leaky_relu_derivative(z, a)
    elif activation == ELU:
        return elu_derivative(z, a)
    elif activation == SIGMOID:
        return sigmoid_derivative(z, a)
    elif activation == STEEP_SIGMOID:
        return steep_sigmoid_derivative(z, a)
    elif activation == TANH:
        return tanh_derivative(z, a)
    elif activation == SOFTPLUS:
        return softplus_derivative(z, a)
    elif activation == GELU:
        return vgelu_derivative(z)
    elif activation == SIN:
        return vcos(z)
    elif activation == GAUSSIAN:
        return gaussian_derivative(z, a)
    elif activation == SELU:
        return selu_derivative(z, a)
    elif activation == SILU:
        return vsilu_derivative(z)
    elif activation == MISH:
        return vmish_derivative(z)
    elif activation == SOFTSIGN:
        return softsign_derivative(z, a)
    elif activation == ELLIOT:
        return elliot_derivative(z, a)
    elif activation == HARD_TANH:
        return hard_tanh_derivative(z, a)
    elif activation == HARD_SIGMOID:
        return hard_sigmoid_derivative(z, a)
    elif activation == ABS:
        return sign(z)
    elif activation == SQUARE:
        return z + z
    elif activation == CUBE:
        return vset1(3.0) * z * z
    elif activation == EXP:
        return a
    elif activation == STEP:
        return step_derivative(z, a)
    elif activation == INVERSE:
        return -a * a
    elif activation == LOG:
        return log_derivative(z, a)
    return vset1(1.0)


cdef inline void activate_all(int activation, Py_ssize_t n, const real *z, real *a) noexcept nogil:
    # z, a (n,); called with a literal activation
    cdef Py_ssize_t i = 0
    while i + VL <= n:
        vstore(a + i, apply_activation(activation, vload(z + i)))
        i += VL
    if i < n:
        vstore_partial(a + i, apply_activation(activation, vload_partial(z + i, n - i)), n - i)


cdef inline void multiply_all(int activation, Py_ssize_t n, const real *z, const real *a,
                              real *d) noexcept nogil:
    # z, a, d (n,): d *= f'(z); called with a literal activation
    cdef Py_ssize_t i = 0
    cdef vf z_i = vzero()
    while i + VL <= n:
        if needs_input(activation):
            z_i = vload(z + i)
        vstore(d + i, vload(d + i) * activation_derivative(activation, z_i, vload(a + i)))
        i += VL
    if i < n:
        if needs_input(activation):
            z_i = vload_partial(z + i, n - i)
        z_i = activation_derivative(activation, z_i, vload_partial(a + i, n - i))
        vstore_partial(d + i, vload_partial(d + i, n - i) * z_i, n - i)


cdef void activate(int activation, Py_ssize_t n, const void *z_, void *a_) noexcept nogil:
    cdef const real *z = <const real *> z_
    cdef real *a = <real *> a_
    if activation == RELU:
        activate_all(RELU, n, z, a)
    elif activation == LEAKY_RELU:
        activate_all(LEAKY_RELU, n, z, a)
    elif activation == ELU:
        activate_all(ELU, n, z, a)
    elif activation == SIGMOID:
        activate_all(SIGMOID, n, z, a)
    elif activation == STEEP_SIGMOID:
        activate_all(STEEP_SIGMOID, n, z, a)
    elif activation == TANH:
        activate_all(TANH, n, z, a)
    elif activation == SOFTPLUS:
        activate_all(SOFTPLUS, n, z, a)
    elif activation == GELU:
        activate_all(GELU, n, z, a)
    elif activation == SIN:
        activate_all(SIN, n, z, a)
    elif activation == GAUSSIAN:
        activate_all(GAUSSIAN, n, z, a)
    elif activation == SELU:
        activate_all(SELU, n, z, a)
    elif activation == SILU:
        activate_all(SILU, n, z, a)
    elif activation == MISH:
        activate_all(MISH, n, z, a)
    elif activation == SOFTSIGN:
        activate_all(SOFTSIGN, n, z, a)
    elif activation == ELLIOT:
        activate_all(ELLIOT, n, z, a)
    elif activation == HARD_TANH:
        activate_all(HARD_TANH, n, z, a)
    elif activation == HARD_SIGMOID:
        activate_all(HARD_SIGMOID, n, z, a)
    elif activation == ABS:
        activate_all(ABS, n, z, a)
    elif activation == SQUARE:
        activate_all(SQUARE, n, z, a)
    elif activation == CUBE:
        activate_all(CUBE, n, z, a)
    elif activation == EXP:
        activate_all(EXP, n, z, a)
    elif activation == STEP:
        activate_all(STEP, n, z, a)
    elif activation == INVERSE:
        activate_all(INVERSE, n, z, a)
    elif activation == LOG:
        activate_all(LOG, n, z, a)
    elif a != z:
        memcpy(a, z, n * sizeof(real))


cdef void multiply_derivative(int activation, Py_ssize_t n, const void *z_, const void *a_,
                              void *d_) noexcept nogil:
    cdef const real *z = <const real *> z_
    cdef const real *a = <const real *> a_
    cdef real *d = <real *> d_
    if activation == RELU:
        multiply_all(RELU, n, z, a, d)
    elif activation == LEAKY_RELU:
        multiply_all(LEAKY_RELU, n, z, a, d)
    elif activation == ELU:
        multiply_all(ELU, n, z, a, d)
    elif activation == SIGMOID:
        multiply_all(SIGMOID, n, z, a, d)
    elif activation == STEEP_SIGMOID:
        multiply_all(STEEP_SIGMOID, n, z, a, d)
    elif activation == TANH:
        multiply_all(TANH, n, z, a, d)
    elif activation == SOFTPLUS:
        multiply_all(SOFTPLUS, n, z, a, d)
    elif activation == GELU:
        multiply_all(GELU, n, z, a, d)
    elif activation == SIN:
        multiply_all(SIN, n, z, a, d)
    elif activation == GAUSSIAN:
        multiply_all(GAUSSIAN, n, z, a, d)
    elif activation == SELU:
        multiply_all(SELU, n, z, a, d)
    elif activation == SILU:
        multiply_all(SILU, n, z, a, d)
    elif activation == MISH:
        multiply_all(MISH, n, z, a, d)
    elif activation == SOFTSIGN:
        multiply_all(SOFTSIGN, n, z, a, d)
    elif activation == ELLIOT:
        multiply_all(ELLIOT, n, z, a, d)
    elif activation == HARD_TANH:
        multiply_all(HARD_TANH, n, z, a, d)
    elif activation == HARD_SIGMOID:
        multiply_all(HARD_SIGMOID, n, z, a, d)
    elif activation == ABS:
        multiply_all(ABS, n, z, a, d)
    elif activation == SQUARE:
        multiply_all(SQUARE, n, z, a, d)
    elif activation == CUBE:
        multiply_all(CUBE, n, z, a, d)
    elif activation == EXP:
        multiply_all(EXP, n, z, a, d)
    elif activation == STEP:
        multiply_all(STEP, n, z, a, d)
    elif activation == INVERSE:
        multiply_all(INVERSE, n, z, a, d)
    elif activation == LOG:
        multiply_all(LOG, n, z, a, d)


cdef void exp_rows(Py_ssize_t n, const void *x_, void *y_) noexcept nogil:
    cdef const real *x = <const real *> x_
    cdef real *y = <real *> y_
    cdef Py_ssize_t i = 0
    while i + VL <= n:
        vstore(y + i, vexp(vload(x + i)))
        i += VL
    if i < n:
        vstore_partial(y + i, vexp(vload_partial(x + i, n - i)), n - i)


cdef void log_rows(Py_ssize_t n, const void *x_, void *y_) noexcept nogil:
    cdef const real *x = <const real *> x_
    cdef real *y = <real *> y_
    cdef Py_ssize_t i = 0
    while i + VL <= n:
        vstore(y + i, vlog(vload(x + i)))
        i += VL
    if i < n:
        vstore_partial(y + i, vlog(vload_partial(x + i, n - i)), n - i)
