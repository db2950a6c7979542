"""A table taken back to an earlier moment, and brought forward again from what the bucket keeps."""

from __future__ import annotations

import copy
import gzip
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest

from chalicelib.adapters.dynamodb.codec import fact_of
from chalicelib.adapters.dynamodb.schema import FACT_KIND, key_of
from chalicelib.domain.addresses import Address
from chalicelib.domain.changes import VoucherChange
from chalicelib.domain.consents import Consent, Word
from chalicelib.domain.consents_files import ConsentsFile
from chalicelib.domain.effects import deltas, funnel, totals
from chalicelib.domain.entity import IllegalMoveError
from chalicelib.domain.exports import Export, ExportState
from chalicelib.domain.fact_bodies import InvitationsStopped
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.files.exports import ReferralLine, referral_rows
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.orders import Order
from chalicelib.domain.people import Contact, Opposition, RefereeClaim, Session
from chalicelib.domain.protection import InvitationStop, StopReason, stopped
from chalicelib.domain.redemptions import Purchase, Redemption
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward, is_active
from chalicelib.domain.vouchers import SpareCode, Voucher, VoucherState
from chalicelib.services.consents.write import write_consents
from chalicelib.services.errors import RefusedError
from chalicelib.services.facts import new_fact
from chalicelib.services.ingest import drop_at, ingest
from chalicelib.services.invitations.respond import confirm, decline
from chalicelib.services.objections.unsubscribe import unsubscribe
from chalicelib.services.operations.balance import balances
from chalicelib.services.operations.check_facts import check_facts
from chalicelib.services.operations.report import report
from chalicelib.services.operations.seal import seal
from chalicelib.services.order_refs import reference_of
from chalicelib.services.ports import Insert, Ports
from chalicelib.services.restoring.adopt import Adopted, adopt, changes_of, dropped_since
from chalicelib.services.restoring.outside import Outside
from chalicelib.services.restoring.work import UnfoundedError, Work
from chalicelib.services.sponsors.sign_in import request_sign_in
from chalicelib.services.vouchers.changes import write_changes
from chalicelib.services.vouchers.export import export_vouchers
from chalicelib.services.vouchers.redeem import redeem
from tests.contract.test_stored import items_of
from tests.fakes.campaign import CAMPAIGN, campaign, digest, templates
from tests.fakes.fuse import Fuse, KilledError
from tests.fakes.ports import TickingClock
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world
from tests.services.test_order_attacks import assert_counts_what_stands

JEANNE, PAUL, MARIE = "jeanne@example.fr", "paul@example.fr", "marie@example.fr"


@dataclass
class Taken:
    """What the table held at a moment."""

    at: datetime
    items: Any
    facts: Any
    counts: Any


def take(world: World) -> Taken:
    """What point-in-time recovery keeps of this moment."""
    memory = world.memory
    return Taken(world.clock(), *copy.deepcopy((memory._items, memory._facts, memory._counts)))


def restore(world: World, taken: Taken) -> None:
    """The table as it was; the bucket stays, and the queues are empty."""
    memory = world.memory
    kept = copy.deepcopy((taken.items, taken.facts, taken.counts))
    memory._items, memory._facts, memory._counts = kept
    world._streamed = len(world.repository.stream)
    world.queues.waiting.clear()
    world.queues.stretches.clear()


def bring_forward(world: World, taken: Taken, ports: Ports | None = None) -> list[Adopted]:
    """What the runbook says: adopt, then the files dropped since, then everything runs again."""
    done = adopt(ports or world.ports, taken.at)
    drop_again(world, taken)
    return done


def drop_again(world: World, taken: Taken) -> None:
    """Process the files since the moment once more."""
    for written in dropped_since(world.ports, taken.at):
        drop = drop_at(written.path, written.at, file_version=written.version)
        assert drop
        ingest(world.ports, drop)
    world.run()


def by_call(world: World, template: str, order_id: str, amount: int = 8000) -> str:
    [code] = [
        one.code
        for one in world.memory.all(Voucher)
        if one.template == template and one.state is not VoucherState.REVOKED
    ][:1]
    redeem(
        world.ports,
        code,
        Purchase(order_id=order_id, ordered_at=world.clock(), amount_minor=amount, currency="EUR"),
    )
    return code


