/* The vector type that every kernel is written on, and the few operations that Cython cannot spell.
 *
 * setup.py defines FN_DOUBLE (0: float, 1: double) and FN_VECTOR_BYTES (64 AVX-512, 32 AVX2 + FMA,
 * 16 SSE2 or NEON, 0 plain C) for each kernel module; nothing here looks at the build host.  Loads
 * and stores take any address that is aligned for one element.  Comparisons give a mask (vm) for
 * vselect; vmax and vmin return b where either is NaN. */
#ifndef FASTNET_SIMD_H
#define FASTNET_SIMD_H
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if FN_VECTOR_BYTES && !defined(__GNUC__) && !defined(__clang__)
#error "vectors need gcc, clang or clang-cl: other compilers build the scalar kernels only"
#endif

#if FN_VECTOR_BYTES == 64 || FN_VECTOR_BYTES == 32
#include <immintrin.h>
#elif defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#elif defined(__aarch64__) && FN_VECTOR_BYTES
#include <arm_neon.h>
#endif

#if FN_DOUBLE
typedef double fn_real;
typedef int64_t fn_int;
typedef uint64_t fn_uint;
#define FN_PICK(single, twice) twice
#else
typedef float fn_real;
typedef int32_t fn_int;
typedef uint32_t fn_uint;
#define FN_PICK(single, twice) single
#endif

#if defined(__GNUC__) || defined(__clang__)
#define FN_OP static inline __attribute__((always_inline))
#else
#define FN_OP static inline
#endif

#if FN_VECTOR_BYTES == 0 /* plain C: a vector of one element */

enum { VL = 1 };
typedef fn_real vf;
typedef fn_int vi;
typedef int vm;

FN_OP vf vload(const fn_real *p) { return *p; }
FN_OP void vstore(fn_real *p, vf v) { *p = v; }
FN_OP vf vload_partial(const fn_real *p, ptrdiff_t n) { return n > 0 ? *p : 0; }
FN_OP void vstore_partial(fn_real *p, vf v, ptrdiff_t n) { if (n > 0) *p = v; }
FN_OP vf vset1(fn_real x) { return x; }
FN_OP vi vset1i(fn_int x) { return x; }
FN_OP vi vbits(vf v) { vi i; memcpy(&i, &v, sizeof i); return i; }
FN_OP vf vfrombits(vi i) { vf v; memcpy(&v, &i, sizeof v); return v; }
FN_OP vi vshift_left(vi a, int n) { return (vi)((fn_uint)a << n); }
FN_OP vi vshift_right(vi a, int n) { return a >> n; }
FN_OP vi vaddi(vi a, vi b) { return (vi)((fn_uint)a + (fn_uint)b); }
FN_OP vi vsubi(vi a, vi b) { return (vi)((fn_uint)a - (fn_uint)b); }
FN_OP vf vfma(vf a, vf b, vf c) { return a * b + c; }
FN_OP vf vfnma(vf a, vf b, vf c) { return c - a * b; }
FN_OP vf vmax(vf a, vf b) { return a > b ? a : b; }
FN_OP vf vmin(vf a, vf b) { return a < b ? a : b; }
FN_OP vf vsqrt(vf a) { return FN_PICK(sqrtf, sqrt)(a); }
FN_OP vm vgt(vf a, vf b) { return a > b; }
FN_OP vm vge(vf a, vf b) { return a >= b; }
FN_OP vm vnan(vf a) { return a != a; }
FN_OP vf vselect(vm m, vf a, vf b) { return m ? a : b; }
FN_OP int vany(vm m) { return m; }
FN_OP fn_real vfirst(vf v) { return v; }
FN_OP fn_real vsum(vf v) { return v; }
FN_OP fn_real vmaximum(vf v) { return v; }
FN_OP void vreduce4(vf a, vf b, vf c, vf d, fn_real *out) {
    out[0] = a;
    out[1] = b;
    out[2] = c;
    out[3] = d;
}
FN_OP vf vrepeat(const fn_real *p, int n) { (void)n; return *p; }
FN_OP void vfold(vf v, int n, fn_real *out) { (void)n; *out = v; }

#else /* GNU vector extensions (gcc, clang, clang-cl) */

enum { VL = FN_VECTOR_BYTES / sizeof(fn_real) };
typedef fn_real vf __attribute__((vector_size(FN_VECTOR_BYTES), aligned(FN_PICK(4, 8)), may_alias));
typedef fn_int vi __attribute__((vector_size(FN_VECTOR_BYTES), aligned(FN_PICK(4, 8)), may_alias));

