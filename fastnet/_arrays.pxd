"""The one gate for data from Python.

``typenum`` is NPY_FLOAT32 or NPY_FLOAT64 throughout; ``name`` is the argument that messages speak
of.  Arrays that come out are C-contiguous, aligned and native, so that ``PyArray_DATA`` may go to a
kernel; they may be read-only and they may be the caller's own array.
"""

cimport numpy as cnp

# Any array-like of real numbers as it is.  TypeError and ValueError as in the next.
cdef cnp.ndarray real_array(object value, str name)

# Any real array-like, not copied where it is already right.  TypeError for complex, object, text or
# dates.
cdef cnp.ndarray convert(object value, str name, int typenum)

# The same, float32 where it is that, else float64
cdef cnp.ndarray convert_float(object value, str name)

# ``convert`` with shape (n_rows, n_columns); n_columns < 0: any
cdef cnp.ndarray matrix(object value, str name, Py_ssize_t n_columns, int typenum)

# (n_rows, n_outputs); for one output also (n_rows,).  n_rows < 0: any
cdef cnp.ndarray targets(object value, str name, Py_ssize_t n_rows, Py_ssize_t n_outputs,
                         int typenum)

# Class labels 0 .. n_classes - 1 as int32 (n_rows,), from integers or booleans.  n_rows < 0: any
cdef cnp.ndarray labels(object value, str name, Py_ssize_t n_rows, Py_ssize_t n_classes)

# ValueError with the position of the first NaN or infinity
cdef int check_finite(cnp.ndarray array, str name) except -1

# The same for an array that ``convert`` and the others made of ``original``: a finite number that
# became infinite by the conversion is reported as such
cdef int check_finite_cast(object original, cnp.ndarray converted, str name) except -1

# A buffer to fill: an ndarray of exactly this dtype and shape, C-contiguous, aligned, native and
# writable
cdef cnp.ndarray output(object out, str name, int ndim, const cnp.npy_intp *shape, int typenum)

# ValueError where a contiguous buffer to fill shares memory with another contiguous array
cdef int check_overlap(cnp.ndarray out, str name, cnp.ndarray other, str other_name) except -1

# A zeroed array of n elements that begins on a boundary of ALIGNMENT bytes
cdef cnp.ndarray aligned_zeros(Py_ssize_t n, int typenum)

# (n_rows, n) copied from a kernel's memory: what functions of the user get, so that they may keep
# or change it
cdef cnp.ndarray copy_rows(const void *memory, Py_ssize_t n_rows, Py_ssize_t n, int typenum)

# What a function of the user returned, named by ``what``, as an array of this shape
cdef cnp.ndarray checked_result(object result, str what, tuple shape, int typenum)

# The message for a name that is not known: the nearest one, and all
cpdef str nearest(object name, object known, str what)

cdef inline Py_ssize_t itemsize_of(int typenum) noexcept nogil:
    return 4 if typenum == cnp.NPY_FLOAT32 else 8

cdef inline int typenum_of(Py_ssize_t itemsize) noexcept nogil:
    return cnp.NPY_FLOAT32 if itemsize == 4 else cnp.NPY_FLOAT64

# Whether the object is an ndarray of shape (n,) that can be read as it lies
cdef inline bint is_plain(object array, Py_ssize_t n, int typenum) noexcept:
    return (
        cnp.PyArray_CheckExact(array)
        and cnp.PyArray_TYPE(<cnp.ndarray> array) == typenum
        and cnp.PyArray_NDIM(<cnp.ndarray> array) == 1
        and cnp.PyArray_DIM(<cnp.ndarray> array, 0) == n
        and cnp.PyArray_ISCARRAY_RO(<cnp.ndarray> array)
    )
