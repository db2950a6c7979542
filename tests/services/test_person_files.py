"""The file that a person gets of her data: all that is hers, to the last mail, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import Contact
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.persons.access import export_person
from chalicelib.services.ports import Insert, Replace
from tests.fakes.campaign import campaign
from tests.fakes.world import VIPS, World, new_world

SPONSOR, REFEREE, MARC = VIPS[0], "jeanne@example.fr", "marc@example.fr"


@pytest.fixture(scope="module")
def rewarded() -> World:
    """A sponsor and whom she invited, each with a voucher of which a mail was sent."""
    world = new_world()
    world.referral(REFEREE, SPONSOR)
    world.drop_orders(world.order("A1", "kept", of=REFEREE))
    world.run()
    world.export()
    world.acknowledge(1)
    world.run()
    return world


def parts(world: World, address: str, *others: str) -> Sequence[dict[str, Any]]:
    """What each campaign has of a person."""
    campaigns = [world.campaign, *(campaign(campaign=one) for one in others)]
    found = export_person(world.ports, campaigns, Address.parse(address)).as_json()
    return list(found["campaigns"])


def codes(world: World, role: str) -> set[str]:
    return {one.code for one in world.memory.all(Voucher) if one.holder == role}


@pytest.mark.parametrize(("address", "role"), [(SPONSOR, "sponsor"), (REFEREE, "referee")])
def test_each_of_two_gets_her_own_vouchers_mails_and_addresses(
    rewarded: World, address: str, role: str
) -> None:
    [part] = parts(rewarded, address)
    assert {one["code"] for one in part["vouchers"]} == codes(rewarded, role) != set()
    mailed = [one for one in part["mails_to_you"] if one["sent_at"]]
    assert len(mailed) == len(rewarded.mailer.to(address)) > 1
    assert {one["address"] for one in part["addresses"]} == {address}
    assert len(part["invitations_to_you"]) == (role == "referee")
    assert len(part["your_referral"]) == (role == "referee")
    assert len(part["you_as_a_sponsor"]) == (role == "sponsor")
    assert len(part["open_sessions"]) == (role == "sponsor")


def test_who_was_invited_and_invites_sees_as_hers_whom_she_invited(world: World) -> None:
    world.referral(REFEREE, SPONSOR)
    world.drop_list("vips", [*VIPS, REFEREE], file="later")
    world.run()
    world.clock.advance(minutes=20)
    world.invite(world.sponsor(REFEREE), MARC)
    world.run()
    [part] = parts(world, REFEREE)
    [sponsor] = part["you_as_a_sponsor"]
    assert [one["to"] for one in sponsor["your_invitations"]] == [Address.parse(MARC).masked]
    assert len(part["invitations_to_you"]) == 1


@pytest.mark.parametrize("known_by", ["contact_id", "digests"])
def test_a_mail_is_hers_by_her_address_or_by_her_digest(world: World, known_by: str) -> None:
    """Its address ends before it does; early versions stored some mails without digests."""
    world.referral(REFEREE, SPONSOR)
    wanted = len(parts(world, REFEREE)[0]["mails_to_you"])
    assert wanted
    other = {"contact_id": {"digests": None}, "digests": {"contact_id": "f" * 32}}[known_by]
    for mail in world.memory.all(Mail):
        world.repository.commit(Replace(replace(mail, **other)))  # type: ignore[arg-type]
    assert len(parts(world, REFEREE)[0]["mails_to_you"]) == wanted


def test_each_campaign_says_what_it_has_itself(world: World) -> None:
    world.sponsor(SPONSOR)
    put_campaign(world.ports, campaign(campaign="other"))
    [contact, *_] = world.memory.all(Contact)
    moved = replace(contact, campaign="other", contact_id="f" * 32, revision=0)
    world.repository.commit(Insert(replace(moved, first_name="Berthe")))
    first, second = parts(world, SPONSOR, "other")
    assert [first["campaign"], second["campaign"]] == [world.campaign.id, "other"]
    assert [one["first_name"] for one in second["addresses"]] == ["Berthe"]
    assert "Berthe" not in {one["first_name"] for one in first["addresses"]}
    assert (second["mails_to_you"], second["you_as_a_sponsor"]) == ([], [])
