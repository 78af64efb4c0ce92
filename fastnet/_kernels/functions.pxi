# Elementary functions of vectors, one source for float and double, with and without a fused
# multiply-add.
#
# Branch-free (but for sines of arguments beyond the reduction); NaN in gives NaN out, infinities
# give the limit, results underflow gradually.  The comment at a polynomial says what it
# approximates, where, and the largest error of its rounded coefficients in u, half the distance
# from 1 to the next number (2^-24 or 2^-53), relative to the function.  Polynomials are in Estrin's
# form, which keeps chains of dependent operations short.
#
# Largest errors in units in the last place, on every instruction set:
#   exp, expm1 (x <= 0), e^(-x^2), log 1    softplus 2    tanh, sigmoid, sine, cosine 3
#   silu 3    mish, gelu 4.2

from libc.math cimport INFINITY, NAN
from libc.math cimport cos as libm_cos, cosf as libm_cosf, sin as libm_sin, sinf as libm_sinf


cdef inline vf pick(double single, double twice) noexcept nogil:
    return vset1(single if sizeof(real) == 4 else twice)


cdef inline real largest_real() noexcept nogil:
    return <real> (3.4028234663852886e38 if sizeof(real) == 4 else 1.7976931348623157e308)


cdef inline vf largest_number() noexcept nogil:
    return vset1(largest_real())


cdef inline vf linear(vf x, real c0, real c1) noexcept nogil:
    return vfma(vset1(c1), x, vset1(c0))


cdef inline vf cubic(vf x, vf x2, real c0, real c1, real c2, real c3) noexcept nogil:
    return vfma(linear(x, c2, c3), x2, linear(x, c0, c1))


cdef inline int fraction_bits() noexcept nogil:
    return 23 if sizeof(real) == 4 else 52


cdef inline vf magic() noexcept nogil:
    # 1.5 2^23 or 1.5 2^52: x + magic rounds x to an integer, which the low bits of the sum hold in
    # two's complement
    return pick(12582912.0, 6755399441055744.0)


cdef inline vi sign_bit() noexcept nogil:
    return vshift_left(vset1i(1), 8 * sizeof(real) - 1)


cdef inline vf upper_half(vf x) noexcept nogil:
    # x cut to 12 or 26 bits: the product of two such numbers is exact
    return vfrombits(vbits(x) & vset1i(-4096 if sizeof(real) == 4 else -134217728))


# Exponentials: e^x = 2^n e^r with n = round(x / ln 2) and |r| <= ln 2 / 2

cdef inline vf lowest_exponent() noexcept nogil:
    return pick(-104.0, -746.0)       # e^x rounds to 0 here


cdef inline vf binary_exponent(vf x) noexcept nogil:
    # n + magic
    return vfma(x, vset1(1.4426950408889634), magic())


cdef inline vf power_of_two(vf t) noexcept nogil:
    # 2^n of t = n + magic, for normal 2^n
    return vfrombits(vaddi(vshift_left(vbits(t), fraction_bits()), vbits(vset1(1.0))))


cdef inline vf times_power(vf y, vf t) noexcept nogil:
    # y 2^n of t = n + magic, rounded once: 2^n may be too large or too small, 2^(n / 2) is not
    cdef vi half = vshift_left(vbits(t), fraction_bits() - 1) & vbits(vset1(-INFINITY))
    cdef vi rest = vsubi(vshift_left(vbits(t), fraction_bits()), half)
    cdef vi one = vbits(vset1(1.0))
    return y * vfrombits(vaddi(half, one)) * vfrombits(vaddi(rest, one))


