"""A campaign as an answer: brand, benefits, words, terms. What the public pages are made of."""

from __future__ import annotations

from chalicelib.api import campaign_models
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.promises import Promise
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.campaign.wording import share_message
from chalicelib.domain.money import decimal_text


def brand(campaign: Campaign) -> campaign_models.BrandAnswer:
    """Whose programme it is, and what of it pages show."""
    shown = campaign.brand
    return campaign_models.BrandAnswer(
        name=shown.name,
        colour=shown.colour,
        contact=shown.contact,
        logo=_picture(campaign, shown.logo),
        picture=_picture(campaign, shown.picture),
        shop_url=shown.shop_url,
        support_url=shown.support_url,
        legal=campaign_models.LegalAnswer(**shown.legal.model_dump()) if shown.legal else None,
    )


def _picture(campaign: Campaign, name: str | None) -> campaign_models.PictureAnswer | None:
    picture = campaign.picture(name)
    if picture is None:
        return None
    return campaign_models.PictureAnswer(
        path=f"/{picture.path(campaign.id)}", width=picture.width, height=picture.height
    )


def terms(campaign: Campaign) -> campaign_models.TermsAnswer:
    """The terms in force."""
    return campaign_models.TermsAnswer(version=campaign.terms.version, url=campaign.terms.url)


def controller(campaign: Campaign) -> campaign_models.ControllerAnswer | None:
    """Who is responsible for the addresses; None in campaigns of earlier versions."""
    responsible = campaign.controller
    if responsible is None:
        return None
    return campaign_models.ControllerAnswer(name=responsible.name, address=responsible.address)


def privacy(campaign: Campaign) -> campaign_models.PrivacyAnswer | None:
    """The privacy notice; None in campaigns of earlier versions."""
    return (
        campaign_models.PrivacyAnswer(**campaign.privacy.model_dump()) if campaign.privacy else None
    )


def campaign_answer(campaign: Campaign, *, is_open: bool) -> campaign_models.CampaignAnswer:
    """All that the pages need of a campaign."""
    return campaign_models.CampaignAnswer(
        campaign=campaign.id,
        version=campaign.version,
        brand=brand(campaign),
        title=campaign.title,
        offer=campaign.offer_to(HolderRole.REFEREE),
        sponsor_offer=campaign.offer_to(HolderRole.SPONSOR),
        benefits=campaign_models.BenefitsAnswer(
            sponsor=_benefits(campaign, HolderRole.SPONSOR),
            referee=_benefits(campaign, HolderRole.REFEREE),
        ),
        share=share_message(campaign),
        use=_use(campaign),
        release=campaign.release.value,
        acknowledge_within=campaign.acknowledge_within,
        channels=list(campaign.channels),
        locales=list(campaign.locales),
        starts_on=campaign.starts_on.isoformat(),
        ends_on=campaign.ends_on.isoformat(),
        open=is_open,
        terms=terms(campaign),
        controller=controller(campaign),
        privacy=privacy(campaign),
        currency=campaign.currency,
        time_zone=campaign.time_zone,
    )


def _benefits(campaign: Campaign, role: HolderRole) -> list[campaign_models.BenefitAnswer]:
    return [_benefit(promise) for promise in campaign.promises(role)]


def _benefit(promise: Promise) -> campaign_models.BenefitAnswer:
    return campaign_models.BenefitAnswer(
        value=decimal_text(promise.value_minor),
        minimum_basket=decimal_text(promise.minimum_basket_minor),
        valid_days=promise.valid_days,
        template=promise.template,
        when=campaign_models.WhenAnswer(
            trigger=promise.when.value,
            order=promise.order,
            minimum_amount=decimal_text(promise.least_order_minor),
        ),
    )


def _use(campaign: Campaign) -> dict[str, campaign_models.UseAnswer]:
    return {
        name: campaign_models.UseAnswer(
            online=template.use.online,
            shop=template.use.shop,
            symbology=template.use.symbology.value if template.use.symbology else None,
            how=template.use.how or {},
        )
        for name, template in campaign.templates.items()
        if template.use
    }
