"""Distance of genomes, and how a generation falls into species.

Stanley & Miikkulainen 2002, section 3.3.
"""

from libc.math cimport INFINITY, fabs
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport free, malloc

cimport numpy as cnp

from fastnet._workspace cimport Memory, new_memory
from fastnet.neat._genes cimport Genes, equal_block
from fastnet.neat._rules cimport Rules, rules_of
from fastnet.neat.genome cimport Genome, checked_genome

import numbers

import numpy as np

from fastnet._checks import checked_int

cnp.import_array()

__all__ = ["distance", "speciate"]

# A bound is believed where it exceeds the threshold by more than rounding can explain.
cdef double SLACK = 1 + 1e-12

# Words of a signature
cdef enum:
    WORDS = 4


cdef inline double distance_below(const Genes *a, const Genes *b, const Rules *rules,
                                  double threshold) noexcept nogil:
    # The distance; or something not below the threshold as soon as the distance cannot be.
    cdef Py_ssize_t n_a = a.n_connections, n_b = b.n_connections
    cdef Py_ssize_t least = min(n_a, n_b), most = max(n_a, n_b)
    cdef Py_ssize_t i = 0, j = 0, q, n_matching, n_disjoint = 0, n_excess
    cdef const int64_t *x = a.innovation
    cdef const int64_t *y = b.innovation
    cdef const double *u = a.weight
    cdef const double *v = b.weight
    cdef double n = most if rules.normalizes and most else 1
    cdef double enough = threshold * SLACK
    # Each gene without a match adds at least this, the difference of a weight at least that.
    cdef double per_gene = min(rules.c_excess, rules.c_disjoint) / n
    cdef double per_weight = rules.c_weight / least if least else 0
    cdef double w = 0, w0 = 0, w1 = 0, w2 = 0, w3 = 0
    if <double> (most - least) * per_gene > enough:
        return INFINITY
    while i < n_a and j < n_b:
        if x[i] == y[j]:
            if i + 4 <= n_a and j + 4 <= n_b and equal_block(x + i, y + j):
                # Four sums, so that none waits for another
                w0 += fabs(u[i] - v[j])
                w1 += fabs(u[i + 1] - v[j + 1])
                w2 += fabs(u[i + 2] - v[j + 2])
                w3 += fabs(u[i + 3] - v[j + 3])
                i += 4
                j += 4
            else:
                w0 += fabs(u[i] - v[j])
                i += 1
                j += 1
        else:
            if x[i] < y[j]:
                i += 1
            else:
                j += 1
            n_disjoint += 1
            # What is left of one that is longer has no match either.
            q = (n_a - i) - (n_b - j)
            if (<double> (n_disjoint + (q if q > 0 else -q)) * per_gene
                    + (w0 + w1 + w2 + w3) * per_weight > enough):
                return INFINITY
    n_excess = (n_a - i) + (n_b - j)
    n_matching = (n_a + n_b - n_disjoint - n_excess) >> 1
    if n_matching and rules.c_weight > 0:
        w = rules.c_weight * ((w0 + w1 + w2 + w3) / n_matching)
    return rules.c_excess * n_excess / n + rules.c_disjoint * n_disjoint / n + w


cdef double gene_distance(const Genes *a, const Genes *b, const Rules *rules) noexcept nogil:
    return distance_below(a, b, rules, INFINITY)


cdef bint is_compatible(const Genes *a, const Genes *b, const Rules *rules,
                        double threshold) noexcept nogil:
    return distance_below(a, b, rules, threshold) < threshold


cdef inline void sign(const Genes *genes, uint64_t *signature) noexcept nogil:
    # The set of the innovations modulo 256, a bit for each
    cdef Py_ssize_t i
    for i in range(WORDS):
        signature[i] = 0
    for i in range(genes.n_connections):
        signature[(genes.innovation[i] >> 6) & (WORDS - 1)] |= (
            <uint64_t> 1 << (genes.innovation[i] & 63))


cdef inline Py_ssize_t count_differing(const uint64_t *a, const uint64_t *b) noexcept nogil:
    # Bits that differ.  Each is there for a gene without a match, and for no other bit's: there
    # are at least so many of these.  Bits of a word are added by pairs, fours and bytes.
    cdef uint64_t total = 0, x
    cdef Py_ssize_t i
    for i in range(WORDS):
        x = a[i] ^ b[i]
        x -= (x >> 1) & <uint64_t> 0x5555555555555555
        x = (x & <uint64_t> 0x3333333333333333) + ((x >> 2) & <uint64_t> 0x3333333333333333)
        total += (x + (x >> 4)) & <uint64_t> 0x0F0F0F0F0F0F0F0F
    total = (total & <uint64_t> 0x00FF00FF00FF00FF) + ((total >> 8) & <uint64_t> 0x00FF00FF00FF00FF)
    return <Py_ssize_t> ((total * <uint64_t> 0x0001000100010001) >> 48)


