"""Learn to read handwritten digits: 64 pixels in, 10 classes out.

    python examples/digits.py

The data are described in digits.README.md.
"""

import tempfile
from pathlib import Path

import numpy as np

import fastnet as fn

DATA = Path(__file__).parent / "digits.csv.gz"


def load_digits():
    """Training and test rows: pixels from 0 to 1, labels from 0 to 9; a fifth is for the test."""
    table = np.loadtxt(DATA, delimiter=",", dtype=np.float32)
    table = table[np.random.default_rng(0).permutation(len(table))]
    X, y = table[:, :64] / 16, table[:, 64].astype(int)
    n_test = len(y) // 5
    return X[n_test:], y[n_test:], X[:n_test], y[:n_test]


def picture(pixels):
    """A digit as lines of text."""
    ink = np.array(list(" .:-=+*#%@"))
    return ["".join(row) for row in ink[np.rint(pixels * 9).astype(int)].reshape(8, 8).repeat(2, 1)]


def main():
    X_train, y_train, X_test, y_test = load_digits()
    print(f"{len(X_train)} digits to learn from, {len(X_test)} to test with")

    net = fn.Network([64, 64, 10], hidden="relu", output="softmax", seed=0)
    history = net.fit(X_train, y_train, optimizer=fn.Adam(0.005), epochs=20, seed=0, progress=True)
    accuracy = net.evaluate(X_test, y_test, metrics=["accuracy"])["accuracy"]
    print(f"trained in {1000 * history.seconds:.1f} ms; test accuracy {100 * accuracy:.1f} %")

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digits.safetensors"
        net.save(path)
        again = fn.load(path)
    same = np.array_equal(again(X_test), net(X_test))
    print(f"saved and loaded again: {'the same' if same else 'OTHER'} predictions\n")

    probabilities = again.predict(X_test[:2])
    for left, right in zip(picture(X_test[0]), picture(X_test[1]), strict=True):
        print(f"    {left}    {right}")
    for row, label in zip(probabilities, y_test, strict=False):
        guess = row.argmax()
        print(f"    a {guess} ({100 * row[guess]:.0f} % sure; it is a {label})", end="")
    print()
    return accuracy


if __name__ == "__main__":
    main()
