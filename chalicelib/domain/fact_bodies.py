"""What each fact says, as a typed body: made from the entities it is about, matched by consumers.

    facts=[voucher_fact(ports, voucher, VoucherIssued.of(voucher, reward))]      made
    match body_of(fact): case VoucherIssued(referral_id=…, rule=…): …            read

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
    """What happened, when only `kind` can have: work that was queued for another is `TypeError`."""
    body = body_of(fact)
    if not isinstance(body, kind):
        raise TypeError(f"{fact.name} is no {kind.__name__}")
    return body


@dataclass(frozen=True, kw_only=True)
class CampaignPut(FactBody, name=FactName.CAMPAIGN_PUT):
    """A new version of the campaign file decides from now on."""

    version: int


# --- sign-ins -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SignInRequested(FactBody, name=FactName.SIGN_IN_REQUESTED):
    """Somebody gave an address on the landing page."""

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
    """The address is not a VIP's, or has had its mails of the day, or no list could say."""

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
    """A sponsor invited somebody, or somebody came by a sponsor's link."""

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
    """What its decision came to. `ValueError` for an invitation that was not decided."""
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
    """Its mail has left."""

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
    """Its mail reached nobody; `reason` is the sender's word, where it refused the mail."""

    mail_id: str
    reason: str | None = None

    @classmethod
    def of(cls, invitation: Invitation, mail: Mail, reason: str | None = None) -> InvitationBounced:
        return cls(**_about(invitation), mail_id=mail.mail_id, reason=reason)


@dataclass(frozen=True, kw_only=True)
class InvitationExpired(_InvitationBody, name=FactName.INVITATION_EXPIRED):
    """It closed unanswered, or because the referee has become a customer."""

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
    """The referee said yes: the referral is made."""

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
    """Somebody wants no more mails of the brand."""

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
    """A rule granted a voucher. `rung` 0 is the confirmation; `has_order`: an order earned it."""

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
class _VoucherSettled(_VoucherBody):
    rule: str
    rung: int
    release: Release
    export: int | None = None


@dataclass(frozen=True, kw_only=True)
class VoucherAcknowledged(_VoucherSettled, name=FactName.VOUCHER_ACKNOWLEDGED):
    """The client knows the voucher."""


@dataclass(frozen=True, kw_only=True)
class VoucherRefused(_VoucherSettled, name=FactName.VOUCHER_REFUSED):
    """The client does not take the voucher."""


def voucher_settled(voucher: Voucher) -> VoucherAcknowledged | VoucherRefused:
    """What the client's acknowledgement said of a voucher."""
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
    """The file of an export, of `count` rows, stands in `out/`."""

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
    """A referee ordered."""


@dataclass(frozen=True, kw_only=True)
class OrderKept(_OrderBody, name=FactName.ORDER_KEPT):
    """An order counts for the ladder: the client said so, or its return window has passed."""


@dataclass(frozen=True, kw_only=True)
class OrderReturned(_OrderBody, name=FactName.ORDER_RETURNED):
    """An order was sent back."""


@dataclass(frozen=True, kw_only=True)
class OrderCancelled(_OrderBody, name=FactName.ORDER_CANCELLED):
    """An order was cancelled."""


def order_moved(order: Order, referral: Referral) -> FactBody:
    """What the status of an order says has happened."""
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
    """A rule would have granted something, were it not for `reason`."""

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
    """A granted voucher was revoked. `reason`: the name of a fact, or a rollback."""

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
    """A new version of a list decides from now on."""

    mode: str = "full"
    version: int
    rows: int
    base_version: int | None = None
    approved_by: str | None = stored_as("released_by", default=None)


@dataclass(frozen=True, kw_only=True)
class ListConfirmed(_ListBody, name=FactName.LIST_CONFIRMED):
    """The list that decides was dropped again: it is as young as that drop."""

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
    """What a held list is, and what ops said of it."""

    mode: str
    reason: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ListHeld(ListReview, name=FactName.LIST_HELD):
    """A limit stopped a dropped list until ops decide on it."""


@dataclass(frozen=True, kw_only=True)
class ListApproved(ListReview, name=FactName.LIST_APPROVED):
    """Ops let a held list through; `by` is an AWS principal."""

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


def _carried(mail: Mail) -> dict[str, str]:
    """The mail's id, and those of what it carries."""
    return {"mail_id": mail.mail_id, **{f"{name}_id": value for name, value in mail.ids.items()}}


@dataclass(frozen=True, kw_only=True)
class MailSent(_MailBody, name=FactName.MAIL_SENT):
    """A mail has left."""

    kind: str

    @classmethod
    def of(cls, mail: Mail) -> MailSent:
        return cls(**_carried(mail), kind=mail.mail_kind)


@dataclass(frozen=True, kw_only=True)
class MailFailed(_MailBody, name=FactName.MAIL_FAILED):
    """The sender refused a mail for good; `reason` is its word."""

    reason: str

    @classmethod
    def of(cls, mail: Mail, reason: str) -> MailFailed:
        return cls(**_carried(mail), reason=reason)


@dataclass(frozen=True, kw_only=True)
class MailComplained(_MailBody, name=FactName.MAIL_COMPLAINED):
    """The person it went to marked a mail as unwanted."""

    @classmethod
    def of(cls, mail: Mail) -> MailComplained:
        return cls(**_carried(mail))
