# Losses of the rows of a batch and their gradients, one beside the other.

# predictions p, targets y, d: flat (n,); w: (n,) where weighted
#   L = e^2 / 2 or e^2 with e = p - y;   d = factor w e;   returns the lanes of w e^2
cdef inline vf squared_lanes(bint full, bint weighted, Py_ssize_t n, const real *p, const real *y,
                             const real *w, vf factor, vf loss_factor, real *row_loss,
                             real *d) noexcept nogil:
    cdef vf e = load_lanes(full, p, n) - load_lanes(full, y, n)
    cdef vf square = e * e
    if row_loss != NULL:
        store_lanes(full, row_loss, square * loss_factor, n)
    if weighted:
        square = square * load_lanes(full, w, n)
        e = e * load_lanes(full, w, n)
    if d != NULL:
        store_lanes(full, d, e * factor, n)
    return square


# One weight an element, or none.  row_loss gets a number an element: this is a batch of rows with
# one output each, or one where the rows do not matter.
cdef inline double squared_flat(bint weighted, Py_ssize_t n, const real *p, const real *y,
                                const real *w, double factor, double loss_factor, real *row_loss,
                                real *d) noexcept nogil:
    cdef vf vfactor = vset1(<real> factor)
    cdef vf vloss = vset1(<real> loss_factor)
    cdef double total = 0
    cdef vf s0, s1
    cdef Py_ssize_t i = 0, end
    while i < n:
        end = min(n, i + LOSS_BLOCK)
        s0 = vzero()
        s1 = vzero()
        while i + 2 * VL <= end:
            s0 = s0 + squared_lanes(True, weighted, VL, p + i, y + i, w + i, vfactor, vloss,
                                    NULL if row_loss == NULL else row_loss + i,
                                    NULL if d == NULL else d + i)
            i += VL
            s1 = s1 + squared_lanes(True, weighted, VL, p + i, y + i, w + i, vfactor, vloss,
                                    NULL if row_loss == NULL else row_loss + i,
                                    NULL if d == NULL else d + i)
            i += VL
        while i < end:
            if i + VL <= end:
                s0 = s0 + squared_lanes(True, weighted, VL, p + i, y + i, w + i, vfactor, vloss,
                                        NULL if row_loss == NULL else row_loss + i,
                                        NULL if d == NULL else d + i)
            else:
                s1 = s1 + squared_lanes(False, weighted, end - i, p + i, y + i, w + i, vfactor,
                                        vloss, NULL if row_loss == NULL else row_loss + i,
                                        NULL if d == NULL else d + i)
            i += VL
        total += <double> vsum(s0 + s1)
    return loss_factor * total


# predictions p, targets y, d (n_rows, n); w (n_rows,) or NULL
#   L_i = loss_factor sum_j (p - y)^2;   d = 2 loss_factor w_i scale (p - y)
cdef double squared_rows(Py_ssize_t n_rows, Py_ssize_t n, const real *p, const real *y,
                         const real *w, double scale, double loss_factor, real *row_loss,
                         real *d) noexcept nogil:
    cdef double factor = 2 * loss_factor * scale
    cdef double total = 0, weight = 1, row
    cdef Py_ssize_t i
    if n == 1:
        if w != NULL:
            return squared_flat(True, n_rows, p, y, w, factor, loss_factor, row_loss, d)
        return squared_flat(False, n_rows, p, y, p, factor, loss_factor, row_loss, d)
    if w == NULL and row_loss == NULL:
        return squared_flat(False, n_rows * n, p, y, p, factor, loss_factor, NULL, d)
    for i in range(n_rows):
        if w != NULL:
            weight = w[i]
        row = squared_flat(False, n, p + i * n, y + i * n, p, weight * factor, loss_factor, NULL,
                           NULL if d == NULL else d + i * n)
        total += weight * row
        if row_loss != NULL:
            row_loss[i] = <real> row
    return total


# The losses of one output and one target, given as L and its derivative beside each other

cdef inline vf absolute_error(vf p, vf y, vf *d) noexcept nogil:
    cdef vf e = p - y
    d[0] = sign(e)
    return vabs(e)


cdef inline vf huber(vf delta, vf p, vf y, vf *d) noexcept nogil:
    # e^2 / 2 up to delta, from there the tangent: both are c (e - c / 2) with c = e cut to +-delta
    cdef vf e = p - y
    cdef vf c = vmax(-delta, vmin(delta, e))
    d[0] = c
    return c * vfnma(vset1(0.5), c, e)


