"""What stays of who was forgotten: the books agree, others lose nothing, and nobody is mailed."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from chalicelib.domain.addresses import Address
from chalicelib.domain.erasure import ErasureReceipt
from chalicelib.domain.exports import Export, ExportPart, ExportState
from chalicelib.domain.facts import FactName
from chalicelib.domain.invitations import Invitation, InvitationState
from chalicelib.domain.people import (
    Contact,
    Opposition,
    OppositionScope,
    RefereeClaim,
    Sponsor,
    with_used_up_before,
)
from chalicelib.domain.redemptions import Purchase
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import Voucher, VoucherState, is_live
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import GoneError, QuotaError, UnauthorisedError, UnknownError
from chalicelib.services.invitations.invite import Referee, invite, sign_up
from chalicelib.services.invitations.respond import confirm, view_offer
from chalicelib.services.lookups import campaigns_of_brand
from chalicelib.services.mails.ses_events import MailEvent, settle_mail
from chalicelib.services.operations.balance import balances
from chalicelib.services.operations.check_facts import check_facts
from chalicelib.services.operations.report import report
from chalicelib.services.persons.access import export_person
from chalicelib.services.persons.erase import DROPPED_KEPT_DAYS, erase_person
from chalicelib.services.ports import Insert, Replace
from chalicelib.services.sponsors.renew_link import renew_link
from chalicelib.services.sponsors.space import view_sponsor_space
from chalicelib.services.vouchers.changes import write_changes
from chalicelib.services.vouchers.export import export_vouchers
from chalicelib.services.vouchers.redeem import redeem
from tests.docs.test_data_model import _Loader
from tests.fakes.campaign import CAMPAIGN, campaign, digest, templates
from tests.fakes.due import reconcile
from tests.fakes.fuse import Fuse, KilledError
from tests.fakes.world import VIPS, World, new_world
from tests.services.test_consents import NEWCOMER, consenting
from tests.services.test_erasure import (
    FORGET,
    HER,
    SPONSOR,
    WHO,
    all_files,
    hits,
    needles,
    own_digests,
    through_everything,
)
from tests.services.test_restoring import bring_forward, restore, take

REFEREE = "jeanne@example.fr"
AT_ONCE: dict[str, Any] = {"release": "at_once"}


def erase(world: World, address: str, *, dry_run: bool = False) -> ErasureReceipt:
    return erase_person(world.ports, [world.campaign], Address.parse(address), dry_run=dry_run)


def voucher(world: World, rule: str = "welcome") -> Voucher:
    [found] = [one for one in world.memory.all(Voucher) if one.rule == rule]
    return found


def refusals(world: World) -> list[tuple[str, str]]:
    decided = [one for one in world.memory.all(Reward) if one.refused_reason]
    return sorted((one.rule, str(one.refused_reason)) for one in decided)


# --- the books -----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("who", FORGET)
def test_law_10_counts_journal_files_and_table_agree_after_it(who: str) -> None:
    world = through_everything()
    world.lists.fails = None
    world.run()
    before = world.funnel()
    for address in FORGET[who]:
        erase(world, address)
    world.run()
    after = world.funnel()
    closed = {"refused", "expired"}  # the sponsor's open invitations
    assert {name: after[name] for name in before.keys() - closed} == {
        name: before[name] for name in before.keys() - closed
    }
    assert len(world.journal()) == len(world.facts())
    world.export()
    write_changes(world.ports, world.campaign)
    today = world.campaign.local_date(world.clock())
    [(_, _, findings)] = balances(world.ports, [(world.campaign, today)])
    assert findings == []
    assert world.reconciliation() == 0
    world.clock.advance(hours=2)
    check_facts(world.ports)
    world.run()
    world.clock.advance(days=2)
    assert check_facts(world.ports).findings == []
    found = reconcile(world.ports)
    assert {name: found[name] for name in ("leased", "facts_failed", "not_handled")} == {
        "leased": 0, "facts_failed": 0, "not_handled": 0,
    }  # fmt: skip


def test_the_next_table_and_export_have_random_ids(world: World) -> None:
    referral = world.referral(REFEREE)
    report(world.ports, world.campaign)
    world.clock.advance(days=1)
    erase(world, REFEREE)
    erase(world, SPONSOR)
    report(world.ports, world.campaign)
    day = world.campaign.local_date(world.clock())
    table = gzip.decompress(world.files.content[f"out/{CAMPAIGN}/referrals/{day}.csv.gz"]).decode()
    [row] = table.splitlines()[1:]
    assert row.split(",")[:3] == [
        referral.referral_id, referral.sponsor_id, referral.referral_id,
    ]  # fmt: skip
    world.export()
    [exported] = world.exported(1)
    assert exported["holder_digest"] == referral.referral_id
    assert exported["code"] == voucher(world).code


def test_an_open_export_gets_the_random_id(world: World) -> None:
    world.referral(REFEREE)
    opened_and_killed(world, at=6)
    [export] = world.memory.all(Export)
    assert export.state is ExportState.OPEN
    receipt = erase(world, REFEREE)
    assert receipt.files == ()
    world.export()
    assert world.exported(1)[0]["holder_digest"] == voucher(world).holder_id


def test_a_file_that_is_being_written_is_finished_as_it_was(world: World) -> None:
    """Every attempt must make the same file (law 5); after that nothing can make it again."""
    world.referral(REFEREE)
    known = voucher(world).holder_digest
    at = 1
    while not world.files.under(f"out/{CAMPAIGN}/vouchers/"):
        opened_and_killed(world, at=at)
        at += 1
    [export] = world.memory.all(Export)
    assert export.state is ExportState.SEALED
    receipt = erase(world, REFEREE)
    assert [one.path for one in receipt.files] == [f"out/{CAMPAIGN}/vouchers/00000001.csv.gz"]
    assert world.exported(1)[0]["holder_digest"] == known
    [part] = world.memory.all(ExportPart)
    assert known not in str(part.rows)
    assert world.memory.all(Export)[0].state is ExportState.WRITTEN
    assert world.export() is None


def opened_and_killed(world: World, at: int) -> None:
    """An export that dies at one of its calls."""
    ports = Fuse(at, after_the_effect=True).on(world.ports)
    try:
        export_vouchers(ports, world.campaign)
    except KilledError:
        return


# --- vouchers and rewards ------------------------------------------------------------------------


def test_a_voucher_keeps_its_worth_and_is_never_mailed() -> None:
    world = new_world(templates=templates(welcome={"holder_bound": True}))
    world.referral(REFEREE)
    world.export()
    receipt = erase(world, REFEREE)
    assert receipt.live_vouchers == 1
    sent = len(world.mailer.sent)
    world.acknowledge(1)
    world.run()
    assert len(world.mailer.sent) == sent
    purchase = Purchase(
        order_id="A1", ordered_at=world.clock(), amount_minor=9_000, currency="EUR",
        email_digest=digest(REFEREE),
    )  # fmt: skip
    redeem(world.ports, voucher(world).code, purchase)
    assert voucher(world).state is VoucherState.REDEEMED


def test_who_invited_a_forgotten_referee_is_rewarded_and_she_is_not(world: World) -> None:
    world.referral(REFEREE)
    erase(world, REFEREE)
    world.clock.advance(days=1)
    code = voucher(world).code
    world.drop_orders(world.order("A1", "kept", of=REFEREE, code=code))
    world.run()
    assert is_live(voucher(world, "sponsor-reward"))
    assert refusals(world) == [("ladder-first", "holder_erased")]
    assert not [queue for queue, facts in world.queues.waiting.items() if facts]


def test_whom_a_forgotten_sponsor_invited_keeps_all_she_has(world: World) -> None:
    world.referral(REFEREE)
    token = world.token_of(REFEREE)
    world.export()
    world.acknowledge(1)
    erase(world, SPONSOR)
    world.run()
    offer = view_offer(world.ports, token)
    assert (offer.sponsor_name, len(offer.vouchers)) == (None, 1)
    assert confirm(world.ports, token, "1", False)[1] is False
    world.drop_orders(world.order("A1", "kept", of=REFEREE))
    world.run()
    assert is_live(voucher(world, "ladder-first"))
    assert refusals(world) == [("sponsor-reward", "holder_erased")]
    assert check_facts(world.ports).findings == []


# --- a sponsor -----------------------------------------------------------------------------------


def test_a_sponsors_session_and_link_end_at_once(world: World) -> None:
    session = world.sponsor()
    link = view_sponsor_space(world.ports, session).sponsor.link_code
    erase(world, SPONSOR)
    for use in (
        lambda: view_sponsor_space(world.ports, session),
        lambda: renew_link(world.ports, session),
        lambda: world.invite(session, REFEREE),
    ):
        with pytest.raises(UnauthorisedError):
            use()
    with pytest.raises(UnknownError):
        sign_up(world.ports, CAMPAIGN, link, Referee(Address.parse(REFEREE)))


def test_her_open_invitations_close_and_nobody_hears_of_it(world: World) -> None:
    session = world.sponsor()
    world.invite(session, REFEREE)
    world.run()
    world.lists.fails = "no_list"
    world.invite(session, "paul@example.fr")
    world.run()
    sent = len(world.mailer.sent)
    erase(world, SPONSOR)
    world.lists.fails = None
    world.run()
    states = sorted(one.state for one in world.memory.all(Invitation))
    assert states == [InvitationState.EXPIRED, InvitationState.REFUSED]
    [expired] = world.facts(FactName.INVITATION_EXPIRED)
    [refused] = world.facts(FactName.INVITATION_REFUSED)
    assert expired.details["reason"] == refused.details["reason"] == "erased"
    assert world.memory.all(Contact) == []
    assert len(world.mailer.sent) == sent
    with pytest.raises(GoneError):
        view_offer(world.ports, world.token_of(REFEREE))


def test_claims_that_led_to_no_mail_are_free_and_no_others(world: World) -> None:
    session = world.sponsor()
    world.invite(session, REFEREE)
    world.run()
    world.mailer.answers = []
    invite(world.ports, session, [Referee(Address.parse("paul@example.fr"))], None)
    decide_alone(world)
    assert len(claimed(world, "paul@example.fr")) > 0
    erase(world, SPONSOR)
    world.run()
    assert claimed(world, "paul@example.fr") == []
    assert len(claimed(world, REFEREE)) > 0
    world.invite(world.sponsor(VIPS[1], "Odile"), "paul@example.fr", REFEREE)
    world.run()
    assert [len(world.mailer.to(one)) for one in ("paul@example.fr", REFEREE)] == [1, 1]


def decide_alone(world: World) -> None:
    """Everything but the mail of what was accepted, which stays in no queue."""
    world.loses = lambda consumer, fact: (
        consumer == "relay" and fact.name == FactName.INVITATION_ACCEPTED
    )
    world.run()
    world.loses = lambda _consumer, _fact: False


def claimed(world: World, address: str) -> list[RefereeClaim]:
    known = {digest(address), *own_digests(world, [address])}
    return [one for one in world.memory.all(RefereeClaim) if one.digest in known]


# --- never again ---------------------------------------------------------------------------------


def test_law_2_who_was_forgotten_is_not_invited_again(world: World) -> None:
    world.invite(world.sponsor(), REFEREE)
    world.run()
    assert erase(world, REFEREE).opposed
    world.invite(world.sponsor(VIPS[1], "Odile"), REFEREE)
    world.run()
    assert len(world.mailer.to(REFEREE)) == 1
    assert world.facts(FactName.INVITATION_REFUSED)[-1].details["reason"] == "opposed"
    assert {one.digest for one in world.memory.all(Opposition)} == own_digests(world, [REFEREE])


def test_an_objection_to_all_mails_stays_one(world: World) -> None:
    world.referral(REFEREE)
    settle_mail(world.ports, MailEvent("complained", world.mailer.to(REFEREE)[0].mail_id, "p"))
    for one in world.memory.all(Opposition):
        world.repository.commit(Replace(replace(one, scope=OppositionScope.ALL)))
    erase(world, REFEREE)
    [*kept] = world.memory.all(Opposition)
    assert {one.scope for one in kept} == {OppositionScope.ALL}
    assert {one.digest for one in kept} == own_digests(world, [REFEREE])


def test_of_a_stranger_nothing_is_found_and_nothing_stays(world: World) -> None:
    world.referral(REFEREE)
    before = dict(world.memory._items)
    receipt = erase(world, "nobody@example.fr")
    assert not receipt.found
    assert not receipt.opposed
    assert world.memory._items == before


def brings(world: World, *names: str) -> int:
    """Each is invited, confirms and keeps an order; how many rewards sponsors have by then."""
    for name in names:
        address = f"{name}@example.fr"
        world.referral(address)
        world.drop_orders(world.order(name, "kept", of=address), file=name)
        world.run()
        world.clock.advance(hours=1)
    return sum(one.rule == "sponsor-reward" for one in world.memory.all(Voucher))


def test_forgetting_a_sponsor_begins_no_cap_again() -> None:
    world = new_world(caps={"sponsor_rewards": 2})
    assert brings(world, "jeanne", "paul", "lise") == 2
    for name in ("marc", "odile"):
        erase(world, SPONSOR)
        world.run()
        assert brings(world, name) == 2


def test_forgetting_a_sponsor_begins_no_quota_again() -> None:
    world = new_world(quotas={"invitations_per_sponsor": 1})
    world.invite(world.sponsor(), REFEREE)
    world.run()
    erase(world, SPONSOR)
    world.clock.advance(hours=1)
    with pytest.raises(QuotaError):
        world.invite(world.sponsor(), "paul@example.fr")


def test_what_was_used_up_counts_in_its_own_campaign_alone() -> None:
    world = new_world(quotas={"invitations_per_sponsor": 1})
    world.invite(world.sponsor(), REFEREE)
    world.run()
    erase(world, SPONSOR)
    [kept, *_] = world.memory.all(Opposition)
    [gone] = world.memory.all(Sponsor)
    assert with_used_up_before(replace(gone, invited=0), [kept]).invited == 1
    assert with_used_up_before(replace(gone, campaign="other"), [kept]).invited == 0


# --- the receipt ---------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("who", ["referee", "sponsor"])
def test_a_dry_run_says_what_is_done_and_does_nothing(who: str) -> None:
    world = through_everything()
    [address] = FORGET[who]
    before, facts, files = dict(world.memory._items), len(world.facts()), set(world.files.content)
    planned = erase(world, address, dry_run=True)
    assert (world.memory._items, len(world.facts())) == (before, facts)
    assert set(world.files.content) == files
    done = erase(world, address)
    assert planned.random_ids == done.random_ids
    assert planned.live_vouchers == done.live_vouchers
    for name, number in planned.removed.items():
        assert done.removed[name] >= number > 0, name
    assert planned.made_nameless == done.made_nameless


def test_the_receipt_has_no_address_and_is_json() -> None:
    world = through_everything()
    for address in FORGET["both"]:
        text = json.dumps(erase(world, address).as_json())
        for role in WHO:
            assert not [one for one in needles(world, *WHO[role]) if one in text]


@pytest.mark.slow
@pytest.mark.parametrize("who", FORGET)
def test_after_the_last_day_that_it_names_nothing_is_left_at_all(who: str) -> None:
    world = through_everything()
    receipts = [erase(world, address) for address in FORGET[who]]
    waiting = [one.path for one in all_files(receipts).files if one.last_day is None]
    assert waiting or who == "sponsor"  # an export that nobody has acknowledged has no last day
    for path in waiting:
        world.acknowledge(int(path.rpartition("/")[2].partition(".")[0]))
    last = max(one.last_day for one in all_files(receipts).files if one.last_day)
    assert {one.files_end_on for one in receipts} <= {None, last}
    world.clock.now = world.campaign.end_of_day(last) + timedelta(seconds=1)
    reconcile(world.ports)
    end_dropped(world)
    for role in ("referee", "sponsor") if who == "both" else (who,):
        spellings, name = WHO[role]
        assert hits(world, needles(world, spellings, name) - own_digests(world, spellings)) == set()


def end_dropped(world: World) -> None:
    """What the bucket's own rule does."""
    for path in world.files.paths("in/"):
        del world.files.content[path]
    kept = {key: one for key, one in world.files._versions.items() if key[0][:3] != "in/"}
    world.files._versions = kept