def taken_undecided(world: World, session: Session) -> Taken:
    """The table at a moment when an invitation waited for its decision, which was made since."""
    world.lists.fails = "read_failed"
    world.invite(session, JEANNE)
    world.run()
    taken = take(world)
    world.lists.fails = None
    world.run()
    return taken


def before(world: World) -> None:
    """What had happened at the moment."""
    world.invite(world.sponsor(), JEANNE, PAUL, CUSTOMERS[0])
    world.run()
    world.confirm(JEANNE)
    world.run()
    world.export()
    world.run()
    world.acknowledge(1)
    world.run()
    world.clock.advance(minutes=10)


def after(world: World) -> None:
    """An hour of everything: answers, invitations, exports, acknowledgements, orders, seals."""
    world.confirm(PAUL)
    world.run()
    seal(world.ports)
    world.clock.advance(minutes=5)
    code = world.exported(1)[0]["code"]
    world.drop_orders(
        world.order("A1", "kept", of=JEANNE, code=code), world.order("A2", of=JEANNE), file="one"
    )
    world.run()
    world.export()
    world.run()
    write_changes(world.ports, world.campaign)
    world.run()
    world.clock.advance(minutes=5)
    rows = world.exported(2)
    world.acknowledge(2, f"{rows[0]['code']},unreadable".encode())
    world.run()
    seal(world.ports)
    world.clock.advance(minutes=5)
    world.invite(world.sponsor(VIPS[1]), MARIE)
    world.run()
    world.confirm(MARIE)
    world.run()
    world.export()
    world.run()
    world.acknowledge(3)
    world.run()
    by_call(world, "second-order", "T1")
    world.drop_orders(world.order("A2", "kept", of=JEANNE), file="two")
    world.run()
    world.drop_orders(world.order("A2", "returned", of=JEANNE), file="three")
    world.run()
    write_changes(world.ports, world.campaign)
    world.run()
    world.clock.advance(minutes=35)


def played() -> tuple[World, Taken]:
    world = new_world(clock=TickingClock())
    check_facts(world.ports)
    before(world)
    taken = take(world)
    after(world)
    return world, taken


def facts_of(world: World) -> list[Fact]:
    return list(world.memory._facts.values())


def assert_agrees_but_for_files(world: World) -> None:
    """Facts, counts and journal agree, and what counts rewards."""
    facts = facts_of(world)
    assert all(fact.counted for fact in facts)
    assert len({fact.fact_id for fact in facts}) == len(facts)
    counts = funnel(totals(world.repository.counts(CAMPAIGN)))
    assert counts == funnel(totals(deltas(world.campaign, facts)))
    journaled = Counter(str(line["fact_id"]) for line in world.journal())
    assert journaled == Counter(fact.fact_id for fact in facts)
    assert_counts_what_stands(world)


def assert_agrees(world: World) -> None:
    """Also: each voucher is in one export, and the balance of the day finds nothing."""
    assert_agrees_but_for_files(world)
    rows = Counter(row["voucher"] for number in numbers(world) for row in world.exported(number))
    vouchers = {voucher.voucher_id for voucher in world.memory.all(Voucher)}
    assert rows == Counter(vouchers)
    [(_, _, findings)] = balances(world.ports, [(world.campaign, world.clock().date())])
    assert findings == []


def numbers(world: World) -> list[int]:
    paths = world.files.under(f"out/{CAMPAIGN}/vouchers/")
    return [int(path[-15:-7]) for path in sorted(paths) if path.endswith(".csv.gz")]


def of_order(world: World, order_id: str | None) -> str | None:
    """Which order it is: known by our own id where the client's is lost until it is named again."""
    return reference_of(world.ports, order_id) if order_id else order_id


def rewards(world: World) -> dict[tuple[str, str, int], tuple[object, ...]]:
    return {
        (one.referral_id, one.rule, one.rung): (
            is_active(one), of_order(world, one.order_id), one.voucher_id, one.refused_reason,
            one.value_minor, one.to, one.in_budget,
        )
        for one in world.memory.all(Reward)
    }  # fmt: skip


