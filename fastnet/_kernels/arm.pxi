# Planar arms that reach for a height or a point by gradient descent.  For float64 tables only.
#
# A lane is an arm, and nothing but its own numbers goes into what is computed there: an arm has the
# same bits alone, in any lane and beside any others.

# Sine and cosine to 0.85 units in the last place, mostly to 1/2; those of functions.pxi are faster,
# but after some epochs their 3 units would be seen.  What rounding takes from the argument r comes
# back as `low`, what it takes from r^2 as z_low:
#   sin(r + low) = r + (r z S(z) + low (1 - z / 2)),
#   cos(r + low) = 1 - z / 2 + (z^2 C(z) - r low - z_low / 2)
# S(z) has four roundings in a product below 0.0806 where the sine is above 0.7.
cdef inline void close_sine_cosine(vf x, vf *sine, vf *cosine) noexcept nogil:
    # |x| = n pi / 2 + r in four parts, as in sine_or_cosine
    cdef real limit = 1.6e6
    cdef vf a = vabs(x)
    cdef vf t = vfma(a, vset1(0.63661977236758134), magic())
    cdef vf n = t - magic()
    cdef vf first = vfnma(n, vset1(1.5707963267341256), a)
    cdef vf second = n * vset1(6.077100506303966e-11)
    cdef vf third = n * vset1(2.0222662487111665e-21)
    cdef vf half = first - second
    cdef vf r = half - third
    cdef vf low = vfnma(n, vset1(8.4784276603689e-32), ((first - half) - second)
                        + ((half - r) - third))
    cdef vf z = r * r
    # 0 where there is no fused multiply-add
    cdef vf z_low = vfma(r, r, -z)
    cdef vf half_z = vset1(0.5) * z
    cdef vf one_less = vset1(1.0) - half_z
    cdef vf s, c
    sine_cosine_series(z, &s, &c)
    s = r + vfma(r, z * s, low * one_less)
    c = vfma(z * z, c, vfnma(r, low, vset1(-0.5) * z_low))
    c = one_less + (((vset1(1.0) - one_less) - half_z) + c)
    sine[0] = vfrombits(vbits(by_quadrant(vbits(t), s, c)) ^ (vbits(x) & sign_bit()))
    cosine[0] = by_quadrant(vaddi(vbits(t), vset1i(1)), s, c)
    if vany(vgt(a, vset1(limit))):
        far_sine_cosine(limit, x, sine, cosine)


# Beyond the limit they are the C library's, each by itself
cdef void far_sine_cosine(real limit, vf x, vf *sine, vf *cosine) noexcept nogil:
    cdef real arguments[VL]
    cdef real s[VL]
    cdef real c[VL]
    cdef int i
    vstore(arguments, x)
    vstore(s, sine[0])
    vstore(c, cosine[0])
    for i in range(VL):
        if arguments[i] > limit or arguments[i] < -limit:
            s[i] = libm_sin(arguments[i])
            c[i] = libm_cos(arguments[i])
    sine[0] = vload(s)
    cosine[0] = vload(c)


# One number of each of m arms, VL at most; the last one again in lanes that are left
cdef inline vf of_arms(const real *first, Py_ssize_t stride, Py_ssize_t m) noexcept nogil:
    cdef real lanes[VL]
    cdef int i
    for i in range(VL):
        lanes[i] = first[min(<Py_ssize_t> i, m - 1) * stride]
    return vload(lanes)


# The other way, without those lanes
cdef inline void to_arms(vf v, real *first, Py_ssize_t stride, Py_ssize_t m) noexcept nogil:
    cdef real lanes[VL]
    cdef Py_ssize_t i
    vstore(lanes, v)
    for i in range(m):
        first[i * stride] = lanes[i]


# Arms `first` to `first + m`.  With (x, y) the end of an arm, (u, v) its target and w_k the angle
# of link k against the horizontal:
#   x = sum l_k cos w_k,  y = base + sum l_k sin w_k,  E = ((x - u)^2 + (y - v)^2) / 2,
#   dE/dw_k = l_k ((y - v) cos w_k - (x - u) sin w_k)
# A target that is a height is at the x where the arm ends.  An arm at rest has the learning rate 0,
# which leaves its angles as they are.  angle, sine, cosine (n_links, VL)
cdef inline void descend_lanes(const Arms *arms, Py_ssize_t first, Py_ssize_t m, real *angle,
                               real *sine, real *cosine) noexcept nogil:
    cdef Py_ssize_t n = arms.n_links, k, epoch = 0
    cdef const real *target = arms.targets + first * arms.target_stride
    cdef real *own = arms.angles + first * n
    cdef real *path = arms.path
    cdef vf base = of_arms(arms.bases + first * arms.base_stride, arms.base_stride, m)
    cdef vf v = of_arms(target, arms.target_stride, m), u = vzero()
    cdef vf tolerance = vset1(arms.tolerance), rate = vset1(arms.learning_rate)
    cdef vf epochs = vzero()
    cdef vf x, y, s, c, length, error, active
    if arms.are_points:
        u = v
        v = of_arms(target + 1, arms.target_stride, m)
    for k in range(n):
        vstore(angle + k * VL, of_arms(own + k, n, m))
    while True:
        x = vzero()
        y = base
        for k in range(n):
            length = vset1(arms.lengths[k])
            close_sine_cosine(vload(angle + k * VL), &s, &c)
            y = vfma(length, s, y)
            x = vfma(length, c, x)
            vstore(sine + k * VL, s)
            vstore(cosine + k * VL, c)
        y = y - v
        if arms.are_points:
            x = x - u
            error = vsqrt(vfma(x, x, y * y))
        else:
            x = vzero()
            error = y
        active = vselect(vge(tolerance, vabs(error)), vzero(), vset1(1.0))
        if epoch == arms.n_epochs or path == NULL and not vany(vgt(active, vzero())):
            break
        epoch += 1
        epochs = epochs + active
        y = y * (rate * active)
        x = x * (rate * active)
        for k in range(n):
            length = vset1(arms.lengths[k])
            s = vfnma(y * length, vload(cosine + k * VL), vload(angle + k * VL))
            s = vfma(x * length, vload(sine + k * VL), s)
            if arms.lower != NULL:
                # NaN stays
                s = vmax(vset1(arms.lower[k]), vmin(vset1(arms.upper[k]), s))
            vstore(angle + k * VL, s)
            if path != NULL:
                to_arms(s, path + epoch * arms.path_stride + first * n + k, n, m)
    y = base
    for k in range(n):
        y = vfma(vset1(arms.lengths[k]), vload(sine + k * VL), y)
        to_arms(y, arms.pose + first * n + k, n, m)
        # without a step they may be of somebody who does not let them be written
        if epoch > 0:
            to_arms(vload(angle + k * VL), own + k, n, m)
    to_arms(error, arms.errors + first, 1, m)
    epochs = epochs + of_arms(arms.epochs + first, 1, m)
    to_arms(epochs, arms.epochs + first, 1, m)


cdef void arms_descend(const Arms *arms, double *scratch) noexcept nogil:
    cdef Py_ssize_t first = 0, n = arms.n_links * VL
    while first < arms.n_arms:
        descend_lanes(arms, first, min(<Py_ssize_t> VL, arms.n_arms - first), scratch,
                      scratch + n, scratch + 2 * n)
        first += VL


kernel_table.arms_descend = arms_descend
