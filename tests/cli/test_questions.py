"""What an operator asks: each question has a command, and the same as JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from chalicelib.adapters.dynamodb.codec import fact_json
from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.domain.codes import complete, format_code
from chalicelib.domain.eligibility import Reason
from chalicelib.domain.exports import Export, ExportState
from chalicelib.domain.fact_bodies import InvitationExpired, InvitationReceived, VoucherIssued
from chalicelib.domain.facts import Fact, FactBody
from chalicelib.domain.invitations import ClosingReason, Decision, Invitation, InvitationState
from chalicelib.domain.lists.model import CurrentList, HeldList
from chalicelib.domain.mails import Mail, MailState
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import SpareCode, Voucher, VoucherState
from chalicelib.services.list_ports import StoredSegment
from chalicelib.services.ports import Insert, Remove, Replace
from cli.queues import QUEUES, SCHEDULE, STREAM
from tests.cli.conftest import REGION, TABLE, Tandem
from tests.contract.entities import ENTITIES
from tests.fakes.lists import current_list

pytestmark = pytest.mark.slow

CAMPAIGN = "demo-vip"
DEMO = Path(__file__).parents[2] / "local/demo/demo-vip.yaml"
NOW = datetime.now(UTC).replace(microsecond=0)
AN_HOUR_AGO = NOW - timedelta(hours=1)
KEY = complete("A" * 13)
[VOUCHER] = [
    replace(
        one, state=VoucherState.EXPORTED, acknowledged_at=None, redeemed_by=None, revoked_at=None,
        ended_at=None, replaces=None, replaced_by=None, refused_reason=None, revision=0,
        code_key=KEY, code=format_code("WE", KEY),
        campaign=CAMPAIGN, issued_at=AN_HOUR_AGO, valid_from=AN_HOUR_AGO,
        valid_until=NOW + timedelta(days=30),
    )
    for one in ENTITIES
    if isinstance(one, Voucher)
]  # fmt: skip
[REWARD] = [one for one in ENTITIES if isinstance(one, Reward)]
[INVITATION] = [
    replace(
        one, revision=0, campaign=CAMPAIGN, received_at=AN_HOUR_AGO, ended_at=None,
        referral_id=None, closes_at=NOW + timedelta(days=13), sent_at=AN_HOUR_AGO,
    )
    for one in ENTITIES
    if isinstance(one, Invitation)
]  # fmt: skip


def fact(body: FactBody, subject: str, at: datetime = AN_HOUR_AGO) -> Fact:
    name = type(body).__name__
    return Fact.of(
        body,
        fact_id=f"{name}-{subject}",
        campaign=CAMPAIGN,
        subject=subject,
        at=at,
        correlation="k",
    )


ISSUED = fact(VoucherIssued.of(VOUCHER, REWARD), VOUCHER.voucher_id)


@pytest.fixture
def demo(stack: DynamoRepository, tandem: Tandem) -> DynamoRepository:
    """The demo campaign in force, and every queue of a stack."""
    assert tandem("campaign", "put", DEMO).exit_code == 0
    sqs = boto3.client("sqs", region_name=REGION)
    for queue in QUEUES:
        for name in (
            (queue, f"{queue}-dead") if queue not in {STREAM, SCHEDULE} else (f"{queue}-dead",)
        ):
            sqs.create_queue(QueueName=f"{TABLE}-{name}")
    return stack


def asked(tandem: Tandem, *words: object, code: int = 0) -> Any:
    """The JSON that a command prints."""
    result = tandem(*words, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


# --- a voucher ------------------------------------------------------------------------------------


@pytest.fixture
def issued(demo: DynamoRepository) -> DynamoRepository:
    demo.commit(
        Insert(VOUCHER), facts=[fact(VoucherIssued.of(VOUCHER, REWARD), VOUCHER.voucher_id)]
    )
    return demo


@pytest.mark.usefixtures("issued")
def test_a_voucher_is_shown_by_its_code_as_somebody_types_it(tandem: Tandem) -> None:
    shown = tandem("voucher", "show", VOUCHER.code.lower())
    assert shown.exit_code == 0
    lines = dict(re.split(r" {2,}", line, maxsplit=1) for line in shown.stdout.splitlines())
    assert (lines["voucher"], lines["state"], lines["value"]) == ("v", "exported", "10.00 EUR")
    assert "redeemed by order" not in lines
    assert VOUCHER.code not in shown.output
    record = asked(tandem, "voucher", "show", VOUCHER.code)
    assert (record["export"], record["refused_now"]) == (1, None)


def test_why_a_till_would_refuse_a_voucher_now_is_said(
    issued: DynamoRepository, tandem: Tandem
) -> None:
    stored = issued.get(Voucher, code_key=KEY)
    assert stored
    issued.commit(Replace(replace(stored, valid_until=AN_HOUR_AGO)))
    assert asked(tandem, "voucher", "show", VOUCHER.code)["refused_now"] == "expired"


@pytest.mark.usefixtures("issued")
def test_the_history_of_a_voucher_is_its_facts(tandem: Tandem) -> None:
    [happened] = asked(tandem, "voucher", "history", VOUCHER.code)
    assert (happened["fact"], happened["at"]) == ("voucher_issued", AN_HOUR_AGO.isoformat())
    assert "voucher_issued" in tandem("voucher", "history", VOUCHER.code).stdout


@pytest.mark.usefixtures("issued")
@pytest.mark.parametrize("command", ["show", "history"])
def test_a_code_that_no_voucher_has_is_an_error_that_does_not_repeat_it(
    tandem: Tandem, command: str
) -> None:
    result = tandem("voucher", command, "WE-22222-22222-2222")
    assert (result.exit_code, result.output) == (1, "no voucher has this code\n")


# --- an invitation --------------------------------------------------------------------------------


def invited(demo: DynamoRepository, invitation: Invitation, *others: Fact) -> None:
    received = fact(InvitationReceived.of(invitation), invitation.invitation_id)
    demo.commit(Insert(invitation), facts=[received, *others])


def test_an_invitation_is_shown_without_the_address(demo: DynamoRepository, tandem: Tandem) -> None:
    invited(demo, INVITATION)
    record = asked(tandem, "invitation", "show", "i")
    assert (record["state"], record["sponsor"], record["decision"]) == ("sent", "s", "eligible")
    assert INVITATION.masked not in tandem("invitation", "show", "i").output


REFUSED = Decision(
    reason=Reason.CUSTOMER, decided_at=AN_HOUR_AGO, campaign_version=1, customers_version=2
)
CLOSED = replace(INVITATION, state=InvitationState.EXPIRED, ended_at=NOW)
WHY = [
    (INVITATION, ["nobody has answered"]),
    (replace(INVITATION, state=InvitationState.REFUSED, decision=REFUSED, sent_at=None),
     ["refused: customer", "customer list version 2"]),
    (replace(INVITATION, state=InvitationState.RECEIVED, decision=None, sent_at=None),
     ["nobody has decided", "young enough list of customers", "young enough list of vips"]),
    (replace(INVITATION, state=InvitationState.RECEIVED, sent_at=None), ["not noted as sent"]),
    (CLOSED, ["closed at", "became_customer"]),
    (replace(CLOSED, state=InvitationState.CONFIRMED, referral_id="r"), ["as referral r"]),
    (replace(CLOSED, state=InvitationState.DECLINED), ["declined at"]),
]  # fmt: skip


@pytest.mark.parametrize(("invitation", "words"), WHY)
def test_why_an_invitation_is_where_it_is_is_said_in_words(
    demo: DynamoRepository, tandem: Tandem, invitation: Invitation, words: list[str]
) -> None:
    closed = InvitationExpired.unanswered(invitation, ClosingReason.BECAME_CUSTOMER)
    ends = [fact(closed, "i", NOW)] if invitation.state is InvitationState.EXPIRED else []
    invited(demo, invitation, *ends)
    said = tandem("invitation", "why", "i")
    assert said.exit_code == 0
    for each in words:
        assert each in said.stdout
    assert (
        len(asked(tandem, "invitation", "why", "i")["because"]) == len(said.stdout.splitlines()) - 1
    )


def test_an_undecided_invitation_waits_for_nothing_but_the_queue_where_both_lists_are_in_force(
    demo: DynamoRepository, tandem: Tandem
) -> None:
    for name in ("customers", "vips"):
        demo.commit(Insert(a_list(name)))
    invited(demo, replace(INVITATION, state=InvitationState.RECEIVED, decision=None, sent_at=None))
    assert "tandem queue list" in tandem("invitation", "why", "i").stdout


def a_list(name: str) -> CurrentList:
    return current_list(
        StoredSegment("lists/1.seg", "etag", 5), campaign=CAMPAIGN, name=name,
        accepted_at=AN_HOUR_AGO, key_id="demo",
    )  # fmt: skip


@pytest.mark.usefixtures("demo")
def test_an_unknown_invitation_is_reported_with_how_far_back_was_looked(tandem: Tandem) -> None:
    result = tandem("invitation", "show", "nobody", "--days", "2")
    assert result.exit_code == 1
    assert (
        result.output == "no invitation nobody of the last 2 days: look further back with --days\n"
    )


# --- exports, codes, mails ------------------------------------------------------------------------


@pytest.fixture
def exported(demo: DynamoRepository) -> DynamoRepository:
    written = Export(
        campaign=CAMPAIGN, number=1, state=ExportState.WRITTEN, opened_at=AN_HOUR_AGO, rows=3,
        written_at=NOW - timedelta(days=30), sha256="5a", acknowledged_at=NOW,
    )  # fmt: skip
    waiting = replace(written, number=2, acknowledged_at=None)
    still_open = replace(waiting, number=3, state=ExportState.OPEN, written_at=None, sha256=None)
    demo.commit(*map(Insert, (written, waiting, still_open)))
    return demo


@pytest.mark.usefixtures("exported")
def test_exports_are_listed_with_what_the_client_has_not_acknowledged(tandem: Tandem) -> None:
    every = asked(tandem, "export", "list", CAMPAIGN)
    assert [(one["export"], one["overdue"]) for one in every] == [(1, False), (2, True), (3, False)]
    some = asked(tandem, "export", "list", CAMPAIGN, "--unacknowledged")
    assert [one["export"] for one in some] == [2, 3]
    assert "unacknowledged" not in tandem("export", "list", CAMPAIGN).stdout


@pytest.mark.usefixtures("exported")
def test_one_export_is_shown_with_its_file(tandem: Tandem) -> None:
    shown = asked(tandem, "export", "show", CAMPAIGN, 2)
    assert shown["file"] == f"out/{CAMPAIGN}/vouchers/00000002.csv.gz"
    assert asked(tandem, "export", "show", CAMPAIGN, 3)["file"] is None
    result = tandem("export", "show", CAMPAIGN, 9)
    assert result.output == f"no export 9: list them with: tandem export list {CAMPAIGN}\n"


def test_the_clients_codes_are_counted_by_template(
    demo: DynamoRepository, tandem: Tandem, tmp_path: Path
) -> None:
    assert asked(tandem, "codes", "level", CAMPAIGN) == []
    document = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    document["templates"]["welcome"]["codes"] = "client"
    file = with_pictures_of_the_demo(tmp_path, document)
    assert tandem("campaign", "put", file).exit_code == 0
    [none] = asked(tandem, "codes", "level", CAMPAIGN)
    assert (none["template"], none["left"], none["low"]) == ("welcome", 0, True)
    for number in range(3):
        demo.commit(
            Insert(
                SpareCode(
                    campaign=CAMPAIGN, template="welcome", code_key=f"OWN{number}",
                    code=f"OWN-{number}", shard="#7",
                )
            )
        )  # fmt: skip
    [some] = asked(tandem, "codes", "level", CAMPAIGN)
    assert (some["left"], some["low"]) == (3, False)


def with_pictures_of_the_demo(folder: Path, document: Any) -> Path:
    for picture in DEMO.parent.glob("*.svg"):
        (folder / picture.name).write_bytes(picture.read_bytes())
    file = folder / "changed.yaml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return file


def test_mails_that_are_on_their_way_for_too_long_are_listed(
    demo: DynamoRepository, tandem: Tandem
) -> None:
    [example] = [one for one in ENTITIES if isinstance(one, Mail)]
    leased = replace(
        example, campaign=CAMPAIGN, state=MailState.LEASED, leased_at=AN_HOUR_AGO, revision=0,
        sent_at=None, problem=None, problem_at=None, ends_at=NOW + timedelta(days=3),
    )  # fmt: skip
    fresh = replace(leased, mail_id="fresh", leased_at=datetime.now(UTC))
    other = replace(leased, mail_id="other", campaign="other")
    demo.commit(*map(Insert, (leased, fresh, other)))
    [stuck] = asked(tandem, "mail", "list", CAMPAIGN, "--stuck")
    assert (stuck["mail"], stuck["problem"]) == (leased.mail_id, "leased")
    assert asked(tandem, "mail", "list", CAMPAIGN) == []


# --- queues ---------------------------------------------------------------------------------------


def test_the_queues_that_are_asked_for_are_those_of_the_template() -> None:
    template = Path(__file__).parents[2] / "infra/resources.yaml"
    text = template.read_text(encoding="utf-8")
    names = set(re.findall(r"QueueName: !Sub \"?tandem-\$\{Stage\}-([a-z-]+)", text))
    assert names == {
        *(f"{queue}-dead" for queue in QUEUES),
        *(queue for queue in QUEUES if queue not in {STREAM, SCHEDULE}),
    }


@pytest.mark.usefixtures("demo")
def test_the_length_of_every_queue_is_shown_and_what_a_dead_one_holds(tandem: Tandem) -> None:
    sqs = boto3.client("sqs", region_name=REGION)
    dead = sqs.get_queue_url(QueueName=f"{TABLE}-mail-dead")["QueueUrl"]
    for body in (fact_json(ISSUED), fact_json(ISSUED), "not a fact: zoe@example.fr"):
        sqs.send_message(QueueUrl=dead, MessageBody=body)
    by_name = {one["queue"]: one for one in asked(tandem, "queue", "list")}
    assert by_name.keys() == set(QUEUES)
    assert by_name["mail"] == {"queue": "mail", "waiting": 0, "in_work": 0, "dead": 3}
    assert by_name["stream"]["waiting"] is None
    for _ in range(2):  # nothing is taken
        shown = asked(tandem, "queue", "show", "mail")
        assert shown["by_name"] == {"not a fact": 1, "voucher_issued": 2}
    shown = tandem("queue", "show", "mail").output
    assert shown.splitlines()[0] == "3 messages"
    assert "zoe@example.fr" not in shown


# --- a campaign's versions ------------------------------------------------------------------------


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """The demo's file with another end, and without its last rule."""
    document = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    document["ends_on"] = document["ends_on"] + timedelta(days=1)
    document["rules"].pop()
    return with_pictures_of_the_demo(tmp_path, document)