def vouchers(world: World) -> dict[str, tuple[object, ...]]:
    """What is known of each: one in no export may have another code."""
    return {
        one.voucher_id: (
            one.code if one.export else None, one.state, one.export,
            of_order(world, one.redeemed_by), one.changes, one.refused_reason is None,
            one.acknowledged_at is None, one.replaces, one.replaced_by, one.valid_until,
            one.holder_digest, one.holder_digests, one.correlation,
        )
        for one in world.memory.all(Voucher)
    }  # fmt: skip


def orders(world: World) -> dict[str, tuple[object, ...]]:
    return {
        str(of_order(world, one.order_id)): (
            one.status, one.amount_minor, one.buyer, one.counts, one.code_key, one.ordered_at,
            one.referral_id,
        )
        for one in world.memory.all(Order)
    }  # fmt: skip


def redemptions(world: World) -> set[tuple[object, ...]]:
    return {
        (
            one.code_key,
            of_order(world, one.order_id),
            one.rolled_back_at is None,
            None if one.order_id.startswith(("T", " lost-")) else one.amount_minor,
        )
        for one in world.memory.all(Redemption)
    }


def state(world: World) -> dict[str, Any]:
    """All that must be as it was."""
    return {
        "vouchers": vouchers(world),
        "rewards": rewards(world),
        "orders": orders(world),
        "redemptions": redemptions(world),
        "referrals": {
            one.referral_id: (one.sponsor_id, one.referee_digest, one.orders,
                              [of_order(world, each) for each in one.kept_orders],
                              one.rewards, one.newcomer is False)
            for one in world.memory.all(Referral)
        },
        "exports": {
            one.number: (one.state, one.rows, one.acknowledged_at is None)
            for one in world.memory.all(Export)
        },
        "funnel": world.funnel(),
        "changes": sorted((one.voucher_id, one.change) for one in world.memory.all(VoucherChange)),
        "mails": Counter(one.mail_id for one in world.mailer.sent),
    }  # fmt: skip


def assert_brought_forward(world: World, files: dict[str, bytes]) -> None:
    """Life goes on: what waits is exported, nothing that the client has changes, all agrees."""
    mails = Counter(one.mail_id for one in world.mailer.sent)
    for _ in range(3):
        world.export()
        write_changes(world.ports, world.campaign)
        check_facts(world.ports)
        world.run()
        world.clock.advance(hours=1)
    assert Counter(one.mail_id for one in world.mailer.sent) == mails
    assert_agrees(world)
    assert world.reconciliation() == 0
    for folder in ("vouchers", "changes"):
        path = f"out/{CAMPAIGN}/{folder}/"
        of_client = {name: content for name, content in files.items() if name.startswith(path)}
        assert of_client.items() <= world.files.under(path).items()


def test_a_table_taken_back_an_hour_is_brought_forward_again() -> None:
    world, taken = played()
    files, was = dict(world.files.content), state(world)
    restore(world, taken)
    assert state(world) != was
    [done] = bring_forward(world, taken)
    assert done.unknown_vouchers == []
    assert len(done.unreachable) == 1
    assert state(world) == was
    assert_brought_forward(world, files)


@pytest.mark.slow
def test_killed_before_every_call_and_run_again_it_comes_to_the_same() -> None:
    world, taken = played()
    files, was = dict(world.files.content), state(world)
    at = 0
    while True:
        at += 1
        restore(world, taken)
        world.files.content = dict(files)
        fuse = Fuse(at, after_the_effect=False)
        with suppress(KilledError):
            adopt(fuse.on(world.ports), taken.at)
        if fuse.left > 0:
            break
        bring_forward(world, taken)
        assert state(world) == was
        assert_agrees_but_for_files(world)
    assert at > 100


# --- what is known of single things ---------------------------------------------------------------


def test_law_6_a_voucher_used_by_a_call_stays_used_and_takes_its_amount_when_reported_again() -> (
    None
):
    world, taken = played()
    restore(world, taken)
    [done] = bring_forward(world, taken)
    [used] = [one for one in world.memory.all(Redemption) if one.order_id == "T1"]
    assert (used.is_rebuilt, used.amount_minor) == (True, 0)
    [voucher] = [one for one in world.memory.all(Voucher) if one.redeemed_by == "T1"]
    purchase = Purchase(order_id="T1", ordered_at=world.clock(), amount_minor=9100, currency="EUR")
    with pytest.raises(RefusedError, match="exhausted"):
        redeem(world.ports, voucher.code, replace(purchase, order_id="T2"))
    facts = len(facts_of(world))
    _, redemption, is_new = redeem(world.ports, voucher.code, purchase)
    assert (redemption.amount_minor, redemption.is_rebuilt, is_new) == (9100, False, False)
    assert len(facts_of(world)) == facts
    with pytest.raises(RefusedError, match="differs"):
        redeem(world.ports, voucher.code, replace(purchase, amount_minor=1))
    assert done.called == set()


