"""The figures to be reached, and whether this run reached them."""

from __future__ import annotations

from collections.abc import Sequence

from bench.lists import building, looking_up
from bench.lists.figures import Bar, Reads, Speed, Standing

MOST_MEMORY = 128 << 20  # bytes, the builder's process at 10 M
MOST_MEMORY_OF_LARGE = MOST_MEMORY * 3 // 2  # at 100 M
LARGE = 10_000_000  # rows: from there on speed has bars; beyond, the bar of memory is higher
BUCKET = 32 << 10  # bytes of one GET


def bars(
    rows: int,
    build: Sequence[Standing],
    delta: Sequence[Standing],
    speeds: Sequence[Speed],
    reads: Sequence[Reads],
) -> list[Bar]:
    """In the order of the contests. Those of speed are set for large lists alone."""
    most = MOST_MEMORY if rows <= LARGE else MOST_MEMORY_OF_LARGE
    peak = _of(build, building.OURS).peak_bytes
    found = []
    if rows >= LARGE:
        found += _speed_bars(build, delta)
    sqlite = next(one for one in speeds if one.name == looking_up.SQLITE)
    cold, warm = (next(r for r in reads if r.state == state) for state in ("cold", "warm"))
    return [
        *found,
        Bar("peak memory of the build", f"≤ {_mb(most)}", _mb(peak), peak <= most),
        _times("search in a process, against SQLite", 2, sqlite.ratio),
        Bar(
            "warm look-up",
            "1 GET ≤ 32 KB",
            f"{warm.gets_most} GET, {warm.bytes_most / 1024:.1f} KB",
            warm.gets_most == 1 and warm.bytes_most <= BUCKET,
        ),
        Bar("cold look-up", "≤ 3 GETs", f"{cold.gets_most} GETs", cold.gets_most <= 3),
    ]


def _speed_bars(build: Sequence[Standing], delta: Sequence[Standing]) -> list[Bar]:
    found = [
        _times("1 % delta, against a full build", 2, _ratio(delta, building.FULL)),
        _times("build, against sort -u", 3, _ratio(build, building.SORT)),
    ]
    if any(one.name == building.LOOP for one in build):
        found.append(_times("build, against a loop", 10, _ratio(build, building.LOOP)))
    return found


def _times(name: str, wanted: float, reached: float) -> Bar:
    return Bar(name, f"≥ {wanted:g} ×", f"{reached:.2f} ×", reached >= wanted)


def _ratio(standings: Sequence[Standing], name: str) -> float:
    return _of(standings, name).ratio


def _of(standings: Sequence[Standing], name: str) -> Standing:
    return next(one for one in standings if one.name == name)


def _mb(size: int) -> str:
    return f"{size / (1 << 20):.0f} MB"
