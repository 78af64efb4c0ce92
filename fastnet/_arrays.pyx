"""The one gate for data from Python: dtype, shape, contiguity, writability, finiteness.

Every argument that is an array comes through here, so that all entries accept the same things and
say the same when they refuse one.  The functions take objects, not typed memoryviews, because
acquiring a memoryview costs 100-190 ns.
"""

import numpy as np

cimport numpy as cnp
from libc.string cimport memcpy

from fastnet._kernels.dispatch cimport kernels
from fastnet._kernels.table cimport ALIGNMENT

cnp.import_array()

__all__ = ["finite_array", "nearest"]

cdef enum:
    # So many numbers are converted here: NumPy's ways around a warning take as long as a network
    FEW = 1024


cdef str type_name(object value):
    return type(value).__name__


cdef str dtype_name(int typenum):
    return "float32" if typenum == cnp.NPY_FLOAT32 else "float64"


cdef str shape_text(int ndim, const cnp.npy_intp *shape):
    """A shape as Python prints it, with the name of a free first dimension."""
    cdef list parts = ["n_rows" if shape[k] < 0 else str(shape[k]) for k in range(ndim)]
    return f"({parts[0]},)" if ndim == 1 else f"({', '.join(parts)})"


cdef str position_text(str name, Py_ssize_t flat, tuple shape):
    """``name[i, j]`` for a flat position in C order; plain ``name`` for a scalar."""
    cdef list indices = []
    for size in reversed(shape):
        indices.append(str(flat % size))
        flat //= size
    return f"{name}[{', '.join(reversed(indices))}]" if indices else name


cdef cnp.ndarray real_array(object value, str name):
    """The value as an ndarray (no subclass) of a real dtype, not copied where it is one."""
    cdef cnp.ndarray array
    if cnp.PyArray_CheckExact(value):
        array = <cnp.ndarray> value
    else:
        try:
            array = np.asarray(value)
        except ValueError as error:
            if "inhomogeneous" not in str(error):
                raise
            raise ValueError(
                f"{name} must be a rectangular array: its rows have different lengths"
            ) from None
    if array.descr.kind not in b"fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    return array


cdef cnp.ndarray to_other_precision(cnp.ndarray array):
    """A copy of a float64 array in float32 or the reverse; both as a kernel can read them."""
    cdef Py_ssize_t n = cnp.PyArray_SIZE(array), k
    cdef bint narrows = cnp.PyArray_TYPE(array) == cnp.NPY_FLOAT64
    cdef cnp.ndarray other = cnp.PyArray_EMPTY(
        cnp.PyArray_NDIM(array), cnp.PyArray_DIMS(array),
        cnp.NPY_FLOAT32 if narrows else cnp.NPY_FLOAT64, False)
    cdef float *floats = <float *> cnp.PyArray_DATA(other if narrows else array)
    cdef double *doubles = <double *> cnp.PyArray_DATA(array if narrows else other)
    if narrows:
        for k in range(n):
            floats[k] = <float> doubles[k]
    else:
        for k in range(n):
            doubles[k] = floats[k]
    return other


cdef cnp.ndarray by_numpy(cnp.ndarray array, int typenum):
    return cnp.PyArray_FROM_OTF(
        array, typenum,
        cnp.NPY_ARRAY_CARRAY_RO | cnp.NPY_ARRAY_NOTSWAPPED | cnp.NPY_ARRAY_FORCECAST
        | cnp.NPY_ARRAY_ENSUREARRAY,
    )


cdef cnp.ndarray convert(object value, str name, int typenum):
    cdef cnp.ndarray array = real_array(value, name)
    cdef int given = cnp.PyArray_TYPE(array)
    if cnp.PyArray_ISCARRAY_RO(array):
        if given == typenum:
            return array
        if given in (cnp.NPY_FLOAT32, cnp.NPY_FLOAT64) and cnp.PyArray_SIZE(array) <= FEW:
            return to_other_precision(array)
    if array.descr.kind != b"f":
        return by_numpy(array, typenum)
    # What overflows a narrower dtype becomes infinite, which the caller either refuses or wants.
    with np.errstate(all="ignore"):
        return by_numpy(array, typenum)


