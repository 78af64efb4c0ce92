from fastnet._kernels.table cimport Kernels

# The tables chosen at import
cdef const Kernels *float32
cdef const Kernels *float64

cdef const Kernels *kernels(Py_ssize_t itemsize) noexcept nogil

# Floating-point control register of this thread.  flush_denormals() returns the mode to restore.
cdef unsigned int floating_point_mode() noexcept nogil
cdef void set_floating_point_mode(unsigned int mode) noexcept nogil
cdef unsigned int flush_denormals() noexcept nogil

# Zeroed memory with ALIGNMENT and SLACK_BYTES after the end; NULL where there is none
cdef void *allocate(Py_ssize_t n_bytes) noexcept nogil
cdef void release(void *memory) noexcept nogil

cdef double monotonic_seconds() noexcept nogil
