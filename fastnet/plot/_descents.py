"""The way down a function: a curve with its iterates, or contours with the path."""

import math

import numpy as np

from fastnet._checks import checked_int
from fastnet.plot._contours import contours
from fastnet.plot._figures import QUIET, checked_ax, legend, map_axes, new_axes, tidy
from fastnet.plot._functions import Function
from fastnet.plot._limits import checked_limits, padded

# Of one path after another: color (in turn dark and light), line style, marker of the iterates.
PATHS = (
    ("#a3121f", "-", "o"),
    ("#e0821f", "--", "s"),
    ("#1f4e8c", "-.", "^"),
    ("#2f9c8f", ":", "D"),
)
# Iterates closer to the last marked one than this share of the picture have no marker.
CLOSEST = 0.012
# A scale takes about this share of the width of Axes.
SCALE_SHARE = 0.2
# Ranges of two variables: where one is this many times the other, they are not of one kind.
MOST_UNLIKE = 20
# A diverging path is shown as far as this many times its first step, and its first change of f.
DIVERGED, DIVERGED_VALUE = 10.0, 30.0


def descent(f, result, *, labels=None, xlim=None, ylim=None, levels=None, n_points=None,
            colorbar=True, ax=None):
    """How a function of one or two variables was minimized or maximized.

    One variable: the curve of the function with the iterates on it.  Two variables: contours with
    the path across them; their levels are evenly spaced where that shows the valley, else
    logarithmically.

    Parameters
    ----------
    f : callable or C function
        As given to `fastnet.minimize`.
    result : result of `fastnet.minimize`, `maximize` or `fit_curve`, or a sequence of them
        With a ``path``, that is, of a call with ``record=True``.  Several are drawn together.
    labels : str or sequence of str, optional
        Of each result; by default the number of its iterations.
    xlim, ylim : (float, float), optional
        Limits; by default around the path.
    levels : int or sequence of float, optional
        How many contours, about, or at which values.  Two variables only.
    n_points : int, optional
        Points of the curve, by default 401, or along each side of the grid under the contours, by
        default 121.
    colorbar : bool
        Whether contours get a scale at their side.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        One variable: its lines are the curve, then each path.  Two: its lines are the paths.  Start
        and end are marked by lines without a stroke that follow.

    Raises
    ------
    ValueError
        A result without a path, a path that has NaN or more than two variables, a function of
        another number of variables, one that is finite nowhere within the limits.
    TypeError

    Notes
    -----
    Where f raises a ValueError or an ArithmeticError, as ``math.log(-1)`` does, nothing is drawn.
    Of a path that diverges the first part is shown.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import fastnet as fn
    >>> result = SimpleNamespace(path=[4.0, 2.0, 1.0, 0.5])
    >>> ax = fn.plot.descent(lambda x: x * x, result)
    >>> ax.lines[1].get_ydata().tolist()
    [16.0, 4.0, 1.0, 0.25]
    """
    checked_ax(ax)
    results = list(result) if isinstance(result, (list, tuple)) else [result]
    if not results:
        raise ValueError("result must be a result or several, got an empty sequence")
    paths = [_checked_path(r, "result" if len(results) == 1 else f"result[{k}]")
             for k, r in enumerate(results)]
    labels = _checked_labels(labels, paths)
    if len({path.shape[1:] for path in paths}) > 1:
        raise ValueError("result must hold paths of the same number of variables, got "
                         + ", ".join(str(path[0].size) for path in paths))
    n_variables = paths[0][0].size
    f = Function(f, paths[0][0])
    if xlim is not None:
        xlim = checked_limits(xlim, "xlim")
    if ylim is not None:
        ylim = checked_limits(ylim, "ylim")
    if n_points is not None:
        n_points = checked_int(n_points, "n_points", 2, 100_000 if n_variables == 1 else 2000)
    if n_variables == 1 and levels is not None:
        raise ValueError("levels must be None for a function of one variable")
    paths = [_Path(f, path, label, getattr(r, "reason", None))
             for r, path, label in zip(results, paths, labels, strict=True)]
    if n_variables == 1:
        return _curve(f, paths, xlim, ylim, n_points or 401, ax)
    return _map(f, paths, xlim, ylim, levels, n_points or 121, colorbar, ax)


