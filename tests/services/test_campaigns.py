"""Campaign files put in force, and what the sponsor's space and the queues show."""

from __future__ import annotations

import pytest

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CampaignVersion
from chalicelib.domain.effects import Queue
from chalicelib.domain.facts import FactName
from chalicelib.domain.people import Contact, Sponsor
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import InvalidError, UnauthorisedError, UnknownError
from chalicelib.services.lookups import all_campaigns
from chalicelib.services.operations.dashboard import view_dashboard
from chalicelib.services.operations.relay import relay
from chalicelib.services.ports import Remove
from chalicelib.services.sponsors.space import view_sponsor_space
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.world import VIPS, World

NEWCOMER = "jeanne@example.fr"


def test_a_new_file_is_a_new_version_beside_the_old_one(world: World) -> None:
    put = put_campaign(world.ports, campaign(release="at_once"))
    assert put.version == put.document.version == 2
    versions = {one.version: one.document.release for one in world.memory.all(CampaignVersion)}
    assert versions == {1: "on_acknowledgement", 2: "at_once"}
    assert len(world.facts(FactName.CAMPAIGN_PUT)) == 2


def test_the_file_in_force_makes_no_new_version(world: World) -> None:
    assert put_campaign(world.ports, campaign()).version == 1
    assert put_campaign(world.ports, campaign(version=7)).version == 1
    assert len(world.facts(FactName.CAMPAIGN_PUT)) == 1


def test_a_version_takes_effect_within_seconds_and_an_unknown_name_is_not_cached(
    world: World,
) -> None:
    assert world.ports.campaigns.get("other") is None
    put_campaign(world.ports, campaign(campaign="other"))
    assert world.ports.campaigns.get("other")
    assert world.campaign.version == 1
    put_campaign(world.ports, campaign(release="at_once"))
    world.clock.advance(seconds=20)
    assert world.campaign.version == 2
    assert {one.id for one in all_campaigns(world.ports)} == {CAMPAIGN, "other"}


def test_an_invitation_keeps_the_version_it_was_decided_with(world: World) -> None:
    world.invite(world.sponsor(), NEWCOMER)
    put_campaign(world.ports, campaign(release="at_once"))
    world.clock.advance(seconds=20)
    world.run()
    accepted = world.facts(FactName.INVITATION_ACCEPTED)[0]
    received = world.facts(FactName.INVITATION_RECEIVED)[0]
    assert received.details["campaign_version"] == 1
    assert accepted.details["campaign_version"] == 2


def test_the_relay_sends_each_fact_where_its_work_is_done(world: World) -> None:
    world.referral(NEWCOMER)
    facts = world.facts()
    relayed = relay(world.ports, facts)
    waiting = {queue: [fact.name for fact in world.queues.waiting[queue]] for queue in Queue}
    assert waiting == {
        "decide": ["list_accepted", "list_accepted", "invitation_received"],
        "requested-decision": ["sign_in_requested"],
        "due": [],
        "ingest": [],
        "mail": ["invitation_accepted", "referral_confirmed"],
        "requested-mail": ["sign_in_granted"],
        "parts": [],
        "persons": [],
        "reward": ["referral_confirmed"],
    }
    assert relayed == 8


def test_a_sponsors_space_shows_masked_addresses_and_what_is_left(world: World) -> None:
    session = world.sponsor(first_name="Camille")
    world.invite(session, NEWCOMER)
    world.clock.advance(minutes=1)
    world.invite(session, "paul@example.com")
    space = view_sponsor_space(world.ports, session)
    assert space.first_name == "Camille"
    assert space.invitations_left == 18
    assert [one.masked for one in space.invitations] == ["p•••@e•••.com", "j•••@e•••.fr"]
    assert space.vouchers == ()


def test_a_sponsor_who_is_erased_has_no_space_and_without_a_contact_no_name(world: World) -> None:
    session = world.sponsor(first_name="Camille")
    [contact] = [one for one in world.memory.all(Contact) if one.address.typed == VIPS[0]]
    world.repository.commit(Remove(contact))
    assert view_sponsor_space(world.ports, session).first_name is None
    world.repository.commit(Remove(world.memory.all(Sponsor)[0]))
    with pytest.raises(UnauthorisedError):
        view_sponsor_space(world.ports, session)


def test_an_unknown_campaign_has_no_dashboard(world: World) -> None:
    with pytest.raises(UnknownError):
        view_dashboard(world.ports, "other")


def test_a_new_campaign_says_who_is_responsible_and_an_earlier_one_goes_on_without(
    world: World,
) -> None:
    document = campaign(campaign="other").model_dump(by_alias=True)
    nameless = Campaign.model_validate(document | {"controller": None, "privacy": None})
    with pytest.raises(InvalidError) as raised:
        put_campaign(world.ports, nameless)
    assert [(one.field, one.reason) for one in raised.value.problems] == [
        ("controller", "required_of_a_new_campaign"),
        ("privacy", "required_of_a_new_campaign"),
    ]
    put_campaign(world.ports, campaign(campaign="other"))
    assert put_campaign(world.ports, nameless).version == 2
