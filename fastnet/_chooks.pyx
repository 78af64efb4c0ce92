"""C functions of the user as the hooks of kernels: no interpreter between them.

A function in double may serve numbers in float: they are converted block by block.
"""

from libc.stdlib cimport free, malloc

from fastnet._kernels.table cimport OK, STOPPED, backward_hook, loss_hook, value_hook

cdef enum:
    BLOCK = 512         # numbers in a buffer on the stack: they stay in the first cache

ctypedef fused real:
    float
    double

ctypedef void (*value_float)(Py_ssize_t n, float *z, float *a, void *data) noexcept nogil
ctypedef void (*value_double)(Py_ssize_t n, double *z, double *a, void *data) noexcept nogil
ctypedef void (*derivative_float)(Py_ssize_t n, float *z, float *a, float *d,
                                  void *data) noexcept nogil
ctypedef void (*derivative_double)(Py_ssize_t n, double *z, double *a, double *d,
                                   void *data) noexcept nogil
ctypedef void (*loss_float)(Py_ssize_t n_rows, Py_ssize_t n, float *y_pred, float *y,
                            float *result, void *data) noexcept nogil
ctypedef void (*loss_double)(Py_ssize_t n_rows, Py_ssize_t n, double *y_pred, double *y,
                             double *result, void *data) noexcept nogil


cdef extern from "Python.h":
    # Declared without its exception, which has to stay set until the computation has unwound.
    void PyErr_NoMemory() noexcept


cdef int out_of_memory() noexcept with gil:
    PyErr_NoMemory()
    return STOPPED


cdef inline void widen(Py_ssize_t n, const float *source, double *target) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        target[i] = source[i]


cdef inline void narrow(Py_ssize_t n, const double *source, float *target) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        target[i] = <float> source[i]


# ---- activations: a (n,) = f(z) and d (n,) = f'(z), elementwise -------------------------------

cdef inline void call_value(const CHooks *c, Py_ssize_t n, const real *z, real *a) noexcept nogil:
    if real is float:
        (<value_float> c.value)(n, <float *> z, a, c.value_data)
    else:
        (<value_double> c.value)(n, <double *> z, a, c.value_data)


cdef inline void call_derivative(const CHooks *c, Py_ssize_t n, const real *z, const real *a,
                                 real *d) noexcept nogil:
    if real is float:
        (<derivative_float> c.derivative)(n, <float *> z, <float *> a, d, c.derivative_data)
    else:
        (<derivative_double> c.derivative)(n, <double *> z, <double *> a, d, c.derivative_data)


cdef inline void wide_derivative(const CHooks *c, Py_ssize_t n, const float *z, const float *a,
                                 double *d) noexcept nogil:
    """d (n,) in double of a function in double; n at most BLOCK."""
    cdef double[BLOCK] z_wide
    cdef double[BLOCK] a_wide
    widen(n, z, z_wide)
    widen(n, a, a_wide)
    call_derivative(c, n, <const double *> z_wide, <const double *> a_wide, d)


cdef int value_same(const CHooks *c, Py_ssize_t n, const real *z, real *a) noexcept nogil:
    if n:
        call_value(c, n, z, a)
    return OK


cdef int value_4_4(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *z,
                   void *a) noexcept nogil:
    return value_same(<const CHooks *> context, n_rows * n, <const float *> z, <float *> a)


cdef int value_8_8(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *z,
                   void *a) noexcept nogil:
    return value_same(<const CHooks *> context, n_rows * n, <const double *> z, <double *> a)


cdef int value_4_8(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *z,
                   void *a) noexcept nogil:
    cdef double[BLOCK] z_wide
    cdef double[BLOCK] a_wide
    cdef Py_ssize_t first = 0, size = n_rows * n, part
    while first < size:
        part = min(size - first, <Py_ssize_t> BLOCK)
        widen(part, <const float *> z + first, z_wide)
        call_value(<const CHooks *> context, part, <const double *> z_wide, <double *> a_wide)
        narrow(part, a_wide, <float *> a + first)
        first += part
    return OK


cdef int backward_same(const CHooks *c, Py_ssize_t n, const real *z, const real *a,
                       real *d) noexcept nogil:
    """d (n,) *= f'(z)"""
    cdef real[BLOCK] derivative
    cdef Py_ssize_t first = 0, part, i
    while first < n:
        part = min(n - first, <Py_ssize_t> BLOCK)
        call_derivative(c, part, z + first, a + first, <real *> derivative)
        for i in range(part):
            d[first + i] *= derivative[i]
        first += part
    return OK


cdef int backward_4_4(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *z,
                      const void *a, void *d) noexcept nogil:
    return backward_same(
        <const CHooks *> context, n_rows * n, <const float *> z, <const float *> a, <float *> d)


cdef int backward_8_8(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *z,
                      const void *a, void *d) noexcept nogil:
    return backward_same(
        <const CHooks *> context, n_rows * n, <const double *> z, <const double *> a,
        <double *> d)


