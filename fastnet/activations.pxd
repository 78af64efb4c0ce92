"""Activations by name and custom ones, for the floors above."""

cimport numpy as cnp

from fastnet._custom_activations cimport Activation

# ActivationId of a name; ValueError with the nearest name
cdef int activation_id(str name) except -1

# What a user may give for an activation: an Activation, or a name, which is checked and returned
cpdef object resolve(object spec)

# ActivationId of what resolve() returned
cdef int resolved_id(object resolved) except -1

# (n_rows, n, n) Jacobians of a resolved activation at z (n_rows, n), J[r, i, j] = da_i/dz_j; z of
# float32 or float64, contiguous
cdef cnp.ndarray jacobians(object resolved, cnp.ndarray z)
