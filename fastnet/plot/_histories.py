"""What happened over epochs or generations: training, evolution, sizes of species."""

import numpy as np

from fastnet.plot._figures import SERIES, checked_ax, legend, new_axes, tidy

# Beyond this ratio of the largest to the smallest loss, what is small needs a logarithmic axis.
MOST_LINEAR = 30.0
# Points of a line that still have a marker each.
MOST_MARKED = 30
# A band has a label where it has at least this share of the height.
LABELED = 0.045
# Dark ones, with white labels, and light ones with black labels, so that neighbors differ.
BANDS = ("#1f4e8c", "#a9cbe6", "#5d7f3a", "#f2d28a", "#7a3d6e", "#9fd3c7", "#a8552b", "#cfc3e2")


def history(history, *, log=None, ax=None):
    """Training by epochs, or evolution by generations.

    Parameters
    ----------
    history : fastnet.History or a history of evolution
        Of `Network.fit`: loss, validation loss, and metrics on an axis at the right.  Of
        `neat.Population` or `GeneticAlgorithm`: best and mean fitness, with a band of one standard
        deviation around the mean.  Also what has it as its ``history``: a network, a population, a
        result.
    log : bool, optional
        Whether losses stand on a logarithmic axis; by default where the largest is more than 30
        times the smallest and all are positive.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        That of the losses or of the fitness.

    Raises
    ------
    ValueError
        An empty history, or one without a finite figure.
    TypeError
        Something that is no history.

    Examples
    --------
    >>> import fastnet as fn
    >>> net = fn.Network([1, 4, 1], seed=0)
    >>> trained = net.fit([[0], [1]], [1, 0], epochs=30, metrics=["r2"])
    >>> ax = fn.plot.history(trained)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['loss', 'r2']
    """
    checked_ax(ax)
    history = _history_of(history)
    if hasattr(history, "generation"):
        return _evolution(history, log, ax)
    if not hasattr(history, "loss"):
        raise TypeError(
            "history must be that of a fit or of an evolution, or what has one, got "
            f"{type(history).__name__}")
    return _training(history, log, ax)


def _history_of(owner):
    history = getattr(owner, "history", owner)
    if history is None:
        raise ValueError(
            f"history must have at least one epoch, but this {type(owner).__name__} has not been "
            "fitted")
    return history


