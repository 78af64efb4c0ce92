# Updates of a flat parameter vector: one fused pass each, any length, any alignment, no slack.

from libc.math cimport pow, sqrt


cdef inline vf load_lanes(bint full, const real *p, Py_ssize_t n) noexcept nogil:
    if full:
        return vload(p)
    return vload_partial(p, n)


cdef inline void store_lanes(bint full, real *p, vf v, Py_ssize_t n) noexcept nogil:
    if full:
        vstore(p, v)
    else:
        vstore_partial(p, v, n)


# parameters (n,), gradient (n,)
#   p -= rate (g + decay p)
# has_decay is a literal of the caller, so that a zero decay costs nothing and does not turn an
# infinity into NaN.
cdef inline void sgd_lanes(bint full, bint has_decay, Py_ssize_t n, real *parameters,
                           const real *gradient, vf rate, vf decay) noexcept nogil:
    cdef vf p = load_lanes(full, parameters, n)
    cdef vf g = load_lanes(full, gradient, n)
    if has_decay:
        g = vfma(decay, p, g)
    store_lanes(full, parameters, vfnma(rate, g, p), n)


cdef inline void sgd_pass(bint has_decay, Py_ssize_t n, real *parameters, const real *gradient,
                          vf rate, vf decay) noexcept nogil:
    cdef Py_ssize_t i = 0
    while i + VL <= n:
        sgd_lanes(True, has_decay, VL, parameters + i, gradient + i, rate, decay)
        i += VL
    if i < n:
        sgd_lanes(False, has_decay, n - i, parameters + i, gradient + i, rate, decay)


cdef void sgd(Py_ssize_t n, void *parameters, const void *gradient, double learning_rate,
              double weight_decay) noexcept nogil:
    cdef vf rate = vset1(<real> learning_rate)
    if weight_decay == 0:
        sgd_pass(False, n, <real *> parameters, <const real *> gradient, rate, vzero())
    else:
        sgd_pass(True, n, <real *> parameters, <const real *> gradient, rate,
                 vset1(<real> weight_decay))


# parameters (n,), gradient (n,), velocity (n,), with dampening 0 (Sutskever et al. 2013, in the
# form PyTorch uses):
#   g' = g + decay p;   v = mu v + g'
#   p -= rate v, or with Nesterov's look-ahead p -= rate (g' + mu v)
cdef inline void momentum_lanes(bint full, bint has_decay, bint nesterov, Py_ssize_t n,
                                real *parameters, const real *gradient, real *velocity, vf rate,
                                vf mu, vf decay) noexcept nogil:
    cdef vf p = load_lanes(full, parameters, n)
    cdef vf g = load_lanes(full, gradient, n)
    cdef vf v = load_lanes(full, velocity, n)
    if has_decay:
        g = vfma(decay, p, g)
    v = vfma(mu, v, g)
    store_lanes(full, velocity, v, n)
    if nesterov:
        v = vfma(mu, v, g)
    store_lanes(full, parameters, vfnma(rate, v, p), n)


cdef inline void momentum_pass(bint has_decay, bint nesterov, Py_ssize_t n, real *parameters,
                               const real *gradient, real *velocity, vf rate, vf mu,
                               vf decay) noexcept nogil:
    cdef Py_ssize_t i = 0
    while i + VL <= n:
        momentum_lanes(True, has_decay, nesterov, VL, parameters + i, gradient + i, velocity + i,
                       rate, mu, decay)
        i += VL
    if i < n:
        momentum_lanes(False, has_decay, nesterov, n - i, parameters + i, gradient + i,
                       velocity + i, rate, mu, decay)


cdef void momentum(Py_ssize_t n, void *parameters, const void *gradient, void *velocity,
                   double learning_rate, double momentum, bint nesterov,
                   double weight_decay) noexcept nogil:
    cdef real *p = <real *> parameters
    cdef const real *g = <const real *> gradient
    cdef real *v = <real *> velocity
    cdef vf rate = vset1(<real> learning_rate)
    cdef vf mu = vset1(<real> momentum)
    cdef vf decay = vset1(<real> weight_decay)
    if weight_decay == 0:
        if nesterov:
            momentum_pass(False, True, n, p, g, v, rate, mu, decay)
        else:
            momentum_pass(False, False, n, p, g, v, rate, mu, decay)
    elif nesterov:
        momentum_pass(True, True, n, p, g, v, rate, mu, decay)
    else:
        momentum_pass(True, False, n, p, g, v, rate, mu, decay)


