# Counter-based random streams: Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random
# numbers: as easy as 1, 2, 3").
#
# The key is the seed; the counter is the block in its low and the stream in its high 64 bits.
# Block b of a stream is four words x0 x1 x2 x3 of 32 bits, or two elements of 64: element 2b is x0
# + 2^32 x1 and element 2b + 1 is x2 + 2^32 x3.  Element i therefore depends on (seed, stream, i)
# only, and any slice of a stream can be computed by itself.

cdef enum:
    PHILOX_LANES = 16                   # blocks computed together
    PHILOX_ELEMENTS = 2 * PHILOX_LANES
    PHILOX_WORDS = 4 * PHILOX_LANES

# One word of each of the blocks in every array: loops over lanes, which the compiler makes vectors
ctypedef struct Blocks:
    uint32_t x0[PHILOX_LANES]
    uint32_t x1[PHILOX_LANES]
    uint32_t x2[PHILOX_LANES]
    uint32_t x3[PHILOX_LANES]


cdef inline void philox_round(uint32_t *x0, uint32_t *x1, uint32_t *x2, uint32_t *x3,
                              uint32_t key0, uint32_t key1) noexcept nogil:
    cdef uint64_t product0 = <uint64_t> 0xD2511F53U * x0[0]
    cdef uint64_t product1 = <uint64_t> 0xCD9E8D57U * x2[0]
    x0[0] = <uint32_t> (product1 >> 32) ^ x1[0] ^ key0
    x1[0] = <uint32_t> product1
    x2[0] = <uint32_t> (product0 >> 32) ^ x3[0] ^ key1
    x3[0] = <uint32_t> product0


# Blocks first .. first + PHILOX_LANES - 1.  The ten rounds are written out and local to a lane: so
# the compiler keeps them in vector registers (a loop over lanes inside one over rounds it does not
# vectorize).
cdef void philox(uint64_t seed, uint64_t stream, uint64_t first, Blocks *x) noexcept nogil:
    cdef uint32_t k0 = <uint32_t> seed, k1 = <uint32_t> (seed >> 32)
    cdef uint32_t d0 = 0x9E3779B9U, d1 = 0xBB67AE85U
    cdef uint32_t x0, x1, x2, x3
    cdef int j
    for j in range(PHILOX_LANES):
        x0 = <uint32_t> (first + <uint64_t> j)
        x1 = <uint32_t> ((first + <uint64_t> j) >> 32)
        x2 = <uint32_t> stream
        x3 = <uint32_t> (stream >> 32)
        philox_round(&x0, &x1, &x2, &x3, k0, k1)
        philox_round(&x0, &x1, &x2, &x3, k0 + d0, k1 + d1)
        philox_round(&x0, &x1, &x2, &x3, k0 + 2 * d0, k1 + 2 * d1)
        philox_round(&x0, &x1, &x2, &x3, k0 + 3 * d0, k1 + 3 * d1)
        philox_round(&x0, &x1, &x2, &x3, k0 + 4 * d0, k1 + 4 * d1)
        philox_round(&x0, &x1, &x2, &x3, k0 + 5 * d0, k1 + 5 * d1)
        philox_round(&x0, &x1, &x2, &x3, k0 + 6 * d0, k1 + 6 * d1)
        philox_round(&x0, &x1, &x2, &x3, k0 + 7 * d0, k1 + 7 * d1)
        philox_round(&x0, &x1, &x2, &x3, k0 + 8 * d0, k1 + 8 * d1)
        philox_round(&x0, &x1, &x2, &x3, k0 + 9 * d0, k1 + 9 * d1)
        x.x0[j] = x0
        x.x1[j] = x1
        x.x2[j] = x2
        x.x3[j] = x3


cdef inline void block_bits(const Blocks *x, uint64_t *bits) noexcept nogil:
    cdef int j
    for j in range(PHILOX_LANES):
        bits[2 * j] = x.x0[j] | <uint64_t> x.x1[j] << 32
        bits[2 * j + 1] = x.x2[j] | <uint64_t> x.x3[j] << 32


# The top 53 or 24 bits of an element.  Every step is exact, so all instruction sets agree.
cdef inline real unit(uint32_t low, uint32_t high) noexcept nogil:
    if sizeof(real) == 8:
        return <real> (high * (1.0 / 4294967296.0) + (low >> 11) * (1.0 / 9007199254740992.0))
    return <real> <int32_t> (high >> 8) * <real> (1.0 / 16777216.0)


cdef inline void block_uniform(const Blocks *x, real *u) noexcept nogil:
    cdef int j
    for j in range(PHILOX_LANES):
        u[2 * j] = unit(x.x0[j], x.x1[j])
        u[2 * j + 1] = unit(x.x2[j], x.x3[j])


