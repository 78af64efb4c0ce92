"""A planar arm: where it started, what it went through, and the solution."""

import numpy as np

from fastnet._arrays import finite_array
from fastnet._checks import checked_int
from fastnet.plot._figures import INK, QUIET, checked_ax, legend, new_axes, shades, tidy
from fastnet.plot._limits import padded

START, SOLUTION, TARGET = "#f0604d", "#00682a", INK
# So many arms between start and solution can be told from each other.
MOST_GHOSTS = 12


def arm(arm, result, *, index=None, start=None, target=None, base=None, ax=None):
    """How an arm turned from its start (red, dashed) to the solution (green).

    Parameters
    ----------
    arm : fastnet.PlanarArm
        With ``lengths``.
    result : result of its ``solve``
        With ``angles``; with ``record=True`` the arms of the epochs between are drawn in gray, and
        the way of the end of the last link is dotted.
    index : int, optional
        Which arm, where the result is of many.
    start : array-like (n,), optional
        Angles at the start, in radians; by default those of the result, ``result.start`` or the
        first of ``result.path``.
    target : float or (x, y), optional
        A height, which is drawn as a line, or a point; by default that of the result.
    base : float, optional
        Height of the base; by default that of the result.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        With lines labeled "start", "solution" and "target", in units of the lengths.

    Raises
    ------
    ValueError
        A result of many arms without ``index``, a result that does not know its start, angles that
        are not as many as the links.
    TypeError

    Examples
    --------
    >>> import numpy as np, fastnet as fn
    >>> arm = fn.PlanarArm((1, 1, 1))
    >>> ax = fn.plot.arm(arm, arm.solve(np.radians([22, -20, 14])))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['start', 'solution', 'target']
    """
    checked_ax(ax)
    lengths = finite_array(getattr(arm, "lengths", None), "arm.lengths")
    one = _One(result, index)
    angles = _checked_angles(one.get("angles"), "result.angles", lengths)
    path = one.get("path")
    if path is not None:
        path = finite_array(path, "result.path")
        if path.ndim != 2 or path.shape[1] != len(lengths) or not len(path):
            raise ValueError(
                f"result.path must have shape (n, {len(lengths)}), one column for each link, got "
                f"{path.shape}")
    if start is None:
        start = one.get("start")
    if start is None:
        if path is None:
            raise ValueError("result must have a path to know its start: solve with record=True, "
                             "or give start=")
        start = path[0]
    start = _checked_angles(start, "start", lengths)
    base = _base(one, angles, lengths) if base is None else float(finite_array(base, "base"))
    if target is None:
        target = one.target()
    if target is not None:
        target = finite_array(target, "target")
        if target.shape not in ((), (2,)):
            raise ValueError(
                f"target must be a height or a point (x, y), got shape {target.shape}")

    ends = [_joints(lengths, w, base) for w in (start, angles)]
    ways = np.empty((0, len(lengths) + 1, 2))
    if path is not None:
        ways = np.stack([_joints(lengths, w, base) for w in path])
    if ax is None:
        ax = new_axes(*_figure_size(np.concatenate([*ends, *ways]), target))
    return _draw(ax, *ends, ways, target)


class _One:
    """One arm of a result: attributes without the axis over arms."""

    def __init__(self, result, index):
        angles = getattr(result, "angles", None)
        if angles is None:
            raise TypeError(f"result must be that of PlanarArm.solve, with angles, got "
                            f"{type(result).__name__}")
        self.result, self.n, self.index = result, None, None
        if np.ndim(angles) > 1:
            self.n = len(angles)
            if index is None:
                raise ValueError(f"result is of {self.n} arms: say which one to draw with index=")
            self.index = checked_int(index, "index", 0, self.n - 1)
        elif index is not None:
            raise ValueError("index must be None for a result of one arm")

    def get(self, name):
        value = getattr(self.result, name, None)
        if value is None or self.index is None:
            return value
        value = np.asarray(value)
        if name == "path":
            return value[:, self.index]
        return value[self.index] if value.shape[:1] == (self.n,) else value

    def target(self):
        """A height, a point, or None."""
        pose, error = self.get("pose"), self.get("error")
        # an error of a height is signed, so that the height follows; two of them look like a point
        height = None if pose is None or error is None else np.asarray(pose)[-1] - error
        target = getattr(self.result, "target", None)
        if target is None:
            return height
        target = np.asarray(target)
        if target.ndim == 0 or self.index is None:
            return target
        if target.shape == (2,) and not (
                self.n == 2 and np.isclose(target[self.index], height, rtol=1e-9, atol=1e-12)):
            return target
        return target[self.index]


