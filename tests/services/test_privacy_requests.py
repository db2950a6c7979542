"""A person asks for her data or for their erasure, confirms from a mail, and gets it.

What is in the file, and what an erasure reaches, is tested with `persons`; here, who may ask, how
often a mail leaves, what its link does and what it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.facts import FactName
from chalicelib.domain.mailed_links import LEFT_AT_LEAST, STOP_LASTS
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import (
    Contact,
    Opposition,
    OppositionScope,
    RefereeClaim,
    Sponsor,
    SponsorClaim,
    Token,
    TokenPurpose,
    oppositions,
)
from chalicelib.domain.privacy import ERASED_WITHIN, LINK_LASTS, PrivacyLink, Wish
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.digests import digests_of, new_oppositions
from chalicelib.services.errors import GoneError, UnauthorisedError, UnknownError
from chalicelib.services.invitations.respond import view_offer
from chalicelib.services.mails.send import send_mail
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from chalicelib.services.mails.stop_links import resume_links, stop_links
from chalicelib.services.objections.unsubscribe import unsubscribe
from chalicelib.services.ports import Insert, Ports, Remove, Replace
from chalicelib.services.privacy import carry_out
from chalicelib.services.privacy.confirm import confirm_erasure, take_file, view_request
from chalicelib.services.privacy.request import decide_privacy_request, request_privacy
from chalicelib.services.sponsors.sessions import open_session
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.fuse import killed_everywhere
from tests.fakes.repository import ContestedRepository
from tests.fakes.world import CUSTOMERS, SENDER, VIPS, World, new_world, wrapped
from tests.services.test_restoring import bring_forward, restore, take

VIP = VIPS[0]
REFEREE = "jeanne@example.fr"
STRANGER = "nobody.knows@example.fr"


@pytest.fixture
def known(world: World) -> World:
    """A world with a sponsor, who has invited somebody; an hour later."""
    world.invite(world.sponsor(), REFEREE)
    world.run()
    world.clock.advance(hours=1)
    return world


def ask(world: World, address: str = REFEREE, wish: Wish = Wish.EXPORT, times: int = 1) -> None:
    """Anybody types the address."""
    for _ in range(times):
        request_privacy(world.ports, CAMPAIGN, Address.parse(address), wish)
        world.run()


def mails_to(world: World, address: str = REFEREE) -> int:
    return sum(one.mail_kind == "privacy_link" for one in sent(world, address))


def sent(world: World, address: str) -> list[Mail]:
    ids = [mail.mail_id for mail in world.mailer.to(address)]
    return [one for one in world.memory.all(Mail) if one.mail_id in ids]


def link_in(world: World, address: str = REFEREE, mail: int = -1) -> str:
    return world.mailer.to(address)[mail].tokens[0]


def stop_in(world: World, address: str = REFEREE) -> str:
    return world.mailer.to(address)[-1].tokens[1]


def refusals(world: World) -> list[object]:
    return [fact.details["reason"] for fact in world.facts(FactName.PRIVACY_LINK_REFUSED)]


def asked_for(world: World, address: str = REFEREE, wish: Wish = Wish.EXPORT) -> str:
    """The token of a link that was just mailed."""
    ask(world, address, wish)
    return link_in(world, address)


# --- who gets a mail ------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [VIP, REFEREE])
def test_who_is_known_gets_a_link(known: World, address: str) -> None:
    ask(known, address)
    assert mails_to(known, address) == 1
    assert view_request(known.ports, link_in(known, address)).wish is Wish.EXPORT


@pytest.mark.parametrize("address", [STRANGER, CUSTOMERS[0], VIPS[1]])
def test_nobody_has_us_write_to_who_has_nothing_here(known: World, address: str) -> None:
    """A customer and a VIP who never came here are on the client's lists alone."""
    ask(known, address)
    assert known.mailer.to(address) == []
    assert refusals(known) == ["nothing_known"]


def test_what_a_stranger_typed_leaves_nothing(known: World) -> None:
    before = known.memory.all(Contact)
    ask(known, STRANGER)
    assert known.memory.all(Contact) == before
    assert known.memory.all(PrivacyLink) == []


def oppose(world: World, address: str, scope: OppositionScope) -> None:
    digests = digests_of(world.ports, world.campaign, Address.parse(address))
    changes = new_oppositions(world.ports, world.campaign, digests, scope)
    world.repository.commit(*changes)


