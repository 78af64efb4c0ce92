"""Descent on any function of a flat vector: optimizers."""

from fastnet.optim.optimizers import SGD, Adam, Optimizer

__all__ = ["SGD", "Adam", "Optimizer"]