def test_what_the_client_dropped_ends_when_the_receipt_says_so() -> None:
    text = (Path(__file__).parents[2] / "infra/resources.yaml").read_text(encoding="utf-8")
    bucket = yaml.load(text, _Loader)["Resources"]["Bucket"]["Properties"]
    [rule] = [
        one
        for one in bucket["LifecycleConfiguration"]["Rules"]
        if one.get("Prefix") == "in/" and "ExpirationInDays" in one
    ]
    assert rule["ExpirationInDays"] == DROPPED_KEPT_DAYS


# --- the client is let know ----------------------------------------------------------------------


def words_in(world: World, campaign_id: str = CAMPAIGN) -> list[tuple[str, str]]:
    """The words in a campaign's files of consents: state and source."""
    return sorted(
        (row[1], row[4])
        for content in world.files.under(f"out/{campaign_id}/consents/").values()
        if content.startswith(b"\x1f\x8b")
        for row in list(csv.reader(gzip.decompress(content).decode().splitlines()))[1:]
    )


BOTH_WORDS = [("given", "confirmation"), ("withdrawn", "erasure")]


@pytest.mark.parametrize("hours", [0, 1])
def test_a_consent_that_the_client_has_sent_back_to_us_is_withdrawn(
    world: World, hours: int
) -> None:
    consenting(world)
    at = world.clock()
    world.clock.advance(hours=1)
    row = f"{digest(NEWCOMER)},given,{(at + timedelta(hours=hours)).isoformat()}"
    world.drop("consents/a.csv", f"email_digest,state,at\n{row}\n".encode())
    erase(world, NEWCOMER)
    assert words_in(world) == BOTH_WORDS


