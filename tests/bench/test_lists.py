"""The benchmark's own arithmetic: ratios, checks, counts, pictures. No time is asserted."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from xml.etree import ElementTree

import pytest

from bench.lists import page
from bench.lists.bucket import LocalS3
from bench.lists.contestants import checks, lookups, of_loop, of_ours
from bench.lists.cost import DIGESTS, GET, KEPT, STORED, WRITE_UNIT, Ingested, bill, totals
from bench.lists.drawing import Panel, Stroke, picture
from bench.lists.figures import Calls, Reads
from bench.lists.making import SAMPLE, appended, digest_list, sample, sampled
from bench.lists.processes import ContestantFailedError, Run, run
from bench.lists.rounds import Contestant, in_turns, standings
from bench.lists.segments import etag_of
from chalicelib.adapters.clients import Clients
from chalicelib.adapters.s3 import PART, BucketSegments

ROWS = 3_000
WARM = Reads("warm", 40_000, 1, 1.0, 12_000, 10_000.0)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    digest_list(path, ROWS)
    return path


def _answer(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    answer: dict[str, float] = json.loads(capsys.readouterr().out)
    return answer


def test_a_list_is_the_same_each_time_and_repeats_some_rows(listed: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.csv"
    digest_list(again, ROWS)
    assert again.read_bytes() == listed.read_bytes()
    lines = listed.read_text().split("\n")
    assert (len(lines) - 1, len(set(lines)) - 1) == (ROWS, ROWS - ROWS // 100)


def test_a_ratio_is_taken_within_its_round() -> None:
    runs = {
        "ours": [Run(1.0, 1.0, 10, {}), Run(4.0, 1.0, 30, {}), Run(2.0, 1.0, 20, {})],
        "other": [Run(3.0, 2.0, 5, {}), Run(8.0, 2.0, 5, {}), Run(8.0, 2.0, 5, {})],
    }
    ours, other = standings(runs, "ours")
    assert (ours.ratio, ours.seconds, ours.peak_bytes) == (1.0, 2.0, 30)
    assert (other.ratio, other.ratio_low, other.ratio_high) == (3.0, 2.0, 4.0)


def test_contestants_take_turns_and_never_find_what_they_wrote_before(tmp_path: Path) -> None:
    log, out = tmp_path / "log", tmp_path / "out"
    program = "import sys\nopen(sys.argv[1], 'a').write(sys.argv[2])\nopen(sys.argv[3], 'x')"
    contestants = [
        Contestant(name, (sys.executable, "-S", "-c", program, log, name, f"{out}{name}"))
        for name in "AB"
    ]
    cleared = [replace(one, writes=(Path(f"{out}{one.name}"),)) for one in contestants]
    in_turns(cleared, 2, lambda _: None)
    assert log.read_text() == "ABAB"
    with pytest.raises(ContestantFailedError, match="FileExistsError"):
        in_turns(contestants, 1, lambda _: None)


def test_a_process_tells_its_own_peak_and_not_that_of_who_started_it() -> None:
    held = bytes(200 << 20)  # this process is large, its children must not look so
    idle = run((sys.executable, "-S", "-c", "pass"), {})
    large = run((sys.executable, "-S", "-c", "len(b'x' * (100 << 20)); print('{}')"), {})
    assert len(held) > 100 << 20 < large.peak_bytes < 200 << 20
    assert idle.peak_bytes < 64 << 20


def test_half_of_the_misses_lie_beside_a_hit(listed: Path, tmp_path: Path) -> None:
    sample(tmp_path / "sample", listed, ROWS)
    hits, misses = map(set, sampled(tmp_path / "sample"))
    lines = listed.read_text().split()
    assert hits <= {bytes.fromhex(line[:32]) for line in lines}
    assert not hits & misses
    beside = [miss for miss in misses if miss[:-1] + bytes([miss[-1] ^ 1]) in hits]
    assert len(beside) >= min(len(hits), SAMPLE // 2) // 2


@pytest.mark.parametrize("broken", [lambda _: True, lambda _: False])
def test_a_wrong_look_up_is_counted(
    broken: Callable[[bytes], bool],
    listed: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sample(tmp_path / "sample", listed, ROWS)
    lookups.measure(broken, tmp_path / "sample")
    answer = _answer(capsys)
    assert (answer["wrong"], answer["asked"]) == (SAMPLE, 2 * SAMPLE)


def test_ours_is_the_reference_and_holds_what_the_loop_holds(
    listed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    segment, plain = tmp_path / "ours.seg", tmp_path / "loop.bin"
    of_ours.full(str(listed), str(segment))
    of_loop.main(str(listed), str(plain))
    assert _answer(capsys)["distinct"] == ROWS - ROWS // 100
    checks.records("segment", str(segment))
    ours = _answer(capsys)
    checks.records("plain", str(plain))
    assert _answer(capsys) == ours
    checks.reference(str(listed), str(segment))
    assert _answer(capsys)["same"] == 1


def test_another_segment_is_not_the_reference(
    listed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    segment = tmp_path / "ours.seg"
    of_ours.full(str(listed), str(segment))
    content = bytearray(segment.read_bytes())
    content[-1] ^= 1
    segment.write_bytes(content)
    capsys.readouterr()
    checks.reference(str(listed), str(segment))
    assert _answer(capsys)["same"] == 0


def test_a_delta_is_the_full_build_of_the_merged_list(listed: Path, tmp_path: Path) -> None:
    added, merged = tmp_path / "added.csv", tmp_path / "merged.csv"
    digest_list(added, ROWS // 100, seed=9)
    appended(merged, listed, added)
    base, laid, whole = (tmp_path / name for name in ("base.seg", "laid.seg", "whole.seg"))
    of_ours.full(str(listed), str(base))
    of_ours.add(str(base), str(added), str(laid))
    of_ours.full(str(merged), str(whole))
    assert laid.read_bytes() == whole.read_bytes() != base.read_bytes()


def test_the_local_bucket_holds_what_the_adapter_uploads_and_counts_its_calls(
    tmp_path: Path,
) -> None:
    s3 = LocalS3(tmp_path)
    segments = BucketSegments(cast(Clients, SimpleNamespace(s3=s3)), "bench")
    body = hashlib.shake_256(b"body").digest(2 * PART + 5)
    with segments.upload("large") as upload:
        upload.write(body)
        etag = upload.finish(b"h" * 64)
    assert (tmp_path / "large").read_bytes() == b"h" * 64 + body
    assert etag == etag_of(tmp_path / "large")
    assert (s3.puts, s3.put_bytes) == (5, 64 + len(body))  # beginning, three parts, end
    assert segments.fetch("large", 64, 80, etag) == body[:16]
    assert (s3.gets, s3.got_bytes) == (1, 16)


def test_a_bill_is_what_was_counted_at_the_stated_prices() -> None:
    small = Ingested(cpu_seconds=0.0, dropped_bytes=0, calls=Calls(0, 0, 0, 0))
    lines = bill(1_000_000, 16_000_000, small, small, [WARM])
    dollars = {(one.way, one.item): one.dollars for one in lines}
    assert dollars["DynamoDB, full list", "items written"] == pytest.approx(1e6 * WRITE_UNIT)
    kept = dollars["segment, full list", "segments kept"]
    assert kept == pytest.approx(KEPT * 16_000_000 * STORED)
    gets = dollars["segment, full list", "bucket GETs"]
    assert gets == pytest.approx(20_000 * DIGESTS * GET)
    assert sum(totals(lines).values()) == pytest.approx(sum(one.dollars for one in lines))


def test_a_picture_is_xml_that_can_be_read_out_and_its_bars_are_to_scale() -> None:
    svg = picture("a < b", [Panel("times", [Stroke("x & y", 4, "4 s"), Stroke("z", 1, "1 s")])])
    root = ElementTree.fromstring(svg)
    name = "{http://www.w3.org/2000/svg}"
    assert root.findtext(f"{name}title") == "a < b"
    assert root.findtext(f"{name}desc") == "times: x & y 4 s, z 1 s"
    wide, narrow = (float(bar.attrib["width"]) for bar in root.iter(f"{name}rect"))
    assert wide == pytest.approx(4 * narrow, rel=0.01)


@pytest.mark.parametrize(("size", "rows"), [("1M", 1_000_000), ("100M", 10**8), ("2500", 2500)])
def test_a_size_is_read(size: str, rows: int) -> None:
    assert page.rows_of(size) == rows