cdef Py_ssize_t assign_species(const Genes *genomes, Py_ssize_t n, const Rules *rules,
                               double threshold, Genes *representatives, Py_ssize_t n_species,
                               const Py_ssize_t *hints, Py_ssize_t *species) noexcept nogil:
    cdef Py_ssize_t g, s, n_signed = 0, most
    cdef double least_cost = min(rules.c_excess, rules.c_disjoint), enough = threshold * SLACK
    cdef uint64_t signature[WORDS]
    # Most genomes fit the species of their parent.  Those that do not are compared with every
    # species: sets of 256 bits side by side settle nearly all of that without reading genes.
    cdef uint64_t *signatures = <uint64_t *> malloc((n_species + n) * WORDS * sizeof(uint64_t))
    for g in range(n):
        s = hints[g]
        if s >= 0 and is_compatible(genomes + g, representatives + s, rules, threshold):
            species[g] = s
            continue
        if signatures != NULL:
            sign(genomes + g, signature)
            while n_signed < n_species:
                sign(representatives + n_signed, signatures + WORDS * n_signed)
                n_signed += 1
        for s in range(n_species):
            if s == hints[g]:
                continue
            if signatures != NULL:
                most = max(genomes[g].n_connections, representatives[s].n_connections)
                if (count_differing(signature, signatures + WORDS * s) * least_cost
                        > enough * (<double> most if rules.normalizes else 1)):
                    continue
            if is_compatible(genomes + g, representatives + s, rules, threshold):
                break
        else:
            s = n_species
            representatives[s] = genomes[g]
            n_species += 1
        species[g] = s
    free(signatures)
    return n_species


def distance(a, b, config):
    """Compatibility distance of two genomes.

    The distance is ``c_excess * E / N + c_disjoint * D / N + c_weight * W``: E genes of one genome
    have innovations above all of the other, D more have no match, and W is the mean absolute
    difference of the weights of the genes that match, 0 where none do.  Disabled genes count.  N
    is the number of genes of the larger genome, or 1 with ``distance_normalization="one"``
    (Stanley & Miikkulainen 2002, equation 1).

    Parameters
    ----------
    a, b : Genome
    config : Config

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        An argument is no genome, or has other inputs and outputs than the config.

    Examples
    --------
    >>> from fastnet import neat
    >>> config = neat.Config(n_inputs=2, n_outputs=1)
    >>> a = neat.Genome.from_connections(config, [(0, 0, 3, 1.0, True)])
    >>> b = neat.Genome.from_connections(config, [(0, 0, 3, 0.5, True), (1, 1, 3, 2.0, True)])
    >>> neat.distance(a, b, config)
    1.2
    """
    cdef const Rules *rules = rules_of(config)
    cdef Genome first = checked_genome(a, config, "a")
    cdef Genome second = checked_genome(b, config, "b")
    return gene_distance(&first.genes, &second.genes, rules)


cdef list checked_genomes(object genomes, object config, str name):
    try:
        given = list(genomes)
    except TypeError:
        raise TypeError(f"{name} must be a sequence of genomes, got {genomes!r}") from None
    return [checked_genome(genome, config, f"{name}[{i}]") for i, genome in enumerate(given)]


def speciate(genomes, config, representatives=(), hints=None, threshold=None):
    """The species that each genome belongs to.

    A genome belongs to the first species whose representative is closer to it than the threshold;
    where there is none, it founds one and represents it.  The species of its parent is tried
    first: most genomes stay in it (Stanley & Miikkulainen 2002, section 3.3).

    Parameters
    ----------
    genomes : sequence of n Genome
    config : Config
    representatives : sequence of Genome, optional
        Of the species that there are.
    hints : sequence of n ints or None, optional
        Of each genome the species to try first, None for no such.
    threshold : float, optional
        Of the distance; compatibility_threshold of the config by default.

    Returns
    -------
    (n,) int64 array
        Numbers of species: positions in representatives, then new ones in order.

    Raises
    ------
    TypeError, ValueError
        Something is no genome of the config, or no species, or the threshold is below 0 or NaN.

    Examples
    --------
    >>> from fastnet import neat
    >>> from fastnet.neat.species import speciate
    >>> config = neat.Config(n_inputs=2, n_outputs=1)
    >>> genomes = [neat.Genome(config, rng=seed) for seed in range(3)]
    >>> speciate(genomes, config).tolist()
    [0, 0, 0]
    >>> speciate(genomes, config, threshold=0.0).tolist()
    [0, 1, 2]
    """
    cdef const Rules *rules = rules_of(config)
    cdef list given = checked_genomes(genomes, config, "genomes")
    cdef list known = checked_genomes(representatives, config, "representatives")
    cdef Py_ssize_t n = len(given), n_species = len(known), i
    cdef Memory memory
    cdef Genes *genes
    cdef Py_ssize_t *tried
    cdef double limit = rules.compatibility_threshold
    if threshold is not None:
        if isinstance(threshold, bool) or not isinstance(threshold, numbers.Real):
            raise TypeError(f"threshold must be a number, got {threshold!r}")
        limit = threshold
        if not limit >= 0:
            raise ValueError(f"threshold must be at least 0, got {threshold!r}")
    first = [None] * n if hints is None else list(hints)
    if len(first) != n:
        raise ValueError(f"hints must be one for each of {n} genomes, got {len(first)}")
    memory = new_memory((2 * n + n_species) * sizeof(Genes) + 2 * n * sizeof(Py_ssize_t) + 1)
    genes = <Genes *> memory.data
    tried = <Py_ssize_t *> (genes + 2 * n + n_species)
    for i in range(n):
        tried[i] = -1 if first[i] is None else checked_int(
            first[i], f"hints[{i}]", 0, n_species - 1)
    # With the lock and without Python code, for another thread may mutate the genomes
    for i in range(n):
        genes[i] = (<Genome> given[i]).genes
    for i in range(n_species):
        genes[n + i] = (<Genome> known[i]).genes
    assign_species(genes, n, rules, limit, genes + n, n_species, tried, tried + n)
    species = np.empty(n, np.int64)
    for i in range(n):
        species[i] = tried[n + i]
    return species
