# Carts with poles: the physics of a vector of episodes, and episodes of networks in its lanes.
# For float64 tables only.
#
# A lane is an episode, and nothing but its own numbers goes into what is computed there: an episode
# has the same bits alone, in any lane and beside any others.  Where it ends, the lane goes on with
# the next one.  Networks are stepped a row at a time, because every lane has another one.

cdef enum:
    MOST_STATES = 6         # numbers of a state
    MOST_POLE_INPUTS = 7
    SWAY_STEPS = 100        # that the damping fitness looks back
    SWAY_ROWS = 101         # that are kept: the last step may be the one that failed
    POLL_STEPS = 4096       # of all lanes, between two looks for Ctrl-C


# ---- physics ---------------------------------------------------------------------------------

# Sine and cosine of n angles, n 1 or 2.  Beyond the limit, which no pole that stands reaches, they
# are the C library's, in each lane by itself, so that it does not matter what is beside it.
cdef inline void sines_cosines(int n, const vf *angle, vf *sine, vf *cosine) noexcept nogil:
    cdef real limit = 0.78
    cdef real z[2 * VL]
    cdef real s[2 * VL]
    cdef real c[2 * VL]
    cdef vf largest = vabs(angle[0])
    cdef int k
    for k in range(n):
        sine_cosine(angle[k], &sine[k], &cosine[k])
    if n == 2:
        # that of the second where one is NaN, which spoils everything anyway
        largest = vmax(largest, vabs(angle[1]))
    if vany(vgt(largest, vset1(limit))):
        for k in range(n):
            vstore(z + k * VL, angle[k])
            vstore(s + k * VL, sine[k])
            vstore(c + k * VL, cosine[k])
        for k in range(n * VL):
            if z[k] > limit or z[k] < -limit:
                s[k] = libm_sin(z[k])
                c[k] = libm_cos(z[k])
        for k in range(n):
            sine[k] = vload(s + k * VL)
            cosine[k] = vload(c + k * VL)


# Two poles on a cart without friction of its own (Wieland 1991; constants and signs as in the
# program of Gomez).  rate: of the velocities of the cart and the poles, for force in N.
# For pole i with mass m, half length l and hinge friction mu:
#   pull_i = mu w_i / (m l) + g sin t_i
#   x'' = (F + sum (m l w_i^2 sin t_i + 3/4 m cos t_i pull_i)) / (M + sum m (1 - 3/4 cos^2 t_i))
#   t_i'' = -3/4 (x'' cos t_i + pull_i) / l
# The angles of a stage of Runge-Kutta are known long before its velocities, so all that needs only
# them is kept off the way from one stage to the next: w, w^2, the force, x'', t''.
cdef inline void two_poles_rate(vf force, const vf *t, const vf *w, vf *rate) noexcept nogil:
    cdef vf sine[2]
    cdef vf cosine[2]
    cdef vf pull[2]
    cdef vf weighted, mass = vset1(1.0), total = force
    cdef int k
    sines_cosines(2, t, sine, cosine)
    for k in range(2):
        weighted = vset1(<real> (0.75 * 0.1 if k == 0 else 0.75 * 0.01)) * cosine[k]
        pull[k] = vfma(vset1(<real> (2e-6 / (0.1 * 0.5) if k == 0 else 2e-6 / (0.01 * 0.05))), w[k],
                       vset1(<real> -9.8) * sine[k])
        mass = mass + vfnma(weighted, cosine[k], vset1(<real> (0.1 if k == 0 else 0.01)))
        total = total + vfma(
            w[k] * w[k], vset1(<real> (0.1 * 0.5 if k == 0 else 0.01 * 0.05)) * sine[k],
            weighted * pull[k])
    rate[0] = total * (vset1(1.0) / mass)
    for k in range(2):
        weighted = vset1(<real> (-0.75 / 0.5 if k == 0 else -0.75 / 0.05))
        rate[k + 1] = vfma(rate[0], weighted * cosine[k], weighted * pull[k])


# One control step: 0.02 s under a constant force, as two steps of the classical Runge-Kutta method
# with h = 0.01 s.  q: x, t1, t2; v: their velocities
cdef inline void two_poles_step(vf *q, vf *v, vf force) noexcept nogil:
    cdef vf t[3]
    cdef vf w[3]
    cdef vf rate[3]
    cdef vf q_sum[3]
    cdef vf v_sum[3]
    cdef vf h, weight
    cdef int k, stage, _step
    for _step in range(2):
        for k in range(3):
            t[k] = q[k]
            w[k] = v[k]
            q_sum[k] = v_sum[k] = vzero()
        # a loop on purpose: unrolled it is four times the code and hardly faster
        for stage in range(4):
            two_poles_rate(force, t + 1, w + 1, rate)
            weight = vset1(<real> 1 if stage == 0 or stage == 3 else 2)
            h = vset1(<real> 0.01 if stage == 2 else 0.005)
            for k in range(3):
                q_sum[k] = vfma(weight, w[k], q_sum[k])
                v_sum[k] = vfma(weight, rate[k], v_sum[k])
                t[k] = vfma(h, w[k], q[k])
                w[k] = vfma(h, rate[k], v[k])
        h = vset1(<real> (0.01 / 6))
        for k in range(3):
            q[k] = vfma(h, q_sum[k], q[k])
            v[k] = vfma(h, v_sum[k], v[k])


