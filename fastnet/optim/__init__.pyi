from fastnet.optim import schedules
from fastnet.optim.adaptive import Adam
from fastnet.optim.optimizers import Optimizer
from fastnet.optim.sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer", "schedules"]
