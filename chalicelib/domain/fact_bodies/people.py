"""Facts about sponsors and referees: sign-ins, invitations, referrals, oppositions."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.eligibility import ELIGIBLE, REFUSED, Reason, Verdict
from chalicelib.domain.facts import FactBody, FactName
from chalicelib.domain.invitations import Channel, ClosingReason, Invitation
from chalicelib.domain.mailed_links import StopReason
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import OppositionScope
from chalicelib.domain.referrals import Referral
from chalicelib.domain.sign_ins import SignInReason


@dataclass(frozen=True, kw_only=True)
class SignInRequested(FactBody, name=FactName.SIGN_IN_REQUESTED):
    """Somebody entered an address on the landing page."""

    contact_id: str


@dataclass(frozen=True, kw_only=True)
class SignInGranted(FactBody, name=FactName.SIGN_IN_GRANTED):
    """The address is a VIP's. `is_first`: she has not been a sponsor of the campaign before."""

    contact_id: str
    sponsor_id: str
    is_first: bool = False
    verdict: Verdict | None = None
    reason: SignInReason = SignInReason.ON_VIP_LIST
    list_version: int | None = None


@dataclass(frozen=True, kw_only=True)
class SignInRefused(FactBody, name=FactName.SIGN_IN_REFUSED):
    """The address is not a VIP's, no link may be mailed to her now, or no list was available."""

    verdict: Verdict | None = None
    reason: SignInReason
    list_version: int | None = None


@dataclass(frozen=True, kw_only=True)
class SignInsStopped(FactBody, name=FactName.SIGN_INS_STOPPED):
    """No sign-in link is mailed to a sponsor for some time, as she wished."""

    sponsor_id: str
    reason: StopReason


@dataclass(frozen=True, kw_only=True)
class SignInsResumed(FactBody, name=FactName.SIGN_INS_RESUMED):
    """A sponsor lets sign-in links through again."""

    sponsor_id: str


@dataclass(frozen=True, kw_only=True)
class _InvitationBody(FactBody):
    sponsor_id: str
    invitation_id: str


@dataclass(frozen=True, kw_only=True)
class InvitationReceived(_InvitationBody, name=FactName.INVITATION_RECEIVED):
    """A sponsor invited somebody, or somebody signed up by a sponsor's link. `is_first`: she has
    not invited anybody by e-mail before, and nobody has confirmed by her link.
    """

    channel: Channel
    campaign_version: int
    is_first: bool = False

    @classmethod
    def of(cls, invitation: Invitation, *, is_first: bool = False) -> InvitationReceived:
        return cls(
            **_about(invitation),
            channel=invitation.channel,
            campaign_version=invitation.campaign_version,
            is_first=is_first,
        )


@dataclass(frozen=True, kw_only=True)
class _InvitationDecided(_InvitationBody):
    verdict: Verdict | None = None
    reason: Reason
    channel: Channel
    campaign_version: int
    customers_version: int | None = None
    vips_version: int | None = None


@dataclass(frozen=True, kw_only=True)
class InvitationAccepted(_InvitationDecided, name=FactName.INVITATION_ACCEPTED):
    """The referee may be invited."""


@dataclass(frozen=True, kw_only=True)
class InvitationRefused(_InvitationDecided, name=FactName.INVITATION_REFUSED):
    """The referee may not be invited."""


def invitation_decided(invitation: Invitation) -> InvitationAccepted | InvitationRefused:
    """The body for a decided invitation. `ValueError` for an undecided one."""
    decision = invitation.decision
    if decision is None:
        raise ValueError("an invitation without a decision")
    kind = InvitationAccepted if decision.reason is Reason.ELIGIBLE else InvitationRefused
    return kind(
        **_about(invitation),
        verdict=decision.verdict,
        reason=decision.reason,
        channel=invitation.channel,
        campaign_version=decision.campaign_version,
        customers_version=decision.customers_version,
        vips_version=decision.vips_version,
    )


@dataclass(frozen=True, kw_only=True)
class InvitationSent(_InvitationBody, name=FactName.INVITATION_SENT):
    """Its mail was sent."""

    mail_id: str
    kind: str

    @classmethod
    def of(cls, invitation: Invitation, mail: Mail) -> InvitationSent:
        return cls(**_about(invitation), mail_id=mail.mail_id, kind=mail.mail_kind)


