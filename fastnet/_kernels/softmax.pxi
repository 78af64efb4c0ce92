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
