# Products of a dense layer: forward, by the weights, by the inputs, and the product of one row.

cdef extern from "simd.h":
    enum: TRANSPOSE_BLOCK
    # destination (TRANSPOSE_BLOCK, TRANSPOSE_BLOCK) = transpose of source
    void transpose_block(const real *source, Py_ssize_t row_stride, real *destination,
                         Py_ssize_t destination_stride) noexcept nogil

cdef enum:
    K_BLOCK = 400           # depth of a packed panel at most: 75 KB with 48 columns of float32
    NARROW = 4              # layers of so few outputs are computed transposed
    STRIPS = 16             # row strips packed at once by gradient_weights
    PACKED_ROWS = 256


cdef inline Py_ssize_t round_up(Py_ssize_t n) noexcept nogil:
    return (n + VL - 1) // VL * VL


cdef inline Py_ssize_t even_block(Py_ssize_t depth) noexcept nogil:
    """Depth of blocks of at most K_BLOCK that are all about the same: none is thin."""
    cdef Py_ssize_t blocks = (depth + K_BLOCK - 1) // K_BLOCK
    return (depth + blocks - 1) // blocks if blocks > 1 else K_BLOCK


cdef inline bint packs_weights(Py_ssize_t n_rows, Py_ssize_t n_inputs,
                               Py_ssize_t n_outputs) noexcept nogil:
    """Whether a forward product copies panels of the weights: they come from beyond the L2."""
    return n_rows >= 48 and n_inputs * n_outputs * <Py_ssize_t> sizeof(real) > 262144


cdef inline bint packs_inputs(Py_ssize_t n_rows, Py_ssize_t n_inputs,
                              Py_ssize_t n_outputs) noexcept nogil:
    """Whether gradient_weights copies strips of x, whose columns are far apart."""
    return n_rows >= 16 and n_inputs * n_outputs >= 32768


cdef Py_ssize_t matmul_scratch(Py_ssize_t n_rows, Py_ssize_t n_inputs,
                               Py_ssize_t n_outputs) noexcept nogil:
    """Bytes of scratch for any of the three products of these shapes."""
    cdef Py_ssize_t panel = 4 * VL
    cdef Py_ssize_t size = min(n_outputs, <Py_ssize_t> K_BLOCK) * panel
    if packs_weights(n_rows, n_inputs, n_outputs):
        size = max(size, K_BLOCK * panel)
    if packs_inputs(n_rows, n_inputs, n_outputs):
        size = max(size, STRIPS * TILE_ROWS * <Py_ssize_t> PACKED_ROWS)
    if n_outputs <= NARROW:
        size = max(size, NARROW * round_up(n_inputs))
    return (size + 4 * VL) * sizeof(real)


# ---- forward ---------------------------------------------------------------------------------

cdef inline void dots(int N, Py_ssize_t n_rows, Py_ssize_t n_inputs, const real *x,
                      const real *w, Py_ssize_t w_row, const real *b, bint rectify,
                      real *y) noexcept nogil:
    """y (n_rows, N) = x (n_rows, n_inputs) w^T + b with w (N, n_inputs) in rows of w_row.

    A dot product for each element: with so few outputs a tile would leave most lanes empty.
    """
    cdef vf sums[4 * NARROW]
    cdef vf column[NARROW]
    cdef vf v
    cdef real total[4 * NARROW]
    cdef real sum_
    cdef Py_ssize_t row, k, tail = n_inputs % VL, whole = n_inputs - n_inputs % VL
    cdef int i, j, n = 4
    memset(total, 0, sizeof(total))
    for row in range(0, n_rows, 4):
        if n_rows - row < 4:
            n = <int> (n_rows - row)
        for i in range(4 * N):
            sums[i] = vzero()
        k = 0
        while k < whole:
            for j in range(N):
                column[j] = vload(w + j * w_row + k)
            for i in range(4):
                # rows past the last one repeat it: no address outside x is formed
                v = vload(x + (row + min(i, n - 1)) * n_inputs + k)
                for j in range(N):
                    sums[i * N + j] = vfma(v, column[j], sums[i * N + j])
            k += VL
        if tail:
            for j in range(N):
                column[j] = vload_partial(w + j * w_row + whole, tail)
            for i in range(4):
                v = vload_partial(x + (row + min(i, n - 1)) * n_inputs + whole, tail)
                for j in range(N):
                    sums[i * N + j] = vfma(v, column[j], sums[i * N + j])
        for i in range(N):
            vreduce4(sums[4 * i], sums[4 * i + 1], sums[4 * i + 2], sums[4 * i + 3], &total[4 * i])
        for i in range(n):
            for j in range(N):
                sum_ = total[i * N + j] + (b[j] if b != NULL else 0)
                if rectify and sum_ < 0:
                    sum_ = 0
                y[(row + i) * N + j] = sum_


