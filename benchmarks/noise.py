"""Means over seeds, and whether two of them differ by more than their noise.

Two means count as equal where they are less than ``EQUAL`` combined standard errors apart:
|a - b| < 2 sqrt(se(a)^2 + se(b)^2), se the standard deviation over the seeds (n - 1 in the
denominator) by the square root of their number.
"""

import math
import statistics

EQUAL = 2.0


def mean_and_error(values):
    """(mean, standard error of the mean) of the finite values; NaN where there are too few."""
    values = [value for value in values if math.isfinite(value)]
    if not values:
        return math.nan, math.nan
    if len(values) == 1:
        return values[0], math.nan
    return statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values))


def distance(a, b):
    """Difference of the means of two samples, in combined standard errors."""
    (mean_a, error_a), (mean_b, error_b) = mean_and_error(a), mean_and_error(b)
    combined = math.hypot(error_a, error_b)
    if combined == 0:
        return 0.0 if mean_a == mean_b else math.inf
    return abs(mean_a - mean_b) / combined


def are_equal(a, b):
    """The rule of this module; False where an error is unknown."""
    return distance(a, b) < EQUAL


def least_ratio(values, own="fastnet"):
    """Smallest of the other values, by that of ``own``; NaN without others."""
    others = [v for name, v in values.items() if name != own and math.isfinite(v)]
    return min(others) / values[own] if others and values[own] else math.nan
