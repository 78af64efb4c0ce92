"""Training with two threads in one process, beside two processes of one thread at the same time.

Two independent processes share the memory, the caches and the clock of the processor as two threads
do, so what two threads could reach at best is the speed of one of them twice.  A process alone,
with a processor that runs the faster for it, is no such measure; its speed is reported, too.
"""

import argparse
import hashlib
import json
import math
import os
import statistics
import subprocess
import sys
import time

from benchmarks import timing
from benchmarks.jobs import Job
from benchmarks.report import Figure, Requirement, Row

WIDE = Job((784, 512, 512, 10), "relu", "softmax", batch_size=1024, n_rows=8192)
BOUND = 1.8
#: Seconds of a turn: many epochs of the network, so that the last one, in which the other process
#: may have ended already, does not count for much.
TURN = 1.5
#: Seconds from the command to the start of a turn, for all processes to have read it
NOTICE = 0.05


class Worker:
    """A process that works on request: ``python -m module``, which calls `serve`."""

    def __init__(self, module, n_threads, processors):
        command = [sys.executable, "-m", module, "--n-threads", str(n_threads)]
        command += ["--processors", *map(str, processors)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.ready = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"a process of the benchmark ended with {self.process.wait()}")
        return json.loads(line)

    def ask(self, start, seconds):
        self.process.stdin.write(json.dumps([start, seconds]) + "\n")
        self.process.stdin.flush()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def together(workers, seconds):
    """Let workers work at the same time; their answers."""
    start = time.monotonic() + NOTICE
    for worker in workers:
        worker.ask(start, seconds)
    return [worker.answer() for worker in workers]


def speedups(rounds):
    """Of each round: rate of two threads by the mean rate of the two processes."""
    return [turn["two threads"] / statistics.fmean(turn["two processes"]) for turn in rounds]


def measure(context, module="benchmarks.threads"):
    """Two threads beside two processes and one, all of this module, by turns.

    Returns (rounds that count, number of others, what the workers said when they were ready).
    """
    processors = context.processors
    workers = []
    try:
        workers = [Worker(module, n, processors) for n in (2, 1, 1)]
        pair, first, second = workers
        seconds = 0.05 if context.smoke else 0.5 * TURN if context.quick else TURN
        plan = [("two threads", [pair]), ("two processes", [first, second]),
                ("one process", [first])]  # fmt: skip
        rounds, rejected = [], 0
        for turn in range(timing.PATIENCE * context.repeats):
            shift = turn % len(plan)
            answers = {name: together(who, seconds) for name, who in plan[shift:] + plan[:shift]}
            singles = answers["two processes"] + answers["one process"]
            least = min(answer["share"] for answer in singles)
            if least < timing.LEAST_SHARE and not context.smoke:
                rejected += 1
                continue
            rounds.append(
                {
                    "two threads": answers["two threads"][0]["rate"],
                    "two processes": [answer["rate"] for answer in answers["two processes"]],
                    "one process": answers["one process"][0]["rate"],
                }
            )
            if len(rounds) >= context.repeats:
                break
        return rounds, rejected, [worker.ready for worker in workers]
    finally:
        for worker in workers:
            worker.close()


def run(context, workload):
    if len(context.processors) < 2:
        return Row(workload, math.nan, note="skipped: needs two processors", group="threads")
    rounds, rejected, ready = measure(context)
    notes = []
    if len({answer["parameters"] for answer in ready}) > 1:
        notes.append("two threads and one compute different parameters")
        context.wrong.append(f"{workload}: {notes[-1]}")
    worst = max(answer["deviation"] / answer["tolerance"] for answer in ready)
    if not worst <= 1:
        context.wrong.append(f"{workload}: off by {worst:.2g} times what is allowed")
    if rejected:
        notes.append(f"{rejected} rounds thrown away")
    if not rounds:
        return Row(workload, math.nan, note="; ".join(notes), group="threads")
    speedup = statistics.median(speedups(rounds))
    alone = statistics.median(turn["two threads"] / turn["one process"] for turn in rounds)
    rates = {
        "two threads, rows/s": statistics.median(turn["two threads"] for turn in rounds),
        "each of two processes, rows/s": statistics.median(
            statistics.fmean(turn["two processes"]) for turn in rounds
        ),
        "one process alone, rows/s": statistics.median(turn["one process"] for turn in rounds),
    }
    return Row(
        workload,
        WIDE.batch_size / rates["two threads, rows/s"],
        {},
        [Requirement("speed over one of two processes", speedup, BOUND, "x", at_least=True)],
        note="; ".join(notes),
        details=rates | {"over one process alone": alone},
        figures=[
            Figure(f"{WIDE.name}, batch {WIDE.batch_size:,}: speed of 2 threads / of one of 2 "
                   "processes", "x", {"fastnet": speedup}),
        ],
        group="threads",
    )  # fmt: skip


# ---- the worker ----------------------------------------------------------------------------------


def work(run, start, seconds):
    """Rate of ``run()``, and processor time over wall time, until the time is over."""
    while (left := start - time.monotonic()) > 0:
        time.sleep(left)
    processor, begin = time.process_time(), time.monotonic()
    amount = 0
    while not amount or time.monotonic() < start + seconds:
        amount += run()
    elapsed = time.monotonic() - begin
    return {"rate": amount / elapsed, "share": (time.process_time() - processor) / elapsed}


def serve(run, ready):
    """Say what there is to say, then work as often as a line with a start and a length asks for it.

    ``run()`` works and returns how much it did.
    """
    print(json.dumps(ready), flush=True)
    for line in sys.stdin:
        print(json.dumps(work(run, *json.loads(line))), flush=True)


def worker_options(prog, argv=None):
    """What `Worker` tells its process, which is then on all of its processors."""
    parser = argparse.ArgumentParser(prog=prog)
    parser.add_argument("--n-threads", type=int, required=True)
    parser.add_argument("--processors", type=int, nargs="+", required=True)
    options = parser.parse_args(argv)
    if hasattr(os, "sched_setaffinity"):
        # The process that started this one keeps to a single one.
        os.sched_setaffinity(0, options.processors)
    return options


def main(argv=None):
    options = worker_options("python -m benchmarks.threads", argv)
    from benchmarks.dense_rows import check_training
    from benchmarks.fastnet_adapter import Fastnet

    class Threaded(Fastnet):
        def fit(self, *arguments, **further):
            super().fit(*arguments, **({"n_threads": options.n_threads} | further))

    adapter = Threaded(WIDE)
    deviation, tolerance = check_training(WIDE, adapter)
    adapter.train_step(WIDE.n_batches)
    parameters = hashlib.sha256(adapter.parameters().tobytes()).hexdigest()

    def run():
        adapter.fit(adapter.x, adapter.y, 1, seed=0, n_threads=options.n_threads)
        return len(adapter.x)

    serve(run, {"deviation": deviation, "tolerance": tolerance, "parameters": parameters})
    return 0


if __name__ == "__main__":
    sys.exit(main())