# One pole (Barto, Sutton & Anderson 1983), one step of 0.02 s by Euler's method, as CartPole-v1 of
# gymnasium does it:
#   a = (F + m l w^2 sin t) / (M + m),
#   t'' = (g sin t - a cos t) / (l (4/3 - m cos^2 t / (M + m))),  x'' = a - m l t'' cos t / (M + m)
cdef inline void one_pole_step(vf *q, vf *v, vf force) noexcept nogil:
    cdef vf sine, cosine, a, rate
    cdef vf h = vset1(0.02), per_mass = vset1(<real> (1 / 1.1))
    sines_cosines(1, q + 1, &sine, &cosine)
    a = vfma(vset1(0.05) * sine, v[1] * v[1], force) * per_mass
    rate = vfma(vset1(<real> 9.8), sine, -(a * cosine)) / vfnma(
        vset1(<real> (0.5 * 0.1 / 1.1)) * cosine, cosine, vset1(<real> (0.5 * 4 / 3)))
    q[0] = vfma(h, v[0], q[0])
    q[1] = vfma(h, v[1], q[1])
    v[0] = vfma(h, vfnma(vset1(<real> (0.05 / 1.1)) * rate, cosine, a), v[0])
    v[1] = vfma(h, rate, v[1])


# A control step of a vector of states (6 or 4, VL): x, x', t1, t1', t2, t2'.  Lanes where it has
# failed: beyond 2.4 m, beyond the largest angle, or no longer finite.  Not inlined: one copy.
cdef vm pole_lanes_step(int task, real *state, const real *force) noexcept nogil:
    cdef vf q[3]
    cdef vf v[3]
    cdef vf f = vload(force), total
    cdef vm failed
    cdef int k
    for k in range(2 if task == CART_POLE else 3):
        q[k] = vload(state + 2 * k * VL)
        v[k] = vload(state + (2 * k + 1) * VL)
    if task == CART_POLE:
        one_pole_step(q, v, f)
        q[2] = v[2] = vzero()
        failed = vgt(vabs(q[1]), vset1(0.20943951023931953))        # 12 degrees
    else:
        two_poles_step(q, v, f)
        failed = vgt(vmax(vabs(q[1]), vabs(q[2])), vset1(0.6283185307179586))   # 36 degrees
    for k in range(2 if task == CART_POLE else 3):
        vstore(state + 2 * k * VL, q[k])
        vstore(state + (2 * k + 1) * VL, v[k])
    total = ((q[0] + v[0]) + (q[1] + v[1])) + (q[2] + v[2])
    # 0 or, where something is infinite or NaN, NaN
    return failed | vgt(vabs(q[0]), vset1(2.4)) | vnan(total * vzero())


# ---- episodes --------------------------------------------------------------------------------

# What a network is told: x (n_inputs, VL)
cdef inline void scale_inputs(int task, const real *state, real *x) noexcept nogil:
    cdef vf position = vset1(<real> (1 / 4.8)), angle = vset1(<real> (1 / 0.52))
    cdef vf half = vset1(0.5)
    cdef int k
    if task == CART_POLE:
        for k in range(4):
            vstore(x + k * VL, vload(state + k * VL))
        return
    vstore(x, vload(state) * position)
    if task == DOUBLE_POLE:
        for k in range(1, 6):
            vstore(x + k * VL, vload(state + k * VL) * (half if k & 1 else angle))
        vstore(x + 6 * VL, half)
    else:
        vstore(x + VL, vload(state + 2 * VL) * angle)
        vstore(x + 2 * VL, vload(state + 4 * VL) * angle)
        vstore(x + 3 * VL, half)


# The force that a network gives for lane `lane` of x; infinite or NaN for such an output
cdef inline real network_force(int task, const Kernels *networks, const Graph *graph,
                               const void *parameters, const real *x, int lane,
                               void *network_state) noexcept nogil:
    cdef double row[MOST_POLE_INPUTS]
    cdef float row32[MOST_POLE_INPUTS]
    cdef double y
    cdef float y32
    cdef Py_ssize_t k
    if networks.itemsize == 8:
        for k in range(graph.n_inputs):
            row[k] = x[k * VL + lane]
        networks.graph_step(graph, parameters, row, &y, network_state)
    else:
        for k in range(graph.n_inputs):
            row32[k] = <float> x[k * VL + lane]
        networks.graph_step(graph, parameters, row32, &y32, network_state)
        y = y32
    if task == CART_POLE:
        # NaN is neither
        return 10 if y > 0.5 else -10 if y <= 0.5 else y
    return (y - 0.5) * 20


