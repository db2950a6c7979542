"""The memory of each function is what follows from what it was measured to take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.capacity import loads
from bench.memory.__main__ import peak_of, profile, recorded, size_of
from bench.memory.demands import DEMANDS
from bench.memory.execution import Code, Measured, Measurements
from bench.memory.loads import LOADS
from bench.memory.sizes import MARGIN, SIZES_MB, Demand, NoSizeError, Profile, Took, choose
from bench.memory.stage import measuring
from infra.package import local_target, package
from infra.postprocess.functions import FUNCTIONS
from infra.postprocess.layers import LAYERS

PROFILES, CONDITIONS = recorded()
BY_NAME = {one.function: one for one in PROFILES}
LIGHT = Profile("f", "a batch", 0.1, Took(0.1, 0.1), Took(0.01, 0.1), Took(0.1, 0.1), peak_mb=60)


def test_the_record_says_when_and_on_what_it_was_made() -> None:
    assert CONDITIONS.keys() >= {"day", "machine", "system", "Python", "calls"}


def test_every_function_was_measured_and_has_a_demand() -> None:
    names = {size.name for size in FUNCTIONS.values()}
    assert BY_NAME.keys() == DEMANDS.keys() == names == {load.function for load in LOADS}


@pytest.mark.parametrize("logical_id", FUNCTIONS)
def test_each_function_has_the_memory_that_follows_from_the_record(logical_id: str) -> None:
    size = FUNCTIONS[logical_id]
    measured = BY_NAME[size.name]
    assert size.memory_mb == size_of(measured), "run: python -m bench.memory --recorded"
    assert size.memory_mb >= peak_of(measured) * MARGIN


def test_what_waits_for_calls_gets_no_more_than_it_needs() -> None:
    assert choose(LIGHT, Demand("none"), 30) == SIZES_MB[0]


@pytest.mark.parametrize(
    ("changed", "demand", "size"),
    [
        ({"peak_mb": 100.0}, Demand("none"), 192),
        ({}, Demand("a person waits", typical_s=0.15), 384),  # 10 ms at 0.22 of a processor
        ({}, Demand("a person waits", first_s=0.5), 1024),  # the start's 100 ms and its own
        ({}, Demand("a full batch", largest_s=0.25), 1280),
        ({"largest": Took(10.0, 0.0)}, Demand("none"), 1280),  # half of its time-out
    ],
)
def test_a_size_leaves_room_for_the_peak_and_is_as_fast_as_demanded(
    changed: dict[str, float], demand: Demand, size: int
) -> None:
    assert choose(replace(LIGHT, **changed), demand, 30) == size  # type: ignore[arg-type]


def test_what_no_size_is_enough_for_is_an_error() -> None:
    with pytest.raises(NoSizeError):
        choose(LIGHT, Demand("calls take longer", typical_s=0.09), 30)


def test_what_is_paced_costs_its_pace_and_is_asked_for_its_work_alone() -> None:
    paced = Took(0.01, 0.1, paced_s=2.0)
    assert paced.seconds(128) == paced.seconds(1769) == 2.0
    assert paced.work_s(1769) == pytest.approx(0.11)


def test_processor_time_costs_the_same_up_to_a_whole_processor() -> None:
    busy = Took(1.0, 0.0)
    assert busy.dollars(128) == pytest.approx(busy.dollars(1769))
    assert busy.dollars(3008) > busy.dollars(1769)


def test_what_grows_is_added_up_to_what_is_promised() -> None:
    few, many = (
        (replace(load, things=things, promised=1_000), [_event(cpu_s, peak_mb)])
        for load, things, cpu_s, peak_mb in (
            (LOADS[0], 100, 1.0, 50.0), (LOADS[0], 200, 1.5, 60.0),
        )
    )  # fmt: skip
    found = profile("f", [*few[1], *many[1]], [few, many], start_s=0.1)
    assert found.largest.cpu_s == pytest.approx(1.0 + 0.5 * 9)
    assert found.peak_mb == pytest.approx(50 + 10 * 9)


def _event(cpu_s: float, peak_mb: float) -> Measured:
    return Measured("f", 1, False, cpu_s, 0.0, 1, 0.01, peak_mb)


@pytest.mark.slow
def test_a_function_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    """From the zip alone, by TLS, with the calls that it makes."""
    code, kept = Code.unpacked(package(local_target()), tmp_path), Measurements()
    with measuring(code, kept), loads.mixed(20):
        pass
    [*_, batch] = kept.of("project")
    assert (batch.things, batch.calls) == (98, 4)
    assert 0 < batch.cpu_s < 5
    assert 40 < batch.peak_mb < 200
    assert batch.calls_s == pytest.approx(0.010 + 0.060 + 0.020 + 0.010 * 2, abs=0.1)
    assert {one.function for one in kept.starts} >= {"project", "decide", "mail", "api"}


def test_the_code_of_a_function_is_the_zip_and_ingest_has_its_layers(tmp_path: Path) -> None:
    code = Code(tmp_path / "code", {name: tmp_path / name for name in LAYERS})
    assert code.paths(FUNCTIONS["Relay"]) == [str(tmp_path / "code")]
    expected = [str(tmp_path / name) for name in ("code", "lists", "pgp")]
    assert code.paths(FUNCTIONS["Ingest"]) == expected
