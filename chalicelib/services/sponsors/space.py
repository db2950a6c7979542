"""What a sponsor sees: their link, the quota left, their invitations and vouchers.

Refused, unanswered, declined and bounced invitations look alike and close on the same day. How a
voucher is shown is in `services/voucher_views.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.invitations import Invitation, is_shown_to_sponsor, within_campaign
from chalicelib.domain.people import Contact, Session, Sponsor
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.errors import UnauthorisedError
from chalicelib.services.isolation import raised
from chalicelib.services.lookups import current_campaign, known_sponsor
from chalicelib.services.ports import OnFailure, Ports
from chalicelib.services.voucher_views import shown_vouchers


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


def view_sponsor_space(
    ports: Ports, session: Session, on_failure: OnFailure = raised
) -> SponsorSpace:
    """The sponsor's space. `UnauthorisedError` when the sponsor is erased. An invitation or a
    voucher that cannot be read goes to `on_failure`: the others are shown.
    """
    sponsor = known_sponsor(ports, session.sponsor_id)
    if sponsor is None:
        raise UnauthorisedError("session")
    contact = ports.repository.get(Contact, contact_id=sponsor.contact_id)
    campaign = current_campaign(ports, session.campaign)
    invitations = (
        within_campaign(campaign, invitation)
        for invitation in ports.repository.within(
            Invitation, on_failure, sponsor_id=sponsor.sponsor_id
        )
        if is_shown_to_sponsor(invitation)
    )
    return SponsorSpace(
        campaign=campaign,
        sponsor=sponsor,
        first_name=contact.first_name if contact else None,
        invitations=tuple(sorted(invitations, key=lambda i: i.received_at, reverse=True)),
        vouchers=shown_vouchers(ports, sponsor.sponsor_id, on_failure),
    )
