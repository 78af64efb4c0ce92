"""Fixtures for tests of pictures: nothing may stay open, and no setting may change."""

import importlib.util
import sys

import pytest

if importlib.util.find_spec("matplotlib") is None:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(autouse=True)
def untouched():
    """No picture changes settings of matplotlib, and none shows or keeps a figure."""
    import matplotlib
    from matplotlib import pyplot

    pyplot.switch_backend("agg")
    settings = matplotlib.rcParams.copy()
    assert pyplot.get_fignums() == []
    yield
    pyplot.close("all")
    assert matplotlib.rcParams == settings


@pytest.fixture
def no_pyplot(monkeypatch):
    """As in a program that does not use it."""
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)


@pytest.fixture
def ax():
    """Axes of the caller."""
    from matplotlib.figure import Figure

    return Figure(figsize=(6, 4)).subplots()


@pytest.fixture
def lightness():
    """lightness(color): L* of CIELAB, 0 (black) to 100 (white), by its definition."""
    from matplotlib.colors import to_rgb

    def of(color):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
                  for c in to_rgb(color)]
        y = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        return 116 * y ** (1 / 3) - 16 if y > (6 / 29) ** 3 else y * (29 / 3) ** 3

    return of


@pytest.fixture
def covered():
    """covered(ax): how many points of the lines of the Axes its legend hides, once drawn."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    def count(ax, *others):
        canvas = FigureCanvasAgg(ax.figure)
        canvas.draw()
        box = ax.get_legend().get_window_extent(canvas.get_renderer())
        n = 0
        for axes in (ax, *others):
            for line in axes.lines:
                points = line.get_transform().transform(line.get_xydata())
                points = points[np.isfinite(points).all(axis=1)]
                n += sum(box.contains(x, y) for x, y in points)
        return n

    return count


@pytest.fixture
def entries():
    """entries(ax): the texts of its legend."""
    return lambda ax: [text.get_text() for text in ax.get_legend().get_texts()]
