"""What holds for all pictures: where they are drawn, matplotlib missing, their examples."""

import doctest
import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import fastnet as fn
from fastnet import neat

FUNCTIONS = ("activation", "arm", "descent", "genome", "history", "network", "species")


def evolved():
    record = neat.Population(neat.Config(2, 1, population_size=10), seed=0)
    record.run(lambda network: 1.0, generations=3, target=float("inf"))
    return record.history


ARM = SimpleNamespace(lengths=np.ones(2))
SOLVED = SimpleNamespace(angles=np.zeros(2), path=np.ones((2, 2)), pose=np.zeros(2), error=0.0)
ARGUMENTS = {
    "activation": ("tanh",),
    "arm": (ARM, SOLVED),
    "descent": (abs, SimpleNamespace(path=[3.0, 2.0, 1.0])),
    "genome": (neat.Genome(neat.Config(2, 1), rng=0),),
    "history": (SimpleNamespace(loss=[2.0, 1.0], validation_loss=[], metrics={}),),
    "network": (fn.Network([2, 2, 1], seed=0),),
    "species": (evolved(),),
}


@pytest.fixture(params=FUNCTIONS)
def draw(request):
    """A call of each function, with what it must have."""
    return lambda **options: getattr(fn.plot, request.param)(*ARGUMENTS[request.param], **options)


def run(code):
    # also where fastnet is built in place and the current folder is another one
    environment = os.environ | {"PYTHONPATH": str(Path(fn.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True,
        text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_names():
    assert sorted(fn.plot.__all__) == sorted(FUNCTIONS)


def test_draws_into_the_axes_that_are_given(draw, ax):
    from matplotlib import pyplot

    assert draw(ax=ax) is ax
    assert ax.has_data()
    ax.figure.canvas.draw()
    assert pyplot.get_fignums() == []


def test_a_figure_belongs_to_the_caller_alone(draw, no_pyplot):
    """Where nobody uses pyplot it is not even imported."""
    ax = draw()
    assert "matplotlib.pyplot" not in sys.modules
    assert ax.has_data()
    assert ax.figure.canvas.manager is None


def test_a_figure_is_one_of_pyplot_where_that_is_used(draw):
    """So that notebooks and plt.show() show it, and plt.close() ends it."""
    from matplotlib import pyplot

    ax = draw()
    assert pyplot.gcf() is ax.figure
    assert pyplot.gca() is ax
    pyplot.close()
    assert pyplot.get_fignums() == []


def test_pyplot_is_imported_for_an_interactive_interpreter(no_pyplot, monkeypatch):
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    ax = fn.plot.activation("tanh")
    from matplotlib import pyplot

    assert pyplot.gcf() is ax.figure


def test_is_saved_without_a_screen(draw, no_pyplot, tmp_path):
    draw().figure.savefig(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_all_of_the_picture_is_within_the_figure(draw, no_pyplot):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    ax = draw()
    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    box = ax.get_tightbbox(canvas.get_renderer())
    width, height = ax.figure.bbox.size
    assert box.x0 >= -1
    assert box.y0 >= -1
    assert box.x1 <= width + 1
    assert box.y1 <= height + 1


@pytest.mark.parametrize("wrong", [1, "ax", np.zeros(3)], ids=str)
def test_ax_must_be_axes(draw, wrong):
    with pytest.raises(TypeError, match="ax must be an Axes of matplotlib, got"):
        draw(ax=wrong)


def test_a_subplot_is_drawn_beside_others(draw):
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained")
    left, right = figure.subplots(1, 2)
    assert draw(ax=left) is left
    assert not right.has_data()
    figure.canvas.draw()


def test_without_matplotlib_the_error_says_what_to_install(draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    with pytest.raises(ImportError, match=r'pip install "fastnet\[plot\]"'):
        draw()


def test_matplotlib_is_not_imported_before_something_is_drawn():
    printed = run("import sys, fastnet as fn; print(fn.plot.__name__, 'matplotlib' in sys.modules, "
                  "'fastnet.neat.genome' in sys.modules)")
    assert printed == ["fastnet.plot", "False", "False"]


def test_works_without_matplotlib_until_something_is_drawn():
    printed = run(
        "import sys; sys.modules['matplotlib'] = None\n"
        "from fastnet import *\n"
        "try: plot.activation('tanh')\n"
        "except ImportError as error: print('error', error.name)")
    assert printed == ["error", "matplotlib"]


def test_nothing_stays_open_in_a_program_that_saves_many():
    printed = run(
        "import gc, sys, weakref, fastnet as fn\n"
        "figures = [weakref.ref(fn.plot.activation('tanh').figure) for _ in range(30)]\n"
        "gc.collect()\n"
        "print('matplotlib.pyplot' in sys.modules, sum(f() is not None for f in figures))")
    assert printed == ["False", "0"]


@pytest.mark.parametrize("name", ["", "._activations", "._descents", "._genomes", "._histories",
                                  "._networks"])  # fmt: skip
def test_examples(name):
    module = importlib.import_module(f"fastnet.plot{name}")
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