@pytest.mark.parametrize("scope", OppositionScope)
def test_who_objected_gets_the_answer_to_a_request_of_hers(
    known: World, scope: OppositionScope
) -> None:
    oppose(known, REFEREE, scope)
    ask(known)
    assert mails_to(known) == 1


def test_an_objection_alone_is_something_that_is_known(world: World) -> None:
    oppose(world, STRANGER, OppositionScope.INVITATIONS)
    ask(world, STRANGER)
    assert mails_to(world, STRANGER) == 1


def test_a_word_about_consent_alone_is_something_that_is_known(world: World) -> None:
    digest = digests_of(world.ports, world.campaign, Address.parse(STRANGER)).for_client
    row = f"{digest},withdrawn,2026-03-01T10:00:00Z"
    world.drop("consents/1.csv", f"email_digest,state,at\n{row}\n".encode())
    ask(world, STRANGER)
    assert mails_to(world, STRANGER) == 1


def test_a_person_is_known_in_every_campaign_of_the_brand(known: World) -> None:
    put_campaign(known.ports, campaign(campaign="another"))
    known.clock.advance(minutes=1)
    request_privacy(known.ports, "another", Address.parse(REFEREE), Wish.EXPORT)
    known.run()
    token = link_in(known)
    assert view_request(known.ports, token).campaign.id == "another"


def test_another_brand_knows_nothing_of_her(known: World) -> None:
    brand = campaign().brand.model_dump() | {"id": "other"}
    put_campaign(known.ports, campaign(campaign="another", brand=brand))
    known.clock.advance(minutes=1)
    request_privacy(known.ports, "another", Address.parse(REFEREE), Wish.EXPORT)
    known.run()
    assert refusals(known) == ["nothing_known"]


def test_rights_outlast_the_campaign(known: World) -> None:
    known.clock.now = known.campaign.contact_ends_at() - timedelta(days=1)
    assert not known.campaign.is_open(known.clock())
    ask(known)
    assert mails_to(known) == 1


def test_a_campaign_that_does_not_exist_is_refused(world: World) -> None:
    with pytest.raises(UnknownError):
        request_privacy(world.ports, "none", Address.parse(VIP), Wish.EXPORT)


def test_the_mail_is_in_the_language_that_was_asked_for(known: World) -> None:
    request_privacy(known.ports, CAMPAIGN, Address.parse(REFEREE), Wish.ERASE, "en")
    known.run()
    mail = known.mailer.to(REFEREE)[-1]
    assert "Confirm the erasure of your data" in mail.message["Subject"]
    assert "24 hours" in mail.text


def test_every_spelling_of_a_mailbox_is_one_person(world: World) -> None:
    world.invite(world.sponsor(), "jeanne.martin@gmail.com")
    world.run()
    for typed in ("jeannemartin@gmail.com", "jeanne.martin+x@googlemail.com"):
        ask(world, typed)
    assert mails_to(world, "jeannemartin@gmail.com") == 1
    assert refusals(world) == ["link_unused"]


# --- how often ------------------------------------------------------------------------------------


def test_law_12_a_stranger_who_never_stops_causes_so_many_mails_a_day(known: World) -> None:
    found = []
    for _ in range(3 * 24 * 6):
        ask(known)
        found.append(len(known.facts(FactName.PRIVACY_LINK_GRANTED)))
        known.clock.advance(minutes=10)
    first, second, third = found[24 * 6 - 1], found[48 * 6 - 1], found[72 * 6 - 1]
    # From the third one on another leaves after 23 hours and 40 minutes.
    assert (first, second - first, third - second) == (3, 1, 2)


@pytest.mark.parametrize("asked_before", range(1, 6))
def test_whenever_she_asks_herself_a_link_works_for_some_time(
    known: World, asked_before: int
) -> None:
    """The worst moment: just before another mail may leave."""
    for _ in range(asked_before):
        ask(known)
        [link] = known.memory.all(PrivacyLink)
        known.clock.now = link.waits_until
    known.clock.advance(seconds=-1)
    ask(known)
    known.clock.now += LEFT_AT_LEAST
    assert view_request(known.ports, link_in(known)).wish is Wish.EXPORT


