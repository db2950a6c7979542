"""Showing a person what we have of her: one plain document, in words that need no glossary.

Of other people it has nothing: of who invited her that somebody did, of those that she invited the
masked address that she saw herself. Codes of vouchers are in it, because they are hers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from chalicelib.domain.addresses import Address
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.consents import Consent, Word, latest_word
from chalicelib.domain.entity import Entity
from chalicelib.domain.files.ends import AFTER_ACKNOWLEDGEMENT, AFTER_WRITTEN
from chalicelib.domain.invitations import Channel, Invitation, seen_by_sponsor
from chalicelib.domain.mails import Mail
from chalicelib.domain.money import decimal_text
from chalicelib.domain.orders import Order
from chalicelib.domain.people import Contact, Opposition, OppositionScope, Session, Sponsor
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.persons.find import Person, find_person
from chalicelib.services.ports import Ports
from chalicelib.services.referral_orders import orders_of

E = TypeVar("E", bound=Entity)
Part = Mapping[str, Any]

_GIVEN_BY = {
    Channel.EMAIL: "somebody who knows you, to invite you",
    Channel.LINK: "typed on the page of a link that somebody shared",
}
_OBJECTIONS = {
    OppositionScope.INVITATIONS: "no invitations and no news",
    OppositionScope.ALL: "no mail at all",
}


@dataclass(frozen=True, kw_only=True)
class PersonFile:
    """Everything that we have of a person, in parts as they are handed out."""

    address: str
    made_at: datetime
    campaigns: tuple[Part, ...]
    objection: Part | None
    consent: tuple[Part, ...]

    @property
    def found(self) -> bool:
        """Whether we have anything."""
        return bool(self.campaigns or self.objection or self.consent)

    def as_json(self) -> dict[str, Any]:
        """The whole, as plain JSON."""
        return {
            "address": self.address,
            "made_at": self.made_at.isoformat(),
            "anything_stored": self.found,
            "objection": dict(self.objection) if self.objection else None,
            "consent_to_news": [dict(word) for word in self.consent],
            "campaigns": [dict(part) for part in self.campaigns],
        }


def export_person(
    ports: Ports, campaigns: Sequence[Campaign], address: Address, *, request: str | None = None
) -> PersonFile:
    """Everything that we have of who has this address, in the campaigns, which are of one brand.
    Changes nothing. `request` is the contact of the request that asked for it, which is left out.
    """
    person = find_person(ports, campaigns, address, request)
    parts = (_Campaign(person, campaign) for campaign in campaigns)
    return PersonFile(
        address=address.typed,
        made_at=ports.clock(),
        campaigns=tuple(part.document() for part in parts if part.has_anything()),
        objection=_objection(person.oppositions()),
        consent=tuple(_words(person.consents())),
    )


def _objection(recorded: Sequence[Opposition]) -> Part | None:
    if not recorded:
        return None
    widest = max(recorded, key=lambda one: list(OppositionScope).index(one.scope))
    since = min(one.recorded_at for one in recorded)
    return {
        "since": since.isoformat(),
        "to": _OBJECTIONS[widest.scope],
        "rewards_before_you_were_forgotten": dict(widest.rewards),
        "invitations_before_you_were_forgotten": dict(widest.invited),
    }


def _words(consents: Sequence[Consent]) -> Iterator[Part]:
    counts = latest_word(consents)
    words = [word for one in consents for word in (one.given, one.withdrawal) if word]
    for word in sorted(words, key=lambda one: one.at):
        yield _word(word) | {"counts": word == counts}


def _word(word: Word) -> dict[str, Any]:
    return {
        "word": word.state.value,
        "at": word.at.isoformat(),
        "source": word.source.value,
        "version_of_the_text": word.wording or None,
        "version_of_the_terms": word.terms_version or None,
    }


class _Campaign:
    """What one campaign has of the person."""

    def __init__(self, person: Person, campaign: Campaign) -> None:
        self._ports, self._names = person.ports, person.names
        self._campaign = campaign
        self._found = [one for one in person.found if getattr(one, "campaign", None) == campaign.id]

    def has_anything(self) -> bool:
        """Whether there is any of what the document shows."""
        parts = (
            *(self._addresses(), self._invited(), self._referral(), self._sponsor()),
            *(self._vouchers(), self._mails(), self._sessions()),
        )
        return any(parts)

    def document(self) -> Part:
        """All of it."""
        campaign = self._campaign
        return {
            "campaign": campaign.id,
            "brand": campaign.brand.name,
            "responsible": campaign.controller.name if campaign.controller else None,
            "addresses": self._addresses(),
            "invitations_to_you": self._invited(),
            "your_referral": self._referral(),
            "you_as_a_sponsor": self._sponsor(),
            "vouchers": self._vouchers(),
            "mails_to_you": self._mails(),
            "open_sessions": self._sessions(),
            "recipients": _RECIPIENTS,
            "ends": self._ends(),
        }

    def _of(self, kind: type[E]) -> list[E]:
        return [one for one in self._found if isinstance(one, kind)]

    def _addresses(self) -> list[Part]:
        given = {one.contact_id: _GIVEN_BY[one.channel] for one in self._mine()}
        return [
            {
                "address": one.address.typed,
                "first_name": one.first_name,
                "language": one.locale,
                "given_by": given.get(one.contact_id, "typed on the page to sign in"),
                "kept_until": one.ends_at.isoformat(),
            }
            for one in self._of(Contact)
        ]

    def _mine(self) -> list[Invitation]:
        """The invitations that the person got."""
        found = self._of(Invitation)
        return [one for one in found if one.invitation_id in self._names.invitations]

    def _invited(self) -> list[Part]:
        return [
            {
                "received_at": one.received_at.isoformat(),
                "by": _GIVEN_BY[one.channel],
                "state": one.state.value,
                "decided": one.decision.reason.value if one.decision else None,
                "mailed_at": _text(one.sent_at),
                "ended_at": _text(one.ended_at),
            }
            for one in self._mine()
        ]

    def _referral(self) -> list[Part]:
        mine = [one for one in self._of(Referral) if one.referral_id in self._names.referrals]
        return [
            {
                "referral": one.referral_id,
                "confirmed_at": one.confirmed_at.isoformat(),
                "version_of_the_terms": one.terms_version,
                "consent_to_news_at_the_confirmation": one.marketing_consent,
                "key_of_your_address_for_the_brand": one.referee_digest,
                "orders": [self._order(order) for order in orders_of(self._ports, one)],
            }
            for one in mine
        ]

    def _order(self, order: Order) -> Part:
        return {
            "order": order.order_id,
            "ordered_at": order.ordered_at.isoformat(),
            "amount": decimal_text(order.amount_minor),
            "currency": order.currency,
            "status": order.status.value,
        }

    def _sponsor(self) -> list[Part]:
        now = self._ports.clock()
        return [
            {
                "sponsor": one.sponsor_id,
                "since": one.created_at.isoformat(),
                "link": one.link_code,
                "key_of_your_address_for_the_brand": one.digests.for_client,
                "your_invitations": [
                    {
                        "to": sent.masked,
                        "at": sent.received_at.isoformat(),
                        "state": seen_by_sponsor(sent, now),
                    }
                    for sent in self._of(Invitation)
                    if sent.sponsor_id == one.sponsor_id and sent.channel is Channel.EMAIL
                ],
            }
            for one in self._of(Sponsor)
        ]

    def _vouchers(self) -> list[Part]:
        return [
            {
                "code": one.code,
                "as": "sponsor" if one.holder is HolderRole.SPONSOR else "referee",
                "issued_at": one.issued_at.isoformat(),
                "value": decimal_text(one.value_minor),
                "currency": one.currency,
                "valid_until": one.valid_until.isoformat(),
                "state": one.state.value,
                "used_on_order": one.redeemed_by,
            }
            for one in self._of(Voucher)
            if self._names.hold(one)
        ]

    def _mails(self) -> list[Part]:
        mine = [
            one
            for one in self._of(Mail)
            if one.contact_id in self._names.contacts or self._names.has(one.digests)
        ]
        return [
            {
                "about": one.mail_kind,
                "state": one.state.value,
                "sent_at": _text(one.sent_at),
                "problem": one.problem.value if one.problem else None,
            }
            for one in mine
        ]

    def _sessions(self) -> list[Part]:
        return [{"until": one.ends_at.isoformat()} for one in self._of(Session)]

    def _ends(self) -> Part:
        campaign = self._campaign
        return {
            "addresses_and_mails": campaign.contact_ends_at().isoformat(),
            "everything_else": campaign.records_end_at().isoformat(),
            "days_of_voucher_files_after_they_were_loaded": AFTER_ACKNOWLEDGEMENT.days,
            "days_of_tables_and_consent_files": AFTER_WRITTEN["referrals"].days,
        }


_RECIPIENTS = (
    "the brand, in files: a key made of your address, never the address itself",
    "the sender of our mails (Amazon SES): the address that a mail goes to",
)


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
