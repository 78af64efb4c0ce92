"""Checks of genes that come from outside."""

from fastnet.neat._genes cimport Genes
from fastnet.neat._rules cimport Rules

# ValueError unless genes (with at least the fixed nodes) are as all operators expect them
cdef int check_genes(const Genes *genes, const Rules *rules) except -1

# ValueError where a connection leaves an output or closes a cycle
cdef int check_acyclic(const Genes *genes, const Rules *rules) except -1