def _checked_path(result, name):
    """The finite part of a path: (k,) or (k, 1) or (k, 2)."""
    path = getattr(result, "path", None)
    if path is None:
        raise ValueError(f"{name} must have a path: ask for it with record=True")
    path = np.array(path, np.float64)
    if path.ndim not in (1, 2) or path[:1].size not in (1, 2):
        raise ValueError(
            f"{name}.path must be of one or two variables, of shape (n,) or (n, 2), to be drawn, "
            f"got shape {path.shape}")
    finite = np.isfinite(path.reshape(len(path), -1)).all(axis=1)
    n = int(finite.argmin()) if not finite.all() else len(path)
    if n == 0 or finite[n:].any():
        raise ValueError(f"{name}.path must be finite, got {path[n]} at {n}")
    return path[:n]


def _checked_labels(labels, paths):
    if labels is None:
        return [None] * len(paths)
    labels = [labels] if isinstance(labels, str) else [str(label) for label in labels]
    if len(labels) != len(paths):
        raise ValueError(f"labels must be as many as results, {len(paths)}, got {len(labels)}")
    return labels


class _Path:
    """The iterates of one result, with their values.

    Attributes
    ----------
    points : ndarray, shape (k, 1) or (k, 2)
    values : ndarray, shape (k,)
    shown : int
        How many of them are worth room in the picture: all, unless the path diverges.
    """

    def __init__(self, f, path, label, reason):
        self.points, self.values = path.reshape(len(path), -1), f.values(path)
        away = np.abs(self.points - self.points[0]).max(axis=1)
        rise = np.abs(self.values - self.values[0])
        self.shown = n = len(path)
        self.diverges = reason == "diverged" or bool(
            n > 2 and away[-1] == away.max() and away[-1] > 1e6 * away[1] > 0)
        if self.diverges and n > 2:
            near = (away <= DIVERGED * away[1]) & (rise <= DIVERGED_VALUE * rise[1])
            self.shown = int((~near).argmax()) or n
        self.label = label if label is not None else (
            f"{n - 1} iteration{'' if n == 2 else 's'}{', diverges' if self.diverges else ''}")


def _draw_path(ax, x, y, style, label):
    """A path with its iterates, of which those have a marker that can be told apart."""
    color, dashes, marker = style
    place = ax.transAxes.inverted().transform(
        ax.transData.transform(np.column_stack([x, y]).clip(-1e15, 1e15)))
    return ax.plot(x, y, color=color, linestyle=dashes, linewidth=1.4, label=label, marker=marker,
                   markersize=4.5, markeredgewidth=0, markevery=_apart(place), zorder=3)[0]


def _apart(place):
    """Indices of points of which each is some way from the one before."""
    chosen, k = [0], 1
    while k < len(place):
        # a stretch at a time: a path may have a million points
        away = np.abs(place[k:k + 1024] - place[chosen[-1]]).max(axis=1) >= CLOSEST
        if away.any():
            k += int(away.argmax())
            chosen.append(k)
            k += 1
        else:
            k += 1024
    return chosen


def _mark_ends(ax, paths, second):
    """Start (hollow) and end (filled) of each path; the handles of a legend."""
    look = {"linestyle": "none", "zorder": 4}
    starts = [(path.points[0, 0], second(path)[0]) for path in paths]
    ends = [(path.points[-1, 0], second(path)[-1]) for path in paths if not path.diverges]
    handles = ax.plot(*np.transpose(starts), marker="o", markersize=8, markerfacecolor="white",
                      markeredgecolor="black", markeredgewidth=1.5, label="start", **look)
    if ends:
        handles += ax.plot(*np.transpose(ends), marker="*", markersize=14, markerfacecolor="black",
                           markeredgecolor="white", markeredgewidth=0.8, label="end", **look)
    return handles


