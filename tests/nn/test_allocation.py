"""Nothing is allocated in a steady training step and a steady forward call.

A shared library in front of malloc counts; Python's own small objects come from its arenas, which
tracemalloc watches.  Both compare N with 10 N repeats.
"""

import json
import os
import shutil
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import fastnet as fn

COUNTER = """
#include <stddef.h>
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
static long count;
long malloc_count(void) { return __atomic_load_n(&count, __ATOMIC_RELAXED); }
static void add(void) { __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED); }
void *malloc(size_t n) { add(); return __libc_malloc(n); }
void *calloc(size_t m, size_t n) { add(); return __libc_calloc(m, n); }
void *realloc(void *p, size_t n) { add(); return __libc_realloc(p, n); }
void *memalign(size_t a, size_t n) { add(); return __libc_memalign(a, n); }
void *aligned_alloc(size_t a, size_t n) { add(); return __libc_memalign(a, n); }
int posix_memalign(void **p, size_t a, size_t n) {
    add();
    *p = __libc_memalign(a, n);
    return *p ? 0 : 12;
}
"""

SCRIPT = """
import ctypes, json, os, sys
import numpy as np
import fastnet as fn

count = ctypes.CDLL(None).malloc_count
count.restype = ctypes.c_long
sizes, dtype = json.loads(sys.argv[1])
rng = np.random.default_rng(0)
net = fn.Network(sizes, hidden="tanh", output="softmax", dtype=dtype, seed=0)
x = rng.normal(size=(32 * 1000, sizes[0])).astype(dtype)
labels = rng.integers(0, sizes[-1], len(x))
batch = x[:32].copy()
row = x[0].copy()
y = np.eye(sizes[-1], dtype=dtype)[labels[:32]]
out_row, out = np.empty(sizes[-1], dtype), np.empty((32, sizes[-1]), dtype)
gradient = np.empty(net.n_parameters, dtype)
optimizer = fn.Adam(1e-4)

def fit(n):
    net.fit(x[:32 * n], labels[:32 * n], optimizer="adam", epochs=1, batch_size=32, seed=0)

def predict_row(n):
    for _ in range(n):
        net.predict(row, out=out_row)

def predict_rows(n):
    for _ in range(n):
        net.predict(batch, out=out)

def step(n):
    for _ in range(n):
        net.loss_and_gradient(batch, y, out=gradient)
        optimizer.step(net.parameters, gradient)

found = {}
for work in (fit, predict_row, predict_rows, step):
    work(1000)
    before = count()
    work(100)
    few = count() - before
    before = count()
    work(1000)
    found[work.__name__] = [few, count() - before]
# the counter itself counts
before = count()
memory = [bytes(10000) for _ in range(100)]
found["counter"] = count() - before
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def counter(tmp_path_factory):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not sys.platform.startswith("linux") or compiler is None:
        pytest.skip("needs glibc and a C compiler")
    if "asan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("the address sanitizer must stand in front of malloc itself")
    directory = tmp_path_factory.mktemp("counter")
    source, library = directory / "counter.c", directory / "counter.so"
    source.write_text(COUNTER)
    made = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", library, source],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("the compiler makes no shared library")
    return library


@pytest.mark.parametrize("sizes", [[4, 64, 64, 2], [64, 64, 10], [200, 300, 300, 10]], ids=str)
def test_calls_of_malloc(sizes, dtype, counter):
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps([sizes, dtype])],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "LD_PRELOAD": str(counter)},
    )
    if result.returncode and "malloc_count" in result.stderr:
        pytest.skip("LD_PRELOAD has no effect here")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found.pop("counter") >= 100
    for name, (few, many) in found.items():
        # a hundred calls more or less for what happens around: none for each step
        assert many - few < 100, (name, few, many)


def peak(work):
    """Bytes that tracemalloc saw above the start while the work ran."""
    work()
    tracemalloc.start()
    try:
        work()
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_python_sees_no_growth(dtype):
    net = fn.Network([8, 64, 4], hidden="tanh", dtype=dtype, seed=0)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(3200, 8)).astype(dtype), rng.normal(size=(3200, 4)).astype(dtype)
    row, batch, target = x[0].copy(), x[:32].copy(), y[:32].copy()
    out_row, out = np.empty(4, dtype), np.empty((32, 4), dtype)
    gradient = np.empty(net.n_parameters, dtype)
    works = {
        "row": lambda n: [net.predict(row, out=out_row) for _ in range(n)] and None,
        "rows": lambda n: [net.predict(batch, out=out) for _ in range(n)] and None,
        "gradient": lambda n: (
            [net.loss_and_gradient(batch, target, out=gradient) is None for _ in range(n)] and None
        ),
    }
    for name, work in works.items():
        few, many = peak(lambda w=work: w(10)), peak(lambda w=work: w(100))
        # the list of results itself grows by 8 bytes an entry
        assert many - few < 90 * 16 + 2000, name


def test_a_call_on_one_row_allocates_its_result_only(dtype):
    net = fn.Network([8, 64, 4], dtype=dtype, seed=0)
    row = np.zeros(8, dtype)
    assert peak(lambda: net(row)) < 400
    assert peak(lambda: net.predict(row)) < 400


def test_epochs_do_not_pile_up(dtype):
    """Memory of fit depends on the network and the data, not on the number of steps."""
    net = fn.Network([8, 64, 4], dtype=dtype, seed=0)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(640, 8)).astype(dtype), rng.normal(size=(640, 4)).astype(dtype)
    few = peak(lambda: net.fit(x, y, epochs=10, seed=0))
    many = peak(lambda: net.fit(x, y, epochs=100, seed=0))
    # the history: some objects for each epoch
    assert many - few < 90 * 400
