from fastnet import activations, losses, neat, optim, plot, random
from fastnet import sklearn as sklearn
from fastnet._config import get_include, get_library, isa, show_config
from fastnet._files import FileFormatError
from fastnet.activations import Activation
from fastnet.evolution.genetic_algorithm import GeneticAlgorithm
from fastnet.kinematics import PlanarArm
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
    critical_points,
    derivative,
    fit_curve,
    gradient,
    hessian,
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
    "PlanarArm",
    "RMSProp",
    "RandomStream",
    "Rprop",
    "__version__",
    "activations",
    "check_gradient",
    "critical_points",
    "derivative",
    "fit_curve",
    "get_include",
    "get_library",
    "gradient",
    "hessian",
    "isa",
    "load",
    "losses",
    "maximize",
    "minimize",
    "multi_start",
    "neat",
    "optim",
    "plot",
    "random",
    "schedules",
    "show_config",
]

__version__: str