def test_of_the_links_that_were_mailed_the_last_alone_is_valid(known: World) -> None:
    ask(known)
    known.clock.advance(minutes=10)
    ask(known, wish=Wish.ERASE)
    with pytest.raises(GoneError):
        view_request(known.ports, link_in(known, mail=-2))
    assert view_request(known.ports, link_in(known)).wish is Wish.ERASE
    typed = [one for one in known.memory.all(Contact) if one.ends_at <= known.clock() + LINK_LASTS]
    assert len(typed) == 1


def test_what_was_typed_ends_within_a_day(known: World) -> None:
    ask(known)
    known.clock.now += LINK_LASTS
    with pytest.raises(GoneError):
        view_request(known.ports, link_in(known))
    [link] = known.memory.all(PrivacyLink)
    assert known.repository.get(Contact, contact_id=str(link.contact_id)) is None


def test_two_requests_decided_at_once_make_one_mail(known: World) -> None:
    for _ in range(2):
        request_privacy(known.ports, CAMPAIGN, Address.parse(REFEREE), Wish.EXPORT)
    known.run()
    assert mails_to(known) == 1


def test_two_decisions_at_one_instant_make_one_mail(known: World) -> None:
    for _ in range(2):
        request_privacy(known.ports, CAMPAIGN, Address.parse(REFEREE), Wish.EXPORT)
    first, second = known.facts(FactName.PRIVACY_REQUESTED)
    meanwhile = partial(decide_privacy_request, known.ports, first)
    contested = wrapped(known, lambda table: ContestedRepository(table, meanwhile))
    assert decide_privacy_request(contested, second) == "link_unused"
    known.run()
    assert mails_to(known) == 1


def test_a_request_that_comes_round_again_keeps_its_link(known: World) -> None:
    ask(known)
    [fact] = known.facts(FactName.PRIVACY_REQUESTED)
    known.clock.advance(minutes=30)
    assert decide_privacy_request(known.ports, fact) == "decided_already"
    assert view_request(known.ports, link_in(known)).wish is Wish.EXPORT


def take_at_once(world: World, address: str = REFEREE) -> None:
    """The file, as soon as its mail is there."""
    token = link_in(world, address)
    take_file(world.ports, token)
    world.run()
    assert take_file(world.ports, token)


def test_law_12_who_takes_each_file_and_asks_again_does_not_read_the_table_without_bound(
    known: World,
) -> None:
    taken = 0
    for _ in range(2 * 24 * 6):
        ask(known)
        if mails_to(known) > taken:
            taken += 1
            take_at_once(known)
        known.clock.advance(minutes=10)
    assert taken == 4  # after 0 and 10 minutes, 50, and a day
    assert len(known.facts(FactName.PRIVACY_FILE_ASKED)) == taken


def test_law_12_who_was_erased_has_nothing_else_to_be_erased(known: World) -> None:
    """Each erasure reads the whole table: its own objection must not be a reason for the next."""
    confirm_erasure(known.ports, asked_for(known, wish=Wish.ERASE))
    known.run()
    ask(known, wish=Wish.ERASE)
    assert refusals(known) == ["nothing_known"]
    ask(known)  # what is left may be seen
    assert mails_to(known) == 2


@pytest.mark.parametrize("of_client", [False, True])
def test_an_objection_is_erased_unless_it_is_under_our_own_key(
    world: World, of_client: bool
) -> None:
    digests = digests_of(world.ports, world.campaign, Address.parse(STRANGER))
    own = set(digests.under_own_key)
    under = [one for one in digests.values if (one not in own) is of_client]
    kept = oppositions(world.campaign.brand.id, under, [], world.clock())
    world.repository.commit(*map(Insert, kept))
    ask(world, STRANGER, Wish.ERASE)
    assert mails_to(world, STRANGER) == of_client


# --- nobody keeps her from it ---------------------------------------------------------------------


def test_law_12_requests_for_the_file_keep_nobody_from_an_erasure(known: World) -> None:
    ask(known, times=3)
    ask(known, wish=Wish.ERASE)
    assert mails_to(known) == 2
    token = link_in(known)
    assert view_request(known.ports, token).wish is Wish.ERASE
    take_at_once(known)
    confirm_erasure(known.ports, token)


@pytest.mark.parametrize("second", Wish)
def test_a_link_for_an_erasure_is_for_both_until_its_pause_ends(known: World, second: Wish) -> None:
    ask(known, wish=Wish.ERASE)
    ask(known, wish=second)
    assert mails_to(known) == 1


