"""Finding everything that the table has of a person, by her address.

    address ── digests ── claims ── sponsor, invitation, referral ── every item that names her

Claims lead to who she is. The rest is found by reading the whole table, because nothing leads to a
token, a session or an address that somebody typed: what has one of her digests or ids anywhere in
it, and of the addresses those that reach her mailbox. An item that is found so may name her by more
ids; then the table is read again, until none is new.

Which of what is found is hers and which is about her alone is decided by who asks: `erase.py`,
`access.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeGuard

from chalicelib.domain.addresses import Address, AddressDigests, digest
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.consents import Consent
from chalicelib.domain.consents_files import ConsentsPart
from chalicelib.domain.entity import Entity
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import (
    Contact,
    Opposition,
    RefereeClaim,
    Sponsor,
    SponsorClaim,
    Token,
    TokenPurpose,
)
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.digests import digests_of
from chalicelib.services.lookups import claims_on, consents_of, oppositions_to, sponsor_claims_on
from chalicelib.services.ports import Ports


@dataclass
class Names:
    """What the person is known by: her digests, and the random ids of what is hers.

    `own` are those of the digests that are under our own key, `asked` of these again those of the
    address that was given, `invitations` those that she got, `contacts` her addresses.
    """

    digests: set[str] = field(default_factory=set)
    own: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    sponsors: set[str] = field(default_factory=set)
    invitations: set[str] = field(default_factory=set)
    referrals: set[str] = field(default_factory=set)
    contacts: set[str] = field(default_factory=set)

    @property
    def texts(self) -> frozenset[str]:
        """All of them."""
        ids = self.sponsors | self.invitations | self.referrals | self.contacts
        return frozenset(self.digests | ids)

    def add(self, digests: AddressDigests) -> None:
        """Know her by these digests too."""
        if digests.is_erased:
            return
        self.own.update(digests.under_own_key)
        self.digests.update(digests.values)

    def add_asked(self, digests: AddressDigests) -> None:
        """Know her by the address that was given."""
        self.add(digests)
        self.asked.update(digests.under_own_key)

    def has(self, digests: AddressDigests | None) -> TypeGuard[AddressDigests]:
        """Whether these digests are hers."""
        return digests is not None and not self.digests.isdisjoint(digests.values)

    def hold(self, voucher: Voucher) -> bool:
        """Whether the voucher is hers."""
        return voucher.holder_id in self.sponsors | self.referrals

    def rows_of(self, part: ConsentsPart) -> list[int]:
        """Which rows of a file of consents are about her."""
        at = part.columns.index("digest")
        return [number for number, row in enumerate(part.rows) if row[at] in self.digests]


@dataclass
class Person:
    """A person in some campaigns of one brand, by her address or by ids that are known already.
    `found` is what names her, of these campaigns; `unreadable` counts items that no version could
    have stored, and which may name her. `request` is the contact of the request that is being
    carried out: neither it nor its `links` are among what is found.
    """

    ports: Ports
    campaigns: Sequence[Campaign]
    address: Address | None
    names: Names
    request: str | None = None
    found: list[Entity] = field(default_factory=list)
    links: list[Token] = field(default_factory=list)
    unreadable: int = 0

    @cached_property
    def by_id(self) -> dict[str, Campaign]:
        """The campaigns by their names."""
        return {campaign.id: campaign for campaign in self.campaigns}

    @cached_property
    def brand(self) -> str:
        """The one brand."""
        [brand] = {campaign.brand.id for campaign in self.campaigns}
        return brand

    def look(self) -> None:
        """Find everything, as it is now."""
        for campaign in self.campaigns:
            self._follow_claims(campaign)
        texts: frozenset[str] = frozenset()
        while texts != self.names.texts:
            texts = self.names.texts
            self.found = list(self._read_table(texts))

    def oppositions(self) -> list[Opposition]:
        """Her oppositions to the brand."""
        known = sorted(self.names.digests)
        return oppositions_to(self.ports, self.brand, known) if known else []

    def requests(self) -> list[str]:
        """The contacts of her requests to be erased that a link was mailed for: the work on one
        that she has confirmed needs its own until it is done.
        """
        tokens = (one for one in self.found if isinstance(one, Token))
        erasing = (one for one in tokens if one.purpose is TokenPurpose.PRIVACY_ERASURE)
        return sorted({str(one.contact_id) for one in erasing})

    def sponsors(self) -> list[Sponsor]:
        """Her, as a sponsor, in each campaign."""
        return [one for one in self.found if isinstance(one, Sponsor)]

    def consents(self) -> list[Consent]:
        """What is known of her consents to the brand's news."""
        known = sorted(self.names.digests)
        return consents_of(self.ports, self.campaigns[0], known) if known else []

    def _follow_claims(self, campaign: Campaign) -> None:
        if self.address is not None:
            self.names.add_asked(digests_of(self.ports, campaign, self.address))
        known = sorted(self.names.digests)
        for claim in sponsor_claims_on(self.ports, campaign.id, known):
            self._learn(claim)
            self._learn(self.ports.repository.get(Sponsor, sponsor_id=claim.sponsor_id))
        for referee in claims_on(self.ports, campaign.id, known):
            self._learn(referee)
            invitation = self.ports.repository.get(
                Invitation, sponsor_id=referee.sponsor_id, invitation_id=referee.invitation_id
            )
            self._learn(invitation)
            if invitation and invitation.referral_id:
                referral_id = invitation.referral_id
                self._learn(self.ports.repository.get(Referral, referral_id=referral_id))

    def _read_table(self, texts: frozenset[str]) -> Iterator[Entity]:
        after, is_last, self.unreadable = None, False, 0
        self.links = []
        while not is_last:
            page = self.ports.repository.naming(texts, (Contact,), after)
            self.unreadable += page.unreadable
            after, is_last = page.next, page.next is None
            for entity in page.entities:
                if isinstance(entity, Token) and self._is_of_request(entity):
                    self.links.append(entity)
                if self._is_of_these(entity):
                    self._learn(entity)
                    yield entity

    def _is_of_these(self, entity: Entity) -> bool:
        if isinstance(entity, Contact | Token) and self._is_of_request(entity):
            return False
        if isinstance(entity, Contact) and not self._is_hers(entity):
            return False
        if isinstance(entity, Opposition | Consent):
            return entity.brand == self.brand
        return getattr(entity, "campaign", next(iter(self.by_id))) in self.by_id

    def _is_of_request(self, entity: Contact | Token) -> bool:
        return self.request is not None and entity.contact_id == self.request

    def _is_hers(self, contact: Contact) -> bool:
        return digest(contact.address.mailbox, self.ports.keys.own()) in self.names.own

    def _learn(self, entity: Entity | None) -> None:
        """Know her by what an entity of hers is known by. Addresses, sponsors and their claims
        are found only where they are hers; the others may name somebody else beside her.
        """
        names = self.names
        match entity:
            case Contact():
                names.contacts.add(entity.contact_id)
            case SponsorClaim():
                names.sponsors.add(entity.sponsor_id)
            case RefereeClaim() if (
                entity.digest in names.digests or entity.invitation_id in names.invitations
            ):
                names.invitations.add(entity.invitation_id)
                # Of the address that was invited, which may be another spelling of hers.
                names.digests.add(entity.digest)
            case Mail() | Token() if names.has(entity.digests):
                names.add(entity.digests)
            case Sponsor():
                names.sponsors.add(entity.sponsor_id)
                names.contacts.add(entity.contact_id)
                names.add(entity.digests)
            case Invitation() if (
                entity.invitation_id in names.invitations or entity.contact_id in names.contacts
            ):
                names.invitations.add(entity.invitation_id)
                names.contacts.add(entity.contact_id)
                names.referrals.update(filter(None, [entity.referral_id]))
            case Referral() if entity.referral_id in names.referrals or names.has(entity.referee):
                names.referrals.add(entity.referral_id)
                names.invitations.add(entity.invitation_id)
                names.contacts.add(entity.contact_id)
                names.add(entity.referee)
            case _:
                pass


def find_person(
    ports: Ports, campaigns: Sequence[Campaign], address: Address, request: str | None = None
) -> Person:
    """Everything that the table has of a person in these campaigns, which are of one brand."""
    person = Person(ports, campaigns, address, Names(), request)
    person.look()
    return person
