# The names of simd.h.  To Cython a vector is a scalar: arithmetic operators work on it, comparisons
# do not (use vgt ...).
# A literal is a C double: write <real>0.5, or vset1(0.5) where a whole vector is meant.

from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

cdef extern from "simd.h":
    ctypedef real vf
    ctypedef long vi
    ctypedef int vm
    enum: VL
    vf vload(const real *p) noexcept nogil
    void vstore(real *p, vf v) noexcept nogil
    # 0 <= n <= VL; the other lanes are 0
    vf vload_partial(const real *p, Py_ssize_t n) noexcept nogil
    void vstore_partial(real *p, vf v, Py_ssize_t n) noexcept nogil     # 0 <= n <= VL
    vf vset1(real x) noexcept nogil
    vf vzero() noexcept nogil
    vi vset1i(long x) noexcept nogil
    vi vbits(vf v) noexcept nogil
    vf vfrombits(vi i) noexcept nogil
    vi vshift_left(vi a, int n) noexcept nogil
    vi vshift_right(vi a, int n) noexcept nogil                         # arithmetic
    vi vaddi(vi a, vi b) noexcept nogil
    vi vsubi(vi a, vi b) noexcept nogil
    vf vfma(vf a, vf b, vf c) noexcept nogil                            # a b + c
    vf vfnma(vf a, vf b, vf c) noexcept nogil                           # c - a b
    vf vmax(vf a, vf b) noexcept nogil                                  # b where either is NaN
    vf vmin(vf a, vf b) noexcept nogil
    vf vsqrt(vf a) noexcept nogil
    vf vabs(vf a) noexcept nogil
    vf vcopysign(vf magnitude, vf sign) noexcept nogil
    vm vgt(vf a, vf b) noexcept nogil
    vm vge(vf a, vf b) noexcept nogil
    vm vnan(vf a) noexcept nogil
    vf vselect(vm m, vf a, vf b) noexcept nogil                         # m ? a : b
    bint vany(vm m) noexcept nogil
    real vfirst(vf v) noexcept nogil                                    # the first element
    real vsum(vf v) noexcept nogil
    real vmaximum(vf v) noexcept nogil
    void vreduce4(vf a, vf b, vf c, vf d, real *out) noexcept nogil     # the four sums
    vf vrepeat(const real *p, int n) noexcept nogil                     # p[0] n times, p[1] ...
    void vfold(vf v, int n, real *out) noexcept nogil                   # sums of lanes i mod n
    void vprefetch(const real *p) noexcept nogil
