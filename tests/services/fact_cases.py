"""For every kind of fact a case: a world, and what makes the fact happen in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.addresses import Address
from chalicelib.domain.campaign.lists import ListName
from chalicelib.domain.facts import FactName
from chalicelib.domain.held_rewards import RewardKey
from chalicelib.domain.lists.model import HeldList
from chalicelib.domain.mails import Mail
from chalicelib.domain.privacy import Wish
from chalicelib.domain.redemptions import Purchase
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.consents.write import write_consents
from chalicelib.services.errors import RefusedError
from chalicelib.services.invitations.respond import confirm, decline
from chalicelib.services.lists.review_held import approve_held_list, reject_held_list
from chalicelib.services.lists.roll_back import roll_back_list
from chalicelib.services.mail_ports import MailNotSentError
from chalicelib.services.mails.resend import resend
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from chalicelib.services.mails.stop_links import resume_links, stop_links
from chalicelib.services.objections.unsubscribe import unsubscribe
from chalicelib.services.operations.statement import write_statements
from chalicelib.services.operations.wall_links import (
    make_wall_link,
    revoke_wall_link,
    wall_links,
)
from chalicelib.services.persons.erase import erase_person
from chalicelib.services.privacy.confirm import confirm_erasure, take_file
from chalicelib.services.privacy.request import request_privacy
from chalicelib.services.protection import resume
from chalicelib.services.sponsors.renew_link import renew_link
from chalicelib.services.sponsors.sign_in import request_sign_in
from chalicelib.services.vouchers.changes import write_changes
from chalicelib.services.vouchers.redeem import redeem, roll_back
from chalicelib.services.vouchers.review_rewards import held_rewards, release_reward
from tests.fakes.campaign import CAMPAIGN, CANARY, campaign, digest
from tests.fakes.due import expire, reconcile
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world
from tests.services.test_list_deltas import list_of, named
from tests.services.test_protection import MANY, come_by_link, invitations
from tests.services.test_replacement import refuse

NEWCOMER, OTHER = "jeanne@example.fr", "paul@example.fr"
STRANGER = "stranger@example.fr"
F = FactName
Act = Callable[[World], object]


@dataclass(frozen=True)
class Case:
    """A world up to the moment before the fact, and what makes the fact happen."""

    act: Act
    before: Act = lambda _: None
    begin: Callable[[], World] = new_world


# --- what happens -------------------------------------------------------------------------------


def _invited(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()


def _confirmed(world: World) -> None:
    world.referral(NEWCOMER)


def _exported(world: World) -> None:
    _confirmed(world)
    world.export()


def _acknowledged(world: World) -> None:
    _exported(world)
    world.acknowledge(1)
    world.run()


def _ordered(status: str, file: str = "orders") -> Act:
    return lambda world: world.drop_orders(world.order("A1", status, of=NEWCOMER), file=file)


def _used(status: str = "placed", file: str = "orders") -> Act:
    def act(world: World) -> None:
        code = world.exported(1)[0]["code"]
        world.drop_orders(world.order("A1", status, of=NEWCOMER, code=code), file=file)

    return act


def _then(*acts: Act) -> Act:
    def act(world: World) -> None:
        for each in acts:
            each(world)
            world.run()

    return act


def _called(world: World) -> None:
    """A till redeems by a call, and no order is reported."""
    purchase = Purchase(
        order_id="T1", ordered_at=world.clock(), amount_minor=8000, currency="EUR"
    )  # fmt: skip
    redeem(world.ports, world.exported(1)[0]["code"], purchase)


def _given_back(world: World) -> None:
    roll_back(world.ports, world.exported(1)[0]["code"], "T1")


def _refused_at_the_till(world: World) -> None:
    """A till asks for a voucher on an order that is too small."""
    little = Purchase(order_id="T1", ordered_at=world.clock(), amount_minor=100, currency="EUR")
    with suppress(RefusedError):
        redeem(world.ports, world.exported(1)[0]["code"], little)


def _customers(*addresses: str, file: str = "list") -> Act:
    everybody = [*CUSTOMERS, *VIPS, CANARY, *addresses]
    return lambda world: world.drop_list("customers", everybody, file)


def _held(world: World) -> None:
    world.drop("customers/full/small.csv", f"digest\n{digest(CANARY)}\n".encode())


def _decided(decide: Callable[..., object]) -> Act:
    return lambda world: decide(world.ports, world.memory.all(HeldList)[0], by="AIDAOPS")


def _event(kind: Any) -> Act:
    def act(world: World) -> None:
        [mail] = [one for one in world.memory.all(Mail) if one.mail_kind == "invitation"]
        settle_mail(world.ports, MailEvent(kind, mail.mail_id, mail.provider_id or "ses-1"))

    return act


def _voucher_bounced(world: World) -> None:
    [mail] = [one for one in world.memory.all(Mail) if one.mail_id.startswith("voucher-")]
    settle_mail(world.ports, MailEvent("bounced", mail.mail_id, mail.provider_id or ""))


def _sent_again(world: World) -> None:
    [mail] = [one for one in world.memory.all(Mail) if one.mail_id.startswith("voucher-")]
    resend(world.ports, CAMPAIGN, mail.mail_id, "AIDAOPS")


def _not_me(world: World) -> None:
    _asks(VIPS[1])(world)
    world.run()
    stop_links(world.ports, world.mailer.to(VIPS[1])[-1].tokens[1])


def _wishes(address: str, wish: Wish = Wish.ERASE) -> Act:
    return lambda world: request_privacy(world.ports, CAMPAIGN, Address.parse(address), wish)


def _privacy_link(world: World) -> str:
    return world.mailer.to(NEWCOMER)[-1].tokens[0]


def _file_asked(world: World) -> None:
    take_file(world.ports, _privacy_link(world))


def _privacy_not_me(world: World) -> None:
    stop_links(world.ports, world.mailer.to(NEWCOMER)[-1].tokens[1])


def _came_by_link(world: World) -> None:
    session = world.sponsor()
    come_by_link(world, session, "jeanne")


def _link_bounced(world: World) -> None:
    [mail] = [one for one in world.memory.all(Mail) if one.mail_kind == "sign_up"]
    settle_mail(world.ports, MailEvent("bounced", mail.mail_id, mail.provider_id or ""))


def _many_invited(world: World) -> None:
    world.invite(world.sponsor(), *(f"referee{number}@example.fr" for number in range(20)))
    world.run()
    for mail in invitations(world):
        settle_mail(world.ports, MailEvent("bounced", mail.mail_id, mail.provider_id or ""))


def _stopped_and_held(world: World) -> None:
    _many_invited(world)
    world.run()
    reconcile(world.ports)
    world.invite(world.sponsor(VIPS[1]), NEWCOMER)


def _refused_by_the_sender(world: World) -> None:
    world.mailer.answers = [MailNotSentError("MessageRejected", final=True)]
    request_sign_in(world.ports, CAMPAIGN, Address.parse(VIPS[1]))


def _invite_and_wait(world: World) -> None:
    """Invitations wait for a list; then a list is the one thing that is lost."""
    session = world.sponsor()
    world.lists.fails = "no_list"
    world.invite(session, NEWCOMER)
    world.run()
    world.lists.fails = None


def _delta(world: World) -> None:
    """Digests to add to a full list that has not come."""
    added = list_of([STRANGER])
    named(world, "customers/add/more.csv", added, "0" * 64)
    world.drop("customers/add/more.csv", added)


def _refuse_thrice(world: World) -> None:
    for number in (1, 2, 3):
        world.export()
        refuse(world, number)
        world.run()


def _after(**duration: float) -> Act:
    return lambda world: world.clock.advance(**duration)


def _states(world: World) -> object:
    return write_statements(world.ports, world.campaign)


def _changes(world: World) -> object:
    return write_changes(world.ports, world.campaign)


def _objected(world: World) -> None:
    _invited(world)
    unsubscribe(world.ports, world.mailer.to(NEWCOMER)[0].tokens[1])


def _consents(world: World) -> object:
    return write_consents(world.ports, world.campaign)


def _asks(address: str) -> Act:
    return lambda world: request_sign_in(world.ports, CAMPAIGN, Address.parse(address))


def _invites(*addresses: str) -> Act:
    return lambda world: world.invite(world.sponsor(), *addresses)


def _at_once() -> World:
    return new_world(release="at_once")


def _reminding() -> World:
    return new_world(ends_soon_days=7)


def _redeeming() -> World:
    welcome = {"id": "welcome", "when": "referral_confirmed", "issue": "welcome", "to": "referee"}
    used = {
        "id": "used", "when": "voucher_redeemed", "if": {"template": "welcome"},
        "issue": "thank-you", "to": "sponsor",
    }  # fmt: skip
    return new_world(rules=[welcome, used])


def _capped() -> World:
    thanks = {
        "id": "thanks", "when": "order_kept", "if": {"order": 1},
        "issue": "thank-you", "to": "sponsor",
    }  # fmt: skip
    return new_world(rules=[thanks], caps={"sponsor_rewards": 1})


def _reviewing() -> World:
    """Everything is held: nobody reads a mail in the moment in which it leaves."""
    return new_world(review={"hold_over": 0})


def _reviewing_and_capped() -> World:
    return new_world(review={"hold_over": 0}, caps={"sponsor_rewards": 1})


def _reviewed(decide: Callable[..., object]) -> Act:
    def act(world: World) -> None:
        for each in held_rewards(world.ports, CAMPAIGN):
            decide(world.ports, CAMPAIGN, RewardKey.of(each.reward), by="AIDAOPS")

    return act


def _two_referees(world: World) -> None:
    """The reward for the second one is refused, because the first one's takes the sponsor's cap."""
    for address, order in ((NEWCOMER, "A1"), (OTHER, "A2")):
        world.referral(address)
        world.drop_orders(world.order(order, "kept", of=address), file=order)
        world.run()


def _wall_made(world: World) -> None:
    make_wall_link(world.ports, world.campaign, by="AIDAOPS", days=30)


def _wall_revoked(world: World) -> None:
    [link] = wall_links(world.ports, CAMPAIGN)
    revoke_wall_link(world.ports, CAMPAIGN, link.link_id, by="AIDAOPS")


def _with_many() -> World:
    return new_world(quotas=MANY)


def _with_one_problem_a_link() -> World:
    return new_world(quotas={"problems_per_link": 1})


CASES: Mapping[FactName, Case] = {
    F.CAMPAIGN_PUT: Case(
        lambda world: put_campaign(world.ports, campaign(title={"fr": "Autre", "en": "Other"}))
    ),
    F.SIGN_IN_REQUESTED: Case(_asks(VIPS[1])),
    F.SIGN_IN_GRANTED: Case(_asks(VIPS[1])),
    F.SIGN_IN_REFUSED: Case(_asks(STRANGER)),
    F.PRIVACY_REQUESTED: Case(_wishes(NEWCOMER), _invited),
    F.PRIVACY_LINK_GRANTED: Case(_wishes(NEWCOMER), _invited),
    F.PRIVACY_LINK_REFUSED: Case(_wishes(STRANGER)),
    F.PRIVACY_FILE_ASKED: Case(_file_asked, _then(_invited, _wishes(NEWCOMER))),
    F.PRIVACY_FILE_GIVEN: Case(_file_asked, _then(_invited, _wishes(NEWCOMER), _file_asked)),
    F.ERASURE_CONFIRMED: Case(
        lambda world: confirm_erasure(world.ports, _privacy_link(world)),
        _then(_invited, _wishes(NEWCOMER)),
    ),
    F.PRIVACY_MAILS_STOPPED: Case(_privacy_not_me, _then(_invited, _wishes(NEWCOMER))),
    F.PRIVACY_MAILS_RESUMED: Case(
        lambda world: resume_links(world.ports, world.mailer.to(NEWCOMER)[-1].tokens[1]),
        _then(_invited, _wishes(NEWCOMER), _privacy_not_me),
    ),
    F.INVITATION_RECEIVED: Case(_invites(NEWCOMER, CUSTOMERS[0])),
    F.INVITATION_ACCEPTED: Case(_invites(NEWCOMER)),
    F.INVITATION_REFUSED: Case(_invites(CUSTOMERS[0])),
    F.INVITATION_SENT: Case(_invites(NEWCOMER)),
    F.INVITATION_DECLINED: Case(
        lambda world: decline(world.ports, world.token_of(NEWCOMER)), _invited
    ),
    F.INVITATION_BOUNCED: Case(_event("bounced"), _invited),
    F.INVITATION_EXPIRED: Case(lambda world: expire(world.ports), _then(_invited, _after(days=40))),
    F.REFERRAL_CONFIRMED: Case(lambda world: world.confirm(NEWCOMER), _invited),
    F.OPPOSITION_RECORDED: Case(
        lambda world: unsubscribe(world.ports, world.mailer.to(NEWCOMER)[0].tokens[1]), _invited
    ),
    F.CONSENT_GIVEN: Case(
        lambda world: confirm(world.ports, world.token_of(NEWCOMER), "1", True), _invited
    ),
    F.CONSENT_WITHDRAWAL: Case(
        lambda world: unsubscribe(world.ports, world.mailer.to(NEWCOMER)[0].tokens[1]), _invited
    ),
    F.CONSENTS_WRITTEN: Case(_consents, _objected),
    F.VOUCHER_ISSUED: Case(lambda world: world.confirm(NEWCOMER), _invited, _at_once),
    F.VOUCHERS_EXPORTED: Case(World.export, _confirmed),
    F.VOUCHER_ACKNOWLEDGED: Case(lambda world: world.acknowledge(1), _exported),
    F.VOUCHER_REFUSED: Case(lambda world: refuse(world, 1), _exported),
    F.VOUCHER_REFUSED_REPEATEDLY: Case(_refuse_thrice, _confirmed),
    F.VOUCHER_REDEEMED: Case(_called, _acknowledged, _redeeming),
    F.VOUCHER_ROLLED_BACK: Case(_given_back, _then(_acknowledged, _called), _redeeming),
    F.REDEMPTION_REFUSED: Case(_refused_at_the_till, _exported),
    F.VOUCHER_ENDS_SOON: Case(
        lambda world: expire(world.ports), _then(_acknowledged, _after(days=54)), _reminding
    ),
    F.VOUCHER_EXPIRED: Case(lambda world: expire(world.ports), _then(_exported, _after(days=70))),
    F.EXPORT_WRITTEN: Case(World.export, _confirmed),
    F.CHANGES_WRITTEN: Case(_changes, _then(_acknowledged, _used())),
    F.STATEMENT_WRITTEN: Case(_states, _then(_acknowledged, _after(days=35), _changes)),
    F.ORDER_PLACED: Case(_ordered("placed"), _confirmed),
    F.ORDER_KEPT: Case(_ordered("kept"), _confirmed),
    F.ORDER_RETURNED: Case(_ordered("returned", "more"), _then(_confirmed, _ordered("kept"))),
    F.ORDER_CANCELLED: Case(_ordered("cancelled", "more"), _then(_confirmed, _ordered("kept"))),
    F.ORDER_CORRECTED: Case(_used("placed", "more"), _then(_acknowledged, _ordered("placed"))),
    F.REWARD_REFUSED: Case(_ordered("kept"), _then(_confirmed, _customers(NEWCOMER))),
    F.REWARD_HELD: Case(lambda world: world.confirm(NEWCOMER), _invited, _reviewing),
    F.REWARD_RELEASED: Case(_reviewed(release_reward), _confirmed, _reviewing),
    F.REWARD_HOLD_ENDED: Case(_ordered("returned", "more"), _two_referees, _reviewing_and_capped),
    F.REWARD_REVOKED: Case(_ordered("returned", "more"), _two_referees, _capped),
    F.LIST_ACCEPTED: Case(_customers(STRANGER, file="new"), _invite_and_wait),
    F.LIST_CONFIRMED: Case(_customers(file="again"), _then(_after(hours=2), _invite_and_wait)),
    F.LIST_WAITS: Case(_delta),
    F.LIST_REFUSED: Case(lambda world: world.drop("customers/full/bad.csv", b"digest\nx\n")),
    F.LIST_HELD: Case(_held),
    F.LIST_APPROVED: Case(_decided(approve_held_list), _held),
    F.LIST_REJECTED: Case(_decided(reject_held_list), _held),
    F.LIST_ROLLED_BACK: Case(
        lambda world: roll_back_list(world.ports, CAMPAIGN, ListName.CUSTOMERS, 1, by="AIDAOPS"),
        _then(_customers(STRANGER), _after(hours=1), _invite_and_wait),
    ),
    F.MAIL_SENT: Case(_asks(VIPS[1])),
    F.MAIL_FAILED: Case(_refused_by_the_sender),
    F.MAIL_COMPLAINED: Case(_event("complained"), _invited),
    F.MAIL_BOUNCED: Case(_event("bounced"), _invited),
    F.MAIL_BOUNCED_FOR_NOW: Case(_event("bounced_for_now"), _invited),
    F.VOUCHER_UNDELIVERED: Case(_voucher_bounced, _acknowledged),
    F.MAIL_TO_SEND_AGAIN: Case(_sent_again, _then(_acknowledged, _voucher_bounced)),
    F.SIGN_INS_STOPPED: Case(_not_me),
    F.SIGN_INS_RESUMED: Case(
        lambda world: resume_links(world.ports, world.mailer.to(VIPS[1])[-1].tokens[1]), _not_me
    ),
    F.PERSON_ERASED: Case(
        lambda world: erase_person(world.ports, [world.campaign], Address.parse(VIPS[0])),
        lambda world: world.referral(NEWCOMER),
    ),
    F.LINK_RENEWED: Case(lambda world: renew_link(world.ports, world.sponsor())),
    F.LINK_STOPPED: Case(_link_bounced, _came_by_link, _with_one_problem_a_link),
    F.INVITATIONS_STOPPED: Case(lambda world: reconcile(world.ports), _many_invited, _with_many),
    F.INVITATIONS_RESUMED: Case(
        lambda world: resume(world.ports, CAMPAIGN, "AIDAOPS"), _stopped_and_held, _with_many
    ),
    F.WALL_LINK_MADE: Case(_wall_made),
    F.WALL_LINK_REVOKED: Case(_wall_revoked, _wall_made),
}