FN_OP vf vload(const fn_real *p) { return *(const vf *)p; }
FN_OP void vstore(fn_real *p, vf v) { *(vf *)p = v; }
FN_OP fn_real vfirst(vf v) { return v[0]; }
FN_OP vi vbits(vf v) { return (vi)v; }
FN_OP vf vfrombits(vi i) { return (vf)i; }
FN_OP vi vshift_left(vi a, int n) { return a << n; }
FN_OP vi vshift_right(vi a, int n) { return a >> n; }
FN_OP vi vaddi(vi a, vi b) { return a + b; }
FN_OP vi vsubi(vi a, vi b) { return a - b; }

#if FN_VECTOR_BYTES == 64
#define FN_V FN_PICK(__m512, __m512d)
#define FN_X(name) FN_PICK(_mm512_##name##_ps, _mm512_##name##_pd)
#define FN_MASK(n) ((FN_PICK(__mmask16, __mmask8))((1u << (n)) - 1))
typedef FN_PICK(__mmask16, __mmask8) vm;
FN_OP vf vset1(fn_real x) { return (vf)FN_X(set1)(x); }
FN_OP vi vset1i(fn_int x) { return (vi)FN_PICK(_mm512_set1_epi32, _mm512_set1_epi64)(x); }
FN_OP vf vload_partial(const fn_real *p, ptrdiff_t n) {
    return (vf)FN_X(maskz_loadu)(FN_MASK(n), p);
}
FN_OP void vstore_partial(fn_real *p, vf v, ptrdiff_t n) {
    FN_X(mask_storeu)(p, FN_MASK(n), (FN_V)v);
}
FN_OP vf vfma(vf a, vf b, vf c) { return (vf)FN_X(fmadd)((FN_V)a, (FN_V)b, (FN_V)c); }
FN_OP vf vfnma(vf a, vf b, vf c) { return (vf)FN_X(fnmadd)((FN_V)a, (FN_V)b, (FN_V)c); }
FN_OP vf vmax(vf a, vf b) { return (vf)FN_X(max)((FN_V)a, (FN_V)b); }
FN_OP vf vmin(vf a, vf b) { return (vf)FN_X(min)((FN_V)a, (FN_V)b); }
FN_OP vf vsqrt(vf a) { return (vf)FN_X(sqrt)((FN_V)a); }
FN_OP vm vgt(vf a, vf b) {
    return FN_PICK(_mm512_cmp_ps_mask, _mm512_cmp_pd_mask)((FN_V)a, (FN_V)b, _CMP_GT_OQ);
}
FN_OP vm vge(vf a, vf b) {
    return FN_PICK(_mm512_cmp_ps_mask, _mm512_cmp_pd_mask)((FN_V)a, (FN_V)b, _CMP_GE_OQ);
}
FN_OP vm vnan(vf a) {
    return FN_PICK(_mm512_cmp_ps_mask, _mm512_cmp_pd_mask)((FN_V)a, (FN_V)a, _CMP_UNORD_Q);
}
FN_OP vf vselect(vm m, vf a, vf b) { return (vf)FN_X(mask_blend)(m, (FN_V)b, (FN_V)a); }
FN_OP int vany(vm m) { return m != 0; }
FN_OP fn_real vsum(vf v) { return FN_X(reduce_add)((FN_V)v); }
FN_OP fn_real vmaximum(vf v) { return FN_X(reduce_max)((FN_V)v); }

#else /* 16 and 32 bytes */

typedef vi vm;
FN_OP vf vset1(fn_real x) { return x - (vf){0}; } /* keeps the sign of zero */
FN_OP vi vset1i(fn_int x) { return (vi){0} + x; }
FN_OP vm vgt(vf a, vf b) { return (vm)(a > b); }
FN_OP vm vge(vf a, vf b) { return (vm)(a >= b); }
FN_OP vm vnan(vf a) { return (vm)(a != a); }
FN_OP vf vselect(vm m, vf a, vf b) { return (vf)((m & (vi)a) | (~m & (vi)b)); }
FN_OP fn_real vsum(vf v) {
    fn_real s[VL];
    vstore(s, v);
    for (int w = VL / 2; w > 0; w /= 2)
        for (int i = 0; i < w; i++) s[i] += s[i + w];
    return s[0];
}
FN_OP fn_real vmaximum(vf v) {
    fn_real s[VL];
    vstore(s, v);
    for (int i = 1; i < VL; i++) s[0] = s[i] > s[0] ? s[i] : s[0];
    return s[0];
}

