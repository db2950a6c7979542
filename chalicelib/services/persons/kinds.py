"""What becomes of each kind of item when somebody is forgotten.

`ERASED` says it of every kind that may have an address, a name or a digest of a person, or that
serves her; all other kinds are in `HOLDS_NOTHING`. Each function returns the changes of one
transaction, none where there is nothing left to do. In which order they are called is in
`erase.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.domain import invitations, mails, people, referrals, vouchers
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.campaign.versions import CampaignVersion, CurrentCampaign
from chalicelib.domain.changes import VoucherChange
from chalicelib.domain.changes_files import ChangesFile, ChangesPart, ChangesSequence
from chalicelib.domain.cohorts import Cohort
from chalicelib.domain.consents import Consent, ConsentChange
from chalicelib.domain.consents_files import ConsentsFile, ConsentsPart, ConsentsSequence
from chalicelib.domain.eligibility import Reason
from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import Export, ExportPart, ExportSequence
from chalicelib.domain.fact_bodies import InvitationExpired, PersonErased, invitation_decided
from chalicelib.domain.fact_checks import FactCheck
from chalicelib.domain.facts import Fact
from chalicelib.domain.files.parts import FileInParts, HandledPart
from chalicelib.domain.invitations import (
    Channel,
    ClosingReason,
    Invitation,
    InvitationState,
    Submission,
    is_accepted,
    is_open,
    is_undecided,
    new_decision,
)
from chalicelib.domain.journal import JournalGroup, JournalHead, JournalPart
from chalicelib.domain.links import LinkDay
from chalicelib.domain.lists.model import (
    CurrentList,
    FileRecord,
    HeldList,
    ListDelta,
    ListDrops,
    ListVersion,
)
from chalicelib.domain.mails import Mail
from chalicelib.domain.order_refs import OrderReference
from chalicelib.domain.orders import Order
from chalicelib.domain.people import (
    Contact,
    Link,
    Opposition,
    RefereeClaim,
    Session,
    Sponsor,
    SponsorClaim,
    Token,
)
from chalicelib.domain.privacy import PrivacyLink
from chalicelib.domain.protection import HeldInvitation, InvitationStop
from chalicelib.domain.redemptions import OrderUses, Redemption, RedemptionRefusal
from chalicelib.domain.referral_orders import FurtherOrder
from chalicelib.domain.referrals import Referral
from chalicelib.domain.review import DomainDay, NetworkAnswers
from chalicelib.domain.rewards import Budget, Reward
from chalicelib.domain.sign_ins import SignInLink
from chalicelib.domain.statements import Statement
from chalicelib.domain.vouchers import SpareCode, Voucher
from chalicelib.domain.wall_links import WallLink
from chalicelib.domain.watch import CodesLeft, LastFile
from chalicelib.services.digests import digests_of
from chalicelib.services.facts import invitation_fact, new_fact
from chalicelib.services.moves import freed_claims
from chalicelib.services.persons.find import Person
from chalicelib.services.ports import Change, Insert, Ports, Remove, Replace

Erased = tuple[list[Change], list[Fact]]
_NOTHING: Erased = ([], [])


@dataclass
class Forgotten:
    """The person who is forgotten, and what the changes of several kinds need."""

    ports: Ports
    person: Person
    is_again: bool = False  # after a restore: the fact is there

    def campaign_of(self, entity: Any) -> Campaign:
        """The campaign of an entity."""
        return self.person.by_id[entity.campaign]

    def unsent(self, mail_id: str, kind: str, campaign: str, **ids: str) -> list[Change]:
        """What keeps a mail from leaving, and leaves nothing of whom it went to."""
        mail = self.ports.repository.get(Mail, mail_id=mail_id)
        if mail is not None:
            nameless = mails.with_erased_recipient(mail)
            return [Replace(nameless)] if nameless != mail else []
        return [self.never_sent(mail_id, kind, campaign, ids)]

    def never_sent(self, mail_id: str, kind: str, campaign: str, ids: Mapping[str, str]) -> Change:
        """What stands in the place of a mail of which no lease is known."""
        ends = self.person.by_id[campaign].contact_ends_at()
        now = self.ports.clock()
        return Insert(mails.never_sent(mail_id, kind, campaign, ids, now=now, ends=ends))

    def without_address(self, contact_id: str) -> list[Change]:
        """The removal of an address."""
        contact = self.ports.repository.get(Contact, contact_id=contact_id)
        return [Remove(contact)] if contact else []

    def later_claims(self, kind: type[SponsorClaim | RefereeClaim], own_id: str) -> list[Change]:
        """The removal of claims that do not lead from the address: nothing else finds them."""
        names = self.person.names
        return [
            Remove(one)
            for one in self.person.found
            if isinstance(one, kind)
            and one.digest in names.digests - names.asked
            and own_id == (one.invitation_id if isinstance(one, RefereeClaim) else one.sponsor_id)
        ]

    def random_id(self) -> str:
        """What stands for her in a file of consents, which knows no role."""
        names = self.person.names
        known = [*sorted(names.sponsors), *sorted(names.referrals), *sorted(names.invitations)]
        return known[0] if known else self.ports.codes.identifier()

    def erasure_facts(self, campaign: str, correlation: str, body: PersonErased) -> list[Fact]:
        """The fact that she was forgotten: random ids alone."""
        if self.is_again:
            return []
        subject = body.invitation_id or body.sponsor_id
        return [
            new_fact(self.ports, body, campaign=campaign, subject=subject, correlation=correlation)
        ]


def _erase_sponsor(forgotten: Forgotten, sponsor: Sponsor) -> Erased:
    """From here on she is served no more: no link, no session, no invitation, no reward."""
    if sponsor.is_erased:
        return _NOTHING
    repository, sponsor_id = forgotten.ports.repository, sponsor.sponsor_id
    link = repository.get(Link, link_code=sponsor.link_code)
    sign_in = repository.get(SignInLink, sponsor_id=sponsor_id)
    changes: list[Change] = [Replace(people.erased(sponsor))]
    changes += [Remove(one) for one in (link, sign_in) if one]
    changes += forgotten.without_address(sponsor.contact_id)
    if sign_in and sign_in.contact_id:
        mail_id = mails.sign_in_mail(sign_in.contact_id)
        changes += forgotten.unsent(mail_id, mails.SIGN_IN, sponsor.campaign, sponsor=sponsor_id)
    changes += forgotten.later_claims(SponsorClaim, sponsor_id)
    body = PersonErased(sponsor_id=sponsor_id)
    return changes, forgotten.erasure_facts(sponsor.campaign, sponsor_id, body)


def _erase_invitation(forgotten: Forgotten, invitation: Invitation) -> Erased:
    """Close it, if it is hers or from her; of hers not even the masked address stays."""
    names, now = forgotten.person.names, forgotten.ports.clock()
    is_hers = invitation.invitation_id in names.invitations
    changes: list[Change] = []
    facts: list[Fact] = []
    after = invitation
    if is_open(invitation):
        after, closed_fact = _closed(forgotten, invitation, now)
        facts.append(closed_fact)
        changes += forgotten.without_address(invitation.contact_id)
        changes += _without_mail(forgotten, invitation)
    if is_hers:
        after = invitations.with_erased_referee(after)
        changes += forgotten.without_address(invitation.contact_id)
        changes += forgotten.later_claims(RefereeClaim, invitation.invitation_id)
        body = PersonErased(
            sponsor_id=invitation.sponsor_id,
            invitation_id=invitation.invitation_id,
            referral_id=invitation.referral_id,
        )
        facts += forgotten.erasure_facts(invitation.campaign, invitation.correlation, body)
    if after == invitation:
        return _NOTHING
    return [Replace(after), *_distinct(changes)], facts


def _distinct(changes: Iterable[Change]) -> Iterator[Change]:
    """Each entity once: a claim may be freed, and be hers."""
    seen: list[Entity] = []
    for change in changes:
        if change.entity not in seen:
            seen.append(change.entity)
            yield change


def _closed(forgotten: Forgotten, invitation: Invitation, now: datetime) -> tuple[Invitation, Fact]:
    if is_undecided(invitation):
        campaign = forgotten.campaign_of(invitation)
        decision = new_decision(campaign, Reason.ERASED, customers_version=None, now=now)
        refused = invitations.refused(invitation, decision, now)
        return refused, invitation_fact(forgotten.ports, refused, invitation_decided(refused))
    body = InvitationExpired.unanswered(invitation, ClosingReason.ERASED)
    closed = invitations.closed(invitation, InvitationState.EXPIRED, now)
    return closed, invitation_fact(forgotten.ports, invitation, body)


def _without_mail(forgotten: Forgotten, invitation: Invitation) -> list[Change]:
    """No mail of the invitation leaves any more. Where none has left, the referee of a sponsor who
    is forgotten may be invited by somebody else.
    """
    repository, invitation_id = forgotten.ports.repository, invitation.invitation_id
    held = repository.get(HeldInvitation, campaign=invitation.campaign, invitation_id=invitation_id)
    changes: list[Change] = [Remove(held)] if held else []
    if not is_accepted(invitation):
        return changes
    mail_id = mails.invitation_mail(invitation_id)
    if repository.get(Mail, mail_id=mail_id):
        return changes  # it may have left: that of her own loses its recipient with her mails
    contact = repository.get(Contact, contact_id=invitation.contact_id)
    if contact is not None:
        digests = digests_of(forgotten.ports, forgotten.campaign_of(invitation), contact.address)
        changes += freed_claims(forgotten.ports, invitation, digests)
    kind = "invitation" if invitation.channel is Channel.EMAIL else "sign_up"
    ids = {"sponsor": invitation.sponsor_id, "invitation": invitation_id}
    return [*changes, forgotten.never_sent(mail_id, kind, invitation.campaign, ids)]


def _erase_referral(forgotten: Forgotten, referral: Referral) -> Erased:
    names, referral_id = forgotten.person.names, referral.referral_id
    after, unsent = referral, list[Change]()
    if referral_id in names.referrals:
        after = referrals.with_erased_referee(after)
        mail_id = mails.confirmed_mail(referral.contact_id)
        unsent = forgotten.unsent(mail_id, mails.CONFIRMED, referral.campaign, referral=referral_id)
    if referral.sponsor_id in names.sponsors:
        after = referrals.with_erased_sponsor(after)
    return ([Replace(after), *unsent], []) if after != referral else _NOTHING


def _erase_voucher(forgotten: Forgotten, voucher: Voucher) -> Erased:
    """It keeps its worth, for whoever has its code; nobody is mailed about it any more."""
    if not forgotten.person.names.hold(voucher):
        return _NOTHING
    after = vouchers.with_erased_holder(voucher)
    if after == voucher:
        return _NOTHING
    kind = "reward" if voucher.holder is HolderRole.SPONSOR else "voucher"
    voucher_id = voucher.voucher_id
    about = {
        mails.voucher_mail(voucher_id): kind,
        mails.revoked_mail(voucher_id): mails.REVOKED,
        mails.ends_soon_mail(voucher_id): mails.ENDS_SOON,
    }
    unsent = [
        change
        for mail_id, kind in about.items()
        for change in forgotten.unsent(mail_id, kind, voucher.campaign, voucher=voucher_id)
    ]
    return [Replace(after), *unsent], []


def _erase_contact(forgotten: Forgotten, contact: Contact) -> Erased:
    """But that of a request to be erased: `erase.py` ends it last of all, with its links."""
    is_waiting = contact.contact_id in forgotten.person.requests()
    return _NOTHING if is_waiting else ([Remove(contact)], [])


def _erase_token(forgotten: Forgotten, token: Token) -> Erased:
    """Those in her mails; whom she invited as a sponsor keeps what came with an invitation."""
    names, invitation_id = forgotten.person.names, token.invitation_id
    if token.contact_id in forgotten.person.requests():
        return _NOTHING  # see _erase_contact()
    is_hers = (
        invitation_id is None or invitation_id in names.invitations or names.has(token.digests)
    )
    return ([Remove(token)], []) if is_hers else _NOTHING


def _erase_of_sponsor(forgotten: Forgotten, entity: Session | SignInLink | Submission) -> Erased:
    is_hers = entity.sponsor_id in forgotten.person.names.sponsors
    return ([Remove(entity)], []) if is_hers else _NOTHING


def _erase_mail(forgotten: Forgotten, mail: Mail) -> Erased:
    names = forgotten.person.names
    if mail.contact_id not in names.contacts and not names.has(mail.digests):
        return _NOTHING
    nameless = mails.with_erased_recipient(mail)
    return ([Replace(nameless)], []) if nameless != mail else _NOTHING


def _erase_held(_forgotten: Forgotten, held: HeldInvitation) -> Erased:
    """It names who got it or who sent it, nobody else."""
    return [Remove(held)], []


def _erase_word(forgotten: Forgotten, word: Consent | PrivacyLink) -> Erased:
    is_hers = word.digest in forgotten.person.names.digests
    return ([Remove(word)], []) if is_hers else _NOTHING


def _erase_rows(forgotten: Forgotten, part: ConsentsPart) -> Erased:
    numbers = forgotten.person.names.rows_of(part)
    if not numbers:
        return _NOTHING
    at, random_id = part.columns.index("digest"), forgotten.random_id()
    rows = tuple(
        (*row[:at], random_id, *row[at + 1 :]) if number in numbers else row
        for number, row in enumerate(part.rows)
    )
    return [Replace(replace(part, rows=rows))], []


def _erase_claim(forgotten: Forgotten, claim: SponsorClaim | RefereeClaim) -> Erased:
    is_hers = claim.digest in forgotten.person.names.digests
    return ([Remove(claim)], []) if is_hers else _NOTHING


def _erased_before(_forgotten: Forgotten, _entity: Entity) -> Erased:
    """Of a kind that what comes before has dealt with: the sponsor, or a step of `erase.py`."""
    return _NOTHING


# Every kind of item that may have an address, a name or a digest of somebody, or serve her, in the
# order in which they are changed: first rows that only the digests of an address lead to, which go
# with what it is known by; then what serves her, last what leads to all the rest.
ERASED: dict[type[Entity], Callable[[Forgotten, Any], Erased]] = {
    ConsentsPart: _erase_rows,
    Sponsor: _erase_sponsor,
    Invitation: _erase_invitation,
    Referral: _erase_referral,
    Contact: _erase_contact,
    Session: _erase_of_sponsor,
    SignInLink: _erase_of_sponsor,
    Link: _erased_before,
    Token: _erase_token,
    Submission: _erase_of_sponsor,
    Voucher: _erase_voucher,
    Mail: _erase_mail,
    HeldInvitation: _erase_held,
    Consent: _erase_word,
    PrivacyLink: _erase_word,
    ConsentChange: _erased_before,
    ExportPart: _erased_before,
    Opposition: _erased_before,
    SponsorClaim: _erase_claim,
    RefereeClaim: _erase_claim,
}

# Random ids, numbers, names of rules, codes of vouchers, order ids of the client's: of nobody.
HOLDS_NOTHING: frozenset[type[Entity]] = frozenset(
    (
        *(CampaignVersion, CurrentCampaign, Budget, Statement, CodesLeft, LastFile),
        *(Reward, Order, FurtherOrder, Redemption, OrderUses, SpareCode, LinkDay),
        *(OrderReference, RedemptionRefusal, DomainDay, NetworkAnswers, Cohort),
        *(VoucherChange, ChangesSequence, ChangesFile, ChangesPart),
        *(ConsentsSequence, ConsentsFile, ExportSequence, Export),
        *(ListVersion, CurrentList, ListDrops, ListDelta, HeldList, FileRecord),
        *(FileInParts, HandledPart, FactCheck, InvitationStop),
        *(JournalHead, JournalPart, JournalGroup, WallLink),
    )
)
