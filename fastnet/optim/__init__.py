"""Descent on any function of a flat vector: optimizers and learning-rate schedules.

Names are loaded when they are first used.
"""

import importlib

# name: module of this package that has it
_PLACES = {
    "Adagrad": "adaptive",
    "Adam": "adaptive",
    "AdamW": "adaptive",
    "LBFGS": "lbfgs",
    "LevenbergMarquardt": "least_squares",
    "Optimizer": "optimizers",
    "RMSProp": "adaptive",
    "Rprop": "rprop",
    "SGD": "sgd",
    "critical_points": "extrema",
    "derivative": "derivatives",
    "fit_curve": "curve_fit",
    "gradient": "derivatives",
    "hessian": "derivatives",
    "maximize": "minimization",
    "minimize": "minimization",
    "multi_start": "minimization",
}

__all__ = [*_PLACES, "schedules"]


def __getattr__(name):
    if name in _PLACES:
        value = getattr(importlib.import_module(f"fastnet.optim.{_PLACES[name]}"), name)
    elif name == "schedules":
        value = importlib.import_module("fastnet.optim.schedules")
    else:
        raise AttributeError(f"module 'fastnet.optim' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