cdef inline vf log_cosh(vf p, vf y, vf *d) noexcept nogil:
    # With m = e^-t - 1, t = |p - y|: cosh t - 1 = m^2 / (2 (1 + m)), of which log(1 + .) keeps
    # small t; for larger ones t - log 2 + log(1 + e^-2t).  The derivative is tanh.
    cdef vf e = p - y
    cdef vf t = vabs(e)
    cdef vf m = vexpm1(-t)
    cdef vf g = vset1(1.0) + m
    cdef vm small = vgt(vset1(1.0), t)
    cdef vf u = vselect(small, m * m / (g + g), g * g)
    d[0] = vcopysign(-m * (vset1(2.0) + m) / vfma(g, g, vset1(1.0)), e)
    return vselect(small, vzero(), t - vset1(0.69314718055994531)) + log1p_unit(u)


cdef inline vf binary_cross_entropy(vf z, vf p, vf y, vf *d) noexcept nogil:
    # By z, p = sigmoid(z): -y log p - (1 - y) log(1 - p) = c |z| + log(1 + e^-|z|) with c = 1 - y
    # or y, terms of one sign.  Where c is 0, z may be infinite.
    cdef vf t = vabs(z)
    cdef vf c = vselect(vge(z, vzero()), vset1(1.0) - y, y)
    d[0] = p - y
    return vselect(vge(vzero(), vabs(c)), vzero(), c * t) + vsoftplus(-t)


cdef inline vf poisson(vf p, vf y, vf *d) noexcept nogil:
    # p - y log p with 0 log 0 = 0, and d = 1 - y / p with 0 / 0 = 0; NaN for p < 0.  For infinite p
    # the first term is the larger one.
    cdef vm absent = vge(vzero(), vabs(y))
    cdef vm valid = vge(p, vzero())
    cdef vf log_p = vlog(vmin(largest_number(), p))
    d[0] = vselect(valid, vset1(1.0) - vselect(absent, vzero(), y / p), vset1(NAN))
    return vselect(valid, p - vselect(absent, vzero(), y * log_p), vset1(NAN))


cdef inline vf hinge(vf p, vf y, vf *d) noexcept nogil:
    cdef vf u = vfnma(y, p, vset1(1.0))
    d[0] = vselect(vgt(u, vzero()), -y, vselect(vnan(u), u, vzero()))
    return vmax(vzero(), u)


cdef inline vf quantile(vf above, vf below, vf p, vf y, vf *d) noexcept nogil:
    # above = 1 - q is the price of a unit above the target, below = q that of one below it
    cdef vf e = p - y
    d[0] = vselect(vgt(e, vzero()), above, vselect(vgt(vzero(), e), -below, e))
    return e * vselect(vge(e, vzero()), above, -below)


# L of the lanes and d; called with a literal kind.  a, b: huber: delta; quantile: above, below.
cdef inline vf loss_lanes(int kind, vf a, vf b, vf z, vf p, vf y, vf *d) noexcept nogil:
    if kind == ABSOLUTE_ERROR:
        return absolute_error(p, y, d)
    elif kind == HUBER:
        return huber(a, p, y, d)
    elif kind == LOG_COSH:
        return log_cosh(p, y, d)
    elif kind == BINARY_CROSS_ENTROPY:
        return binary_cross_entropy(z, p, y, d)
    elif kind == POISSON:
        return poisson(p, y, d)
    elif kind == HINGE:
        return hinge(p, y, d)
    return quantile(a, b, p, y, d)


