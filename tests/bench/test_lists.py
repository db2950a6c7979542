"""The list benchmark itself: inputs, measuring, checks and bars. No time is asserted."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench.lists import __main__ as command_line
from bench.lists import build, lookup, processes
from bench.lists.contestants import checks, python_loops, tandem_builder, tandem_reader, timing
from bench.lists.contestants.local_s3 import etag_of, segments_in
from bench.lists.inputs import SAMPLE, concatenate, read_sample, write_list, write_sample
from bench.lists.processes import Contestant, ContestantFailedError, Run, Settings, run, run_rounds
from bench.lists.results import COLUMNS, Bar, Check, Results, standings
from chalicelib.adapters.s3 import PART

ROWS = 3_000
DISTINCT = ROWS - ROWS // 100
MB = 1 << 20
REQUESTS = {"cold_gets_most": 3, "warm_gets_most": 1, "warm_bytes_most": 32 << 10}


@pytest.fixture
def digest_list(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    write_list(path, ROWS)
    return path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(ROWS, 2, tmp_path, lambda _: None)


def _answer(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    answer: dict[str, float] = json.loads(capsys.readouterr().out)
    return answer


def _run(seconds: float, peak_mb: int = 10) -> Run:
    return Run(seconds, 1.0, peak_mb * MB, {})


# --- inputs --------------------------------------------------------------------------------------


def test_a_list_is_the_same_each_time_and_repeats_some_rows(
    digest_list: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again.csv"
    write_list(again, ROWS)
    assert again.read_bytes() == digest_list.read_bytes()
    lines = digest_list.read_text().split()
    assert (len(lines), len(set(lines))) == (ROWS, DISTINCT)


def test_half_of_the_misses_are_next_to_a_hit(digest_list: Path, tmp_path: Path) -> None:
    write_sample(tmp_path / "sample", digest_list, ROWS)
    hits, misses = map(set, read_sample(tmp_path / "sample"))
    lines = digest_list.read_text().split()
    assert hits <= {bytes.fromhex(line[:32]) for line in lines}
    assert not hits & misses
    near = [miss for miss in misses if miss[:-1] + bytes([miss[-1] ^ 1]) in hits]
    assert len(near) >= min(len(hits), SAMPLE // 2) // 2


# --- measuring -----------------------------------------------------------------------------------


def test_contestants_take_turns_and_never_find_what_they_wrote_before(
    settings: Settings,
) -> None:
    log, out = settings.file("log"), settings.file("out")
    program = "import sys\nopen(sys.argv[1], 'a').write(sys.argv[2])\nopen(sys.argv[3], 'x')"
    contestants = [
        Contestant(name, (sys.executable, "-S", "-c", program, log, name, f"{out}{name}"))
        for name in "AB"
    ]
    slow = replace(contestants[1], name="slow", slow=True, writes=(Path(f"{out}B"),))
    runs = run_rounds([replace(contestants[0], writes=(Path(f"{out}A"),)), slow], settings)
    assert log.read_text() == "ABA"
    assert [len(each) for each in runs.values()] == [2, 1]
    with pytest.raises(ContestantFailedError, match="FileExistsError"):
        run_rounds(contestants, settings)


def test_a_process_reports_its_own_peak_and_not_that_of_its_parent() -> None:
    held = bytes(200 << 20)  # this process is large, its children must not look so
    idle = run((sys.executable, "-S", "-c", "pass"))
    large = run((sys.executable, "-S", "-c", "len(b'x' * (100 << 20)); print('{}')"))
    assert len(held) > 100 << 20 < large.peak_bytes < 200 << 20
    assert idle.peak_bytes < 64 << 20


def test_a_ratio_is_taken_within_its_round_and_that_of_a_single_run_to_the_median() -> None:
    runs = {
        "ours": [_run(1, 10), _run(4, 30), _run(2, 20)],
        "other": [_run(3), _run(8), _run(8)],
        "slow": [_run(20)],
    }
    ours, other, slow = standings("build", runs, "ours")
    assert (ours.ratio, ours.times, ours.peak_bytes) == (1.0, [1, 4, 2], 30 * MB)
    assert (other.ratio, other.ratios) == (3.0, [3.0, 2.0, 4.0])
    assert slow.ratios == [10.0]


@pytest.mark.parametrize("broken", [lambda _: True, lambda _: False])
def test_a_wrong_look_up_is_counted(
    broken: Callable[[bytes], bool],
    digest_list: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_sample(tmp_path / "sample", digest_list, ROWS)
    timing.measure(broken, str(tmp_path / "sample"))
    answer = _answer(capsys)
    assert (answer["wrong"], answer["asked"]) == (SAMPLE, 2 * SAMPLE)


# --- contestants and their checks ----------------------------------------------------------------


def test_the_reader_is_exact_and_its_requests_are_counted(
    digest_list: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    segment, sample = str(tmp_path / "segment"), str(tmp_path / "sample")
    write_sample(Path(sample), digest_list, ROWS)
    tandem_builder.full(str(digest_list), segment)
    capsys.readouterr()
    for measured in (tandem_reader.from_memory, tandem_reader.from_file):
        measured(segment, sample)
        assert _answer(capsys)["wrong"] == 0
    tandem_reader.requests(segment, sample)
    answer = _answer(capsys)
    assert (answer["cold_gets_most"], answer["warm_gets_most"]) == (2, 1)
    assert (answer["cold_lookups"], answer["warm_lookups"]) == (tandem_reader.COLD, 2 * SAMPLE)


def test_outputs_with_the_same_records_and_the_reference_bytes_pass(
    digest_list: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "OTHERS", Path(sys.executable))
    _write_outputs(digest_list, settings)
    results = Results()
    build.check_outputs(settings, results)
    assert {one.contestant: one.holds for one in results.checks} == {
        build.SORT: True,
        build.LOOP: True,
        build.TANDEM: True,
    }
    assert next(one.name for one in results.checks) == f"our {DISTINCT:,} records"


def test_an_output_with_another_record_and_a_segment_with_another_byte_fail(
    digest_list: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "OTHERS", Path(sys.executable))
    _write_outputs(digest_list, settings)
    for name in ("loop.records", "tandem.segment"):
        content = bytearray(settings.file(name).read_bytes())
        content[-1] ^= 1
        settings.file(name).write_bytes(content)
    results = Results()
    build.check_outputs(settings, results)
    assert {one.contestant: one.holds for one in results.checks} == {
        build.SORT: True,
        build.LOOP: False,
        build.TANDEM: False,
    }


def _write_outputs(digest_list: Path, settings: Settings) -> None:
    tandem_builder.full(str(digest_list), str(settings.file("tandem.segment")))
    python_loops.build(str(digest_list), str(settings.file("loop.records")))
    lines = sorted(set(digest_list.read_text().split()))
    twin = lines[0][:-1] + ("0" if lines[0][-1] != "0" else "1")  # the same record, another digest
    settings.file("sort.txt").write_text("\n".join(sorted([twin, *lines])) + "\n")


def test_records_are_compared_across_batches_of_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record, other = "ab" * 16, "cd" * 16
    count = (1 << 22) // 65 + 2  # lines, more than one batch
    text, plain = tmp_path / "text", tmp_path / "plain"
    text.write_text("".join(f"{record}{number:032x}\n" for number in range(count)) + other * 2)
    plain.write_bytes(bytes.fromhex(record + other))
    checks.records("text", str(text))
    found = _answer(capsys)
    checks.records("plain", str(plain))
    assert found == _answer(capsys)
    assert found["count"] == 2


def test_a_delta_is_the_full_build_of_the_merged_list(digest_list: Path, tmp_path: Path) -> None:
    added, merged = tmp_path / "added.csv", tmp_path / "merged.csv"
    write_list(added, ROWS // 100, seed=9)
    concatenate(merged, digest_list, added)
    base, patched, whole = (tmp_path / name for name in ("base", "patched", "whole"))
    tandem_builder.full(str(digest_list), str(base))
    tandem_builder.delta(str(base), str(added), str(patched))
    tandem_builder.full(str(merged), str(whole))
    assert patched.read_bytes() == whole.read_bytes() != base.read_bytes()


def test_the_local_s3_has_what_the_adapter_uploads(tmp_path: Path) -> None:
    segments = segments_in(tmp_path)
    body = hashlib.shake_256(b"body").digest(2 * PART + 5)
    with segments.upload("large") as upload:
        upload.write(body)
        etag = upload.finish(b"h" * 64)
    assert (tmp_path / "large").read_bytes() == b"h" * 64 + body
    assert etag == etag_of(tmp_path / "large")
    assert segments.fetch("large", 64, 80, etag) == body[:16]


# --- bars and the exit status --------------------------------------------------------------------


def _at_the_bars(memory_mb: int = 128) -> Results:
    """Every figure exactly at its bar."""
    built = {build.TANDEM: [_run(1, memory_mb)], build.SORT: [_run(3)], build.LOOP: [_run(10)]}
    patched = {build.DELTA_BUILD: [_run(1)], build.FULL_BUILD: [_run(2)]}
    asked = {lookup.TANDEM: [_run(1)], lookup.SQLITE: [_run(2)]}
    return Results(
        standings=[
            *standings(build.BUILD, built, build.TANDEM),
            *standings(build.DELTA, patched, build.DELTA_BUILD),
            *standings(lookup.LOOKUP, asked, lookup.TANDEM),
        ],
        requests=REQUESTS,
    )


def _with_bars(results: Results, rows: int) -> Results:
    build.add_bars(rows, results)
    lookup.add_bars(results)
    return results


def test_ten_million_rows_have_every_bar_and_figures_at_the_bars_meet_them() -> None:
    results = _with_bars(_at_the_bars(), 10_000_000)
    assert [(one.contest, one.contestant, one.wanted) for one in results.bars] == [
        (build.BUILD, build.TANDEM, "≤ 128 MB"),
        (build.BUILD, build.SORT, "≥ 3 ×"),
        (build.BUILD, build.LOOP, "≥ 10 ×"),
        (build.DELTA, build.FULL_BUILD, "≥ 2 ×"),
        (lookup.LOOKUP, lookup.TANDEM, "cold ≤ 3 GETs"),
        (lookup.LOOKUP, lookup.TANDEM, "warm 1 GET ≤ 32 KB"),
        (lookup.LOOKUP, lookup.SQLITE, "≥ 2 ×"),
    ]
    assert list(results.failures()) == []


def test_figures_beyond_the_bars_miss_every_one() -> None:
    results = _at_the_bars(129)
    results.standings = [
        replace(one, ratios=[ratio * 0.99 for ratio in one.ratios]) for one in results.standings
    ]
    results.requests = {name: most + 1 for name, most in REQUESTS.items()}
    _with_bars(results, 10_000_000)
    assert [one.met for one in results.bars] == [False] * 7
    assert len(list(results.failures())) == 7


@pytest.mark.parametrize(("size", "least"), [(REQUESTS, True), ({"warm_bytes_most": 32769}, False)])
def test_a_warm_look_up_has_one_get_of_32_kb(size: dict[str, int], *, least: bool) -> None:
    results = _at_the_bars()
    results.requests = {**REQUESTS, **size}
    lookup.add_bars(results)
    assert [one.met for one in results.bars] == [True, least, True]


@pytest.mark.parametrize(
    ("rows", "memory", "bars"), [(1_000_000, "≤ 128 MB", 4), (100_000_000, "≤ 192 MB", 6)]
)
def test_a_small_list_has_no_bars_of_speed_and_a_large_one_more_memory_and_no_loop(
    rows: int, memory: str, bars: int
) -> None:
    results = _with_bars(_at_the_bars(), rows)
    assert (len(results.bars), results.bars[0].wanted) == (bars, memory)


def test_each_row_has_its_own_bars_and_checks() -> None:
    results = _with_bars(_at_the_bars(), 10_000_000)
    results.checks = [Check(build.BUILD, build.SORT, "our records", holds=False)]
    rows = {row[:2]: row for row in results.rows()}
    assert {len(row) for row in rows.values()} == {len(COLUMNS)}
    assert rows[build.BUILD, build.SORT][2:] == (
        "3.00 s",
        "3.00",
        "1.00",
        "10",
        "≥ 3 ×: 3.00 ×, met",
        "our records: NO",
    )
    cells = "; ".join(row[6] for row in rows.values() if row[6]).split("; ")
    assert len(cells) == len(results.bars)


@pytest.mark.parametrize(
    ("results", "status", "message"),
    [
        (Results(), 0, ""),
        (Results(bars=[Bar("build", "us", "≥ 3 ×", "2.9 ×", met=False)]), 1, "missed: build, us"),
        (Results(checks=[Check("build", "us", "our records", holds=False)]), 1, "wrong: build, us"),
    ],
)
def test_a_missed_bar_and_a_failed_check_fail_the_command(
    results: Results,
    status: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(command_line, "make", lambda *_: None)
    monkeypatch.setattr(command_line, "measure", lambda *_: (results, {"day": "one"}))
    monkeypatch.setattr("bench.report.ROOT", tmp_path)
    monkeypatch.setattr("bench.report.FOLDER", tmp_path / "bench")
    monkeypatch.setattr(sys, "argv", ["bench.lists", "1M"])
    assert command_line.main() == status
    out, err = capsys.readouterr()
    assert message in err
    assert out.startswith("day one\n\n| contest |")
    kept = json.loads((tmp_path / "bench" / "lists-1000000.json").read_text())
    assert len(kept["figures"]["bars"]) == len(results.bars)


@pytest.mark.parametrize(("size", "rows"), [("1M", 1_000_000), ("100M", 10**8), ("2500", 2500)])
def test_a_size_is_read(size: str, rows: int) -> None:
    assert command_line.rows_of(size) == rows
