"""Facts about what people ask about their data. All of them name the request, and nobody."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.facts import FactBody, FactName
from chalicelib.domain.mailed_links import StopReason
from chalicelib.domain.privacy import PrivacyReason, Wish


@dataclass(frozen=True, kw_only=True)
class PrivacyRequested(FactBody, name=FactName.PRIVACY_REQUESTED):
    """Somebody entered an address on the privacy page."""

    contact_id: str
    wish: Wish


@dataclass(frozen=True, kw_only=True)
class PrivacyLinkGranted(FactBody, name=FactName.PRIVACY_LINK_GRANTED):
    """Something is known of the person: a link is mailed."""

    contact_id: str
    wish: Wish
    reason: PrivacyReason = PrivacyReason.KNOWN


@dataclass(frozen=True, kw_only=True)
class PrivacyLinkRefused(FactBody, name=FactName.PRIVACY_LINK_REFUSED):
    """Nothing is known of the person, or no link may be mailed to her now."""

    wish: Wish
    reason: PrivacyReason


@dataclass(frozen=True, kw_only=True)
class PrivacyFileAsked(FactBody, name=FactName.PRIVACY_FILE_ASKED):
    """A person pressed the button that has the file of her data made."""

    contact_id: str


@dataclass(frozen=True, kw_only=True)
class PrivacyFileGiven(FactBody, name=FactName.PRIVACY_FILE_GIVEN):
    """A person took the file of her data."""

    contact_id: str


@dataclass(frozen=True, kw_only=True)
class ErasureConfirmed(FactBody, name=FactName.ERASURE_CONFIRMED):
    """A person pressed the button that has her data erased."""

    contact_id: str


@dataclass(frozen=True, kw_only=True)
class PrivacyMailsStopped(FactBody, name=FactName.PRIVACY_MAILS_STOPPED):
    """No such link is mailed to a person for some time, as she wished."""

    contact_id: str
    reason: StopReason


@dataclass(frozen=True, kw_only=True)
class PrivacyMailsResumed(FactBody, name=FactName.PRIVACY_MAILS_RESUMED):
    """A person lets such links through again."""

    contact_id: str
