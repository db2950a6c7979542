"""The memory size of a function: the cheapest of those that leave room for the peak and are fast
enough. Pure.

An execution takes its processor time at the function's share of a processor (1,769 MB are one),
and the time of its calls to AWS, which no memory shortens. It costs its duration times its memory:
processor time costs the same at any size up to a whole processor, waiting costs more at each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf

from bench.capacity.limits import MEMORY_OF_A_PROCESSOR_MB
from bench.cost.prices import PRICES, Unit

SIZES_MB = (128, 192, 256, 320, 384, 448, 512, 640, 768, 1024, 1280, 1536, 1769, 2048, 3008)
# Room over the peak: what was not measured, and the runtime of Lambda itself.
MARGIN = 1.5
# What of its time-out the largest event may take.
SHARE_OF_TIMEOUT = 0.5


@dataclass(frozen=True)
class Took:
    """What an event took: processor seconds, seconds of calls, seconds it was paced."""

    cpu_s: float
    calls_s: float
    paced_s: float = 0.0

    def work_s(self, memory_mb: int) -> float:
        """How long its work takes with so much memory."""
        share = min(1.0, memory_mb / MEMORY_OF_A_PROCESSOR_MB)
        return self.cpu_s / share + self.calls_s

    def seconds(self, memory_mb: int) -> float:
        """How long it takes in all. What is paced waits for what its work leaves of that time."""
        return max(self.work_s(memory_mb), self.paced_s)

    def dollars(self, memory_mb: int) -> float:
        """What it costs, without what each call of a function costs."""
        return self.seconds(memory_mb) * memory_mb / 1024 * PRICES[Unit.GB_SECOND].each


@dataclass(frozen=True)
class Demand:
    """How fast it has to be, in seconds: a typical event, the first of a process, the largest one;
    and which of these is wanted of whom.
    """

    because: str
    typical_s: float = inf
    first_s: float = inf
    largest_s: float = inf


@dataclass(frozen=True)
class Profile:
    """What a function was measured to take. `start_s` of the processor is before any event."""

    function: str
    largest_is: str
    start_s: float
    first: Took
    typical: Took
    largest: Took
    peak_mb: float

    def problems(self, memory_mb: int, demand: Demand, timeout_s: int) -> Iterator[str]:
        """Why that size is too small; nothing where it is not."""
        if memory_mb < self.peak_mb * MARGIN:
            yield f"peak {self.peak_mb:.0f} MB"
        asked = {
            "typical": (self.typical, demand.typical_s),
            # What of a processor a start gets is not published: no more than its share.
            "first": (replace(self.first, cpu_s=self.start_s + self.first.cpu_s), demand.first_s),
            "largest": (self.largest, min(demand.largest_s, SHARE_OF_TIMEOUT * timeout_s)),
        }
        for name, (took, within) in asked.items():
            if took.work_s(memory_mb) > within:
                yield f"{name} {took.work_s(memory_mb):.2g} s of {within:g} s"


class NoSizeError(ValueError):
    """No size is enough for what is demanded of a function."""


def choose(profile: Profile, demand: Demand, timeout_s: int) -> int:
    """The cheapest of the sizes that are enough, by a typical event; of equal ones the smaller."""
    enough = [size for size in SIZES_MB if not any(profile.problems(size, demand, timeout_s))]
    if not enough:
        raise NoSizeError(profile.function)
    return min(enough, key=lambda size: (round(profile.typical.dollars(size), 12), size))
