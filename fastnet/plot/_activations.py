"""An activation and its derivative as curves."""

import numpy as np

from fastnet import activations
from fastnet.plot._figures import SERIES, checked_ax, legend, new_axes, tidy
from fastnet.plot._limits import checked_limits, padded

N_POINTS = 801
# Bisections of an interval: after them a slope has become small, and a jump has not.
N_HALVINGS = 40


def activation(activation, *, xlim=(-5.0, 5.0), ax=None):
    """Value and derivative of an activation.

    Parameters
    ----------
    activation : str or fastnet.Activation
        Elementwise: softmax has a Jacobian instead of a derivative.
    xlim : (float, float)
        First and last z.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Its first line is the value and its second one the derivative, with NaN at jumps.  What
        grows beyond 3/4 of the range of z is cut off.

    Raises
    ------
    ValueError, TypeError
        An unknown name, an activation without a derivative, or one that is finite nowhere.

    Examples
    --------
    >>> import fastnet as fn
    >>> ax = fn.plot.activation("tanh")
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['tanh(z)', 'derivative']
    """
    checked_ax(ax)
    first, last = checked_limits(xlim, "xlim")
    name = activation if isinstance(activation, str) else getattr(activation, "name", "activation")
    # the derivative first: its error says what to do with an activation that has none
    derivative, value = (
        _curve(lambda z, of=of: of(activation, z), first, last)
        for of in (activations.derivative, activations.value))
    shown = [y[np.isfinite(y)] for _, y in (value, derivative)]
    if not all(len(y) for y in shown):
        raise ValueError(f"activation {name!r} is finite nowhere from {first:g} to {last:g}")
    most = 0.75 * (last - first)
    low, high = min(y.min() for y in shown), max(y.max() for y in shown)
    # what grows is cut off, unless nothing would be left
    if low < most and high > -most:
        low, high = max(low, -most), min(high, most)

    if ax is None:
        ax = new_axes()
    tidy(ax)
    ax.axhline(0, color="0.65", linewidth=0.8, zorder=1)
    ax.axvline(0, color="0.65", linewidth=0.8, zorder=1)
    lines = []
    for (z, y), (color, style, _), label in zip(
            (value, derivative), SERIES, (f"{name}(z)", "derivative"), strict=False):
        lines += ax.plot(z, y, color=color, linestyle=style, linewidth=2, label=label)
    ax.set(xlim=(first, last), ylim=padded(low, high, 0.06), xlabel="z")
    legend(ax, lines)
    return ax


def _curve(function, first, last):
    """Points (z, y) of a function, with a row of NaN at each jump."""
    z = np.linspace(first, last, N_POINTS)
    with np.errstate(all="ignore"):
        y = np.array(function(z), np.float64)
        at = _jumps(function, z, y)
        ends = np.array(function(at.ravel()), np.float64).reshape(at.shape)
    gaps = np.column_stack([at[:, 0], at.mean(axis=1), at[:, 1]])
    heights = np.column_stack([ends[:, 0], np.full(len(at), np.nan), ends[:, 1]])
    order = np.argsort(np.concatenate([z, gaps.ravel()]), kind="stable")
    return (
        np.concatenate([z, gaps.ravel()])[order],
        np.concatenate([y, heights.ravel()])[order])


def _jumps(function, z, y):
    """The smallest intervals (n, 2) over which the function changes as much as over a step of z."""
    change = np.abs(np.diff(y))
    usual = np.median(change[np.isfinite(change)]) if np.isfinite(change).any() else 0.0
    k = np.flatnonzero(change > 10 * usual + 1e-9)
    low, high, y_low, y_high = z[k], z[k + 1], y[k], y[k + 1]
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        y_middle = np.array(function(middle), np.float64)
        left = np.abs(y_middle - y_low) > np.abs(y_high - y_middle)
        high, y_high = np.where(left, middle, high), np.where(left, y_middle, y_high)
        low, y_low = np.where(left, low, middle), np.where(left, y_low, y_middle)
    still = np.abs(y_high - y_low) > 0.25 * change[k]
    return np.column_stack([low, high])[still]
