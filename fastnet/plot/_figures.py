"""What all pictures share: where they are drawn, and colors that differ in lightness."""

import sys

import numpy as np

# Lines of a chart, in this order: dark and light in turn, with their line styles and markers.
SERIES = (
    ("#1f4e8c", "-", "o"),
    ("#e0821f", "--", "s"),
    ("#6b2c7d", "-.", "^"),
    ("#45aaba", ":", "D"),
)
# Positive weights dark and solid, negative ones light and dashed.
POSITIVE, NEGATIVE = "#1f5fa8", "#ec8a3a"
# kind of a node: fill and outline; all fills are light enough for dark text
NODES = {
    "input": ("#cfe3cf", "#4f7f4f"),
    "bias": ("#e6e0c8", "#857a48"),
    "hidden": ("#dfe4ea", "#66717d"),
    "output": ("#e6d5ea", "#80588d"),
}
INK = "#20262e"
QUIET = "#8a929b"


def checked_ax(ax):
    """An Axes of matplotlib, or None.

    Raises
    ------
    ImportError
        Where matplotlib is missing.
    TypeError
    """
    try:
        import matplotlib.axes
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "matplotlib":
            raise
        raise ImportError(
            'fn.plot needs matplotlib 3.8 or newer: pip install "fastnet[plot]"',
            name="matplotlib",
        ) from error
    if ax is not None and not isinstance(ax, matplotlib.axes.Axes):
        raise TypeError(f"ax must be an Axes of matplotlib, got {type(ax).__name__}")
    return ax


def new_axes(width=6.4, height=4.4):
    """Axes in a figure of their own, of this size in inches.

    The figure is one of pyplot's where someone uses pyplot, because only those are shown by
    notebooks and by ``plt.show()``.  Where nobody does, it would only stay in memory.
    """
    return _new_figure(width, height, "constrained").add_subplot()


def map_axes(ratio):
    """Axes of this ratio of height to width, with room for a scale at the right.

    A layout that is found by matplotlib does not know the aspect beforehand.
    """
    left, right, bottom, top = 0.8, 1.3, 0.55, 0.2
    width = min(4.6, 5.2 / ratio)
    height = width * ratio
    all_width, all_height = left + width + right, bottom + height + top
    ax = _new_figure(all_width, all_height, None).add_axes(
        (left / all_width, bottom / all_height, width / all_width, height / all_height))
    # in a narrow picture numbers would run into each other
    ax.locator_params(axis="x", nbins=max(int(width / 0.7), 2))
    return ax


def bare_axes(width, height):
    """Axes for what has no scale, all over a figure of this size in inches, within bounds."""
    shrink = min(12.0 / width, 9.0 / height, 1.0)
    figure = _new_figure(max(width * shrink, 2.0), max(height * shrink, 1.5), None)
    return figure.add_axes((0.01, 0.01, 0.98, 0.98))


def _new_figure(width, height, layout):
    if "matplotlib.pyplot" in sys.modules or hasattr(sys, "ps1"):
        from matplotlib.pyplot import figure
    else:
        from matplotlib.figure import Figure as figure
    return figure(figsize=(width, height), layout=layout)


def tidy(ax):
    """The frame of a chart: two sides, and a faint grid behind the data."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.25)
    ax.set_axisbelow(True)


def legend(ax, handles, *others, points=()):
    """A legend in the corner where the lines of these Axes leave most room.

    Where they leave none, the vertical axes are extended.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Gets the legend.
    handles : list of artists
    others : matplotlib.axes.Axes
        That stand at the same place, as twins do.
    points : array-like (n, 2)
        Of data that are no lines.
    """
    every = (*others, ax)
    width, height = _legend_size(ax, handles)
    points = np.concatenate([
        _shares(ax, ax.transData, np.reshape(points, (-1, 2))),
        *(_between(_shares(axes, line.get_transform(), line.get_xydata()))
          for axes in every for line in axes.lines)])
    right, top = 1 - width, 1 - height
    # where they are first when several are free
    places = {
        "upper right": (right, top), "upper left": (0, top), "lower right": (right, 0),
        "lower left": (0, 0), "upper center": (right / 2, top), "lower center": (right / 2, 0),
        "center right": (right, top / 2), "center left": (0, top / 2),
        "center": (right / 2, top / 2),
    }
    n_covered = {
        name: int(np.count_nonzero(
            ((points >= corner) & (points <= np.add(corner, (width, height)))).all(axis=1)))
        for name, corner in places.items()}
    place = min(n_covered, key=n_covered.get)
    if n_covered[place]:
        place = min(("upper right", "upper left"), key=n_covered.get)
        for axes in every:
            low, high = axes.transScale.transform([(1, y) for y in axes.get_ylim()])[:, 1]
            high += (high - low) * height / max(1 - height, 0.5)
            axes.set_ylim(top=axes.transScale.inverted().transform((1, high))[1])
    return ax.legend(handles=handles, loc=place, framealpha=0.85, edgecolor="none",
                     fontsize="small")


def _legend_size(ax, handles):
    """Width and height of a legend as shares of the Axes, by the usual width of letters.

    Half a letter around it is for markers whose middle is beside it.
    """
    from matplotlib.font_manager import FontProperties

    letter = FontProperties(size="small").get_size_in_points()
    longest = max(len(str(handle.get_label())) for handle in handles)
    box = ax.get_window_extent()
    points = 72 / ax.figure.dpi
    return (
        letter * (0.6 * longest + 5.5) / (box.width * points),
        letter * (1.5 * len(handles) + 2.5) / (box.height * points))


def _shares(ax, transform, points):
    """Points as shares of the Axes, those that are finite: (n, 2)."""
    # the limits follow the data only when they are asked for, and the aspect when it is applied
    ax.get_xlim(), ax.get_ylim()
    ax.apply_aspect()
    points = ax.transAxes.inverted().transform(transform.transform(points))
    return points[np.isfinite(points).all(axis=1)]


def _between(points):
    """Points along the segments between points, too, so that a long one is noticed."""
    if len(points) < 2:
        return points
    share = np.linspace(0, 1, max(200 // len(points), 2))[:, None, None]
    return ((1 - share) * points[:-1] + share * points[1:]).reshape(-1, 2)


def shades(first, last, n):
    """Colors from one to the other, in n even steps: (n, 3)."""
    from matplotlib.colors import to_rgb

    share = np.linspace(0, 1, n)[:, None]
    return (1 - share) * to_rgb(first) + share * to_rgb(last)
