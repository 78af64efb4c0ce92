"""Networks as C source."""

from fastnet.interop.c_genomes import genome_to_c
from fastnet.interop.c_networks import network_to_c

__all__ = ["genome_to_c", "network_to_c"]
