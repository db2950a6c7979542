"""Words given to us about the brand's news: the consent, the row for the client, and the fact.

A word is kept in the transaction in which it is given. The later one wins whatever gives it: see
`domain/consents.py`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.addresses import AddressDigests
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.consents import (
    WORDING,
    Consent,
    ConsentSource,
    ConsentState,
    Word,
    change_of,
    client_digest,
    ends_in_withdrawal,
    is_given_here,
    own_digest,
    with_word,
)
from chalicelib.domain.fact_bodies import ConsentGiven, ConsentWithdrawal
from chalicelib.domain.facts import Fact
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.people import Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.services.facts import new_fact
from chalicelib.services.lookups import claims_on, consents_of
from chalicelib.services.ports import Change, Insert, Ports, Replace

Recorded = tuple[list[Change], list[Fact]]


@dataclass(frozen=True)
class Person:
    """Whose word it is: her digests, and the ids that facts name her by."""

    digests: AddressDigests
    sponsor_id: str | None = None
    invitation_id: str | None = None
    referral_id: str | None = None


def person_of(holder: Sponsor | Referral, digests: AddressDigests) -> Person:
    """A voucher's holder."""
    if isinstance(holder, Sponsor):
        return Person(digests, holder.sponsor_id)
    return Person(digests, holder.sponsor_id, holder.invitation_id, holder.referral_id)


def consent_given(ports: Ports, campaign: Campaign, referral: Referral) -> Recorded:
    """The referee's consent to the brand's news, given with the confirmation."""
    known = consents_of(ports, campaign, [own_digest(referral.referee)])
    consent = known[0] if known else _new_consent(ports, campaign, referral.referee)
    body = ConsentGiven(
        consent_id=consent.consent_id,
        source=ConsentSource.CONFIRMATION,
        sponsor_id=referral.sponsor_id,
        invitation_id=referral.invitation_id,
        referral_id=referral.referral_id,
        wording=WORDING,
        terms_version=referral.terms_version,
    )
    fact = new_fact(
        ports,
        body,
        campaign=campaign.id,
        subject=consent.consent_id,
        correlation=referral.correlation,
    )
    changes = given_changes(campaign, consent, referral.referee, body, fact.at)
    return changes, [fact]


def given_changes(
    campaign: Campaign,
    consent: Consent,
    digests: AddressDigests,
    body: ConsentGiven,
    at: datetime,
) -> list[Change]:
    """What a consent that was given changes."""
    if body.referral_id:
        consent = replace(consent, agreed={**consent.agreed, campaign.id: body.referral_id})
    word = Word(
        state=ConsentState.GIVEN,
        at=at,
        source=body.source,
        wording=body.wording or "",
        terms_version=body.terms_version or "",
    )
    return _changes(campaign, consent, digests, word)


def consent_withdrawal(
    ports: Ports, campaign: Campaign, person: Person, source: ConsentSource
) -> Recorded:
    """The withdrawal of whatever consent of the person there is, here or at the client's; nothing
    where the word that counts is a withdrawal already.
    """
    known = consents_of(ports, campaign, person.digests.values)
    if ends_in_withdrawal(known):
        return [], []
    own = next((one for one in known if one.digest == own_digest(person.digests)), None)
    consent = _with_agreed(ports, own) if own else _new_consent(ports, campaign, person.digests)
    body = ConsentWithdrawal(
        consent_id=consent.consent_id,
        source=source,
        sponsor_id=person.sponsor_id,
        invitation_id=person.invitation_id,
        referral_id=person.referral_id,
    )
    correlation = ports.codes.identifier()
    fact = new_fact(
        ports, body, campaign=campaign.id, subject=consent.consent_id, correlation=correlation
    )
    changes = withdrawal_changes(campaign, consent, person.digests, source, fact.at)
    return changes, [fact]


def withdrawal_changes(
    campaign: Campaign,
    consent: Consent,
    digests: AddressDigests,
    source: ConsentSource,
    at: datetime,
) -> list[Change]:
    """What a withdrawal changes. It has the wording of the consent that it takes back, and goes
    into the files of each campaign in which she agreed, wherever it is given. Nothing of those is
    read here: her word is kept whatever state they are in.
    """
    given = consent.given
    word = Word(
        state=ConsentState.WITHDRAWAL, at=at, source=source, wording=given.wording if given else ""
    )
    changes = _changes(campaign, consent, digests, word)
    for other, referral_id in consent.agreed.items():
        if other != campaign.id:
            changes.append(Insert(change_of(consent, word, other, referral_id=referral_id)))
    return changes


def _with_agreed(ports: Ports, consent: Consent) -> Consent:
    """The consent with the referral that it was given with, which earlier versions did not store:
    her claim in the campaign of her first word leads there.
    """
    agreed = dict(consent.agreed)
    if not agreed and is_given_here(consent):
        with suppress(Exception):  # her withdrawal needs nothing of that campaign
            claims = claims_on(ports, consent.campaign, [consent.digest])
            places = [
                {"sponsor_id": claim.sponsor_id, "invitation_id": claim.invitation_id}
                for claim in claims
            ]
            for one in ports.repository.get_many(Invitation, places):
                if one.referral_id:
                    agreed[consent.campaign] = one.referral_id
    return replace(consent, agreed=agreed)


def _new_consent(ports: Ports, campaign: Campaign, digests: AddressDigests) -> Consent:
    return Consent(
        brand=campaign.brand.id,
        digest=own_digest(digests),
        consent_id=ports.codes.identifier(),
        campaign=campaign.id,
    )


def _changes(
    campaign: Campaign, consent: Consent, digests: AddressDigests, word: Word
) -> list[Change]:
    after = with_word(consent, word)
    stored: Change = Replace(after) if consent.revision else Insert(after)
    digest = client_digest(digests, campaign.digests.key_ids[0])
    return [stored, Insert(change_of(after, word, campaign.id, digest=digest))]
