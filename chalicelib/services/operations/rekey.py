"""Re-keying: people stay known while a client replaces its digest key.

Claims, oppositions and referrals are found by digests, and a digest only under the key it was made
with. Our own key never changes and always finds them; but the client reports orders with digests
under its own keys. So, as long as both of these are in force:

    key_ids: [old], or [old, new] ──► [new, old] ────────────────────────────► [new]
                                       └─ every run of reconcile: `rekey`, some referrals a run,
                                          until none is left and the campaign is marked as complete

A person who confirms or signs in meanwhile is completed there, in the same way. Digests can only be
made while the plain address is stored; a referral without one keeps the digests it has. Nothing
stored under an earlier key is removed: earlier lists were made with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.people import Sponsor, referee_claims
from chalicelib.domain.referrals import Referral
from chalicelib.services.digests import (
    complete_digests,
    complete_sponsor,
    extended_oppositions,
    lacks_a_key,
)
from chalicelib.services.lookups import claims_on
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

# Longer than a function runs and caches a campaign: every referral confirmed under the earlier keys
# is on the agenda by then.
SETTLED_AFTER = timedelta(minutes=20)


@dataclass(frozen=True)
class RekeyProgress:
    """Referrals that got their missing digests, those without an address, and those left;
    `complete` once it is certain that none is left.
    """

    done: int = 0
    without_address: int = 0
    left: int = 0
    complete: bool = False


def rekey(ports: Ports, current: CurrentCampaign, at_most: int) -> RekeyProgress:
    """Complete up to `at_most` referrals of the campaign; reads none if all are complete."""
    campaign = current.document
    if current.rekeyed_for == campaign.digests.key_ids:
        return RekeyProgress(complete=True)
    # Other functions may still be using the previous version of a campaign put just now.
    settled = ports.clock() - current.put_at >= SETTLED_AFTER
    counts = {"done": 0, "without_address": 0, "left": 0}
    for entry in ports.repository.agenda(Referral, Agenda.REFERRALS, campaign.id):
        if not _is_incomplete(campaign, entry):
            continue
        worked_on = counts["done"] + counts["without_address"]
        outcome = _try_to_complete(ports, campaign, entry) if worked_on < at_most else "left"
        if outcome:
            counts[outcome] += 1
    complete = settled and not counts["left"] and _mark_complete(ports, current)
    return RekeyProgress(**counts, complete=complete)


def _is_incomplete(campaign: Campaign, referral: Referral) -> bool:
    return not referral.address_gone and lacks_a_key(campaign, referral.referee)


def _try_to_complete(ports: Ports, campaign: Campaign, entry: Referral) -> str | None:
    try:
        return _complete(ports, campaign, entry.referral_id)
    except ContentionError:
        return "left"  # others are changing it: the next run will find it again


@retry_on_conflict
def _complete(ports: Ports, campaign: Campaign, referral_id: str) -> str | None:
    referral = ports.repository.get(Referral, referral_id=referral_id)
    if referral is None or not _is_incomplete(campaign, referral):
        return None  # the agenda was out of date
    referee = complete_digests(ports, campaign, referral.referee, referral.contact_id)
    changes: list[Change] = []
    sponsor = ports.repository.get(Sponsor, sponsor_id=referral.sponsor_id)
    if sponsor:
        whole, beside = complete_sponsor(ports, campaign, sponsor)
        changes += [Replace(whole), *beside] if whole != sponsor else []
        referral = replace(referral, sponsor_digest=whole.digests.for_client)
    if referee == referral.referee:
        ports.repository.commit(Replace(replace(referral, address_gone=True)), *changes)
        return "without_address"
    known = {claim.digest for claim in claims_on(ports, campaign.id, referee.values)}
    missing = [digest for digest in referee.values if digest not in known]
    claims = referee_claims(campaign.id, referral.sponsor_id, referral.invitation_id, missing)
    changes += [Insert(claim) for claim in claims]
    changes += extended_oppositions(ports, campaign, referee.values)
    ports.repository.commit(Replace(replace(referral, referee=referee)), *changes)
    return "done"


def _mark_complete(ports: Ports, current: CurrentCampaign) -> bool:
    marked = replace(current, rekeyed_for=current.document.digests.key_ids)
    try:
        ports.repository.commit(Replace(marked))
    except ConflictError:
        return False  # another version was put meanwhile: the next run handles that one
    return True
