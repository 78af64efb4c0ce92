from fastnet.optim import schedules
from fastnet.optim.adaptive import Adagrad, Adam, AdamW, RMSProp
from fastnet.optim.curve_fit import fit_curve
from fastnet.optim.derivatives import derivative, gradient, hessian
from fastnet.optim.extrema import critical_points
from fastnet.optim.lbfgs import LBFGS
from fastnet.optim.least_squares import LevenbergMarquardt
from fastnet.optim.minimization import maximize, minimize, multi_start
from fastnet.optim.optimizers import Optimizer
from fastnet.optim.rprop import Rprop
from fastnet.optim.sgd import SGD

__all__ = [
    "LBFGS",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "LevenbergMarquardt",
    "Optimizer",
    "RMSProp",
    "Rprop",
    "critical_points",
    "derivative",
    "fit_curve",
    "gradient",
    "hessian",
    "maximize",
    "minimize",
    "multi_start",
    "schedules",
]
