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

from dataclasses import dataclass, replace
from datetime import timedelta

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.people import Sponsor, referee_claims
from chalicelib.domain.referrals import Referral
from chalicelib.services.digests import (
    complete_digests,
    complete_sponsor,
    lacks_a_key,
    missing_oppositions,
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
    changes += missing_oppositions(ports, campaign, referee.values)
    ports.repository.commit(Replace(replace(referral, referee=referee)), *changes)
    return "done"


def _marked(ports: Ports, in_force: CurrentCampaign) -> bool:
    marked = replace(in_force, rekeyed_for=in_force.document.digests.key_ids)
    try:
        ports.repository.commit(Replace(marked))
    except ConflictError:
        return False  # another version was put meanwhile: the next run looks at that one
    return True