cdef cnp.ndarray convert_float(object value, str name):
    cdef cnp.ndarray array = real_array(value, name)
    cdef bint single = cnp.PyArray_TYPE(array) == cnp.NPY_FLOAT32
    return convert(array, name, cnp.NPY_FLOAT32 if single else cnp.NPY_FLOAT64)


cdef cnp.ndarray matrix(object value, str name, Py_ssize_t n_columns, int typenum):
    cdef cnp.ndarray array = convert(value, name, typenum)
    if array.ndim != 2 or (n_columns >= 0 and array.shape[1] != n_columns):
        columns = str(n_columns) if n_columns >= 0 else "n_columns"
        raise ValueError(
            f"{name} must have shape (n_rows, {columns}), got {(<object> array).shape}"
        )
    return array


cdef cnp.ndarray targets(object value, str name, Py_ssize_t n_rows, Py_ssize_t n_outputs,
                         int typenum):
    cdef cnp.ndarray array = convert(value, name, typenum)
    if n_outputs == 1 and array.ndim == 1:
        array = (<object> array).reshape(-1, 1)
    if (array.ndim != 2 or array.shape[1] != n_outputs
            or (n_rows >= 0 and array.shape[0] != n_rows)):
        rows = str(n_rows) if n_rows >= 0 else "n_rows"
        also = f" or ({rows},)" if n_outputs == 1 else ""
        raise ValueError(
            f"{name} must have shape ({rows}, {n_outputs}){also}, got {np.shape(value)}"
        )
    return array


cdef cnp.ndarray labels(object value, str name, Py_ssize_t n_rows, Py_ssize_t n_classes):
    cdef cnp.ndarray array = real_array(value, name)
    cdef Py_ssize_t flat
    if array.dtype.kind == "f" and array.size > 0:
        raise TypeError(
            f"{name} must hold integer class labels from 0 to {n_classes - 1}, "
            f"got dtype {array.dtype}"
        )
    if array.ndim != 1 or (n_rows >= 0 and array.shape[0] != n_rows):
        rows = str(n_rows) if n_rows >= 0 else "n_rows"
        raise ValueError(
            f"{name} must hold one class label a row, shape ({rows},), "
            f"got {(<object> array).shape}"
        )
    if array.size > 0:
        wrong = np.greater_equal(array, n_classes)
        if array.dtype.kind == "i":
            wrong |= np.less(array, 0)
        flat = wrong.argmax()
        if wrong[flat]:
            raise ValueError(
                f"{name}[{flat}] is {array[flat]}: class labels must be from 0 to {n_classes - 1}"
            )
    # Always a copy: kernels take labels as indices, and the caller may change his later
    return cnp.PyArray_FROM_OTF(
        array, cnp.NPY_INT32,
        cnp.NPY_ARRAY_CARRAY_RO | cnp.NPY_ARRAY_NOTSWAPPED | cnp.NPY_ARRAY_FORCECAST
        | cnp.NPY_ARRAY_ENSURECOPY,
    )


cdef Py_ssize_t first_nonfinite(cnp.ndarray array) noexcept:
    return kernels(cnp.PyArray_ITEMSIZE(array)).first_nonfinite(
        cnp.PyArray_SIZE(array), cnp.PyArray_DATA(array)
    )


cdef int check_finite(cnp.ndarray array, str name) except -1:
    cdef Py_ssize_t flat = first_nonfinite(array)
    if flat < 0:
        return 0
    value = (<object> array).reshape(-1)[flat]
    where = position_text(name, flat, (<object> array).shape)
    raise ValueError(f"{where} is {value}: training data must be finite")


cdef int check_finite_cast(object original, cnp.ndarray converted, str name) except -1:
    cdef Py_ssize_t flat = first_nonfinite(converted)
    if flat < 0:
        return 0
    given = np.asarray(original)
    if given.size != converted.size:
        return check_finite(converted, name)
    value = given.flat[flat]
    where = position_text(name, flat, given.shape)
    if np.isfinite(value):
        largest = np.finfo((<object> converted).dtype).max
        raise ValueError(
            f"{where} is {value}, which overflows {(<object> converted).dtype} "
            f"(largest {largest:.6g}): training data must be finite"
        )
    raise ValueError(f"{where} is {value}: training data must be finite")


