# What keeps training in bounds: layer normalization (Ba, Kiros, Hinton 2016, section 3), dropout
# (Srivastava et al. 2014, section 4; kept units are scaled in training, so that prediction has
# nothing to do) and the penalties on the size of weights.

# x (n,): mean, and 1 / sqrt(variance + epsilon); two passes, so that a large mean costs no digits
cdef inline void row_moments(Py_ssize_t n, const real *x, double epsilon, real *mean,
                             real *reciprocal) noexcept nogil:
    cdef vf s = vzero(), m, e
    cdef real rest = 0
    cdef Py_ssize_t j = 0
    while j + VL <= n:
        s = s + vload(x + j)
        j += VL
    while j < n:
        rest += x[j]
        j += 1
    mean[0] = (vsum(s) + rest) / <real> n
    m = vset1(mean[0])
    s = vzero()
    rest = 0
    j = 0
    while j + VL <= n:
        e = vload(x + j) - m
        s = vfma(e, e, s)
        j += VL
    while j < n:
        rest += (x[j] - mean[0]) * (x[j] - mean[0])
        j += 1
    reciprocal[0] = <real> (1.0 / sqrt((vsum(s) + rest) / <double> n + epsilon))


# x, z (n_rows, n), gains and biases (n,); mean and variance are those of the row; z may be x
#   z = gains (x - mean) / sqrt(variance + epsilon) + biases
cdef void layer_norm(Py_ssize_t n_rows, Py_ssize_t n, const void *x_, const void *gains_,
                     const void *biases_, double epsilon, void *z_) noexcept nogil:
    cdef const real *x = <const real *> x_
    cdef const real *gains = <const real *> gains_
    cdef const real *biases = <const real *> biases_
    cdef real *z = <real *> z_
    cdef real mean, reciprocal
    cdef vf m, r
    cdef Py_ssize_t i, j
    for i in range(n_rows):
        row_moments(n, x, epsilon, &mean, &reciprocal)
        m = vset1(mean)
        r = vset1(reciprocal)
        j = 0
        while j + VL <= n:
            vstore(z + j, vfma((vload(x + j) - m) * r, vload(gains + j), vload(biases + j)))
            j += VL
        if j < n:
            vstore_partial(z + j, vfma((vload_partial(x + j, n - j) - m) * r,
                                       vload_partial(gains + j, n - j),
                                       vload_partial(biases + j, n - j)), n - j)
        x += n
        z += n


# x, d (n_rows, n), gains (n,); d_gains (n,) and d_x (n_rows, n), either NULL.  With y the
# normalized row and g = d gains:
#   d_gains [+]= sum_i d_i y_i;   d_x = (g - mean(g) - y mean(g y)) / sqrt(variance + epsilon)
# d_x may be d.
cdef void layer_norm_backward(Py_ssize_t n_rows, Py_ssize_t n, const void *x_, const void *gains_,
                              double epsilon, const void *d_, bint accumulate, void *d_gains_,
                              void *d_x_) noexcept nogil:
    cdef const real *x = <const real *> x_
    cdef const real *gains = <const real *> gains_
    cdef const real *d = <const real *> d_
    cdef real *d_gains = <real *> d_gains_
    cdef real *d_x = <real *> d_x_
    cdef real mean, reciprocal, sum_g, sum_gy, y, g
    cdef vf m, r, vy, vg, sum_vg, sum_vgy
    cdef Py_ssize_t i, j
    if d_gains != NULL and not accumulate:
        memset(d_gains, 0, n * sizeof(real))
    for i in range(n_rows):
        row_moments(n, x, epsilon, &mean, &reciprocal)
        m = vset1(mean)
        r = vset1(reciprocal)
        sum_vg = vzero()
        sum_vgy = vzero()
        sum_g = 0
        sum_gy = 0
        j = 0
        while j + VL <= n:
            vy = (vload(x + j) - m) * r
            if d_gains != NULL:
                vstore(d_gains + j, vfma(vload(d + j), vy, vload(d_gains + j)))
            vg = vload(d + j) * vload(gains + j)
            sum_vg = sum_vg + vg
            sum_vgy = vfma(vg, vy, sum_vgy)
            j += VL
        while j < n:
            y = (x[j] - mean) * reciprocal
            if d_gains != NULL:
                d_gains[j] += d[j] * y
            g = d[j] * gains[j]
            sum_g += g
            sum_gy += g * y
            j += 1
        if d_x != NULL:
            sum_g = (sum_g + vsum(sum_vg)) / <real> n
            sum_gy = (sum_gy + vsum(sum_vgy)) / <real> n
            sum_vg = vset1(sum_g)
            sum_vgy = vset1(sum_gy)
            j = 0
            while j + VL <= n:
                vy = (vload(x + j) - m) * r
                vg = vload(d + j) * vload(gains + j) - sum_vg
                vstore(d_x + j, vfnma(vy, sum_vgy, vg) * r)
                j += VL
            while j < n:
                y = (x[j] - mean) * reciprocal
                d_x[j] = (d[j] * gains[j] - sum_g - y * sum_gy) * reciprocal
                j += 1
            d_x += n
        x += n
        d += n


# mask (n,): 0 with probability rate, else 1 / (1 - rate); elements first .. of the random stream
cdef void dropout_mask(double rate, uint64_t seed, uint64_t stream, uint64_t first, Py_ssize_t n,
                       void *mask_) noexcept nogil:
    cdef real *mask = <real *> mask_
    cdef vf kept = vset1(<real> (1.0 / (1.0 - rate))), limit = vset1(<real> rate)
    cdef Py_ssize_t i = 0
    uniform(seed, stream, first, n, mask)
    while i + VL <= n:
        vstore(mask + i, vselect(vge(vload(mask + i), limit), kept, vzero()))
        i += VL
    if i < n:
        vstore_partial(mask + i,
                       vselect(vge(vload_partial(mask + i, n - i), limit), kept, vzero()), n - i)


# w, d (n,):  d += l1 sign(w) + l2 w;  returns l1 sum |w| + l2 / 2 sum w^2
cdef double penalty(Py_ssize_t n, const void *w_, double l1, double l2, void *d_) noexcept nogil:
    cdef const real *w = <const real *> w_
    cdef real *d = <real *> d_
    cdef vf v1 = vset1(<real> l1), v2 = vset1(<real> l2), v, g, sizes, squares
    cdef double total = 0, total_squares = 0
    cdef Py_ssize_t i = 0, end, m
    while i < n:
        end = min(n, i + LOSS_BLOCK)
        sizes = vzero()
        squares = vzero()
        while i < end:
            m = end - i
            v = vload(w + i) if m >= VL else vload_partial(w + i, m)
            sizes = sizes + vabs(v)
            squares = vfma(v, v, squares)
            if d != NULL:
                g = vselect(vgt(vabs(v), vzero()), vcopysign(v1, v), vzero())
                g = vfma(v2, v, g)
                if m >= VL:
                    vstore(d + i, vload(d + i) + g)
                else:
                    vstore_partial(d + i, vload_partial(d + i, m) + g, m)
            i += VL
        total += <double> vsum(sizes)
        total_squares += <double> vsum(squares)
    return l1 * total + 0.5 * l2 * total_squares
