"""A consent is to a brand: who agreed in one campaign withdraws by a mail of another, and where the
client read that she agreed it reads that too.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.consents import Consent, ConsentChange, ConsentSource
from chalicelib.domain.consents_files import ConsentsPart
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.people import OppositionScope
from chalicelib.domain.referrals import Referral, with_erased_referee
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.consents.write import write_consents
from chalicelib.services.digests import complete_digests
from chalicelib.services.invitations.invite import Referee, invite
from chalicelib.services.invitations.respond import confirm, end_consent, view_offer
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from chalicelib.services.objections.unsubscribe import unsubscribe
from chalicelib.services.persons.erase import erase_person
from chalicelib.services.ports import Change, Failure, Remove, Replace
from chalicelib.services.sponsors.sessions import open_session
from chalicelib.services.sponsors.sign_in import request_sign_in
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.world import VIPS, World, new_world
from tests.services.test_consents import stop_token
from tests.services.test_key_rotation import NO_CANARY, digest_under, drop_both_lists
from tests.services.test_unreadable_items import spoil

OTHER, NEWCOMER = "demo-two", "jeanne@gmail.com"
KEYS = {CAMPAIGN: "k1", OTHER: "k9"}


def invites(world: World, of: str, vip: str) -> None:
    request_sign_in(world.ports, of, Address.parse(vip))
    world.run()
    _, session = open_session(world.ports, of, world.mailer.to(vip)[-1].tokens[0], "Anne")
    invite(world.ports, session, [Referee(Address.parse(NEWCOMER))], None)
    world.run()


def confirms(world: World, position: int, *, consents: bool) -> Referral:
    token = world.mailer.to(NEWCOMER)[position].tokens[0]
    referral = confirm(world.ports, token, "1", consents)[0]
    world.run()
    return referral


@pytest.fixture
def two() -> World:
    """Somebody is invited in two campaigns of a brand, which know people by different keys."""
    world = new_world(lists=NO_CANARY)
    put_campaign(
        world.ports, campaign(campaign=OTHER, digests={"key_ids": ["k9"]}, lists=NO_CANARY)
    )
    drop_both_lists(world, "k9", of=OTHER)
    invites(world, CAMPAIGN, VIPS[0])
    invites(world, OTHER, VIPS[1])
    assert len(world.mailer.to(NEWCOMER)) == 2
    return world


def words(world: World, of: str) -> list[tuple[str, str, str]]:
    """What the client of a campaign reads: whom by its own key, what, and where she said so."""
    found = world.ports.campaigns.get(of)
    assert found
    write_consents(world.ports, found)
    return [
        (row["digest"], row["state"], row["source"])
        for path, content in sorted(world.files.under(f"out/{of}/consents/").items())
        if path.endswith(".csv.gz")
        for row in csv.DictReader(gzip.decompress(content).decode().splitlines())
    ]


def agreed(of: str) -> tuple[str, str, str]:
    return digest_under(KEYS[of], NEWCOMER), "given", "confirmation"


def withdrawn(of: str, source: ConsentSource) -> tuple[str, str, str]:
    return digest_under(KEYS[of], NEWCOMER), "withdrawn", source.value


@pytest.mark.parametrize("scope", OppositionScope)
def test_a_mail_of_another_campaign_withdraws_it_where_it_was_given(
    two: World, scope: OppositionScope
) -> None:
    confirms(two, 0, consents=True)
    token = two.mailer.to(NEWCOMER)[0].tokens[0]
    two.clock.advance(hours=1)
    for _ in range(2):
        unsubscribe(two.ports, stop_token(two, position=1), scope)
    assert not view_offer(two.ports, token).has_consented
    assert words(two, CAMPAIGN) == [
        agreed(CAMPAIGN), withdrawn(CAMPAIGN, ConsentSource.UNSUBSCRIBE),
    ]  # fmt: skip
    assert words(two, OTHER) == [withdrawn(OTHER, ConsentSource.UNSUBSCRIBE)]
    assert len(two.facts(FactName.CONSENT_WITHDRAWAL)) == 1


def test_who_agreed_in_both_withdraws_in_both_by_one_page(two: World) -> None:
    for position in (0, 1):
        two.clock.advance(minutes=1)
        confirms(two, position, consents=True)
    two.clock.advance(hours=1)
    end_consent(two.ports, two.mailer.to(NEWCOMER)[0].tokens[0])
    for one in (CAMPAIGN, OTHER):
        assert words(two, one) == [agreed(one), withdrawn(one, ConsentSource.PAGE)]
    [consent] = two.memory.all(Consent)
    assert consent.given
    assert consent.withdrawal


def test_a_complaint_about_a_mail_of_another_campaign_withdraws_it_too(two: World) -> None:
    confirms(two, 0, consents=True)
    two.clock.advance(hours=1)
    settle_mail(two.ports, MailEvent("complained", two.mailer.to(NEWCOMER)[1].mail_id, "provider"))
    assert withdrawn(CAMPAIGN, ConsentSource.COMPLAINT) in words(two, CAMPAIGN)


def test_an_erasure_withdraws_it_in_every_campaign_that_has_it(two: World) -> None:
    for position in (0, 1):
        confirms(two, position, consents=True)
    two.clock.advance(hours=1)
    campaigns = [two.campaign, two.ports.campaigns.get(OTHER)]
    erase_person(two.ports, [one for one in campaigns if one], Address.parse(NEWCOMER))
    for one in (CAMPAIGN, OTHER):
        assert words(two, one) == [agreed(one), withdrawn(one, ConsentSource.ERASURE)]


def test_of_who_is_forgotten_there_the_other_campaign_reads_no_random_id(two: World) -> None:
    """An erasure that is under way has taken her digests out of the referral."""
    confirms(two, 0, consents=True)
    two.repository.commit(*(Replace(with_erased_referee(one)) for one in two.memory.all(Referral)))
    two.clock.advance(hours=1)
    unsubscribe(two.ports, stop_token(two, position=1))
    assert words(two, CAMPAIGN) == [agreed(CAMPAIGN)]
    assert words(two, OTHER) == [withdrawn(OTHER, ConsentSource.UNSUBSCRIBE)]
    assert two.memory.all(ConsentChange) == []  # it waits for no file any more


def spoilt(world: World, kind: type[CurrentCampaign] | type[Referral]) -> None:
    spoil(world, *(one for one in world.memory.all(kind) if vars(one)["campaign"] == CAMPAIGN))


@pytest.mark.parametrize("kind", [CurrentCampaign, Referral])
@pytest.mark.parametrize("way", ["unsubscribe", "complaint"])
def test_her_word_is_kept_though_the_campaign_where_she_agreed_cannot_be_read(
    two: World, kind: type[CurrentCampaign] | type[Referral], way: str
) -> None:
    token, campaign = two.mailer.to(NEWCOMER)[0].tokens[0], two.campaign
    confirms(two, 0, consents=True)
    words(two, CAMPAIGN)
    two.clock.advance(hours=1)
    spoilt(two, kind)
    if way == "unsubscribe":
        unsubscribe(two.ports, stop_token(two, position=1))
    else:
        mail_id = two.mailer.to(NEWCOMER)[1].mail_id
        settle_mail(two.ports, MailEvent("complained", mail_id, "provider"))
    source = ConsentSource(way)
    assert words(two, OTHER) == [withdrawn(OTHER, source)]
    failures: list[Failure] = []
    if kind is Referral:
        assert write_consents(two.ports, campaign, failures.append) == []
        assert {one.kind for one in failures} == {"Referral"}
    two.memory.unreadable.clear()
    assert not view_offer(two.ports, token).has_consented
    assert words(two, CAMPAIGN) == [agreed(CAMPAIGN), withdrawn(CAMPAIGN, source)]


def test_a_word_whose_person_cannot_be_read_holds_up_no_other(two: World) -> None:
    confirms(two, 0, consents=True)
    two.clock.advance(hours=1)
    unsubscribe(two.ports, stop_token(two, position=1))
    spoilt(two, Referral)
    failures: list[Failure] = []
    [file] = write_consents(two.ports, two.campaign, failures.append)
    assert file.rows == 1
    [waiting] = [one for one in two.memory.all(ConsentChange) if one.campaign == CAMPAIGN]
    assert waiting.referral_id == failures[0].name
    two.memory.unreadable.clear()
    assert words(two, CAMPAIGN)[-1] == withdrawn(CAMPAIGN, ConsentSource.UNSUBSCRIBE)


def test_it_is_written_with_the_key_that_the_client_has_by_then(two: World) -> None:
    confirms(two, 0, consents=True)
    words(two, CAMPAIGN)
    unsubscribe(two.ports, stop_token(two, position=1))
    [waiting] = [one for one in two.memory.all(ConsentChange) if one.campaign == CAMPAIGN]
    assert waiting.digest == ""
    two.clock.advance(hours=1)
    put_campaign(two.ports, campaign(digests={"key_ids": ["k9", "k1"]}, lists=NO_CANARY))
    [referral] = two.memory.all(Referral)
    whole = complete_digests(two.ports, two.campaign, referral.referee, referral.contact_id)
    two.repository.commit(Replace(replace(referral, referee=whole)))
    digest, state, _ = words(two, CAMPAIGN)[-1]
    assert (digest, state) == (digest_under("k9", NEWCOMER), "withdrawn")


def test_another_run_may_have_dropped_it(two: World, monkeypatch: pytest.MonkeyPatch) -> None:
    confirms(two, 0, consents=True)
    unsubscribe(two.ports, stop_token(two, position=1))
    two.repository.commit(*(Replace(with_erased_referee(one)) for one in two.memory.all(Referral)))
    read = two.repository.get_many

    def late(kind: type[Any], keys: Any) -> list[Any]:
        if kind is Referral:
            assert all(key["referral_id"] for key in keys)
            dropped = [one for one in two.memory.all(ConsentChange) if one.referral_id]
            two.memory.commit(*map(Remove, dropped))
        return read(kind, keys)

    monkeypatch.setattr(two.ports.repository, "get_many", late)
    assert words(two, CAMPAIGN) == [agreed(CAMPAIGN)]


def test_it_has_its_digest_also_after_another_run_wrote_the_word_before_it(
    two: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirms(two, 0, consents=True)
    two.clock.advance(hours=1)
    unsubscribe(two.ports, stop_token(two, position=1))
    commit = two.repository.commit

    def late(*changes: Change, facts: Sequence[Fact] = ()) -> None:
        if any(isinstance(change.entity, ConsentsPart) for change in changes):
            monkeypatch.undo()
            write_consents(two.ports, two.campaign, file_rows=1, until=two.clock())
        commit(*changes, facts=facts)

    monkeypatch.setattr(two.ports.repository, "commit", late)
    assert words(two, CAMPAIGN) == [
        agreed(CAMPAIGN), withdrawn(CAMPAIGN, ConsentSource.UNSUBSCRIBE),
    ]  # fmt: skip
    assert len(two.facts(FactName.CONSENTS_WRITTEN)) == 2


@pytest.mark.parametrize("readable", [True, False])
def test_a_consent_that_an_earlier_version_stored_is_withdrawn_where_it_was_given(
    two: World, readable: bool
) -> None:
    """That one did not store with which referral it was given."""
    confirms(two, 0, consents=True)
    two.repository.commit(*(Replace(replace(one, agreed={})) for one in two.memory.all(Consent)))
    if not readable:
        spoil(two, *(one for one in two.memory.all(Invitation) if one.campaign == CAMPAIGN))
    two.clock.advance(hours=1)
    unsubscribe(two.ports, stop_token(two, position=1))
    there = [withdrawn(CAMPAIGN, ConsentSource.UNSUBSCRIBE)] if readable else []
    assert words(two, CAMPAIGN) == [agreed(CAMPAIGN), *there]
    assert words(two, OTHER) == [withdrawn(OTHER, ConsentSource.UNSUBSCRIBE)]


def test_what_the_client_reported_of_her_leads_to_no_referral(two: World) -> None:
    confirms(two, 0, consents=False)
    confirms(two, 1, consents=True)
    [consent] = two.memory.all(Consent)
    assert consent.given
    given = replace(consent.given, source=ConsentSource.CLIENT)
    known = replace(consent, agreed={}, given=given, campaign=CAMPAIGN)
    two.repository.commit(Replace(known))
    two.clock.advance(hours=1)
    unsubscribe(two.ports, stop_token(two, position=1))
    assert words(two, CAMPAIGN) == []


def test_a_consent_that_names_its_referral_needs_no_other(two: World) -> None:
    confirms(two, 1, consents=True)
    confirms(two, 0, consents=False)
    [consent] = two.memory.all(Consent)
    two.repository.commit(Replace(replace(consent, campaign=CAMPAIGN)))
    two.clock.advance(hours=1)
    unsubscribe(two.ports, stop_token(two, position=1))
    assert words(two, CAMPAIGN) == []
    assert words(two, OTHER) == [agreed(OTHER), withdrawn(OTHER, ConsentSource.UNSUBSCRIBE)]
