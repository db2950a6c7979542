"""What the schedule of `reconcile` counts: each number under the metric that its alarm watches."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from chalicelib import functions
from chalicelib.services.operations.reconcile import FINDINGS
from tests.api.world import World

NUMBERS = ("ReconcileFinding", "ListTooOld")
LATE = ("ExportUnacknowledged", "OrdersMissing", "CodesLow")


def counted(reported: str, names: Sequence[str] = NUMBERS) -> dict[str, float]:
    """The metrics in the lines of one run."""
    lines = [json.loads(line) for line in reported.splitlines()]
    [metrics] = [line for line in lines if "_aws" in line]
    return {name: metrics[name][0] for name in names}


def run(capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    functions.reconcile()
    return capsys.readouterr().out


def test_lists_too_old_have_a_metric_of_their_own_and_are_no_finding(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert counted(run(capsys)) == {"ReconcileFinding": 0, "ListTooOld": 0}
    world.clock.pass_by(days=300)
    assert counted(run(capsys)) == {"ReconcileFinding": 0, "ListTooOld": 2}


def test_the_progress_of_rekeying_is_logged_and_is_not_a_finding(
    world: World, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert counted(run(capsys))["ReconcileFinding"] == 0
    world.clock.pass_by(minutes=30)
    run(capsys)
    lines = [vars(line) for line in caplog.records if line.getMessage() == "reconciled"]
    # A campaign put just now is not certain yet.
    assert [line["campaigns_to_rekey"] for line in lines] == [1, 0]
    assert [line["referrals_to_rekey"] for line in lines] == [0, 0]


@pytest.mark.usefixtures("world")
def test_what_the_client_is_late_with_has_metrics_of_its_own_and_is_a_finding(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert counted(run(capsys), LATE) == dict.fromkeys(LATE, 0)
    found = dict.fromkeys((*FINDINGS, "lists_too_old"), 0)
    found |= {"unacknowledged": 1, "orders_missing": 2, "codes_low": 3}
    monkeypatch.setattr("chalicelib.services.operations.reconcile.reconcile", lambda *_: found)
    reported = run(capsys)
    assert counted(reported, LATE) == dict(zip(LATE, (1, 2, 3), strict=True))
    assert counted(reported)["ReconcileFinding"] == 6


def test_the_differences_of_a_day_are_counted_once(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def reported() -> list[float]:
        capsys.readouterr()
        functions.report()
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [line["ReconciliationDifference"][0] for line in lines if "_aws" in line]

    assert reported() == [0]
    assert reported() == []
    world.clock.pass_by(days=1)
    assert reported() == [0]