#if FN_VECTOR_BYTES == 32
#define FN_V FN_PICK(__m256, __m256d)
#define FN_X(name) FN_PICK(_mm256_##name##_ps, _mm256_##name##_pd)
static const fn_int fn_tail_mask[2 * VL] = {
    -1, -1, -1, -1, FN_PICK(-1, 0), FN_PICK(-1, 0), FN_PICK(-1, 0), FN_PICK(-1, 0)};
FN_OP vf vload_partial(const fn_real *p, ptrdiff_t n) {
    return (vf)FN_X(maskload)(p, _mm256_loadu_si256((const __m256i *)(fn_tail_mask + VL - n)));
}
FN_OP void vstore_partial(fn_real *p, vf v, ptrdiff_t n) {
    FN_X(maskstore)(p, _mm256_loadu_si256((const __m256i *)(fn_tail_mask + VL - n)), (FN_V)v);
}
FN_OP vf vfma(vf a, vf b, vf c) { return (vf)FN_X(fmadd)((FN_V)a, (FN_V)b, (FN_V)c); }
FN_OP vf vfnma(vf a, vf b, vf c) { return (vf)FN_X(fnmadd)((FN_V)a, (FN_V)b, (FN_V)c); }
FN_OP vf vmax(vf a, vf b) { return (vf)FN_X(max)((FN_V)a, (FN_V)b); }
FN_OP vf vmin(vf a, vf b) { return (vf)FN_X(min)((FN_V)a, (FN_V)b); }
FN_OP vf vsqrt(vf a) { return (vf)FN_X(sqrt)((FN_V)a); }
FN_OP int vany(vm m) { return FN_X(movemask)((FN_V)m) != 0; }

#else /* 16 bytes: SSE2, NEON or whatever the target has */

FN_OP vf vload_partial(const fn_real *p, ptrdiff_t n) {
    vf v = {0};
    for (ptrdiff_t i = 0; i < n; i++) v[i] = p[i];
    return v;
}
FN_OP void vstore_partial(fn_real *p, vf v, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) p[i] = v[i];
}
#if defined(__aarch64__)
FN_OP vf vfma(vf a, vf b, vf c) {
    return (vf)FN_PICK(vfmaq_f32, vfmaq_f64)((FN_PICK(float32x4_t, float64x2_t))c,
                                             (FN_PICK(float32x4_t, float64x2_t))a,
                                             (FN_PICK(float32x4_t, float64x2_t))b);
}
FN_OP vf vfnma(vf a, vf b, vf c) { return vfma(-a, b, c); }
#else
FN_OP vf vfma(vf a, vf b, vf c) { return a * b + c; }
FN_OP vf vfnma(vf a, vf b, vf c) { return c - a * b; }
#endif
#if defined(__SSE2__) || defined(_M_X64)
typedef FN_PICK(__m128, __m128d) fn_sse;
FN_OP vf vmax(vf a, vf b) { return (vf)FN_PICK(_mm_max_ps, _mm_max_pd)((fn_sse)a, (fn_sse)b); }
FN_OP vf vmin(vf a, vf b) { return (vf)FN_PICK(_mm_min_ps, _mm_min_pd)((fn_sse)a, (fn_sse)b); }
FN_OP int vany(vm m) { return FN_PICK(_mm_movemask_ps, _mm_movemask_pd)((fn_sse)m) != 0; }
#else
FN_OP vf vmax(vf a, vf b) { return vselect((vm)(a > b), a, b); }
FN_OP vf vmin(vf a, vf b) { return vselect((vm)(a < b), a, b); }
FN_OP int vany(vm m) {
    fn_int any = 0;
    for (int i = 0; i < VL; i++) any |= m[i];
    return any != 0;
}
#endif
#if defined(__SSE2__) || defined(_M_X64)
FN_OP vf vsqrt(vf a) { return (vf)FN_PICK(_mm_sqrt_ps, _mm_sqrt_pd)((FN_PICK(__m128, __m128d))a); }
#elif defined(__aarch64__)
FN_OP vf vsqrt(vf a) {
    return (vf)FN_PICK(vsqrtq_f32, vsqrtq_f64)((FN_PICK(float32x4_t, float64x2_t))a);
}
#else
FN_OP vf vsqrt(vf a) {
    for (int i = 0; i < VL; i++) a[i] = FN_PICK(sqrtf, sqrt)(a[i]);
    return a;
}
#endif
#endif /* 16 bytes */
#endif /* 16 and 32 bytes */