def test_law_4_what_a_use_by_a_call_earned_stands_while_its_amount_is_unknown() -> None:
    rule = {"id": "used", "when": "voucher_redeemed", "if": {"template": "welcome"},
            "issue": "thank-you", "to": "sponsor"}  # fmt: skip
    world = new_world(rules=[*campaign().model_dump(by_alias=True)["rules"], rule])
    world.referral(JEANNE)
    world.export()
    world.run()
    taken = take(world)
    by_call(world, "welcome", "T1")
    world.run()
    world.export()
    world.run()
    was = state(world)
    assert [one.rule for one in world.memory.all(Reward)] == ["welcome", "used"]
    restore(world, taken)
    bring_forward(world, taken)
    for _ in range(3):
        check_facts(world.ports)
        world.run()
        world.clock.advance(hours=1)
    assert state(world) == was


def test_law_9_who_objected_or_declined_since_is_erased_again_and_gets_no_more_invitations() -> (
    None
):
    world = new_world()
    session = world.sponsor()
    world.invite(session, JEANNE, PAUL)
    world.run()
    taken = take(world)
    decline(world.ports, world.token_of(JEANNE))
    unsubscribe(
        world.ports, world.mailer.to(PAUL)[0].message["List-Unsubscribe"].split("/")[-1][:-1]
    )
    world.run()
    was = {type(one) for one in world.memory.all(Opposition)}, len(world.memory.all(Contact))
    assert was[0]
    oppositions = {one.digest for one in world.memory.all(Opposition)}
    restore(world, taken)
    assert len(world.memory.all(Contact)) > was[1]
    bring_forward(world, taken)
    assert {one.digest for one in world.memory.all(Opposition)} == oppositions
    assert len(world.memory.all(Contact)) == was[1]
    assert {one.state.value for one in world.memory.all(Invitation)} == {"declined"}


def words(world: World) -> dict[str, tuple[Word | None, Word | None]]:
    return {one.digest: (one.given, one.withdrawal) for one in world.memory.all(Consent)}


def rows_of_consents(world: World) -> list[tuple[str, str]]:
    """A row of every file of consents for each word."""
    files = world.files.under(f"out/{CAMPAIGN}/consents/")
    lines = [
        line
        for path, content in sorted(files.items())
        if path.endswith(".csv.gz")
        for line in gzip.decompress(content).decode().splitlines()[1:]
    ]
    return [(line.split(",")[0], line.split(",")[1]) for line in lines]


def stop(world: World, address: str) -> None:
    header = str(world.mailer.to(address)[0].message["List-Unsubscribe"])
    unsubscribe(world.ports, header.strip("<>").rsplit("/", 1)[1])


def test_words_about_consent_are_brought_back_and_each_is_in_one_file() -> None:
    world = new_world()
    world.invite(world.sponsor(), JEANNE, PAUL, MARIE)
    world.run()
    confirm(world.ports, world.token_of(JEANNE), "1", True)
    write_consents(world.ports, world.campaign)
    world.run()
    taken = take(world)
    world.clock.advance(minutes=1)
    confirm(world.ports, world.token_of(PAUL), "1", True)
    write_consents(world.ports, world.campaign)
    world.clock.advance(minutes=1)
    for address in (JEANNE, MARIE, VIPS[0]):
        stop(world, address)
    row = f"{digest(PAUL)},withdrawn,{world.clock().isoformat()}"
    world.drop("consents/c.csv", f"email_digest,state,at\n{row}\n".encode())
    world.run()
    was = words(world)
    assert len(was) == 5
    restore(world, taken)
    [done] = bring_forward(world, taken)
    assert done.without_state == []
    assert words(world) == was
    assert len(rows_of_consents(world)) == 2
    write_consents(world.ports, world.campaign)
    assert sorted(rows_of_consents(world)) == sorted(
        [
            *((digest(one), "given") for one in (JEANNE, PAUL)),
            *((digest(one), "withdrawn") for one in (JEANNE, MARIE, VIPS[0])),
        ]
    )
    world.run()
    assert_agrees_but_for_files(world)
    files = world.memory.all(ConsentsFile)
    assert [(one.number, one.rows, one.state) for one in files] == [
        (1, 1, ExportState.WRITTEN),
        (2, 1, ExportState.WRITTEN),
        (3, 3, ExportState.WRITTEN),
    ]


