"""The example of the README: digits are learnt, and the program says so."""

import gzip
import hashlib
import importlib.util
import struct
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def digits():
    spec = importlib.util.spec_from_file_location("fastnet_example_digits", EXAMPLES / "digits.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_digits(digits, capsys):
    assert digits.main() >= 0.97
    captured = capsys.readouterr()
    assert "trained in" in captured.out
    assert "the same predictions" in captured.out
    assert "20/20" in captured.err  # the progress line


def test_split(digits):
    X_train, y_train, X_test, y_test = digits.load_digits()
    assert X_train.shape == (1438, 64)
    assert X_test.shape == (359, 64)
    assert len(y_train) == 1438
    assert len(y_test) == 359
    for X, y in ((X_train, y_train), (X_test, y_test)):
        assert X.dtype == np.float32
        assert X.min() == 0
        assert X.max() == 1
        assert set(y) == set(range(10))


def test_data():
    """The numbers are those of the published set, and the compressed file has no time in it."""
    compressed = (EXAMPLES / "digits.csv.gz").read_bytes()
    assert struct.unpack("<I", compressed[4:8])[0] == 0
    text = gzip.decompress(compressed)
    assert (
        hashlib.sha256(text).hexdigest()
        == "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"
    )