cdef void narrow_forward(Py_ssize_t n_rows, Py_ssize_t n_inputs, Py_ssize_t n_outputs,
                         const real *x, const real *w, const real *b, bint rectify, real *y,
                         real *scratch) noexcept nogil:
    cdef Py_ssize_t w_row = round_up(n_inputs), k
    cdef int j
    if n_outputs == 1:
        # w (n_inputs, 1) already is its transpose
        dots(1, n_rows, n_inputs, x, w, n_inputs, b, rectify, y)
        return
    for j in range(<int> n_outputs):
        for k in range(n_inputs):
            scratch[j * w_row + k] = w[k * n_outputs + j]
    if n_outputs == 2: dots(2, n_rows, n_inputs, x, scratch, w_row, b, rectify, y)
    elif n_outputs == 3: dots(3, n_rows, n_inputs, x, scratch, w_row, b, rectify, y)
    else: dots(4, n_rows, n_inputs, x, scratch, w_row, b, rectify, y)


cdef inline void copy_panel(int NV, Py_ssize_t depth, const real *w, Py_ssize_t w_row,
                            real *panel) noexcept nogil:
    """panel (depth, NV vectors) = as many columns of w, asked for early: they come from far."""
    cdef int j
    cdef Py_ssize_t p
    for p in range(depth):
        vprefetch(w + 16 * w_row)
        vprefetch(w + 16 * w_row + (NV - 1) * VL)
        for j in range(NV):
            vstore(panel + j * VL, vload(w + j * VL))
        w += w_row
        panel += NV * VL


cdef void affine(Py_ssize_t n_rows, Py_ssize_t n_inputs, Py_ssize_t n_outputs, const real *x,
                 const real *w, const real *b, bint rectify, real *y, real *scratch) noexcept nogil:
    """y (n_rows, n_outputs) = x w + b, rectified where asked."""
    cdef Py_ssize_t k, depth, block, column, left, stride
    cdef bint pack = packs_weights(n_rows, n_inputs, n_outputs)
    cdef const real *bias
    cdef const real *source
    cdef int flags, width
    # A dot costs about 6 vector operations for its sum, a tile VL - n_outputs idle lanes.
    if (0 < n_outputs <= NARROW and n_inputs * (VL - n_outputs) > 6 * VL * n_outputs
            and n_rows >= 4):
        narrow_forward(n_rows, n_inputs, n_outputs, x, w, b, rectify, y, scratch)
        return
    block = even_block(n_inputs)
    if n_inputs <= K_BLOCK + K_BLOCK // 2 and not pack or n_rows < 8:
        block = max(n_inputs, <Py_ssize_t> 1)
    if n_inputs == 0:
        product(n_rows, n_outputs, 0, x, 0, 1, w, n_outputs, y, n_outputs, b,
                RECTIFY if rectify else 0)
    k = -block
    while k + block < n_inputs:
        k += block
        depth = min(n_inputs - k, block)
        bias = b if k == 0 else NULL
        flags = (ACCUMULATE if k else 0) | (RECTIFY if rectify and k + depth == n_inputs else 0)
        if not pack:
            product(n_rows, n_outputs, depth, x + k, n_inputs, 1, w + k * n_outputs, n_outputs,
                    y, n_outputs, bias, flags)
            continue
        column = 0
        while column < n_outputs:
            left = n_outputs - column
            width = tile_width(n_rows, left)
            stride = width * VL
            source = w + k * n_outputs + column
            if width == 3: copy_panel(3, depth, source, n_outputs, scratch)
            elif width == 2: copy_panel(2, depth, source, n_outputs, scratch)
            else: copy_panel(1, depth, source, n_outputs, scratch)
            column_panel(width, n_rows, depth, x + k, n_inputs, 1, scratch, stride, y + column,
                         n_outputs, bias + column if bias != NULL else bias, flags,
                         min(left - (width - 1) * VL, <Py_ssize_t> VL))
            column += stride


