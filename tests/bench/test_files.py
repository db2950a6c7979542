"""`python -m bench.files`: its contestants do the same work, and its bars are kept. No time is
asserted.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.files import __main__ as command_line
from bench.files import contestants
from bench.files.inputs import BAD, code_of, export_parts, write_orders
from bench.lists.processes import Run
from bench.lists.results import Results
from chalicelib.domain.exports import VOUCHER_COLUMNS
from chalicelib.services import numbered_files, row_groups

ROWS = 3 * BAD


def test_both_readers_find_the_same_rows(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    write_orders(file, ROWS)
    ours, theirs = contestants.read_orders(str(file)), contestants.read_by_model(str(file))
    for answer in (ours, theirs):
        answer.pop("seconds")
    assert ours == theirs
    assert (ours["accepted"], ours["rejected"]) == (ROWS - 3, 3)


@pytest.mark.parametrize(
    "line",
    [
        "A1,2026-05-04T18:21:07,{digest},,42.50,EUR,placed",
        "A1,2026-05-04T18:21:07+02:00,ab,,42.50,EUR,placed",
        "A1,2026-05-04T18:21:07+02:00,,,42.50,EUR,placed",
        "A1,2026-05-04T18:21:07+02:00,{digest},,-1.00,EUR,placed",
        "A1,2026-05-04T18:21:07+02:00,{digest},,1.005,EUR,placed",
        "A1,2026-05-04T18:21:07+02:00,{digest},,42.50,EURO,placed",
        "A1,2026-05-04T18:21:07+02:00,{digest},,42.50,EUR,sent",
        "4.68769E+11,2026-05-04T18:21:07+02:00,{digest},,42.50,EUR,placed",
        "a@b.fr,2026-05-04T18:21:07+02:00,{digest},,42.50,EUR,placed",
    ],
)
def test_the_model_has_our_rules(tmp_path: Path, line: str) -> None:
    file = tmp_path / "orders.csv"
    write_orders(file, 1)
    with file.open("a", encoding="utf-8") as out:
        out.write(line.format(digest="ab" * 32) + "\n")
    for read in (contestants.read_orders, contestants.read_by_model):
        answer = read(str(file))
        assert (answer["accepted"], answer["rejected"]) == (1, 1)


def test_a_file_is_cut_into_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_groups, "PART_ROWS", 500)
    file = tmp_path / "orders.csv"
    write_orders(file, ROWS)
    answer = contestants.cut_into_parts(str(file))
    assert answer["accepted"] == ROWS - 3
    assert answer["parts"] > 4


def test_both_writers_write_all_rows() -> None:
    assert contestants.write_exports(250)["rows"] == contestants.write_csv(250)["rows"] == 250
    [first, *_, last] = export_parts(10, 250)
    assert first.codes[0] == first.rows[0][0] == code_of(10)
    assert last.codes[-1] == code_of(259)
    assert first.columns == VOUCHER_COLUMNS


def test_every_code_is_answered_and_each_tenth_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_groups, "PART_ROWS", 100)
    monkeypatch.setattr(contestants, "FILE_ROWS", 400)
    assert numbered_files.FILE_ROWS > row_groups.PART_ROWS  # else acknowledgements have no parts
    assert contestants.acknowledge(1_000) == {"answers": 1_000, "refused": 100}


def test_a_bar_of_memory_is_missed_by_a_byte_too_many() -> None:
    results = Results()
    answered = command_line._answered(
        results, "c", [Run(1.0, 1.0, 151 << 20, {"rows": 1})], "export"
    )
    answered("rows", 2)
    assert list(results.failures()) == [
        "missed: c, Tandem: ≤ 150 MB wanted, 151 MB reached",
        "wrong: c, Tandem: 2 rows",
    ]
