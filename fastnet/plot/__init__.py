"""Pictures with matplotlib: descents, arms, training, networks, genomes, species, activations.

>>> import fastnet as fn
>>> net = fn.Network([2, 8, 1], hidden="tanh", seed=0)
>>> history = net.fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], epochs=20)
>>> ax = fn.plot.history(history)
>>> ax.get_xlabel(), ax.get_ylabel()
('epoch', 'loss')

Each function draws into ``ax=``, or into a new figure, and returns the Axes, so that everything can
still be changed; ``ax.figure.savefig("picture.png")`` saves it.  Where pyplot is in use, which is
so in notebooks, a new figure is one of pyplot's: a notebook shows it, and so does ``plt.show()``.
Elsewhere it belongs to nobody but the caller, and needs no screen.  No setting of matplotlib is
changed.

What differs does so in lightness and in line style or marker, too: pictures can be read without
color.

Needs matplotlib: ``pip install "fastnet[plot]"``.  It is imported when something is drawn.
"""

from fastnet.plot._activations import activation
from fastnet.plot._arms import arm
from fastnet.plot._descents import descent
from fastnet.plot._genomes import genome
from fastnet.plot._histories import history, species
from fastnet.plot._networks import network

__all__ = ["activation", "arm", "descent", "genome", "history", "network", "species"]