# parameters (n,), gradient (n,), m (n,), v (n,) (Kingma & Ba 2015, algorithm 1 in the efficient
# form of section 2):
#   m = b1 m + (1 - b1) g;   v = b2 v + (1 - b2) g^2;   p -= a m / (sqrt(v) + e) + rate decay p
# with a = rate sqrt(1 - b2^t) / (1 - b1^t) and e = epsilon sqrt(1 - b2^t), which is the textbook
# update with the epsilon added to the unbiased sqrt(v).  The decay beside the gradient is that of
# AdamW (Loshchilov & Hutter 2019).  The square root and the division bound the speed.
cdef inline void adam_lanes(bint full, bint has_decay, Py_ssize_t n, real *parameters,
                            const real *gradient, real *m_, real *v_, vf b1, vf b2, vf c1, vf c2,
                            vf a, vf e, vf decay) noexcept nogil:
    cdef vf p = load_lanes(full, parameters, n)
    cdef vf g = load_lanes(full, gradient, n)
    cdef vf m = vfma(b1, load_lanes(full, m_, n), c1 * g)
    cdef vf v = vfma(b2, load_lanes(full, v_, n), c2 * g * g)
    store_lanes(full, m_, m, n)
    store_lanes(full, v_, v, n)
    m = a * m / (vsqrt(v) + e)
    if has_decay:
        m = vfma(decay, p, m)
    store_lanes(full, parameters, p - m, n)


cdef inline void adam_pass(bint has_decay, Py_ssize_t n, real *parameters, const real *gradient,
                           real *m, real *v, vf b1, vf b2, vf c1, vf c2, vf a, vf e,
                           vf decay) noexcept nogil:
    cdef Py_ssize_t i = 0
    while i + VL <= n:
        adam_lanes(True, has_decay, VL, parameters + i, gradient + i, m + i, v + i, b1, b2, c1, c2,
                   a, e, decay)
        i += VL
    if i < n:
        adam_lanes(False, has_decay, n - i, parameters + i, gradient + i, m + i, v + i, b1, b2, c1,
                   c2, a, e, decay)


cdef void adam(Py_ssize_t n, void *parameters, const void *gradient, void *m, void *v,
               int64_t step, double learning_rate, double beta1, double beta2,
               double epsilon, double weight_decay) noexcept nogil:
    cdef double unbias = sqrt(1.0 - pow(beta2, <double> step))
    cdef vf a = vset1(<real> (learning_rate * unbias / (1.0 - pow(beta1, <double> step))))
    cdef vf e = vset1(<real> (epsilon * unbias))
    cdef vf b1 = vset1(<real> beta1)
    cdef vf b2 = vset1(<real> beta2)
    cdef vf c1 = vset1(<real> (1.0 - beta1))
    cdef vf c2 = vset1(<real> (1.0 - beta2))
    cdef real *p_ = <real *> parameters
    cdef const real *g_ = <const real *> gradient
    if weight_decay == 0:
        adam_pass(False, n, p_, g_, <real *> m, <real *> v, b1, b2, c1, c2, a, e, vzero())
    else:
        # not p *= 1 - rate decay: that factor would lose the digits of the product
        adam_pass(True, n, p_, g_, <real *> m, <real *> v, b1, b2, c1, c2, a, e,
                  vset1(<real> (learning_rate * weight_decay)))


