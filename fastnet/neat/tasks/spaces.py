"""Observations as inputs of networks, and outputs of networks as actions.

The spaces are those of gymnasium, which is imported by whoever makes one.
"""

import numpy as np

__all__ = ["Actions", "Observations", "range_of"]

# Of the activations whose values have one; all others take every number, or every one above 0.
_RANGES = {
    **dict.fromkeys(
        ("sigmoid", "steep_sigmoid", "elliot", "hard_sigmoid", "softmax", "gaussian", "step"),
        (0.0, 1.0)),
    **dict.fromkeys(("tanh", "softsign", "hard_tanh", "sin"), (-1.0, 1.0)),
}  # fmt: skip
_UNBOUNDED = (-np.inf, np.inf)


def range_of(activation):
    """Least and largest value of an activation; infinite unless both bounds are finite.

    Parameters
    ----------
    activation : str or other object
        A name of `fastnet.activations`; of anything else nothing is known.
    """
    return _RANGES.get(activation, _UNBOUNDED) if isinstance(activation, str) else _UNBOUNDED


def _refuse(space, what):
    raise ValueError(
        f"the {what} space must be Box, Discrete, MultiDiscrete, MultiBinary, or a Tuple or Dict "
        f"of these, got {space}")


def _parts(space):
    """The spaces that a Tuple or Dict holds, or None for another space."""
    from gymnasium import spaces

    if isinstance(space, spaces.Tuple):
        return list(space.spaces)
    if isinstance(space, spaces.Dict):
        return list(space.spaces.values())
    return None


def _check(space, what):
    """ValueError unless numbers alone, as many every time, make up the space."""
    from gymnasium import spaces

    parts = _parts(space)
    if parts is not None:
        for part in parts:
            _check(part, what)
    elif not isinstance(
            space, (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)):
        _refuse(space, what)


class Observations:
    """How the observations of a space become rows of numbers.

    Box: its numbers as they are.  Discrete and MultiDiscrete: one-hot.  MultiBinary: 0 and 1.
    Tuple and Dict: their parts, one behind the other.

    Parameters
    ----------
    space : gymnasium.Space

    Attributes
    ----------
    n : int
        Numbers of a row.

    Raises
    ------
    ValueError
        The space is another one or has nothing in it.
    """

    def __init__(self, space):
        from gymnasium import spaces
        from gymnasium.spaces.utils import flatdim, flatten

        _check(space, "observation")
        self.space = space
        self.n = int(flatdim(space))
        if self.n == 0:
            raise ValueError(f"the observation space has no numbers in it: {space}")
        self._flatten = flatten
        self.is_box = isinstance(space, spaces.Box)
        self.is_discrete = isinstance(space, spaces.Discrete)

    def fill(self, row, observation):
        """Write an observation into a row, (n,) float64.

        Raises
        ------
        TypeError, ValueError
            It is not of the space: no real numbers, another number of them, an integer out of
            range.
        """
        if self.is_box:
            values = np.asarray(observation)
            if values.dtype.kind not in "buif":
                raise TypeError(
                    f"the observation must hold real numbers, got dtype {values.dtype}: the space "
                    f"is {self.space}")
            if values.size != self.n:
                raise ValueError(
                    f"the observation has shape {values.shape}, the space is {self.space}")
            row[:] = values.reshape(-1)
        elif self.is_discrete:
            value = np.asarray(observation)
            if value.dtype.kind in "buif" and value.size == 1:
                index = value.item() - int(self.space.start)
                if 0 <= index < self.n and index % 1 == 0:
                    row[:] = 0.0
                    row[int(index)] = 1.0
                    return
            raise ValueError(f"the observation is {observation!r}, the space is {self.space}")
        else:
            try:
                row[:] = self._flatten(self.space, observation)
            except (IndexError, KeyError, TypeError, ValueError) as error:
                raise ValueError(
                    f"the observation is {observation!r}, the space is {self.space}") from error

    def fill_rows(self, rows, observations, space):
        """Write what a vector environment observed, whose space is ``space``, into its rows."""
        if self.is_box:
            rows[:] = np.asarray(observations).reshape(len(rows), self.n)
            return
        from gymnasium.vector.utils import iterate

        for row, observation in zip(rows, iterate(space, observations), strict=True):
            self.fill(row, observation)


