"""fastnet: small neural networks at C speed on any CPU.

>>> import numpy as np, fastnet as fn
>>> net = fn.Network([2, 8, 1], hidden="tanh", seed=0)
>>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
>>> history = net.fit(X, [0, 1, 1, 0], optimizer=fn.Adam(0.05), epochs=500, batch_size=None)
>>> np.round(net(X)[:, 0]).astype(int).tolist()
[0, 1, 1, 0]

Names are loaded when they are first used, so that importing the package costs little.
"""

import importlib

# name: module that has it
_PLACES = {
    "Activation": "fastnet.activations",
    "Adagrad": "fastnet.optim",
    "Adam": "fastnet.optim",
    "AdamW": "fastnet.optim",
    "Dense": "fastnet.nn.layers",
    "Dropout": "fastnet.nn.layers",
    "LayerNorm": "fastnet.nn.layers",
    "DivergenceError": "fastnet.training.loop",
    "EarlyStopping": "fastnet.training.history",
    "FileFormatError": "fastnet._files",
    "GeneticAlgorithm": "fastnet.evolution.genetic_algorithm",
    "History": "fastnet.training.history",
    "LBFGS": "fastnet.optim",
    "LevenbergMarquardt": "fastnet.optim",
    "Loss": "fastnet.losses",
    "Network": "fastnet.nn.network",
    "PlanarArm": "fastnet.kinematics",
    "RMSProp": "fastnet.optim",
    "RandomStream": "fastnet.random",
    "Rprop": "fastnet.optim",
    "SGD": "fastnet.optim",
    "check_gradient": "fastnet.nn.gradients",
    "critical_points": "fastnet.optim",
    "derivative": "fastnet.optim",
    "fit_curve": "fastnet.optim",
    "get_include": "fastnet._config",
    "get_library": "fastnet._config",
    "gradient": "fastnet.optim",
    "hessian": "fastnet.optim",
    "isa": "fastnet._config",
    "load": "fastnet.nn.files",
    "maximize": "fastnet.optim",
    "minimize": "fastnet.optim",
    "multi_start": "fastnet.optim",
    "schedules": "fastnet.optim",
    "show_config": "fastnet._config",
}
_MODULES = ("activations", "losses", "neat", "optim", "plot", "random")
# need a package that may be missing, so that `from fastnet import *` leaves them out
_OPTIONAL_MODULES = ("sklearn",)

__all__ = [*_PLACES, *_MODULES, "__version__"]


def __getattr__(name):
    if name in _PLACES:
        value = getattr(importlib.import_module(_PLACES[name]), name)
    elif name in _MODULES or name in _OPTIONAL_MODULES:
        value = importlib.import_module(f"fastnet.{name}")
    elif name == "_capi":
        # the capsule, where PyCapsule_Import("fastnet._capi") looks for it
        value = importlib.import_module("fastnet.capi")._capi
    elif name == "__version__":
        value = importlib.import_module("fastnet._config").version()
    else:
        raise AttributeError(f"module 'fastnet' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