# parameters (n,), gradient (n,), square (n,), mean (n,) where centered, velocity (n,) where there
# is momentum (Tieleman & Hinton 2012; Graves 2013, equations 38-41, with the epsilon outside of the
# root):
#   g' = g + decay p;   s = rho s + (1 - rho) g'^2;   c = rho c + (1 - rho) g'
#   q = g' / (sqrt(s - c^2) + e), without c where not centered
#   v = mu v + q;   p -= rate v, without momentum p -= rate q
cdef inline void rmsprop_lanes(bint full, bint has_decay, bint centered, bint has_momentum,
                               Py_ssize_t n, real *parameters, const real *gradient, real *square,
                               real *mean, real *velocity, vf rate, vf rho, vf rest, vf mu, vf e,
                               vf decay) noexcept nogil:
    cdef vf p = load_lanes(full, parameters, n)
    cdef vf g = load_lanes(full, gradient, n)
    cdef vf s, c
    if has_decay:
        g = vfma(decay, p, g)
    s = vfma(rho, load_lanes(full, square, n), rest * g * g)
    store_lanes(full, square, s, n)
    if centered:
        c = vfma(rho, load_lanes(full, mean, n), rest * g)
        store_lanes(full, mean, c, n)
        # rounding can make a variance of about 0 negative; NaN stays
        s = vmax(vzero(), vfnma(c, c, s))
    g = g / (vsqrt(s) + e)
    if has_momentum:
        g = vfma(mu, load_lanes(full, velocity, n), g)
        store_lanes(full, velocity, g, n)
    store_lanes(full, parameters, vfnma(rate, g, p), n)


cdef inline void rmsprop_pass(bint has_decay, bint centered, bint has_momentum, Py_ssize_t n,
                              real *parameters, const real *gradient, real *square, real *mean,
                              real *velocity, vf rate, vf rho, vf rest, vf mu, vf e,
                              vf decay) noexcept nogil:
    cdef Py_ssize_t i = 0
    while i + VL <= n:
        rmsprop_lanes(True, has_decay, centered, has_momentum, VL, parameters + i, gradient + i,
                      square + i, mean + i, velocity + i, rate, rho, rest, mu, e, decay)
        i += VL
    if i < n:
        rmsprop_lanes(False, has_decay, centered, has_momentum, n - i, parameters + i,
                      gradient + i, square + i, mean + i, velocity + i, rate, rho, rest, mu, e,
                      decay)


cdef void rmsprop(Py_ssize_t n, void *parameters, const void *gradient, void *square, void *mean,
                  void *velocity, double learning_rate, double rho, double momentum,
                  double epsilon, double weight_decay) noexcept nogil:
    cdef vf rate = vset1(<real> learning_rate)
    cdef vf r = vset1(<real> rho)
    cdef vf rest = vset1(<real> (1.0 - rho))
    cdef vf mu = vset1(<real> momentum)
    cdef vf e = vset1(<real> epsilon)
    cdef vf decay = vset1(<real> weight_decay)
    cdef real *p = <real *> parameters
    cdef const real *g = <const real *> gradient
    cdef real *s = <real *> square
    # never read where they are not used; valid addresses all the same
    cdef real *c = s if mean == NULL else <real *> mean
    cdef real *v = s if velocity == NULL else <real *> velocity
    if weight_decay == 0 and mean == NULL and velocity == NULL:
        rmsprop_pass(False, False, False, n, p, g, s, c, v, rate, r, rest, mu, e, decay)
    elif weight_decay == 0 and mean == NULL:
        rmsprop_pass(False, False, True, n, p, g, s, c, v, rate, r, rest, mu, e, decay)
    elif weight_decay == 0 and velocity == NULL:
        rmsprop_pass(False, True, False, n, p, g, s, c, v, rate, r, rest, mu, e, decay)
    elif weight_decay == 0:
        rmsprop_pass(False, True, True, n, p, g, s, c, v, rate, r, rest, mu, e, decay)
    elif mean == NULL and velocity == NULL:
        rmsprop_pass(True, False, False, n, p, g, s, c, v, rate, r, rest, mu, e, decay)
    elif mean == NULL:
        rmsprop_pass(True, False, True, n, p, g, s, c, v, rate, r, rest, mu, e, decay)
    elif velocity == NULL:
        rmsprop_pass(True, True, False, n, p, g, s, c, v, rate, r, rest, mu, e, decay)
    else:
        rmsprop_pass(True, True, True, n, p, g, s, c, v, rate, r, rest, mu, e, decay)


# parameters (n,), gradient (n,), squares (n,) (Duchi, Hazan & Singer 2011, diagonal form):
#   g' = g + decay p;   s += g'^2;   p -= rate g' / (sqrt(s) + e)
cdef inline void adagrad_lanes(bint full, bint has_decay, Py_ssize_t n, real *parameters,
                               const real *gradient, real *squares, vf rate, vf e,
                               vf decay) noexcept nogil:
    cdef vf p = load_lanes(full, parameters, n)
    cdef vf g = load_lanes(full, gradient, n)
    cdef vf s
    if has_decay:
        g = vfma(decay, p, g)
    s = vfma(g, g, load_lanes(full, squares, n))
    store_lanes(full, squares, s, n)
    store_lanes(full, parameters, p - rate * g / (vsqrt(s) + e), n)