def test_mails_that_are_stopped_are_stopped_for_an_erasure_too(known: World) -> None:
    ask(known)
    stop_links(known.ports, stop_in(known))
    ask(known, wish=Wish.ERASE)
    assert refusals(known) == ["stopped"]


def test_a_stranger_who_never_stops_causes_two_mails_a_pause(known: World) -> None:
    by_hour = []
    for _ in range(2 * 24):
        before = mails_to(known)
        for _ in range(6):
            for wish in Wish:
                ask(known, wish=wish)
            known.clock.advance(minutes=10)
        by_hour.append(mails_to(known) - before)
    assert {hour: mails for hour, mails in enumerate(by_hour) if mails} == {0: 4, 24: 2}


# --- the mail -------------------------------------------------------------------------------------


def test_a_mail_that_another_has_replaced_is_not_sent_any_more(known: World) -> None:
    ask(known)
    known.clock.advance(minutes=10)
    ask(known)
    first, last = known.facts(FactName.PRIVACY_LINK_GRANTED)
    for mail in sent(known, REFEREE):
        if mail.mail_kind == "privacy_link":
            known.repository.commit(Remove(mail))
    assert send_mail(known.ports, SENDER, first) == "nothing_to_send"
    assert send_mail(known.ports, SENDER, last) == "sent"


def test_a_mail_whose_link_is_replaced_as_it_is_made_is_not_sent(known: World) -> None:
    ask(known)
    [granted] = known.facts(FactName.PRIVACY_LINK_GRANTED)
    [link] = known.memory.all(PrivacyLink)
    [mail] = [one for one in sent(known, REFEREE) if one.mail_kind == "privacy_link"]
    known.repository.commit(Remove(mail), Remove(link))
    assert send_mail(known.ports, SENDER, granted) == "nothing_to_send"


def test_who_objects_by_this_mail_declines_what_she_has_not_answered(known: World) -> None:
    ask(known)
    unsubscribe(known.ports, known.mailer.to(REFEREE)[-1].tokens[-1])
    assert len(known.facts(FactName.INVITATION_DECLINED)) == 1
    [fact] = known.facts(FactName.OPPOSITION_RECORDED)
    [invitation] = known.facts(FactName.INVITATION_ACCEPTED)
    assert fact.ids == {"sponsor": invitation.ids["sponsor"]}
    assert fact.subject == invitation.subject


def test_a_sponsor_objects_by_this_mail_too(known: World) -> None:
    ask(known, VIP)
    unsubscribe(known.ports, known.mailer.to(VIP)[-1].tokens[-1], OppositionScope.ALL)
    [sponsor] = known.memory.all(Sponsor)
    assert {one.digest for one in known.memory.all(Opposition)} == set(
        sponsor.digests.under_own_key
    )
    [fact] = known.facts(FactName.OPPOSITION_RECORDED)
    assert (fact.subject, fact.ids) == (sponsor.sponsor_id, {"sponsor": sponsor.sponsor_id})


def test_who_is_known_for_what_she_said_alone_objects_by_this_mail_too(world: World) -> None:
    oppose(world, STRANGER, OppositionScope.INVITATIONS)
    ask(world, STRANGER)
    unsubscribe(world.ports, world.mailer.to(STRANGER)[-1].tokens[-1], OppositionScope.ALL)
    assert {one.scope for one in world.memory.all(Opposition)} == {OppositionScope.ALL}
    [fact] = world.facts(FactName.OPPOSITION_RECORDED)
    [requested] = world.facts(FactName.PRIVACY_REQUESTED)
    assert (fact.subject, fact.ids) == (requested.subject, {})


# --- this was not me ------------------------------------------------------------------------------


def test_who_did_not_ask_stops_the_mails_for_a_time_and_the_link_with_them(known: World) -> None:
    ask(known)
    stop_links(known.ports, stop_in(known))
    with pytest.raises(GoneError):
        view_request(known.ports, link_in(known))
    known.clock.now += STOP_LASTS - timedelta(seconds=1)
    ask(known)
    assert mails_to(known) == 1
    assert refusals(known) == ["stopped"]
    known.clock.advance(seconds=1)
    ask(known)
    assert mails_to(known) == 2
    [fact] = known.facts(FactName.PRIVACY_MAILS_STOPPED)
    assert fact.details == {"reason": "not_me"}


def test_what_was_typed_ends_with_a_stop(known: World) -> None:
    ask(known)
    [link] = known.memory.all(PrivacyLink)
    stop_links(known.ports, stop_in(known))
    assert known.repository.get(Contact, contact_id=str(link.contact_id)) is None


