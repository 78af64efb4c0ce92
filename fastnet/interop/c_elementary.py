"""Logarithms, what is made of exponentials, sines and the normal distribution as C.

Texts for `fastnet.interop.c_functions`, which says how to read them.
"""

__all__ = ["ELEMENTARY"]

ELEMENTARY = {
    "atanh_series": (
        (),
        {
            4: """
/* (log((1 + s) / (1 - s)) - 2 s) / (s z) with z = s^2 <= 1/9 */
static @INLINE real @atanh_series(real z)
{
    const real a = @FMA(#[0.4002175], z, #[0.6666641]);
    const real b = @FMA(#[0.28026816], z, #[0.27998304]);
    return @FMA(b, z * z, a);
}
""",
            8: """
/* (log((1 + s) / (1 - s)) - 2 s) / (s z) with z = s^2 <= 1/9 */
static @INLINE real @atanh_series(real z)
{
    const real z2 = z * z;
    const real z4 = z2 * z2;
    const real a = @FMA(#[0.3999999999999536], z, #[0.6666666666666667]);
    const real b = @FMA(#[0.22222222133806346], z, #[0.2857142857235592]);
    const real c = @FMA(#[0.15384456061070625], z, #[0.18181822955211524]);
    const real d = @FMA(#[0.11715978015778711], z, #[0.13336771596782251]);
    const real e = @FMA(#[0.06979696813976519], z, #[0.10974476348676042]);
    const real g = @FMA(z2, #[0.16502587700866347], e);
    return @FMA(z4, @FMA(z4, g, @FMA(d, z2, c)), @FMA(b, z2, a));
}
""",
        },
    ),
    "log_unit": (
        (),
        {
            4: """
/* e ln 2 + log(1 + f), 1 + f in [sqrt(1/2), sqrt 2) */
static @INLINE real @log_unit(real f, real e)
{
    const real f2 = f * f;
    const real a = @FMA(#[-0.25000808], f, #[0.33333316]);
    const real b = @FMA(#[-0.1662464], f, #[0.20002297]);
    const real c = @FMA(#[-0.13127978], f, #[0.14181106]);
    const real d = @FMA(#[-0.07861333], f, #[0.12881674]);
    const real p = @FMA(f2 * f2, @FMA(d, f2, c), @FMA(b, f2, a));
    const real y = @FMA(e, #[1.4286068e-06], f * f2 * p) - #[0.5] * f2;
    return @FMA(e, #[0.69314575], f + y);
}
""",
            8: """
/* e ln 2 + log(1 + f), 1 + f in [sqrt(1/2), sqrt 2) */
static @INLINE real @log_unit(real f, real e)
{
    const real half_f2 = #[0.5] * (f * f);
    const real s = f / (#[2.0] + f);
    const real z = s * s;
    const real z2 = z * z;
    const real a = @FMA(#[0.3999999999941663], z, #[0.6666666666666734]);
    const real b = @FMA(#[0.22222198567814377], z, #[0.2857142874219875]);
    const real c = @FMA(#[0.15314230914782323], z, #[0.18183562680693283]);
    const real d = @FMA(z2, #[0.14792081418024483], c);
    const real p = @FMA(z2 * z2, d, @FMA(b, z2, a));
    const real y = @FMA(s, @FMA(z, p, half_f2), e * #[1.9082149292705877e-10]);
    return @FMA(e, #[0.6931471803691238], f - (half_f2 - y));
}
""",
        },
    ),
    "log": (
        ("bits", "number", "select", "log_unit"),
        """
/* denormals are scaled up first; -infinity at 0, NaN below */
static @INLINE real @log(real x)
{
    const int small = #[1.1754944e-38|2.2250738585072014e-308] > x;
    const word b = @bits(@select(small, x * #[16777216.0|18014398509481984.0], x));
    const word k = ((b - ROOT_HALF + SIGN) >> FRACTION) - (SIGN >> FRACTION);
    const real e = @number(k + @bits(MAGIC)) - MAGIC;
    const real f = @number(b - (k << FRACTION)) - #[1.0];
    const real y = @log_unit(f, e - @select(small, #[24.0|54.0], #[0.0]));
    const real special = @select(x >= #[0.0], @number(HIGH), @number(~(word)0));
    return @select(x > #[0.0], @select(x > LARGEST, x, y), special);
}
""",
    ),
    "softplus": (
        ("clipped", "max", "exp_of_sum", "atanh_series"),
        """
/* max(x, 0) + log(1 + e), e = e^-|x|, as e minus a correction */
static @INLINE real @softplus(real x)
{
    const real e = @exp_of_sum(-@clipped(x, -LOWEST), #[0.0]);
    const real half_e2 = #[0.5] * e * e;
    const real s = e / (#[2.0] + e);
    const real z = s * s;
    const real log1p = e - (half_e2 - s * @FMA(z, @atanh_series(z), half_e2));
    return @max(#[0.0], x) + log1p;
}
""",
    ),
    "silu": (
        ("clipped", "by_sign", "binary_exponent", "expm1_reduced", "times_power"),
        """
/* x / (1 + e) or x e / (1 + e) with e = e^-|x| = q 2^n */
static @INLINE real @silu(real x)
{
    const real t = @clipped(x, #[110.0|754.0]);
    const real n = @binary_exponent(-t);
    const real q = @expm1_reduced(-t, #[0.0], n) + #[1.0];
    const real e = @times_power(q, n);
    const real r = @by_sign(x, x, -t * q) / (#[1.0] + e);
    return @by_sign(x, r, @times_power(r, n));
}
""",
    ),
    "mish": (
        ("clipped", "by_sign", "binary_exponent", "expm1_reduced", "times_power"),
        """
/* x (1 + 2 e) / (1 + 2 e + 2 e^2) or x e (2 + e) / (2 + 2 e + e^2), e = e^-|x| = q 2^n */
static @INLINE real @mish(real x)
{
    const real t = @clipped(x, #[110.0|754.0]);
    const real n = @binary_exponent(-t);
    const real q = @expm1_reduced(-t, #[0.0], n) + #[1.0];
    const real e = @times_power(q, n);
    const real two_e = e + e;
    const real a = @by_sign(x, #[1.0] + two_e, #[2.0] + e);
    const real b = @by_sign(x, @FMA(two_e, e, #[1.0] + two_e), @FMA(e, e, #[2.0] + two_e));
    const real r = @by_sign(x, x, -t * q) * (a / b);
    return @by_sign(x, r, @times_power(r, n));
}
""",
    ),
    "normal_tail": (
        (),
        {
            4: """
/* t Q(t) / e^(-t^2 / 2), t >= 0, Q the upper tail of the normal distribution */
static @INLINE real @normal_tail(real t)
{
    const real w = (t - #[3.5]) / (t + #[3.5]);
    const real w2 = w * w;
    const real w4 = w2 * w2;
    const real a = @FMA(#[0.047982972], w, #[-0.16788997]);
    const real b = @FMA(#[-0.023112087], w, #[0.014933228]);
    const real c = @FMA(#[-0.00022812425], w, #[0.009790223]);
    const real d = @FMA(#[0.0001461026], w, #[-0.0012553914]);
    const real h = @FMA(w4, #[0.00014339297], @FMA(d, w2, c));
    const real p = @FMA(w, @FMA(w4, h, @FMA(b, w2, a)), #[0.5184326]);
    return t * p / (t + #[1.375]);
}
""",
            8: """
/* t Q(t) / e^(-t^2 / 2), t >= 0, Q the upper tail of the normal distribution */
static @INLINE real @normal_tail(real t)
{
    const real w = (t - #[4.0]) / (t + #[4.0]);
    const real w2 = w * w;
    const real w4 = w2 * w2;
    const real a0 = @FMA(#[0.04509444855924116], w, #[-0.13930290771363965]);
    const real a1 = @FMA(#[-0.024481636401500185], w, #[0.010673512219115486]);
    const real b0 = @FMA(#[-0.004875488072397726], w, #[0.015813073609181966]);
    const real b1 = @FMA(#[0.0006481010382300494], w, #[-0.00012591963560456196]);
    const real c0 = @FMA(#[-8.069110295157755e-05], w, #[-0.00010581897274529265]);
    const real c1 = @FMA(#[1.2550998502424244e-05], w, #[2.240791481234106e-05]);
    const real d0 = @FMA(#[-2.447572277897832e-06], w, #[-3.6394714781346966e-06]);
    const real d1 = @FMA(#[5.28518703446196e-07], w, #[4.5580627663599394e-07]);
    const real e0 = @FMA(#[-1.0871551273610096e-07], w, #[-1.1473495975859487e-08]);
    const real e1 = @FMA(#[1.7710862776168663e-08], w, #[-1.71771010008845e-08]);
    const real g0 = @FMA(#[-1.5944838649343194e-09], w, #[5.868748592643209e-09]);
    real h = @FMA(w2, #[-7.7231762836786e-10], g0);
    h = @FMA(w4, h, @FMA(e1, w2, e0));
    h = @FMA(w4, h, @FMA(d1, w2, d0));
    h = @FMA(w4, h, @FMA(c1, w2, c0));
    h = @FMA(w4, h, @FMA(b1, w2, b0));
    h = @FMA(w4, h, @FMA(a1, w2, a0));
    return t * @FMA(w, h, #[0.4956558668353369]) / (t + #[1.25]);
}
""",
        },
    ),
    "gelu": (
        ("clipped", "max", "upper_half", "binary_exponent", "expm1_reduced", "times_power",
         "normal_tail"),
        """
/* x Phi(x) = max(x, 0) - t Q(t), t = |x|; t^2 in two parts */
static @INLINE real @gelu(real x)
{
    const real t = @clipped(x, #[14.6|39.0]);
    const real y = @normal_tail(t);
    const real h = @upper_half(t);
    const real square = #[-0.5] * h * h;
    const real low = #[0.5] * (h - t) * (h + t);
    const real n = @binary_exponent(square + low);
    const real tail = @times_power(@FMA(y, @expm1_reduced(square, low, n), y), n);
    return @max(#[0.0], x) - tail;
}
""",
    ),
    "sin_quadrant": (
        ("bits", "number"),
        {
            4: """
/* sin(r + quadrant pi / 2), |r| <= 0.787 */
static @INLINE real @sin_quadrant(real r, word quadrant)
{
    const word odd = (word)0 - (quadrant & 1);
    const word sign = (quadrant << 30) & SIGN;
    const real z = r * r;
    const real s = @FMA(#[0.008332188], z, #[-0.16666655]);
    const real c = @FMA(#[-0.0013887308], z, #[0.041666646]);
    const real s_all = @FMA(r * z, @FMA(z * z, #[-0.00019518012], s), r);
    const real c_all = @FMA(z * z, @FMA(z * z, #[2.443211e-05], c),
                            @FMA(#[-0.5], z, #[1.0]));
    return @number(((@bits(c_all) & odd) | (@bits(s_all) & ~odd)) ^ sign);
}
""",
            8: """
/* sin(r + quadrant pi / 2), |r| <= 0.787 */
static @INLINE real @sin_quadrant(real r, word quadrant)
{
    const word odd = (word)0 - (quadrant & 1);
    const word sign = (quadrant << 62) & SIGN;
    const real z = r * r;
    const real z2 = z * z;
    const real z4 = z2 * z2;
    const real s0 = @FMA(#[0.008333333333322418], z, #[-0.16666666666666632]);
    const real s1 = @FMA(#[2.755731366748956e-06], z, #[-0.00019841269829767218]);
    const real s2 = @FMA(#[1.5896449308451507e-10], z, #[-2.505075308943283e-08]);
    const real c0 = @FMA(#[-0.0013888888888872186], z, #[0.04166666666666659]);
    const real c1 = @FMA(#[-2.7557314030544615e-07], z, #[2.4801587288316515e-05]);
    const real c2 = @FMA(#[-1.1357594625437857e-11], z, #[2.087568161552529e-09]);
    const real s_all = @FMA(r * z, @FMA(z4, s2, @FMA(s1, z2, s0)), r);
    const real c_all = @FMA(z2, @FMA(z4, c2, @FMA(c1, z2, c0)), @FMA(#[-0.5], z, #[1.0]));
    return @number(((@bits(c_all) & odd) | (@bits(s_all) & ~odd)) ^ sign);
}
""",
        },
    ),
    "sin": (
        ("abs", "bits", "number", "sin_quadrant"),
        """
/* |x| = n pi / 2 + r with pi / 2 in four parts (Cody & Waite 1980); up to SIN_LIMIT */
static @INLINE real @sin(real x)
{
    const real a = @abs(x);
    const real t = @FMA(a, #[0.63661977236758134], MAGIC);
    const real n = t - MAGIC;
    real r = @FMA(-n, #[1.5705566|1.5707963267341256], a);
    r = @FMA(-n, #[0.00023967028|6.077100506303966e-11], r);
    r = @FMA(-n, #[1.5890691e-08|2.0222662487111665e-21], r);
    r = @FMA(-n, #[2.563344e-12|8.4784276603689e-32], r);
    return @number(@bits(@sin_quadrant(r, @bits(t))) ^ (@bits(x) & SIGN));
}
""",
    ),
    "two_over_pi": (
        (),
        {
            4: """
/* 2 / pi in binary, behind 64 zeros */
static @WEIGHTS const uint32_t @two_over_pi[] = {
    0x00000000u, 0x00000000u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u,
    0x3c439041u, 0xfe5163abu, 0xdebbc561u, 0xb7246e3au, 0x424dd2e0u, 0x06492eeau, 0x09d1921cu};
""",
            8: """
/* 2 / pi in binary, behind 64 zeros */
static @WEIGHTS const uint32_t @two_over_pi[] = {
    0x00000000u, 0x00000000u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u,
    0x3c439041u, 0xfe5163abu, 0xdebbc561u, 0xb7246e3au, 0x424dd2e0u, 0x06492eeau, 0x09d1921cu,
    0xfe1deb1cu, 0xb129a73eu, 0xe88235f5u, 0x2ebb4484u, 0xe99c7026u, 0xb45f7e41u, 0x3991d639u,
    0x835339f4u, 0x9c845f8bu, 0xbdf9283bu, 0x1ff897ffu, 0xde05980fu, 0xef2f118bu, 0x5a0a6d1fu,
    0x6d367ecfu, 0x27cb09b7u, 0x4f463f66u, 0x9e5fea2du, 0x7527bac7u, 0xebe5f17bu, 0x3d0739f7u,
    0x8a5292eau, 0x6bfb5fb1u, 0x1f8d5d08u, 0x56033046u, 0xfc7b6babu, 0xf0cfbc20u, 0x9af4361du};
""",
        },
    ),
    "large_sin": (
        ("bits", "number", "sin_quadrant", "two_over_pi"),
        """
/* sin x for |x| > SIN_LIMIT: x is an integer times a power of two, and of 2 / pi times that power
   only the bits below whole turns count (Payne & Hanek 1983) */
static real @large_sin(real x)
{
    const word b = @bits(x) & ~SIGN;
    const uint64_t whole = (b & (((word)1 << FRACTION) - 1)) | ((word)1 << FRACTION);
    const unsigned from = (unsigned)(b >> FRACTION) - BIAS - FRACTION + 62;
    uint32_t part[6];
    uint64_t carry = 0, high, low;
    word quadrant;
    unsigned i;
    real r;
    if (b >= (HIGH & ~SIGN))
        return x - x;
    for (i = 0; i < 6; ++i) {
        const uint32_t *two = @two_over_pi + from / 32 + i;
        part[i] = (uint32_t)((((uint64_t)two[0] << 32 | two[1]) << from % 32) >> 32);
    }
    /* the product without what is above 192 bits; quarter turns from its upper two bits on */
    for (i = 6; i-- > 0;) {
        const uint64_t a = (whole & 0xffffffffu) * part[i];
        const uint64_t sum = carry + (a & 0xffffffffu);
        carry = (sum >> 32) + (a >> 32) + (whole >> 32) * part[i];
        part[i] = (uint32_t)sum;
    }
    quadrant = part[0] >> 30;
    high = (uint64_t)part[0] << 34 | (uint64_t)part[1] << 2 | part[2] >> 30;
    low = (uint64_t)part[2] << 34 | (uint64_t)part[3] << 2 | part[4] >> 30;
    if (high >> 63) {
        high = ~high;
        low = ~low;
        r = #[-5.421010862427522e-20] * (real)high - #[2.938735877055719e-39] * (real)low;
        ++quadrant;
    } else {
        r = #[5.421010862427522e-20] * (real)high + #[2.938735877055719e-39] * (real)low;
    }
    r = @sin_quadrant(#[1.5707963267948966] * r, quadrant);
    return @number(@bits(r) ^ (@bits(x) & SIGN));
}
""",
    ),
    "any_sin": (
        ("abs", "sin", "large_sin"),
        """
static real @any_sin(real x)
{
    return @abs(x) > SIN_LIMIT ? @large_sin(x) : @sin(x);
}
""",
    ),
}