def test_a_voucher_mailed_at_once_is_mailed_again_only_where_its_code_is_lost() -> None:
    world = new_world(release="at_once")
    world.invite(world.sponsor(), JEANNE, PAUL)
    world.run()
    taken = take(world)
    world.confirm(JEANNE)
    world.run()
    world.export()
    world.confirm(PAUL)
    world.run()
    before = len(world.mailer.to(JEANNE)), len(world.mailer.to(PAUL))
    restore(world, taken)
    bring_forward(world, taken)
    world.clock.advance(hours=2)
    check_facts(world.ports)
    world.run()
    assert (len(world.mailer.to(JEANNE)), len(world.mailer.to(PAUL))) == (
        before[0], before[1] + 1,
    )  # fmt: skip
    codes = [one.code for one in world.memory.all(Voucher) if one.export is None]
    assert codes
    assert all(code in world.mailer.to(PAUL)[-1].text for code in codes)


def test_law_4_a_code_of_the_clients_own_that_was_used_since_is_not_issued_again() -> None:
    world = new_world(templates=templates(welcome={"codes": "client"}))
    world.drop("codes/welcome/codes.csv", b"code\nRETAIL-000001\nRETAIL-000002\nRETAIL-000003\n")
    world.invite(world.sponsor(), JEANNE, PAUL, MARIE)
    world.run()
    taken = take(world)
    world.confirm(JEANNE)
    world.confirm(PAUL)
    world.run()
    world.export()
    world.run()
    was = state(world)
    restore(world, taken)
    bring_forward(world, taken)
    assert state(world) == was
    assert len(world.memory.all(SpareCode)) == 1
    world.confirm(MARIE)
    world.run()
    assert len({one.code for one in world.memory.all(Voucher)}) == 3


def test_law_5_a_voucher_that_only_a_file_has_keeps_its_number_taken() -> None:
    world = new_world()
    world.invite(world.sponsor(), JEANNE, PAUL)
    world.run()
    taken = take(world)
    world.projects = False  # the projector is late, and the table is lost
    world.confirm(JEANNE)
    world.run()
    world.export()
    world.run()
    files = dict(world.files.content)
    [row] = world.exported(1)
    restore(world, taken)
    world.projects = True
    [done] = bring_forward(world, taken)
    assert done.unknown_vouchers == [row["voucher"]]
    world.confirm(PAUL)
    world.run()
    for _ in range(2):
        world.export()
        world.run()
    assert numbers(world) == [1, 2]
    assert files.items() <= world.files.content.items()
    assert world.exported(2)[0]["voucher"] != row["voucher"]


def test_law_5_an_export_whose_file_was_not_written_takes_as_many_vouchers_again() -> None:
    world = new_world()
    world.invite(world.sponsor(), JEANNE, PAUL)
    world.run()
    taken = take(world)
    world.confirm(JEANNE)
    world.confirm(PAUL)
    world.run()
    fuse = Fuse(1, after_the_effect=False)
    files = replace(world.ports, files=fuse.on(world.ports).files)
    with suppress(KilledError):
        export_vouchers(files, world.campaign)
    world.run()
    assert numbers(world) == []
    funnel_before = world.funnel()
    assert funnel_before["vouchers_exported"] == 2
    restore(world, taken)
    bring_forward(world, taken)
    world.export()
    world.run()
    assert world.funnel() == funnel_before
    assert len(world.exported(1)) == 2
    assert_agrees(world)


