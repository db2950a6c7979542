"""Facts about consents: words given to us or to the client, and the files that report ours."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.consents import ConsentSource
from chalicelib.domain.facts import FactBody, FactName


@dataclass(frozen=True, kw_only=True)
class ConsentBody(FactBody):
    """A word. The ids say whose it was, where we know; those of a sponsor have hers alone."""

    consent_id: str
    source: ConsentSource
    sponsor_id: str | None = None
    invitation_id: str | None = None
    referral_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class ConsentGiven(ConsentBody, name=FactName.CONSENT_GIVEN):
    """Somebody agreed to the brand's news; to which texts, where they were shown here."""

    wording: str | None = None
    terms_version: str | None = None


@dataclass(frozen=True, kw_only=True)
class ConsentWithdrawal(ConsentBody, name=FactName.CONSENT_WITHDRAWAL):
    """Somebody wants no news of the brand, whether or not a consent was known here."""


@dataclass(frozen=True, kw_only=True)
class ConsentsWritten(FactBody, name=FactName.CONSENTS_WRITTEN):
    """A file of consents, of `count` rows, was written to `out/`."""

    number: int
    count: int

    @property
    def quantity(self) -> int:
        return self.count