class Actions:
    """How the outputs of networks become actions.

    Discrete: an output for each action, the largest wins, the first of equal ones.  MultiDiscrete:
    the same for each of its numbers.  MultiBinary: 1 where an output is above the middle of its
    range (0 where it has none).  Box: an output for each number, scaled from its range to that of
    the number; where one of the two has no bounds, the output itself, clipped to the bounds.
    Integers are rounded.  Tuple and Dict: their parts, one behind the other.

    Parameters
    ----------
    space : gymnasium.Space

    Attributes
    ----------
    n : int
        Outputs.
    needs_ranges : bool
        Whether the ranges of the outputs make a difference.

    Raises
    ------
    ValueError
        The space is another one or has nothing in it.
    """

    def __init__(self, space):
        _check(space, "action")
        self.space = space
        self.n, self.needs_ranges, self._decode = _decoder(space)
        if self.n == 0:
            raise ValueError(f"the action space has no numbers in it: {space}")

    def decode(self, outputs, low, high):
        """The actions of many rows.

        Parameters
        ----------
        outputs, low, high : ndarray (n_rows, n)
            Outputs and the bounds of their ranges, infinite where there are none.

        Returns
        -------
        ndarray or list
            One action a row: arrays (n_rows, ...) but for Tuple and Dict.
        """
        return self._decode(outputs, low, high)


def _decoder(space):
    """Number of outputs, whether their ranges are needed, and the function behind `decode`."""
    from gymnasium import spaces

    parts = _parts(space)
    if parts is not None:
        return _decoder_of_parts(space, parts)
    if isinstance(space, spaces.Discrete):
        start, dtype = int(space.start), space.dtype
        return int(space.n), False, lambda y, low, high: (y.argmax(axis=1) + start).astype(dtype)
    if isinstance(space, spaces.MultiDiscrete):
        return _decoder_of_choices(space)
    if isinstance(space, spaces.MultiBinary):

        def switch(y, low, high):
            has_range = np.isfinite(low) & np.isfinite(high)
            middle = np.where(has_range, low, 0.0) / 2 + np.where(has_range, high, 0.0) / 2
            return (y > middle).astype(space.dtype).reshape(-1, *space.shape)

        return int(np.prod(space.shape)), True, switch
    return _decoder_of_box(space)


def _decoder_of_choices(space):
    sizes = [int(size) for size in space.nvec.ravel()]
    ends = np.cumsum(sizes).tolist()

    def choose(y, low, high):
        picked = [y[:, end - size : end].argmax(axis=1)
                  for size, end in zip(sizes, ends, strict=True)]  # fmt: skip
        picked = np.stack(picked, axis=1).reshape(-1, *space.shape)
        return (picked + space.start).astype(space.dtype)

    return sum(sizes), False, choose


def _decoder_of_box(space):
    least = space.low.astype(np.float64).ravel()
    most = space.high.astype(np.float64).ravel()
    is_bounded = np.isfinite(least) & np.isfinite(most)
    # A bound that is infinite makes no NaN in what np.where throws away
    bottom, top = np.where(is_bounded, least, 0.0), np.where(is_bounded, most, 0.0)
    is_integer = np.issubdtype(space.dtype, np.integer)

    # an output that has no bounds may be infinite: what comes of it is thrown away or clipped
    @np.errstate(invalid="ignore", over="ignore")
    def scale(y, low, high):
        has_range = np.isfinite(low) & np.isfinite(high)
        below = np.where(has_range, low, 0.0)
        share = (y - below) / np.where(has_range, high - below, 1.0)
        values = np.where(has_range & is_bounded, bottom * (1.0 - share) + top * share, y)
        if is_integer:
            values = np.rint(values)
        values = np.clip(values, least, most)
        if space.dtype != np.float64:
            # Bounds that float32 does not have would be passed in rounding
            values = np.clip(values.astype(space.dtype), space.low.ravel(), space.high.ravel())
        return values.reshape(-1, *space.shape)

    return least.size, True, scale


def _decoder_of_parts(space, parts):
    from gymnasium import spaces

    decoders = [_decoder(part) for part in parts]
    ends = np.cumsum([n for n, _, _ in decoders]).tolist()

    def join(y, low, high):
        columns = []
        for (n, _, decode), end in zip(decoders, ends, strict=True):
            chosen = slice(end - n, end)
            columns.append(decode(y[:, chosen], low[:, chosen], high[:, chosen]))
        if isinstance(space, spaces.Dict):
            names = list(space.spaces)
            return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
        return list(zip(*columns, strict=True))

    return sum(n for n, _, _ in decoders), any(needs for _, needs, _ in decoders), join
