"""Chooses the kernel tables: the best instruction set of this processor, or FASTNET_ISA.

This module is compiled without instruction-set flags, and only the chosen kernel modules are
loaded, so nothing that the processor cannot execute is ever reached.
"""

import importlib.util
import os

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdlib cimport calloc, free

from fastnet._kernels.table cimport ALIGNMENT, SLACK_BYTES, Kernels

cdef extern from "processor.h":
    int fn_processor_level()
    double fn_monotonic_seconds() noexcept nogil

cdef extern from "fenv_mode.h":
    unsigned int fn_get_mode() noexcept nogil
    void fn_set_mode(unsigned int mode) noexcept nogil
    const unsigned int FN_FLUSH


LEVELS = ("baseline", "avx2", "avx512")
KNOWN = ("scalar", *LEVELS)


def supported():
    """Names of the instruction sets that this build has and this processor can run, best last."""
    found = ["scalar"]
    for name in LEVELS[: fn_processor_level() + 1]:
        if importlib.util.find_spec(f"fastnet._kernels.{name}_float32") is not None:
            found.append(name)
    return found


cdef const Kernels *load(str isa, str dtype) except NULL:
    module = importlib.import_module(f"fastnet._kernels.{isa}_{dtype}")
    return <const Kernels *> PyCapsule_GetPointer(module.table, "fastnet._kernels.Kernels")


def choose():
    """The instruction set to use: FASTNET_ISA where it is set, else the best supported one."""
    wanted = os.environ.get("FASTNET_ISA", "").strip().lower()
    if not wanted:
        return supported()[-1]
    if wanted not in KNOWN:
        raise ImportError(f"FASTNET_ISA={wanted!r} is unknown: expected one of {', '.join(KNOWN)}")
    if wanted not in supported():
        raise ImportError(
            f"FASTNET_ISA={wanted!r} cannot run here: this build and processor support "
            f"{', '.join(supported())}"
        )
    return wanted


chosen = choose()
float32 = load(chosen, "float32")
float64 = load(chosen, "float64")


cdef const Kernels *kernels(Py_ssize_t itemsize) noexcept nogil:
    return float32 if itemsize == 4 else float64


cdef unsigned int floating_point_mode() noexcept nogil:
    return fn_get_mode()


cdef void set_floating_point_mode(unsigned int mode) noexcept nogil:
    fn_set_mode(mode)


cdef unsigned int flush_denormals() noexcept nogil:
    cdef unsigned int mode = fn_get_mode()
    fn_set_mode(mode | FN_FLUSH)
    return mode


cdef void *allocate(Py_ssize_t n_bytes) noexcept nogil:
    # calloc and a hidden pointer, because no aligned allocator is on every platform
    cdef size_t size = <size_t> n_bytes + SLACK_BYTES + ALIGNMENT + sizeof(void *)
    cdef char *memory
    cdef char *aligned
    if n_bytes < 0 or size < <size_t> n_bytes:
        return NULL
    memory = <char *> calloc(1, size)
    if memory == NULL:
        return NULL
    aligned = memory + sizeof(void *) + ALIGNMENT - 1
    aligned -= <size_t> aligned % ALIGNMENT
    (<void **> aligned)[-1] = memory
    return aligned


cdef void release(void *memory) noexcept nogil:
    if memory != NULL:
        free((<void **> memory)[-1])


cdef double monotonic_seconds() noexcept nogil:
    return fn_monotonic_seconds()
