"""Erasure: a person who went through everything is in no store any more, and the books agree."""

from __future__ import annotations

import copy
import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.adapters.dynamodb import schema
from chalicelib.adapters.dynamodb.codec import entity_item, fact_item, fact_json
from chalicelib.domain.addresses import Address, AddressDigests, DigestKey
from chalicelib.domain.campaign.lists import DigestKeys
from chalicelib.domain.consents import ConsentChange
from chalicelib.domain.effects import Queue
from chalicelib.domain.entity import Entity
from chalicelib.domain.erasure import ErasureReceipt
from chalicelib.domain.exports import ExportPart
from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import Invitation, InvitationState, Submission, is_open
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import (
    Link,
    Opposition,
    Session,
    Sponsor,
    oppositions,
)
from chalicelib.domain.privacy import Wish
from chalicelib.domain.protection import HeldInvitation, InvitationStop, StopReason
from chalicelib.domain.redemptions import Purchase
from chalicelib.domain.sign_ins import SignInLink
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.consents.write import write_consents
from chalicelib.services.digests import digests_of
from chalicelib.services.errors import RetryLaterError
from chalicelib.services.invitations.decide import decide_invitation
from chalicelib.services.invitations.invite import Referee, invite, sign_up
from chalicelib.services.invitations.respond import confirm
from chalicelib.services.mails.send import send_mail
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from chalicelib.services.objections.unsubscribe import unsubscribe
from chalicelib.services.operations.relay import relay
from chalicelib.services.operations.report import report
from chalicelib.services.operations.statement import write_statements
from chalicelib.services.persons import kinds
from chalicelib.services.persons.erase import _Erasure, erase_person
from chalicelib.services.persons.kinds import ERASED, HOLDS_NOTHING
from chalicelib.services.ports import Insert, Ports
from chalicelib.services.privacy.request import request_privacy
from chalicelib.services.sponsors.sign_in import decide_sign_in, request_sign_in
from chalicelib.services.vouchers.changes import write_changes
from chalicelib.services.vouchers.redeem import redeem
from tests.fakes.campaign import CAMPAIGN, campaign, templates
from tests.fakes.due import expire, reconcile
from tests.fakes.fuse import KilledError
from tests.fakes.repository import ContestedRepository
from tests.fakes.world import SENDER, VIPS, World, new_world, wrapped

# As she typed it; other spellings reach her too.
HER, HER_NAME = "Zephyrine.Canary+a@googlemail.com", "Zéphyrine"
SPELLINGS = (HER, "zephyrine.canary@gmail.com", "zephyrinecanary@gmail.com")
SPONSOR, SPONSOR_NAME = VIPS[0], "Théodora"
OTHERS = ("jeanne@example.fr", "paul@example.fr", "lise@example.fr", "marc@example.fr")
DROPPED = "in/"


# --- what is looked for --------------------------------------------------------------------------


def keys(world: World) -> list[DigestKey]:
    """Every key there is, ours too, and plain SHA-256."""
    named = DigestKeys(key_ids=("k1", "k2"))
    return [*world.ports.keys.in_force(named), world.ports.keys.own(), DigestKey("x", "sha256")]


def needles(world: World, spellings: Sequence[str], name: str) -> set[str]:
    """Everything that says who she is: each spelling, each digest of each, her name."""
    addresses = [Address.parse(each) for each in spellings]
    plain = {
        form
        for one in addresses
        for form in (one.typed, one.normalised, one.canonical, one.mailbox)
    }
    hashed = {value for one in addresses for value in AddressDigests.of(one, keys(world)).values}
    return plain | hashed | {name}


def stores(world: World) -> Iterator[tuple[str, str]]:
    """Every place that keeps something, and what it has."""
    for entity in world.memory._items.values():
        yield type(entity).__name__, json.dumps(entity_item(entity), ensure_ascii=False)
    for fact in world.memory._facts.values():
        yield "FACT", json.dumps(fact_item(fact), ensure_ascii=False)
    kept = {**{(path, ""): one for path, one in world.files.content.items()}}
    kept |= world.files._versions
    for (path, _), content in kept.items():
        plain = gzip.decompress(content) if path.endswith(".gz") else content
        yield path, plain.decode()
    for queue, facts in world.queues.waiting.items():
        for fact in facts:
            yield queue, fact_json(fact)


