"""The progress line, with tqdm and without."""

import io
import sys
import threading

import pytest

from fastnet import _progress
from fastnet._progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def without_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is told to go on."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(_progress, "time", clock)
    return clock


def pictures(stream):
    """What stood on the line, one after the other."""
    text = stream.getvalue()
    assert text.endswith("\n")
    assert text.count("\n") == 1
    return text[:-1].split("\r")[1:]


def test_disabled(monkeypatch, capfd):
    monkeypatch.setattr(_progress, "time", None)  # not even the time is taken
    stream = Terminal()
    with Progress(3, False, stream) as line:
        line.update(loss=1.0)
    with Progress(3, False) as line:
        line.update()
    captured = capfd.readouterr()
    assert stream.getvalue() == captured.out == captured.err == ""


def test_own_line(without_tqdm, clock):
    stream = Terminal()
    with Progress(1000, True, stream) as line:
        for k in range(1000):
            clock.now += 0.001
            line.update(loss=1.0 / (k + 1))
    shown = pictures(stream)
    # one second, at most one picture each tenth of it, and the first and the last
    assert 8 <= len(shown) <= 12
    assert shown[0].split() == ["1/1000", "[00:00]", "loss=1"]
    assert shown[-1].split() == ["1000/1000", "[00:01]", "loss=0.001"]


def test_own_line_leaves_nothing_of_a_longer_one(without_tqdm, clock):
    stream = Terminal()
    with Progress(2, True, stream) as line:
        line.update(loss=0.1234)
        clock.now += 61
        line.update(loss=2.0)
    shown = pictures(stream)
    assert shown[0] == "1/2 [00:00] loss=0.1234"
    assert shown[1] == "2/2 [01:01] loss=2     "


def test_off_a_terminal(clock):
    """A log gets one line, also where tqdm is installed."""
    stream = io.StringIO()
    with Progress(50, True, stream) as line:
        for k in range(50):
            clock.now += 1
            line.update(loss=0.5, epoch=k)
    assert stream.getvalue() == "50/50 [00:50] loss=0.5, epoch=49\n"


def test_own_line_does_not_wrap(without_tqdm, clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    stream = Terminal()
    with Progress(1, True, stream) as line:
        line.update(**{f"figure{k}": 0.5 for k in range(10)})
    assert {len(picture) for picture in pictures(stream)} == {19}


@pytest.mark.parametrize("error", [AttributeError, ValueError])
def test_stream_that_cannot_tell(clock, error):
    class Stream(io.StringIO):
        def isatty(self):
            raise error

    stream = Stream()
    with Progress(1, True, stream) as line:
        line.update()
    assert stream.getvalue() == "1/1 [00:00]\n"


def test_notebook_is_live():
    Stream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})
    stream = Stream()
    with Progress(1, True, stream) as line:
        line.update()
    assert "\r" in stream.getvalue()


def test_steps_of_several(without_tqdm, clock):
    stream = io.StringIO()
    with Progress(50, True, stream) as line:
        line.update(20)
        line.update(n=5)
    assert stream.getvalue() == "25/50 [00:00]\n"


@pytest.mark.parametrize("terminal", [Terminal, io.StringIO])
def test_no_updates(without_tqdm, terminal):
    stream = terminal()
    with Progress(5, True, stream):
        pass
    assert stream.getvalue().strip() == "0/5 [00:00]"


def test_standard_error_of_the_moment(without_tqdm, capsys):
    with Progress(1, True) as line:
        line.update()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "1/1 [00:00]\n"


def test_no_console(without_tqdm, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with Progress(1, True) as line:
        line.update()


def interrupted(stream):
    with Progress(10, True, stream) as line:
        line.update(loss=0.5)
        raise KeyboardInterrupt


def test_an_exception_ends_the_line(without_tqdm):
    stream = Terminal()
    with pytest.raises(KeyboardInterrupt):
        interrupted(stream)
    assert pictures(stream)[-1].startswith("1/10")


def test_tqdm():
    pytest.importorskip("tqdm")
    stream = Terminal()
    threads = threading.active_count()
    with Progress(1000, True, stream) as line:
        for k in range(1000):
            line.update(loss=float(k), accuracy=0.5)
        assert threading.active_count() == threads
    shown = pictures(stream)
    assert "1000/1000" in shown[-1]
    assert "loss=999, accuracy=0.5" in shown[-1]
    assert len(shown) < 100


def test_an_exception_ends_tqdm():
    pytest.importorskip("tqdm")
    stream = Terminal()
    with pytest.raises(KeyboardInterrupt):
        interrupted(stream)
    assert "1/10" in pictures(stream)[-1]