# 0.1 t / T + 0.9 f with f = 0.75 / (sum of the sway over the last 100 of t steps), or 0 where t is
# less (Gruau, Whitley & Pyeatt 1996).  sway (SWAY_ROWS, VL): that of step i in row i modulo their
# number; the last step was `last`.  Without any sway the result is large, not infinite.
cdef real damping_fitness(Py_ssize_t t, Py_ssize_t n_steps, const real *sway, int lane,
                          Py_ssize_t last) noexcept nogil:
    cdef real fitness = 0.1 * t / n_steps, total = 0
    cdef Py_ssize_t i
    if t < SWAY_STEPS:
        return fitness
    for i in range(last - SWAY_STEPS + 1, last + 1):
        total += sway[i % SWAY_ROWS * VL + lane]
    return fitness + 0.9 * 0.75 / max(total, <real> 1e-300)


cdef Py_ssize_t pole_lanes() noexcept nogil:
    return VL


# Numbers of a state
cdef inline int pole_states(int task) noexcept nogil:
    return 4 if task == CART_POLE else 6


cdef bint pole_step(int task, real *state, double force) noexcept nogil:
    cdef real states[MOST_STATES * VL]
    cdef real forces[VL]
    cdef real failed[VL]
    cdef int k
    vstore(forces, vset1(force))
    for k in range(pole_states(task)):
        vstore(states + k * VL, vset1(state[k]))
    vstore(failed, vselect(pole_lanes_step(task, states, forces), vset1(1.0), vzero()))
    for k in range(pole_states(task)):
        state[k] = states[k * VL]
    return failed[0] != 0


# The next episode to a lane; false where there is none, and the lane rests: a state of zeros
# without a force stays what it is
cdef inline bint begin_episode(Episodes *all, const Kernels *networks, int lane, real *state,
                               real *force, Py_ssize_t *episode,
                               void *network_state) noexcept nogil:
    cdef Py_ssize_t i = all.take(all.next)
    cdef int n = pole_states(all.task), k
    cdef bint is_there = i < all.n_episodes
    for k in range(n):
        state[k * VL + lane] = all.starts[i * all.start_stride + k] if is_there else 0
    force[lane] = 0
    episode[lane] = i
    if is_there:
        networks.graph_reset(all.graphs[i * all.network_stride], network_state)
    return is_there


cdef int pole_episodes(Episodes *all, const Kernels *networks, void *network_states,
                       Py_ssize_t network_bytes, Monitor *monitor) noexcept nogil:
    cdef real state[MOST_STATES * VL]
    cdef real x[MOST_POLE_INPUTS * VL]
    cdef real force[VL]
    cdef real has_failed[VL]
    cdef real sway[SWAY_ROWS * VL]
    cdef Py_ssize_t episode[VL]
    cdef Py_ssize_t start[VL]           # steps before its episode
    cdef int busy[VL]                   # lanes that are
    cdef int n_busy = 0, k, lane, task = all.task
    cdef Py_ssize_t step = 0, first_end = all.n_steps, i, n_done
    cdef vm failed
    for lane in range(VL):
        start[lane] = 0
        if begin_episode(all, networks, lane, state, force, episode,
                         <char *> network_states + lane * network_bytes):
            busy[n_busy] = lane
            n_busy += 1
    while n_busy > 0:
        scale_inputs(task, state, x)
        for k in range(n_busy):
            lane = busy[k]
            i = episode[lane] * all.network_stride
            force[lane] = network_force(
                task, networks, all.graphs[i], all.parameters[i], x, lane,
                <char *> network_states + lane * network_bytes)
        failed = pole_lanes_step(task, state, force)
        step += 1
        if all.is_damped:
            vstore(sway + step % SWAY_ROWS * VL,
                   (vabs(vload(state)) + vabs(vload(state + VL)))
                   + (vabs(vload(state + 2 * VL)) + vabs(vload(state + 3 * VL))))
        if all.path != NULL:
            for k in range(pole_states(task)):
                all.path[step * pole_states(task) + k] = state[k * VL]
        if step >= first_end or vany(failed):
            vstore(has_failed, vselect(failed, vset1(1.0), vzero()))
            first_end = step + all.n_steps
            k = 0
            while k < n_busy:
                lane = busy[k]
                n_done = step - start[lane]
                if has_failed[lane] != 0 or n_done >= all.n_steps:
                    if task != CART_POLE:
                        n_done -= has_failed[lane] != 0
                    if all.is_damped:
                        all.values[episode[lane]] = damping_fitness(
                            n_done, all.n_steps, sway, lane, start[lane] + n_done)
                    else:
                        all.values[episode[lane]] = n_done
                    start[lane] = step
                    if not begin_episode(all, networks, lane, state, force, episode,
                                         <char *> network_states + lane * network_bytes):
                        n_busy -= 1
                        busy[k] = busy[n_busy]
                        continue
                first_end = min(first_end, start[lane] + all.n_steps)
                k += 1
        if monitor != NULL and step % POLL_STEPS == 0 and monitor.poll(monitor.context) != OK:
            return STOPPED
    return OK


kernel_table.pole_step = pole_step
kernel_table.pole_lanes = pole_lanes
kernel_table.pole_episodes = pole_episodes
