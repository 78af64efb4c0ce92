"""PyTorch modules for the activations that PyTorch has no module of."""

import torch


class Abs(torch.nn.Module):
    def forward(self, z):
        return torch.abs(z)


class Cube(torch.nn.Module):
    def forward(self, z):
        return z * z * z


class Elliot(torch.nn.Module):
    """z / (2 (1 + |z|)) + 1/2"""

    def forward(self, z):
        return 0.5 * torch.nn.functional.softsign(z) + 0.5


class Exp(torch.nn.Module):
    def forward(self, z):
        return torch.exp(z)


class Gaussian(torch.nn.Module):
    """e^(-z^2)"""

    def forward(self, z):
        return torch.exp(-z * z)


class Inverse(torch.nn.Module):
    def forward(self, z):
        return torch.reciprocal(z)


class Log(torch.nn.Module):
    def forward(self, z):
        return torch.log(z)


class Sin(torch.nn.Module):
    def forward(self, z):
        return torch.sin(z)


class Square(torch.nn.Module):
    def forward(self, z):
        return z * z


class SteepSigmoid(torch.nn.Module):
    """1 / (1 + e^(-4.9 z)), the sigmoid of NEAT (Stanley & Miikkulainen 2002)"""

    def forward(self, z):
        return torch.sigmoid(4.9 * z)


class Step(torch.nn.Module):
    """1 where z > 0, else 0; NaN stays NaN"""

    def forward(self, z):
        return torch.where(torch.isnan(z), z, (z > 0).to(z.dtype))


MODULES = {
    "abs": Abs,
    "cube": Cube,
    "elliot": Elliot,
    "exp": Exp,
    "gaussian": Gaussian,
    "inverse": Inverse,
    "log": Log,
    "sin": Sin,
    "square": Square,
    "steep_sigmoid": SteepSigmoid,
    "step": Step,
}
