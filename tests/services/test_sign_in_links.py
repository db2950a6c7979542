"""Nobody can bomb a VIP with sign-in mails, or lock her out by asking in her place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.facts import FactName
from chalicelib.domain.mailed_links import LEFT_AT_LEAST, STOP_LASTS, pause_after
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import (
    Contact,
    Opposition,
    OppositionScope,
    Session,
    Sponsor,
    Token,
    TokenPurpose,
)
from chalicelib.domain.sign_ins import SignInLink
from chalicelib.services.digests import digests_of, new_oppositions
from chalicelib.services.errors import UnauthorisedError
from chalicelib.services.invitations.respond import view_offer
from chalicelib.services.mail_ports import MailNotSentError, MailUncertainError
from chalicelib.services.mails.send import send_mail
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from chalicelib.services.mails.stop_links import resume_links, stop_links
from chalicelib.services.objections.unsubscribe import unsubscribe
from chalicelib.services.ports import Remove, Replace
from chalicelib.services.sponsors.sessions import open_session
from chalicelib.services.sponsors.sign_in import request_sign_in
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.repository import ContestedRepository
from tests.fakes.world import SENDER, VIPS, World, new_world, wrapped
from tests.services.test_restoring import bring_forward, restore, take

VIP = VIPS[0]
NEWCOMER = "jeanne@example.fr"


def ask(world: World, times: int = 1) -> None:
    """Anybody types the VIP's address."""
    for _ in range(times):
        request_sign_in(world.ports, CAMPAIGN, Address.parse(VIP))
        world.run()


def mails(world: World) -> int:
    return len(world.mailer.to(VIP))


def link_in(world: World, mail: int = -1) -> str:
    return world.mailer.to(VIP)[mail].tokens[0]


def stop_in(world: World, mail: int = -1) -> str:
    return world.mailer.to(VIP)[mail].tokens[1]


def sign_in(world: World, mail: int = -1) -> Session:
    return open_session(world.ports, CAMPAIGN, link_in(world, mail), None)[1]


def refusals(world: World) -> list[object]:
    return [fact.details["reason"] for fact in world.facts(FactName.SIGN_IN_REFUSED)]


# --- pauses ---------------------------------------------------------------------------------------


def test_eight_requests_of_a_stranger_send_one_mail_whose_link_is_hers(world: World) -> None:
    ask(world, 8)
    assert mails(world) == 1
    assert refusals(world) == ["link_unused"] * 7
    ask(world)
    assert sign_in(world).campaign == CAMPAIGN


def test_law_12_a_stranger_who_never_stops_causes_so_many_mails_a_day() -> None:
    for allowed, on_a_day in ((5, 5), (1, 1), (2, 2), (50, 5)):
        world = new_world(quotas={"sign_in_mails_per_day": allowed})
        sent = []
        for _ in range(3 * 24 * 6):
            ask(world)
            sent.append(mails(world))
            world.clock.advance(minutes=10)
        first, second, third = sent[24 * 6 - 1], sent[48 * 6 - 1], sent[72 * 6 - 1]
        assert (first, second - first, third - second) == (on_a_day, 1, 1)


@pytest.mark.parametrize("asked_before", range(1, 8))
def test_whenever_she_asks_herself_a_link_works_for_some_time(
    world: World, asked_before: int
) -> None:
    """The worst moment: just before another mail may leave."""
    for _ in range(asked_before):
        ask(world)
        [link] = world.memory.all(SignInLink)
        world.clock.now = link.waits_until
    world.clock.advance(seconds=-1)
    ask(world)
    world.clock.now += LEFT_AT_LEAST
    assert sign_in(world).campaign == CAMPAIGN


def test_pauses_grow_with_mails_that_nobody_used_and_begin_again_with_a_session(
    world: World,
) -> None:
    pauses = [
        pause_after(mailed, world.campaign.quotas.sign_in_mails_per_day) for mailed in range(1, 60)
    ]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(minutes=10), timedelta(days=1))
    for _ in range(3):
        ask(world)
        [link] = world.memory.all(SignInLink)
        world.clock.now = link.waits_until
    assert link.mailed == 3
    sign_in(world)
    assert world.memory.all(SignInLink) == []
    ask(world, 2)
    assert mails(world) == 4
    assert world.memory.all(SignInLink)[0].mailed == 1


