"""What schedules count: each number under the metric that its alarm watches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from chalicelib import bootstrap, daily_checks
from chalicelib.domain.fact_checks import FactCheck, first_check
from chalicelib.services.operations.reconcile import FINDINGS
from chalicelib.services.ports import ContentionError, Replace
from tests import functions
from tests.api.requests import PURCHASE
from tests.api.world import CAMPAIGN, VIP, World
from tests.fakes.fuse import KilledError

NUMBERS = ("ReconcileFinding", "ListUnavailable")
LATE = ("ExportUnacknowledged", "OrdersMissing", "CodesLow", "InvitationsStopped")


def counted(reported: str, names: Sequence[str] = NUMBERS) -> dict[str, float]:
    """The metrics in the lines of one run, each written once at most."""
    lines = [json.loads(line) for line in reported.splitlines()]
    found = dict.fromkeys(names, 0.0)
    for line in lines:
        if "_aws" in line:
            found |= {name: line[name][0] for name in names if name in line}
    return found


def run(capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    functions.reconcile()
    return capsys.readouterr().out


def test_lists_too_old_count_as_unavailable_and_are_no_finding(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.run()
    functions.seal()
    assert counted(run(capsys)) == {"ReconcileFinding": 0, "ListUnavailable": 0}
    world.clock.pass_by(days=300)
    # Its other runs of these days left no fact unchecked.
    check = bootstrap.ports().repository.get(FactCheck)
    assert check
    checked = replace(check, hour=first_check(world.clock()).hour)
    bootstrap.ports().repository.commit(Replace(checked))
    assert counted(run(capsys)) == {"ReconcileFinding": 0, "ListUnavailable": 2}


def test_a_fact_that_was_lost_is_named_counted_and_put_right(
    world: World, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    run(capsys)
    assert world.post(f"/v1/campaigns/{CAMPAIGN}/sign-in", {"email": VIP}).status == 202
    world._relayed |= {item["fact_id"]["S"] for item in world.facts()}  # lost by the stream
    world.clock.pass_by(hours=2)
    lines = [json.loads(line) for line in run(capsys).splitlines()]
    found = [vars(line) for line in caplog.records if line.getMessage() == "fact"]
    named = {(line["fact"], line["missing"]) for line in found}
    assert named == {
        ("campaign_put", "facts_not_counted"),
        ("sign_in_requested", "facts_not_counted"),
        ("sign_in_requested", "facts_not_done"),
    }
    by_reason = [line["reason"] for line in lines if "FactFinding" in line]
    assert sorted(by_reason) == ["campaign_put", "sign_in_requested", "sign_in_requested"]
    [metrics] = [line for line in lines if "ReconcileFinding" in line and "_aws" in line]
    assert (metrics["ReconcileFinding"], metrics["SignInRequested"]) == ([3], [1])
    numbers = [vars(line) for line in caplog.records if line.getMessage() == "counted"]
    for name in ("CampaignPut", "SignInRequested"):
        assert sum(line.get(name, 0) for line in numbers) == 1
    world.run()
    assert world.last_to(VIP).recipient == VIP


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
def test_what_the_client_is_late_with_has_metrics_of_its_own_and_rings_there_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert counted(run(capsys), LATE) == dict.fromkeys(LATE, 0)
    found = dict.fromkeys((*FINDINGS, "lists_too_old"), 0)
    found |= {"unacknowledged": 1, "orders_missing": 2, "codes_low": 3, "invitations_stopped": 4}
    monkeypatch.setattr("chalicelib.functions.reconcile.find_stuck", lambda *_: found)
    reported = run(capsys)
    assert counted(reported, LATE) == dict(zip(LATE, (1, 2, 3, 4), strict=True))
    assert counted(reported)["ReconcileFinding"] == 0


def test_the_differences_of_a_day_are_counted_by_every_run(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run killed when the report is there, and before its metrics are out, loses no alarm."""

    def reported() -> dict[str, float]:
        capsys.readouterr()
        functions.report()
        return counted(capsys.readouterr().out, ["ReconciliationDifference"])

    def killed(*_: object) -> None:
        raise KilledError

    assert reported() == {"ReconciliationDifference": 0}
    world.voucher()
    functions.export()
    [voucher] = world.ports.repository.every_voucher()
    world.ports.repository.commit(Replace(replace(voucher, value_minor=1)))
    world.clock.pass_by(days=1)
    with monkeypatch.context() as kill:
        kill.setattr(daily_checks, "count", killed)
        with pytest.raises(KilledError):
            functions.report()
    assert world.file(f"out/demo-vip/reports/reconciliation-{world.clock():%Y-%m-%d}.csv")
    assert reported() == reported() == {"ReconciliationDifference": 1}
    world.clock.pass_by(days=1)
    world.ports.repository.commit(Replace(replace(voucher, revision=voucher.revision + 1)))
    assert reported() == {"ReconciliationDifference": 0}


def test_a_number_used_before_rings_and_holds_up_no_change_of_an_earlier_export(
    world: World, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    code = world.voucher()
    functions.export()
    used_before = "out/demo-vip/vouchers/00000002.csv.gz"
    world.ports.files.write(used_before, b"the export of a table that was restored")
    world.voucher("someone.else@demo.test")
    redeemed = world.post(f"/v1/client/vouchers/{code}/redemptions", PURCHASE)
    assert redeemed.status == 201
    capsys.readouterr()
    functions.export()
    assert counted(capsys.readouterr().out, ["FileDiffers", "NotHandled"]) == {
        "FileDiffers": 1, "NotHandled": 0,
    }  # fmt: skip
    [line] = [vars(one) for one in caplog.records if one.getMessage() == "file has other content"]
    assert (line["campaign"], line["path"]) == ("demo-vip", used_before)
    assert world.file("out/demo-vip/changes/00000001.csv.gz")


def test_what_another_run_is_at_is_left_to_it_and_is_no_failure(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def contended(*_: object, **__: object) -> None:
        raise ContentionError("another run")

    world.voucher()
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("chalicelib.functions.export.export_vouchers", contended)
        functions.export()
    [line] = [vars(one) for one in caplog.records if one.getMessage() == "left to the next run"]
    assert line["number"] == 1
    functions.export()
    [voucher] = world.ports.repository.every_voucher()
    assert voucher.export == 1
    assert caplog.messages.count("left to the next run") == 1
