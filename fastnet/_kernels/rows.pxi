# Rows and reductions: gather, column sums, sums over everything, finiteness, scaling.

cdef enum:
    # Lanes of sum and dot: as many on every instruction set, so that the result has the same bits
    # on all of them
    SUM_LANES = 16
    FINITE_BLOCK = 8                    # vectors looked at between two tests
    MEMCPY_BYTES = 2048                 # from here the library's copy is the faster one


# row_bytes between part and 2 part: the copies of the two ends overlap, so that no length needs a
# branch or a mask. part is a literal of the caller: both copies become plain register moves.
cdef inline void gather_ends(Py_ssize_t part, Py_ssize_t n_rows, Py_ssize_t row_bytes,
                             const char *source, const int32_t *order,
                             char *destination) noexcept nogil:
    cdef Py_ssize_t i
    cdef const char *row
    for i in range(n_rows):
        row = source + order[i] * row_bytes
        memcpy(destination, row, part)
        memcpy(destination + row_bytes - part, row + row_bytes - part, part)
        destination += row_bytes


# source (some rows, n), order (n_rows,), destination (n_rows, n)
#   destination[i] = source[order[i]]
cdef void gather(Py_ssize_t n_rows, Py_ssize_t n, const void *source, const int32_t *order,
                 void *destination) noexcept nogil:
    cdef Py_ssize_t row_bytes = n * <Py_ssize_t> sizeof(real)
    cdef const char *from_ = <const char *> source
    cdef char *to = <char *> destination
    cdef const char *row
    cdef Py_ssize_t i, j
    if row_bytes == 0:
        return
    if row_bytes <= 8:
        if sizeof(real) == 8:
            gather_ends(8, n_rows, 8, from_, order, to)
        else:
            gather_ends(4, n_rows, row_bytes, from_, order, to)
    elif row_bytes <= 16:
        gather_ends(8, n_rows, row_bytes, from_, order, to)
    elif row_bytes <= 32:
        gather_ends(16, n_rows, row_bytes, from_, order, to)
    elif row_bytes <= 64:
        gather_ends(32, n_rows, row_bytes, from_, order, to)
    elif row_bytes <= 128:
        gather_ends(64, n_rows, row_bytes, from_, order, to)
    elif row_bytes < MEMCPY_BYTES:
        for i in range(n_rows):
            row = from_ + order[i] * row_bytes
            j = 0
            while j + 64 < row_bytes:
                memcpy(to + j, row + j, 64)
                j += 64
            memcpy(to + row_bytes - 64, row + row_bytes - 64, 64)
            to += row_bytes
    else:
        for i in range(n_rows):
            memcpy(to + i * row_bytes, from_ + order[i] * row_bytes, row_bytes)


# The sums of n_lanes <= VL neighboring columns.  x: the first row of them, n apart; readable:
# elements that may be read from x on.  Whole vectors are read as long as the rows below make that
# safe.
cdef inline vf sum_rows(bint full, Py_ssize_t n_rows, Py_ssize_t n, Py_ssize_t n_lanes,
                        Py_ssize_t readable, const real *x) noexcept nogil:
    cdef vf s0 = vzero(), s1 = vzero(), s2 = vzero(), s3 = vzero()
    cdef Py_ssize_t n_whole = n_rows
    cdef Py_ssize_t i = 0
    if not full:
        n_whole = (readable - VL) // n + 1 if readable >= VL else 0
        n_whole = min(n_whole, n_rows)
    while i + 4 <= n_whole:
        s0 = s0 + vload(x + i * n)
        s1 = s1 + vload(x + (i + 1) * n)
        s2 = s2 + vload(x + (i + 2) * n)
        s3 = s3 + vload(x + (i + 3) * n)
        i += 4
    while i < n_whole:
        s0 = s0 + vload(x + i * n)
        i += 1
    while i < n_rows:
        s1 = s1 + vload_partial(x + i * n, n_lanes)
        i += 1
    return (s0 + s1) + (s2 + s3)


# x (n_rows, n) where n divides VL: lane l of every vector of the flat x is column l % n, so no lane
# is idle.
cdef inline void sum_narrow(Py_ssize_t n_rows, Py_ssize_t n, const real *x,
                            real *sums) noexcept nogil:
    cdef vf s0 = vzero(), s1 = vzero(), s2 = vzero(), s3 = vzero()
    cdef real lanes[VL]
    cdef Py_ssize_t size = n_rows * n
    cdef Py_ssize_t i = 0
    cdef int j, half
    while i + 4 * VL <= size:
        s0 = s0 + vload(x + i)
        s1 = s1 + vload(x + i + VL)
        s2 = s2 + vload(x + i + 2 * VL)
        s3 = s3 + vload(x + i + 3 * VL)
        i += 4 * VL
    while i + VL <= size:
        s0 = s0 + vload(x + i)
        i += VL
    if i < size:
        s1 = s1 + vload_partial(x + i, size - i)
    vstore(lanes, (s0 + s1) + (s2 + s3))
    half = VL // 2
    while half >= n:
        for j in range(half):
            lanes[j] += lanes[j + half]
        half //= 2
    for j in range(n):
        sums[j] += lanes[j]


