"""The content of each fact as a typed body, made from the entities it is about.

    facts=[voucher_fact(ports, voucher, VoucherIssued.of(voucher, reward))]      writing
    match body_of(fact): case VoucherIssued(referral_id=…, rule=…): …            reading

How a body is stored is in `facts.py`. A field added later has a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from chalicelib.domain.campaign.rules import HolderRole, Release
from chalicelib.domain.eligibility import Reason, Verdict
from chalicelib.domain.facts import BODIES, Fact, FactBody, FactName, stored_as
from chalicelib.domain.invitations import Channel, ClosingReason, Invitation
from chalicelib.domain.mails import Mail
from chalicelib.domain.orders import Order, OrderStatus
from chalicelib.domain.referrals import Referral
from chalicelib.domain.rewards import Reward, RewardRefusal
from chalicelib.domain.sign_ins import SignInReason
from chalicelib.domain.vouchers import Voucher

B = TypeVar("B", bound=FactBody)


class UnknownFactError(LookupError):
    """A stored fact whose name this version does not know."""


def body_of(fact: Fact) -> FactBody:
    """What happened, typed. `UnknownFactError` for a name that this version does not know."""
    if fact.name not in BODIES:
        raise UnknownFactError(fact.name)
    return BODIES[FactName(fact.name)].from_stored(fact.ids, fact.details)


def body_as(fact: Fact, kind: type[B]) -> B:
    """The body of `fact`, which must be of `kind`: `TypeError` for any other."""
    body = body_of(fact)
    if not isinstance(body, kind):
        raise TypeError(f"{fact.name} is not a {kind.__name__}")
    return body


@dataclass(frozen=True, kw_only=True)
class CampaignPut(FactBody, name=FactName.CAMPAIGN_PUT):
    """A new version of the campaign file is in force."""

    version: int


# --- sign-ins -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SignInRequested(FactBody, name=FactName.SIGN_IN_REQUESTED):
    """Somebody entered an address on the landing page."""

    contact_id: str


@dataclass(frozen=True, kw_only=True)
class SignInGranted(FactBody, name=FactName.SIGN_IN_GRANTED):
    """The address is a VIP's."""

    contact_id: str
    sponsor_id: str
    verdict: Verdict | None = None
    reason: SignInReason = SignInReason.ON_VIP_LIST
    list_version: int | None = None


@dataclass(frozen=True, kw_only=True)
class SignInRefused(FactBody, name=FactName.SIGN_IN_REFUSED):
    """The address is not a VIP's, or had its mails for the day, or no list was available."""

    verdict: Verdict | None = None
    reason: SignInReason
    list_version: int | None = None


# --- invitations and referrals --------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _InvitationBody(FactBody):
    sponsor_id: str
    invitation_id: str


@dataclass(frozen=True, kw_only=True)
class InvitationReceived(_InvitationBody, name=FactName.INVITATION_RECEIVED):
    """A sponsor invited somebody, or somebody signed up by a sponsor's link."""

    channel: Channel
    campaign_version: int

    @classmethod
    def of(cls, invitation: Invitation) -> InvitationReceived:
        return cls(
            **_about(invitation),
            channel=invitation.channel,
            campaign_version=invitation.campaign_version,
        )


@dataclass(frozen=True, kw_only=True)
class _InvitationDecided(_InvitationBody):
    verdict: Verdict | None = None
    reason: Reason
    channel: Channel
    campaign_version: int
    customers_version: int | None = None


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
    """It closed without an answer, or because the referee has become a customer."""

    verdict: Verdict | None = None
    reason: ClosingReason
    customers_version: int | None = None
    found_on_later_list: bool = False

    @classmethod
    def unanswered(cls, invitation: Invitation) -> InvitationExpired:
        return cls(
            sponsor_id=invitation.sponsor_id,
            invitation_id=invitation.invitation_id,
            reason=ClosingReason.UNANSWERED,
        )

    @classmethod
    def became_customer(cls, invitation: Invitation, customers_version: int) -> InvitationExpired:
        return cls(
            sponsor_id=invitation.sponsor_id,
            invitation_id=invitation.invitation_id,
            verdict="refused",
            reason=ClosingReason.BECAME_CUSTOMER,
            customers_version=customers_version,
            found_on_later_list=True,
        )


def _about(invitation: Invitation) -> dict[str, str]:
    return {"sponsor_id": invitation.sponsor_id, "invitation_id": invitation.invitation_id}


@dataclass(frozen=True, kw_only=True)
class ReferralConfirmed(_InvitationBody, name=FactName.REFERRAL_CONFIRMED):
    """The referee confirmed: the referral exists."""

    referral_id: str
    campaign_version: int
    customers_version: int
    verdict: Verdict | None = None
    marketing_consent: bool
    terms_version: str

    @classmethod
    def of(cls, referral: Referral) -> ReferralConfirmed:
        return cls(
            sponsor_id=referral.sponsor_id,
            invitation_id=referral.invitation_id,
            referral_id=referral.referral_id,
            campaign_version=referral.campaign_version,
            customers_version=referral.customers_version,
            verdict="eligible",
            marketing_consent=referral.marketing_consent,
            terms_version=referral.terms_version,
        )


