"""The mails about a voucher: its code, a code in place of another, that it ends soon, that it is
not valid any more; and that a confirmation was received, which comes before the first.

Each follows from one fact and has a key made of what it is about, so it leaves once. Whether there
is still something to say is decided in `services/mail_grounds.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.domain import mails
from chalicelib.domain.benefits import MoneyOff
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import HolderRole, Release, Trigger
from chalicelib.domain.fact_bodies import (
    ReferralConfirmed,
    RewardRevoked,
    VoucherAcknowledged,
    VoucherEndsSoon,
    VoucherIssued,
)
from chalicelib.domain.vouchers import Voucher
from chalicelib.mails.contexts import (
    AnyMail,
    CampaignTexts,
    ConfirmedMail,
    EndsSoonMail,
    ReplacedMail,
    RevokedMail,
    RewardMail,
    VoucherMail,
)
from chalicelib.services.digests import digests_of
from chalicelib.services.mail_grounds import (
    Ground,
    confirmation_ground,
    first_voucher,
    release_ground,
    reminder_ground,
    revocation_ground,
)
from chalicelib.services.mails.campaign_texts import texts_of
from chalicelib.services.mails.draft import Draft, Objection, Sender, objection_of
from chalicelib.services.ports import Ports


def released_voucher(
    ports: Ports, sender: Sender, body: VoucherIssued | VoucherAcknowledged
) -> Draft | None:
    """The mail with a voucher's code."""
    ground = release_ground(ports, body)
    if ground is None:
        return None
    voucher = ground.voucher
    common = _of_voucher(ground)
    is_sponsors = voucher.holder is HolderRole.SPONSOR

    def content(texts: CampaignTexts, link: str) -> AnyMail:
        named = {"campaign": texts, "unsubscribe_link": link, **common}
        # Otherwise the code that it replaces was not mailed: the client had refused it before.
        if voucher.replaces is not None and voucher.release is Release.AT_ONCE:
            return ReplacedMail(is_sponsors=is_sponsors, **named)
        return RewardMail(**named) if is_sponsors else VoucherMail(**named)

    return _draft(ports, sender, ground, mails.voucher_mail(voucher.voucher_id), content)


def voucher_that_ends(ports: Ports, sender: Sender, body: VoucherEndsSoon) -> Draft | None:
    """The mail that says that a voucher ends soon, once."""
    ground = reminder_ground(ports, body)
    if ground is None:
        return None
    common = _of_voucher(ground)
    return _draft(
        ports,
        sender,
        ground,
        mails.ends_soon_mail(ground.voucher.voucher_id),
        lambda texts, link: EndsSoonMail(campaign=texts, unsubscribe_link=link, **common),
    )


def revoked_voucher(ports: Ports, sender: Sender, body: RewardRevoked) -> Draft | None:
    """The mail that says that a voucher is not valid any more, once."""
    ground = revocation_ground(ports, body)
    if ground is None:
        return None
    voucher = ground.voucher
    return _draft(
        ports,
        sender,
        ground,
        mails.revoked_mail(voucher.voucher_id),
        lambda texts, link: RevokedMail(
            campaign=texts,
            first_name=ground.contact.first_name,
            unsubscribe_link=link,
            benefit=voucher.benefit,
            is_sponsors=voucher.holder is HolderRole.SPONSOR,
        ),
    )


def confirmed(ports: Ports, sender: Sender, body: ReferralConfirmed) -> Draft | None:
    """The mail that says that a confirmation was received, once."""
    ground = confirmation_ground(ports, body)
    if ground is None:
        return None
    campaign, contact = ground.campaign, ground.contact
    digests = digests_of(ports, campaign, contact.address)
    objection = Objection(ports.codes.token(), sender.origin)
    waits = first_voucher(campaign)
    return Draft(
        mail_id=mails.confirmed_mail(contact.contact_id),
        contact=contact,
        campaign=campaign,
        content=ConfirmedMail(
            campaign=texts_of(ports, campaign, sender),
            first_name=contact.first_name,
            unsubscribe_link=objection.link,
            waits=MoneyOff(waits, campaign.currency) if waits else None,
        ),
        correlation=ground.referral.correlation,
        digests=digests,
        tokens=(objection_of(ground.referral, objection.text, campaign, digests, ports.clock()),),
        unsubscribe_url=objection.url,
        ids={"referral": ground.referral.referral_id},
    )


def _of_voucher(ground: Ground) -> dict[str, Any]:
    """What every mail with a code says of its voucher."""
    voucher, campaign = ground.voucher, ground.campaign
    template = campaign.templates.get(voucher.template)
    return {
        "first_name": ground.contact.first_name,
        "code": voucher.code,
        "benefit": voucher.benefit,
        "currency": voucher.currency,
        "minimum_basket_minor": voucher.minimum_basket_minor or None,
        "valid_until": campaign.local_date(voucher.valid_until),
        "rung": voucher.rung or None,
        "use": template.use if template else None,
        "next_minor": _next_minor(campaign, voucher),
    }


def _next_minor(campaign: Campaign, voucher: Voucher) -> int | None:
    """What the next order of a referee earns by a rule of its own; None where none says so, or a
    cap may stand in its way.
    """
    following = voucher.rung + 1
    if voucher.holder is not HolderRole.REFEREE or campaign.caps.referee_rewards is not None:
        return None
    for promise in campaign.promises(HolderRole.REFEREE):
        if promise.when is Trigger.ORDER_KEPT and promise.order == following:
            return None if promise.least_order_minor else promise.value_minor
    return None


def _draft(
    ports: Ports,
    sender: Sender,
    ground: Ground,
    mail_id: str,
    content: Callable[[CampaignTexts, str], AnyMail],
) -> Draft:
    campaign, voucher = ground.campaign, ground.voucher
    digests = digests_of(ports, campaign, ground.contact.address)
    objection = Objection(ports.codes.token(), sender.origin)
    return Draft(
        mail_id=mail_id,
        contact=ground.contact,
        campaign=campaign,
        content=content(texts_of(ports, campaign, sender), objection.link),
        correlation=voucher.correlation,
        digests=digests,
        tokens=(objection_of(ground.holder, objection.text, campaign, digests, ports.clock()),),
        unsubscribe_url=objection.url,
        ids={"voucher": voucher.voucher_id},
    )
