"""What a sponsor sees: their link, the quota left, their invitations and vouchers.

Refused, unanswered, declined and bounced invitations look alike and close on the same day. A
voucher's code is shown once its mail may be sent, so never before the tills may know it. A voucher
that the client refused is shown as being prepared until another one replaces it, and then the other
one alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import Release
from chalicelib.domain.invitations import Invitation, is_shown_to_sponsor, within_campaign
from chalicelib.domain.people import Contact, Session, Sponsor
from chalicelib.domain.vouchers import (
    Voucher,
    VoucherState,
    awaits_replacement,
)
from chalicelib.services.errors import UnauthorisedError
from chalicelib.services.lookups import current_campaign
from chalicelib.services.ports import Ports

VoucherView = Literal["preparing", "available", "redeemed", "ended"]


@dataclass(frozen=True)
class SponsorSpace:
    """The whole space, invitations and vouchers newest first."""

    campaign: Campaign
    sponsor: Sponsor
    first_name: str | None
    invitations: tuple[Invitation, ...]
    vouchers: tuple[Voucher, ...]

    @property
    def invitations_left(self) -> int:
        """How many more the sponsor may send."""
        return max(0, self.campaign.quotas.invitations_per_sponsor - self.sponsor.invited)


def view_sponsor_space(ports: Ports, session: Session) -> SponsorSpace:
    """The sponsor's space. `UnauthorisedError` when the sponsor is erased."""
    sponsor = ports.repository.get(Sponsor, sponsor_id=session.sponsor_id)
    if sponsor is None:
        raise UnauthorisedError("session")
    contact = ports.repository.get(Contact, contact_id=sponsor.contact_id)
    campaign = current_campaign(ports, session.campaign)
    invitations = (
        within_campaign(campaign, invitation)
        for invitation in ports.repository.within(Invitation, sponsor_id=sponsor.sponsor_id)
        if is_shown_to_sponsor(invitation)
    )
    held = ports.repository.held_by(sponsor.sponsor_id)
    vouchers = (voucher for voucher in held if voucher.replaced_by is None)
    return SponsorSpace(
        campaign=campaign,
        sponsor=sponsor,
        first_name=contact.first_name if contact else None,
        invitations=tuple(sorted(invitations, key=lambda i: i.received_at, reverse=True)),
        vouchers=tuple(sorted(vouchers, key=lambda v: v.issued_at, reverse=True)),
    )


def voucher_view(voucher: Voucher) -> VoucherView:
    """The state of a voucher as shown to its holder."""
    if voucher.state is VoucherState.REDEEMED:
        return "redeemed"
    if voucher.state in {VoucherState.EXPIRED, VoucherState.REVOKED}:
        return "ended"
    if awaits_replacement(voucher):
        return "preparing"
    released = voucher.release is Release.AT_ONCE or voucher.acknowledged_at is not None
    return "available" if released else "preparing"
