"""Checks of hyperparameters."""

# A real number within the interval, which is written as mathematics does: "[0, 1)"
cpdef double number(object value, str name, double low, double high, str interval) except? -1
