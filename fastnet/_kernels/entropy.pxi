# Cross entropy and what is made of it, fused with softmax.

cdef enum:
    LOSS_BLOCK = 4096           # elements summed in one precision before they go to a double
    LOSS_ROWS = 64              # rows whose logarithms are taken together
    ENTROPY_NARROW = 4


# The rows that cross_entropy puts together: L = base - total log(p)
ctypedef struct EntropyRows:
    real base[LOSS_ROWS]
    real total[LOSS_ROWS]
    real p[LOSS_ROWS]


# Returns sum_i w_i L_i over n_rows <= LOSS_ROWS; w and row_loss (n_rows,) or NULL
cdef inline double entropy_sum(Py_ssize_t n_rows, EntropyRows *rows, const real *w,
                               real *row_loss) noexcept nogil:
    cdef vf loss, s = vzero()
    cdef Py_ssize_t i, n
    i = n_rows
    while i % VL != 0:
        rows.base[i] = 0
        rows.total[i] = 0
        rows.p[i] = 1
        i += 1
    i = 0
    while i < n_rows:
        n = min(<Py_ssize_t> VL, n_rows - i)
        loss = vload(rows.base + i) - vload(rows.total + i) * vlog(vload(rows.p + i))
        if row_loss != NULL:
            vstore_partial(row_loss + i, loss, n)
        if w != NULL:
            loss = loss * vload_partial(w + i, n)
        s = s + loss
        i += VL
    return <double> vsum(s)


# One row of classes by label.  -log p[label] is exact to a few roundings unless p[label] is close
# to underflow; there the loss is log-sum-exp less the logit, with log-sum-exp from the largest
# probability (at least 1/n) and its logit: no exponential is needed again.
cdef inline void entropy_label(Py_ssize_t n, Py_ssize_t label, const real *z, const real *p,
                               real *base, real *reference) noexcept nogil:
    cdef real tiny = <real> (1e-30 if sizeof(real) == 4 else 1e-290)
    cdef Py_ssize_t j, largest = 0
    base[0] = 0
    reference[0] = p[label]
    if p[label] < tiny:
        for j in range(1, n):
            if p[j] > p[largest]:
                largest = j
        base[0] = z[largest] - z[label]
        reference[0] = p[largest]


# One row of targets y.  The loss sum_j y_j (lse - z_j) is written sum_j y_j (z_k - z_j) less
# sum_j y_j times log p_k, with k the largest probability: terms of one sign, none of which
# overflows.  Where y_j is 0 the logit may be infinite.  NaN reaches the total through p * 0.
#   d = factor (p sum_j y_j - y)
cdef inline void entropy_targets(Py_ssize_t n, const real *z, const real *p, const real *y,
                                 real factor, real *base, real *total, real *reference,
                                 real *d) noexcept nogil:
    cdef vf zero = vzero(), lowest = vset1(<real> -INFINITY)
    cdef vf largest_z = lowest, largest_p = zero, sum_y = zero, sum_base = zero
    cdef vf vp, vy, vz
    cdef Py_ssize_t j, m
    j = 0
    while j < n:
        m = n - j
        vp = vload_partial(p + j, m) if m < VL else vload(p + j)
        vy = vload_partial(y + j, m) if m < VL else vload(y + j)
        vz = vload_partial(z + j, m) if m < VL else vload(z + j)
        # A lane that holds the largest probability is above 0, one past the end is not
        largest_z = vmax(vselect(vgt(vp, zero), vz, lowest), largest_z)
        largest_p = vmax(vp, largest_p)
        sum_y = sum_y + vfma(vp, zero, vy)
        j += VL
    total[0] = vsum(sum_y)
    reference[0] = vmaximum(largest_p)
    largest_z = vset1(vmaximum(largest_z))
    sum_y = vset1(total[0])
    j = 0
    while j < n:
        m = n - j
        vp = vload_partial(p + j, m) if m < VL else vload(p + j)
        vy = vload_partial(y + j, m) if m < VL else vload(y + j)
        vz = vload_partial(z + j, m) if m < VL else vload(z + j)
        sum_base = sum_base + vselect(vgt(vabs(vy), zero), vy * (largest_z - vz), zero)
        if d != NULL:
            vp = vfma(vp, sum_y, -vy) * vset1(factor)
            if m < VL:
                vstore_partial(d + j, vp, m)
            else:
                vstore(d + j, vp)
        j += VL
    base[0] = vsum(sum_base)


