"""Explicit fitness sharing: what each species counts, and how many children that is."""

from libc.math cimport INFINITY, fabs, floor
from libc.string cimport memcpy


cdef void sort_descending(Py_ssize_t *items, const double *keys, Py_ssize_t n,
                          Py_ssize_t *scratch) noexcept nogil:
    # Runs of 8 by insertion, then merges
    cdef Py_ssize_t first, last, middle, width = 8, i, j, k, item
    cdef Py_ssize_t *source = items
    cdef Py_ssize_t *target = scratch
    first = 0
    while first < n:
        last = min(first + width, n)
        for i in range(first + 1, last):
            item = items[i]
            j = i
            while j > first and keys[items[j - 1]] < keys[item]:
                items[j] = items[j - 1]
                j -= 1
            items[j] = item
        first = last
    while width < n:
        first = 0
        while first < n:
            middle = min(first + width, n)
            last = min(middle + width, n)
            i = first
            j = middle
            for k in range(first, last):
                if j == last or (i < middle and not keys[source[i]] < keys[source[j]]):
                    target[k] = source[i]
                    i += 1
                else:
                    target[k] = source[j]
                    j += 1
            first = last
        source, target = target, source
        width *= 2
    if source != items:
        memcpy(items, source, n * sizeof(Py_ssize_t))


cdef void share_fitness(const double *fitness, Py_ssize_t n, const Py_ssize_t *members,
                        const Py_ssize_t *first, const Py_ssize_t *sizes, Py_ssize_t n_species,
                        double *shares) noexcept nogil:
    cdef Py_ssize_t i, s
    cdef double f, total, low = INFINITY, high = -INFINITY, scale, base = 0, extra = 0
    for i in range(n):
        f = fitness[i]
        if fabs(f) < INFINITY:
            low = min(low, f)
            high = max(high, f)
    if low > high:
        low = 0
        high = 1
    scale = max(fabs(low), fabs(high))
    if 1e-100 < scale < 1e100:
        scale = 1
    if scale == 0:
        scale = 1
    if low < 0:
        base = low / scale
        extra = (high / scale - base) / n
    for s in range(n_species):
        total = 0
        for i in range(first[s], first[s] + sizes[s]):
            f = fitness[members[i]]
            f = (high if f > high else f) if f >= low else low
            total += (f / scale - base) + extra
        shares[s] = total / sizes[s]


cdef void divide(double *shares, Py_ssize_t n_species, Py_ssize_t n, Py_ssize_t *n_each,
                 Py_ssize_t *order, Py_ssize_t *scratch) noexcept nogil:
    cdef Py_ssize_t s, k, left = n, n_taking = 0
    cdef double total = 0, quota
    for s in range(n_species):
        if shares[s] >= 0:
            order[n_taking] = s
            n_taking += 1
            total += shares[s]
        n_each[s] = 0
    for k in range(n_taking):
        s = order[k]
        quota = <double> n * (shares[s] / total if total > 0 else 1.0 / n_taking)
        n_each[s] = min(<Py_ssize_t> floor(quota), left)
        left -= n_each[s]
        shares[s] = quota - n_each[s]
    sort_descending(order, shares, n_taking, scratch)
    k = 0
    while left > 0:
        n_each[order[k]] += 1
        left -= 1
        k = k + 1 if k + 1 < n_taking else 0