/* out[0..3] = sums of a, b, c, d: halves are added until four lanes are left, then transposed */
#if FN_VECTOR_BYTES >= 32
#if FN_VECTOR_BYTES == 64
typedef FN_PICK(__m256, __m256d) fn_half;
FN_OP fn_half fn_fold(vf v) {
#if FN_DOUBLE
    return _mm256_add_pd(_mm512_castpd512_pd256((__m512d)v), _mm512_extractf64x4_pd((__m512d)v, 1));
#else
    return _mm256_add_ps(_mm512_castps512_ps256((__m512)v), _mm512_extractf32x8_ps((__m512)v, 1));
#endif
}
#else
typedef FN_V fn_half;
FN_OP fn_half fn_fold(vf v) { return (fn_half)v; }
#endif
FN_OP void vreduce4(vf a, vf b, vf c, vf d, fn_real *out) {
#if FN_DOUBLE
    __m256d ab = _mm256_hadd_pd(fn_fold(a), fn_fold(b));
    __m256d cd = _mm256_hadd_pd(fn_fold(c), fn_fold(d));
    _mm256_storeu_pd(out, _mm256_add_pd(_mm256_permute2f128_pd(ab, cd, 0x20),
                                        _mm256_permute2f128_pd(ab, cd, 0x31)));
#else
    __m256 ab = _mm256_hadd_ps(fn_fold(a), fn_fold(b)), cd = _mm256_hadd_ps(fn_fold(c), fn_fold(d));
    __m256 abcd = _mm256_hadd_ps(ab, cd);
    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(abcd), _mm256_extractf128_ps(abcd, 1)));
#endif
}
#else
FN_OP void vreduce4(vf a, vf b, vf c, vf d, fn_real *out) {
    out[0] = vsum(a);
    out[1] = vsum(b);
    out[2] = vsum(c);
    out[3] = vsum(d);
}
#endif
/* vrepeat: p[0] n times, p[1] n times ..., reading VL / n elements.
 * vfold: out[j] = sum of the lanes i with i mod n = j.  n is 1, 2 or 4 and at most VL. */
#if FN_VECTOR_BYTES == 64 && !FN_DOUBLE
FN_OP vf vrepeat(const float *p, int n) {
    if (n == 1) return vload(p);
    if (n == 2)
        return (vf)_mm512_permutexvar_ps(
            _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7),
            _mm512_castps256_ps512(_mm256_loadu_ps(p)));
    return (vf)_mm512_permutexvar_ps(
        _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3),
        _mm512_castps128_ps512(_mm_loadu_ps(p)));
}
#elif FN_VECTOR_BYTES == 64
FN_OP vf vrepeat(const double *p, int n) {
    if (n == 1) return vload(p);
    if (n == 2)
        return (vf)_mm512_permutexvar_pd(_mm512_setr_epi64(0, 0, 1, 1, 2, 2, 3, 3),
                                         _mm512_castpd256_pd512(_mm256_loadu_pd(p)));
    return (vf)_mm512_permutexvar_pd(_mm512_setr_epi64(0, 0, 0, 0, 1, 1, 1, 1),
                                     _mm512_castpd128_pd512(_mm_loadu_pd(p)));
}
#elif FN_VECTOR_BYTES == 32 && !FN_DOUBLE
FN_OP vf vrepeat(const float *p, int n) {
    if (n == 1) return vload(p);
    if (n == 2)
        return (vf)_mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)),
                                            _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
    return (vf)_mm256_setr_ps(p[0], p[0], p[0], p[0], p[1], p[1], p[1], p[1]);
}
#else
FN_OP vf vrepeat(const fn_real *p, int n) {
    vf v = {0};
    for (int i = 0; i < VL; i++) v[i] = p[i / n];
    return v;
}
#endif
FN_OP void vfold(vf v, int n, fn_real *out) {
#if FN_VECTOR_BYTES == 64 && !FN_DOUBLE
    __m256 half = fn_fold(v);
    __m128 lanes = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    if (n < 4) lanes = _mm_add_ps(lanes, _mm_movehl_ps(lanes, lanes));
    if (n < 2) lanes = _mm_add_ss(lanes, _mm_movehdup_ps(lanes));
    _mm_storeu_ps(out, lanes);
#else
    fn_real lanes[VL];
    vstore(lanes, v);
    for (int w = VL / 2; w >= n; w /= 2)
        for (int i = 0; i < w; i++) lanes[i] += lanes[i + w];
    for (int i = 0; i < n; i++) out[i] = lanes[i];
#endif
}
#endif /* GNU vector extensions */