cdef inline vf expm1_reduced(vf x, vf low, vf t) noexcept nogil:
    # e^r - 1 with r = x + low - n ln 2.  ln 2 is split in two, the first part short enough for n
    # times it to be exact.  What rounding takes from r comes back as `lost`: without it exp would
    # be off by up to 1 unit in the last place.
    cdef vf n = t - magic()
    cdef vf first = vfnma(n, pick(0.693145751953125, 0.6931471803691238), x)
    cdef vf second = n * pick(1.428606765330187e-06, 1.9082149292705877e-10) - low
    cdef vf r = first - second
    cdef vf lost = (first - r) - second
    cdef vf r2 = r * r
    cdef vf r4, q
    # q = (e^r - 1 - r) / r^2 on |r| <= 0.3476: degree 5, 0.007 u and degree 10, 0.0025 u of e^r - 1
    if sizeof(real) == 4:
        q = vfma(
            r2 * r2, linear(r, 0.0013933052541688085, 0.00019950460409745574),
            cubic(r, r2, 0.5, 0.1666666716337204, 0.041666485369205475, 0.008333200588822365))
    else:
        r4 = r2 * r2
        q = vfma(
            r4,
            vfma(
                r4,
                vfma(
                    r2, vset1(2.0922265657772076e-09),
                    linear(r, 2.755725143730263e-07, 2.5109301534619324e-08)),
                cubic(r, r2, 0.0013888888888875363, 0.00019841269886742373, 2.480158734769975e-05,
                      2.7557243520209556e-06)),
            cubic(r, r2, 0.5, 0.16666666666666677, 0.04166666666666668, 0.00833333333332141))
    return r + vfma(r2, q, lost)


cdef inline vf vexp(vf x) noexcept nogil:
    # vmin and vmax give the second operand where it is NaN
    cdef vf y = vmax(lowest_exponent(), vmin(pick(89.0, 710.0), x))
    cdef vf t = binary_exponent(y)
    return times_power(expm1_reduced(y, vzero(), t) + vset1(1.0), t)


cdef inline vf vexp_of_sum(vf x, vf low) noexcept nogil:
    # e^(x + low) for lowest_exponent() - 1 <= x + low <= 1 and |low| <= |x| / 500: for an x that is
    # the first part of a product
    cdef vf t = binary_exponent(x + low)
    return times_power(expm1_reduced(x, low, t) + vset1(1.0), t)


cdef inline vf vexpm1(vf x) noexcept nogil:
    # 2^n p + (2^n - 1), in halves because 2^n overflows before e^x does; -1 below the lower limit
    cdef vf y = vmax(pick(-20.0, -40.0), vmin(pick(89.0, 710.0), x))
    cdef vf t = binary_exponent(y)
    cdef vf half = power_of_two(t - vset1(1.0))
    cdef vf e = vfma(half, expm1_reduced(y, vzero(), t), half - vset1(0.5))
    return vselect(vgt(vset1(1e-30), vabs(x)), x, e + e)        # keeps -0 and denormals


cdef inline vf vsigmoid_of_sum(vf sign, vf x, vf low) noexcept nogil:
    # 1 / (1 + e^-(x + low)) for x + low >= 0, or of -(x + low) where sign is negative; both by way
    # of e^-(x + low) <= 1, which cannot overflow
    cdef vf e = vexp_of_sum(-x, -low)
    return vselect(vge(sign, vzero()), vset1(1.0), e) / (vset1(1.0) + e)


cdef inline vf vsigmoid(vf x) noexcept nogil:
    return vsigmoid_of_sum(x, vmin(-lowest_exponent(), vabs(x)), vzero())


cdef inline vf vsteep_sigmoid(vf x) noexcept nogil:
    # sigmoid(4.9 x).  4.9 |x| is formed in two parts: rounded to one number it would cost the tail
    # a relative error of |4.9 x| u.
    cdef vf a = vmin(pick(21.3, 152.3), vabs(x))
    cdef vf a_high = upper_half(a)
    cdef vf rest = pick(-0.000390625, 2.384185791015625e-08)
    cdef vf low = vfma(a_high, rest, (a - a_high) * vset1(4.9))
    return vsigmoid_of_sum(x, a_high * pick(4.900390625, 4.899999976158142), low)


cdef inline vf vtanh(vf x) noexcept nogil:
    # (1 - e) / (1 + e) with e = e^(-2|x|) = s + s p; the limit is where the result is 1
    cdef vf y = vmax(pick(-20.0, -44.0), vset1(-2.0) * vabs(x))
    cdef vf t = binary_exponent(y)
    cdef vf s = power_of_two(t)
    cdef vf p = expm1_reduced(y, vzero(), t)
    return vcopysign(vfnma(s, p, vset1(1.0) - s) / vfma(s, p, vset1(1.0) + s), x)


cdef inline vf vgaussian(vf x) noexcept nogil:
    # e^(-x^2) = e^(-h^2 - (|x| - h)(|x| + h)) with h the upper half of |x|, so that h^2 is exact
    cdef vf a = vmin(pick(10.2, 27.31), vabs(x))
    cdef vf h = upper_half(a)
    return vexp_of_sum(-h * h, (h - a) * (h + a))


