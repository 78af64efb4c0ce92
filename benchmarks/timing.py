"""Timing of several contenders against each other on a machine that is not quiet.

Speed drifts with the clock of the processor and with its other users, so all contenders take turns
within each round, and a loop of nothing but multiply-adds, run before each turn, tells the speed
that the processor had to give just then.  A turn in which the process did not have the processor
for itself is thrown away.  The result is a median.
"""

import gc
import os
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

#: Processor time over wall time below which a turn is thrown away: something else ran.
LEAST_SHARE = 0.97
#: And above which: more than one thread worked.
LARGEST_SHARE = 1.05
#: The peak, in GFLOP/s, that times are scaled to.
REFERENCE_PEAK = 240.0
#: Rounds after which a contender that is never undisturbed is given up, as a multiple of repeats.
PATIENCE = 4


@dataclass
class Contender:
    """Something to time.

    Attributes
    ----------
    name : str
    run : callable
        ``run(n)`` does the work n times and returns when it is done.
    unit : int
        n is a multiple of it.
    prepare : callable, optional
        Called before each turn, untimed; a turn is then a single unit.
    """

    name: str
    run: Callable[[int], object]
    unit: int = 1
    prepare: Callable[[], object] | None = None


@dataclass
class Timing:
    """Seconds that a contender takes for the work once, one entry a turn that counts."""

    seconds: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)  # GFLOP/s before each turn
    rejected: int = 0
    rounds: list[int] = field(default_factory=list)  # in which each turn was

    @property
    def median(self):
        """Median of the times as measured; NaN where no turn counts."""
        return statistics.median(self.seconds) if self.seconds else float("nan")

    @property
    def scaled(self):
        """Median of the times scaled to ``REFERENCE_PEAK``; None where the peak is unknown."""
        if not self.seconds or len(self.peaks) != len(self.seconds):
            return None
        return statistics.median(
            s * peak / REFERENCE_PEAK for s, peak in zip(self.seconds, self.peaks, strict=True)
        )

    @property
    def best(self):
        """The scaled median where there is one, else the plain one."""
        return self.median if self.scaled is None else self.scaled


def difference(timing, other):
    """Median of how much longer it takes than the other in the same round; NaN without any.

    Less noisy than the difference of the medians where the speed drifts from round to round.
    """
    others = dict(zip(other.rounds, other.seconds, strict=True))
    found = [seconds - others[turn] for turn, seconds in
             zip(timing.rounds, timing.seconds, strict=True) if turn in others]  # fmt: skip
    return statistics.median(found) if found else float("nan")


class Stopwatch:
    """Wall and processor time of calls."""

    def __init__(self, wall=time.perf_counter, processor=time.process_time):
        self.wall = wall
        self.processor = processor

    def __call__(self, run, *arguments):
        """(what run returned, wall seconds, processor time over wall time)."""
        processor, wall = self.processor(), self.wall()
        result = run(*arguments)
        wall, processor = self.wall() - wall, self.processor() - processor
        return result, wall, processor / wall if wall > 0 else 1.0


def calibrate(contender, seconds, stopwatch):
    """How often the work is done in one turn, so that the turn takes about ``seconds``."""
    unit = n = contender.unit
    if contender.prepare is not None:
        return unit
    for _ in range(20):
        _, elapsed, _ = stopwatch(contender.run, n)
        if elapsed >= 0.5 * seconds:
            break
        wanted = n * min(50.0, 1.1 * seconds / max(elapsed, 1e-9))
        n = max(n + unit, round(wanted / unit) * unit)
    # One slow first call, as when something is compiled, must not leave a turn of a single unit.
    _, elapsed, _ = stopwatch(contender.run, n)
    return max(unit, round(n * seconds / max(elapsed, 1e-9) / unit) * unit)


def measure(
    contenders: Iterable[Contender],
    repeats: int = 9,
    seconds: float = 0.03,
    peak: Callable[[], float] | None = None,
    least_share: float = LEAST_SHARE,
    stopwatch: Stopwatch | None = None,
) -> dict[str, Timing]:
    """Time contenders in turns.

    Parameters
    ----------
    contenders : iterable of Contender
        Each has had whatever compilation or planning it needs.
    repeats : int
        Turns of each that have to count.
    seconds : float
        Length of a turn; one unit of work where that is longer.
    peak : callable, optional
        Returns the speed of the processor in GFLOP/s; called before each turn.
    least_share : float
        Of processor time in wall time, for a turn to count; 0 lets every turn count.
    stopwatch : Stopwatch, optional
        Other clocks, for tests.

    Returns
    -------
    dict of str to Timing
        In the order of the contenders.  With fewer than ``repeats`` entries where the machine was
        never quiet for ``PATIENCE * repeats`` rounds.
    """
    contenders = list(contenders)
    if len({contender.name for contender in contenders}) < len(contenders):
        raise ValueError(f"contenders: names must differ, got {[c.name for c in contenders]}")
    if repeats < 1:
        raise ValueError(f"repeats: expected at least 1, got {repeats}")
    stopwatch = Stopwatch() if stopwatch is None else stopwatch
    timings = {contender.name: Timing() for contender in contenders}
    counts = {c.name: calibrate(c, seconds, stopwatch) for c in contenders}
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for turn in range(PATIENCE * repeats):
            # Each round starts with another one, so that nobody always follows the same neighbour.
            first = turn % max(1, len(contenders))
            for contender in contenders[first:] + contenders[:first]:
                turn_of(contender, turn, counts, timings, peak, least_share, stopwatch)
            if all(len(timing.seconds) >= repeats for timing in timings.values()):
                break
    finally:
        if collecting:
            gc.enable()
    return timings


def turn_of(contender, turn, counts, timings, peak, least_share, stopwatch):
    n, timing = counts[contender.name], timings[contender.name]
    if contender.prepare is not None:
        contender.prepare()
    speed, peak_share = None, 1.0
    if peak is not None:
        speed, _, peak_share = stopwatch(peak)
    _, elapsed, share = stopwatch(contender.run, n)
    is_alone = min(share, peak_share) >= least_share and share <= LARGEST_SHARE
    if least_share > 0 and not is_alone:
        timing.rejected += 1
        return
    timing.seconds.append(elapsed / n)
    timing.rounds.append(turn)
    if speed is not None:
        timing.peaks.append(speed)


def pin_to_one_processor():
    """Keep this process and its threads on one processor; returns its number, None if unsupported.

    The last one, because the first serves most interrupts.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    number = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {number})
    return number
