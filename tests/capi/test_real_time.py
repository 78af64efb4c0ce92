"""Functions marked (hot) neither allocate nor lock nor call the system."""

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fastnet as fn

SOURCE = r"""
#define _GNU_SOURCE
#include "fastnet.h"
#include <dlfcn.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile long calls;

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void __libc_free(void *);
void *malloc(size_t n) { calls++; return __libc_malloc(n); }
void *calloc(size_t n, size_t size) { calls++; return __libc_calloc(n, size); }
void *realloc(void *memory, size_t n) { calls++; return __libc_realloc(memory, n); }
void free(void *memory) { calls++; __libc_free(memory); }

static int (*next_lock)(pthread_mutex_t *);
int pthread_mutex_lock(pthread_mutex_t *mutex) {
    calls++;
    if (!next_lock) next_lock = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_lock");
    return next_lock(mutex);
}

enum { ROWS = 9, N = 5000 };
static float x32[ROWS * 4], y32[ROWS * 4], d32[N], value32;
static double x64[ROWS * 4], y64[ROWS * 4], d64[N], value64;
static char memory[1 << 20];
static void *volatile nothing;

static int hot(const fn_api *fn, fn_net *net32, fn_net *net64, fn_graph **graphs,
               fn_workspace *work) {
    int i, status = 0;
    status |= fn->forward_f32(net32, work, 1, x32, y32);
    status |= fn->forward_f32(net32, work, ROWS, x32, y32);
    status |= fn->loss_and_gradient_f32(net32, work, 0, ROWS, x32, x32, &value32, d32);
    status |= fn->forward_f64(net64, work, 1, x64, y64);
    status |= fn->forward_f64(net64, work, ROWS, x64, y64);
    status |= fn->loss_and_gradient_f64(net64, work, 0, ROWS, x64, x64, &value64, d64);
    for (i = 0; i < 6; i++) {
        status |= fn->graph_reset(graphs[i]);
        status |= fn->activate(graphs[i], x64, y64);
        status |= fn->activate_rows(graphs[i], ROWS, x64, y64);
    }
    return status;
}

/* 0; 1 for an error, 2 for an allocation or a lock, -9 where a system call ended it. */
int realtime(const fn_api *fn, fn_net *net32, fn_net *net64, fn_graph **graphs, int repeats,
             int control) {
    fn_workspace *work = fn->workspace_place(memory, sizeof(memory));
    int i, status = 0;
    long before;
    pid_t child = fork();
    if (child == 0) {
        before = calls;
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT)) syscall(SYS_exit, 3);
        for (i = 0; i < repeats; i++) {
            status |= hot(fn, net32, net64, graphs, work);
            if (control == 1) free(nothing);
            if (control == 2) getppid();
        }
        syscall(SYS_exit, status ? 1 : calls != before ? 2 : 0);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* So many calls of forward and of a step between two system calls that a tracer sees. */
int traced(const fn_api *fn, fn_net *net32, fn_net *net64, fn_graph **graphs, int repeats,
           int control) {
    fn_workspace *work = fn->workspace_place(memory, sizeof(memory));
    struct stat unused;
    int i, k, status = stat("/fastnet begins", &unused) != -1;
    for (i = 0; i < repeats; i++) {
        status |= fn->forward_f32(net32, work, 1, x32, y32);
        status |= fn->forward_f64(net64, work, 1, x64, y64);
        for (k = 0; k < 6; k++) status |= fn->activate(graphs[k], x64, y64);
        if (control && i == 1) getppid();
    }
    return status | (stat("/fastnet ends", &unused) != -1);
}
"""

PROGRAM = """
import ctypes, sys
import fastnet as fn
from fastnet import neat

net32 = fn.Network([4, 30, 20, 4], hidden="tanh", seed=0)
net64 = fn.Network([4, 30, 20, 4], hidden="gelu", output="softmax", dtype="float64", seed=0)
rows = [(0, 0, 4, 1.5, True), (1, 1, 5, -0.5, True), (2, 3, 6, 0.25, True), (3, 6, 4, 1.0, True)]
graphs = []
for mode in ("feed_forward", "recurrent", "time_step"):
    more = [(4, 5, 4, 0.5, True)] if mode != "feed_forward" else []
    config = neat.Config(4, 2, bias=None, mode=mode, activation="sigmoid")
    for dtype in ("float32", "float64"):
        graphs.append(neat.Genome.from_connections(config, rows + more).network(dtype=dtype))
addresses = (ctypes.c_void_p * 6)(*[graph.ctypes.address for graph in graphs])
get = ctypes.pythonapi.PyCapsule_GetPointer
get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
function = getattr(ctypes.CDLL(sys.argv[1]), sys.argv[2])
function.argtypes = [ctypes.c_void_p] * 4 + [ctypes.c_int] * 2
for arguments in sys.argv[3:]:
    repeats, control = map(int, arguments.split(","))
    print(function(get(fn._capi, b"fastnet._capi"), net32.ctypes.address, net64.ctypes.address,
                   ctypes.addressof(addresses), repeats, control))
"""


def started(prefix, library, *arguments, **environment):
    """Output of PROGRAM."""
    run = subprocess.run(
        [*prefix, sys.executable, "-c", PROGRAM, library, *arguments], capture_output=True,
        text=True, check=False, env=os.environ | environment | {
            "PYTHONPATH": str(Path(fn.__file__).parents[1])})
    assert run.returncode == 0, run.stderr
    return [int(line) for line in run.stdout.split()]


pytestmark = [
    pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="hooks into glibc"),
    pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="another library is preloaded"),
]


@pytest.fixture(scope="module")
def library(compile_c):
    return str(compile_c(SOURCE, "-ldl"))


def test_allocations_locks_and_system_calls(library):
    """A million calls of all functions."""
    result, *controls = started(
        [], library, "realtime", "45000,0", "1,1", "1,2", LD_PRELOAD=library)
    if 3 in controls:
        pytest.skip("no seccomp here")
    # the hooks see what they should
    assert controls == [2, -9]
    assert result == 0


def test_system_calls_under_strace(library, tmp_path):
    """A million calls of forward, and three million steps."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("no strace")
    log = tmp_path / "log"
    if subprocess.run([strace, "-o", str(log), "true"], capture_output=True,
                      check=False).returncode:
        pytest.skip("no tracing here")
    # one file for each thread
    assert started([strace, "-ff", "-o", str(log)], library, "traced", "500000,0", "2,1") == [0, 0]
    (text,) = [text for path in tmp_path.glob("log.*")
               if "fastnet begins" in (text := path.read_text())]
    between = re.findall(r".*fastnet begins.*\n((?:.*\n)*?).*fastnet ends", text)
    assert [re.findall(r"^\w+", calls, re.M) for calls in between] == [[], ["getppid"]]
