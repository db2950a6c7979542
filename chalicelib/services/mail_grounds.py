"""Whether a mail may leave now: what it is about, and somebody who wants to read it.

Decided from what is stored, both when a mail is made (`mails/compose_vouchers.py`) and when
somebody checks whether one is missing (`operations/consequences.py`), so that the two agree.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain import mails
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import HolderRole, Release, Trigger
from chalicelib.domain.consents import ConsentState, latest_word, own_digest
from chalicelib.domain.fact_bodies import (
    ReferralConfirmed,
    RewardRevoked,
    VoucherAcknowledged,
    VoucherEndsSoon,
    VoucherIssued,
)
from chalicelib.domain.mails import Mail, MailState
from chalicelib.domain.people import Contact, Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher, is_code_released, is_live, problem_at
from chalicelib.services.lookups import (
    consents_of,
    current_campaign,
    digests_of_holder,
    holder_of,
    objects_to_all,
    voucher_of,
)
from chalicelib.services.ports import Ports


@dataclass(frozen=True)
class Ground:
    """Whom a mail about a voucher is for."""

    voucher: Voucher
    holder: Sponsor | Referral
    contact: Contact
    campaign: Campaign


@dataclass(frozen=True)
class ConfirmationGround:
    """Who has confirmed."""

    referral: Referral
    contact: Contact
    campaign: Campaign


def release_ground(ports: Ports, body: VoucherIssued | VoucherAcknowledged) -> Ground | None:
    """To mail a voucher's code: that of the voucher that stands for the reward today. The fact may
    be about the one before it, which was revoked; then the client may not know the later code yet.
    """
    voucher = voucher_of(ports, body)
    if voucher is None or not is_live(voucher) or not is_code_released(voucher):
        return None
    return _ground(ports, voucher)


def revocation_ground(ports: Ports, body: RewardRevoked) -> Ground | None:
    """To say that a voucher is not valid any more: to who was mailed its code. Of one that is used
    there is no such fact.
    """
    voucher = voucher_of(ports, body)
    if voucher is None or voucher.voucher_id != body.voucher_id:
        return None
    return _ground(ports, voucher) if _was_mailed(ports, voucher) else None


def reminder_ground(ports: Ports, body: VoucherEndsSoon) -> Ground | None:
    """To say that a voucher ends soon: to who could use it now, was mailed its code, and agreed to
    the brand's news; in a campaign that reminds.
    """
    voucher = voucher_of(ports, body)
    if voucher is None or voucher.voucher_id != body.voucher_id:
        return None
    if problem_at(voucher, ports.clock()) or not _was_mailed(ports, voucher):
        return None
    ground = _ground(ports, voucher)
    if ground is None or ground.campaign.ends_soon_days is None:
        return None
    return ground if _has_consented(ports, ground) else None


def confirmation_ground(ports: Ports, body: ReferralConfirmed) -> ConfirmationGround | None:
    """To say that a confirmation was received, in a campaign that does, unless the mail of a first
    voucher leaves at once and says so.
    """
    referral = ports.repository.get(Referral, referral_id=body.referral_id)
    if referral is None:
        return None
    campaign = current_campaign(ports, referral.campaign)
    if not campaign.mail_confirmations:
        return None
    if campaign.release is Release.AT_ONCE and first_voucher(campaign):
        return None
    contact = ports.repository.get(Contact, contact_id=referral.contact_id)
    if contact is None or objects_to_all(ports, campaign, referral):
        return None
    return ConfirmationGround(referral, contact, campaign)


def first_voucher(campaign: Campaign) -> int | None:
    """What the confirmation itself earns the referee, in minor units; None for nothing."""
    for promise in campaign.promises(HolderRole.REFEREE):
        if promise.when is Trigger.REFERRAL_CONFIRMED:
            return promise.value_minor
    return None


def _ground(ports: Ports, voucher: Voucher) -> Ground | None:
    contact = ports.repository.get(Contact, contact_id=voucher.contact_id)
    holder = holder_of(ports, voucher)
    if contact is None or holder is None:
        return None
    campaign = current_campaign(ports, voucher.campaign)
    if objects_to_all(ports, campaign, holder):
        return None
    return Ground(voucher, holder, contact, campaign)


def _was_mailed(ports: Ports, voucher: Voucher) -> bool:
    """Whether its code was mailed; a mail of which that is not known yet counts as one."""
    mail = ports.repository.get(Mail, mail_id=mails.voucher_mail(voucher.voucher_id))
    return mail is not None and mail.state in {MailState.SENT, MailState.LEASED}


def _has_consented(ports: Ports, ground: Ground) -> bool:
    digests = digests_of_holder(ground.holder)
    known = consents_of(ports, ground.campaign, [own_digest(digests), *digests.known_to_client])
    word = latest_word(known)
    return word is not None and word.state is ConsentState.GIVEN