/* Register tiles: how many rows stay in registers beside 2 (or 3), 1 and 4 vectors of columns. */
#if FN_VECTOR_BYTES == 64 || (FN_VECTOR_BYTES == 16 && defined(__aarch64__)) /* 32 registers */
enum { TILE_ROWS = 8, TILE_ROWS_1 = 14, TILE_ROWS_4 = 4, WIDEST_TILE = 3 };
#else
enum { TILE_ROWS = 6, TILE_ROWS_1 = 12, TILE_ROWS_4 = 2, WIDEST_TILE = 2 };
#endif

/* destination = transpose of a square block of source */
#if FN_VECTOR_BYTES >= 32 && !FN_DOUBLE
enum { TRANSPOSE_BLOCK = 8 };
FN_OP void transpose_block(const float *s, ptrdiff_t row, float *d, ptrdiff_t d_row) {
    __m256 a[8], b[8];
    for (int i = 0; i < 4; i++) {
        __m256 even = _mm256_loadu_ps(s + 2 * i * row);
        __m256 odd = _mm256_loadu_ps(s + (2 * i + 1) * row);
        a[2 * i] = _mm256_unpacklo_ps(even, odd);
        a[2 * i + 1] = _mm256_unpackhi_ps(even, odd);
    }
    for (int i = 0; i < 2; i++) {
        b[4 * i] = _mm256_shuffle_ps(a[4 * i], a[4 * i + 2], 0x44);
        b[4 * i + 1] = _mm256_shuffle_ps(a[4 * i], a[4 * i + 2], 0xee);
        b[4 * i + 2] = _mm256_shuffle_ps(a[4 * i + 1], a[4 * i + 3], 0x44);
        b[4 * i + 3] = _mm256_shuffle_ps(a[4 * i + 1], a[4 * i + 3], 0xee);
    }
    for (int i = 0; i < 4; i++) {
        _mm256_storeu_ps(d + i * d_row, _mm256_permute2f128_ps(b[i], b[i + 4], 0x20));
        _mm256_storeu_ps(d + (i + 4) * d_row, _mm256_permute2f128_ps(b[i], b[i + 4], 0x31));
    }
}
#elif FN_VECTOR_BYTES >= 32
enum { TRANSPOSE_BLOCK = 4 };
FN_OP void transpose_block(const double *s, ptrdiff_t row, double *d, ptrdiff_t d_row) {
    __m256d r0 = _mm256_loadu_pd(s), r1 = _mm256_loadu_pd(s + row);
    __m256d r2 = _mm256_loadu_pd(s + 2 * row), r3 = _mm256_loadu_pd(s + 3 * row);
    __m256d a = _mm256_unpacklo_pd(r0, r1), b = _mm256_unpackhi_pd(r0, r1);
    __m256d c = _mm256_unpacklo_pd(r2, r3), e = _mm256_unpackhi_pd(r2, r3);
    _mm256_storeu_pd(d, _mm256_permute2f128_pd(a, c, 0x20));
    _mm256_storeu_pd(d + d_row, _mm256_permute2f128_pd(b, e, 0x20));
    _mm256_storeu_pd(d + 2 * d_row, _mm256_permute2f128_pd(a, c, 0x31));
    _mm256_storeu_pd(d + 3 * d_row, _mm256_permute2f128_pd(b, e, 0x31));
}
#else
enum { TRANSPOSE_BLOCK = 4 };
FN_OP void transpose_block(const fn_real *s, ptrdiff_t row, fn_real *d, ptrdiff_t d_row) {
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) d[j * d_row + i] = s[i * row + j];
}
#endif

#if defined(__GNUC__) || defined(__clang__)
FN_OP void vprefetch(const fn_real *p) { __builtin_prefetch(p); } /* any address */
#else
FN_OP void vprefetch(const fn_real *p) { (void)p; }
#endif

FN_OP vf vzero(void) { return vset1(0); }
FN_OP vf vabs(vf a) { return vfrombits(vbits(a) & vset1i((fn_int)(((fn_uint)-1) >> 1))); }
FN_OP vf vcopysign(vf magnitude, vf sign) { /* magnitude must not be negative */
    const fn_int sign_bit = (fn_int)((fn_uint)1 << (8 * sizeof(fn_real) - 1));
    return vfrombits(vbits(magnitude) | (vbits(sign) & vset1i(sign_bit)));
}

#endif
