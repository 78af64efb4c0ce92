"""Saving that is killed: the old file or the new one, whole."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import fastnet as fn

SAVER = """
import sys
import fastnet as fn

path = sys.argv[1]
nets = [fn.load(path), fn.load(sys.argv[2])]
print("ready", flush=True)
for k in range(10**9):
    nets[(k + 1) % 2].save(path)
    if k == 0:
        print("first", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
@pytest.mark.parametrize("times", [6, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_while_saving(tmp_path, times):
    """The old file or the new one is there, whole, and nothing takes its leftovers for a model."""
    path, other = tmp_path / "net.safetensors", tmp_path / "other"
    # large enough that writing takes a good part of the time
    nets = [fn.Network([64, width, 8], seed=width) for width in (64, 700)]
    nets[1].save(other)
    nets[0].save(path)
    contents = [path.read_bytes(), other.read_bytes()]
    rng = random.Random(0)
    outcomes, leftovers = [0, 0], 0
    for _ in range(times):
        path.write_bytes(contents[0])
        child = subprocess.Popen(
            [sys.executable, "-c", SAVER, path, other], stdout=subprocess.PIPE, text=True
        )
        with child:
            assert child.stdout.readline() == "ready\n"
            if rng.random() < 0.5:
                assert child.stdout.readline() == "first\n"
            time.sleep(rng.random() * 0.02)
            child.kill()
        assert child.returncode == -signal.SIGKILL
        outcomes[contents.index(path.read_bytes())] += 1
        net = fn.load(path)
        assert any(np.array_equal(net.parameters, other.parameters) for other in nets)
        assert sorted(p.name for p in tmp_path.glob("*.safetensors")) == [path.name]
        for left in set(tmp_path.iterdir()) - {path, other}:
            assert left.name.startswith(".")
            assert left.suffix == ".tmp"
            leftovers += 1
            left.unlink()
    if times == 50:  # then some of the children were caught at work
        assert min(outcomes) > 0
        assert leftovers > 0