def hits(world: World, wanted: set[str]) -> set[str]:
    """The places where one of these stands."""
    return {
        place
        for place, text in stores(world)
        if any(needle.casefold() in text.casefold() for needle in wanted)
    }


def not_allowed(world: World, receipt: ErasureReceipt, wanted: set[str], own: set[str]) -> set[str]:
    """Where she still is, and may not be: an objection under our own key may have that, a file that
    the receipt names what it had, and what the client dropped its own.
    """
    files = {one.path for one in receipt.files}
    found = hits(world, wanted - own) - files
    found |= hits(world, own & wanted) - {"Opposition"}
    return {place for place in found if not place.startswith(DROPPED)}


def own_digests(world: World, spellings: Sequence[str]) -> set[str]:
    own = [world.ports.keys.own()]
    return {
        value for each in spellings for value in AddressDigests.of(Address.parse(each), own).values
    }


# --- everything that can happen to her -----------------------------------------------------------


def rotate_keys(world: World) -> None:
    """The client begins to use another key: what she was known by stays beside the new digests."""
    put_campaign(world.ports, campaign(version=2, digests={"key_ids": ["k2", "k1"]}, **CHANGED))
    world.clock.advance(minutes=30)
    reconcile(world.ports)


CHANGED: dict[str, Any] = {
    "lists": {"customers": {"max_age_days": 400}, "vips": {"max_age_days": 400}},
    "release": "on_acknowledgement",
    "templates": templates(welcome={"holder_bound": True}),
    "files": {"exports": {"columns": {"Code": "code", "Holder": "holder_digest"}}},
}


def through_everything() -> World:
    """The referee and the sponsor, in every store that there is."""
    world = new_world(**CHANGED)
    session = world.sponsor(SPONSOR, SPONSOR_NAME)
    invite(
        world.ports,
        session,
        [Referee(Address.parse(HER), HER_NAME), Referee(Address.parse(OTHERS[0]))],
        "key-1",
    )
    world.run()
    confirm(world.ports, world.mailer.to(Address.parse(HER).sendable)[0].tokens[0], "1", True)
    world.run()
    write_consents(world.ports, world.campaign)
    report(world.ports, world.campaign)
    world.clock.advance(days=1)
    rotate_keys(world)
    world.drop_orders(world.order("H1", "kept", of=HER), world.order("H2", of=HER))
    world.run()
    number = world.export()
    assert number
    world.acknowledge(number.number)
    world.run()
    use(world)
    mails_of_all_kinds(world)
    write_changes(world.ports, world.campaign)
    report(world.ports, world.campaign)
    world.clock.advance(days=31)
    write_consents(world.ports, world.campaign)
    world.clock.advance(days=4)
    reconcile(world.ports)
    for order_id in ("H4", "H5"):
        world.drop_orders(world.order(order_id, "kept", of=HER), file=order_id)
        world.run()
        world.export()
    world.drop_orders(world.order("H6", "kept", of=HER), file="H6")
    world.run()
    write_statements(world.ports, world.campaign)
    report(world.ports, world.campaign)
    write_changes(world.ports, world.campaign)
    world.sponsor(SPONSOR, SPONSOR_NAME)
    requests_of_strangers(world)
    open_invitations(world)
    return world


def use(world: World) -> None:
    """Her voucher, on an order by a call; what that earns is in no export yet."""
    [hers] = [one for one in world.memory.all(Voucher) if one.rule == "welcome"]
    redeem(
        world.ports,
        hers.code,
        Purchase(
            order_id="H3",
            ordered_at=world.clock(),
            amount_minor=9_000,
            currency="EUR",
            email_digest=hers.holder_digest,
        ),
    )
    world.run()


def mails_of_all_kinds(world: World) -> None:
    """Bounces, complaints, objections."""
    for mail in world.mailer.sent[-2:]:
        settle_mail(world.ports, MailEvent("bounced_for_now", mail.mail_id, "p"))
    object_by_mail(world, Address.parse(HER).sendable)
    before = digests_of(world.ports, world.campaign, Address.parse(HER)).known_to_client
    kept = oppositions("demo", before, [], world.clock())  # as earlier versions did
    world.repository.commit(*map(Insert, kept))


def object_by_mail(world: World, address: str) -> None:
    text = str(world.mailer.to(address)[-1].message["List-Unsubscribe"])
    unsubscribe(world.ports, text.strip("<>").rsplit("/", 1)[1])


