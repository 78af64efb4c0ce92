"""Without scikit-learn the tests of its estimators are left out."""

import importlib.util

import numpy as np
import pytest

HAS_SKLEARN = importlib.util.find_spec("sklearn") is not None

if not HAS_SKLEARN:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def digits():
    """Images of digits scaled to [0, 1], labels as words, in training and test rows."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    X, y = load_digits(return_X_y=True)
    words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    y = np.array(words)[y]
    return train_test_split(X / 16, y, random_state=0, stratify=y)