cdef void matmul(Py_ssize_t n_rows, Py_ssize_t n_inputs, Py_ssize_t n_outputs, const void *x,
                 const void *w, const void *b, int activation, void *y,
                 void *scratch) noexcept nogil:
    affine(n_rows, n_inputs, n_outputs, <const real *> x, <const real *> w, <const real *> b,
           activation == RELU, <real *> y, <real *> scratch)
    if activation == SOFTMAX:
        softmax(n_rows, n_outputs, y, y)
    elif activation != RELU and activation != IDENTITY:
        activate(activation, n_rows * n_outputs, y, y)


# ---- by the weights --------------------------------------------------------------------------

cdef void gradient_weights(Py_ssize_t n_rows, Py_ssize_t n_inputs, Py_ssize_t n_outputs,
                           const void *x_, const void *d_, bint accumulate, void *d_w_,
                           void *scratch_) noexcept nogil:
    """d_w (n_inputs, n_outputs) [+]= x^T d with x (n_rows, n_inputs), d (n_rows, n_outputs)."""
    cdef const real *x = <const real *> x_
    cdef const real *d = <const real *> d_
    cdef real *d_w = <real *> d_w_
    cdef real *scratch = <real *> scratch_
    cdef Py_ssize_t row = 0, rows, first, wide, strip, i, m, j, column, left, stride
    cdef const real *source
    cdef real *packed
    cdef int width, flags = ACCUMULATE if accumulate else 0
    if n_outputs == 1:
        # (d^T x)^T, and d_w (n_inputs, 1) already is that transpose
        product(1, n_inputs, n_rows, d, 1, 1, x, n_inputs, d_w, n_inputs, NULL, flags)
        return
    if n_outputs <= NARROW and n_inputs > n_outputs:
        # (d^T x)^T: the inputs are the wide side
        stride = round_up(n_inputs)
        product(n_outputs, n_inputs, n_rows, d, 1, n_outputs, x, n_inputs, scratch, stride, NULL, 0)
        for i in range(n_inputs):
            for j in range(n_outputs):
                if accumulate:
                    d_w[i * n_outputs + j] += scratch[j * stride + i]
                else:
                    d_w[i * n_outputs + j] = scratch[j * stride + i]
        return
    if not packs_inputs(n_rows, n_inputs, n_outputs):
        product(n_inputs, n_outputs, n_rows, x, 1, n_inputs, d, n_outputs, d_w, n_outputs, NULL,
                flags)
        return
    while row < n_rows:
        rows = min(n_rows - row, <Py_ssize_t> PACKED_ROWS)
        first = 0
        while first < n_inputs:
            wide = min(n_inputs - first, <Py_ssize_t> (STRIPS * TILE_ROWS))
            # scratch (strips, rows, TILE_ROWS)
            for strip in range(wide // TILE_ROWS):
                source = x + row * n_inputs + first + strip * TILE_ROWS
                packed = scratch + strip * TILE_ROWS * rows
                for m in range(rows):
                    for i in range(TILE_ROWS):
                        packed[m * TILE_ROWS + i] = source[m * n_inputs + i]
            column = 0
            while column < n_outputs:
                left = n_outputs - column
                width = tile_width(TILE_ROWS, left)
                left = min(left - (width - 1) * VL, <Py_ssize_t> VL)
                for strip in range(wide // TILE_ROWS):
                    column_panel(width, TILE_ROWS, rows, scratch + strip * TILE_ROWS * rows, 1,
                                 TILE_ROWS, d + row * n_outputs + column, n_outputs,
                                 d_w + (first + strip * TILE_ROWS) * n_outputs + column, n_outputs,
                                 NULL, flags, left)
                strip = wide // TILE_ROWS * TILE_ROWS
                if strip < wide:
                    column_panel(width, wide - strip, rows, x + row * n_inputs + first + strip, 1,
                                 n_inputs, d + row * n_outputs + column, n_outputs,
                                 d_w + (first + strip) * n_outputs + column, n_outputs, NULL,
                                 flags, left)
                column += width * VL
            first += wide
        row += rows
        flags = ACCUMULATE


# ---- by the inputs ---------------------------------------------------------------------------

cdef void pack_transposed(Py_ssize_t columns, Py_ssize_t depth, const real *w, Py_ssize_t w_row,
                          real *packed, Py_ssize_t stride) noexcept nogil:
    """packed[p, j] = w[j, p], j < columns, p < depth."""
    cdef Py_ssize_t j = 0, p, i
    while j + TRANSPOSE_BLOCK <= columns:
        p = 0
        while p + TRANSPOSE_BLOCK <= depth:
            transpose_block(w + j * w_row + p, w_row, packed + p * stride + j, stride)
            p += TRANSPOSE_BLOCK
        while p < depth:
            for i in range(TRANSPOSE_BLOCK):
                packed[p * stride + j + i] = w[(j + i) * w_row + p]
            p += 1
        j += TRANSPOSE_BLOCK
    while j < columns:
        for p in range(depth):
            packed[p * stride + j] = w[j * w_row + p]
        j += 1


cdef void gradient_inputs(Py_ssize_t n_rows, Py_ssize_t n_inputs, Py_ssize_t n_outputs,
                          const void *d_, const void *w_, void *d_x_,
                          void *scratch_) noexcept nogil:
    """d_x (n_rows, n_inputs) = d (n_rows, n_outputs) w^T: panels of w are transposed on the way."""
    cdef const real *d = <const real *> d_
    cdef const real *w = <const real *> w_
    cdef real *d_x = <real *> d_x_
    cdef real *scratch = <real *> scratch_
    cdef Py_ssize_t k = 0, depth, column, left, stride, used
    cdef int width, flags
    if n_outputs <= 1:
        # w (n_inputs, 1) already is its transpose
        product(n_rows, n_inputs, n_outputs, d, 1, 1, w, n_inputs, d_x, n_inputs, NULL, 0)
        return
    while k < n_outputs:
        depth = min(n_outputs - k, even_block(n_outputs))
        flags = ACCUMULATE if k else 0
        column = 0
        while column < n_inputs:
            left = n_inputs - column
            width = tile_width(n_rows, left)
            stride = width * VL
            used = min(left, stride)
            pack_transposed(used, depth, w + column * n_outputs + k, n_outputs, scratch, stride)
            column_panel(width, n_rows, depth, d + k, n_outputs, 1, scratch, stride, d_x + column,
                         n_inputs, NULL, flags, used - (width - 1) * VL)
            column += stride
        k += depth


# ---- one row ---------------------------------------------------------------------------------

cdef inline void row_block(int NV, int SPLIT, Py_ssize_t n_inputs, const real *x, const real *w,
                           Py_ssize_t w_row, const real *b, int activation, real *y) noexcept nogil:
    """NV vectors of y = f(x w + b); the sum is split in SPLIT chains to hide the FMA latency."""
    cdef vf sums[8][8]
    cdef vf v
    cdef int s, j
    cdef Py_ssize_t k = 0
    for j in range(NV):
        sums[0][j] = vload(b + j * VL) if b != NULL else vzero()
        for s in range(1, SPLIT):
            sums[s][j] = vzero()
    while k + SPLIT <= n_inputs:
        for s in range(SPLIT):
            v = vset1(x[k + s])
            for j in range(NV):
                sums[s][j] = vfma(v, vload(w + s * w_row + j * VL), sums[s][j])
        w += SPLIT * w_row
        k += SPLIT
    while k < n_inputs:
        v = vset1(x[k])
        for j in range(NV):
            sums[0][j] = vfma(v, vload(w + j * VL), sums[0][j])
        w += w_row
        k += 1
    for j in range(NV):
        v = sums[0][j]
        for s in range(1, SPLIT):
            v = v + sums[s][j]
        vstore(y + j * VL, apply_common(activation, v))


cdef inline void row_narrow(int N, Py_ssize_t n_inputs, const real *x, const real *w,
                            const real *b, int activation, real *y) noexcept nogil:
    """y (N) = f(x w + b) for N = 1, 2, 4: w as one flat vector against every x repeated N times.

    Rows of so few weights would be loaded one by one, most of them across cache lines.
    """
    cdef vf sums[4]
    cdef real total[4]
    cdef Py_ssize_t step = VL // N, k = 0
    cdef int i
    for i in range(4):
        sums[i] = vzero()
    while k + 4 * step <= n_inputs:
        for i in range(4):
            sums[i] = vfma(vrepeat(x + k + i * step, N), vload(w + (k + i * step) * N), sums[i])
        k += 4 * step
    while k + step <= n_inputs:
        sums[0] = vfma(vrepeat(x + k, N), vload(w + k * N), sums[0])
        k += step
    vfold((sums[0] + sums[1]) + (sums[2] + sums[3]), N, total)
    while k < n_inputs:
        for i in range(N):
            total[i] += x[k] * w[k * N + i]
        k += 1
    for i in range(N):
        y[i] = total[i] + (b[i] if b != NULL else 0)
    if activation != IDENTITY:
        vstore_partial(y, apply_common(activation, vload_partial(y, N)), N)


cdef void matvec(Py_ssize_t n_inputs, Py_ssize_t n_outputs, const void *x_, const void *w_,
                 const void *b_, int activation, void *y_) noexcept nogil:
    """y (n_outputs) = f(x w + b)."""
    cdef const real *x = <const real *> x_
    cdef const real *w = <const real *> w_
    cdef const real *b = <const real *> b_
    cdef real *y = <real *> y_
    cdef Py_ssize_t n = 0, vectors
    if not is_common(activation):
        matvec(n_inputs, n_outputs, x_, w_, b_, IDENTITY, y_)
        if activation == SOFTMAX:
            softmax(1, n_outputs, y_, y_)
        else:
            activate(activation, n_outputs, y_, y_)
        return
    if n_outputs < VL and (n_outputs == 1 or n_outputs == 2 or n_outputs == 4):
        if n_outputs == 1: row_narrow(1, n_inputs, x, w, b, activation, y)
        elif n_outputs == 2: row_narrow(2, n_inputs, x, w, b, activation, y)
        else: row_narrow(4, n_inputs, x, w, b, activation, y)
        return
    while n < n_outputs:
        vectors = (n_outputs - n + VL - 1) // VL
        if b != NULL:
            b = <const real *> b_ + n
        if vectors == 1: row_block(1, 8, n_inputs, x, w + n, n_outputs, b, activation, y + n)
        elif vectors == 2: row_block(2, 4, n_inputs, x, w + n, n_outputs, b, activation, y + n)
        elif vectors == 3: row_block(3, 2, n_inputs, x, w + n, n_outputs, b, activation, y + n)
        elif vectors == 4: row_block(4, 2, n_inputs, x, w + n, n_outputs, b, activation, y + n)
        elif vectors == 5: row_block(5, 1, n_inputs, x, w + n, n_outputs, b, activation, y + n)
        elif vectors == 6: row_block(6, 1, n_inputs, x, w + n, n_outputs, b, activation, y + n)
        elif vectors == 7: row_block(7, 1, n_inputs, x, w + n, n_outputs, b, activation, y + n)
        else: row_block(8, 1, n_inputs, x, w + n, n_outputs, b, activation, y + n)
        n += 8 * VL
