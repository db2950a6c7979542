"""What alarms watch is counted when it happens and never otherwise, and one part of a scheduled run
that fails holds up no other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib import daily_checks
from chalicelib.adapters.dynamodb.codec import entity_item, fact_of
from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.adapters.lists.current import CurrentLists
from chalicelib.domain.files.orders import COLUMNS
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.list_ports import ListUnavailableError
from chalicelib.services.operations import (
    check_facts,
    reconcile,
    seal,
)
from chalicelib.services.ports import ContentionError
from infra.postprocess.functions import FUNCTIONS
from tests import functions
from tests.api.gateway import Request
from tests.api.requests import GOOD, PURCHASE, bearer
from tests.api.world import (
    CAMPAIGN,
    CUSTOMER,
    OTHER_VIP,
    STRANGER,
    TABLE,
    World,
    customer_list,
    posting,
    stream_event,
)
from tests.fakes.campaign import campaign

WATCHED = {"FileRefused", "FileQuarantined", "ListRefused"}
LATER = "fact of a later version"

Counted = Callable[[], dict[str, float]]


@pytest.fixture
def counted(capsys: pytest.CaptureFixture[str]) -> Counted:
    """The metrics since the last call, summed, without their dimensions."""

    def lines() -> Iterator[dict[str, Any]]:
        for line in capsys.readouterr().out.splitlines():
            metrics = json.loads(line)
            if "_aws" in metrics:
                yield metrics

    def summed() -> dict[str, float]:
        found: dict[str, float] = {}
        for metrics in lines():
            for name, values in metrics.items():
                if isinstance(values, list):
                    found[name] = found.get(name, 0) + sum(values)
        return found

    return summed


def broken(*_: object, **__: object) -> Any:
    raise ZeroDivisionError


def test_each_decision_that_has_no_list_to_rest_on_is_counted(
    world: World, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_old(*_: object, **__: object) -> None:
        raise ListUnavailableError("too_old")

    invite, sign_in = GOOD["invite"](world), GOOD["sign_in"](world)
    assert "ListUnavailable" not in counted()
    monkeypatch.setattr(CurrentLists, "find", too_old)
    for request in (invite, sign_in):
        assert world.ask(request).status == 202
        world.run()
        assert counted()["ListUnavailable"] == 1


def test_a_refused_file_is_counted_once_as_a_list_as_a_file_or_as_an_incident(
    world: World, counted: Counted
) -> None:
    accepted = world.drop("customers/full/new.csv", customer_list(CUSTOMER, OTHER_VIP))
    assert accepted["status"] == "accepted"
    assert not counted().keys() & WATCHED
    assert world.drop("customers/full/wrong.csv", b"digest\nwrong\n")["status"] == "refused"
    world.run()
    assert counted().keys() & WATCHED == {"ListRefused"}
    assert world.drop("orders/none.csv", f"{','.join(COLUMNS)}\n".encode())["status"] == "accepted"
    assert not counted().keys() & WATCHED
    assert world.drop("orders/wrong.csv", b"order_id\n1\n")["status"] == "refused"
    assert counted().keys() & WATCHED == {"FileRefused"}
    for path in ("customers/full/plain.csv", "orders/plain.csv"):
        refused = world.drop(path, f"digest\n{STRANGER}\n".encode())
        assert refused["status"] == "refused"
        world.run()
        assert counted().keys() & WATCHED == {"FileQuarantined"}


def test_what_is_delivered_again_is_in_no_line_of_numbers(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.ask(GOOD["sign_in"](world))
    event = stream_event(world.facts())
    for _ in range(2):
        assert functions.project(event) == {"batchItemFailures": []}
    [numbers] = [vars(one) for one in caplog.records if one.getMessage() == "counted"]
    assert numbers["SignInRequested"] == 1


def test_a_fact_that_no_alarm_looks_at_is_no_metric(world: World, counted: Counted) -> None:
    counted()
    world.invited()
    assert counted().keys() == {"SignInRequested"}


def test_a_fact_of_a_later_version_is_counted_and_named(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.sign_in()
    [known, *_] = map(fact_of, world.facts())
    later = replace(known, fact_id="later", name="order_praised", counted=False)
    world.ports.repository.commit(facts=[later])
    world.run()
    [line] = [vars(one) for one in caplog.records if one.getMessage() == LATER]
    assert line["fact"] == "order_praised"


@pytest.mark.parametrize(
    "part",
    [
        "functions.report.write_report",
        "daily_checks.write_statements",
        "weekly_report.write_weekly_report",
    ],
)
def test_a_daily_file_that_fails_holds_up_no_other_and_rings_once(
    world: World,
    counted: Counted,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
) -> None:
    world.voucher()
    world.clock.pass_by(hours=20)
    monkeypatch.setattr(f"chalicelib.{part}", broken)
    counted()
    functions.report()
    assert counted()["NotHandled"] == 1
    assert {"compared with the files", "balanced"} <= set(caplog.messages)


def test_a_statement_that_fails_keeps_no_other_campaign_from_its_comparison(
    world: World, counted: Counted, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    put_campaign(world.ports, campaign(campaign="second"))
    world.clock.pass_by(hours=20)
    monkeypatch.setattr(daily_checks, "write_statements", broken)
    counted()
    functions.report()
    assert caplog.messages.count("compared with the files") == 2
    assert counted()["NotHandled"] == 2


def test_a_table_that_cannot_be_read_whole_keeps_nobody_from_the_balance(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    agrees = [(world.ports.campaigns.get(CAMPAIGN), 0)]
    monkeypatch.setattr(daily_checks, "write_reconciliations", broken)
    monkeypatch.setattr(daily_checks, "write_balances", lambda *_, **__: agrees)
    functions.report()
    assert "balanced" in caplog.messages


def test_a_voucher_that_cannot_be_read_rings_and_the_others_are_compared(
    world: World,
    counted: Counted,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(daily_checks, "write_balances", lambda *_, **__: ())
    world.voucher()
    functions.export()
    [voucher] = world.ports.repository.every_voucher()
    worse = entity_item(voucher) | {"state": {"S": "praised"}}
    world.clients.dynamodb.put_item(TableName=TABLE, Item=worse)
    world.clock.pass_by(hours=20)
    counted()
    functions.report()
    assert "compared with the files" in caplog.messages
    assert counted() == {"NotHandled": 1}
    [line] = [vars(one) for one in caplog.records if one.getMessage() == "not handled"]
    assert line["item"] == voucher.voucher_id


def ordered(request: Request) -> dict[str, Any]:
    """The order of a call of one."""
    [order] = json.loads(request.body or b"")["orders"]
    return dict(order)


def spoil(world: World, kind: str) -> None:
    """Make every item of a kind one that cannot be read."""
    for item in world._of_kind(kind):
        needed = {"status", "document", "state", "lines"}
        worse = {name: value for name, value in item.items() if name not in needed}
        world.clients.dynamodb.put_item(TableName=TABLE, Item=worse)


def test_an_order_that_cannot_be_recorded_keeps_no_other_of_its_call_and_rings(
    world: World, counted: Counted, caplog: pytest.LogCaptureFixture
) -> None:
    request = GOOD["post_orders"](world)
    world.ask(request)
    order = ordered(request)
    spoil(world, "ORDER")
    counted()
    strange = order | {"order_id": "A9", "voucher_code": "", "email_digest": "ab" * 32}
    answer = world.ask(posting(request.path, {"orders": [strange, order, strange]}))
    assert [one["status"] for one in answer.json()["results"]] == [200, 503, 200]
    assert counted()["NotHandled"] == 1
    [line] = [vars(one) for one in caplog.records if one.getMessage() == "not handled"]
    assert (line["kind"], line["item"]) == ("reported order", "2")


@pytest.mark.parametrize("error", [ContentionError("busy"), OSError("no answer")])
def test_a_refusal_at_the_till_that_cannot_be_counted_is_answered_and_rings(
    world: World,
    counted: Counted,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def takes_nothing(*_: object, **__: object) -> None:
        raise error

    too_small = posting(GOOD["redeem_voucher"](world).path, PURCHASE | {"amount": "1.00"})
    [voucher] = world.ports.repository.every_voucher()
    counted()
    with monkeypatch.context() as broken_table:
        broken_table.setattr(DynamoRepository, "commit", takes_nothing)
        answer = world.ask(too_small)
    assert (answer.status, answer.problem) == (409, "below-minimum-basket")
    assert counted()["NotHandled"] == 1
    [line] = [vars(one) for one in caplog.records if one.getMessage() == "not handled"]
    assert (line["kind"], line["item"]) == ("refused redemption", voucher.voucher_id)
    assert world._of_kind("REDEMPTION_REFUSAL") == []
    again = world.ask(too_small)
    assert (again.status, again.body) == (answer.status, answer.body)
    assert len(world._of_kind("REDEMPTION_REFUSAL")) == 1
    assert "NotHandled" not in counted()


def test_a_campaign_that_cannot_be_read_keeps_no_order_of_another_and_rings(
    world: World, counted: Counted
) -> None:
    request = GOOD["post_orders"](world)
    order = ordered(request)
    spoil(world, "CAMPAIGN")
    counted()
    strange = order | {"order_id": "A9", "voucher_code": "", "email_digest": "ab" * 32}
    answer = world.ask(posting(request.path, {"orders": [strange, order]}))
    assert [one["status"] for one in answer.json()["results"]] == [200, 503]
    assert counted()["NotHandled"] == 1


@pytest.mark.parametrize("name", ["get_dashboard", "get_wall"])
def test_a_record_that_cannot_be_read_keeps_nobody_from_the_dashboard_and_rings(
    world: World, counted: Counted, name: str
) -> None:
    request = GOOD[name](world)
    world.invite(world.sign_in(), STRANGER)
    assert world.ask(request).json()["acts"]
    records = len(world._of_kind("JOURNAL_PART"))
    spoil(world, "JOURNAL_PART")
    counted()
    answer = world.ask(request)
    assert (answer.status, answer.json()["acts"]) == (200, [])
    assert counted()["NotHandled"] == records > 0


def test_a_campaign_that_cannot_be_read_hides_no_other_and_rings(
    world: World, counted: Counted
) -> None:
    spoil(world, "CAMPAIGN")
    put_campaign(world.ports, campaign(campaign="other"))
    counted()
    answer = world.get("/v1/ops/campaigns")
    assert [one["campaign"] for one in answer.json()["campaigns"]] == ["other"]
    assert counted()["NotHandled"] == 1


def test_an_invitation_that_cannot_be_read_keeps_no_sponsor_from_her_page_and_rings(
    world: World, counted: Counted, caplog: pytest.LogCaptureFixture
) -> None:
    session = world.sign_in()
    world.invite(session, STRANGER)
    [item] = world._of_kind("INVITATION")
    spoil(world, "INVITATION")
    counted()
    answer = world.get("/v1/sponsor", Authorization=bearer(session))
    assert (answer.status, answer.json()["invitations"]) == (200, [])
    assert counted()["NotHandled"] == 1
    [line] = [vars(one) for one in caplog.records if one.getMessage() == "not handled"]
    assert (line["kind"], line["item"]) == ("INVITATION", item["invitation_id"]["S"])


def test_a_voucher_that_cannot_be_read_keeps_no_referee_from_her_page_and_rings(
    world: World, counted: Counted
) -> None:
    token = world.invite(world.sign_in(), STRANGER)
    path = f"/v1/invitations/{token}"
    assert world.confirm(token).status == 201
    world.run()
    spoil(world, "VOUCHER")
    counted()
    answer = world.get(path)
    assert (answer.status, answer.json()["vouchers"]) == (200, [])
    assert counted()["NotHandled"] == 1


def test_what_reconcile_finds_is_counted_though_the_check_of_facts_fails(
    world: World, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.invited()
    world.clock.pass_by(hours=3)  # and nothing was sealed
    counted()
    monkeypatch.setattr("chalicelib.functions.reconcile.check_facts", broken)
    functions.reconcile()
    numbers = counted()
    assert numbers["ReconcileFinding"] > 0
    assert numbers["NotHandled"] == 1


def test_the_check_of_facts_ends_well_before_its_function_is_killed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted from the beginning of the run, whatever the other findings took."""
    ends: list[datetime] = []

    def checked(*_: object, until: datetime, **__: object) -> check_facts.FactReport:
        ends.append(until)
        return check_facts.FactReport()

    def slow(*_: object) -> dict[str, int]:
        world.clock.pass_by(minutes=4)
        return found

    found = reconcile.reconcile(world.ports)
    monkeypatch.setattr("chalicelib.functions.reconcile.find_stuck", slow)
    monkeypatch.setattr("chalicelib.functions.reconcile.check_facts", checked)
    began_at = world.clock()
    functions.reconcile()
    [until] = ends
    timeout = timedelta(seconds=FUNCTIONS["Reconcile"].timeout_s)
    assert timedelta(minutes=10) < until - began_at < timeout - timedelta(minutes=1)


def test_law_10_a_campaign_whose_journal_cannot_be_written_rings(
    world: World,
    counted: Counted,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world.run()
    counted()
    monkeypatch.setattr(seal, "_chain_on", broken)
    functions.seal()
    assert counted() == {"NotHandled": 1}
    [line] = [vars(one) for one in caplog.records if one.getMessage() == "campaign failed"]
    assert line["correlation"] == CAMPAIGN
