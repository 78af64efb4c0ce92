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


cdef inline bint needs_input(int activation) noexcept nogil:
    return activation == GELU or activation == SIN or activation == GAUSSIAN


# With a literal activation the chains below fold to one call.

cdef inline vf apply_activation(int activation, vf z) noexcept nogil:
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


# Softmax: a_i = e^(z_i - m) / sum_j e^(z_j - m), m = max z.  m passes over a NaN, which comes back
# through the sum.

cdef inline bint is_narrow(Py_ssize_t n) noexcept nogil:
    # Scalar loops and one pass of the exponential over all rows beat vectors with a tail in each
    # row here (10 columns: 12 against 19 ns a row in float64 with AVX2, 18 against 46 in
    # float32 with SSE2)
    return n < 16 or n < 2 * VL


cdef void softmax_narrow(Py_ssize_t n_rows, Py_ssize_t n, const real *z, real *a) noexcept nogil:
    # z, a (n_rows, n)
    cdef Py_ssize_t i, j
    cdef const real *z_i
    cdef real *a_i
    cdef real m, total
    for i in range(n_rows):
        z_i = z + i * n
        a_i = a + i * n
        m = z_i[0]
        for j in range(1, n):
            m = z_i[j] if z_i[j] > m else m
        for j in range(n):
            a_i[j] = z_i[j] - m
    exp_rows(n_rows * n, a, a)
    for i in range(n_rows):
        a_i = a + i * n
        total = 0
        for j in range(n):
            total += a_i[j]
        total = <real> 1.0 / total
        for j in range(n):
            a_i[j] *= total


cdef void softmax_wide(Py_ssize_t n, const real *z, real *a) noexcept nogil:
    # z, a (n,) with n >= VL
    cdef Py_ssize_t j
    cdef Py_ssize_t whole = n - n % VL
    cdef vf m = vload(z)
    cdef vf total = vzero()
    cdef vf e
    cdef real rest
    # the last vector overlaps the one before it instead of being partial
    j = VL
    while j < whole:
        m = vmax(vload(z + j), m)
        j += VL
    m = vset1(vmaximum(vmax(vload(z + n - VL), m)))
    j = 0
    while j < whole:
        e = vexp(vload(z + j) - m)
        total += e
        vstore(a + j, e)
        j += VL
    rest = 0
    if whole < n:
        vstore_partial(a + whole, vexp(vload_partial(z + whole, n - whole) - m), n - whole)
        rest = vsum(vload_partial(a + whole, n - whole))
    total = vset1(<real> 1.0 / (vsum(total) + rest))
    j = 0
    while j < whole:
        vstore(a + j, vload(a + j) * total)
        j += VL
    if whole < n:
        vstore_partial(a + whole, vload_partial(a + whole, n - whole) * total, n - whole)


cdef void softmax(Py_ssize_t n_rows, Py_ssize_t n, const void *z_, void *a_) noexcept nogil:
    cdef const real *z = <const real *> z_
    cdef real *a = <real *> a_
    cdef Py_ssize_t i
    if n == 0:
        return
    if is_narrow(n):
        softmax_narrow(n_rows, n, z, a)
    else:
        for i in range(n_rows):
            softmax_wide(n, z + i * n, a + i * n)


cdef void softmax_backward(Py_ssize_t n_rows, Py_ssize_t n, const void *a_,
                           void *d_) noexcept nogil:
    # a, d (n_rows, n): d_j <- a_j (d_j - sum_k d_k a_k) in each row
    cdef const real *a = <const real *> a_
    cdef real *d = <real *> d_
    cdef Py_ssize_t i, j
    cdef vf sums
    cdef real total
    for i in range(n_rows):
        total = 0
        j = 0
        if not is_narrow(n):
            sums = vzero()
            while j + VL <= n:
                sums = vfma(vload(a + j), vload(d + j), sums)
                j += VL
            total = vsum(sums)
        while j < n:
            total += a[j] * d[j]
            j += 1
        j = 0
        if not is_narrow(n):
            sums = vset1(total)
            while j + VL <= n:
                vstore(d + j, vload(a + j) * (vload(d + j) - sums))
                j += VL
        while j < n:
            d[j] = a[j] * (d[j] - total)
            j += 1
        a += n
        d += n
