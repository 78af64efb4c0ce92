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
#   m = b1 m + (1 - b1) g;   v = b2 v + (1 - b2) g^2;   p -= a m / (sqrt(v) + e)
# with a = rate sqrt(1 - b2^t) / (1 - b1^t) and e = epsilon sqrt(1 - b2^t), which is the textbook
# update with the epsilon added to the unbiased sqrt(v).  The square root and the division bound the
# speed.
cdef inline void adam_lanes(bint full, Py_ssize_t n, real *parameters, const real *gradient,
                            real *m_, real *v_, vf b1, vf b2, vf c1, vf c2, vf a,
                            vf e) noexcept nogil:
    cdef vf g = load_lanes(full, gradient, n)
    cdef vf m = vfma(b1, load_lanes(full, m_, n), c1 * g)
    cdef vf v = vfma(b2, load_lanes(full, v_, n), c2 * g * g)
    store_lanes(full, m_, m, n)
    store_lanes(full, v_, v, n)
    store_lanes(full, parameters, load_lanes(full, parameters, n) - a * m / (vsqrt(v) + e), n)


cdef void adam(Py_ssize_t n, void *parameters, const void *gradient, void *m, void *v,
               int64_t step, double learning_rate, double beta1, double beta2,
               double epsilon) noexcept nogil:
    cdef double unbias = sqrt(1.0 - pow(beta2, <double> step))
    cdef vf a = vset1(<real> (learning_rate * unbias / (1.0 - pow(beta1, <double> step))))
    cdef vf e = vset1(<real> (epsilon * unbias))
    cdef vf b1 = vset1(<real> beta1)
    cdef vf b2 = vset1(<real> beta2)
    cdef vf c1 = vset1(<real> (1.0 - beta1))
    cdef vf c2 = vset1(<real> (1.0 - beta2))
    cdef real *p_ = <real *> parameters
    cdef const real *g_ = <const real *> gradient
    cdef real *m_ = <real *> m
    cdef real *v_ = <real *> v
    cdef Py_ssize_t i = 0
    while i + VL <= n:
        adam_lanes(True, VL, p_ + i, g_ + i, m_ + i, v_ + i, b1, b2, c1, c2, a, e)
        i += VL
    if i < n:
        adam_lanes(False, n - i, p_ + i, g_ + i, m_ + i, v_ + i, b1, b2, c1, c2, a, e)
