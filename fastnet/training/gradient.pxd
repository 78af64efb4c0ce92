"""Loss and gradient of a model over rows as they come from Python."""

cimport numpy as cnp

from fastnet._workspace cimport Workspace
from fastnet.training.model cimport Model

# (value, gradient (n_parameters,)) for the arguments of fastnet.Network.loss_and_gradient;
# workspace: the model's own; parameters: its array
cdef tuple loss_and_gradient(Model model, Workspace workspace, cnp.ndarray parameters, object X,
                             object y, object loss, object sample_weight, object reduction,
                             object out)
