"""Who keeps a network, and for how long: threads, capsules, the end of the interpreter."""

import ctypes
import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import fastnet as fn
from fastnet import capi, neat

LINE = "double (int, double *, void *)"


def network_of():
    config = neat.Config(2, 1, bias=None, mode="recurrent", activation="tanh")
    rows = [(0, 0, 2, 0.7, True), (1, 1, 2, -0.2, True), (2, 2, 2, 0.9, True)]
    return neat.Genome.from_connections(config, rows).network()


def function(name, library):
    """As `fastnet.capi` has it, of a library that keeps the interpreter's lock or gives it up."""
    made = getattr(library(fn.get_library()), name)
    template = getattr(capi, name)
    made.restype, made.argtypes = template.restype, template.argtypes
    return made


@pytest.mark.parametrize("library", [ctypes.CDLL, ctypes.PyDLL])
def test_references_from_threads(library):
    """With the interpreter's lock and without."""
    net, network = fn.Network([2, 3, 1], seed=0), network_of()
    retain, release, clone, graph_release = [
        function(name, library)
        for name in ("fn_net_retain", "fn_net_release", "fn_graph_clone", "fn_graph_release")]
    before = sys.getrefcount(net), sys.getrefcount(network)
    address = capi.fn_net_from_object(net)
    graphs = [capi.fn_graph_from_object(network) for _ in range(4)]
    failures = []

    def work(graph):
        try:
            for _ in range(200):
                assert retain(address) == address
                copy = clone(graph)
                assert copy not in (None, graph)
                capsules = [net.capsule, net.lowlevel(LINE)]
                assert capi.fn_net_from_object(net) == address
                release(address)
                graph_release(copy)
                del capsules
                release(address)
        except AssertionError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=[graph]) for graph in graphs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    capi.fn_net_release(address)
    for graph in graphs:
        capi.fn_graph_release(graph)
    assert (sys.getrefcount(net), sys.getrefcount(network)) == before


ELSEWHERE = """
#include <pthread.h>
#include "fastnet.h"

static fn_net *(*retain)(fn_net *);
static void (*release)(fn_net *);

static void *work(void *net)
{
    for (int i = 0; i < 1000; i++)
        release(retain(net));
    return NULL;
}

int in_another_thread(fn_net *net, fn_net *(*net_retain)(fn_net *), void (*net_release)(fn_net *))
{
    pthread_t thread;
    retain = net_retain;
    release = net_release;
    return pthread_create(&thread, NULL, work, net) || pthread_join(thread, NULL);
}
"""


def test_more_references_wait_for_nobody(compile_c):
    """This thread holds the interpreter's lock while another one retains and releases."""
    net = fn.Network([2, 3, 1], seed=0)
    before = sys.getrefcount(net)
    address = capi.fn_net_from_object(net)
    library = ctypes.PyDLL(str(compile_c(ELSEWHERE, "-lpthread", name="elsewhere.c")))
    functions = [ctypes.cast(f, ctypes.c_void_p) for f in (capi.fn_net_retain, capi.fn_net_release)]
    assert library.in_another_thread(ctypes.c_void_p(address), *functions) == 0
    assert sys.getrefcount(net) == before + 1
    capi.fn_net_release(address)
    assert sys.getrefcount(net) == before


def living():
    """Networks that there are."""
    gc.collect()
    # by type, for a weak proxy would answer for what is gone
    return sum(issubclass(type(each), (fn.Network, neat.Network)) for each in gc.get_objects())


def test_nothing_is_left(tmp_path):
    net, network = fn.Network([2, 3, 1], seed=0), network_of()
    net.save(tmp_path / "net")
    content, text = (tmp_path / "net").read_bytes(), network.genome.to_json().encode()
    before = living()
    handles = [capi.fn_net_from_memory(content, len(content), None) for _ in range(5)]
    graphs = [capi.fn_graph_from_memory(text, len(text), None) for _ in range(5)]
    graphs += [capi.fn_graph_clone(graph) for graph in graphs]
    graphs += [capi.fn_graph_from_object(network) for _ in range(5)]
    assert living() == before + 20
    for _ in range(5):
        assert capi.fn_net_from_memory(content, len(content) - 1, None) is None
        assert capi.fn_graph_from_memory(text, len(text) - 3, None) is None
    assert living() == before + 20
    for handle in handles:
        capi.fn_net_release(handle)
    for graph in graphs:
        capi.fn_graph_release(graph)
    assert living() == before


def test_a_capsule_is_all_that_keeps_a_network():
    gone = []

    class Watched(fn.Network):
        def __del__(self):
            gone.append(self.n_inputs)

    capsules = [Watched([n, 1]).capsule for n in (1, 2)]
    capsules.append(Watched([3, 1]).lowlevel(LINE))
    address = capi.fn_net_from_object(Watched([4, 1]))
    gc.collect()
    assert gone == []
    while capsules:
        del capsules[0]
    assert gone == [1, 2, 3]
    capi.fn_net_release(address)
    assert gone == [1, 2, 3, 4]


# Each leaves something for the end of the interpreter
ENDS = {
    "nothing is given back": "kept = capi.fn_net_from_object(net), capi.fn_graph_clone(graph)",
    "capsules": "kept = net.capsule, net.lowlevel('double (int, double *, void *)')",
    "a circle": "net.history = [net.capsule]; net.history.append(net.history)",
    "in a module that stays": "import sys; sys.kept = net.capsule, net.ctypes; sys.net = net",
    "at exit": (
        "import atexit; address = capi.fn_net_from_object(net)\n"
        "atexit.register(capi.fn_net_release, address)"),
    "when the last name goes": (
        "class Last:\n"
        "    def __init__(self):\n"
        "        self.net, self.retain = capi.fn_net_from_object(net), capi.fn_net_retain\n"
        "        self.release = capi.fn_net_release\n"
        "    def __del__(self):\n"
        "        self.release(self.retain(self.net)); self.release(self.net)\n"
        "import sys; sys.last = Last()"),
    "a thread that never ends": (
        "import threading, time\n"
        "def work():\n"
        "    while True: capi.fn_net_release(capi.fn_net_retain(net.ctypes.address))\n"
        "threading.Thread(target=work, daemon=True).start(); time.sleep(0.05)"),
}
PROGRAM = """
import fastnet as fn
from fastnet import capi, neat

net = fn.Network([2, 3, 1], seed=0)
network = neat.Genome(neat.Config(2, 1), rng=0).network()
graph = capi.fn_graph_from_object(network)
"""


@pytest.mark.parametrize("name", ENDS)
def test_the_end_of_the_interpreter(name):
    if "tsan" in os.environ.get("LD_PRELOAD", "") and "never ends" in name:
        pytest.skip("the thread sanitizer waits for threads")
    run = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", PROGRAM + ENDS[name]], check=False,
        env=os.environ | {"PYTHONPATH": str(Path(fn.__file__).parents[1])}, capture_output=True,
        text=True)
    assert (run.returncode, run.stderr) == (0, "")
