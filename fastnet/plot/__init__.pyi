from fastnet.plot._activations import activation
from fastnet.plot._arms import arm
from fastnet.plot._descents import descent
from fastnet.plot._genomes import genome
from fastnet.plot._histories import history, species
from fastnet.plot._networks import network

__all__ = ["activation", "arm", "descent", "genome", "history", "network", "species"]
