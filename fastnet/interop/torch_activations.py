"""PyTorch modules for the activations that PyTorch has no module of.

The classes are made when one is asked for, so that this module can be imported without PyTorch;
they pickle by their names here.
"""

from fastnet.interop.stack import require

__all__ = ["FORMULAS", "modules"]

# class: (activation, formula)
FORMULAS = {
    "Abs": ("abs", lambda torch, z: torch.abs(z)),
    "Cube": ("cube", lambda torch, z: z * z * z),
    "Elliot": ("elliot", lambda torch, z: 0.5 * torch.nn.functional.softsign(z) + 0.5),
    "Exp": ("exp", lambda torch, z: torch.exp(z)),
    "Gaussian": ("gaussian", lambda torch, z: torch.exp(-z * z)),
    "Inverse": ("inverse", lambda torch, z: torch.reciprocal(z)),
    "Log": ("log", lambda torch, z: torch.log(z)),
    "Sin": ("sin", lambda torch, z: torch.sin(z)),
    "Square": ("square", lambda torch, z: z * z),
    "SteepSigmoid": ("steep_sigmoid", lambda torch, z: torch.sigmoid(4.9 * z)),
    # NaN stays NaN
    "Step": ("step", lambda torch, z: torch.where(torch.isnan(z), z, (z > 0).to(z.dtype))),
}


def __getattr__(name):
    if name not in FORMULAS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    torch = require("torch", "torch")
    activation, formula = FORMULAS[name]

    def forward(self, z):
        return formula(torch, z)

    members = {"__module__": __name__, "__doc__": f"fastnet's {activation}", "forward": forward}
    globals()[name] = kind = type(name, (torch.nn.Module,), members)
    return kind


def modules():
    """The classes by the name of the activation."""
    return {
        activation: globals().get(name) or __getattr__(name)
        for name, (activation, _) in FORMULAS.items()
    }
