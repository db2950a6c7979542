"""The shape of all results, and nothing else. Times in seconds, sizes in bytes, money in dollars.

Dollars here are the price list's own unit, of a millionth and less: not the money of a voucher.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Standing:
    """How one contestant did over the rounds. `ratio` is its time over ours in the same round.

    `peak_bytes` is the most of any round, of its largest process.
    """

    name: str
    seconds: float
    fastest: float
    slowest: float
    cpu_seconds: float
    peak_bytes: int
    ratio: float
    ratio_low: float
    ratio_high: float


@dataclass(frozen=True)
class Check:
    """One thing that must be exactly so. A check that does not hold fails the whole benchmark."""

    name: str
    holds: bool
    found: str


@dataclass(frozen=True)
class Bar:
    """One figure to be reached. `met` is told, and never fails anything: machines differ."""

    name: str
    wanted: str
    reached: str
    met: bool


@dataclass(frozen=True)
class Calls:
    """What our builder asks of S3 for one list: GETs of stored segments, and what an upload is."""

    gets: int
    got_bytes: int
    puts: int
    put_bytes: int


@dataclass(frozen=True)
class Speed:
    """One way of looking up, microseconds for one digest (medians over the rounds).

    `stored_bytes` is what the list takes on disk; `ratio` is its time (hits and misses) over the
    time of our reader with each bucket at hand, in the same round.
    """

    name: str
    hit_us: float
    miss_us: float
    ratio: float
    ratio_low: float
    ratio_high: float
    peak_bytes: int
    stored_bytes: int


@dataclass(frozen=True)
class Reads:
    """What our reader asks of S3 for one digest: the most and the mean."""

    state: str  # cold or warm
    lookups: int
    gets_most: int
    gets_mean: float
    bytes_most: int
    bytes_mean: float


@dataclass(frozen=True)
class CostLine:
    """One line of a day's bill."""

    way: str
    item: str
    count: float
    unit: str
    dollars: float


@dataclass(frozen=True)
class Machine:
    """What it ran on. No name, only its class."""

    day: str
    cores: int
    memory_bytes: int
    system: str
    versions: dict[str, str]


@dataclass(frozen=True)
class Figures:
    """All of one size."""

    rows: int
    distinct: int
    rounds: int
    machine: Machine
    noise: float  # slowest over fastest run of the metronome
    build: list[Standing]
    build_calls: Calls
    delta: list[Standing]
    delta_calls: Calls
    speeds: list[Speed]
    reads: list[Reads]
    hashed_rows: int
    hashing: list[Standing]
    costs: list[CostLine]
    checks: list[Check]
    bars: list[Bar]