def requests_of_strangers(world: World) -> None:
    """Her address, typed by others: to sign in, for her data, and once more as somebody's guest."""
    request_sign_in(world.ports, CAMPAIGN, Address.parse(SPELLINGS[2]))
    for address in (SPELLINGS[2], SPONSOR):
        request_privacy(world.ports, CAMPAIGN, Address.parse(address), Wish.EXPORT)
    world.run()
    second = world.sponsor(VIPS[1], "Odile")
    world.lists.fails = "no_list"
    invite(world.ports, second, [Referee(Address.parse(SPELLINGS[1]), HER_NAME)], "key-2")
    # Nobody decides: without lists it waits.


def open_invitations(world: World) -> None:
    """The sponsor's: sent, held, undecided, by her link."""
    world.lists.fails = None
    session = session_of(world, SPONSOR)
    request_sign_in(world.ports, CAMPAIGN, Address.parse(SPONSOR))
    invite(world.ports, session, [Referee(Address.parse(OTHERS[1]))], None)
    world.run()
    stop = InvitationStop(campaign=CAMPAIGN, reason=StopReason.COMPLAINTS, stopped_at=world.clock())
    world.repository.commit(Insert(stop))
    invite(world.ports, session, [Referee(Address.parse(OTHERS[2]))], None)
    world.run()
    world.lists.fails = "no_list"
    [link] = [one for one in world.memory.all(Link) if one.sponsor_id == session.sponsor_id]
    sign_up(world.ports, CAMPAIGN, link.link_code, Referee(Address.parse(OTHERS[3])))
    request_sign_in(world.ports, CAMPAIGN, Address.parse(SPELLINGS[1]))
    invite(world.ports, session_of(world, VIPS[1]), [Referee(Address.parse(HER), HER_NAME)], "k3")
    object_by_mail(world, SPONSOR)  # a word that is in no file yet


def session_of(world: World, address: str) -> Session:
    [sponsor] = [
        one
        for one in world.memory.all(Sponsor)
        if not one.is_erased and one.digests.pairs[-1].exact in own_digests(world, [address])
    ]
    sessions = [one for one in world.memory.all(Session) if one.sponsor_id == sponsor.sponsor_id]
    return replace(sessions[-1], ends_at=world.clock() + timedelta(hours=1))


def erase(world: World, address: str, ports: Ports | None = None) -> ErasureReceipt:
    return erase_person(ports or world.ports, [world.campaign], Address.parse(address))


WHO = {"referee": (SPELLINGS, HER_NAME), "sponsor": ((SPONSOR,), SPONSOR_NAME)}


# --- nothing is left -----------------------------------------------------------------------------


def test_the_story_puts_her_everywhere() -> None:
    """Otherwise that she is nowhere afterwards would prove nothing."""
    world = through_everything()
    found = hits(world, needles(world, *WHO["referee"])) | hits(
        world, needles(world, *WHO["sponsor"])
    )
    served = {Invitation, Submission, Session, Link, HeldInvitation, SignInLink}
    named = {kind.__name__ for kind in ERASED if kind not in served}
    assert named - found == set()
    folders = {place.split("/")[2] for place in found if place.startswith("out/")}
    assert folders == {"vouchers", "referrals", "consents"}
    assert all(world.memory.all(kind) for kind in served)


FORGET = {"referee": [HER], "sponsor": [SPONSOR], "both": [HER, SPONSOR]}


def left(world: World, who: str, receipts: Sequence[ErasureReceipt]) -> set[str]:
    """Where one of them still is, and may not be."""
    found: set[str] = set()
    for role in ("referee", "sponsor") if who == "both" else (who,):
        spellings, name = WHO[role]
        wanted, own = needles(world, spellings, name), own_digests(world, spellings)
        found |= not_allowed(world, all_files(receipts), wanted, own)
    if who != "referee":
        found |= served(world)
    if who != "sponsor":
        found |= {"masked" for one in world.memory.all(Invitation) if is_hers_and_shown(one)}
    return found


def served(world: World) -> set[str]:
    """What still serves a sponsor who was forgotten, or waits for her referees."""
    gone = {one.sponsor_id for one in world.memory.all(Sponsor) if one.is_erased}
    of_hers: list[Session | Link | SignInLink | Submission | Invitation] = [
        *world.memory.all(Session),
        *world.memory.all(Link),
        *world.memory.all(SignInLink),
        *world.memory.all(Submission),
        *filter(is_open, world.memory.all(Invitation)),
    ]
    found = {type(one).__name__ for one in of_hers if one.sponsor_id in gone}
    held = {one.accepted.ids["sponsor"] for one in world.memory.all(HeldInvitation)}
    return found | ({"HeldInvitation"} if held & gone else set())


