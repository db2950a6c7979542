"""An erasure takes what is hers and no more, and says neither more nor less than it did."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.erasure import ErasureReceipt
from chalicelib.domain.exports import Export, ExportState, export_path
from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import Invitation, is_open
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import Opposition, OppositionScope, RefereeClaim, Token
from chalicelib.domain.redemptions import Purchase
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.consents.write import write_consents
from chalicelib.services.digests import digests_of, new_oppositions
from chalicelib.services.errors import GoneError
from chalicelib.services.invitations.respond import confirm, end_consent, view_offer
from chalicelib.services.objections.unsubscribe import unsubscribe
from chalicelib.services.operations.end_files import end_files
from chalicelib.services.persons.erase import erase_person
from chalicelib.services.ports import Insert
from chalicelib.services.vouchers.redeem import redeem
from tests.fakes.campaign import CAMPAIGN, campaign, digest
from tests.fakes.fuse import KilledError
from tests.fakes.repository import ContestedRepository
from tests.fakes.world import VIPS, World, wrapped
from tests.services.test_consents import NEWCOMER, consenting, stop_token
from tests.services.test_erased_books import erase, opened_and_killed, words_in
from tests.services.test_erased_spellings import ASKS, invited
from tests.services.test_erasure import own_digests

SPONSOR, REFEREE, MARC = VIPS[0], "jeanne@example.fr", "marc@example.fr"
FILE = f"{export_path(CAMPAIGN, 1)}.csv.gz"


@pytest.fixture
def rewarded(world: World) -> World:
    """A sponsor and whom she invited have a voucher each, in no export yet."""
    world.referral(REFEREE, SPONSOR)
    world.drop_orders(world.order("A1", "kept", of=REFEREE))
    world.run()
    return world


def holders(world: World) -> dict[str, str]:
    return {str(one.holder): one.holder_digest for one in world.memory.all(Voucher)}


def paths(receipt: ErasureReceipt) -> list[str]:
    return [one.path for one in receipt.files]


# --- who is in the same items ---------------------------------------------------------------------


def test_who_invited_her_stays_known_by_her_own_digest(rewarded: World) -> None:
    """The next table and the next export name the sponsor as before."""
    opened_and_killed(rewarded, at=6)
    receipt = erase(rewarded, REFEREE)
    [referral] = rewarded.memory.all(Referral)
    assert referral.sponsor_digest == digest(SPONSOR)
    random_id = referral.referral_id
    assert holders(rewarded) == {"sponsor": digest(SPONSOR), "referee": random_id}
    rewarded.export()
    exported = {row["holder_digest"] for row in rewarded.exported(1)}
    assert exported == {digest(SPONSOR), random_id}
    assert receipt.random_ids == (random_id,)


def test_the_mail_of_an_open_invitation_stays_that_of_who_got_it(world: World) -> None:
    """Whoever sent it is forgotten: an objection from it is heard."""
    world.invite(world.sponsor(SPONSOR), REFEREE)
    world.run()
    stop = stop_token(world, REFEREE)
    erase(world, SPONSOR)
    unsubscribe(world.ports, stop)
    opposed = {one.digest for one in world.memory.all(Opposition)}
    assert opposed >= own_digests(world, [REFEREE])


def test_an_invitation_that_nobody_had_decided_leaves_no_mail(world: World) -> None:
    session = world.sponsor(SPONSOR)
    world.lists.fails = "no_list"
    world.invite(session, REFEREE)
    world.run()
    erase(world, SPONSOR)
    assert [one for one in world.memory.all(Mail) if "invitation" in one.ids] == []


def test_another_brands_objection_says_nothing_of_her_here(world: World) -> None:
    theirs = campaign(
        campaign="theirs", brand={"id": "theirs", "name": "Theirs", "contact": "c@theirs.test"}
    )
    put_campaign(world.ports, theirs)
    digests = digests_of(world.ports, theirs, Address.parse(REFEREE))
    scope = OppositionScope.INVITATIONS
    world.repository.commit(*new_oppositions(world.ports, theirs, digests, scope))
    before = dict(world.memory._items)
    assert not erase(world, REFEREE).opposed
    assert world.memory._items == before


# --- what serves her ------------------------------------------------------------------------------


def test_no_link_in_a_mail_of_hers_shows_anything(rewarded: World) -> None:
    token = rewarded.token_of(REFEREE)
    erase(rewarded, REFEREE)
    with pytest.raises(GoneError):
        view_offer(rewarded.ports, token)
    erase(rewarded, SPONSOR)
    assert rewarded.memory.all(Token) == []


def in_two_campaigns() -> World:
    """Another campaign has an invitation to her too, with claims of its own."""
    world = invited()
    put_campaign(world.ports, campaign(campaign="other"))
    other: dict[str, Any] = {"campaign": "other", "invitation_id": "e" * 32, "revision": 0}
    entities = [*world.memory.all(Invitation), *world.memory.all(RefereeClaim)]
    world.repository.commit(*(Insert(replace(one, **other)) for one in entities))
    return world


def claims_of_open_invitations(world: World) -> list[int]:
    """How many lead to each invitation that is not closed."""
    claims = Counter(one.invitation_id for one in world.memory.all(RefereeClaim))
    return [claims[one.invitation_id] for one in filter(is_open, world.memory.all(Invitation))]


def test_each_invitation_takes_its_own_claims_with_it() -> None:
    """Where a run dies, what leads to an invitation of another campaign is still there."""
    known = in_two_campaigns()
    wanted, seen = claims_of_open_invitations(known), []

    def kill() -> None:
        raise KilledError

    for number in range(1, 8):
        world = copy.deepcopy(known)
        ports = wrapped(world, partial(ContestedRepository, competitor=kill, at=number))
        both = [world.campaign, campaign(campaign="other")]
        with pytest.raises(KilledError):
            erase_person(ports, both, Address.parse(ASKS))
        seen.append(claims_of_open_invitations(world))
    assert wanted[0] == wanted[1] > 2
    assert all(one in (wanted, wanted[:1], []) for one in seen)
    assert wanted[:1] in seen


# --- the receipt ----------------------------------------------------------------------------------


def test_the_receipt_counts_what_stays_without_a_name_and_nothing_else(rewarded: World) -> None:
    """A row in the part of an export is no item, and what keeps a mail from leaving no mail."""
    rewarded.export()
    hers = [one for one in rewarded.memory.all(Voucher) if one.holder == "referee"]
    receipt = erase(rewarded, REFEREE)
    stays = {"invitation": 1, "mail": 1, "referral": 1, "voucher": len(hers)}
    assert receipt.made_nameless == stays
    assert receipt.live_vouchers == len(hers)


def test_a_voucher_that_is_used_keeps_no_worth(world: World) -> None:
    world.referral(REFEREE)
    [voucher] = world.memory.all(Voucher)
    purchase = Purchase(order_id="A1", ordered_at=world.clock(), amount_minor=9_000, currency="EUR")
    redeem(world.ports, voucher.code, purchase)
    assert erase(world, REFEREE).live_vouchers == 0


def test_a_file_that_has_ended_is_not_named(world: World) -> None:
    world.referral(REFEREE)
    world.export()
    world.acknowledge(1)
    world.run()
    world.clock.advance(days=36)
    end_files(world.ports, CAMPAIGN)
    assert FILE not in world.files.content
    assert FILE not in paths(erase(world, REFEREE))


def test_a_dry_run_names_a_file_that_is_about_to_be_written_and_writes_none(world: World) -> None:
    world.referral(REFEREE)
    at = 1
    while not [one for one in world.memory.all(Export) if one.state is ExportState.SEALED]:
        opened_and_killed(world, at=at)
        at += 1
    assert FILE not in world.files.content
    assert paths(erase(world, REFEREE, dry_run=True)) == [FILE]
    assert FILE not in world.files.content
    [export] = world.memory.all(Export)
    assert export.state is ExportState.SEALED
    assert paths(erase(world, REFEREE)) == [FILE]
    assert FILE in world.files.content


# --- words about consent --------------------------------------------------------------------------


def test_a_dry_run_sends_the_client_no_word(world: World) -> None:
    consenting(world)
    before = dict(world.memory._items)
    erase(world, NEWCOMER, dry_run=True)
    assert world.memory._items == before
    assert words_in(world) == []


def test_who_has_withdrawn_already_sends_no_second_word_and_nobody_elses(world: World) -> None:
    """The words of others go when their file is due."""
    consenting(world)
    end_consent(world.ports, world.token_of(NEWCOMER))
    world.run()
    write_consents(world.ports, world.campaign)
    known = words_in(world)
    assert known == [("given", "confirmation"), ("withdrawn", "page")]
    consenting(world, MARC)
    erase(world, NEWCOMER)
    assert words_in(world) == known
    write_consents(world.ports, world.campaign)
    assert len(words_in(world)) == 3


def test_a_sponsors_own_consent_is_withdrawn_under_the_referral_that_gave_it(world: World) -> None:
    """She has invited others since; what names them is not hers."""
    mine = consenting(world)
    world.drop_list("vips", [*VIPS, NEWCOMER], file="later")
    world.run()
    world.clock.advance(minutes=20)
    world.invite(world.sponsor(NEWCOMER), MARC)
    world.run()
    hers = confirm(world.ports, world.token_of(MARC), "1", False)[0]
    world.run()
    earlier = replace(hers, referral_id="0" * 32, revision=0)
    world.repository.commit(Insert(earlier))
    erase(world, NEWCOMER)
    [withdrawal] = world.facts(FactName.CONSENT_WITHDRAWAL)
    assert withdrawal.ids["referral"] == mine.referral_id