def _training(history, log, ax):
    losses = {"loss": _figures(history.loss, "history.loss")}
    if len(history.validation_loss):
        losses["validation loss"] = _figures(history.validation_loss, "history.validation_loss")
    metrics = {
        name: _figures(values, f"history.metrics[{name!r}]")
        for name, values in history.metrics.items() if len(values)}
    if log is None:
        all_values = np.concatenate([values[np.isfinite(values)] for values in losses.values()])
        log = bool(all_values.min() > 0 and all_values.max() > MOST_LINEAR * all_values.min())

    if ax is None:
        ax = new_axes()
    tidy(ax)
    styles = iter(SERIES * (1 + (len(losses) + len(metrics)) // len(SERIES)))
    lines = [_line(ax, np.arange(1, len(values) + 1), values, name, next(styles))
             for name, values in losses.items()]
    ax.set(xlabel="epoch", ylabel="loss")
    if log:
        ax.set_yscale("log")
    _whole_numbers(ax)
    others = []
    if metrics:
        front = ax.twinx()
        others.append(front)
        front.spines[["top"]].set_visible(False)
        if len(losses) == 1:
            # the second style is that of validation losses
            next(styles)
        lines += [
            _line(front, np.arange(1, len(values) + 1), values, name, next(styles), hollow=True)
            for name, values in metrics.items()]
        front.set_ylabel(next(iter(metrics)) if len(metrics) == 1 else "metrics")
    legend(ax, lines, *others)
    return ax


def _evolution(history, log, ax):
    best = _figures(history.best, "history.best")
    mean, std = np.asarray(history.mean), np.asarray(history.std)
    generations = np.asarray(history.generation)
    if log:
        raise ValueError("log must be None or False for a history of evolution: fitness may be "
                         "of any sign")

    if ax is None:
        ax = new_axes()
    tidy(ax)
    low, high = mean - std, mean + std
    band = ax.fill_between(generations, low, high, color=SERIES[1][0], alpha=0.22, linewidth=0,
                           label="standard deviation")
    lines = [_line(ax, generations, values, label, style)
             for values, label, style in ((best, "best", SERIES[0]), (mean, "mean", SERIES[1]))]
    ax.set(xlabel="generation", ylabel="fitness")
    _whole_numbers(ax)
    heights = np.linspace(low, high, 12)
    legend(ax, [*lines, band],
           points=np.stack(np.broadcast_arrays(generations, heights), axis=-1))
    return ax


def species(history, *, ax=None):
    """Sizes of the species over the generations, stacked.

    Parameters
    ----------
    history : fastnet.neat history, or what has it as its ``history``
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        With one polygon for each species, oldest at the bottom; where a band is wide enough, the
        id of the species stands in it.

    Raises
    ------
    ValueError
        An empty history.
    TypeError
        A history without species, as of a genetic algorithm.

    Examples
    --------
    >>> import fastnet as fn
    >>> task = fn.neat.tasks.XOR()
    >>> population = fn.neat.Population(task.config(), seed=0)
    >>> result = population.run(task, generations=10)
    >>> ax = fn.plot.species(result.history)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('generation', 'genomes by species')
    """
    checked_ax(ax)
    history = _history_of(history)
    if not hasattr(history, "sizes"):
        raise TypeError(
            f"history must be that of a neat.Population, which has species, got "
            f"{type(history).__name__}")
    records = list(history)
    if not records:
        raise ValueError("history must have at least one generation, got none")
    generations = np.array([record.generation for record in records], np.float64)
    ids = sorted({id_ for record in records for id_ in record.species})
    row = {id_: k for k, id_ in enumerate(ids)}
    sizes = np.zeros((len(ids), len(records)))
    for k, record in enumerate(records):
        sizes[[row[id_] for id_ in record.species], k] = record.sizes

    if ax is None:
        ax = new_axes()
    colors = _colors(records, row)
    if len(records) == 1:
        # a stack over one generation would have no width
        generations, sizes = generations + np.array([-0.5, 0, 0.5]), sizes.repeat(3, axis=1)
    tops = np.cumsum(sizes, axis=0)
    tallest = tops[-1].max()
    for k, id_ in enumerate(ids):
        alive = np.flatnonzero(sizes[k])
        span = slice(max(alive[0] - 1, 0), alive[-1] + 2)
        ax.fill_between(
            generations[span], (tops - sizes)[k, span], tops[k, span], facecolor=colors[k],
            edgecolor="white", linewidth=0.5, label=f"species {id_}")
        place = _label_place((tops - sizes)[k] / tallest, tops[k] / tallest)
        if place is not None:
            ax.text(generations[place[0]], place[1] * tallest, str(id_), ha="center", va="center",
                    fontsize="small", clip_on=True,
                    color="white" if colors[k] in BANDS[::2] else "black")
    ax.set(xlim=(generations[0], generations[-1]), ylim=(0, tallest), xlabel="generation",
           ylabel="genomes by species")
    _whole_numbers(ax)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _colors(records, row):
    """A color for each species that differs from those of its neighbors in the stack."""
    touching = [{} for _ in row]
    for record in records:
        alive = sorted(row[id_] for id_ in record.species)
        for apart in (1, 2):
            for older, younger in zip(alive, alive[apart:], strict=False):
                near = touching[younger].setdefault(older, [0, 0])
                near[apart - 1] += 1
    n = len(BANDS)
    chosen = []
    for k, neighbors in enumerate(touching):
        cost = [0] * n
        for other, (next_to, nearly) in neighbors.items():
            # as dark or as light as a neighbor is bad, its very color is worse
            for c in range(chosen[other] % 2, n, 2):
                cost[c] += next_to
            cost[chosen[other]] += 4 * next_to + nearly
        chosen.append(min(range(n), key=lambda c, k=k, cost=cost: (cost[c], (c - k) % n)))
    return [BANDS[c] for c in chosen]


def _figures(values, name):
    """One number an epoch or generation, NaN where it is not finite."""
    values = np.array(values, np.float64)
    if not len(values):
        raise ValueError(f"{name} must have at least one figure, got none")
    values[~np.isfinite(values)] = np.nan
    if np.isnan(values).all():
        raise ValueError(f"{name} must have at least one finite figure, got none")
    return values


def _line(ax, x, values, label, style, hollow=False):
    """A line with markers, if these can be told apart; hollow ones leave visible what is below."""
    color, dashes, marker = style
    look = {"markersize": 8, "markerfacecolor": "none"} if hollow else {"markersize": 5}
    return ax.plot(x, values, color=color, linestyle=dashes, linewidth=2, label=label,
                   marker=marker if len(values) <= MOST_MARKED else None, **look)[0]


def _whole_numbers(ax):
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))


def _label_place(bottom, top):
    """Index of the generation and height where the label of a band has most room, or None."""
    # it takes some generations at both sides, in which the band may climb
    half = max(len(top) // 40, 1 if len(top) > 2 else 0)
    windows = np.lib.stride_tricks.sliding_window_view
    low, high = (windows(bottom, 2 * half + 1).max(axis=1), windows(top, 2 * half + 1).min(axis=1))
    best = int((high - low).argmax())
    if high[best] - low[best] < LABELED:
        return None
    return best + half, (low[best] + high[best]) / 2