cdef int backward_4_8(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *z_,
                      const void *a_, void *d_) noexcept nogil:
    cdef const float *z = <const float *> z_
    cdef const float *a = <const float *> a_
    cdef float *d = <float *> d_
    cdef double[BLOCK] derivative
    cdef Py_ssize_t first = 0, size = n_rows * n, part, i
    while first < size:
        part = min(size - first, <Py_ssize_t> BLOCK)
        wide_derivative(<const CHooks *> context, part, z + first, a + first, derivative)
        for i in range(part):
            d[first + i] = <float> (d[first + i] * derivative[i])
        first += part
    return OK


cdef void c_derivative(const CHooks *c, Py_ssize_t itemsize, Py_ssize_t function_itemsize,
                       Py_ssize_t n, const void *z, const void *a, void *d) noexcept nogil:
    cdef double[BLOCK] derivative
    cdef Py_ssize_t first = 0, part
    if n == 0:
        return
    if itemsize == 8:
        call_derivative(c, n, <const double *> z, <const double *> a, <double *> d)
        return
    if function_itemsize == 4:
        call_derivative(c, n, <const float *> z, <const float *> a, <float *> d)
        return
    while first < n:
        part = min(n - first, <Py_ssize_t> BLOCK)
        wide_derivative(c, part, <const float *> z + first, <const float *> a + first, derivative)
        narrow(part, derivative, <float *> d + first)
        first += part


cdef value_hook c_value(Py_ssize_t itemsize, Py_ssize_t function_itemsize) noexcept nogil:
    if itemsize == 8:
        return value_8_8
    return value_4_4 if function_itemsize == 4 else value_4_8


cdef backward_hook c_backward(Py_ssize_t itemsize, Py_ssize_t function_itemsize) noexcept nogil:
    if itemsize == 8:
        return backward_8_8
    return backward_4_4 if function_itemsize == 4 else backward_4_8


# ---- losses: row_loss (n_rows,) and d (n_rows, n) of predictions and targets (n_rows, n) -------

cdef int loss_same(const CHooks *c, Py_ssize_t n_rows, Py_ssize_t n, const real *predictions,
                   const real *targets, real *row_loss, real *d) noexcept nogil:
    if n_rows == 0:
        return OK
    if real is float:
        if row_loss != NULL:
            (<loss_float> c.value)(n_rows, n, <float *> predictions, <float *> targets, row_loss,
                                   c.value_data)
        if d != NULL:
            (<loss_float> c.derivative)(n_rows, n, <float *> predictions, <float *> targets, d,
                                        c.derivative_data)
    else:
        if row_loss != NULL:
            (<loss_double> c.value)(n_rows, n, <double *> predictions, <double *> targets,
                                    row_loss, c.value_data)
        if d != NULL:
            (<loss_double> c.derivative)(n_rows, n, <double *> predictions, <double *> targets, d,
                                         c.derivative_data)
    return OK


cdef int loss_4_4(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *predictions,
                  const void *targets, void *row_loss, void *d) noexcept nogil:
    return loss_same(
        <const CHooks *> context, n_rows, n, <const float *> predictions, <const float *> targets,
        <float *> row_loss, <float *> d)


cdef int loss_8_8(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *predictions,
                  const void *targets, void *row_loss, void *d) noexcept nogil:
    return loss_same(
        <const CHooks *> context, n_rows, n, <const double *> predictions,
        <const double *> targets, <double *> row_loss, <double *> d)


cdef int loss_4_8(void *context, Py_ssize_t n_rows, Py_ssize_t n, const void *predictions,
                  const void *targets, void *row_loss_, void *d_) noexcept nogil:
    cdef const CHooks *c = <const CHooks *> context
    cdef float *row_loss = <float *> row_loss_
    cdef float *d = <float *> d_
    cdef double[3 * BLOCK] buffer
    cdef double *wide = buffer
    cdef double *wide_targets
    cdef double *result
    cdef Py_ssize_t rows_at_once = max(BLOCK // max(n, <Py_ssize_t> 1), <Py_ssize_t> 1)
    cdef Py_ssize_t first = 0, rows, at
    if n > BLOCK:
        # the functions want whole rows
        wide = <double *> malloc((3 * n + 1) * sizeof(double))
        if wide == NULL:
            return out_of_memory()
    wide_targets = wide + rows_at_once * n
    result = wide_targets + rows_at_once * n
    while first < n_rows:
        rows = min(n_rows - first, rows_at_once)
        at = first * n
        widen(rows * n, <const float *> predictions + at, wide)
        widen(rows * n, <const float *> targets + at, wide_targets)
        loss_same(c, rows, n, <const double *> wide, <const double *> wide_targets,
                  result if row_loss != NULL else NULL, <double *> NULL)
        if row_loss != NULL:
            narrow(rows, result, row_loss + first)
        loss_same(c, rows, n, <const double *> wide, <const double *> wide_targets,
                  <double *> NULL, result if d != NULL else NULL)
        if d != NULL:
            narrow(rows * n, result, d + at)
        first += rows
    if wide != buffer:
        free(wide)
    return OK


cdef loss_hook c_loss(Py_ssize_t itemsize, Py_ssize_t function_itemsize) noexcept nogil:
    if itemsize == 8:
        return loss_8_8
    return loss_4_4 if function_itemsize == 4 else loss_4_8