# Box & Muller 1958: with u in (0, 1] from the first and v in [0, 1) from the second element,
#   z0 = sqrt(-2 log u) cos 2 pi v,   z1 = sqrt(-2 log u) sin 2 pi v
# In float32 u takes all of the high word, so that the tails reach 6.7 and not only 5.7.
cdef inline void block_normal(const Blocks *x, real *z) noexcept nogil:
    cdef real u[PHILOX_LANES]
    cdef real v[PHILOX_LANES]
    cdef vf radius, turns
    cdef int j
    for j in range(PHILOX_LANES):
        v[j] = unit(x.x2[j], x.x3[j])
        if sizeof(real) == 8:
            u[j] = 1 - unit(x.x0[j], x.x1[j])
        else:
            u[j] = <real> ((x.x1[j] + 0.5) * (1.0 / 4294967296.0))
    j = 0
    while j < PHILOX_LANES:
        radius = vsqrt(vset1(<real> -2) * vlog(vload(u + j)))
        turns = vload(v + j)
        vstore(u + j, radius * vcos_turns(turns))
        vstore(v + j, radius * vsin_turns(turns))
        j += VL
    for j in range(PHILOX_LANES):
        z[2 * j] = u[j]
        z[2 * j + 1] = v[j]


# bits (n,): elements first .. first + n - 1
cdef void random_bits(uint64_t seed, uint64_t stream, uint64_t first, Py_ssize_t n,
                      uint64_t *bits) noexcept nogil:
    cdef Blocks x
    cdef uint64_t some[PHILOX_ELEMENTS]
    cdef uint64_t block = first >> 1
    cdef Py_ssize_t skip = first & 1, m
    while n > 0:
        philox(seed, stream, block, &x)
        if skip == 0 and n >= PHILOX_ELEMENTS:
            m = PHILOX_ELEMENTS
            block_bits(&x, bits)
        else:
            m = min(n, PHILOX_ELEMENTS - skip)
            block_bits(&x, some)
            memcpy(bits, some + skip, m * sizeof(uint64_t))
            skip = 0
        bits += m
        n -= m
        block += PHILOX_LANES


# out (n,): the numbers of elements first .. first + n - 1.  normal is a literal of the caller.
cdef inline void random_reals(bint normal, uint64_t seed, uint64_t stream, uint64_t first,
                              Py_ssize_t n, real *out) noexcept nogil:
    cdef Blocks x
    cdef real some[PHILOX_ELEMENTS]
    cdef real *to
    cdef uint64_t block = first >> 1
    cdef Py_ssize_t skip = first & 1, m
    while n > 0:
        philox(seed, stream, block, &x)
        m = min(n, PHILOX_ELEMENTS - skip)
        to = out if m == PHILOX_ELEMENTS else some
        if normal:
            block_normal(&x, to)
        else:
            block_uniform(&x, to)
        if m < PHILOX_ELEMENTS:
            memcpy(out, some + skip, m * sizeof(real))
            skip = 0
        out += m
        n -= m
        block += PHILOX_LANES


cdef void uniform(uint64_t seed, uint64_t stream, uint64_t first, Py_ssize_t n,
                  void *x) noexcept nogil:
    random_reals(False, seed, stream, first, n, <real *> x)


cdef void normal(uint64_t seed, uint64_t stream, uint64_t first, Py_ssize_t n,
                 void *x) noexcept nogil:
    random_reals(True, seed, stream, first, n, <real *> x)


# order (n,): a uniform permutation of 0 .. n - 1.  Fisher & Yates (Durstenfeld 1964) with the words
# of the stream one after another, each made a number below the bound by Lemire's multiply and
# shift (2019), with the rejection that makes it exact.
cdef void permutation(uint64_t seed, uint64_t stream, Py_ssize_t n,
                      int32_t *order) noexcept nogil:
    cdef Blocks x
    cdef uint32_t words[PHILOX_WORDS]
    cdef uint64_t block = 0, product
    cdef uint32_t bound
    cdef int next_word = PHILOX_WORDS, j
    cdef Py_ssize_t i
    cdef int32_t other
    for i in range(n):
        order[i] = <int32_t> i
    for i in range(n - 1, 0, -1):
        bound = <uint32_t> (i + 1)
        while True:
            if next_word == PHILOX_WORDS:
                philox(seed, stream, block, &x)
                for j in range(PHILOX_LANES):
                    words[4 * j] = x.x0[j]
                    words[4 * j + 1] = x.x1[j]
                    words[4 * j + 2] = x.x2[j]
                    words[4 * j + 3] = x.x3[j]
                block += PHILOX_LANES
                next_word = 0
            product = <uint64_t> words[next_word] * bound
            next_word += 1
            if <uint32_t> product >= bound or <uint32_t> product >= (0 - bound) % bound:
                break
        j = <int> (product >> 32)
        other = order[i]
        order[i] = order[j]
        order[j] = other
