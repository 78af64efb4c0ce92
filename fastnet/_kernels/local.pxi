# Sigmoids of one number by local polynomials, for graphs that are stepped a row at a time.
#
# There each node waits for the one before, so what counts is how long a value takes from its
# argument on, not how many are computed beside it: 22 ns a node with the functions of vectors, 12
# so.  Around each of evenly spaced centers c the function is its Taylor polynomial, to 0.2 u of it:
# no exponential, no division.  Errors are at most 2 units in the last place where a long double has
# more bits than a double.  Outside the table, and for NaN, the functions of vectors serve.
#
# The tables are made once, in graph_prepare(); nothing else here keeps state.

from libc.math cimport expl, tanhl

cdef enum:
    CELLS = 320                         # on each side of 0
    TERMS = 10                          # room of a polynomial

# Largest arguments: CELLS times the distance of two centers, which is a power of two, so that the
# distance from the center is exact
cdef inline int cells_per_unit(int activation) noexcept nogil:
    return 8 if activation == SIGMOID else 16 if activation == TANH else 64


cdef inline int n_terms() noexcept nogil:
    return 6 if sizeof(real) == 4 else 10


cdef real sigmoid_cells[(2 * CELLS + 1) * TERMS]
cdef real steep_sigmoid_cells[(2 * CELLS + 1) * TERMS]
cdef real tanh_cells[(2 * CELLS + 1) * TERMS]
cdef bint cells_are_ready = False


# Taylor coefficients from f' = slope g h, where g and h are f or its complement up to a constant:
# their own coefficients are sign_g and sign_h times those of f
cdef void expand(long double f, long double g, long double h, int sign_g, int sign_h,
                 long double slope, real *terms) noexcept nogil:
    cdef long double c[TERMS]
    cdef long double total, left, right
    cdef int i, k
    c[0] = f
    for k in range(n_terms() - 1):
        total = 0
        for i in range(k + 1):
            left = g if i == 0 else sign_g * c[i]
            right = h if i == k else sign_h * c[k - i]
            total += left * right
        c[k + 1] = slope * total / (k + 1)
    for k in range(n_terms()):
        terms[k] = <real> c[k]


cdef void graph_prepare() noexcept nogil:
    # s' = slope s (1 - s), tanh' = (1 - tanh) (1 + tanh); complements without cancellation
    global cells_are_ready
    cdef long double x, e, steep = (<long double> 49) / 10
    cdef int i
    for i in range(2 * CELLS + 1):
        x = (<long double> (i - CELLS)) / cells_per_unit(SIGMOID)
        expand(1 / (1 + expl(-x)), 1 / (1 + expl(-x)), 1 / (1 + expl(x)), 1, -1, 1,
               sigmoid_cells + i * n_terms())
        x = steep * (i - CELLS) / cells_per_unit(STEEP_SIGMOID)
        expand(1 / (1 + expl(-x)), 1 / (1 + expl(-x)), 1 / (1 + expl(x)), 1, -1, steep,
               steep_sigmoid_cells + i * n_terms())
        x = (<long double> (i - CELLS)) / cells_per_unit(TANH)
        e = expl(2 * x)
        expand(tanhl(x), 2 / (1 + e), 2 / (1 + 1 / e), -1, 1, 1, tanh_cells + i * n_terms())
    cells_are_ready = True


# f(x) of a vector all of whose lanes are x; activation: a literal
cdef inline vf local_value(int activation, const real *cells, vf x) noexcept nogil:
    cdef real per_unit = <real> cells_per_unit(activation)
    cdef vf t, d, d2, p
    cdef real position, middle
    cdef int32_t cell32, middle32
    cdef int64_t cell64, middle64
    cdef const real *c
    # false for NaN
    if not vfirst(vabs(x)) < (CELLS - 1) / per_unit:
        return activate_vector(activation, x)
    t = vfma(x, vset1(per_unit), magic())
    d = vfnma(t - magic(), vset1(1 / per_unit), x)
    # the number of the cell is in the low bits of t
    position = vfirst(t)
    middle = vfirst(magic())
    if sizeof(real) == 4:
        memcpy(&cell32, &position, 4)
        memcpy(&middle32, &middle, 4)
        c = cells + (cell32 - middle32 + CELLS) * n_terms()
    else:
        memcpy(&cell64, &position, 8)
        memcpy(&middle64, &middle, 8)
        c = cells + (cell64 - middle64 + CELLS) * n_terms()
    d2 = d * d
    p = vfma(d2, vfma(d, vset1(c[5]), vset1(c[4])), vfma(d, vset1(c[3]), vset1(c[2])))
    if sizeof(real) == 8:
        p = vfma(
            d2 * d2,
            vfma(d2, vfma(d, vset1(c[9]), vset1(c[8])), vfma(d, vset1(c[7]), vset1(c[6]))), p)
    return vfma(d2, p, vfma(d, vset1(c[1]), vset1(c[0])))


# Any activation on one vector; not inlined, or every node would carry all of them
cdef vf activate_vector(int activation, vf z) noexcept nogil:
    return apply_activation(activation, z)


# Of a vector all of whose lanes are z
cdef inline vf activate_one(int activation, vf z) noexcept nogil:
    if activation == SIGMOID:
        return local_value(SIGMOID, sigmoid_cells, z)
    elif activation == STEEP_SIGMOID:
        return local_value(STEEP_SIGMOID, steep_sigmoid_cells, z)
    elif activation == TANH:
        return local_value(TANH, tanh_cells, z)
    elif activation == RELU or activation == IDENTITY:
        return apply_activation(activation, z)
    return activate_vector(activation, z)