# Logarithms

cdef inline vf atanh_series(vf z) noexcept nogil:
    # (log((1 + s) / (1 - s)) - 2 s) / (s z) with z = s^2 on [0, 1/9]: degree 3, 0.1 u and degree
    # 10, 0.0005 u of the logarithm
    cdef vf z2 = z * z
    cdef vf z4, r
    if sizeof(real) == 4:
        return cubic(z, z2, 0.6666641235351562, 0.4002175033092499,
                     0.2799830436706543, 0.2802681624889374)
    z4 = z2 * z2
    r = vfma(z2, vset1(0.16502587700866347), linear(z, 0.10974476348676042, 0.06979696813976519))
    r = vfma(z4, r, cubic(z, z2, 0.18181822955211524, 0.15384456061070625,
                          0.13336771596782251, 0.11715978015778711))
    return vfma(z4, r, cubic(z, z2, 0.6666666666666667, 0.3999999999999536,
                             0.2857142857235592, 0.22222222133806346))


cdef inline vf vlog(vf x) noexcept nogil:
    # log x = e ln 2 + log(1 + f) with 1 + f in [sqrt(1/2), sqrt 2); denormals are scaled up first
    cdef vf smallest = pick(1.1754943508222875e-38, 2.2250738585072014e-308)
    cdef vm small = vgt(smallest, x)
    cdef vi bits = vbits(vselect(small, x * pick(16777216.0, 18014398509481984.0), x))
    cdef vi k = vshift_right(vsubi(bits, vbits(vset1(0.70710678118654752))), fraction_bits())
    cdef vf e = vfrombits(vaddi(k, vbits(magic()))) - magic()
    cdef vf f = vfrombits(vsubi(bits, vshift_left(k, fraction_bits()))) - vset1(1.0)
    cdef vf f2 = f * f
    cdef vf half_f2 = vset1(0.5) * f2
    cdef vf s, z, z2, y
    e = e - vselect(small, pick(24.0, 54.0), vzero())
    if sizeof(real) == 4:
        # (log(1 + f) - f + f^2 / 2) / f^3: degree 7, 0.1 u of log(1 + f)
        y = cubic(f, f2, 0.1418110579252243, -0.13127978146076202,
                  0.12881673872470856, -0.07861333340406418)
        y = vfma(f2 * f2, y, cubic(f, f2, 0.33333316445350647, -0.25000807642936707,
                                   0.20002296566963196, -0.16624639928340912))
        y = vfma(e, vset1(1.428606765330187e-06), f * f2 * y) - half_f2
        y = vfma(e, vset1(0.693145751953125), f + y)
    else:
        # f - f^2 / 2 + s (f^2 / 2 + z R(z)), s = f / (2 + f), z = s^2 <= 0.02944, R as in
        # atanh_series: degree 6, 0.03 u of log(1 + f)
        s = f / (vset1(2.0) + f)
        z = s * s
        z2 = z * z
        y = vfma(z2, vset1(0.14792081418024483),
                 linear(z, 0.18183562680693283, 0.15314230914782323))
        y = vfma(z2 * z2, y, cubic(z, z2, 0.6666666666666734, 0.3999999999941663,
                                   0.2857142874219875, 0.22222198567814377))
        y = vfma(s, vfma(z, y, half_f2), e * vset1(1.9082149292705877e-10))
        y = vfma(e, vset1(0.6931471803691238), f - (half_f2 - y))
    y = vselect(vgt(x, largest_number()), x, y)
    z = vselect(vge(x, vzero()), vset1(-INFINITY), vset1(NAN))
    return vselect(vgt(x, vzero()), y, z)


cdef inline vf log1p_unit(vf x) noexcept nogil:
    # log(1 + x) for 0 <= x <= 1 as x minus a correction, so that small x keep their accuracy.  With
    # s = x / (2 + x): log(1 + x) = log((1 + s) / (1 - s)).
    cdef vf half_x2 = vset1(0.5) * x * x
    cdef vf s = x / (vset1(2.0) + x)
    cdef vf z = s * s
    return x - (half_x2 - s * vfma(z, atanh_series(z), half_x2))