def test_of_the_links_that_were_mailed_the_last_alone_is_valid(world: World) -> None:
    ask(world)
    world.clock.advance(minutes=10)
    ask(world)
    assert mails(world) == 2
    with pytest.raises(UnauthorisedError):
        sign_in(world, 0)
    sign_in(world, 1)
    with pytest.raises(UnauthorisedError):
        sign_in(world, 0)


def test_two_requests_decided_at_once_make_one_mail(world: World) -> None:
    world.sponsor()
    before = mails(world)
    for _ in range(2):
        request_sign_in(world.ports, CAMPAIGN, Address.parse(VIP))
    world.run()
    assert mails(world) == before + 1


def test_a_mail_says_for_how_long_its_link_is_valid() -> None:
    world = new_world(quotas={"sign_in_mails_per_day": 1})
    ask(world)
    assert "24 heures" in world.mailer.to(VIP)[0].text
    world = new_world()
    ask(world)
    assert "30 minutes" in world.mailer.to(VIP)[0].text


def test_a_request_that_is_not_granted_leaves_no_address(world: World) -> None:
    ask(world, 3)
    assert len(world.memory.all(Contact)) == 1


# --- the mail -------------------------------------------------------------------------------------


def test_a_mail_that_comes_round_again_after_the_session_is_not_sent(world: World) -> None:
    ask(world)
    [granted] = world.facts(FactName.SIGN_IN_GRANTED)
    sign_in(world)
    [mail] = [one for one in world.memory.all(Mail) if one.mail_kind == "sign_in"]
    world.repository.commit(Remove(mail))
    assert send_mail(world.ports, SENDER, granted) == "nothing_to_send"
    assert mails(world) == 1


def test_a_mail_that_another_has_replaced_is_not_sent_any_more(world: World) -> None:
    ask(world)
    world.clock.advance(minutes=10)
    ask(world)
    first, _ = world.facts(FactName.SIGN_IN_GRANTED)
    [mail] = [one for one in world.memory.all(Mail) if one.contact_id == first.subject]
    world.repository.commit(Remove(mail))
    assert send_mail(world.ports, SENDER, first) == "nothing_to_send"


def test_a_mail_that_may_have_left_twice_has_two_good_links(world: World) -> None:
    world.mailer.answers = [MailUncertainError("timeout")]
    world.mailer.leaves_first = True
    ask(world)
    world.clock.advance(minutes=6)
    world.run()
    assert mails(world) == 2
    sign_in(world, 0)
    with pytest.raises(UnauthorisedError):
        sign_in(world, 1)


def test_a_mail_that_the_sender_had_no_room_for_is_sent_later_with_a_good_link(
    world: World,
) -> None:
    world.mailer.answers = [MailNotSentError("Throttled", final=False)]
    ask(world)
    assert world.mailer.answers == []
    assert mails(world) == 1
    sign_in(world)


def test_a_link_of_an_earlier_version_opens_a_session(world: World) -> None:
    ask(world)
    [token] = [one for one in world.memory.all(Token) if one.purpose is TokenPurpose.SIGN_IN]
    world.repository.commit(
        Replace(Token(**{**vars(token), "contact_id": None})),
        *map(Remove, world.memory.all(SignInLink)),
    )
    sign_in(world)


def test_a_link_of_a_sponsor_who_is_erased_opens_nothing(world: World) -> None:
    ask(world)
    world.repository.commit(*map(Remove, world.memory.all(Sponsor)))
    with pytest.raises(UnauthorisedError):
        sign_in(world)


def test_a_session_whose_sponsor_is_changed_meanwhile_is_opened_once(world: World) -> None:
    ask(world)
    first = partial(sign_in, world)
    contested = wrapped(world, lambda table: ContestedRepository(table, first))
    with pytest.raises(UnauthorisedError):
        open_session(contested, CAMPAIGN, link_in(world), None)
    assert len(world.memory.all(Session)) == 1


# --- this was not me ------------------------------------------------------------------------------


def test_who_did_not_ask_stops_the_mails_for_a_time_and_the_link_with_them(world: World) -> None:
    ask(world)
    stop_links(world.ports, stop_in(world))
    with pytest.raises(UnauthorisedError):
        sign_in(world)
    world.clock.now += STOP_LASTS - timedelta(seconds=1)
    ask(world)
    assert mails(world) == 1
    assert refusals(world) == ["stopped"]
    world.clock.advance(seconds=1)
    ask(world)
    sign_in(world)
    [fact] = world.facts(FactName.SIGN_INS_STOPPED)
    assert fact.details == {"reason": "not_me"}


