"""What every mail has of its campaign: brand, logo, notice, and what its rules grant."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.campaign.brand import Legal
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.mails.contexts import (
    CampaignTexts,
    InvitationMail,
    Logo,
    PrivacyNotice,
    SignUpMail,
)
from chalicelib.services.mails.draft import Sender
from chalicelib.services.pictures import logo_of
from chalicelib.services.ports import Ports


def texts_of(ports: Ports, campaign: Campaign, sender: Sender) -> CampaignTexts:
    """The values of a campaign for its mails."""
    return campaign_texts(campaign, sender.origin, logo_of(ports, campaign))


def campaign_texts(campaign: Campaign, origin: str, logo: Logo | None) -> CampaignTexts:
    """The same of any campaign, also of one that is stored nowhere. `origin`: of the pages."""
    brand = campaign.brand
    return CampaignTexts(
        brand_name=brand.name,
        brand_colour=brand.colour,
        title=campaign.title,
        offer=campaign.offer_to(HolderRole.REFEREE),
        sponsor_offer=campaign.offer_to(HolderRole.SPONSOR),
        terms_url=campaign.terms.url,
        contact=brand.contact,
        locales=campaign.locales,
        rights_url=f"{origin}/privacy/?campaign={campaign.id}",
        notice=_notice(campaign),
        currency=campaign.currency,
        for_referee=campaign.promises(HolderRole.REFEREE),
        for_sponsor=campaign.promises(HolderRole.SPONSOR),
        wording=campaign.mails,
        logo=logo,
        shop_url=brand.shop_url,
        support_url=brand.support_url,
        legal=_legal(brand.legal) if brand.legal else None,
        by_link_alone="email" not in campaign.channels,
    )


def offer_mail(
    kind: type[InvitationMail | SignUpMail],
    texts: CampaignTexts,
    campaign: Campaign,
    *,
    origin: str,
    locale: str,
    sponsor_name: str,
    first_name: str | None,
    closes_at: datetime,
    token: str | None,
    unsubscribe_link: str,
) -> InvitationMail | SignUpMail:
    """The mail that offers somebody what the campaign has. Without a `token` it is a preview, whose
    link leads to no invitation.
    """
    page = f"{origin}/referee/?campaign={campaign.id}&lang={locale}"
    return kind(
        campaign=texts,
        first_name=first_name,
        sponsor_name=sponsor_name,
        link=f"{page}#token={token}" if token else page,
        closes_on=campaign.local_date(closes_at),
        unsubscribe_link=unsubscribe_link,
    )


def _legal(legal: Legal) -> str:
    parts = (legal.name, legal.address, legal.registration)
    return " · ".join(part for part in parts if part)


def _notice(campaign: Campaign) -> PrivacyNotice | None:
    if campaign.controller is None or campaign.privacy is None:
        return None  # put by an earlier version
    return PrivacyNotice(
        controller=campaign.controller.name,
        controller_address=campaign.controller.address,
        dpo=campaign.privacy.dpo,
        authority=campaign.privacy.authority,
        url=campaign.privacy.url,
    )