def test_pressing_again_changes_nothing_and_she_may_let_mails_through_again(known: World) -> None:
    ask(known)
    text = stop_in(known)
    for _ in range(2):
        known.clock.advance(days=20)
        stop_links(known.ports, text)
    assert len(known.facts(FactName.PRIVACY_MAILS_STOPPED)) == 1
    for _ in range(2):
        resume_links(known.ports, text)
    assert len(known.facts(FactName.PRIVACY_MAILS_RESUMED)) == 1
    ask(known)
    assert view_request(known.ports, link_in(known)).wish is Wish.EXPORT


def test_stopping_these_mails_stops_no_sign_in(known: World) -> None:
    ask(known, VIP)
    stop_links(known.ports, stop_in(known, VIP))
    known.sponsor()


def test_a_stop_without_an_unused_link_holds_too(known: World) -> None:
    ask(known)
    known.repository.commit(*map(Remove, known.memory.all(PrivacyLink)))
    stop_links(known.ports, stop_in(known))
    ask(known)
    assert refusals(known) == ["stopped"]


def test_a_complaint_about_such_a_mail_is_heard(known: World) -> None:
    ask(known)
    [mail] = [one for one in sent(known, REFEREE) if one.mail_kind == "privacy_link"]
    for _ in range(2):
        settle_mail(known.ports, MailEvent("complained", mail.mail_id, mail.provider_id or ""))
    [fact] = known.facts(FactName.PRIVACY_MAILS_STOPPED)
    assert fact.details == {"reason": "complained"}
    with pytest.raises(GoneError):
        view_request(known.ports, link_in(known))
    assert known.memory.all(Opposition)
    ask(known)
    assert refusals(known) == ["stopped"]


def test_a_complaint_about_another_mail_stops_none_of_these(known: World) -> None:
    [mail] = [one for one in known.memory.all(Mail) if one.mail_kind == "invitation"]
    settle_mail(known.ports, MailEvent("complained", mail.mail_id, mail.provider_id or ""))
    assert known.facts(FactName.PRIVACY_MAILS_STOPPED) == []


# --- the link -------------------------------------------------------------------------------------


def test_a_token_for_something_else_shows_gives_and_erases_nothing(known: World) -> None:
    ask(known, VIP, Wish.ERASE)
    others = [token for mail in known.mailer.sent for token in mail.tokens]
    others.remove(link_in(known, VIP))
    for text in ("unknown", *others):
        for use in (view_request, take_file, confirm_erasure):
            with pytest.raises(GoneError):
                use(known.ports, text)
    assert known.facts(FactName.ERASURE_CONFIRMED, FactName.PRIVACY_FILE_ASKED) == []


@pytest.mark.parametrize("wish", Wish)
def test_a_link_to_her_data_opens_no_session_and_is_nothing_else(known: World, wish: Wish) -> None:
    for text in (asked_for(known, VIP, wish), stop_in(known, VIP)):
        with pytest.raises(UnauthorisedError):
            open_session(known.ports, CAMPAIGN, text, None)
        with pytest.raises(GoneError):
            view_offer(known.ports, text)
        unsubscribe(known.ports, text)
        if text == link_in(known, VIP):
            stop_links(known.ports, text)
    assert known.memory.all(Opposition) == []
    assert view_request(known.ports, link_in(known, VIP)).wish is wish


def test_a_link_for_the_file_erases_nothing(known: World) -> None:
    token = asked_for(known)
    with pytest.raises(GoneError):
        confirm_erasure(known.ports, token)
    assert known.facts(FactName.ERASURE_CONFIRMED) == []


def test_looking_changes_nothing(known: World) -> None:
    token = asked_for(known, wish=Wish.ERASE)
    before = dict(known.memory._items)
    for _ in range(3):
        view_request(known.ports, token)
    assert dict(known.memory._items) == before


def test_a_link_of_which_the_address_is_gone_is_over(known: World) -> None:
    token = asked_for(known)
    [link] = known.memory.all(PrivacyLink)
    contact = known.repository.get(Contact, contact_id=str(link.contact_id))
    assert contact
    known.repository.commit(Remove(contact))
    with pytest.raises(GoneError):
        view_request(known.ports, token)


# --- the file -------------------------------------------------------------------------------------