def test_pressing_again_changes_nothing_and_she_may_let_mails_through_again(world: World) -> None:
    ask(world)
    text = stop_in(world)
    for _ in range(2):
        world.clock.advance(days=20)
        stop_links(world.ports, text)
    assert len(world.facts(FactName.SIGN_INS_STOPPED)) == 1
    for _ in range(2):
        resume_links(world.ports, text)
    assert len(world.facts(FactName.SIGN_INS_RESUMED)) == 1
    ask(world)
    sign_in(world)


def test_a_stop_without_an_unused_link_holds_too(world: World) -> None:
    ask(world)
    sign_in(world)
    stop_links(world.ports, stop_in(world))
    ask(world)
    assert mails(world) == 1


def test_resuming_what_is_not_stopped_takes_no_link_away(world: World) -> None:
    ask(world)
    resume_links(world.ports, stop_in(world))
    sign_in(world)
    resume_links(world.ports, stop_in(world))
    assert world.facts(FactName.SIGN_INS_RESUMED) == []


@pytest.mark.parametrize("use_case", [stop_links, resume_links])
def test_a_token_for_something_else_stops_and_resumes_nothing(
    world: World, use_case: Callable[..., None]
) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    ask(world)
    if use_case is resume_links:
        stop_links(world.ports, stop_in(world))
    stored = world.memory.all(SignInLink)
    for text in ("unknown", link_in(world), *world.mailer.to(NEWCOMER)[0].tokens):
        use_case(world.ports, text)
    assert world.memory.all(SignInLink) == stored


def test_the_token_that_stops_mails_opens_no_session_and_is_nothing_else(world: World) -> None:
    ask(world)
    text = stop_in(world)
    with pytest.raises(UnauthorisedError):
        open_session(world.ports, CAMPAIGN, text, None)
    with pytest.raises(Exception, match="token"):
        view_offer(world.ports, text)
    unsubscribe(world.ports, text)
    assert world.memory.all(Opposition) == []


@pytest.mark.parametrize("other", [stop_links, resume_links])
def test_two_answers_at_once_are_both_heard(world: World, other: Callable[..., None]) -> None:
    ask(world)
    text = stop_in(world)
    if other is resume_links:
        stop_links(world.ports, text)
    first = partial(other, world.ports, text)
    other(wrapped(world, lambda table: ContestedRepository(table, first)), text)
    assert [one.is_stop for one in world.memory.all(SignInLink)] == [True] * (other is stop_links)


def test_a_complaint_about_a_sign_in_mail_is_heard(world: World) -> None:
    ask(world)
    [mail] = world.memory.all(Mail)
    for _ in range(2):
        settle_mail(world.ports, MailEvent("complained", mail.mail_id, mail.provider_id or ""))
    [fact] = world.facts(FactName.SIGN_INS_STOPPED)
    assert fact.details == {"reason": "complained"}
    with pytest.raises(UnauthorisedError):
        sign_in(world)
    ask(world)
    assert mails(world) == 1


def test_a_complaint_about_another_mail_stops_no_sign_in(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    world.run()
    [mail] = [one for one in world.memory.all(Mail) if one.mail_kind == "invitation"]
    settle_mail(world.ports, MailEvent("complained", mail.mail_id, mail.provider_id or ""))
    assert world.facts(FactName.SIGN_INS_STOPPED) == []


def test_who_objected_to_all_mails_gets_no_sign_in_link(world: World) -> None:
    digests = digests_of(world.ports, world.campaign, Address.parse(VIP))
    everything = OppositionScope.ALL
    world.repository.commit(*new_oppositions(world.ports, world.campaign, digests, everything))
    ask(world)
    assert mails(world) == 0
    assert refusals(world) == ["opposed"]


# --- a restored table -----------------------------------------------------------------------------


def test_in_a_restored_table_mails_are_stopped_and_resumed_as_they_were(world: World) -> None:
    ask(world)
    taken = take(world)
    world.clock.advance(minutes=1)
    stop_links(world.ports, stop_in(world))
    world.run()
    [stop] = world.memory.all(SignInLink)
    restore(world, taken)
    bring_forward(world, taken)
    [again] = world.memory.all(SignInLink)
    assert (again.is_stop, again.waits_until) == (True, stop.waits_until)
    taken = take(world)
    world.clock.advance(minutes=1)
    resume_links(world.ports, stop_in(world))
    world.run()
    restore(world, taken)
    bring_forward(world, taken)
    assert world.memory.all(SignInLink) == []
