"""Bits of numbers, exponentials and sigmoids as C.

Texts for `fastnet.interop.c_functions`, which says how to read them.
"""

__all__ = ["EXPONENTIALS"]

# name: what it needs and its text; in the order in which C wants them
EXPONENTIALS = {
    "bits": (
        (),
        """
static @INLINE word @bits(real x)
{
    word b;
    memcpy(&b, &x, sizeof b);
    return b;
}
""",
    ),
    "number": (
        (),
        """
static @INLINE real @number(word b)
{
    real x;
    memcpy(&x, &b, sizeof x);
    return x;
}
""",
    ),
    "abs": (
        ("bits", "number"),
        """
static @INLINE real @abs(real x)
{
    return @number(@bits(x) & ~SIGN);
}
""",
    ),
    "select": (
        ("bits", "number"),
        """
static @INLINE real @select(int condition, real a, real b)
{
    const word mask = (word)0 - (word)condition;
    return @number((@bits(a) & mask) | (@bits(b) & ~mask));
}
""",
    ),
    "max": (
        ("select",),
        """
/* b where it is NaN */
static @INLINE real @max(real a, real b)
{
    return @select(a > b, a, b);
}
""",
    ),
    "min": (
        ("select",),
        """
/* b where it is NaN */
static @INLINE real @min(real a, real b)
{
    return @select(a < b, a, b);
}
""",
    ),
    "clipped": (
        ("abs", "min"),
        {
            4: """
/* |x|, or limit where that is less; NaN stays */
static @INLINE real @clipped(real x, real limit)
{
    return @min(limit, @abs(x));
}
""",
            8: """
/* |x|, or limit where that is less; NaN stays.  By integers where only SSE2 is sure to be there:
   gcc takes no condition on doubles in a loop then */
static @INLINE real @clipped(real x, real limit)
{
#if defined(__SSE2__) && !defined(__AVX__)
    const word b = @bits(x) & ~SIGN;
    const word left = @bits(limit) - b;
    const word beyond = (((HIGH & ~SIGN) - b) >> 63) - (left >> 63);
    return @number(b + (left & beyond));
#else
    const real a = @abs(x);
    return a > limit ? limit : a;
#endif
}
""",
        },
    ),
    "by_sign": (
        ("bits", "number"),
        """
/* a, or b where x has the sign of -0 */
static @INLINE real @by_sign(real x, real a, real b)
{
    const word mask = (word)0 - (@bits(x) >> SIGN_PLACE);
    return @number((@bits(b) & mask) | (@bits(a) & ~mask));
}
""",
    ),
    "upper_half": (
        ("bits", "number"),
        """
/* x cut so that products of two such numbers are exact */
static @INLINE real @upper_half(real x)
{
    return @number(@bits(x) & UPPER);
}
""",
    ),
    "power_of_two": (
        ("bits", "number"),
        """
/* 2^n of t = n + MAGIC, whose low bits hold n */
static @INLINE real @power_of_two(real t)
{
    return @number((@bits(t) << FRACTION) + ONE);
}
""",
    ),
    "times_power": (
        ("bits", "number"),
        """
/* y 2^n of t = n + MAGIC, rounded once: 2^n may be too large or too small, 2^(n / 2) is not */
static @INLINE real @times_power(real y, real t)
{
    const word half = (@bits(t) << (FRACTION - 1)) & HIGH;
    const word rest = (@bits(t) << FRACTION) - half;
    return y * @number(half + ONE) * @number(rest + ONE);
}
""",
    ),
    "binary_exponent": (
        (),
        """
/* n + MAGIC with n = x / ln 2, rounded */
static @INLINE real @binary_exponent(real x)
{
    return @FMA(x, #[1.4426950408889634], MAGIC);
}
""",
    ),
    "expm1_reduced": (
        (),
        {
            4: """
/* e^r - 1 with r = x + low - n ln 2, |r| <= 0.3476, t = n + MAGIC */
static @INLINE real @expm1_reduced(real x, real low, real t)
{
    const real n = t - MAGIC;
    const real first = @FMA(-n, #[0.69314575], x);
    const real r = first - (n * #[1.4286068e-06] - low);
    const real r2 = r * r;
    const real a = @FMA(#[0.16666542], r, #[0.49999997]);
    const real b = @FMA(#[0.0083667105], r, #[0.041667204]);
    return @FMA(r2, @FMA(r2, @FMA(#[0.0013882485], r2, b), a), r);
}
""",
            8: """
/* e^r - 1 with r = x + low - n ln 2, |r| <= 0.3476, t = n + MAGIC */
static @INLINE real @expm1_reduced(real x, real low, real t)
{
    const real n = t - MAGIC;
    const real first = @FMA(-n, #[0.6931471803691238], x);
    const real r = first - (n * #[1.9082149292705877e-10] - low);
    const real r2 = r * r;
    const real r4 = r2 * r2;
    const real a = @FMA(#[0.16666666666666677], r, #[0.5]);
    const real b = @FMA(#[0.00833333333332141], r, #[0.04166666666666668]);
    const real c = @FMA(#[0.00019841269886742373], r, #[0.0013888888888875363]);
    const real d = @FMA(#[2.7557243520209556e-06], r, #[2.480158734769975e-05]);
    const real e = @FMA(#[2.5109301534619324e-08], r, #[2.755725143730263e-07]);
    const real g = @FMA(r2, #[2.0922265657772076e-09], e);
    return @FMA(r2, @FMA(r4, @FMA(r4, g, @FMA(d, r2, c)), @FMA(b, r2, a)), r);
}
""",
        },
    ),
    "exp": (
        ("max", "min", "binary_exponent", "expm1_reduced", "times_power"),
        """
static @INLINE real @exp(real x)
{
    const real y = @max(LOWEST, @min(#[89.0|710.0], x));
    const real t = @binary_exponent(y);
    return @times_power(@expm1_reduced(y, #[0.0], t) + #[1.0], t);
}
""",
    ),
    "exp_of_sum": (
        ("binary_exponent", "expm1_reduced", "times_power"),
        """
/* e^(x + low), at most e, |low| much less than |x| */
static @INLINE real @exp_of_sum(real x, real low)
{
    const real t = @binary_exponent(x + low);
    return @times_power(@expm1_reduced(x, low, t) + #[1.0], t);
}
""",
    ),
    "expm1": (
        ("abs", "max", "min", "select", "binary_exponent", "expm1_reduced", "power_of_two"),
        """
static @INLINE real @expm1(real x)
{
    const real y = @max(#[-20.0|-40.0], @min(#[89.0|710.0], x));
    const real t = @binary_exponent(y);
    const real half = @power_of_two(t - #[1.0]);
    const real e = @FMA(half, @expm1_reduced(y, #[0.0], t), half - #[0.5]);
    return @select(#[1e-30] > @abs(x), x, e + e);
}
""",
    ),
    "sigmoid_of_sum": (
        ("exp_of_sum", "by_sign"),
        """
/* 1 / (1 + e^-(x + low)) for x + low >= 0, of -(x + low) where sign is negative */
static @INLINE real @sigmoid_of_sum(real sign, real x, real low)
{
    const real e = @exp_of_sum(-x, -low);
    return @by_sign(sign, #[1.0], e) / (#[1.0] + e);
}
""",
    ),
    "sigmoid": (
        ("clipped", "sigmoid_of_sum"),
        """
static @INLINE real @sigmoid(real x)
{
    return @sigmoid_of_sum(x, @clipped(x, -LOWEST), #[0.0]);
}
""",
    ),
    "steep_sigmoid": (
        ("clipped", "upper_half", "sigmoid_of_sum"),
        """
/* 4.9 |x| in two parts */
static @INLINE real @steep_sigmoid(real x)
{
    const real a = @clipped(x, #[21.3|152.3]);
    const real high = @upper_half(a);
    const real low = @FMA(high, #[-0.000390625|2.384185791015625e-08], (a - high) * #[4.9]);
    return @sigmoid_of_sum(x, high * #[4.9003906|4.899999976158142], low);
}
""",
    ),
    "lone_sigmoid": (
        ("sigmoid", "binary_exponent", "expm1_reduced", "power_of_two"),
        """
static real @far_sigmoid(real x)
{
    return @sigmoid(x);
}

/* 1 / (1 + e^-x), the shortest way from x on: for nodes that wait for each other */
static @INLINE real @lone_sigmoid(real x)
{
    const real t = @binary_exponent(-x);
    const real s = @power_of_two(t);        /* e^-x = s + s (e^r - 1) */
    if (!(x > #[-87.0|-700.0] && x < #[87.0|700.0]))
        return @far_sigmoid(x);
    return #[1.0] / @FMA(s, @expm1_reduced(-x, #[0.0], t), #[1.0] + s);
}
""",
    ),
    "lone_steep_sigmoid": (
        ("steep_sigmoid", "upper_half", "expm1_reduced", "power_of_two"),
        """
static real @far_steep_sigmoid(real x)
{
    return @steep_sigmoid(x);
}

/* 1 / (1 + e^-4.9x), the shortest way from x on: for nodes that wait for each other */
static @INLINE real @lone_steep_sigmoid(real x)
{
    const real high = @upper_half(x);
    const real low = @FMA(high, #[0.000390625|-2.384185791015625e-08], (high - x) * #[4.9]);
    const real t = @FMA(x, #[-7.069205700355922], MAGIC);
    const real s = @power_of_two(t);
    if (!(x > #[-17.7|-142.0] && x < #[17.7|142.0]))
        return @far_steep_sigmoid(x);
    const real e = @expm1_reduced(high * #[-4.9003906|-4.899999976158142], low, t);
    return #[1.0] / @FMA(s, e, #[1.0] + s);
}
""",
    ),
    "expm1_of_twice": (
        (),
        {
            4: """
/* e^(-2q) - 1 with q = x + n ln 2 / 2, |q| <= 0.1738, t = n + MAGIC; n ln 2 / 2 in one part, as the
   error is multiplied by 2^n */
static @INLINE real @expm1_of_twice(real x, real t)
{
    const real n = t - MAGIC;
    const real q = @FMA(n, #[0.3465736], x);
    const real q2 = q * q;
    const real a = @FMA(#[-1.3333234], q, #[1.9999999]);
    const real b = @FMA(#[-0.26773474], q, #[0.66667527]);
    return @FMA(q2, @FMA(q2, @FMA(#[0.088847905], q2, b), a), #[-2.0] * q);
}
""",
            8: """
/* e^(-2q) - 1 with q = x + n ln 2 / 2, |q| <= 0.1738, t = n + MAGIC */
static @INLINE real @expm1_of_twice(real x, real t)
{
    const real n = t - MAGIC;
    const real first = @FMA(n, #[0.3465735901845619], x);
    const real q = @FMA(n, #[9.541074646352939e-11], first);
    const real q2 = q * q;
    const real q4 = q2 * q2;
    const real a = @FMA(#[-1.3333333333333341], q, #[2.0]);
    const real b = @FMA(#[-0.26666666666628513], q, #[0.6666666666666669]);
    const real c = @FMA(#[-0.025396825455030237], q, #[0.08888888888880232]);
    const real d = @FMA(#[-0.0014109308682347292], q, #[0.006349206361011136]);
    const real e = @FMA(#[-5.1423849542900375e-05], q, #[0.00028218625471797894]);
    const real g = @FMA(q2, #[8.569760013423442e-06], e);
    return @FMA(q2, @FMA(q4, @FMA(q4, g, @FMA(d, q2, c)), @FMA(b, q2, a)), #[-2.0] * q);
}
""",
        },
    ),
    "tanh": (
        ("clipped", "expm1_of_twice"),
        """
/* u / (2 - u) with u = 1 - e^(-2|x|) = 1 - s - s p, whose sign is + */
static @INLINE real @tanh(real x)
{
    const real a = @clipped(x, #[10.0|22.0]);
    const real t = @FMA(a, #[-2.8853900817779268], MAGIC);
    const real minus_s = @number((@bits(t) << FRACTION) + (ONE | SIGN));
    const real u = @FMA(minus_s, @expm1_of_twice(a, t), #[1.0] + minus_s);
    return @number(@bits(u / (#[2.0] - u)) ^ (@bits(x) & SIGN));
}
""",
    ),
    "gaussian": (
        ("clipped", "upper_half", "exp_of_sum"),
        """
/* e^(-h^2) e^(-(|x| - h) (|x| + h)) with h so short that h^2 is exact */
static @INLINE real @gaussian(real x)
{
    const real a = @clipped(x, #[10.2|27.31]);
    const real h = @upper_half(a);
    return @exp_of_sum(-h * h, (h - a) * (h + a));
}
""",
    ),
}
