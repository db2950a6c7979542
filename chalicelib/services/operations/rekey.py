"""Keeping people known while a client changes its digest key.

A claim, an opposition and a referral are found by digests, and a digest only under the key it was
made with. Our own key, which never changes, finds them all for ever; but orders are reported by the
client, who knows none but its own. So, as long as both keys are in force:

    key_ids: [old, new or not] ──► [new, old] ──────────────────────────────► [new]
                                      └─ every run of reconcile: `rekey`, some referrals a run,
                                         until none is left and the campaign is marked so

Whoever is met meanwhile, at a confirmation or a sign-in, is completed there, by the same steps.
Digests can only be made while the plain address is kept; a referral whose address is gone keeps
those it has. Nothing found under an earlier key is taken away: earlier lists were made with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from chalicelib.domain.addresses import OWN_KEY_ID, AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.eligibility import all_digests
from chalicelib.domain.people import Contact, Opposition, RefereeClaim, Sponsor, SponsorClaim
from chalicelib.domain.referrals import Referral
from chalicelib.services.lookups import claims_on, digests_of, oppositions_to, sponsor_claims_on
from chalicelib.services.ports import (
    Agenda,
    Change,
    ConflictError,
    ContentionError,
    Insert,
    Ports,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict

# Longer than a function runs, and than it remembers a campaign: who was confirmed under the keys of
# before is on the agenda by then.
SETTLED_AFTER = timedelta(minutes=20)


@dataclass(frozen=True)
class Rekeyed:
    """Referrals that got their missing digests, those whose address is gone, and those left;
    `complete` once it is certain that there are none.
    """

    done: int = 0
    without_address: int = 0
    left: int = 0
    complete: bool = False


def rekey(ports: Ports, in_force: CurrentCampaign, at_most: int) -> Rekeyed:
    """Complete up to `at_most` referrals of the campaign; none is looked at when all are."""
    campaign = in_force.document
    if in_force.rekeyed_for == campaign.digests.key_ids:
        return Rekeyed(complete=True)
    # Not of the moment: a campaign put just now may not be what others work with yet.
    settled = ports.clock() - in_force.put_at >= SETTLED_AFTER
    counts = {"done": 0, "without_address": 0, "left": 0}
    for listed in ports.repository.agenda(Referral, Agenda.REFERRALS, campaign.id):
        if not _is_incomplete(campaign, listed):
            continue
        worked_on = counts["done"] + counts["without_address"]
        outcome = _tried(ports, campaign, listed) if worked_on < at_most else "left"
        if outcome:
            counts[outcome] += 1
    complete = settled and not counts["left"] and _marked(ports, in_force)
    return Rekeyed(**counts, complete=complete)


def lacks_a_key(campaign: Campaign, digests: AddressDigests) -> bool:
    """Whether a key in force, or ours, is missing, or the campaign's first is not the first."""
    wanted = {*campaign.digests.key_ids, OWN_KEY_ID}
    first = campaign.digests.key_ids[0]
    return digests.key_ids[0] != first or not wanted.issubset(digests.key_ids)


def completed(
    ports: Ports, campaign: Campaign, known: AddressDigests, contact_id: str
) -> AddressDigests:
    """`known` with what is missing, in the campaign's order; as it is when the address is gone."""
    if not lacks_a_key(campaign, known):
        return known
    contact = ports.repository.get(Contact, contact_id=contact_id)
    if contact is None:
        return known
    return digests_of(ports, campaign, contact.address).and_before(known)


def completed_sponsor(
    ports: Ports, campaign: Campaign, sponsor: Sponsor
) -> tuple[Sponsor, list[Change]]:
    """The sponsor with all digests, not yet stored, and what is to be stored beside them."""
    digests = completed(ports, campaign, sponsor.digests, sponsor.contact_id)
    if digests == sponsor.digests:
        return sponsor, []
    values = all_digests(digests)
    claimed = {claim.digest for claim in sponsor_claims_on(ports, campaign.id, values)}
    claims: list[Change] = [
        Insert(SponsorClaim(campaign=campaign.id, digest=digest, sponsor_id=sponsor.sponsor_id))
        for digest in values
        if digest not in claimed
    ]
    return replace(sponsor, digests=digests), claims + _oppositions(ports, campaign, values)


def missing_claims(
    of: RefereeClaim, digests: Iterable[str], claimed: Iterable[RefereeClaim]
) -> list[Change]:
    """Claims like `of` for those of a referee's digests that nobody has claimed (laws 1 and 2)."""
    taken = {claim.digest for claim in claimed}
    return [Insert(replace(of, digest=digest)) for digest in digests if digest not in taken]


def _is_incomplete(campaign: Campaign, referral: Referral) -> bool:
    return not referral.address_gone and lacks_a_key(campaign, referral.referee)


def _tried(ports: Ports, campaign: Campaign, listed: Referral) -> str | None:
    try:
        return _complete(ports, campaign, listed.referral_id)
    except ContentionError:
        return "left"  # somebody is busy with them: the next run will find them again


@retry_on_conflict
def _complete(ports: Ports, campaign: Campaign, referral_id: str) -> str | None:
    referral = ports.repository.get(Referral, referral_id=referral_id)
    if referral is None or not _is_incomplete(campaign, referral):
        return None  # the agenda was late
    referee = completed(ports, campaign, referral.referee, referral.contact_id)
    changes: list[Change] = []
    sponsor = ports.repository.get(Sponsor, sponsor_id=referral.sponsor_id)
    if sponsor:
        whole, beside = completed_sponsor(ports, campaign, sponsor)
        changes += [Replace(whole), *beside] if whole != sponsor else []
        referral = replace(referral, sponsor_digest=whole.digests.for_client)
    if referee == referral.referee:
        ports.repository.commit(Replace(replace(referral, address_gone=True)), *changes)
        return "without_address"
    values = all_digests(referee)
    claimed = claims_on(ports, campaign.id, values)
    changes += missing_claims(_claim(referral), values, claimed)
    changes += _oppositions(ports, campaign, values)
    ports.repository.commit(Replace(replace(referral, referee=referee)), *changes)
    return "done"


def _claim(referral: Referral) -> RefereeClaim:
    return RefereeClaim(
        campaign=referral.campaign,
        digest="",
        sponsor_id=referral.sponsor_id,
        invitation_id=referral.invitation_id,
    )


def _oppositions(ports: Ports, campaign: Campaign, digests: tuple[str, ...]) -> list[Change]:
    """Who opposed under one digest is opposed under all of them."""
    recorded = oppositions_to(ports, campaign.brand.id, digests)
    if not recorded:
        return []
    under = {opposition.digest for opposition in recorded}
    at = min(opposition.recorded_at for opposition in recorded)
    return [
        Insert(Opposition(brand=campaign.brand.id, digest=digest, recorded_at=at))
        for digest in digests
        if digest not in under
    ]


def _marked(ports: Ports, in_force: CurrentCampaign) -> bool:
    marked = replace(in_force, rekeyed_for=in_force.document.digests.key_ids)
    try:
        ports.repository.commit(Replace(marked))
    except ConflictError:
        return False  # another version was put meanwhile: the next run looks at that one
    return True