cdef inline vf vsoftplus(vf x) noexcept nogil:
    # max(x, 0) + log(1 + e^-|x|)
    cdef vf e = vexp_of_sum(vmax(lowest_exponent(), -vabs(x)), vzero())
    return vmax(vzero(), x) + log1p_unit(e)


# silu x sigmoid(x) and mish x tanh(softplus(x)), as quotients of polynomials in e = e^-|x|: one
# division, no cancellation but at the zero of a derivative, and nothing overflows.  Where x is
# negative both are a multiple of e, which underflows before they do: that factor is q 2^n, with the
# power of two multiplied last.

ctypedef struct Decay:
    vf t                    # |x|, at most where t e^-t rounds to 0
    vf e                    # e^-t
    vf q                    # e = q 2^n
    vf n


cdef inline Decay decay(vf x) noexcept nogil:
    cdef Decay y
    y.t = vmin(pick(110.0, 754.0), vabs(x))
    y.n = binary_exponent(-y.t)
    y.q = expm1_reduced(-y.t, vzero(), y.n) + vset1(1.0)
    y.e = times_power(y.q, y.n)
    return y


cdef inline vf vsilu(vf x) noexcept nogil:
    # x / (1 + e) or x e / (1 + e)
    cdef Decay y = decay(x)
    cdef vm positive = vge(x, vzero())
    cdef vf r = vselect(positive, x, -y.t * y.q) / (vset1(1.0) + y.e)
    return vselect(positive, r, times_power(r, y.n))


cdef inline vf vsilu_derivative(vf x) noexcept nogil:
    # (1 + e + t e) / (1 + e)^2 or e (1 + e - t) / (1 + e)^2
    cdef Decay y = decay(x)
    cdef vm positive = vge(x, vzero())
    cdef vf one_e = vset1(1.0) + y.e
    cdef vf r = vselect(positive, vfma(y.t, y.e, one_e), y.q * (one_e - y.t)) / (one_e * one_e)
    return vselect(positive, r, times_power(r, y.n))


cdef inline vf vmish(vf x) noexcept nogil:
    # x (1 + 2 e) / (1 + 2 e + 2 e^2) or x e (2 + e) / (2 + 2 e + e^2)
    cdef Decay y = decay(x)
    cdef vm positive = vge(x, vzero())
    cdef vf two_e = y.e + y.e
    cdef vf a = vselect(positive, vset1(1.0) + two_e, vset1(2.0) + y.e)
    cdef vf b = vselect(positive, vfma(two_e, y.e, vset1(1.0) + two_e),
                        vfma(y.e, y.e, vset1(2.0) + two_e))
    cdef vf r = vselect(positive, x, -y.t * y.q) * (a / b)
    return vselect(positive, r, times_power(r, y.n))


cdef inline vf vmish_derivative(vf x) noexcept nogil:
    # (1 + 4 e + (6 + 4 t) e^2 + 4 (1 + t) e^3) / (1 + 2 e + 2 e^2)^2 or
    # e (4 (1 - t) + (6 - 4 t) e + 4 e^2 + e^3) / (2 + 2 e + e^2)^2
    cdef Decay y = decay(x)
    cdef vm positive = vge(x, vzero())
    cdef vf two_e = y.e + y.e
    cdef vf four_t = vset1(4.0) * vselect(positive, y.t, -y.t)
    cdef vf c1 = vset1(6.0) + four_t
    cdef vf c0 = vset1(4.0) + four_t
    cdef vf a = vselect(
        positive,
        vfma(vfma(vfma(c0, y.e, c1), y.e, vset1(4.0)), y.e, vset1(1.0)),
        vfma(vfma(y.e + vset1(4.0), y.e, c1), y.e, c0) * y.q)
    cdef vf b = vselect(positive, vfma(two_e, y.e, vset1(1.0) + two_e),
                        vfma(y.e, y.e, vset1(2.0) + two_e))
    cdef vf r = a / (b * b)
    return vselect(positive, r, times_power(r, y.n))


# Sine and cosine