@dataclass(frozen=True, kw_only=True)
class InvitationDeclined(_InvitationBody, name=FactName.INVITATION_DECLINED):
    """The referee said no, opposed, or complained about the mail."""

    mail_id: str | None = None

    @classmethod
    def of(cls, invitation: Invitation, mail_id: str | None = None) -> InvitationDeclined:
        return cls(**_about(invitation), mail_id=mail_id)


@dataclass(frozen=True, kw_only=True)
class InvitationBounced(_InvitationBody, name=FactName.INVITATION_BOUNCED):
    """Its mail could not be delivered; `reason` is the sender's, where it refused the mail."""

    mail_id: str
    reason: str | None = None

    @classmethod
    def of(cls, invitation: Invitation, mail: Mail, reason: str | None = None) -> InvitationBounced:
        return cls(**_about(invitation), mail_id=mail.mail_id, reason=reason)


@dataclass(frozen=True, kw_only=True)
class InvitationExpired(_InvitationBody, name=FactName.INVITATION_EXPIRED):
    """It closed without an answer, with a campaign that ended early, or because the referee has
    become a customer.
    """

    verdict: Verdict | None = None
    reason: ClosingReason
    customers_version: int | None = None
    found_on_later_list: bool = False

    @classmethod
    def unanswered(cls, invitation: Invitation, reason: ClosingReason) -> InvitationExpired:
        return cls(
            sponsor_id=invitation.sponsor_id,
            invitation_id=invitation.invitation_id,
            reason=reason,
        )

    @classmethod
    def became_customer(cls, invitation: Invitation, customers_version: int) -> InvitationExpired:
        return cls(
            sponsor_id=invitation.sponsor_id,
            invitation_id=invitation.invitation_id,
            verdict=REFUSED,
            reason=ClosingReason.BECAME_CUSTOMER,
            customers_version=customers_version,
            found_on_later_list=True,
        )


def _about(invitation: Invitation) -> dict[str, str]:
    return {"sponsor_id": invitation.sponsor_id, "invitation_id": invitation.invitation_id}


@dataclass(frozen=True, kw_only=True)
class ReferralConfirmed(_InvitationBody, name=FactName.REFERRAL_CONFIRMED):
    """The referee confirmed: the referral exists. `waited_s`: since the mail left. `is_first`: by
    a link, and the first of whom the sponsor brought in. What is None is so in earlier facts.
    """

    referral_id: str
    campaign_version: int
    customers_version: int
    verdict: Verdict | None = None
    marketing_consent: bool
    terms_version: str
    channel: Channel | None = None
    waited_s: int | None = None
    is_first: bool = False

    @classmethod
    def of(
        cls, referral: Referral, invitation: Invitation, *, is_first: bool = False
    ) -> ReferralConfirmed:
        sent_at = invitation.sent_at
        return cls(
            channel=invitation.channel,
            waited_s=int((referral.confirmed_at - sent_at).total_seconds()) if sent_at else None,
            is_first=is_first,
            sponsor_id=referral.sponsor_id,
            invitation_id=referral.invitation_id,
            referral_id=referral.referral_id,
            campaign_version=referral.campaign_version,
            customers_version=referral.customers_version,
            verdict=ELIGIBLE,
            marketing_consent=referral.marketing_consent,
            terms_version=referral.terms_version,
        )


@dataclass(frozen=True, kw_only=True)
class OppositionRecorded(FactBody, name=FactName.OPPOSITION_RECORDED):
    """Somebody does not want the brand's invitations and news, or none of its mails."""

    sponsor_id: str | None = None
    scope: OppositionScope = OppositionScope.INVITATIONS


@dataclass(frozen=True, kw_only=True)
class LinkRenewed(FactBody, name=FactName.LINK_RENEWED):
    """A sponsor asked for a new link: the one before ended."""

    sponsor_id: str


@dataclass(frozen=True, kw_only=True)
class PersonErased(FactBody, name=FactName.PERSON_ERASED):
    """Somebody was forgotten: a sponsor, or who was invited, with the referral if there is one."""

    sponsor_id: str
    invitation_id: str | None = None
    referral_id: str | None = None