@pytest.mark.parametrize("wish", Wish)
def test_the_file_is_made_behind_the_queue_and_taken_as_often_as_she_likes(
    known: World, wish: Wish
) -> None:
    token = asked_for(known, wish=wish)
    assert [take_file(known.ports, token) for _ in range(3)] == [None] * 3
    assert len(known.facts(FactName.PRIVACY_FILE_ASKED)) == 1
    known.run()
    files = [take_file(known.ports, token) for _ in range(2)]
    assert files[0] == files[1]
    assert files[0]
    assert files[0]["address"] == REFEREE
    assert len(files[0]["campaigns"][0]["invitations_to_you"]) == 1
    assert len(known.facts(FactName.PRIVACY_FILE_GIVEN)) == 2


def test_the_request_itself_is_not_in_the_file(known: World) -> None:
    """It would look like an address that somebody typed to sign in."""
    token = asked_for(known)
    take_file(known.ports, token)
    known.run()
    file = take_file(known.ports, token)
    assert file
    assert len(file["campaigns"][0]["addresses"]) == 1


def test_a_file_is_made_once_for_a_link(known: World) -> None:
    token = asked_for(known)
    take_file(known.ports, token)
    known.run()
    [fact] = known.facts(FactName.PRIVACY_FILE_ASKED)
    assert carry_out.make_file(known.ports, fact) == "made_already"


def test_a_file_whose_link_ended_meanwhile_is_made_for_nobody(known: World) -> None:
    token = asked_for(known)
    take_file(known.ports, token)
    [fact] = known.facts(FactName.PRIVACY_FILE_ASKED)
    [link] = known.memory.all(PrivacyLink)

    def ends() -> None:
        stop_links(known.ports, stop_in(known))

    contested = wrapped(known, lambda table: ContestedRepository(table, ends))
    assert carry_out.make_file(contested, fact) == "ended"
    assert known.repository.get(Contact, contact_id=str(link.contact_id)) is None
    assert carry_out.make_file(known.ports, fact) == "made_already"


def test_a_file_of_a_sponsor_of_a_thousand_fits_an_item() -> None:
    from chalicelib.domain.privacy import packed, unpacked

    row = {"to": "j•••@e•••.fr", "at": "2026-03-02T09:00:00.000001+00:00", "state": "confirmed"}
    document: dict[str, Any] = {"rows": [row | {"id": f"{n * 7919:032x}"} for n in range(5000)]}
    assert len(packed(document)) < 200_000
    assert unpacked(packed(document)) == document


# --- the erasure ----------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [VIP, REFEREE])
def test_an_erasure_is_done_behind_the_queue_and_the_link_is_over(
    known: World, address: str
) -> None:
    token = asked_for(known, address, Wish.ERASE)
    confirm_erasure(known.ports, token)
    assert view_request(known.ports, token).is_started
    assert known.memory.all(SponsorClaim)
    known.run()
    for use in (view_request, take_file, confirm_erasure):
        with pytest.raises(GoneError):
            use(known.ports, token)
    assert all(one.address.typed != address for one in known.memory.all(Contact))
    kind = SponsorClaim if address == VIP else RefereeClaim
    assert known.memory.all(kind) == []
    assert len(known.facts(FactName.PERSON_ERASED)) == 1
    assert known.memory.all(PrivacyLink) == []


def test_a_repeat_of_the_press_changes_nothing(known: World) -> None:
    token = asked_for(known, wish=Wish.ERASE)
    for _ in range(3):
        confirm_erasure(known.ports, token)
    assert len(known.facts(FactName.ERASURE_CONFIRMED)) == 1


def test_two_presses_at_one_instant_are_one(known: World) -> None:
    token = asked_for(known, wish=Wish.ERASE)
    first = partial(confirm_erasure, known.ports, token)
    confirm_erasure(wrapped(known, lambda table: ContestedRepository(table, first)), token)
    assert len(known.facts(FactName.ERASURE_CONFIRMED)) == 1


def test_no_file_is_given_once_the_erasure_is_confirmed(known: World) -> None:
    token = asked_for(known, wish=Wish.ERASE)
    take_file(known.ports, token)
    known.run()
    confirm_erasure(known.ports, token)
    with pytest.raises(GoneError):
        take_file(known.ports, token)