# x (n_rows, n), sums (n,):  sums[j] [+]= sum_i x[i, j]
cdef void column_sums(Py_ssize_t n_rows, Py_ssize_t n, const void *x_, bint accumulate,
                      void *sums_) noexcept nogil:
    cdef const real *x = <const real *> x_
    cdef real *sums = <real *> sums_
    cdef Py_ssize_t j = 0
    cdef vf s
    if not accumulate:
        memset(sums, 0, n * sizeof(real))
    if n_rows == 0 or n == 0:
        return
    if n < VL and (n & (n - 1)) == 0:
        sum_narrow(n_rows, n, x, sums)
        return
    while j + VL <= n:
        s = sum_rows(True, n_rows, n, VL, n_rows * n - j, x + j)
        vstore(sums + j, s + vload(sums + j))
        j += VL
    if j < n:
        s = sum_rows(False, n_rows, n, n - j, n_rows * n - j, x + j)
        vstore_partial(sums + j, s + vload_partial(sums + j, n - j), n - j)


# Double lanes: products of floats are exact, and neither a large nor a tiny gradient leaves the
# range of its norm.
cdef inline double fold_lanes(double *lanes) noexcept nogil:
    cdef int i, half = SUM_LANES // 2
    while half > 0:
        for i in range(half):
            lanes[i] += lanes[i + half]
        half //= 2
    return lanes[0]


# x (n,):  sum_i x[i]
cdef double sum_(Py_ssize_t n, const void *x_) noexcept nogil:
    cdef const real *x = <const real *> x_
    cdef double lanes[SUM_LANES]
    cdef Py_ssize_t i = 0
    cdef int j
    memset(lanes, 0, sizeof(lanes))
    while i + SUM_LANES <= n:
        for j in range(SUM_LANES):
            lanes[j] += x[i + j]
        i += SUM_LANES
    for j in range(<int> (n - i)):
        lanes[j] += x[i + j]
    return fold_lanes(lanes)


# x (n,), y (n,):  sum_i x[i] y[i]
cdef double dot(Py_ssize_t n, const void *x_, const void *y_) noexcept nogil:
    cdef const real *x = <const real *> x_
    cdef const real *y = <const real *> y_
    cdef double lanes[SUM_LANES]
    cdef Py_ssize_t i = 0
    cdef int j
    memset(lanes, 0, sizeof(lanes))
    while i + SUM_LANES <= n:
        for j in range(SUM_LANES):
            lanes[j] += <double> x[i + j] * <double> y[i + j]
        i += SUM_LANES
    for j in range(<int> (n - i)):
        lanes[j] += <double> x[i + j] * <double> y[i + j]
    return fold_lanes(lanes)


# x (n,): index of the first NaN or infinity, or -1
# x - x is 0 where x is finite and NaN elsewhere.
cdef Py_ssize_t first_nonfinite(Py_ssize_t n, const void *x_) noexcept nogil:
    cdef const real *x = <const real *> x_
    cdef Py_ssize_t i = 0
    cdef int j
    cdef vf v, bad
    while i + FINITE_BLOCK * VL <= n:
        bad = vzero()
        for j in range(FINITE_BLOCK):
            v = vload(x + i + j * VL)
            bad = bad + (v - v)
        if vany(vnan(bad)):
            break
        i += FINITE_BLOCK * VL
    while i < n:
        if x[i] - x[i] != 0:
            return i
        i += 1
    return -1


# x (n,):  x *= factor
cdef void scale(Py_ssize_t n, double factor, void *x_) noexcept nogil:
    cdef real *x = <real *> x_
    cdef vf f = vset1(<real> factor)
    cdef Py_ssize_t i = 0
    while i + VL <= n:
        vstore(x + i, vload(x + i) * f)
        i += VL
    if i < n:
        vstore_partial(x + i, vload_partial(x + i, n - i) * f, n - i)


# x, y (n,):  y = x y
cdef void multiply(Py_ssize_t n, const void *x_, void *y_) noexcept nogil:
    cdef const real *x = <const real *> x_
    cdef real *y = <real *> y_
    cdef Py_ssize_t i = 0
    while i + VL <= n:
        vstore(y + i, vload(x + i) * vload(y + i))
        i += VL
    if i < n:
        vstore_partial(y + i, vload_partial(x + i, n - i) * vload_partial(y + i, n - i), n - i)


# x, y (n,):  y += factor x
cdef void add(Py_ssize_t n, double factor, const void *x_, void *y_) noexcept nogil:
    cdef const real *x = <const real *> x_
    cdef real *y = <real *> y_
    cdef vf f = vset1(<real> factor)
    cdef Py_ssize_t i = 0
    while i + VL <= n:
        vstore(y + i, vfma(f, vload(x + i), vload(y + i)))
        i += VL
    if i < n:
        vstore_partial(y + i, vfma(f, vload_partial(x + i, n - i), vload_partial(y + i, n - i)),
                       n - i)
