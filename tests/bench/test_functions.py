"""`python -m bench`: its rows and its bar. No time is asserted."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from bench import __main__ as command_line
from bench import report
from bench.calls import Cost
from bench.starts import Start, module_of
from infra.postprocess.functions import API, FUNCTIONS


@pytest.mark.parametrize(("ratio", "fast"), [(1.2, True), (1.21, False)])
@pytest.mark.parametrize("name", ["api", "mail"])
def test_every_start_has_a_bar(name: str, ratio: float, *, fast: bool) -> None:
    started = [Start("bare", 200, 1), Start(name, 200 * ratio, ratio), Start("seal", 150, 0.75)]
    assert command_line.fast_enough(started) is fast


def test_everything_is_in_one_table(tmp_path: Path) -> None:
    packed = tmp_path / "code.zip"
    with zipfile.ZipFile(packed, "w") as code:
        code.writestr("boto3/__init__.py", "x" * 2000)
    names = ("dynamodb:GetItem", "dynamodb:GetItem", "dynamodb:PutItem")
    cost = Cost("POST confirm", names, 1.5, 4, 1200, 30)
    sizes = command_line.zip_sizes(packed)
    rows = list(command_line.rows([Start("api", 283.4, 1.3)], sizes, [cost]))
    assert sizes["unpacked"] == sizes["boto3"] == 2000
    assert report.table(command_line.COLUMNS, rows).splitlines() == [
        "| what | name | figure | detail |",
        "| --- | --- | --- | --- |",
        "| start | api | 283 ms | 1.30 × bare; bar ≤ 1.2 ×, MISSED |",
        "| zip | zip | 2 KB |  |",
        "| zip | unpacked | 2 KB |  |",
        "| zip | boto3 | 2 KB |  |",
        (
            "| calls | POST confirm | 2 GetItem, PutItem"
            " | 1.5 RU, 4 WU; 1,200 bytes sent, 30 received |"
        ),
    ]


def test_a_start_imports_what_lambda_imports() -> None:
    assert module_of(API) == "app"
    assert module_of("MailEvents") == "chalicelib.functions.mail_events"
    assert len({module_of(logical_id) for logical_id in FUNCTIONS}) == len(FUNCTIONS)
