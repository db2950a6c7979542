"""Every use case that tries again after a conflict: somebody else commits first, and it does its
work all the same, once.

Each story is played twice, and comes to the same: alone, and with a table in which every use case
named beside it loses the first race of its own commit.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.campaign.lists import ListName
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.changes import VoucherChange
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.held_rewards import RewardKey
from chalicelib.domain.journal import JournalPart
from chalicelib.domain.lists.model import HeldList, ListVersion
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import Contact, Sponsor
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.earlier_changes import store_earlier_change
from chalicelib.services.invitations.invite import Referee, sign_up
from chalicelib.services.invitations.respond import confirm, decline, end_consent
from chalicelib.services.lists.review_held import approve_held_list, reject_held_list
from chalicelib.services.lists.roll_back import roll_back_list
from chalicelib.services.mail_ports import MailNotSentError
from chalicelib.services.mails.resend import resend
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from chalicelib.services.objections.unsubscribe import unsubscribe
from chalicelib.services.operations.end_lists import end_lists
from chalicelib.services.operations.end_records import end_records
from chalicelib.services.operations.migrate import write_again
from chalicelib.services.operations.move_ends import move_ends
from chalicelib.services.operations.wall_links import (
    make_wall_link,
    revoke_wall_link,
    wall_links,
)
from chalicelib.services.ports import Change, ConflictError, DayCounts, Key, Remove, Replace
from chalicelib.services.protection import resume, stop_if_needed
from chalicelib.services.sponsors.sessions import give_name
from chalicelib.services.vouchers.redeem import redeem, roll_back
from chalicelib.services.vouchers.review_rewards import refuse_reward, release_reward
from tests.fakes.campaign import CAMPAIGN, CANARY, campaign, digest
from tests.fakes.due import expire, reconcile
from tests.fakes.repository import MemoryRepository
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world
from tests.services.test_conditions import purchase
from tests.services.test_key_rotation import (
    NO_CANARY,
    answered_in_every_way,
    as_before_our_own_key,
)
from tests.services.test_key_rotation import settle as settle_keys
from tests.services.test_protection import MANY
from tests.services.test_redemption_rewards import KEPT, WELCOME, used_and_revoked, voucher_of
from tests.services.test_replacement import OWN_CODES, refuse

NEWCOMER = "jeanne@example.fr"
BY = "AIDAOPS"


class ContestedTable(MemoryRepository):
    """Each of the use cases of `contested` meets a conflict once: at its first commit."""

    def __init__(self) -> None:
        super().__init__()
        self.contested: set[str] = set()
        self.lost: set[str] = set()

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        self._compete()
        super().commit(*changes, facts=facts)

    def count(
        self, part: JournalPart, counts: Mapping[str, DayCounts], facts: Sequence[Fact]
    ) -> None:
        self._compete()
        super().count(part, counts, facts)

    def _compete(self) -> None:
        for name in _running():
            if name in self.contested - self.lost:
                self.lost.add(name)
                raise ConflictError(name)


def _running() -> Iterator[str]:
    """The functions of the services that are running, the innermost first."""
    frame = sys._getframe()
    while frame.f_back:
        frame = frame.f_back
        module = str(frame.f_globals["__name__"])
        if module.startswith("chalicelib.services."):
            name = module.removeprefix("chalicelib.services.")
            yield f"{name}:{frame.f_code.co_qualname}"


@dataclass(frozen=True)
class Story:
    """What happens, in which campaign, and which use cases lose a race in it."""

    play: Callable[[World], object]
    losing: set[str]
    campaign: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.play.__name__


STORIES: list[Story] = []
Play = Callable[[World], object]


def losing(*names: str, **changes: Any) -> Callable[[Play], Play]:
    """A story in which these use cases lose a race; `changes` are those of the campaign."""

    def noted(play: Play) -> Play:
        STORIES.append(Story(play, set(names), changes))
        return play

    return noted


@losing(
    "sponsors.sign_in:decide_sign_in",
    "invitations.invite:invite",
    "invitations.decide:decide_invitation",
    "moves:mark_mail_sent",
    "invitations.respond:confirm",
    "vouchers.settle:_next_action",
    "operations.project:project",
    "operations.seal:_seal_group",
)
def a_referral(world: World) -> None:
    world.referral(NEWCOMER)
    assert len(world.journal()) == len(world.facts())


@losing("invitations.invite:sign_up", "invitations.respond:decline")
def a_sign_up_that_is_declined(world: World) -> None:
    world.sponsor()
    [sponsor] = world.memory.all(Sponsor)
    sign_up(world.ports, CAMPAIGN, sponsor.link_code, Referee(Address.parse(NEWCOMER)))
    world.run()
    decline(world.ports, world.token_of(NEWCOMER))


@losing(
    "invitations.respond:confirm",
    "invitations.respond:end_consent",
    "consents.ingest_consents:_record",
)
def a_consent_that_is_given_and_taken_back(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    token = world.token_of(NEWCOMER)
    confirm(world.ports, token, "1", True)
    world.clock.advance(minutes=1)
    end_consent(world.ports, token)
    row = f"{digest(NEWCOMER)},withdrawn,{world.clock().isoformat()}"
    receipt = world.drop("consents/c.csv", f"email_digest,state,at\n{row}\n".encode())
    assert receipt.effects == {"withdrawn": 1}
    assert len(world.facts(FactName.CONSENT_GIVEN)) == 1
    assert len(world.facts(FactName.CONSENT_WITHDRAWAL)) == 2


@losing("objections.unsubscribe:unsubscribe")
def an_opposition(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    header = str(world.mailer.to(NEWCOMER)[0].message["List-Unsubscribe"])
    unsubscribe(world.ports, header.strip("<>").rsplit("/", 1)[1])


@losing("mails.ses_events:_undelivered")
def a_bounce(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    settle_mail(world.ports, MailEvent("bounced", _mail(world).mail_id, "ses-1"))


@losing("mails.ses_events:_complained")
def a_complaint(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    settle_mail(world.ports, MailEvent("complained", _mail(world).mail_id, "ses-1"))


@losing("moves:mark_mail_failed")
def a_mail_that_the_sender_refuses(world: World) -> None:
    session = world.sponsor()
    world.mailer.answers = [MailNotSentError("MessageRejected", final=True)]
    world.invite(session, NEWCOMER)
    world.run()


@losing("mails.resend:resend")
def a_vouchers_mail_sent_again(world: World) -> None:
    world.referral(NEWCOMER)
    world.export()
    world.acknowledge(1)
    world.run()
    mail = next(one for one in world.memory.all(Mail) if one.voucher_id)
    assert mail.provider_id
    settle_mail(world.ports, MailEvent("bounced", mail.mail_id, mail.provider_id))
    resend(world.ports, CAMPAIGN, mail.mail_id, BY)
    world.run()


@losing(
    "orders.record:record_order",
    "vouchers.redeem:redeem",
    "vouchers.redeem:roll_back",
    "watch:note_orders",
    "operations.expire:keep_due",
    "operations.expire:end_due",
)
def orders_and_a_voucher_used_by_a_call(world: World) -> None:
    world.referral(NEWCOMER)
    [voucher] = world.memory.all(Voucher)
    redeem(world.ports, voucher.code, purchase(world))
    roll_back(world.ports, voucher.code, "A1")
    world.export()
    world.drop_orders(world.order("A2", of=NEWCOMER))
    world.run()
    world.clock.advance(days=70)
    expire(world.ports)
    world.run()


@losing(
    "numbered_files:Series._open",
    "numbered_files:Series._add_part",
    "numbered_files:Series._seal",
    "numbered_files:Series._write",
    "vouchers.acknowledge:_record_answer",
    "vouchers.acknowledge:close_export",
)
def an_export_that_is_acknowledged(world: World) -> None:
    world.referral(NEWCOMER)
    world.export()
    assert world.acknowledge(1).effects == {"acknowledged": 1}
    world.run()


@losing("operations.expire:close_due")
def an_invitation_that_nobody_answers(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    world.clock.advance(days=30)
    expire(world.ports)


@losing("lists.ingest:_apply", "lists.review_held:approve_held_list")
def a_held_list_that_is_approved(world: World) -> None:
    approve_held_list(world.ports, _held(world), by=BY)
    world.run()


@losing("lists.review_held:reject_held_list")
def a_held_list_that_is_rejected(world: World) -> None:
    reject_held_list(world.ports, _held(world), by=BY)
    world.run()


@losing("lists.roll_back:roll_back_list")
def a_list_that_is_rolled_back(world: World) -> None:
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, NEWCOMER], file="next")
    roll_back_list(world.ports, CAMPAIGN, ListName.CUSTOMERS, 1, by=BY)


@losing(
    "campaigns.put:put_campaign",
    "operations.move_ends:_Moving.follow",
    "operations.move_ends:_Moving._read_and_follow",
)
def a_prolonged_campaign(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    put_campaign(world.ports, campaign(ends_on="2027-01-31"))
    world.clock.advance(minutes=21)
    current = world.repository.get(CurrentCampaign, campaign=CAMPAIGN)
    assert current
    assert move_ends(world.ports, current, world.clock() + timedelta(minutes=3)).complete


@losing("operations.migrate:write_again")
def an_item_that_is_written_again(world: World) -> None:
    world.sponsor()
    [sponsor] = world.memory.all(Sponsor)
    assert write_again(world.ports, Key.of(Sponsor, sponsor_id=sponsor.sponsor_id))


@losing("earlier_changes:store_earlier_change")
def a_change_that_an_earlier_version_did_not_store(world: World) -> None:
    world.referral(NEWCOMER)
    world.export()
    [voucher] = world.memory.all(Voucher)
    redeem(world.ports, voucher.code, purchase(world))
    [used] = world.memory.all(Voucher)
    [change] = world.memory.all(VoucherChange)
    world.repository.commit(Replace(replace(used, changes=0)), Remove(change))
    assert store_earlier_change(world.ports, voucher.code_key, None)


@losing("vouchers.redemption_rewards:give_back_if_cancelled")
def a_call_that_comes_after_its_order_was_cancelled(world: World) -> None:
    world.referral(NEWCOMER)
    world.drop_orders(world.order("A1", "cancelled", of=NEWCOMER))
    [voucher] = world.memory.all(Voucher)
    redeem(world.ports, voucher.code, purchase(world))
    world.run()


@losing(
    "vouchers.reward:_free_room",
    rules=[WELCOME, KEPT],
    caps={"sponsor_rewards": 1, "budget": "100.00"},
)
def a_used_voucher_that_its_rollback_revokes(world: World) -> None:
    order_id = used_and_revoked(world)
    roll_back(world.ports, voucher_of(world, "kept").code, order_id)
    world.run()


@losing("vouchers.replace_refused:replace_refused", "watch:_store_count", **OWN_CODES)
def a_refused_voucher_that_waits_for_a_code(world: World) -> None:
    world.drop("codes/welcome/a.csv", b"OWNCODE-1\n")
    world.referral(NEWCOMER)
    world.export()
    refuse(world, 1)
    world.drop("codes/welcome/b.csv", b"OWNCODE-2\n")
    reconcile(world.ports)


@losing("operations.rekey:_complete", lists=NO_CANARY)
def referrals_of_before_our_own_key(world: World) -> None:
    answered_in_every_way(world)
    as_before_our_own_key(world)
    settle_keys(world)


@losing("protection:stop_if_needed", "protection:resume", quotas=MANY)
def invitations_that_are_stopped_and_resumed(world: World) -> None:
    session = world.sponsor()
    world.invite(session, *(f"new{number}@example.fr" for number in range(20)))
    world.run()
    for mail in world.memory.all(Mail):
        if "invitation" in mail.ids:
            settle_mail(world.ports, MailEvent("bounced", mail.mail_id, "ses-1"))
    world.run()
    assert stop_if_needed(world.ports, world.campaign)
    assert resume(world.ports, CAMPAIGN, BY)


@losing(
    "vouchers.review_rewards:release_reward",
    "vouchers.review_rewards:refuse_reward",
    "vouchers.review_rewards:end_hold_due",
    review={"hold_over": 0},
)
def held_rewards_that_are_decided(world: World) -> None:
    keys = [
        RewardKey(world.referral(address).referral_id, "welcome", 0)
        for address in (NEWCOMER, "paul@example.fr", "marie@example.fr")
    ]
    release_reward(world.ports, CAMPAIGN, keys[0], by=BY)
    refuse_reward(world.ports, CAMPAIGN, keys[1], by=BY)
    world.clock.advance(days=16)
    reconcile(world.ports)
    world.run()
    assert len(world.memory.all(Voucher)) == 2


@losing("cohort_store:store_cohort")
def a_cohort_that_is_known_later(world: World) -> None:
    for day in ("2026-02-01", "2026-02-02"):
        content = f"source,joined_on,last_order_on\nsearch,2026-01-05,{day}\n"
        receipt = world.drop(f"cohorts/{day}.csv", content.encode())
        assert receipt.effects == {"counted": 1}


@losing("sponsors.sessions:give_name")
def a_name_that_is_given(world: World) -> None:
    give_name(world.ports, world.sponsor(), "Camille")
    assert [one.first_name for one in world.memory.all(Contact)] == ["Camille"]


@losing("operations.wall_links:revoke_wall_link")
def a_wall_link_that_is_revoked(world: World) -> None:
    _, link = make_wall_link(world.ports, world.campaign, by=BY, days=30)
    revoke_wall_link(world.ports, CAMPAIGN, link.link_id, by=BY)
    assert wall_links(world.ports, CAMPAIGN) == []


@losing("operations.end_lists:_note_ends")
def a_list_that_was_replaced(world: World) -> None:
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY, NEWCOMER], file="next")
    end_lists(world.ports, CAMPAIGN)
    assert any(one.ends_at for one in world.memory.all(ListVersion))


@losing("operations.end_records:_note")
def records_that_have_ended(world: World) -> None:
    world.sponsor()
    world.clock.now = world.campaign.records_end_at() + timedelta(days=1)
    [current] = world.memory.all(CurrentCampaign)
    assert end_records(world.ports, current, world.clock() + timedelta(hours=1))
    assert all(one.records_ended_at for one in world.memory.all(CurrentCampaign))


def _mail(world: World) -> Mail:
    return next(one for one in world.memory.all(Mail) if "invitation" in one.ids)


def _held(world: World) -> HeldList:
    world.drop_list("customers", [CANARY, CUSTOMERS[0]], file="small")
    [held] = world.memory.all(HeldList)
    return held


def _played(story: Story, contested: set[str]) -> World:
    table = ContestedTable()
    world = new_world(table, **story.campaign)
    table.contested = contested
    story.play(world)
    assert table.lost == contested, "not all of them committed"
    return world


def _outcome(world: World) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """The facts by name, and what is stored by its kind and state."""
    stored = [
        (type(one).__name__, str(getattr(one, "state", ""))) for one in world.memory._items.values()
    ]
    return Counter(fact.name for fact in world.facts()), Counter(stored)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_use_case_that_loses_a_race_tries_again(story: Story) -> None:
    assert _outcome(_played(story, story.losing)) == _outcome(_played(story, set()))