def test_the_address_waits_for_its_erasure_longer_than_the_link(known: World) -> None:
    """Whatever holds the queue up: its message is there for 28 days at most."""
    token = asked_for(known, wish=Wish.ERASE)
    confirm_erasure(known.ports, token)
    known.clock.now += ERASED_WITHIN - timedelta(minutes=1)
    known.run()
    assert known.memory.all(RefereeClaim) == []


def test_another_request_does_not_end_what_a_confirmed_erasure_needs(known: World) -> None:
    confirm_erasure(known.ports, asked_for(known, wish=Wish.ERASE))
    known.queues.waiting["persons"] = []
    [confirmed] = known.facts(FactName.ERASURE_CONFIRMED)
    known.loses = lambda _, fact: fact.fact_id == confirmed.fact_id
    known.clock.advance(minutes=10)
    ask(known)
    assert carry_out.erase_confirmed(known.ports, confirmed) == "erased"
    # What she typed since is hers too, and so is its link.
    assert all(one.address.typed != REFEREE for one in known.memory.all(Contact))
    assert known.memory.all(PrivacyLink) == []


def confirmed() -> World:
    world = new_world()
    world.invite(world.sponsor(), REFEREE)
    world.run()
    confirm_erasure(world.ports, asked_for(world, wish=Wish.ERASE))
    return world


def test_an_erasure_that_is_killed_anywhere_is_done_by_the_next_delivery() -> None:
    def erase(world: World, ports: Ports) -> None:
        [fact] = world.facts(FactName.ERASURE_CONFIRMED)
        carry_out.erase_confirmed(ports, fact)

    worlds = killed_everywhere(confirmed, erase, lambda world: world.ports)
    assert len(worlds) > 40
    for world in worlds:
        [fact] = world.facts(FactName.ERASURE_CONFIRMED)
        if world.repository.get(Contact, contact_id=fact.subject):
            assert view_request(world.ports, link_in(world)).is_started  # not: it is done
        erase(world, world.ports)
        assert world.memory.all(RefereeClaim) == []
        assert all(one.address.typed != REFEREE for one in world.memory.all(Contact))
        assert all(one.contact_id != fact.subject for one in world.memory.all(Token))


# --- a restored table -----------------------------------------------------------------------------


def test_in_a_restored_table_mails_are_stopped_and_resumed_as_they_were(known: World) -> None:
    ask(known)
    taken = take(known)
    known.clock.advance(minutes=1)
    stop_links(known.ports, stop_in(known))
    known.run()
    [stop] = known.memory.all(PrivacyLink)
    restore(known, taken)
    bring_forward(known, taken)
    [again] = known.memory.all(PrivacyLink)
    assert (again.is_stop, again.waits_until) == (True, stop.waits_until)


def test_in_a_restored_table_a_refused_request_leaves_nothing(known: World) -> None:
    request_privacy(known.ports, CAMPAIGN, Address.parse(STRANGER), Wish.EXPORT)
    taken = take(known)
    known.clock.advance(minutes=1)
    known.run()
    before = known.memory.all(Contact)
    restore(known, taken)
    bring_forward(known, taken)
    assert known.memory.all(Contact) == before


def test_in_a_restored_table_a_confirmed_erasure_keeps_what_it_needs(known: World) -> None:
    token = asked_for(known, wish=Wish.ERASE)
    taken = take(known)
    known.clock.advance(minutes=1)
    confirm_erasure(known.ports, token)
    [fact] = known.facts(FactName.ERASURE_CONFIRMED)
    known.loses = lambda consumer, one: consumer == "relay" and one.fact_id == fact.fact_id
    known.run()
    restore(known, taken)
    bring_forward(known, taken)
    contact = known.repository.get(Contact, contact_id=fact.subject)
    assert contact
    assert contact.ends_at == fact.at + ERASED_WITHIN


USE: tuple[Callable[..., object], ...] = (view_request, take_file, confirm_erasure)


@pytest.mark.parametrize("use", USE)
def test_a_token_without_its_request_is_for_nothing(
    known: World, use: Callable[..., object]
) -> None:
    token = asked_for(known, wish=Wish.ERASE)
    [stored] = [
        one for one in known.memory.all(Token) if one.purpose is TokenPurpose.PRIVACY_ERASURE
    ]
    for number, bare in enumerate([{"contact_id": None}, {"digests": None}]):
        changed = replace(stored, **bare, revision=stored.revision + number)  # type: ignore[arg-type]
        known.repository.commit(Replace(changed))
        with pytest.raises(GoneError):
            use(known.ports, token)