@dataclass(frozen=True, kw_only=True)
class OppositionRecorded(FactBody, name=FactName.OPPOSITION_RECORDED):
    """Somebody does not want the brand's mails."""

    sponsor_id: str


# --- vouchers, exports, orders, rewards -----------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _VoucherBody(FactBody):
    voucher_id: str
    referral_id: str
    holder_id: str


def _of(voucher: Voucher) -> dict[str, str]:
    return {
        "voucher_id": voucher.voucher_id,
        "referral_id": voucher.referral_id,
        "holder_id": voucher.holder_id,
    }


@dataclass(frozen=True, kw_only=True)
class VoucherIssued(_VoucherBody, name=FactName.VOUCHER_ISSUED):
    """A rule granted a voucher. `rung` 0 is the confirmation; `has_order`: for an order."""

    template: str
    holder: HolderRole
    rule: str
    rung: int
    value_minor: int
    release: Release
    has_order: bool = stored_as("order", default=False)
    campaign_version: int
    customers_version: int | None = None

    @classmethod
    def of(cls, voucher: Voucher, granted: Reward) -> VoucherIssued:
        return cls(
            **_of(voucher),
            template=voucher.template,
            holder=voucher.holder,
            rule=voucher.rule,
            rung=voucher.rung,
            value_minor=voucher.value_minor,
            release=voucher.release,
            has_order=granted.order_id is not None,
            campaign_version=voucher.campaign_version,
            customers_version=granted.customers_version,
        )


@dataclass(frozen=True, kw_only=True)
class _VoucherAnswered(_VoucherBody):
    rule: str
    rung: int
    release: Release
    export: int | None = None


@dataclass(frozen=True, kw_only=True)
class VoucherAcknowledged(_VoucherAnswered, name=FactName.VOUCHER_ACKNOWLEDGED):
    """The client has loaded the voucher."""


@dataclass(frozen=True, kw_only=True)
class VoucherRefused(_VoucherAnswered, name=FactName.VOUCHER_REFUSED):
    """The client refused the voucher."""


def voucher_answered(voucher: Voucher) -> VoucherAcknowledged | VoucherRefused:
    """The body for a voucher that the client acknowledged or refused."""
    kind = VoucherAcknowledged if voucher.refused_reason is None else VoucherRefused
    return kind(
        **_of(voucher),
        rule=voucher.rule,
        rung=voucher.rung,
        release=voucher.release,
        export=voucher.export,
    )


@dataclass(frozen=True, kw_only=True)
class _VoucherUse(_VoucherBody):
    template: str
    holder: HolderRole


@dataclass(frozen=True, kw_only=True)
class VoucherRedeemed(_VoucherUse, name=FactName.VOUCHER_REDEEMED):
    """The voucher was used on an order."""

    @classmethod
    def of(cls, voucher: Voucher) -> VoucherRedeemed:
        return cls(**_of(voucher), template=voucher.template, holder=voucher.holder)


@dataclass(frozen=True, kw_only=True)
class VoucherRolledBack(_VoucherUse, name=FactName.VOUCHER_ROLLED_BACK):
    """Its use was reversed."""

    @classmethod
    def of(cls, voucher: Voucher) -> VoucherRolledBack:
        return cls(**_of(voucher), template=voucher.template, holder=voucher.holder)


@dataclass(frozen=True, kw_only=True)
class VoucherExpired(_VoucherBody, name=FactName.VOUCHER_EXPIRED):
    """Its last day has passed, unused."""

    template: str

    @classmethod
    def of(cls, voucher: Voucher) -> VoucherExpired:
        return cls(**_of(voucher), template=voucher.template)


@dataclass(frozen=True, kw_only=True)
class VouchersExported(FactBody, name=FactName.VOUCHERS_EXPORTED):
    """`count` vouchers became part of an export."""

    export: int
    count: int


@dataclass(frozen=True, kw_only=True)
class ExportWritten(FactBody, name=FactName.EXPORT_WRITTEN):
    """The file of an export, of `count` rows, was written to `out/`."""

    export: int
    count: int


@dataclass(frozen=True, kw_only=True)
class _OrderBody(FactBody):
    order_id: str
    referral_id: str
    sponsor_id: str
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class OrderPlaced(_OrderBody, name=FactName.ORDER_PLACED):
    """A referee placed an order."""


@dataclass(frozen=True, kw_only=True)
class OrderKept(_OrderBody, name=FactName.ORDER_KEPT):
    """An order counts for the ladder: reported as kept, or its return window has passed."""


@dataclass(frozen=True, kw_only=True)
class OrderReturned(_OrderBody, name=FactName.ORDER_RETURNED):
    """An order was returned."""


@dataclass(frozen=True, kw_only=True)
class OrderCancelled(_OrderBody, name=FactName.ORDER_CANCELLED):
    """An order was cancelled."""