@pytest.mark.usefixtures("demo")
def test_what_a_file_would_change_is_named_by_field(tandem: Tandem, changed: Path) -> None:
    assert asked(tandem, "campaign", "diff", DEMO) == []
    same = tandem("campaign", "diff", DEMO)
    assert same.output == f"campaign {CAMPAIGN}: no difference from version 1, in force\n"
    found = {one["field"]: one for one in asked(tandem, "campaign", "diff", changed, code=1)}
    assert found["ends_on"]["warning"]
    [vanished] = [name for name in found if name.endswith(".id")]
    assert "vanishes" in found[vanished]["warning"]
    assert tandem("campaign", "list").stdout.split().count("1") == 1


@pytest.mark.usefixtures("demo")
def test_versions_are_listed_shown_and_gone_back_to(tandem: Tandem, changed: Path) -> None:
    assert tandem("campaign", "put", changed).exit_code == 0
    first, second = asked(tandem, "campaign", "history", CAMPAIGN)
    assert (first["changed"], "ends_on" in second["changed"]) == (["new"], True)
    one = tandem("campaign", "show", CAMPAIGN, "--version", 1).stdout
    assert one.startswith("# version 1, ")
    dry = tandem("campaign", "rollback", CAMPAIGN, "--to", 1, "--dry-run")
    assert dry.stdout == f"campaign {CAMPAIGN}: nothing was put\n"
    back = tandem("campaign", "rollback", CAMPAIGN, "--to", 1)
    assert back.stdout == f"campaign {CAMPAIGN}: in force as version 3\n"
    now = tandem("campaign", "show", CAMPAIGN).stdout
    assert now.splitlines()[1:] == one.splitlines()[1:]
    missing = tandem("campaign", "rollback", CAMPAIGN, "--to", 9)
    assert missing.output.startswith(f"no version 9 of {CAMPAIGN}")


