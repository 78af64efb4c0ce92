# The floating-point peak of one core: nothing but fused multiply-adds on registers.

cdef extern from *:
    """
    #if FN_VECTOR_BYTES == 64 || defined(__aarch64__)
    #define FN_CHAINS 20 /* of 32 registers */
    #else
    #define FN_CHAINS 14 /* of 16: a spilled chain would measure the cache */
    #endif
    """
    enum: FN_CHAINS


cdef double fma_chain(Py_ssize_t repeats, double *sink) noexcept nogil:
    # a_i <- a_i factor + term on FN_CHAINS independent vectors, repeats times; returns the number
    # of operations (a multiply-add counts two).  More chains than latency x units are needed: 4 x 2
    # on x86, 4 x 4 on wide ARM cores.  sink holds the factor on entry, so that no compiler knows
    # it, and the sum of the chains on return, so that none is dropped; with a factor in (0, 1) they
    # stay between their start and a fixed point, far from denormals.
    cdef vf factor = vset1(<real> sink[0]), term = vset1(<real> 0.25)
    # Different starts: equal chains would be merged into one
    cdef vf a0 = vset1(<real> 0.50), a1 = vset1(<real> 0.51), a2 = vset1(<real> 0.52)
    cdef vf a3 = vset1(<real> 0.53), a4 = vset1(<real> 0.54), a5 = vset1(<real> 0.55)
    cdef vf a6 = vset1(<real> 0.56), a7 = vset1(<real> 0.57), a8 = vset1(<real> 0.58)
    cdef vf a9 = vset1(<real> 0.59), a10 = vset1(<real> 0.60), a11 = vset1(<real> 0.61)
    cdef vf a12 = vset1(<real> 0.62), a13 = vset1(<real> 0.63), a14 = vset1(<real> 0.64)
    cdef vf a15 = vset1(<real> 0.65), a16 = vset1(<real> 0.66), a17 = vset1(<real> 0.67)
    cdef vf a18 = vset1(<real> 0.68), a19 = vset1(<real> 0.69)
    cdef Py_ssize_t i
    for i in range(repeats):
        a0 = vfma(a0, factor, term)
        a1 = vfma(a1, factor, term)
        a2 = vfma(a2, factor, term)
        a3 = vfma(a3, factor, term)
        a4 = vfma(a4, factor, term)
        a5 = vfma(a5, factor, term)
        a6 = vfma(a6, factor, term)
        a7 = vfma(a7, factor, term)
        a8 = vfma(a8, factor, term)
        a9 = vfma(a9, factor, term)
        a10 = vfma(a10, factor, term)
        a11 = vfma(a11, factor, term)
        a12 = vfma(a12, factor, term)
        a13 = vfma(a13, factor, term)
        if FN_CHAINS == 20:
            a14 = vfma(a14, factor, term)
            a15 = vfma(a15, factor, term)
            a16 = vfma(a16, factor, term)
            a17 = vfma(a17, factor, term)
            a18 = vfma(a18, factor, term)
            a19 = vfma(a19, factor, term)
    a0 = ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7))
    a0 = a0 + ((a8 + a9) + (a10 + a11)) + (a12 + a13)
    if FN_CHAINS == 20:
        a0 = a0 + ((a14 + a15) + (a16 + a17)) + (a18 + a19)
    sink[0] = vsum(a0)
    return 2.0 * VL * FN_CHAINS * repeats
