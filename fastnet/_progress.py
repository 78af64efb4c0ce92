"""One line of progress: tqdm's where it is installed, else our own."""

import contextlib
import shutil
import sys
import time

INTERVAL = 0.1  # seconds between two rewrites of the line: slower is dull, faster costs time


class Progress:
    """Shows how far a loop is, and its latest figures, on one line.

    A terminal or a notebook sees the line change; any other stream, such as a log file, gets only
    the last one.  No more than `INTERVAL` passes between two rewrites, whatever the pace of
    `update`.

    Parameters
    ----------
    total : int
        Steps of the loop.
    enabled : bool
        Nothing is shown where this is false.
    stream : text file, optional
        Standard error by default.

    Examples
    --------
    >>> import sys
    >>> with Progress(2, True, stream=sys.stdout) as line:
    ...     line.update(loss=0.5)
    ...     line.update(loss=0.25)  # doctest: +ELLIPSIS
    2/2 [...s] loss=0.25
    """

    def __init__(self, total, enabled=True, stream=None):
        self._line = None
        if enabled:
            stream = sys.stderr if stream is None else stream
            self._line = make_line(total, stream)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self._line is not None:
            self._line.close()

    def update(self, n=1, **figures):
        """Note ``n`` more steps and the latest figures, such as ``loss=0.25``."""
        if self._line is not None:
            self._line.update(n, figures)


def make_line(total, stream):
    if stream is None:  # no standard error, as under pythonw
        return None
    if not is_live(stream):
        return Line(total, stream, live=False)
    try:
        from tqdm import tqdm
    except ImportError:
        return Line(total, stream, live=True)
    return TqdmLine(tqdm(total=total, file=stream, mininterval=INTERVAL, dynamic_ncols=True))


def is_live(stream):
    """Whether the stream shows a rewritten line as one line."""
    if type(stream).__module__.startswith("ipykernel."):
        return True
    with contextlib.suppress(AttributeError, ValueError):
        return stream.isatty()
    return False


def render(figures):
    return " ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in figures.items()
    )


class TqdmLine:
    """The line of tqdm, which does its own throttling."""

    def __init__(self, bar):
        self.bar = bar

    def update(self, n, figures):
        if figures:
            self.bar.set_postfix_str(render(figures), refresh=False)
        self.bar.update(n)

    def close(self):
        self.bar.close()


class Line:
    """Our own line: ``12/40 [1.3s] loss=0.25``."""

    def __init__(self, total, stream, live):
        self.total = total
        self.stream = stream
        self.live = live
        self.n = 0
        self.figures = {}
        self.started = time.monotonic()
        self.shown = self.started
        self.width = 0

    def update(self, n, figures):
        self.n += n
        self.figures.update(figures)
        if self.live and time.monotonic() - self.shown >= INTERVAL:
            self.shown = time.monotonic()
            self.write()

    def close(self):
        self.write("\n")

    def write(self, end=""):
        seconds = time.monotonic() - self.started
        text = f"{self.n}/{self.total} [{seconds:.1f}s] {render(self.figures)}".rstrip()
        if self.live:
            # A line that wraps could not be rewritten
            text = text[: shutil.get_terminal_size().columns - 1]
            text, self.width = "\r" + text.ljust(self.width), len(text)
        self.stream.write(text + end)
        self.stream.flush()
