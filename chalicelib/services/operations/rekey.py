"""Re-keying: people stay known while a client replaces its digest key.

Claims, oppositions and referrals are found by digests, and a digest only under the key it was made
with. Our own key never changes and always finds them; but the client reports orders with digests
under its own keys. So, as long as both of these are in force:

    key_ids: [old], or [old, new] ──► [new, old] ────────────────────────────► [new]
                                       └─ every run of reconcile: `rekey` hands out what is left
                                          (`due.py` works on it, by `rekey_referral`), until none is
                                          and the campaign is marked as complete

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
from chalicelib.domain.referrals import Referral, ReferralMark
from chalicelib.services.digests import (
    complete_digests,
    complete_sponsor,
    extended_oppositions,
    lacks_a_key,
    wanted_keys,
)
from chalicelib.services.lookups import claims_on, current_campaign
from chalicelib.services.ports import (
    Agenda,
    Change,
    ConflictError,
    Entry,
    Insert,
    Ports,
    Replace,
)
from chalicelib.services.retry import retry_on_conflict
from chalicelib.services.stretches import hand_out

# Longer than a function runs and caches a campaign: every referral confirmed under the earlier keys
# is on the agenda by then.
SETTLED_AFTER = timedelta(minutes=20)

REKEYED, WITHOUT_ADDRESS = "referrals_rekeyed", "referrals_without_address"


@dataclass(frozen=True)
class RekeyProgress:
    """How many referrals lack digests, as the index has it; `complete` once it is certain that none
    does.
    """

    left: int = 0
    complete: bool = False


def rekey(ports: Ports, current: CurrentCampaign) -> RekeyProgress:
    """Hand out the referrals of the campaign if any lacks a digest; looks at none if all are known
    to be complete. The index says under which keys each has digests, so none is read.
    """
    campaign = current.document
    if current.rekeyed_for == wanted_keys(campaign):
        return RekeyProgress(complete=True)
    # Other functions may still be using the previous version of a campaign put just now.
    settled = ports.clock() - current.put_at >= SETTLED_AFTER
    repository = ports.repository
    left = sum(
        _may_lack_a_key(campaign, entry)
        for stretch in repository.stretches(Agenda.REFERRALS, campaign.id)
        for entry in repository.entries(Referral, stretch)
    )
    if left:
        hand_out(ports, Agenda.REFERRALS, campaign.id)
    complete = settled and not left and _mark_complete(ports, current)
    return RekeyProgress(left, complete)


def rekey_referral(ports: Ports, campaign_id: str, entry: Entry[Referral]) -> str | None:
    """Complete a referral; the name of what was done, None when there was nothing to do."""
    campaign = current_campaign(ports, campaign_id)
    return _complete(ports, campaign, entry) if _may_lack_a_key(campaign, entry) else None


def _may_lack_a_key(campaign: Campaign, entry: Entry[Referral]) -> bool:
    if not entry.mark:
        return True  # stored by a version that did not mark it
    key_ids = ReferralMark.parse(entry.mark).key_ids
    return bool(key_ids) and lacks_a_key(campaign, key_ids)


def _is_incomplete(campaign: Campaign, referral: Referral) -> bool:
    return not referral.address_gone and lacks_a_key(campaign, referral.referee.key_ids)


@retry_on_conflict
def _complete(ports: Ports, campaign: Campaign, entry: Entry[Referral]) -> str | None:
    referral = ports.repository.read(entry.key).get(entry.key)
    if referral is None:
        return None
    if not _is_incomplete(campaign, referral):
        if not entry.mark:
            ports.repository.commit(Replace(referral))  # which marks it
        return None
    referee = complete_digests(ports, campaign, referral.referee, referral.contact_id)
    changes: list[Change] = []
    sponsor = ports.repository.get(Sponsor, sponsor_id=referral.sponsor_id)
    if sponsor:
        whole, beside = complete_sponsor(ports, campaign, sponsor)
        changes += [Replace(whole), *beside] if whole != sponsor else []
        referral = replace(referral, sponsor_digest=whole.digests.for_client)
    if referee == referral.referee:
        ports.repository.commit(Replace(replace(referral, address_gone=True)), *changes)
        return WITHOUT_ADDRESS
    known = {claim.digest for claim in claims_on(ports, campaign.id, referee.values)}
    missing = [digest for digest in referee.values if digest not in known]
    claims = referee_claims(campaign.id, referral.sponsor_id, referral.invitation_id, missing)
    changes += [Insert(claim) for claim in claims]
    changes += extended_oppositions(ports, campaign, referee)
    ports.repository.commit(Replace(replace(referral, referee=referee)), *changes)
    return REKEYED


def _mark_complete(ports: Ports, current: CurrentCampaign) -> bool:
    marked = replace(current, rekeyed_for=wanted_keys(current.document))
    try:
        ports.repository.commit(Replace(marked))
    except ConflictError:
        return False  # another version was put meanwhile: the next run handles that one
    return True