@pytest.mark.usefixtures("demo")
def test_at_a_terminal_a_change_is_asked_about_first(
    tandem: Tandem, changed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([False, True])
    monkeypatch.setattr("cli.asking._is_terminal", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: next(answers))
    refused = tandem("campaign", "put", changed)
    assert (refused.exit_code, refused.output.splitlines()[-1]) == (1, "nothing was put")
    assert tandem("campaign", "put", DEMO).exit_code == 0  # nothing changes: nothing is asked
    assert "as version 2" in tandem("campaign", "put", changed).stdout
    assert "as version 3" in tandem("campaign", "put", DEMO, "--yes").stdout


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("words", "otherwise"),
    [
        (("mail", "resend", CAMPAIGN, "v-1"), "nothing was sent"),
        (("mail", "resume", CAMPAIGN), "they are stopped still"),
        (("queue", "redrive", "mail"), "nothing was brought back"),
        (("reward", "release", "r.rule.1", "--campaign", CAMPAIGN), "nothing was released"),
        (("reward", "refuse", "r.rule.1", "--campaign", CAMPAIGN), "nothing was refused"),
        (("voucher", "replace", CAMPAIGN, VOUCHER.voucher_id), "nothing was issued"),
        (("wall", "revoke", "w-1", "--campaign", CAMPAIGN), "nothing was revoked"),
    ],
)
def test_at_a_terminal_what_changes_production_is_asked_about_first(
    tandem: Tandem, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], otherwise: str
) -> None:
    monkeypatch.setattr("cli.asking._is_terminal", lambda: True)
    monkeypatch.setattr("cli.vouchers.refused_vouchers", lambda *_: [VOUCHER])
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    refused = tandem(*words)
    assert (refused.exit_code, refused.output) == (1, f"{otherwise}\n")
    assert tandem(*words, "--yes").output != f"{otherwise}\n"


