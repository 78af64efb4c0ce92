"""The line of progress, with tqdm and without."""

import io
import subprocess
import sys

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
    """A clock that the test moves."""
    now = [100.0]
    monkeypatch.setattr(_progress.time, "monotonic", lambda: now[0])
    return now


def run(stream, steps=3, **figures):
    with Progress(steps, True, stream) as line:
        for _ in range(steps):
            line.update(**figures)


def test_log_file_gets_one_line():
    stream = io.StringIO()
    run(stream, loss=0.123456, accuracy=0.5, best=7)
    assert stream.getvalue().count("\n") == 1
    assert "\r" not in stream.getvalue()
    assert stream.getvalue().startswith("3/3 [")
    assert stream.getvalue().endswith("s] loss=0.1235 accuracy=0.5 best=7\n")


def test_disabled_writes_nothing(capfd):
    stream = Terminal()
    with Progress(3, False, stream) as line:
        line.update(loss=1.0)
    with Progress(3, False) as line:
        line.update(loss=1.0)
    assert stream.getvalue() == ""
    assert capfd.readouterr() == ("", "")


def test_standard_error_is_the_default(capfd):
    with Progress(2) as line:
        line.update(2)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("2/2 [")


def test_no_standard_error(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with Progress(2) as line:
        line.update(loss=1.0)


def test_stream_without_isatty():
    class Stream:
        text = ""

        def write(self, text):
            self.text += text

        def flush(self):
            pass

    stream = Stream()
    run(stream)
    assert stream.text.startswith("3/3 [")


@pytest.mark.usefixtures("without_tqdm")
def test_terminal_sees_one_line_rewritten(clock):
    stream = Terminal()
    with Progress(40, True, stream) as line:
        for k in range(40):
            clock[0] += 1 / 16  # exact
            line.update(loss=1.0 if k < 30 else 0.25, accuracy=k / 40)
    *body, last = stream.getvalue().split("\n")
    assert last == ""
    assert len(body) == 1
    front, *writes = body[0].split("\r")
    assert front == ""
    # every second step is the first after 0.1 s; then the last line again
    assert len(writes) == 21
    assert writes[0].startswith("2/40 [0.1s] loss=1 accuracy=0.025")
    assert writes[-1].startswith("40/40 [2.5s] loss=0.25 accuracy=0.975")


@pytest.mark.usefixtures("without_tqdm")
def test_shorter_line_covers_a_longer_one(clock):
    stream = Terminal()
    with Progress(2, True, stream) as line:
        clock[0] += 1
        line.update(loss=0.123456)
        clock[0] += 1
        line.update(loss=1.0)
    first, second, third = stream.getvalue().rstrip("\n").split("\r")[1:]
    assert len(second) >= len(first.rstrip())
    assert second.rstrip() == third.rstrip() == "2/2 [2.0s] loss=1"


@pytest.mark.usefixtures("without_tqdm")
def test_line_does_not_wrap(monkeypatch, clock):
    monkeypatch.setenv("COLUMNS", "20")
    stream = Terminal()
    with Progress(1, True, stream) as line:
        clock[0] += 1
        line.update(**{f"figure{k}": 0.5 for k in range(10)})
    assert all(len(text) < 20 for text in stream.getvalue().rstrip("\n").split("\r"))


@pytest.mark.usefixtures("without_tqdm")
@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_line_is_ended_by_an_exception(stream):
    stream = stream()

    def interrupted_loop():
        with Progress(5, True, stream) as line:
            line.update(loss=0.5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted_loop()
    assert stream.getvalue().endswith("loss=0.5\n")
    assert "1/5" in stream.getvalue()


def test_tqdm_is_used_where_it_is_installed():
    pytest.importorskip("tqdm")
    stream = Terminal()
    run(stream, steps=7, loss=0.123456)
    text = stream.getvalue()
    assert "7/7" in text
    assert "loss=0.1235" in text
    assert "100%" in text
    assert text.count("\n") == 1
    assert text.endswith("\n")


def test_tqdm_is_not_imported_before_it_is_needed():
    program = (
        "import sys, fastnet._progress as p\n"
        "with p.Progress(3, False) as line: line.update()\n"
        "assert 'tqdm' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
