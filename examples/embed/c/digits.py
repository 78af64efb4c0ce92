"""Learn digits, write the network as a file and as C, and let the module in C score rows."""

from pathlib import Path

import numpy as np
import scorer

import fastnet as fn

DATA = Path(__file__).resolve().parents[2] / "digits.csv.gz"     # see digits.README.md there
N_TRAINING = 1400


def main():
    table = np.loadtxt(DATA, delimiter=",", dtype=np.float32)
    table[:, :64] /= 16
    table = np.random.default_rng(0).permutation(table)
    X, y = table[:N_TRAINING, :64], table[:N_TRAINING, 64].astype(int)
    net = fn.Network([64, 32, 10], hidden="relu", output="softmax", seed=0)
    net.fit(X, y, optimizer=fn.Adam(0.005), epochs=20, seed=0)

    net.save("digits.safetensors")
    Path("digits_network.c").write_text(net.to_c("digits"))
    np.savetxt("rows.csv", table[N_TRAINING:], fmt="%.9g", delimiter=",")

    n_rows = scorer.score(Path("digits.safetensors").read_bytes(), "rows.csv", "scores.csv")
    guesses = np.loadtxt("scores.csv", delimiter=",").argmax(axis=1)
    n_right = np.count_nonzero(guesses == table[N_TRAINING:, 64])
    print(f"by the module: {n_right} of {n_rows} digits right")


if __name__ == "__main__":
    main()