# --- how a stack is -------------------------------------------------------------------------------


def test_status_says_what_needs_somebody(demo: DynamoRepository, tandem: Tandem) -> None:
    found = asked(tandem, "status", code=1)
    needs = {one["about"] for one in found["campaigns"] if one["needs_somebody"]}
    assert {"list customers", "list vips"} <= needs
    old = replace(a_list("vips"), accepted_at=NOW - timedelta(days=400))
    demo.commit(Insert(old))
    [vips] = [
        one
        for one in asked(tandem, "status", code=1)["campaigns"]
        if one["about"] == "list vips" and one["needs_somebody"]
    ]
    assert re.fullmatch(r"version 1, \d+ rows, older than \d+ days", vips["state"])
    stored = demo.get(CurrentList, campaign=CAMPAIGN, name="vips")
    assert stored
    demo.commit(Remove(stored))
    for name in ("customers", "vips"):
        demo.commit(Insert(a_list(name)))
    after = asked(tandem, "status")
    assert not any(one["needs_somebody"] for one in after["campaigns"])
    assert after["queues"] == []
    sqs = boto3.client("sqs", region_name=REGION)
    dead = sqs.get_queue_url(QueueName=f"{TABLE}-due-dead")["QueueUrl"]
    sqs.send_message(QueueUrl=dead, MessageBody="{}")
    assert [one["queue"] for one in asked(tandem, "status", code=1)["queues"]] == ["due"]
    shown = tandem("status")
    assert "not-to-be-shown" not in shown.output
    assert ["table", TABLE] in [line.split() for line in shown.stdout.splitlines()]


