"""The content of each fact as a typed body, made from the entities it is about.

    facts=[voucher_fact(ports, voucher, VoucherIssued.of(voucher, reward))]      writing
    match body_of(fact): case VoucherIssued(referral_id=…, rule=…): …            reading

How a body is stored is in `facts.py`. A field added later has a default. This package registers all
bodies, whichever of them is imported.
"""

from __future__ import annotations

from typing import TypeVar

from chalicelib.domain.fact_bodies.accounts import ChangesWritten, StatementWritten
from chalicelib.domain.fact_bodies.consents import (
    ConsentBody,
    ConsentGiven,
    ConsentsWritten,
    ConsentWithdrawal,
)
from chalicelib.domain.fact_bodies.lists import (
    CampaignPut,
    ListAccepted,
    ListApproved,
    ListConfirmed,
    ListHeld,
    ListRefused,
    ListRejected,
    ListReview,
    ListRolledBack,
    ListWaits,
)
from chalicelib.domain.fact_bodies.mails import (
    MailBounced,
    MailBouncedForNow,
    MailComplained,
    MailFailed,
    MailSent,
    MailToSendAgain,
    VoucherUndelivered,
)
from chalicelib.domain.fact_bodies.people import (
    InvitationAccepted,
    InvitationBounced,
    InvitationDeclined,
    InvitationExpired,
    InvitationReceived,
    InvitationRefused,
    InvitationSent,
    LinkRenewed,
    OppositionRecorded,
    PersonErased,
    ReferralConfirmed,
    SignInGranted,
    SignInRefused,
    SignInRequested,
    SignInsResumed,
    SignInsStopped,
    invitation_decided,
)
from chalicelib.domain.fact_bodies.privacy import (
    ErasureConfirmed,
    PrivacyFileAsked,
    PrivacyFileGiven,
    PrivacyLinkGranted,
    PrivacyLinkRefused,
    PrivacyMailsResumed,
    PrivacyMailsStopped,
    PrivacyRequested,
)
from chalicelib.domain.fact_bodies.protection import (
    InvitationsResumed,
    InvitationsStopped,
    LinkStopped,
)
from chalicelib.domain.fact_bodies.vouchers import (
    ExportWritten,
    OrderBody,
    OrderCancelled,
    OrderCorrected,
    OrderKept,
    OrderPlaced,
    OrderReturned,
    RedemptionRefused,
    RewardHeld,
    RewardHoldEnded,
    RewardRefused,
    RewardReleased,
    RewardRevoked,
    VoucherAcknowledged,
    VoucherEndsSoon,
    VoucherExpired,
    VoucherIssued,
    VoucherRedeemed,
    VoucherRefused,
    VoucherRefusedRepeatedly,
    VoucherRolledBack,
    VouchersExported,
    order_corrected,
    order_left,
    order_moved,
    voucher_answered,
)
from chalicelib.domain.fact_bodies.wall_links import WallLinkMade, WallLinkRevoked
from chalicelib.domain.facts import BODIES, Fact, FactBody, FactName

__all__ = [
    "CampaignPut",
    "ChangesWritten",
    "ConsentBody",
    "ConsentGiven",
    "ConsentWithdrawal",
    "ConsentsWritten",
    "ErasureConfirmed",
    "ExportWritten",
    "InvitationAccepted",
    "InvitationBounced",
    "InvitationDeclined",
    "InvitationExpired",
    "InvitationReceived",
    "InvitationRefused",
    "InvitationSent",
    "InvitationsResumed",
    "InvitationsStopped",
    "LinkRenewed",
    "LinkStopped",
    "ListAccepted",
    "ListApproved",
    "ListConfirmed",
    "ListHeld",
    "ListRefused",
    "ListRejected",
    "ListReview",
    "ListRolledBack",
    "ListWaits",
    "MailBounced",
    "MailBouncedForNow",
    "MailComplained",
    "MailFailed",
    "MailSent",
    "MailToSendAgain",
    "OppositionRecorded",
    "OrderBody",
    "OrderCancelled",
    "OrderCorrected",
    "OrderKept",
    "OrderPlaced",
    "OrderReturned",
    "PersonErased",
    "PrivacyFileAsked",
    "PrivacyFileGiven",
    "PrivacyLinkGranted",
    "PrivacyLinkRefused",
    "PrivacyMailsResumed",
    "PrivacyMailsStopped",
    "PrivacyRequested",
    "RedemptionRefused",
    "ReferralConfirmed",
    "RewardHeld",
    "RewardHoldEnded",
    "RewardRefused",
    "RewardReleased",
    "RewardRevoked",
    "SignInGranted",
    "SignInRefused",
    "SignInRequested",
    "SignInsResumed",
    "SignInsStopped",
    "StatementWritten",
    "UnknownFactError",
    "VoucherAcknowledged",
    "VoucherEndsSoon",
    "VoucherExpired",
    "VoucherIssued",
    "VoucherRedeemed",
    "VoucherRefused",
    "VoucherRefusedRepeatedly",
    "VoucherRolledBack",
    "VoucherUndelivered",
    "VouchersExported",
    "WallLinkMade",
    "WallLinkRevoked",
    "body_as",
    "body_of",
    "invitation_decided",
    "order_corrected",
    "order_left",
    "order_moved",
    "voucher_answered",
]

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