def is_hers_and_shown(invitation: Invitation) -> bool:
    """Whether a sponsor's page still shows the masked address of the referral that was erased."""
    is_hers = invitation.masked == Address.parse(HER).masked
    return is_hers and invitation.state is InvitationState.CONFIRMED


def all_files(receipts: Sequence[ErasureReceipt]) -> ErasureReceipt:
    """One receipt that names the files of all."""
    return replace(receipts[0], files=tuple(one for each in receipts for one in each.files))


@pytest.mark.parametrize("who", FORGET)
def test_law_9_nothing_is_left_of_who_was_forgotten(who: str) -> None:
    world = through_everything()
    before = len(world.mailer.sent)
    receipts = [erase(world, address) for address in FORGET[who]]
    world.lists.fails = None
    world.run()
    assert left(world, who, receipts) == set()
    assert all(one.found for one in receipts)
    reached = {one.recipient for one in world.mailer.sent[before:]}
    assert reached.isdisjoint({*SPELLINGS, Address.parse(HER).sendable})
    if who != "referee":
        assert SPONSOR not in reached


@pytest.mark.parametrize("who", FORGET)
def test_a_second_time_finds_nothing_and_says_so(who: str) -> None:
    world = through_everything()
    for address in FORGET[who]:
        erase(world, address)
    after, said = dict(world.memory._items), len(world.facts())
    for address in FORGET[who]:
        again = erase(world, address)
        assert not again.found
        assert again.files == ()
        assert again.as_json()["random_ids"] == []
    assert world.memory._items == after
    assert len(world.facts()) == said


# Of these the steps before take care; what comes while they are at it is tested below.
BEFORE = {SignInLink, Link, HeldInvitation, ConsentChange, ExportPart, Opposition}