def test_status_names_a_held_list_until_somebody_has_decided(
    demo: DynamoRepository, tandem: Tandem
) -> None:
    for name in ("customers", "vips"):
        demo.commit(Insert(a_list(name)))
    held = HeldList(
        campaign=CAMPAIGN, name="customers", mode="full", sha256="ab" * 32, path="customers/full/x",
        dropped_at=NOW, sequencer="1", reason="shrink_beyond_limit", detail="from 9 to 1", rows=1,
        held_at=NOW, ends_at=NOW + timedelta(days=30),
    )  # fmt: skip
    demo.commit(Insert(held))
    needs = [one for one in asked(tandem, "status", code=1)["campaigns"] if one["needs_somebody"]]
    assert [(one["about"], one["state"]) for one in needs] == [("list customers", "1 held")]
    assert tandem("list", "refuse", CAMPAIGN, "customers").exit_code == 0
    asked(tandem, "status")


@pytest.mark.parametrize(("days", "needs"), [(2, True), (9, False)])
def test_status_counts_held_rewards_which_need_somebody_before_time_decides(
    demo: DynamoRepository, tandem: Tandem, days: int, needs: bool
) -> None:
    for name in ("customers", "vips"):
        demo.commit(Insert(a_list(name)))
    assert REWARD.hold
    hold = replace(
        REWARD.hold, released_at=None, released_by=None, ends_at=NOW + timedelta(days=days)
    )
    held = replace(
        REWARD, campaign=CAMPAIGN, code_key=None, granted_at=None, refused_reason=None,
        revoked_at=None, is_used=False, voucher_id=None, in_budget=False, hold=hold, revision=0,
    )  # fmt: skip
    demo.commit(Insert(held))
    found = asked(tandem, "status", code=int(needs))["campaigns"]
    [rewards] = [one for one in found if one["about"] == "rewards"]
    assert rewards["state"] == f"1 held, the first until {hold.ends_at:%Y-%m-%d}"
    assert rewards["needs_somebody"] is needs