def order_moved(order: Order, referral: Referral) -> FactBody:
    """The body for an order's new status."""
    return _ORDER_BODIES[order.status](
        order_id=order.order_id,
        referral_id=referral.referral_id,
        sponsor_id=referral.sponsor_id,
        amount_minor=order.amount_minor,
    )


_ORDER_BODIES: Mapping[OrderStatus, type[_OrderBody]] = {
    OrderStatus.PLACED: OrderPlaced,
    OrderStatus.KEPT: OrderKept,
    OrderStatus.RETURNED: OrderReturned,
    OrderStatus.CANCELLED: OrderCancelled,
}


@dataclass(frozen=True, kw_only=True)
class RewardRefused(FactBody, name=FactName.REWARD_REFUSED):
    """A rule granted nothing, because of `reason`."""

    referral_id: str
    sponsor_id: str
    rule: str
    rung: int
    verdict: Verdict | None = None
    reason: RewardRefusal
    customers_version: int | None = None
    found_on_later_list: bool = False

    @classmethod
    def of(
        cls,
        refused: Reward,
        referral: Referral,
        reason: RewardRefusal,
        *,
        found_on_later_list: bool,
    ) -> RewardRefused:
        return cls(
            referral_id=referral.referral_id,
            sponsor_id=referral.sponsor_id,
            rule=refused.rule,
            rung=refused.rung,
            verdict="refused",
            reason=reason,
            customers_version=refused.customers_version,
            found_on_later_list=found_on_later_list,
        )


@dataclass(frozen=True, kw_only=True)
class RewardRevoked(_VoucherBody, name=FactName.REWARD_REVOKED):
    """A granted voucher was revoked. `reason`: the name of a fact, or `rolled_back`."""

    rule: str
    rung: int
    reason: str

    @classmethod
    def of(cls, voucher: Voucher, reason: str) -> RewardRevoked:
        return cls(**_of(voucher), rule=voucher.rule, rung=voucher.rung, reason=reason)


# --- lists ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _ListBody(FactBody):
    list_name: str = stored_as("list")


@dataclass(frozen=True, kw_only=True)
class ListAccepted(_ListBody, name=FactName.LIST_ACCEPTED):
    """A new version of a list is in force."""

    mode: str = "full"
    version: int
    rows: int
    base_version: int | None = None
    approved_by: str | None = stored_as("released_by", default=None)


@dataclass(frozen=True, kw_only=True)
class ListConfirmed(_ListBody, name=FactName.LIST_CONFIRMED):
    """The list in force was dropped again: its age counts from that drop."""

    version: int


@dataclass(frozen=True, kw_only=True)
class ListWaits(_ListBody, name=FactName.LIST_WAITS):
    """A drop of digests to add or remove waits for its full list."""

    mode: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class ListRefused(_ListBody, name=FactName.LIST_REFUSED):
    """A dropped list was refused."""

    mode: str = "full"
    reason: str


@dataclass(frozen=True, kw_only=True)
class ListReview(_ListBody):
    """A held list, and what ops decided."""

    mode: str
    reason: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ListHeld(ListReview, name=FactName.LIST_HELD):
    """A dropped list exceeded a limit and waits for ops to decide."""


@dataclass(frozen=True, kw_only=True)
class ListApproved(ListReview, name=FactName.LIST_APPROVED):
    """Ops approved a held list; `by` is an AWS principal."""

    by: str


@dataclass(frozen=True, kw_only=True)
class ListRejected(ListReview, name=FactName.LIST_REJECTED):
    """Ops rejected a held list."""

    by: str


@dataclass(frozen=True, kw_only=True)
class ListRolledBack(_ListBody, name=FactName.LIST_ROLLED_BACK):
    """Ops put the content of an earlier version in force again, as a new version."""

    version: int
    base_version: int
    rows: int
    by: str


# --- mails ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _MailBody(FactBody):
    mail_id: str
    sponsor_id: str | None = None
    invitation_id: str | None = None
    voucher_id: str | None = None


def _mail_ids(mail: Mail) -> dict[str, str]:
    """The mail's id, and the ids of what it is about."""
    return {"mail_id": mail.mail_id, **{f"{name}_id": value for name, value in mail.ids.items()}}


@dataclass(frozen=True, kw_only=True)
class MailSent(_MailBody, name=FactName.MAIL_SENT):
    """A mail was sent."""

    kind: str

    @classmethod
    def of(cls, mail: Mail) -> MailSent:
        return cls(**_mail_ids(mail), kind=mail.mail_kind)


@dataclass(frozen=True, kw_only=True)
class MailFailed(_MailBody, name=FactName.MAIL_FAILED):
    """The sender refused a mail permanently, with this `reason`."""

    reason: str

    @classmethod
    def of(cls, mail: Mail, reason: str) -> MailFailed:
        return cls(**_mail_ids(mail), reason=reason)


@dataclass(frozen=True, kw_only=True)
class MailComplained(_MailBody, name=FactName.MAIL_COMPLAINED):
    """The recipient marked a mail as spam."""

    @classmethod
    def of(cls, mail: Mail) -> MailComplained:
        return cls(**_mail_ids(mail))
