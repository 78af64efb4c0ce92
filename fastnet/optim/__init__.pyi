from fastnet.optim import schedules
from fastnet.optim.adaptive import Adagrad, Adam, AdamW, RMSProp
from fastnet.optim.optimizers import Optimizer
from fastnet.optim.rprop import Rprop
from fastnet.optim.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSProp", "Rprop", "schedules"]