def test_a_queue_that_an_older_stack_lacks_is_named_and_the_others_are_counted(
    demo: DynamoRepository, tandem: Tandem
) -> None:
    for name in ("customers", "vips"):
        demo.commit(Insert(a_list(name)))
    sqs = boto3.client("sqs", region_name=REGION)
    for name in ("persons", "persons-dead"):
        sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=f"{TABLE}-{name}")["QueueUrl"])
    dead = sqs.get_queue_url(QueueName=f"{TABLE}-reward-dead")["QueueUrl"]
    sqs.send_message(QueueUrl=dead, MessageBody="{}")
    found = asked(tandem, "status", code=1)
    assert found["queues_not_there"] == ["persons"]
    assert [one["queue"] for one in found["queues"]] == ["reward"]
    last = tandem("status").stdout.splitlines()[-1]
    assert last == "queues that this stack does not have, of an earlier version: persons"
    unknown = tandem("queue", "show", "persons")
    assert unknown.exit_code == 1
    assert unknown.output == f"no queue {TABLE}-persons-dead: list them with: tandem queue list\n"


def test_the_version_of_the_command_is_that_of_the_project(tandem: Tandem) -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    [version] = re.findall(r'^version = "(.+)"', project, re.MULTILINE)
    assert tandem("--version").stdout == f"tandem {version}\n"
