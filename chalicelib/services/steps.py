"""The steps all use cases share: load what must be there, write down what happened, try again on
conflict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import ParamSpec, TypeVar

from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.campaign import Campaign
from chalicelib.domain.facts import FactName, fact
from chalicelib.domain.model import CampaignInForce, Fact, Invitation, Mail, RefereeClaim, Voucher
from chalicelib.services.errors import ClosedError, UnknownError
from chalicelib.services.ports import ConflictError, ContentionError, Ports, Topic

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 6


def decided_again(use_case: Callable[P, R]) -> Callable[P, R]:
    """Load and decide anew when somebody else committed in between, so no decision rests on old
    state.
    """

    @wraps(use_case)
    def attempted(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(ATTEMPTS):
            try:
                return use_case(*args, **kwargs)
            except ConflictError as error:
                conflict = error
        raise ContentionError(f"{ATTEMPTS} attempts met other commits") from conflict

    return attempted


def happened(
    ports: Ports,
    name: FactName,
    *,
    campaign: str,
    subject: str,
    correlation: str,
    ids: Mapping[str, str] | None = None,
    **details: str | int | None,
) -> Fact:
    """The fact that `name` happened now."""
    return fact(
        name,
        fact_id=ports.codes.identifier(),
        campaign=campaign,
        subject=subject,
        at=ports.clock(),
        correlation=correlation,
        ids=ids,
        **details,
    )


def about_invitation(
    ports: Ports, name: FactName, invitation: Invitation, **details: str | int | None
) -> Fact:
    """The fact that `name` happened to an invitation."""
    return happened(
        ports,
        name,
        campaign=invitation.campaign,
        subject=invitation.invitation_id,
        correlation=invitation.correlation,
        ids={"sponsor": invitation.sponsor_id, "invitation": invitation.invitation_id},
        **details,
    )


def about_voucher(
    ports: Ports, name: FactName, voucher: Voucher, **details: str | int | None
) -> Fact:
    """The fact that `name` happened to a voucher. It holds its id, never its code."""
    return happened(
        ports,
        name,
        campaign=voucher.campaign,
        subject=voucher.voucher_id,
        correlation=voucher.correlation,
        ids={
            "voucher": voucher.voucher_id,
            "referral": voucher.referral_id,
            "holder": voucher.holder_id,
        },
        **details,
    )


def about_mail(ports: Ports, name: FactName, mail: Mail, **details: str | int | None) -> Fact:
    """The fact that `name` happened to a mail, and to the invitation in it if it carries one."""
    return happened(
        ports,
        name,
        campaign=mail.campaign,
        subject=mail.ids.get("invitation", mail.mail_id),
        correlation=mail.correlation,
        ids={**mail.ids, "mail": mail.mail_id},
        **details,
    )


def known_campaign(ports: Ports, campaign_id: str) -> Campaign:
    """The campaign in force; `UnknownError` when there is none."""
    campaign = ports.campaigns.get(campaign_id)
    if campaign is None:
        raise UnknownError("campaign")
    return campaign


def all_campaigns(ports: Ports) -> Iterator[Campaign]:
    """Every campaign in force."""
    for campaign in ports.repository.agenda(CampaignInForce, Topic.CAMPAIGNS):
        yield campaign.document


def open_campaign(ports: Ports, campaign_id: str) -> Campaign:
    """The campaign in force, open now; `UnknownError`, `ClosedError`."""
    campaign = known_campaign(ports, campaign_id)
    if not campaign.is_open(ports.clock()):
        raise ClosedError("campaign")
    return campaign


def digests_of(ports: Ports, campaign: Campaign, address: str) -> AddressDigests:
    """The digests of an address under every key the campaign names."""
    return AddressDigests.of(address, ports.keys.in_force(campaign.digests))


def claim_on(ports: Ports, campaign: str, digest: str) -> RefereeClaim | None:
    """The one invitation that has the referee with this digest in the campaign."""
    return ports.repository.get(RefereeClaim, campaign=campaign, digest=digest)
