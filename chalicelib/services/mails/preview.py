"""The mail that an invitation would send, shown to its sponsor before: nothing is sent or stored.

It is rendered by the code of the real one, without tokens: its links lead to no invitation.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.first_names import FirstNameError, require_not_the_brand
from chalicelib.domain.people import Session
from chalicelib.mails.contexts import InvitationMail, Logo
from chalicelib.mails.render import render
from chalicelib.services.errors import FieldProblem, InvalidError, UnauthorisedError
from chalicelib.services.lookups import campaign_with_channel, sponsor_contact
from chalicelib.services.mails.campaign_texts import campaign_texts, offer_mail
from chalicelib.services.mails.draft import Sender
from chalicelib.services.ports import Ports


@dataclass(frozen=True)
class Preview:
    """A mail as its reader will see it. Its logo is at the pages' address, not in the mail."""

    locale: str
    sender_name: str
    sender: str
    subject: str
    text: str
    html: str


def preview_invitation(
    ports: Ports, sender: Sender, session: Session, locale: str | None, first_name: str | None
) -> Preview:
    """The mail to somebody of that first name, in `locale` or else the sponsor's language.

    `ClosedError`; `InvalidError` where the sponsor has no name yet, or the other is the brand's.
    """
    campaign = campaign_with_channel(ports, session.campaign, "email")
    contact = sponsor_contact(ports, session.sponsor_id)
    if contact is None:
        raise UnauthorisedError("session")
    if contact.first_name is None:
        raise InvalidError([FieldProblem("sponsor", "missing")])
    _require_greetable(campaign, first_name)
    chosen = locale or contact.locale
    picture = campaign.picture(campaign.brand.logo_for_mails)
    logo = Logo(png=b"", width=picture.width, height=picture.height) if picture else None
    mail = offer_mail(
        InvitationMail,
        campaign_texts(campaign, sender.origin, logo),
        campaign,
        origin=sender.origin,
        locale=chosen,
        sponsor_name=contact.first_name,
        first_name=first_name,
        closes_at=campaign.closes_at(ports.clock()),
        token=None,
        unsubscribe_link=f"{sender.origin}/unsubscribe/?campaign={campaign.id}",
    )
    rendered = render(mail, chosen)
    html = rendered.html
    if picture:
        html = html.replace("cid:logo", f"/{picture.path(campaign.id)}")
    name = campaign.brand.name
    return Preview(rendered.locale, name, sender.address, rendered.subject, rendered.text, html)


def _require_greetable(campaign: Campaign, first_name: str | None) -> None:
    try:
        require_not_the_brand(first_name or "", campaign.brand.name)
    except FirstNameError as error:
        raise InvalidError([FieldProblem("first_name", error.reason)]) from error