def _curve(f, paths, xlim, ylim, n_points, ax):
    shown = np.concatenate([path.points[:path.shown, 0] for path in paths])
    if xlim is None:
        xlim = padded(shown.min(), shown.max(), 0.3)
    x = np.linspace(*xlim, n_points)
    y = f.values(x.reshape(-1, *f.shape))
    if not np.isfinite(y).any():
        raise ValueError(f"f is finite nowhere from x = {xlim[0]:g} to {xlim[1]:g}")
    if ylim is None:
        between = (x >= shown.min()) & (x <= shown.max())
        ylim = _heights([*(path.values[:path.shown] for path in paths), y[between]], y)

    if ax is None:
        ax = new_axes()
    tidy(ax)
    lines = ax.plot(x, y, color=QUIET, linewidth=2, label="f(x)", zorder=2)
    ax.set(xlim=xlim, ylim=ylim, xlabel="x", ylabel="f(x)")
    lines += [_draw_path(ax, path.points[:, 0], path.values, PATHS[k % len(PATHS)], path.label)
              for k, path in enumerate(paths)]
    lines += _mark_ends(ax, paths, lambda path: path.values)
    legend(ax, lines)
    return ax


def _heights(near, beyond):
    """All that is near, and some of what is beyond."""
    near = np.concatenate(near)
    near, beyond = near[np.isfinite(near)], beyond[np.isfinite(beyond)]
    if not len(near) or near.min() == near.max():
        return padded(beyond.min(), beyond.max(), 0.06)
    low, high = near.min(), near.max()
    room = 0.3 * (high - low)
    return padded(max(beyond.min(initial=low), low - room),
                  min(beyond.max(initial=high), high + room), 0.06)


def _filling(ax, low, high, scale):
    """Limits (low, high) extended to the shape of the Axes, to no more than twice their size."""
    box = ax.get_window_extent()
    width, height = high - low
    ratio = box.height / (box.width * (1 - scale))
    wider, higher = max(height / ratio - width, 0.0), max(width * ratio - height, 0.0)
    more = np.array([min(wider, width), min(higher, height)]) / 2
    return low - more, high + more


def _map(f, paths, xlim, ylim, levels, n_points, colorbar, ax):
    shown = np.concatenate([path.points[:path.shown] for path in paths])
    low, high = shown.min(axis=0), shown.max(axis=0)
    size, middle = high - low, (high + low) / 2
    # the shorter side is two thirds of the longer one at least, since a valley has walls; variables
    # so unlike that this would be all walls have scales of their own
    alike = size.max() < MOST_UNLIKE * size.min() or size.min() == 0
    half = size.max() / 3 if alike else size / 2
    low, high = np.minimum(low, middle - half), np.maximum(high, middle + half)
    if ax is not None and alike:
        low, high = _filling(ax, low, high, SCALE_SHARE if colorbar else 0.0)
    xlim, ylim = (
        padded(low[k], high[k], 0.18) if lim is None else lim for k, lim in enumerate((xlim, ylim)))
    x, y = np.linspace(*xlim, n_points), np.linspace(*ylim, n_points)
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    z = f.values(grid.reshape(-1, 2)).reshape(n_points, n_points)
    if not np.isfinite(z).any():
        raise ValueError(f"f is finite nowhere within xlim={xlim}, ylim={ylim}")
    ended = [path.values[[0, -1]] for path in paths if not path.diverges]
    upwards = bool(sum(np.sign(last - first) for first, last in ended) > 0)
    goals = [last for _, last in ended if np.isfinite(last)]
    goal = (max if upwards else min)(goals, default=math.nan)
    draw = contours(z, goal, upwards, levels)

    ratio = (ylim[1] - ylim[0]) / (xlim[1] - xlim[0])
    # the steepest way crosses contours at right angles, unless the picture would be a strip
    equal = 1 / 3 < ratio < 3
    own = ax is None
    if own:
        ax = map_axes(ratio if equal else 0.8)
    ax.set(xlim=xlim, ylim=ylim, xlabel="$x_1$", ylabel="$x_2$")
    if equal:
        ax.set_aspect("equal")
    filled = draw(ax, x, y)
    if colorbar and filled is not None:
        # where there is room for it, exactly as high as the Axes
        place = {"cax": ax.inset_axes([1.03, 0, 0.04, 1])} if own else {"ax": ax}
        ax.figure.colorbar(filled, **place, label="f(x)", format="%.4g")
    lines = [_draw_path(ax, *path.points.T, PATHS[k % len(PATHS)], path.label)
             for k, path in enumerate(paths)]
    lines += _mark_ends(ax, paths, lambda path: path.points[:, 1])
    legend(ax, lines)
    return ax
