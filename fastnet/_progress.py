"""One line that tells how far a long call is.

A terminal or a notebook shows tqdm's where it is installed, else our own; any other stream, such
as the file of a log, gets only the last picture of our own.
"""

import contextlib
import shutil
import sys
import time

INTERVAL = 0.1  # seconds between two pictures of the line


def _describe(figures):
    """The figures as "loss=0.25, accuracy=0.9"."""
    return ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in figures.items()
    )


def _is_live(stream):
    """Whether the stream shows a carriage return as such: a terminal or a notebook."""
    if type(stream).__module__.startswith("ipykernel."):
        return True
    with contextlib.suppress(AttributeError, ValueError):  # no such method, or closed
        return bool(stream.isatty())
    return False


class OwnLine:
    """The line without tqdm: carriage returns where they are shown, else only the last picture."""

    def __init__(self, total, stream, is_live):
        self.total = total
        self.stream = stream
        self.done = 0
        self.started = time.monotonic()
        self.is_live = is_live
        self.width = 0

    def show(self, n, figures):
        self.done += n
        if self.is_live:
            self.write(figures, "")

    def close(self, n, figures):
        self.done += n
        self.write(figures, "\n")

    def write(self, figures, end):
        """Write the line over the one before."""
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        text = f"{self.done}/{self.total} [{minutes:02d}:{seconds:02d}]"
        if figures:
            text += f" {_describe(figures)}"
        start = ""
        if self.is_live:
            start = "\r"
            # what a line wraps to cannot be written over
            text = text[: shutil.get_terminal_size().columns - 1]
        self.stream.write(start + text.ljust(self.width) + end)
        self.stream.flush()
        self.width = len(text)


class TqdmLine:
    """The line of tqdm."""

    def __init__(self, tqdm, total, stream):
        class Bar(tqdm):
            monitor_interval = 0  # no thread of its own; with miniters=1 it has no use for one

        self.bar = Bar(total=total, file=stream, mininterval=0, miniters=1, dynamic_ncols=True)

    def show(self, n, figures):
        self.bar.set_postfix_str(_describe(figures), refresh=False)
        self.bar.update(n)

    def close(self, n, figures):
        self.show(n, figures)
        self.bar.close()


def _make_line(total, stream):
    is_live = _is_live(stream)
    if is_live:
        with contextlib.suppress(ImportError):
            from tqdm import tqdm

            return TqdmLine(tqdm, total, stream)
    return OwnLine(total, stream, is_live)


class Progress:
    """A context manager whose `update` moves the line on.

    Parameters
    ----------
    total : int
        Updates to come; fewer may come.
    enabled : bool
        Without it nothing is written or measured.
    stream : text file, optional
        By default standard error as it is when the line begins.

    Examples
    --------
    >>> with Progress(3, enabled=False) as line:
    ...     for loss in (0.5, 0.25, 0.125):
    ...         line.update(loss=loss)
    """

    def __init__(self, total, enabled, stream=None):
        self.total = total
        self.enabled = enabled
        self.stream = stream
        self.line = None

    def __enter__(self):
        stream = sys.stderr if self.stream is None else self.stream
        if self.enabled and stream is not None:  # None: a program without a console
            self.pending = 0
            self.figures = {}
            self.next_picture = time.monotonic()
            self.line = _make_line(self.total, stream)
        return self

    def update(self, n=1, **figures):
        """``n`` more are done; figures such as ``loss=0.25`` stand at the end of the line."""
        if self.line is None:
            return
        self.pending += n
        self.figures = figures
        now = time.monotonic()
        if now >= self.next_picture:
            self.next_picture = now + INTERVAL
            self.line.show(self.pending, figures)
            self.pending = 0

    def __exit__(self, kind, error, traceback):
        line, self.line = self.line, None
        if line is not None:
            line.close(self.pending, self.figures)