@pytest.mark.parametrize(
    "kind", [kind for kind in ERASED if kind not in BEFORE], ids=lambda kind: kind.__name__
)
def test_the_search_sees_each_kind_that_is_left_out(
    kind: type[Entity], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = through_everything()
    monkeypatch.setitem(kinds.ERASED, kind, lambda *_: ([], []))
    receipts = [erase(world, address) for address in FORGET["both"]]
    assert left(world, "both", receipts)


@pytest.mark.parametrize("step", ["_send_consents", "_oppose", "_exports"])
def test_the_search_sees_each_step_that_is_left_out(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = through_everything()
    monkeypatch.setattr(_Erasure, step, lambda _: None)
    receipts = [erase(world, address) for address in FORGET["both"]]
    assert left(world, "both", receipts)


def test_every_kind_of_item_is_erased_or_holds_nothing_of_a_person() -> None:
    """A new kind: say in `services/persons/kinds.py` what becomes of it."""
    assert set(ERASED) | HOLDS_NOTHING == set(schema.ITEM_KINDS)
    assert not set(ERASED) & HOLDS_NOTHING


# --- whatever happens meanwhile ------------------------------------------------------------------


def copies(world: World) -> Callable[[], World]:
    """A world as it is now, as often as it is wanted."""
    return lambda: copy.deepcopy(world)


def summary(world: World) -> dict[str, Any]:
    """What there is, but for random ids and times."""
    return {
        "items": Counter(type(one).__name__ for one in world.memory._items.values()),
        "invitations": Counter(one.state for one in world.memory.all(Invitation)),
        "facts": Counter(fact.name for fact in world.facts()),
        "files": sorted(world.files.content),
    }


def killed_before(number: int, world: World, address: str) -> bool:
    """Kill an erasure before its n-th write; whether it had as many."""

    def kill() -> None:
        raise KilledError

    try:
        erase(world, address, wrapped(world, lambda one: ContestedRepository(one, kill, number)))
    except KilledError:
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("who", ["referee", "sponsor"])
def test_it_may_be_killed_anywhere_and_run_again(who: str) -> None:
    [address] = FORGET[who]
    begin = copies(through_everything())
    wholly = begin()
    whole = erase(wholly, address)
    number = 1
    while killed_before(number, world := begin(), address):
        erase(world, address)
        assert left(world, who, [whole]) == set(), number
        assert summary(world) == summary(wholly), number
        assert not erase(world, address).found
        number += 1
    assert number > 10


@pytest.mark.slow
@pytest.mark.parametrize("who", ["referee", "sponsor"])
def test_others_may_work_at_any_moment_of_it(who: str) -> None:
    """Orders, exports, mails, decisions, reports of the schedules: before each of its writes."""
    [address] = FORGET[who]
    begin = copies(through_everything())

    def work(world: World) -> None:
        world.lists.fails = None
        world.drop_orders(world.order("H7", "kept", of=HER, code=code_of(world)), file="H7")
        world.run()
        world.export()
        write_changes(world.ports, world.campaign)
        write_consents(world.ports, world.campaign)
        expire(world.ports)
        world.run()

    number = 1
    while met(begin, work, address, who, number):
        number += 1
    assert number > 10


def met(
    begin: Callable[[], World], work: Callable[[World], None], address: str, who: str, number: int
) -> bool:
    """Work just before the n-th write of an erasure. Whether it had so many."""
    world = begin()
    worked: list[int] = []

    def compete() -> None:
        worked.append(number)
        work(world)

    contested = wrapped(world, lambda one: ContestedRepository(one, compete, number))
    receipt = erase(world, address, contested)
    world.lists.fails = None
    world.run()
    assert left(world, who, [receipt]) == set(), number
    assert not erase(world, address).found, number
    return bool(worked)


def code_of(world: World) -> str:
    """A voucher of hers that she has not used."""
    hers = [one for one in world.memory.all(Voucher) if one.rule == "ladder-second"]
    return hers[0].code


def test_a_mail_that_is_being_made_meanwhile_does_not_leave() -> None:
    """Its address was read before, its lease comes after."""
    world = new_world()
    session = world.sponsor()
    world.invite(session, HER)
    deliver_until_mail(world)
    [accepted] = world.queues.waiting[Queue.MAIL]
    ports = wrapped(world, lambda one: ContestedRepository(one, lambda: erase(world, HER)))
    with pytest.raises(RetryLaterError):
        send_mail(ports, SENDER, accepted)
    world.run()
    assert world.mailer.to(Address.parse(HER).sendable) == []
    assert [one.digests for one in world.memory.all(Mail) if "invitation" in one.ids] == [None]


def deliver_until_mail(world: World) -> None:
    """Everything but the mails."""
    relay(world.ports, world.facts(FactName.INVITATION_RECEIVED))
    [received] = world.queues.waiting.pop(Queue.DECIDE)
    assert decide_invitation(world.ports, received) == "eligible"
    world._streamed = len(world.repository.stream)
    relay(world.ports, world.facts(FactName.INVITATION_ACCEPTED))


def test_a_link_that_is_granted_meanwhile_ends_too() -> None:
    """A request to sign in was decided between the sponsor's own change and the end."""
    world = new_world()
    world.sponsor(SPONSOR)
    request_sign_in(world.ports, CAMPAIGN, Address.parse(SPONSOR))
    asked = world.facts(FactName.SIGN_IN_REQUESTED)[-1]
    first = world.memory.all(Sponsor)[0]

    def grant() -> None:
        late = SignInLink(
            sponsor_id=first.sponsor_id,
            campaign=CAMPAIGN,
            contact_id=asked.ids["contact"],
            mailed=1,
            waits_until=world.clock(),
            ends_at=world.clock() + timedelta(days=1),
        )
        world.memory.commit(Insert(late))

    erase(world, SPONSOR, wrapped(world, lambda one: ContestedRepository(one, grant, 3)))
    assert world.memory.all(SignInLink) == []


def test_who_signs_in_before_it_has_ended_waits_and_is_somebody_new() -> None:
    world = new_world()
    before = world.sponsor(SPONSOR)
    request_sign_in(world.ports, CAMPAIGN, Address.parse(SPONSOR))
    asked = world.facts(FactName.SIGN_IN_REQUESTED)[-1]

    def sign_in() -> None:
        with pytest.raises(RetryLaterError):
            decide_sign_in(world.ports, asked)

    # Before the second write after the sponsor's own.
    erase(world, SPONSOR, wrapped(world, lambda one: ContestedRepository(one, sign_in, 3)))
    after = world.sponsor(SPONSOR)
    assert after.sponsor_id != before.sponsor_id