cdef inline void adagrad_pass(bint has_decay, Py_ssize_t n, real *parameters, const real *gradient,
                              real *squares, vf rate, vf e, vf decay) noexcept nogil:
    cdef Py_ssize_t i = 0
    while i + VL <= n:
        adagrad_lanes(True, has_decay, VL, parameters + i, gradient + i, squares + i, rate, e,
                      decay)
        i += VL
    if i < n:
        adagrad_lanes(False, has_decay, n - i, parameters + i, gradient + i, squares + i, rate, e,
                      decay)


cdef void adagrad(Py_ssize_t n, void *parameters, const void *gradient, void *squares,
                  double learning_rate, double epsilon, double weight_decay) noexcept nogil:
    cdef vf rate = vset1(<real> learning_rate)
    cdef vf e = vset1(<real> epsilon)
    if weight_decay == 0:
        adagrad_pass(False, n, <real *> parameters, <const real *> gradient, <real *> squares,
                     rate, e, vzero())
    else:
        adagrad_pass(True, n, <real *> parameters, <const real *> gradient, <real *> squares,
                     rate, e, vset1(<real> weight_decay))


# parameters (n,), gradient (n,), signs (n,), lengths (n,): iRprop- (Igel & Huesken 2000).  With
# s = sign g and t its sign in the step before:
#   s t > 0: l = min(grow l, most);   s t < 0: l = max(shrink l, least), s = 0
#   t = s;   p -= s l
# Signs and not gradients are compared and kept, because a product of two small gradients is 0.
cdef inline void rprop_lanes(bint full, Py_ssize_t n, real *parameters, const real *gradient,
                             real *signs, real *lengths, vf grow, vf shrink, vf least,
                             vf most) noexcept nogil:
    cdef vf zero = vzero()
    cdef vf p = load_lanes(full, parameters, n)
    cdef vf g = load_lanes(full, gradient, n)
    cdef vf l = load_lanes(full, lengths, n)
    # 0 and NaN are their own sign
    cdef vf s = vselect(vgt(g, zero), vset1(<real> 1), vselect(vgt(zero, g), vset1(<real> -1), g))
    cdef vf product = s * load_lanes(full, signs, n)
    l = vselect(vgt(product, zero), vmin(grow * l, most), l)
    l = vselect(vgt(zero, product), vmax(shrink * l, least), l)
    s = vselect(vgt(zero, product), zero, s)
    store_lanes(full, signs, s, n)
    store_lanes(full, lengths, l, n)
    store_lanes(full, parameters, vfnma(s, l, p), n)


cdef void rprop(Py_ssize_t n, void *parameters, const void *gradient, void *signs, void *lengths,
                double grow, double shrink, double least, double most) noexcept nogil:
    cdef vf up = vset1(<real> grow)
    cdef vf down = vset1(<real> shrink)
    cdef vf low = vset1(<real> least)
    cdef vf high = vset1(<real> most)
    cdef real *p = <real *> parameters
    cdef const real *g = <const real *> gradient
    cdef real *s = <real *> signs
    cdef real *l = <real *> lengths
    cdef Py_ssize_t i = 0
    while i + VL <= n:
        rprop_lanes(True, VL, p + i, g + i, s + i, l + i, up, down, low, high)
        i += VL
    if i < n:
        rprop_lanes(False, n - i, p + i, g + i, s + i, l + i, up, down, low, high)


# x (n,):  x = min(max(x, -limit), limit); NaN stays
cdef void clamp(Py_ssize_t n, double limit, void *x_) noexcept nogil:
    cdef real *x = <real *> x_
    cdef vf high = vset1(<real> limit)
    cdef vf low = vset1(<real> -limit)
    cdef Py_ssize_t i = 0
    while i + VL <= n:
        vstore(x + i, vmax(low, vmin(high, vload(x + i))))
        i += VL
    if i < n:
        vstore_partial(x + i, vmax(low, vmin(high, vload_partial(x + i, n - i))), n - i)