cdef inline void sine_cosine_series(vf z, vf *sine, vf *cosine) noexcept nogil:
    # S and C of sin r = r + r z S(z) and cos r = 1 - z / 2 + z^2 C(z), z = r^2, on |r| <= 0.787:
    # polynomials of degree 2 with 0.06 u and 0.002 u of the function, and of degree 5 with 0.03 u
    # and 0.0006 u
    cdef vf z2 = z * z
    cdef vf s, c
    if sizeof(real) == 4:
        s = linear(z, -0.16666655242443085, 0.008332188241183758)
        sine[0] = vfma(z2, vset1(-0.0001951801241375506), s)
        c = linear(z, 0.04166664555668831, -0.0013887308305129409)
        cosine[0] = vfma(z2, vset1(2.4432110876659863e-05), c)
    else:
        sine[0] = vfma(
            z2 * z2, linear(z, -2.505075308943283e-08, 1.5896449308451507e-10),
            cubic(z, z2, -0.16666666666666632, 0.008333333333322418, -0.00019841269829767218,
                  2.755731366748956e-06))
        cosine[0] = vfma(
            z2 * z2, linear(z, 2.087568161552529e-09, -1.1357594625437857e-11),
            cubic(z, z2, 0.04166666666666659, -0.0013888888888872186, 2.4801587288316515e-05,
                  -2.7557314030544615e-07))


cdef inline void sine_cosine(vf r, vf *sine, vf *cosine) noexcept nogil:
    # on |r| <= 0.787
    cdef vf z = r * r
    cdef vf s, c
    sine_cosine_series(z, &s, &c)
    sine[0] = vfma(r * z, s, r)
    cosine[0] = vfma(z * z, c, vfnma(vset1(0.5), z, vset1(1.0)))


cdef inline vf by_quadrant(vi quadrant, vf sine, vf cosine) noexcept nogil:
    # sin(r + quadrant pi / 2): cosine where bit 0 is set, negative where bit 1 is
    cdef int top = 8 * sizeof(real) - 1
    cdef vm odd = vgt(vzero(), vfrombits(vshift_left(quadrant, top) | vbits(vset1(1.0))))
    cdef vi sign = vshift_left(quadrant, top - 1) & sign_bit()
    return vfrombits(vbits(vselect(odd, cosine, sine)) ^ sign)


cdef inline real libm(real x, bint is_cosine) noexcept nogil:
    if sizeof(real) == 4:
        return libm_cosf(x) if is_cosine else libm_sinf(x)
    return libm_cos(x) if is_cosine else libm_sin(x)


cdef inline vf sine_or_cosine(vf x, bint is_cosine) noexcept nogil:
    # |x| = n pi / 2 + r with pi / 2 in four parts, three of them so short that n times them is
    # exact (Cody & Waite 1980).  Beyond the limit n would be too long for that: the C library.
    cdef vf a = vabs(x)
    cdef real limit = 3000.0 if sizeof(real) == 4 else 1.6e6
    cdef vf t = vfma(a, vset1(0.63661977236758134), magic())
    cdef vf n = t - magic()
    cdef vf r = vfnma(n, pick(1.570556640625, 1.5707963267341256), a)
    cdef vf sine, cosine
    cdef real arguments[VL]
    cdef real values[VL]
    cdef int i
    r = vfnma(n, pick(0.0002396702766418457, 6.077100506303966e-11), r)
    r = vfnma(n, pick(1.5890691429376602e-08, 2.0222662487111665e-21), r)
    r = vfnma(n, pick(2.5633440682570896e-12, 8.4784276603689e-32), r)
    sine_cosine(r, &sine, &cosine)
    if is_cosine:
        r = by_quadrant(vaddi(vbits(t), vset1i(1)), sine, cosine)
    else:
        r = vfrombits(vbits(by_quadrant(vbits(t), sine, cosine)) ^ (vbits(x) & sign_bit()))
    if vany(vgt(a, vset1(limit))):
        vstore(arguments, x)
        vstore(values, r)
        for i in range(VL):
            if arguments[i] < -limit or arguments[i] > limit:
                values[i] = libm(arguments[i], is_cosine)
        r = vload(values)
    return r


cdef inline vf vsin(vf x) noexcept nogil:
    return sine_or_cosine(x, False)


cdef inline vf vcos(vf x) noexcept nogil:
    return sine_or_cosine(x, True)


cdef inline vf turns(vf u, vi shift) noexcept nogil:
    # The reduction to an eighth of a turn is exact
    cdef vf t = vfma(u, vset1(4.0), magic())
    cdef vf sine, cosine
    sine_cosine(vfma(t - magic(), vset1(-0.25), u) * vset1(6.2831853071795865), &sine, &cosine)
    return by_quadrant(vaddi(vbits(t), shift), sine, cosine)


