"""A campaign whose last day moves: what ends with it follows, and its invitations close with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import Contact, Opposition, Session, Token, TokenPurpose
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import ClosedError, GoneError
from chalicelib.services.invitations.invite import Referee, invite, sign_up
from chalicelib.services.invitations.respond import confirm, decline, view_offer
from chalicelib.services.objections.unsubscribe import unsubscribe
from chalicelib.services.operations.move_ends import SETTLED_AFTER, move_ends
from chalicelib.services.ports import (
    TRANSACTION_LIMIT,
    Change,
    ContentionError,
    Replace,
    Repository,
)
from chalicelib.services.sponsors.sign_in import request_sign_in
from chalicelib.services.sponsors.space import view_sponsor_space
from tests.fakes import repository
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.due import expire, reconcile
from tests.fakes.repository import ContestedRepository, _Wrapped
from tests.fakes.world import VIPS, World, new_world, wrapped

REFEREES = [f"new{number}@example.fr" for number in range(30)]
NEWCOMER = REFEREES[0]
LAST, LATER = "2026-04-30", "2026-12-31"
OLD_END = date.fromisoformat(LAST) + timedelta(days=90)
AFTER_OLD_END = datetime.combine(OLD_END + timedelta(days=3), time(9), UTC)


def put(world: World, **changes: Any) -> None:
    """Put a version in force, and let every function forget the one before."""
    put_campaign(world.ports, campaign(**changes))
    world.clock.advance(minutes=21)


def invited(ends_on: str = LAST) -> World:
    """A world with invitations that are not answered."""
    world = new_world(ends_on=ends_on)
    world.invite(world.sponsor(), *REFEREES[:10])
    world.run()
    return world


def current(world: World) -> CurrentCampaign:
    found = world.repository.get(CurrentCampaign, campaign=CAMPAIGN)
    assert found
    return found


def ends(world: World, kind: type[Any]) -> set[date]:
    """The local days on which the items of a kind end."""
    return {world.campaign.local_date(one.ends_at) for one in world.memory.all(kind)}


# --- prolonged ------------------------------------------------------------------------------------


def test_what_ends_with_a_prolonged_campaign_follows_it_and_nothing_else_does() -> None:
    world = invited()
    request_sign_in(world.ports, CAMPAIGN, Address.parse("nobody@example.fr"))
    own = {one for one in world.memory.all(Token) if one.purpose is not TokenPurpose.UNSUBSCRIBE}
    sessions = world.memory.all(Session)
    put(world, ends_on=LATER)
    found = reconcile(world.ports)
    assert found["campaigns_with_moving_ends"] == 0
    end = world.campaign.local_date(world.campaign.contact_ends_at())
    assert end == date(2027, 3, 31)
    request = world.campaign.local_date(world.clock()) + timedelta(days=1)
    assert ends(world, Contact) == {end, request}
    assert ends(world, Mail) == {end}
    tokens = set(world.memory.all(Token))
    assert own < tokens
    assert {one.ends_at for one in tokens - own} == {world.campaign.contact_ends_at()}
    assert world.memory.all(Session) == sessions
    contacts, mails = len(world.memory.all(Contact)) - 1, len(world.memory.all(Mail))
    assert found["ends_moved"] == contacts + mails + len(tokens - own)
    assert reconcile(world.ports)["ends_moved"] == 0


def test_a_prolonged_campaign_goes_on_after_its_first_end() -> None:
    world = invited()
    link_code = view_sponsor_space(world.ports, world.sponsor()).sponsor.link_code
    mail = world.mailer.to(REFEREES[1])[0]
    world.confirm(NEWCOMER)
    put(world, ends_on=LATER)
    reconcile(world.ports)
    world.clock.now = AFTER_OLD_END
    world.drop_list("customers", ["somebody@demo.test", *VIPS, "canary@demo.test"])
    world.drop_list("vips", [*VIPS, "another@demo.test"], file="later")
    sign_up(world.ports, CAMPAIGN, link_code, Referee(Address.parse("late@example.fr")))
    world.run()
    token = world.token_of("late@example.fr")
    assert view_offer(world.ports, token).campaign.ends_on == date.fromisoformat(LATER)
    unsubscribe(world.ports, mail.tokens[1])
    assert world.memory.all(Opposition)


def test_without_that_work_the_addresses_would_end_on_the_first_day() -> None:
    world = invited()
    contact = world.memory.all(Contact)[0]
    put(world, ends_on=LATER)
    world.clock.now = AFTER_OLD_END
    assert world.repository.get(Contact, contact_id=contact.contact_id) is None


def test_a_version_with_the_same_last_day_asks_for_no_work() -> None:
    world = invited()
    put(world, ends_on=LAST, invitation_days=20)
    assert current(world).ends_followed == current(world).version == 2
    put(world, ends_on=LATER)
    put(world, ends_on=LATER, invitation_days=20)
    assert current(world).ends_followed == 2
    reconcile(world.ports)
    assert current(world).ends_followed == 4
    assert ends(world, Mail) == {date(2027, 3, 31)}


def test_nothing_is_moved_while_functions_may_know_the_version_before() -> None:
    world = invited()
    put_campaign(world.ports, campaign(ends_on=LATER))
    world.clock.advance(seconds=SETTLED_AFTER.total_seconds() - 1)
    assert not move_ends(world.ports, current(world), AFTER_OLD_END).complete
    assert ends(world, Mail) == {OLD_END}
    world.clock.advance(seconds=1)
    assert move_ends(world.ports, current(world), AFTER_OLD_END).complete


def test_the_work_goes_on_where_it_stopped_and_starts_again_for_another_last_day() -> None:
    world = invited()
    put(world, ends_on=LATER)
    moved = runs = 0
    for _ in range(20):
        progress = move_ends(world.ports, current(world), until=world.clock())
        moved, runs = moved + progress.moved, runs + 1
        if runs == 2:
            assert moved > 0
            before = current(world).ends_after
            assert before is not None
            put(world, ends_on=LATER, invitation_days=20)
            assert current(world).ends_after == before
        if progress.complete:
            break
    assert runs > 3
    assert ends(world, Mail) == {date(2027, 3, 31)}
    assert len(ends(world, Contact)) == 1
    put(world, ends_on="2027-01-31")
    move_ends(world.ports, current(world), until=world.clock())
    put(world, ends_on="2027-02-28")
    assert current(world).ends_after is None
    reconcile(world.ports)
    assert ends(world, Mail) == {date(2027, 2, 28) + timedelta(days=90)}


def test_more_than_a_transaction_holds_follow_from_one_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(repository, "PAGE", 1_000)
    world = invited()
    for sponsor, start in zip(VIPS[1:], (10, 20), strict=False):
        world.invite(world.sponsor(sponsor), *REFEREES[start : start + 10])
        world.run()
    world.invite(world.sponsor(VIPS[3]), "last@example.fr")
    world.run()
    put(world, ends_on=LATER)
    progress = move_ends(world.ports, current(world), AFTER_OLD_END)
    assert progress.complete
    assert progress.moved > TRANSACTION_LIMIT
    assert ends(world, Mail) == {date(2027, 3, 31)}


class Stubborn(_Wrapped):
    """Meets other transactions at whatever is about one contact."""

    def __init__(self, inner: Repository, contact_id: str) -> None:
        super().__init__(inner)
        self._contact_id = contact_id

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        for change in changes:
            if getattr(change.entity, "contact_id", None) == self._contact_id:
                raise ContentionError
        super().commit(*changes, facts=facts)


def test_a_version_put_while_the_ends_are_moved_is_followed_by_the_next_run() -> None:
    world = invited()
    put(world, ends_on=LATER)

    def competitor() -> None:
        put_campaign(world.ports, campaign(ends_on="2027-01-31"))

    contested = wrapped(world, lambda inner: ContestedRepository(inner, competitor))
    assert not move_ends(contested, current(world), AFTER_OLD_END).complete
    world.clock.advance(minutes=21)
    assert reconcile(world.ports)["campaigns_with_moving_ends"] == 0
    assert ends(world, Mail) == {date(2027, 5, 1)}


def test_an_item_that_cannot_be_written_stops_no_other_and_is_counted() -> None:
    world = invited()
    bad = world.memory.all(Contact)[1]
    put(world, ends_on=LATER)
    ports = wrapped(world, lambda inner: Stubborn(inner, bad.contact_id))
    progress = move_ends(ports, current(world), world.clock() + timedelta(minutes=3))
    left = [one for one in world.memory.all(Contact) if one.ends_at == bad.ends_at]
    assert [one.contact_id for one in left] == [bad.contact_id]
    assert progress.failed == 2  # the contact, and the mail to it
    assert not progress.complete
    # The next run begins with the first page.
    assert reconcile(world.ports)["ends_moved"] == 2
    assert current(world).ends_followed == 2


def test_what_one_run_had_to_leave_is_not_forgotten_by_the_next() -> None:
    world = invited()
    bad = world.memory.all(Contact)[1]
    put(world, ends_on=LATER)
    ports = wrapped(world, lambda inner: Stubborn(inner, bad.contact_id))
    for _ in range(10):
        if not current(world).ends_left:
            move_ends(ports, current(world), until=world.clock())
    assert current(world).ends_left
    assert current(world).ends_after
    assert not move_ends(world.ports, current(world), AFTER_OLD_END).complete
    assert len(ends(world, Contact)) == 2
    assert move_ends(world.ports, current(world), AFTER_OLD_END).complete
    assert len(ends(world, Contact)) == 1


def test_an_item_that_changed_meanwhile_is_read_again() -> None:
    world = invited()
    put(world, ends_on=LATER)

    def unsubscribe_one() -> None:
        unsubscribe(world.ports, world.mailer.to(NEWCOMER)[0].tokens[1])

    ports = wrapped(world, lambda inner: ContestedRepository(inner, unsubscribe_one))
    assert move_ends(ports, current(world), world.clock() + timedelta(minutes=3)).complete
    states = [one.state for one in world.memory.all(Invitation)]
    assert states.count(InvitationState.DECLINED) == 1
    assert NEWCOMER not in repr(world.memory.all(Contact))


# --- ended early ----------------------------------------------------------------------------------


def test_a_campaign_ended_early_closes_its_invitations_with_it() -> None:
    world = invited()
    world.clock.advance(days=1)
    put(world, ends_on="2026-03-03")
    world.clock.advance(days=1)
    reconcile(world.ports)
    expire(world.ports)
    invitations = world.memory.all(Invitation)
    assert {one.state for one in invitations} == {InvitationState.EXPIRED}
    closed = world.facts(FactName.INVITATION_EXPIRED)
    assert [fact.details["reason"] for fact in closed] == ["campaign_ended"] * len(invitations)
    assert "example.fr" not in repr(world.memory.all(Contact))
    assert ends(world, Contact) == {date(2026, 3, 3) + timedelta(days=90)}
    mailed = [one for one in world.memory.all(Token) if one.invitation_id]
    assert {one.ends_at for one in mailed} == {world.campaign.contact_ends_at()}
    world.run()
    assert world.funnel()["expired"] == len(invitations)


def test_the_pages_say_at_once_that_a_campaign_is_over() -> None:
    world = new_world(ends_on=LATER)
    session = world.sponsor()
    world.invite(session, *REFEREES[:2], VIPS[2])
    world.run()
    put(world, ends_on="2026-03-02")
    assert (
        view_offer(world.ports, world.token_of(NEWCOMER)).invitation.closes_at
        == world.campaign.last_second
    )
    world.clock.now = world.campaign.last_second + timedelta(milliseconds=999)
    world.confirm(REFEREES[1])
    world.clock.advance(milliseconds=1)
    token = world.token_of(NEWCOMER)
    for answer in (view_offer, decline):
        with pytest.raises(GoneError):
            answer(world.ports, token)
    with pytest.raises(GoneError):
        confirm(world.ports, token, "1", marketing_consent=False)
    with pytest.raises(ClosedError):
        invite(world.ports, session, [Referee(Address.parse("x@example.fr"))], None)
    space = view_sponsor_space(world.ports, session)
    # Law 8: one that was refused closes on the same day as one that nobody answered.
    assert {one.closes_at for one in space.invitations if not one.referral_id} == {
        world.campaign.last_second
    }


def test_an_unsubscription_after_the_early_end_is_recorded_and_declines_nothing() -> None:
    world = invited()
    put(world, ends_on="2026-03-02")
    world.clock.advance(days=1)
    unsubscribe(world.ports, world.mailer.to(NEWCOMER)[0].tokens[1])
    assert world.memory.all(Opposition)
    assert world.facts(FactName.INVITATION_DECLINED) == []


@pytest.mark.parametrize("decided", [False, True])
def test_an_invitation_under_way_is_not_sent_any_more_and_its_address_goes(decided: bool) -> None:
    world = new_world(ends_on=LATER)
    session = world.sponsor()
    waiting = "mail" if decided else "decide"
    world.invite(session, NEWCOMER)
    deliver(world, until=waiting)
    put(world, ends_on="2026-03-01")
    world.run()
    assert world.mailer.to(NEWCOMER) == []
    reconcile(world.ports)
    expire(world.ports)
    [invitation] = world.memory.all(Invitation)
    assert invitation.state is (InvitationState.EXPIRED if decided else InvitationState.REFUSED)
    assert NEWCOMER not in repr(world.memory.all(Contact))


def deliver(world: World, until: str) -> None:
    """What the queues have, but for the last one."""
    held: list[Fact] = []
    taken = world.queues.put

    def put_but_hold(queue: Any, facts: Sequence[Fact]) -> None:
        if queue == until:
            held.extend(facts)
        else:
            taken(queue, facts)

    world.queues.put = put_but_hold  # type: ignore[method-assign]
    world.run()
    world.queues.put = taken  # type: ignore[method-assign]
    taken(until, held)


def test_an_invitation_that_closes_with_the_campaign_by_itself_is_unanswered() -> None:
    world = new_world(ends_on="2026-03-05")
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    world.clock.advance(days=5)
    expire(world.ports)
    [closed] = world.facts(FactName.INVITATION_EXPIRED)
    assert closed.details["reason"] == "unanswered"


def test_law_8_ended_early_and_prolonged_again_a_refused_one_still_looks_like_the_others() -> None:
    world = new_world(ends_on=LATER)
    session = world.sponsor()
    world.invite(session, NEWCOMER, VIPS[2])
    world.run()
    put(world, ends_on="2026-03-05")
    reconcile(world.ports)
    put(world, ends_on=LATER)
    reconcile(world.ports)
    space = view_sponsor_space(world.ports, session)
    assert len({one.closes_at for one in space.invitations}) == 1


def test_a_campaign_of_an_earlier_version_follows_its_last_day_once() -> None:
    world = invited()
    stored = current(world)
    world.repository.commit(Replace(replace(stored, ends_followed=0)))
    world.clock.advance(minutes=21)
    assert reconcile(world.ports)["ends_moved"] == 0
    assert current(world).ends_followed == 1
