"""The planar arm: links in a row that turn in a plane, and inverse kinematics by descent."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastnet._arms import descend
from fastnet._arrays import finite_array
from fastnet._checks import checked_int
from fastnet._parallel import cut_rows, run_chunks
from fastnet._reach import can_reach, checked_limits
from fastnet.optim.arguments import number

__all__ = ["ArmSolution", "PlanarArm"]

MOST_EPOCHS = 2**53
CLOSE = 1e-8  # an error that counts as none where no tolerance is given
SINE_OPERATIONS = 60
CHUNK_ARMS = 64  # a multiple of what every instruction set takes at once


@dataclass(eq=False, repr=False)
class ArmSolution:
    """Where `PlanarArm.solve` ended: one arm, or N arms with N in front of every shape.

    Attributes
    ----------
    angles : ndarray (n,)
        Of the links against the horizontal, in radians.
    pose : ndarray (n,)
        Heights of the ends of the links.
    error : float, for many arms ndarray (N,)
        Height of the last end less that of the target; for a point the distance from it.
    n_epochs : int, for many arms ndarray (N,) of int64
        Steps that were taken.
    converged : bool, for many arms ndarray (N,)
        Whether ``|error|`` is at most the tolerance, or 1e-8 where there is none.
    reachable : bool, for many arms ndarray (N,)
        Whether there are angles with which the arm reaches its target.  For points and limits of
        the joints it is false only where the target is beyond the hull of what the arm reaches.
    path : ndarray (epochs + 1, n), for many arms (epochs + 1, N, n), or None
        Angles from the start on, after each epoch; those of an arm that has come to rest stay.
    start : ndarray (n,)
        The angles at the start, within the limits.
    target : float or tuple (x, y), for many arms maybe ndarray (N,) or (N, 2)
        A height or a point.
    base : float, for many arms maybe ndarray (N,)
        Height of the base.
    lengths : ndarray (n,)
        Of the links.
    """

    angles: Any
    pose: Any
    error: Any
    n_epochs: Any
    converged: Any
    reachable: Any
    path: Any
    start: Any
    target: Any
    base: Any
    lengths: Any = field(repr=False)

    @property
    def gradient(self):
        """Of half the squared error by the angles, at the end: (n,), for many arms (N, n).

        Where it is zero and the error is not, the arm is stuck: stretched out towards a target
        beyond its reach, or straight up or down, where turning a link does not lift its end.
        """
        return PlanarArm(self.lengths).loss_and_gradient(self.angles, self.target, self.base)[1]

    def __repr__(self):
        if np.ndim(self.error) == 0:
            return (
                f"ArmSolution(error={self.error:.6g}, n_epochs={self.n_epochs}, "
                f"converged={self.converged}, reachable={self.reachable})"
            )
        n, worst = len(self.error), np.abs(self.error).max(initial=0.0)
        return (
            f"ArmSolution({n} arms, {np.count_nonzero(self.converged)} converged, "
            f"{np.count_nonzero(self.reachable)} reachable, largest error={worst:.6g})"
        )


class PlanarArm:
    """Links in a row that turn in a vertical plane, the first one around a base at (0, base).

    Link k of length ``l_k`` stands at angle ``w_k`` against the horizontal: angles are absolute,
    not against the link before, and in radians.  The joints are at

        x_k = x_(k-1) + l_k cos w_k,    y_k = y_(k-1) + l_k sin w_k.

    Parameters
    ----------
    lengths : array-like (n,)
        Of the links, from the base on; positive.

    Attributes
    ----------
    lengths : ndarray (n,)
        Read-only.
    n_links : int
    reach : float
        Sum of the lengths.

    Raises
    ------
    TypeError, ValueError
        lengths is no row of positive numbers.

    Examples
    --------
    Three links whose end is to come down to the height of the base, from 22, -20 and 14 degrees:

    >>> import numpy as np, fastnet as fn
    >>> arm = fn.PlanarArm((1, 1, 1))
    >>> r = arm.solve(np.radians([22, -20, 14]))
    >>> r
    ArmSolution(error=0.00291914, n_epochs=20, converged=False, reachable=True)
    >>> r.pose.round(4)
    array([ 0.2853, -0.1424,  0.0029])

    A thousand arms reach for a point each:

    >>> rng = np.random.default_rng(0)
    >>> r = arm.solve(rng.normal(size=(1000, 3)), rng.uniform(-1, 1, (1000, 2)), epochs=500)
    >>> r.angles.shape, r.error.shape
    ((1000, 3), (1000,))
    """

    def __init__(self, lengths=(1, 1, 1)):
        given = finite_array(lengths, "lengths")
        if given.ndim != 1 or not given.size:
            raise ValueError(
                f"lengths must be one number a link, shape (n_links,), got shape {given.shape}"
            )
        if given.min() <= 0:
            k = int((given <= 0).argmax())
            raise ValueError(f"lengths must be positive, got lengths[{k}] = {given[k]}")
        self.lengths = given.copy()
        self.lengths.setflags(write=False)
        with np.errstate(over="ignore"):
            self._reach = float(given.sum())
        if self._reach == math.inf:
            raise ValueError("lengths must have a finite sum, but it overflows float64")

    @property
    def n_links(self):
        """Number of links."""
        return len(self.lengths)

    @property
    def reach(self):
        """How far the end can be from the base."""
        return self._reach

    def __repr__(self):
        return f"PlanarArm(lengths=({', '.join(f'{length:g}' for length in self.lengths)}))"

    def __eq__(self, other):
        if not isinstance(other, PlanarArm):
            return NotImplemented
        return np.array_equal(self.lengths, other.lengths)

    def __hash__(self):
        return hash(tuple(self.lengths))

    def __reduce__(self):
        # an array from a pickle could be written to
        return type(self), (tuple(self.lengths.tolist()),)

    def pose(self, angles, base=0.0):
        """Heights of the ends of the links, from the first one on.

        Parameters
        ----------
        angles : array-like (n,) or (N, n)
            In radians.
        base : float or array-like (N,)
            Height of the base.

        Returns
        -------
        ndarray (n,) or (N, n)

        Raises
        ------
        TypeError, ValueError
            An argument has another shape, or is not finite.

        Examples
        --------
        >>> import numpy as np, fastnet as fn
        >>> fn.PlanarArm((1, 2)).pose([np.pi / 2, -np.pi / 6], base=0.5).round(12)
        array([1.5, 0.5])
        """
        angles, bases, targets, is_one = self._arms(angles, None, base)
        return _run(self.lengths, angles, bases, targets)[0][0 if is_one else slice(None)]

    def positions(self, angles, base=0.0):
        """Points (x, y) of the base and the ends of the links.

        Parameters
        ----------
        angles : array-like (n,) or (N, n)
            In radians.
        base : float or array-like (N,)
            Height of the base.

        Returns
        -------
        ndarray (n + 1, 2) or (N, n + 1, 2)

        Raises
        ------
        TypeError, ValueError
            As in `pose`.

        Examples
        --------
        >>> import numpy as np, fastnet as fn
        >>> fn.PlanarArm((1, 2)).positions([0, np.pi / 2]).round(12)
        array([[0., 0.],
               [1., 0.],
               [1., 2.]])
        """
        angles, bases, targets, is_one = self._arms(angles, None, base)
        points = np.zeros((len(angles), self.n_links + 1, 2))
        points[:, 0, 1] = bases
        np.cumsum(self.lengths * np.cos(angles), axis=1, out=points[:, 1:, 0])
        points[:, 1:, 1] = _run(self.lengths, angles, bases, targets)[0]
        return points[0] if is_one else points

    def loss_and_gradient(self, angles, target, base=0.0):
        """Half the squared error of the end, and its gradient by the angles.

        With (x, y) the end and (u, v) its target, the loss is ((x - u)^2 + (y - v)^2) / 2, and its
        derivative by w_k is l_k ((y - v) cos w_k - (x - u) sin w_k); where the target is a height v
        there is no x - u.

        Parameters
        ----------
        angles : array-like (n,) or (N, n)
            In radians.
        target, base
            As in `solve`.

        Returns
        -------
        loss : float or ndarray (N,)
        gradient : ndarray (n,) or (N, n)

        Raises
        ------
        TypeError, ValueError
            An argument has another shape, or is not finite.

        Examples
        --------
        >>> import fastnet as fn
        >>> fn.PlanarArm((1, 2)).loss_and_gradient([0, 0], target=-1)
        (0.5, array([1., 2.]))
        """
        angles, bases, targets, is_one = self._arms(angles, target, base)
        end = _run(self.lengths, angles, bases, targets)[0][:, -1]
        sideways, upwards = self.lengths * np.cos(angles), self.lengths * np.sin(angles)
        if targets.ndim == 1:
            v = end - targets
            loss, gradient = 0.5 * v * v, v[:, np.newaxis] * sideways
        else:
            u, v = sideways.sum(axis=1) - targets[:, 0], end - targets[:, 1]
            loss = 0.5 * (u * u + v * v)
            gradient = v[:, np.newaxis] * sideways - u[:, np.newaxis] * upwards
        return (float(loss[0]), gradient[0]) if is_one else (loss, gradient)

    def solve(self, angles, target=None, base=0.0, learning_rate=0.075, epochs=20, tolerance=None,
              record=False, limits=None, n_threads=1):  # fmt: skip
        """Turn the links by gradient descent until the end is at its target.

        An epoch is ``w_k <- w_k - learning_rate dE/dw_k`` for all links at once, with the loss E of
        `loss_and_gradient`; with limits each angle is then moved to the nearest one that is allowed
        (projected gradient).

        Parameters
        ----------
        angles : array-like (n,) or (N, n)
            To start from, in radians: one arm, or N of them.
        target : None, float, (x, y) or array-like (N,) or (N, 2)
            Height that the end of the last link should have; None is that of the base.  A tuple of
            two numbers is a point in the plane, as is each row of an array (N, 2); all else are
            heights, one or N.
        base : float or array-like (N,)
            Height of the base, whose x is 0.
        learning_rate : float
            Above 0.  Near its target an arm comes to rest where it is below ``2 / sum l_k^2``.
        epochs : int
            0 or more; at most, where there is a tolerance.
        tolerance : float, optional
            An arm rests as soon as ``|error|`` is no larger, and needs no more epochs.
        record : bool
            Whether to keep the angles after each epoch.
        limits : (lower, upper) or array-like (n, 2), optional
            Least and largest angle.  A tuple of two has a number, or n numbers, for each side; all
            else is a row a link, or one for all.  Infinity is no limit.  A start beyond them
            begins at the limit.
        n_threads : int
            Threads for many arms; the numbers do not depend on it.

        Returns
        -------
        ArmSolution
            Of many arms where angles or base or target are many: one of them serves all.

        Raises
        ------
        TypeError, ValueError
            An argument has another shape, is not finite or outside of its range.

        Notes
        -----
        This is the Jacobian transpose method (Wolovich & Elliott, "A computational technique for
        inverse kinematics", 1984) with a constant step.  An arm moves little where all of its links
        point to the target or away from it, and not at all where they do so exactly; then ``error``
        is what is left, while ``gradient`` is zero.  Beyond its reach it ends stretched out, with
        ``reachable`` false.

        A million arms of three links take 20 epochs in a fraction of a second.  An arm gets the
        same bits alone and among others.

        Examples
        --------
        >>> import numpy as np, fastnet as fn
        >>> arm = fn.PlanarArm((1, 1, 1))
        >>> start = np.radians([22, -20, 14])
        >>> r = arm.solve(start, target=1.5, epochs=1000, tolerance=1e-6)
        >>> r.converged, bool(abs(r.pose[-1] - 1.5) <= 1e-6)
        (True, True)
        >>> r = arm.solve(start, target=(1, 2), epochs=1000, tolerance=1e-6)
        >>> arm.positions(r.angles)[-1].round(5)
        array([1., 2.])
        >>> r = arm.solve(start, target=4, epochs=300)
        >>> r.reachable, r.pose.round(6)
        (False, array([1., 2., 3.]))
        """
        start, bases, targets, is_one = self._arms(angles, target, base)
        rate = number(learning_rate, "learning_rate", 0, math.inf, "(0, inf)")
        epochs = checked_int(epochs, "epochs", 0, MOST_EPOCHS)
        least = -1.0
        if tolerance is not None:
            least = number(tolerance, "tolerance", 0, math.inf, "[0, inf)")
        bounds = None if limits is None else checked_limits(limits, self.n_links)
        if bounds is not None:
            start = np.clip(start, *bounds)
        ends = start.copy()
        path = None
        if record:
            path = np.empty((epochs + 1, *start.shape))
            path[0] = start
            start = path[0]
        elif bounds is None:
            start = start.copy()  # the caller may change his
        pose, error, counts = _run(
            self.lengths, ends, bases, targets, epochs, rate, least, bounds, path, n_threads
        )
        close = CLOSE if tolerance is None else least
        base, target = _one(bases), _one(targets)
        reachable = can_reach(self.lengths, self.reach, base, target, bounds)
        if is_one:
            error = float(error[0])
            return ArmSolution(
                ends[0], pose[0], error, int(counts[0]), abs(error) <= close, bool(reachable),
                None if path is None else path[:, 0], start[0], target, base, self.lengths,
            )  # fmt: skip
        if np.ndim(reachable) == 0:
            reachable = np.full(len(ends), reachable)
        return ArmSolution(
            ends, pose, error, counts.astype(np.int64), np.abs(error) <= close, reachable, path,
            start, target, base, self.lengths,
        )  # fmt: skip

    def plot(self, result, **options):
        """Draw the start of a solution in red and its end in green; see `fastnet.plot.arm`.

        Needs matplotlib (extra ``plot``).

        Parameters
        ----------
        result : ArmSolution
        **options
            Of `fastnet.plot.arm`, such as ``ax``.

        Returns
        -------
        matplotlib.axes.Axes
        """
        import fastnet.plot

        return fastnet.plot.arm(self, result, **options)

    def _arms(self, angles, target, base):
        """(angles (N, n), bases (1,) or (N,), targets (1,), (N,), (1, 2) or (N, 2), is one arm)."""
        n = self.n_links
        angles = finite_array(angles, "angles")
        if angles.ndim not in (1, 2) or angles.shape[-1] != n:
            raise ValueError(
                f"angles must have shape ({n},) or (n_arms, {n}), one for each link, "
                f"got {angles.shape}"
            )
        bases = finite_array(base, "base")
        if bases.ndim > 1:
            raise ValueError(
                f"base must be a number, or have shape (n_arms,), got shape {bases.shape}"
            )
        targets = bases if target is None else finite_array(target, "target")
        is_point = isinstance(target, tuple) and targets.shape == (2,)
        if targets.ndim > 2 or (targets.ndim == 2 and targets.shape[1] != 2):
            raise ValueError(
                "target must be a height, a tuple (x, y), or an array of shape (n_arms,) or "
                f"(n_arms, 2), got shape {targets.shape}"
            )
        counts = {}
        if angles.ndim == 2:
            counts["angles"] = len(angles)
        if bases.ndim == 1:
            counts["base"] = len(bases)
        if targets.ndim and not is_point:
            counts["target"] = len(targets)
        n_arms = 1
        for name, count in counts.items():
            if n_arms == 1:
                n_arms = count
            elif count not in (1, n_arms):
                raise ValueError(
                    f"{name} must have 1 or {n_arms} rows, one for each arm, got {count}"
                )
        angles = angles.reshape(-1, n)
        if len(angles) != n_arms:
            angles = np.ascontiguousarray(np.broadcast_to(angles, (n_arms, n)))
        targets = targets.reshape(-1, 2) if is_point or targets.ndim == 2 else targets.reshape(-1)
        return angles, bases.reshape(-1), targets, not counts


def _one(values):
    """The only one of them, or all."""
    if len(values) != 1:
        return values
    return tuple(values[0].tolist()) if values.ndim == 2 else float(values[0])


def _run(lengths, angles, bases, targets, epochs=0, rate=1.0, least=-1.0, bounds=None, path=None,
         n_threads=1):  # fmt: skip
    """(pose, errors, numbers of epochs) of arms that take their epochs; angles are changed."""
    n_arms = len(angles)
    pose, errors, counts = np.empty(angles.shape), np.empty(n_arms), np.zeros(n_arms)
    arrays = lengths, bases, targets, bounds, angles, pose, errors, counts, path
    settings = (
        n_arms, len(lengths), len(bases) != 1, len(targets) != 1, targets.ndim == 2, epochs, rate,
        least,
    )  # fmt: skip
    operations = SINE_OPERATIONS * len(lengths) * (epochs + 1)
    chunks = cut_rows(n_arms, operations, n_threads, CHUNK_ARMS)
    if len(chunks) <= 1:
        descend(arrays, *settings, 0, n_arms)
    else:
        run_chunks(lambda first, last: descend(arrays, *settings, first, last), chunks, n_threads)
    return pose, errors, counts