cdef inline vf vsin_turns(vf u) noexcept nogil:
    # sin(2 pi u) for |u| <= 1
    return turns(u, vset1i(0))


cdef inline vf vcos_turns(vf u) noexcept nogil:
    return turns(u, vset1i(1))


# The normal distribution

cdef inline vf normal_tail_limit() noexcept nogil:
    return pick(14.6, 39.0)           # t e^(-t^2 / 2) rounds to 0 here


cdef inline vf normal_tail_ratio(vf t, vf factor) noexcept nogil:
    # factor Q(t) / e^(-t^2 / 2) for 0 <= t <= normal_tail_limit(), Q = 1 - Phi the upper tail of
    # the standard normal distribution, as H(w) / (t + c), w = (t - k) / (t + k) (after Shepherd &
    # Laframboise 1981): H of degree 9, 0.2 u and 23, 0.1 u.  c makes H so flat that the rounding of
    # w does not matter, which is worth a second division.
    cdef vf k = pick(3.5, 4.0)
    cdef vf w = (t - k) / (t + k)
    cdef vf w2 = w * w
    cdef vf w4 = w2 * w2
    cdef vf h
    if sizeof(real) == 4:
        h = cubic(w, w2, 0.009790223091840744, -0.000228124248678796,
                  -0.0012553913984447718, 0.00014610259677283466)
        h = vfma(w4, vset1(0.00014339297194965184), h)
        h = vfma(w4, h, cubic(w, w2, -0.16788996756076813, 0.047982972115278244,
                              0.014933227561414242, -0.023112086579203606))
    else:
        h = linear(w, 5.868748592643209e-09, -1.5944838649343194e-09)
        h = vfma(w2, vset1(-7.7231762836786e-10), h)
        h = vfma(w4, h, cubic(w, w2, -1.1473495975859487e-08, -1.0871551273610096e-07,
                              -1.71771010008845e-08, 1.7710862776168663e-08))
        h = vfma(w4, h, cubic(w, w2, -3.6394714781346966e-06, -2.447572277897832e-06,
                              4.5580627663599394e-07, 5.28518703446196e-07))
        h = vfma(w4, h, cubic(w, w2, -0.00010581897274529265, -8.069110295157755e-05,
                              2.240791481234106e-05, 1.2550998502424244e-05))
        h = vfma(w4, h, cubic(w, w2, 0.015813073609181966, -0.004875488072397726,
                              -0.00012591963560456196, 0.0006481010382300494))
        h = vfma(w4, h, cubic(w, w2, -0.13930290771363965, 0.04509444855924116,
                              0.010673512219115486, -0.024481636401500185))
    # the largest term last, so that only one rounding is of its size
    h = vfma(w, h, pick(0.5184326171875, 0.4956558668353369))
    return factor * h / (t + pick(1.375, 1.25))


cdef inline vf times_half_gaussian(vf y, vf t) noexcept nogil:
    # y e^(-t^2 / 2) with the square in two parts, as in vgaussian; y (1 + p) as y + y p saves a
    # rounding
    cdef vf h = upper_half(t)
    cdef vf x = vset1(-0.5) * h * h
    cdef vf low = vset1(0.5) * (h - t) * (h + t)
    cdef vf n = binary_exponent(x + low)
    return times_power(vfma(y, expm1_reduced(x, low, n), y), n)


cdef inline vf vgelu(vf x) noexcept nogil:
    # x Phi(x) = max(x, 0) - t Q(t), t = |x|: no cancellation on either side, and the product does
    # not go by way of Q, which underflows before it does
    cdef vf t = vmin(normal_tail_limit(), vabs(x))
    return vmax(vzero(), x) - times_half_gaussian(normal_tail_ratio(t, t), t)


cdef inline vf vgelu_derivative(vf x) noexcept nogil:
    # Phi(x) + x phi(x) = [x >= 0] +- (t phi(t) - Q(t))
    cdef vf t = vmin(normal_tail_limit(), vabs(x))
    cdef vf ratio = normal_tail_ratio(t, vset1(1.0))
    cdef vf odd = times_half_gaussian(vfma(t, vset1(0.3989422804014326779), -ratio), t)
    return vselect(vge(x, vzero()), vset1(1.0) + odd, -odd)