# The same for rows so short that reductions over lanes and partial vectors cost more than they save
cdef inline void entropy_targets_narrow(Py_ssize_t n, const real *z, const real *p, const real *y,
                                        real factor, real *base, real *total, real *reference,
                                        real *d) noexcept nogil:
    cdef Py_ssize_t j, k = 0
    cdef real sum_y = 0, sum_base = 0, largest = p[0], z_k
    for j in range(n):
        sum_y += y[j] + p[j] * 0
        if p[j] > largest:
            largest = p[j]
            k = j
    z_k = z[k]
    for j in range(n):
        if y[j] != 0:
            sum_base += y[j] * (z_k - z[j])
    if d != NULL:
        for j in range(n):
            d[j] = (p[j] * sum_y - y[j]) * factor
    total[0] = sum_y
    reference[0] = largest
    base[0] = sum_base


# x, y (n,):  y = factor x
cdef inline void scaled_copy(Py_ssize_t n, const real *x, vf factor, real *y) noexcept nogil:
    cdef Py_ssize_t j = 0
    while j + VL <= n:
        vstore(y + j, vload(x + j) * factor)
        j += VL
    if j < n:
        vstore_partial(y + j, vload_partial(x + j, n - j) * factor, n - j)


# z, p = softmax(z), d (n_rows, n); y (n_rows, n) or labels (n_rows,); w (n_rows,) or NULL
#   L_i = -sum_j y_ij log p_ij;   d = w_i scale dL_i/dz = w_i scale (p_i sum_j y_ij - y_i)
cdef double cross_entropy(Py_ssize_t n_rows, Py_ssize_t n, const real *z, const real *p,
                          const real *y, const int32_t *labels, const real *w, double scale,
                          real *row_loss, real *d) noexcept nogil:
    cdef EntropyRows rows
    cdef double total = 0
    cdef real factor = <real> scale
    cdef Py_ssize_t first = 0, n_chunk, i, row
    if labels != NULL and d != NULL and w == NULL:
        scaled_copy(n_rows * n, p, vset1(factor), d)
    while first < n_rows:
        n_chunk = min(<Py_ssize_t> LOSS_ROWS, n_rows - first)
        for i in range(n_chunk):
            row = (first + i) * n
            if w != NULL:
                factor = <real> (scale * w[first + i])
            if labels != NULL:
                entropy_label(n, labels[first + i], z + row, p + row, &rows.base[i], &rows.p[i])
                rows.total[i] = 1
                if d != NULL:
                    if w != NULL:
                        scaled_copy(n, p + row, vset1(factor), d + row)
                    row += labels[first + i]
                    d[row] = (p[row] - 1) * factor
            elif n <= ENTROPY_NARROW or (VL <= 4 and n <= 16):
                entropy_targets_narrow(n, z + row, p + row, y + row, factor, &rows.base[i],
                                       &rows.total[i], &rows.p[i],
                                       NULL if d == NULL else d + row)
            else:
                entropy_targets(n, z + row, p + row, y + row, factor, &rows.base[i],
                                &rows.total[i], &rows.p[i], NULL if d == NULL else d + row)
        total += entropy_sum(n_chunk, &rows, w if w == NULL else w + first,
                             NULL if row_loss == NULL else row_loss + first)
        first += n_chunk
    return total


# y (n,):  sum_j y_j log y_j with 0 log 0 = 0
cdef inline double negative_entropy(Py_ssize_t n, const real *y) noexcept nogil:
    cdef vf v, s
    cdef double total = 0
    cdef Py_ssize_t j = 0, end, m
    while j < n:
        end = min(n, j + LOSS_BLOCK)
        s = vzero()
        while j < end:
            m = min(<Py_ssize_t> VL, end - j)
            v = vload(y + j) if m == VL else vload_partial(y + j, m)
            s = s + vselect(vge(vzero(), vabs(v)), vzero(), v * vlog(v))
            j += m
        total += <double> vsum(s)
    return total


# As cross_entropy:  L_i = sum_j y_ij (log y_ij - log p_ij);   d as there.  A label has no entropy.
cdef double kl_divergence(Py_ssize_t n_rows, Py_ssize_t n, const real *z, const real *p,
                          const real *y, const int32_t *labels, const real *w, double scale,
                          real *row_loss, real *d) noexcept nogil:
    cdef double total = cross_entropy(n_rows, n, z, p, y, labels, w, scale, row_loss, d)
    cdef double entropy
    cdef Py_ssize_t i
    if labels != NULL:
        return total
    for i in range(n_rows):
        entropy = negative_entropy(n, y + i * n)
        total += entropy if w == NULL else w[i] * entropy
        if row_loss != NULL:
            row_loss[i] = <real> (row_loss[i] + entropy)
    return total