def test_a_consent_of_the_clients_alone_is_the_clients(world: World) -> None:
    consenting(world, consents=False)
    row = f"{digest(NEWCOMER)},given,{world.clock().isoformat()}"
    world.drop("consents/a.csv", f"email_digest,state,at\n{row}\n".encode())
    erase(world, NEWCOMER)
    assert words_in(world) == []


@pytest.mark.parametrize("other", ["a-earlier", "z-later"])
def test_a_consent_is_withdrawn_in_the_campaign_that_has_it(world: World, other: str) -> None:
    consenting(world)
    put_campaign(world.ports, campaign(campaign=other))
    world.clock.advance(minutes=1)
    of_brand = sorted(campaigns_of_brand(world.ports, "demo"), key=lambda one: one.id)
    assert len(of_brand) == 2
    erase_person(world.ports, of_brand, Address.parse(NEWCOMER))
    assert (words_in(world), words_in(world, other)) == (BOTH_WORDS, [])


# --- one campaign of several ---------------------------------------------------------------------


def test_another_campaign_is_left_alone_unless_it_is_named_too(world: World) -> None:
    world.sponsor()
    put_campaign(world.ports, campaign(campaign="other"))
    world.clock.advance(minutes=1)
    [contact] = world.memory.all(Contact)
    other = replace(contact, campaign="other", contact_id="f" * 32, revision=0)
    world.repository.commit(Insert(other))
    erase(world, SPONSOR)
    assert [one.campaign for one in world.memory.all(Contact)] == ["other"]
    both = [world.campaign, campaign(campaign="other")]
    assert erase_person(world.ports, both, Address.parse(SPONSOR)).found
    assert world.memory.all(Contact) == []