cdef cnp.ndarray output(object out, str name, int ndim, const cnp.npy_intp *shape, int typenum):
    cdef cnp.ndarray array
    cdef bint right
    cdef int k
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{name} must be a numpy.ndarray to fill, got {type_name(out)}")
    array = <cnp.ndarray> out
    if cnp.PyArray_TYPE(array) != typenum or not cnp.PyArray_ISNOTSWAPPED(array):
        raise TypeError(
            f"{name} must have dtype {dtype_name(typenum)}, got {(<object> array).dtype}"
        )
    right = array.ndim == ndim
    if right:
        for k in range(ndim):
            right = right and array.shape[k] == shape[k]
    if not right:
        raise ValueError(
            f"{name} must have shape {shape_text(ndim, shape)}, got {(<object> array).shape}"
        )
    if not cnp.PyArray_IS_C_CONTIGUOUS(array):
        raise ValueError(f"{name} must be C-contiguous, got strides {(<object> array).strides}")
    if not cnp.PyArray_ISALIGNED(array):
        raise ValueError(f"{name} must be aligned to its dtype, got an unaligned array")
    if not cnp.PyArray_ISWRITEABLE(array):
        raise ValueError(f"{name} must be writable, got a read-only array")
    return array


cdef int check_overlap(cnp.ndarray out, str name, cnp.ndarray other, str other_name) except -1:
    cdef char *first = <char *> cnp.PyArray_DATA(out)
    cdef char *second = <char *> cnp.PyArray_DATA(other)
    if first < second + cnp.PyArray_NBYTES(other) and second < first + cnp.PyArray_NBYTES(out):
        raise ValueError(f"{name} must not share memory with {other_name}")
    return 0


cdef cnp.ndarray aligned_zeros(Py_ssize_t n, int typenum):
    cdef Py_ssize_t n_bytes = n * itemsize_of(typenum)
    cdef cnp.ndarray raw = np.zeros(n_bytes + ALIGNMENT, np.uint8)
    cdef Py_ssize_t first = -<Py_ssize_t> cnp.PyArray_DATA(raw) & (ALIGNMENT - 1)
    return (<object> raw)[first:first + n_bytes].view(dtype_name(typenum))


cdef cnp.ndarray copy_rows(const void *memory, Py_ssize_t n_rows, Py_ssize_t n, int typenum):
    cdef cnp.npy_intp[2] shape
    shape[0] = n_rows
    shape[1] = n
    cdef cnp.ndarray array = cnp.PyArray_EMPTY(2, shape, typenum, 0)
    memcpy(cnp.PyArray_DATA(array), memory, cnp.PyArray_NBYTES(array))
    return array


cdef cnp.ndarray checked_result(object result, str what, tuple shape, int typenum):
    cdef cnp.ndarray array = convert(result, what, typenum)
    if (<object> array).shape != shape:
        raise ValueError(f"{what} must have shape {shape}, got {(<object> array).shape}")
    return array


def finite_array(object value, str name, bint may_be_infinite=False):
    """Real numbers of any array-like as contiguous float64, not copied where they are that.

    Raises
    ------
    TypeError, ValueError
        Naming the argument; where a number is NaN, or infinite, its position, too.
    """
    cdef cnp.ndarray array = convert(value, name, cnp.NPY_FLOAT64)
    cdef Py_ssize_t flat = first_nonfinite(array)
    if flat >= 0 and may_be_infinite:
        is_nan = np.isnan(array)
        flat = is_nan.argmax() if is_nan.any() else -1
    if flat < 0:
        return array
    where = position_text(name, flat, (<object> array).shape)
    wanted = "be a number" if may_be_infinite else "be finite"
    raise ValueError(f"{where} must {wanted}, got {(<object> array).flat[flat]}")


cpdef str nearest(object name, object known, str what):
    """What to say of an unknown name: "unknown loss 'x': did you mean 'y'? known: ...".

    Parameters
    ----------
    name : str
        The name that was given.
    known : iterable of str
        The names that exist.
    what : str
        What is named: "activation", "loss" ...
    """
    import difflib

    known = list(known)
    close = difflib.get_close_matches(str(name).lower(), known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"unknown {what} {name!r}: {hint}known: {', '.join(known)}"
