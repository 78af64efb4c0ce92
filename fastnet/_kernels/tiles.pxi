# The register tile on which every product runs, and products of plain matrices.
#
# A tile is MR rows by NV vectors of accumulators that stay in registers over the whole reduction.
# `tile` is inlined with literal MR and NV, so its loops unroll fully; the compilers reach 95 % of
# the FMA peak with it (plain loops: 2 to 70 %).  Shapes by register file: 8 x 3, 8 x 2, 14 x 1 and
# 4 x 4 with 32 vector registers, 6 x 2, 12 x 1 and 2 x 4 with 16.

cdef extern from "simd.h":
    enum:
        TILE_ROWS           # rows of a tile of 2 vectors, or 3 where WIDEST_TILE is 3
        TILE_ROWS_1         # rows of a tile of 1 vector
        TILE_ROWS_4         # rows of a tile of 4 vectors, for products of few rows
        WIDEST_TILE         # vectors of the widest tall tile

# What a tile does beside adding products
cdef enum:
    ACCUMULATE = 1          # to what is there
    RECTIFY = 2             # max(0, .)


cdef inline void tile(int MR, int NV, Py_ssize_t depth,
                      const real *a, Py_ssize_t a_row, Py_ssize_t a_step,
                      const real *b, Py_ssize_t b_step,
                      real *c, Py_ssize_t c_row,
                      const real *bias, int flags, Py_ssize_t tail) noexcept nogil:
    """c[i, :] = bias + sum_k a[i a_row + k a_step] b[k b_step, :], i < MR, NV vectors wide.

    The last vector has ``tail`` elements of c; b and bias are read in whole vectors.  ACCUMULATE
    takes c in the place of the bias.
    """
    cdef vf sums[14][4]
    cdef vf row[4]
    cdef vf x
    cdef int i, j
    cdef Py_ssize_t k
    if flags & ACCUMULATE:
        for i in range(MR):
            for j in range(NV - 1):
                sums[i][j] = vload(c + i * c_row + j * VL)
            sums[i][NV - 1] = vload_partial(c + i * c_row + (NV - 1) * VL, tail)
    else:
        for j in range(NV):
            x = vload(bias + j * VL) if bias != NULL else vzero()
            for i in range(MR):
                sums[i][j] = x
    for k in range(depth):
        for j in range(NV):
            row[j] = vload(b + j * VL)
        for i in range(MR):
            x = vset1(a[i * a_row])
            for j in range(NV):
                sums[i][j] = vfma(x, row[j], sums[i][j])
        a += a_step
        b += b_step
    # One test for the tile and none for an element: with tests between them the compilers keep
    # copies of the sums on the stack.
    x = vset1(0 if flags & RECTIFY else -INFINITY)
    if tail == VL:
        for i in range(MR):
            for j in range(NV):
                vstore(c + i * c_row + j * VL, vmax(x, sums[i][j]))
    else:
        for i in range(MR):
            for j in range(NV - 1):
                vstore(c + i * c_row + j * VL, vmax(x, sums[i][j]))
            vstore_partial(c + i * c_row + (NV - 1) * VL, vmax(x, sums[i][NV - 1]), tail)


# One tile function for each shape; the count of rows is a run-time argument, so that any number
# of rows splits into strips of nearly equal height.