# --- a restored table ----------------------------------------------------------------------------


@pytest.mark.parametrize("who", [REFEREE, SPONSOR])
def test_who_was_forgotten_does_not_come_back_with_a_restored_table(who: str) -> None:
    world = new_world()
    world.referral(REFEREE)
    world.export()
    world.acknowledge(1)
    world.run()
    world.clock.advance(hours=1)
    taken = take(world)
    world.clock.advance(hours=1)
    erase(world, who)
    world.run()
    world.journal()
    restore(world, taken)
    assert hits(world, {digest(who)})
    bring_forward(world, taken)
    found = hits(world, {digest(who), who})
    assert [place for place in found if not place.startswith(("in/", "out/"))] == []
    assert len(world.facts(FactName.PERSON_ERASED)) == 2  # written, and brought back
    assert len([one for one in world.journal() if one["name"] == "person_erased"]) == 1


# --- access --------------------------------------------------------------------------------------


def test_what_a_person_gets_has_all_of_hers_and_nothing_of_others() -> None:
    world = through_everything()
    document = export_person(world.ports, [world.campaign], Address.parse(HER)).as_json()
    text = json.dumps(document, ensure_ascii=False)
    [part] = document["campaigns"]
    assert len(part["invitations_to_you"]) == 2
    assert [len(part["your_referral"]), len(part["you_as_a_sponsor"])] == [1, 0]
    assert {one["first_name"] for one in part["addresses"]} >= {"Zéphyrine"}
    assert part["your_referral"][0]["orders"]
    assert part["vouchers"]
    assert part["mails_to_you"]
    assert document["consent_to_news"]
    assert document["objection"]
    spellings, name = WHO["sponsor"]
    assert not [one for one in needles(world, spellings, name) if one in text]


def test_what_a_sponsor_gets_has_no_referees_address_or_digest() -> None:
    world = through_everything()
    document = export_person(world.ports, [world.campaign], Address.parse(SPONSOR)).as_json()
    text = json.dumps(document, ensure_ascii=False)
    [part] = document["campaigns"]
    [sponsor] = part["you_as_a_sponsor"]
    assert len(sponsor["your_invitations"]) == 4
    assert part["open_sessions"]
    spellings, name = WHO["referee"]
    others = needles(world, (*spellings, "paul@example.fr", REFEREE), name)
    assert not [one for one in others if one in text]


def test_of_a_stranger_there_is_nothing_to_show(world: World) -> None:
    world.referral(REFEREE)
    found = export_person(world.ports, [world.campaign], Address.parse("nobody@example.fr"))
    assert not found.found
    assert found.as_json()["campaigns"] == []