@pytest.mark.parametrize("seals", [True, False], ids=["sealed since", "in bundles alone"])
def test_nothing_depends_on_when_the_journal_was_sealed(
    seals: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not seals:
        monkeypatch.setattr("tests.services.test_restoring.seal", lambda _: None)
    world, taken = played()
    was = state(world)
    restore(world, taken)
    bring_forward(world, taken)
    assert state(world) == was
    assert_agrees_but_for_files(world)


@pytest.mark.parametrize("name", FactName)
def test_what_every_kind_of_fact_did_is_brought_back(name: FactName) -> None:
    """A new kind is covered, or listed among those without a state, or an error here."""
    world = new_world()
    work = Work(world.ports, Outside(CAMPAIGN), world.clock())
    [kept, *_] = [one for one in map(fact_of, items_of(FACT_KIND)) if one.name == name]
    with suppress(UnfoundedError, IllegalMoveError):
        changes_of(work, replace(kept, campaign=CAMPAIGN))


def test_who_came_since_is_known_again_by_a_digest_that_the_client_has() -> None:
    world = new_world()
    world.sponsor(VIPS[0])
    taken = take(world)
    referral = world.referral(MARIE, VIPS[1])
    world.drop_orders(world.order("A1", "kept", of=MARIE))
    world.run()
    report(world.ports, world.campaign)
    world.export()
    world.run()
    was = state(world)
    restore(world, taken)
    bring_forward(world, taken)
    assert state(world) == was
    assert world.sponsor(VIPS[1]).sponsor_id == referral.sponsor_id
    world.invite(world.sponsor(VIPS[0]), MARIE)
    world.run()
    assert len(world.mailer.to(MARIE)) == 1
    assert world.repository.get(Referral, referral_id=referral.referral_id)


def test_the_correspondence_table_reads_every_referral_of_the_time_again() -> None:
    world = new_world()
    world.referral(JEANNE)
    taken = take(world)
    for number in range(3):
        world.drop_orders(world.order(f"A{number}", "kept", of=JEANNE), file=f"orders{number}")
        world.run()
    report(world.ports, world.campaign)
    [path] = world.files.under(f"out/{CAMPAIGN}/referrals/")
    before = world.files.content[path]
    restore(world, taken)
    bring_forward(world, taken)
    [stored] = world.memory.all(Referral)
    # As often stored as the row of the time that is gone, and not with the same orders.
    [row] = [ReferralLine.parse(text) for text in referral_rows([before])]
    place = key_of(stored)
    at = replace(stored, revision=row.revision, kept_orders=("A0",), known_orders=("A0",), orders=1)
    world.memory._items[place["pk"], place["sk"]] = at
    report(world.ports, world.campaign)
    [shown] = [ReferralLine.parse(text) for text in referral_rows([world.files.content[path]])]
    assert (row.orders, shown.orders) == (3, 1)


def test_invitations_that_were_stopped_since_are_stopped() -> None:
    world = new_world()
    world.invite(world.sponsor(), JEANNE)
    world.run()
    taken = take(world)
    stop = stopped(world.campaign, None, StopReason.COMPLAINTS, world.clock())
    fact = new_fact(
        world.ports, InvitationsStopped(reason=StopReason.COMPLAINTS),
        campaign=CAMPAIGN, subject="invitations", correlation="c",
    )  # fmt: skip
    world.repository.commit(Insert(stop), facts=[fact])
    world.run()
    restore(world, taken)
    bring_forward(world, taken)
    assert world.memory.all(InvitationStop) == [replace(stop, revision=1)]


def test_what_was_decided_since_is_decided_and_who_was_refused_is_erased_again() -> None:
    world = new_world()
    session = world.sponsor()
    world.lists.fails = "read_failed"
    world.invite(session, JEANNE, CUSTOMERS[0])
    request_sign_in(world.ports, CAMPAIGN, Address.parse("stranger@example.fr"))
    world.run()
    taken = take(world)
    world.lists.fails = None
    world.run()
    contacts = {one.contact_id for one in world.memory.all(Contact)}
    claims = {(one.digest, one.invitation_id) for one in world.memory.all(RefereeClaim)}
    states = sorted(one.state for one in world.memory.all(Invitation))
    assert claims
    restore(world, taken)
    assert len(world.memory.all(Contact)) == len(contacts) + 2
    adopt(world.ports, taken.at)
    assert {one.contact_id for one in world.memory.all(Contact)} == contacts
    found = {(one.digest, one.invitation_id) for one in world.memory.all(RefereeClaim)}
    assert found == claims
    assert sorted(one.state for one in world.memory.all(Invitation)) == states