cdef void tiles_1(int rows, Py_ssize_t depth, const real *a, Py_ssize_t a_row, Py_ssize_t a_step,
                  const real *b, Py_ssize_t b_step, real *c, Py_ssize_t c_row,
                  const real *bias, int flags, Py_ssize_t tail) noexcept nogil:
    if rows == 1: tile(1, 1, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 2: tile(2, 1, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 3: tile(3, 1, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 4: tile(4, 1, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 5: tile(5, 1, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 6: tile(6, 1, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 7: tile(7, 1, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 8: tile(8, 1, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 9: tile(9, 1, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 10: tile(10, 1, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 11: tile(11, 1, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 12: tile(12, 1, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif TILE_ROWS_1 > 12:
        if rows == 13:
            tile(13, 1, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
        else:
            tile(14, 1, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)


cdef void tiles_2(int rows, Py_ssize_t depth, const real *a, Py_ssize_t a_row, Py_ssize_t a_step,
                  const real *b, Py_ssize_t b_step, real *c, Py_ssize_t c_row,
                  const real *bias, int flags, Py_ssize_t tail) noexcept nogil:
    if rows == 1: tile(1, 2, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 2: tile(2, 2, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 3: tile(3, 2, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 4: tile(4, 2, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 5: tile(5, 2, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 6: tile(6, 2, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif TILE_ROWS > 6:
        if rows == 7:
            tile(7, 2, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
        else:
            tile(8, 2, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)


cdef void tiles_3(int rows, Py_ssize_t depth, const real *a, Py_ssize_t a_row, Py_ssize_t a_step,
                  const real *b, Py_ssize_t b_step, real *c, Py_ssize_t c_row,
                  const real *bias, int flags, Py_ssize_t tail) noexcept nogil:
    if WIDEST_TILE < 3:
        return
    if rows == 1: tile(1, 3, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 2: tile(2, 3, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 3: tile(3, 3, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 4: tile(4, 3, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 5: tile(5, 3, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 6: tile(6, 3, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 7: tile(7, 3, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    else: tile(8, 3, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)


cdef void tiles_4(int rows, Py_ssize_t depth, const real *a, Py_ssize_t a_row, Py_ssize_t a_step,
                  const real *b, Py_ssize_t b_step, real *c, Py_ssize_t c_row,
                  const real *bias, int flags, Py_ssize_t tail) noexcept nogil:
    if rows == 1: tile(1, 4, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif rows == 2: tile(2, 4, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
    elif TILE_ROWS_4 > 2:
        if rows == 3: tile(3, 4, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)
        else: tile(4, 4, depth, a, a_row, a_step, b, b_step, c, c_row, bias, flags, tail)


cdef inline int tile_width(Py_ssize_t rows, Py_ssize_t columns) noexcept nogil:
    """Vectors of the next tile for so many rows and remaining columns."""
    if rows <= TILE_ROWS_4 and columns > 3 * VL:
        return 4
    # four vectors are two tiles of two, not three and a thin one
    if WIDEST_TILE == 3 and columns > 2 * VL and not 3 * VL < columns <= 4 * VL:
        return 3
    return 2 if columns > VL else 1


cdef inline Py_ssize_t tile_height(int width) noexcept nogil:
    return TILE_ROWS_1 if width == 1 else TILE_ROWS_4 if width == 4 else TILE_ROWS


cdef void column_panel(int width, Py_ssize_t rows, Py_ssize_t depth,
                       const real *a, Py_ssize_t a_row, Py_ssize_t a_step,
                       const real *b, Py_ssize_t b_step, real *c, Py_ssize_t c_row,
                       const real *bias, int flags, Py_ssize_t tail) noexcept nogil:
    """All rows of ``width`` vectors of c, in strips of nearly equal height."""
    cdef Py_ssize_t height = tile_height(width)
    cdef Py_ssize_t strips = (rows + height - 1) // height
    cdef Py_ssize_t first = 0
    cdef int n
    while strips > 0:
        n = <int> ((rows - first + strips - 1) // strips)
        if width == 3:
            tiles_3(n, depth, a + first * a_row, a_row, a_step, b, b_step,
                    c + first * c_row, c_row, bias, flags, tail)
        elif width == 2:
            tiles_2(n, depth, a + first * a_row, a_row, a_step, b, b_step,
                    c + first * c_row, c_row, bias, flags, tail)
        elif width == 1:
            tiles_1(n, depth, a + first * a_row, a_row, a_step, b, b_step,
                    c + first * c_row, c_row, bias, flags, tail)
        else:
            tiles_4(n, depth, a + first * a_row, a_row, a_step, b, b_step,
                    c + first * c_row, c_row, bias, flags, tail)
        first += n
        strips -= 1


cdef void product(Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t depth,
                  const real *a, Py_ssize_t a_row, Py_ssize_t a_step,
                  const real *b, Py_ssize_t b_step, real *c, Py_ssize_t c_row,
                  const real *bias, int flags) noexcept nogil:
    """c (rows, columns) = a b with b (depth, columns) as it lies: panels of columns."""
    cdef Py_ssize_t column = 0, left
    cdef int width
    while column < columns:
        left = columns - column
        width = tile_width(rows, left)
        column_panel(width, rows, depth, a, a_row, a_step, b + column, b_step,
                     c + column, c_row, bias + column if bias != NULL else bias, flags,
                     min(left - (width - 1) * VL, <Py_ssize_t> VL))
        column += width * VL
