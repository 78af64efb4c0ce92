from fastnet import activations, losses, neat, optim, random
from fastnet import sklearn as sklearn
from fastnet._config import get_include, get_library, isa, show_config
from fastnet._files import FileFormatError
from fastnet.activations import Activation
from fastnet.evolution.genetic_algorithm import GeneticAlgorithm
from fastnet.losses import Loss
from fastnet.nn.files import load
from fastnet.nn.gradients import check_gradient
from fastnet.nn.layers import Dense, Dropout, LayerNorm
from fastnet.nn.network import Network
from fastnet.optim import (
    LBFGS,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    LevenbergMarquardt,
    RMSProp,
    Rprop,
    maximize,
    minimize,
    multi_start,
    schedules,
)
from fastnet.random import RandomStream
from fastnet.training.history import EarlyStopping, History
from fastnet.training.loop import DivergenceError

__all__ = [
    "LBFGS",
    "SGD",
    "Activation",
    "Adagrad",
    "Adam",
    "AdamW",
    "Dense",
    "DivergenceError",
    "Dropout",
    "EarlyStopping",
    "FileFormatError",
    "GeneticAlgorithm",
    "History",
    "LayerNorm",
    "LevenbergMarquardt",
    "Loss",
    "Network",
    "RMSProp",
    "RandomStream",
    "Rprop",
    "__version__",
    "activations",
    "check_gradient",
    "get_include",
    "get_library",
    "isa",
    "load",
    "losses",
    "maximize",
    "minimize",
    "multi_start",
    "neat",
    "optim",
    "random",
    "schedules",
    "show_config",
]

__version__: str
