"""The steps all use cases share: load what must be there, write down what happened, try again on
conflict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import ParamSpec, TypeVar

from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.campaign import Campaign
from chalicelib.domain.facts import FactName, fact
from chalicelib.domain.model import (
    CampaignInForce,
    CampaignVersion,
    Fact,
    Invitation,
    Mail,
    Opposition,
    RefereeClaim,
    Referral,
    SponsorClaim,
    Voucher,
)
from chalicelib.services.errors import ClosedError, UnknownError
from chalicelib.services.ports import CommandPorts, ConflictError, ContentionError, Ports, Topic

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
    ports: CommandPorts,
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
    """The digests of an address under every key the campaign names, in its order, and under our
    own, by which it is found whatever the client's keys become.
    """
    keys = [*ports.keys.in_force(campaign.digests), ports.keys.own()]
    return AddressDigests.of(address, keys)


def referee_of(ports: Ports, referral: Referral) -> AddressDigests:
    """The referee's digests, each with its algorithm, as lists are asked with them.

    0.1.0 did not keep which algorithm made them: the version of the campaign file that was in force
    says so. Without one they stay as they are, and no list will answer.
    """
    if all(pair.algorithm for pair in referral.referee.pairs):
        return referral.referee
    version = ports.repository.get(
        CampaignVersion, campaign=referral.campaign, version=referral.campaign_version
    )
    if version is None:
        return referral.referee
    hmac = version.document.digests.algorithm == "hmac-sha256"
    return referral.referee.made_by("hmac_sha256" if hmac else "sha256")


def claim_on(ports: Ports, campaign: str, digest: str) -> RefereeClaim | None:
    """The one invitation that has the referee with this digest in the campaign."""
    return ports.repository.get(RefereeClaim, campaign=campaign, digest=digest)


def claims_on(ports: Ports, campaign: str, digests: Iterable[str]) -> list[RefereeClaim]:
    """The claims on a referee in the campaign, one for each of the digests that is claimed."""
    keys = [{"campaign": campaign, "digest": digest} for digest in digests]
    return ports.repository.get_many(RefereeClaim, keys)


def sponsor_claims_on(ports: Ports, campaign: str, digests: Iterable[str]) -> list[SponsorClaim]:
    """The claims of a sponsor in the campaign, one for each of the digests that is claimed."""
    keys = [{"campaign": campaign, "digest": digest} for digest in digests]
    return ports.repository.get_many(SponsorClaim, keys)


def oppositions_to(ports: Ports, brand: str, digests: Iterable[str]) -> list[Opposition]:
    """A person's oppositions to a brand, one for each of the digests it is recorded under."""
    keys = [{"brand": brand, "digest": digest} for digest in digests]
    return ports.repository.get_many(Opposition, keys)