# z, p, y, d (n_rows, n); w (n_rows,) or NULL; called with a literal kind
#   L_i = sum_j L(p_ij, y_ij);   d = w_i scale dL_i/dp, or by z
# Where a row has one output, or the rows do not matter, all elements are one run, with a weight and
# a row loss an element; else a run is a row.
cdef inline double loss_rows(int kind, double a, double b, Py_ssize_t n_rows, Py_ssize_t n,
                             const real *z, const real *p, const real *y, const real *w,
                             double scale, real *row_loss, real *d) noexcept nogil:
    cdef vf va = vset1(<real> a), vb = vset1(<real> b)
    cdef vf vz = vzero()
    cdef vf factor, loss, slope, s
    cdef bint flat = n == 1 or (w == NULL and row_loss == NULL)
    cdef bint weighted = flat and w != NULL, stored = flat and row_loss != NULL
    cdef Py_ssize_t runs = 1 if flat else n_rows
    cdef Py_ssize_t length = n_rows * n if flat else n
    cdef Py_ssize_t run, i, end
    cdef double total = 0, weight = 1, sum_
    cdef real rest[VL]
    for run in range(runs):
        if w != NULL and not flat:
            weight = w[run]
        factor = vset1(<real> (scale * weight))
        sum_ = 0
        i = 0
        while i < length:
            end = min(length, i + LOSS_BLOCK)
            s = vzero()
            while i + VL <= end:
                if kind == BINARY_CROSS_ENTROPY:
                    vz = vload(z + i)
                loss = loss_lanes(kind, va, vb, vz, vload(p + i), vload(y + i), &slope)
                if stored:
                    vstore(row_loss + i, loss)
                if weighted:
                    loss = loss * vload(w + i)
                    slope = slope * vload(w + i)
                if d != NULL:
                    vstore(d + i, slope * factor)
                s = s + loss
                i += VL
            if i < end:
                if kind == BINARY_CROSS_ENTROPY:
                    vz = vload_partial(z + i, end - i)
                loss = loss_lanes(kind, va, vb, vz, vload_partial(p + i, end - i),
                                  vload_partial(y + i, end - i), &slope)
                if stored:
                    vstore_partial(row_loss + i, loss, end - i)
                if weighted:
                    loss = loss * vload_partial(w + i, end - i)
                    slope = slope * vload_partial(w + i, end - i)
                if d != NULL:
                    vstore_partial(d + i, slope * factor, end - i)
                # the other lanes hold the loss of 0 at 0, which need not be 0
                vstore_partial(rest, loss, end - i)
                s = s + vload_partial(rest, end - i)
                i = end
            sum_ += <double> vsum(s)
        total += weight * sum_
        if row_loss != NULL and not flat:
            row_loss[run] = <real> sum_
        p += length
        y += length
        if kind == BINARY_CROSS_ENTROPY:
            z += length
        if d != NULL:
            d += length
    return total


# sum_i w_i L_i; the contract is in table.pxd.  A kind without a kernel gives NaN.
cdef double loss(int kind, double parameter, Py_ssize_t n, const Rows *rows, const void *z_,
                 const void *predictions, double scale, void *row_loss_, void *d_) noexcept nogil:
    cdef const real *z = <const real *> z_
    cdef const real *p = <const real *> predictions
    cdef const real *y = <const real *> rows.targets
    cdef const real *w = <const real *> rows.weights
    cdef real *row_loss = <real *> row_loss_
    cdef real *d = <real *> d_
    cdef Py_ssize_t n_rows = rows.n_rows
    if kind == SQUARED_ERROR:
        return squared_rows(n_rows, n, p, y, w, scale, 1.0, row_loss, d)
    if kind == HALF_SQUARED_ERROR:
        return squared_rows(n_rows, n, p, y, w, scale, 0.5, row_loss, d)
    if kind == CROSS_ENTROPY:
        return cross_entropy(n_rows, n, z, p, y, rows.labels, w, scale, row_loss, d)
    if kind == KL_DIVERGENCE:
        return kl_divergence(n_rows, n, z, p, y, rows.labels, w, scale, row_loss, d)
    if kind == ABSOLUTE_ERROR:
        return loss_rows(ABSOLUTE_ERROR, 0, 0, n_rows, n, z, p, y, w, scale, row_loss, d)
    if kind == HUBER:
        # beyond the largest number of this precision there is only the square
        parameter = min(parameter, <double> largest_real())
        return loss_rows(HUBER, parameter, 0, n_rows, n, z, p, y, w, scale, row_loss, d)
    if kind == LOG_COSH:
        return loss_rows(LOG_COSH, 0, 0, n_rows, n, z, p, y, w, scale, row_loss, d)
    if kind == BINARY_CROSS_ENTROPY:
        return loss_rows(BINARY_CROSS_ENTROPY, 0, 0, n_rows, n, z, p, y, w, scale, row_loss, d)
    if kind == POISSON:
        return loss_rows(POISSON, 0, 0, n_rows, n, z, p, y, w, scale, row_loss, d)
    if kind == HINGE:
        return loss_rows(HINGE, 0, 0, n_rows, n, z, p, y, w, scale, row_loss, d)
    if kind == QUANTILE:
        return loss_rows(QUANTILE, 1 - parameter, parameter, n_rows, n, z, p, y, w, scale,
                         row_loss, d)
    return NAN
