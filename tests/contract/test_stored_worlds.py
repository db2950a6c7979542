"""A table and a bucket that an earlier version filled, served by this one."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.dynamodb.codec import fact_from_json
from chalicelib.domain import exports
from chalicelib.domain.addresses import Address, AddressDigests, DigestKey
from chalicelib.domain.campaign.lists import ListName
from chalicelib.domain.campaign.versions import CampaignVersion
from chalicelib.domain.effects import FUNNEL, Queue, deltas, funnel, totals
from chalicelib.domain.exports import Export, ExportPart, ExportState
from chalicelib.domain.files.orders import COLUMNS
from chalicelib.domain.files.receipt import Receipt
from chalicelib.domain.lists.model import FileRecord
from chalicelib.domain.mails import Mail, MailState
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.people import Sponsor
from chalicelib.domain.reconciliation import lacks_a_change
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.invitations.respond import confirm, view_offer
from chalicelib.services.journal import miscounts
from chalicelib.services.lists.roll_back import roll_back_list
from chalicelib.services.operations.dashboard import view_dashboard
from chalicelib.services.ports import Agenda, Remove, Replace
from chalicelib.services.vouchers.changes import write_changes
from tests.contract.inherited import Inherited, in_memory, on_aws
from tests.contract.kept import kept_world, versions
from tests.fakes.campaign import CAMPAIGN, CANARY, digest, digests
from tests.fakes.due import expire, reconcile
from tests.fakes.world import CUSTOMERS, VIPS

pytestmark = pytest.mark.slow

PLAIN = "demo-plain"  # the campaign with plain SHA-256
FIRST = [*CUSTOMERS, *VIPS, CANARY]
LEA, NINA, OMAR, PAULA, KIM, HUGO = (
    f"{name}@example.test" for name in ("lea", "nina", "omar", "paula", "kim", "hugo")
)


def list_of(*addresses: str) -> bytes:
    """A list file."""
    return "\n".join(["digest", *map(digest, addresses), ""]).encode()


SECOND_LIST = list_of(*FIRST)
THIRD_LIST = list_of(*FIRST, KIM, HUGO)


@pytest.fixture(params=versions("world-{}.json.gz"))
def world(request: pytest.FixtureRequest) -> Inherited:
    """A world of each version."""
    return in_memory(kept_world(request.param))


@pytest.fixture
def world_0_1() -> Inherited:
    """The world of 0.1.0."""
    return in_memory(kept_world("0.1.0"))


# --- looking -------------------------------------------------------------------------------------


def test_law_10_the_dashboard_agrees_with_the_journal(world: Inherited) -> None:
    world.run()
    shown = view_dashboard(world.ports, CAMPAIGN)
    assert miscounts(world.ports, world.campaign) == []
    facts = [fact_from_json(json.dumps(line)) for line in world.journal()]
    assert miscounts(world.ports, world.campaign) == []
    reported = totals(deltas(world.campaign, facts))
    assert dict(shown.funnel) == funnel(reported)
    never = {"found_on_later_list", "vouchers_replaced"}  # not counted by every version
    assert {name for name in FUNNEL if not shown.funnel[name]} <= never
    assert sum(shown.refused_by_reason.values()) == shown.funnel["refused"]
    assert all(status.in_force and status.rows > 4 for status in shown.lists.values())


def test_law_3_the_lists_are_looked_up_in(world: Inherited) -> None:
    assert [world.found(address) for address in [*CUSTOMERS, *VIPS]] == ["exact"] * 8
    assert world.found("customer1+alias@demo.test") is None
    assert world.found("nobody@example.test") is None
    assert [world.found(address, "vips") for address in (VIPS[0], CUSTOMERS[0])] == ["exact", None]


def test_law_3_earlier_lists_still_give_the_same_answers(world: Inherited) -> None:
    reported = [
        world.ports.lists.find_as_of("customers", CAMPAIGN, at, digests(KIM)).found
        for at in (datetime(2026, 3, 2, 20, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC))
    ]
    assert reported == [None, "exact"]


# --- lists ---------------------------------------------------------------------------------------


def drop_list(
    world: Inherited, path: str, content: bytes, generated_at: datetime | None = None
) -> Receipt:
    """Drop a list with a manifest, of now or of a day before."""
    manifest = {
        "rows": content.count(b"\n") - 1,
        "sha256": hashlib.sha256(content).hexdigest(),
        "key_id": "k1",
        "generated_at": (generated_at or world.clock()).isoformat(),
    }
    world.drop(f"customers/{path}.manifest.json", json.dumps(manifest).encode())
    world.clock.advance(seconds=1)
    return world.drop(f"customers/{path}.csv", content)


def test_law_7_a_new_list_comes_in_force(world: Inherited) -> None:
    before = world.current()
    receipt = drop_list(world, "full/new", list_of(*FIRST, "added@example.test"))
    assert (receipt.status, receipt.version) == ("accepted", before.version + 1)
    assert (world.found("added@example.test"), world.found(KIM)) == ("exact", None)


def test_law_7_a_list_that_an_earlier_version_took_in_is_known_again(world: Inherited) -> None:
    """Without the record of the file, the first list would replace the one that came after it."""
    before = world.current()
    current = drop_list(world, "full/third-again", THIRD_LIST, before.accepted_at)
    assert (current.status, current.version) == ("accepted", 2)
    replaced = drop_list(world, "full/second-again", SECOND_LIST, before.accepted_at)
    assert (replaced.status, replaced.reason) == ("refused", "replaced_by_a_later_list")
    assert world.current().version == before.version


def test_law_7_the_record_of_0_1_0_is_kept_on_in_its_new_place(world_0_1: Inherited) -> None:
    world = world_0_1
    world.clock.advance(hours=1)
    meant = drop_list(world, "full/second", SECOND_LIST)
    assert (meant.status, meant.version) == ("accepted", 3)
    seen = world.repository.get(
        FileRecord,
        campaign=CAMPAIGN,
        area="customers-full-k1",
        sha256=hashlib.sha256(SECOND_LIST).hexdigest(),
    )
    assert seen
    assert (seen.version, seen.revision) == (3, 1)


def test_a_delta_is_applied_to_an_earlier_list(world: Inherited) -> None:
    before = world.current()
    added = drop_list(world, "add/another", list_of("one@example.test"))
    removed = drop_list(world, "remove/kim", list_of(KIM))
    assert [one.outcome.effect for one in (added, removed) if one.outcome] == ["merged"] * 2
    assert world.current().version == before.version + 2
    found = [world.found(address) for address in ("one@example.test", KIM, HUGO, CUSTOMERS[0])]
    assert found == ["exact", None, "exact", "exact"]


def test_a_list_of_before_is_gone_back_to(world: Inherited) -> None:
    restored = roll_back_list(world.ports, CAMPAIGN, ListName.CUSTOMERS, 1, by="AIDAOPS")
    assert restored.rows == len(FIRST)
    assert (world.found(CUSTOMERS[0]), world.found(KIM)) == ("exact", None)


# --- people --------------------------------------------------------------------------------------


def test_a_referee_invited_before_confirms_now_and_gets_the_voucher(world: Inherited) -> None:
    token = world.before.tokens["nina"]
    assert view_offer(world.ports, token).sponsor_name == "Camille"
    referral, made = confirm(world.ports, token, "1", True)
    world.run()
    assert made
    held = world.repository.held_by(referral.referral_id)
    assert [(voucher.template, voucher.state) for voucher in held] == [
        ("welcome", VoucherState.ISSUED)
    ]


def test_law_2_an_invitation_in_the_queue_is_decided_and_sent_once(world: Inherited) -> None:
    world.run()
    world.repository.stream += map(fact_from_json, world.before.messages)  # delivered twice
    world.run()
    assert len(world.mailer.to(OMAR)) == 1


def test_a_voucher_mail_leased_before_is_sent_again_from_its_fact(world: Inherited) -> None:
    sent = next(mail for mail in world.memory.all(Mail) if mail.mail_kind == "voucher")
    leased = replace(sent, state=MailState.LEASED, sent_at=None, leased_at=world.clock())
    world.repository.commit(Replace(leased))
    world.clock.advance(hours=1)
    reconcile(world.ports)
    [fact] = world.queues.waiting[Queue.MAIL]
    assert fact.subject == sent.ids["voucher"]
    assert sent.caused_at is None


def test_law_1_a_referee_of_before_is_not_invited_again(world: Inherited) -> None:
    world.invite(world.sponsor(VIPS[4]), LEA, NINA)
    world.run()
    assert [world.mailer.to(address) for address in (LEA, NINA)] == [[], []]


# --- vouchers and orders -------------------------------------------------------------------------


def test_law_5_an_export_opened_before_is_written_with_parts_of_both(world: Inherited) -> None:
    opened = world.repository.get(Export, campaign=CAMPAIGN, number=3)
    assert opened
    assert (opened.state, opened.parts) == (ExportState.OPEN, 1)
    world.run()
    export = world.export()
    assert export
    assert (export.number, export.state, export.parts) == (3, ExportState.WRITTEN, 2)
    parts = world.repository.within(ExportPart, campaign=CAMPAIGN, number=3)
    assert [len(part.rows) for part in parts] == [opened.rows, export.rows - opened.rows]
    rows = [row for number in (1, 2, 3) for row in world.exported(number)]
    issued = [one for one in world.vouchers() if one.campaign == CAMPAIGN]
    assert Counter(row["code"] for row in rows) == Counter(one.code for one in issued)
    assert set(rows[-1]) == set(exports.VOUCHER_CELLS)
    late = [row for row in world.exported(3) if row["holder_digest"] == digest(LEA)]
    assert [(row["template"], row["value"]) for row in late] == [("welcome", "10.00")]


def test_law_5_a_column_added_since_is_empty_for_the_rows_of_before(
    world: Inherited, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = world.repository.get(Export, campaign=CAMPAIGN, number=3)
    monkeypatch.setitem(exports.VOUCHER_CELLS, "kind", lambda _: "money_off")
    world.run()
    export = world.export()
    assert export
    assert opened
    kinds = [row["kind"] for row in world.exported(3)]
    assert kinds == [""] * opened.rows + ["money_off"] * (export.rows - opened.rows)
    assert kinds[-1] == "money_off"


def test_an_export_of_before_is_acknowledged_and_its_mails_leave(world: Inherited) -> None:
    world.run()
    codes = [row["code"] for row in world.exported(2)]
    refused = f"code,reason\n{codes[0]},unknown\n".encode()
    assert world.drop("acks/00000002.ack", refused).status == "accepted"
    world.run()
    states = {one.code: one for one in world.vouchers() if one.code in codes}
    assert {code for code, one in states.items() if one.refused_reason} == {codes[0]}
    assert {one.acknowledged_at is None for code, one in states.items() if code != codes[0]} == {
        False
    }
    sent = {code for code in codes for mail in world.mailer.sent if code in mail.text}
    live = {code for code, one in states.items() if one.state is VoucherState.ACKNOWLEDGED}
    assert sent == live - {codes[0]} != set()


def test_law_4_an_order_of_before_is_kept_and_rewards_both(world: Inherited) -> None:
    assert world.drop_orders(world.order("L1", "kept", of=LEA)).status == "accepted"
    world.run()
    assert world.drop_orders(world.order("L1", "kept", of=LEA), file="twice").accepted == 1
    world.run()
    referral = world.referral_of(LEA)
    assert (referral.kept_orders, referral.newcomer) == (("L1",), True)
    held = world.repository.held_by(referral.referral_id)
    assert Counter(one.template for one in held) == {"welcome": 1, "second-order": 1}


def test_law_4_an_order_of_before_that_is_returned_takes_its_rewards_back(
    world: Inherited,
) -> None:
    bruno = world.referral_of("bruno@example.test")
    world.drop_orders(world.order("B1", "returned", of="bruno@example.test"))
    world.run()
    templates = {one.template: one for one in world.repository.held_by(bruno.referral_id)}
    revoked = templates["second-order"]
    assert (revoked.state, revoked.revoked_at) == (VoucherState.REVOKED, world.clock())
    reward = world.repository.get(
        Reward, referral_id=bruno.referral_id, rule="ladder-first", rung=1
    )
    assert reward
    assert reward.revoked_at == world.clock()


def test_a_cap_does_not_count_what_was_revoked_before(world: Inherited) -> None:
    """Versions to 0.2.0 left revoked rewards in the count of their sponsor."""
    [(referral, sponsor)] = [
        (referral, sponsor)
        for referral in world.repository.agenda(Referral, Agenda.REFERRALS, CAMPAIGN)
        if (sponsor := world.repository.get(Sponsor, sponsor_id=referral.sponsor_id))
        and sponsor.rewards > len(held_unrevoked(world, sponsor))
    ]
    known = referral.referee.for_client
    world.drop_orders(world.order("N1", "kept", email_digest=known))
    world.run()
    counted = world.repository.get(Sponsor, sponsor_id=sponsor.sponsor_id)
    assert counted
    assert counted.rewards == len(held_unrevoked(world, counted)) == 2


def held_unrevoked(world: Inherited, sponsor: Sponsor) -> list[str]:
    """The vouchers of a sponsor that were not revoked."""
    held = world.repository.held_by(sponsor.sponsor_id)
    return [one.voucher_id for one in held if one.state is not VoucherState.REVOKED]


def test_law_6_what_was_revoked_before_stays_so_when_its_redemption_is_rolled_back(
    world: Inherited,
) -> None:
    revoked = [one for one in world.vouchers() if one.state is VoucherState.REVOKED]
    assert revoked
    assert all(one.revoked_at == one.ended_at for one in revoked)


def order_under_plain_digests(world: Inherited) -> Referral:
    """The referee of the campaign with plain SHA-256 orders, and keeps it."""
    known = AddressDigests.of(Address.parse(PAULA), [DigestKey("k1", "sha256")]).pairs[0].exact
    row = world.order("P1", "kept", email_digest=known)
    lines = [",".join(COLUMNS), ",".join(row[name] for name in COLUMNS)]
    receipt = world.drop("orders/plain.csv", "\n".join(lines).encode(), PLAIN)
    assert receipt.accepted == 1
    world.run()
    [referral] = world.repository.agenda(Referral, Agenda.REFERRALS, PLAIN)
    return referral


def test_law_3_an_order_under_plain_digests_finds_a_newcomer(world: Inherited) -> None:
    """0.1.0 did not keep with which algorithm a digest was made."""
    referral = order_under_plain_digests(world)
    assert referral.newcomer is True
    held = world.repository.held_by(referral.referral_id)
    assert Counter(one.template for one in held) == {"welcome": 1, "second-order": 1}


@pytest.mark.parametrize("document", ["another algorithm", "none"])
def test_law_3_digests_of_an_unknown_algorithm_make_nobody_a_newcomer(
    world_0_1: Inherited, document: str
) -> None:
    world = world_0_1
    version = world.repository.get(CampaignVersion, campaign=PLAIN, version=1)
    assert version
    hmac = version.document.digests.model_copy(update={"file_algorithm": "hmac-sha256"})
    other = version.document.model_copy(update={"digests": hmac})
    gone = document == "none"
    world.repository.commit(Remove(version) if gone else Replace(replace(version, document=other)))
    referral = order_under_plain_digests(world)
    assert referral.newcomer is None
    held = world.repository.held_by(referral.referral_id)
    assert [one.template for one in held] == ["welcome"]


def test_what_time_does_and_the_watch_go_on(world: Inherited) -> None:
    world.run()
    reconcile(world.ports)
    world.clock.advance(days=15)
    done = expire(world.ports)
    assert done["invitations"] >= 2
    assert done["orders"] == 1
    world.run()
    order = world.repository.get(Order, campaign=CAMPAIGN, order_id="L1")
    assert order
    assert order.status is OrderStatus.KEPT


# --- on AWS --------------------------------------------------------------------------------------


def test_what_vouchers_became_under_an_earlier_version_is_in_files_of_changes(
    world: Inherited,
) -> None:
    world.run()
    world.export()
    ended = [one for one in world.memory.all(Voucher) if lacks_a_change(one)]
    assert {VoucherState.REDEEMED, VoucherState.REVOKED} <= {one.state for one in ended}
    world.clock.advance(hours=1)
    world.reconciliation()
    write_changes(world.ports, world.campaign)
    file = world.files.content[f"out/{CAMPAIGN}/changes/00000001.csv.gz"]
    rows = list(csv.DictReader(gzip.decompress(file).decode().splitlines()))
    here = {one.voucher_id for one in ended if one.campaign == CAMPAIGN}
    assert Counter(row["voucher"] for row in rows) == Counter(here)
    world.clock.advance(days=1)
    assert world.reconciliation() == 0


def test_a_table_that_0_1_0_filled_is_served(clients: Clients) -> None:
    """The same through every adapter: dashboard, look-up, list, export, acknowledgement, orders."""
    world = on_aws(kept_world("0.1.0"), clients)
    funnel = view_dashboard(world.ports, CAMPAIGN).funnel
    assert (funnel["confirmed"], funnel["vouchers_redeemed"]) == (5, 2)
    assert [world.found(address) for address in (KIM, "nobody@example.test")] == ["exact", None]
    receipt = drop_list(world, "full/new", list_of(*FIRST, "added@example.test"))
    assert (receipt.status, receipt.version) == ("accepted", 3)
    assert (world.found("added@example.test"), world.found(KIM)) == ("exact", None)
    assert world.drop_orders(world.order("L1", "kept", of=LEA)).status == "accepted"
    world.run()
    held = world.repository.held_by(world.referral_of(LEA).referral_id)
    assert Counter(one.template for one in held) == {"welcome": 1, "second-order": 1}
    export = world.export()
    assert export
    assert (export.number, export.parts) == (3, 2)
    assert world.drop("acks/00000003.ack", b"").status == "accepted"
    world.run()
    assert {one.state for one in world.repository.held_by(world.referral_of(LEA).referral_id)} == {
        VoucherState.ACKNOWLEDGED
    }
    assert len(world.mailer.to(LEA)) == 2