def _checked_angles(angles, name, lengths):
    angles = finite_array(angles, name)
    if angles.shape != lengths.shape:
        raise ValueError(
            f"{name} must have shape {lengths.shape}, one angle for each link, got {angles.shape}")
    return angles


def _base(one, angles, lengths):
    base = one.get("base")
    if base is not None:
        return float(base)
    pose = one.get("pose")
    return 0.0 if pose is None else float(np.asarray(pose)[0] - lengths[0] * np.sin(angles[0]))


def _joints(lengths, angles, base):
    """(x, y) of the base and the ends of the links: (n + 1, 2)."""
    points = np.zeros((len(lengths) + 1, 2))
    points[1:] = lengths[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    points[0, 1] = base
    return np.cumsum(points, axis=0)


def _limits(points, target):
    """Around all that is drawn: ((left, right), (low, high)), with room for a legend."""
    points = points.reshape(-1, 2)
    if target is not None:
        last = target if target.shape else (points[-1, 0], target)
        points = np.concatenate([points, [last]])
    low, high = points.min(axis=0), points.max(axis=0)
    # flat arms get some height, and upright ones some width
    room = np.maximum(0.5 * (high - low).max() - (high - low), 0) / 2
    return np.transpose([low - room, high + room])


def _figure_size(points, target):
    (left, right), (low, high) = _limits(points, target)
    return 6.4, float(np.clip(5.6 * (high - low) / (right - left) + 1.2, 3.2, 8.0))


def _draw(ax, start, solution, ways, target):
    from matplotlib.collections import LineCollection

    tidy(ax)
    (left, right), (low, high) = _limits(np.concatenate([start, solution, *ways]), target)
    base = start[0]
    if len(ways) > 2:
        # as far apart as they move: many of the first epochs, few of the last
        moved = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(ways, axis=0)).sum(axis=(1, 2)))])
        wanted = np.linspace(0, moved[-1], min(MOST_GHOSTS, len(ways) - 2) + 2)[1:-1]
        chosen = np.unique(np.searchsorted(moved, wanted).clip(1, len(ways) - 2))
        ghosts = LineCollection(ways[chosen], colors=shades("#dadde0", "#9aa2aa", len(chosen)),
                                linewidths=1.2, zorder=2, label="epochs between")
        ax.add_collection(ghosts)
        ax.plot(*ways[:, -1].T, color=QUIET, linestyle=":", linewidth=1.2, zorder=2,
                label="way of the end")
    first, = ax.plot(*start.T, color=START, linestyle="--", linewidth=3, marker="o", markersize=9,
                     markerfacecolor="white", markeredgewidth=2, zorder=3, label="start")
    last, = ax.plot(*solution.T, color=SOLUTION, linestyle="-", linewidth=3.5, marker="o",
                    markersize=6, zorder=4, label="solution")
    handles = [first, last]
    if target is not None and target.shape:
        handles += ax.plot(*target[:, None], color=TARGET, linestyle="none", marker="X",
                           markersize=11, markeredgecolor="white", zorder=5, label="target")
    elif target is not None:
        handles.append(ax.axhline(float(target), color=TARGET, linestyle=(0, (6, 3, 1, 3)),
                                  linewidth=1.2, zorder=1.5, label="target"))
    ax.plot(*base[:, None], color=INK, linestyle="none", marker="s", markersize=10, zorder=6,
            label="base")
    ax.set(xlim=padded(left, right, 0.06), ylim=padded(low, high, 0.08), xlabel="x (length)",
           ylabel="height y (length)")
    ax.set_aspect("equal")
    legend(ax, handles)
    return ax
