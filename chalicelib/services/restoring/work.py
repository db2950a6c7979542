"""What bringing back a campaign's facts works with: the ports, at the time of each fact.

What it knows follows from the files and the moment alone, so that a run which was killed and is
started again knows the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.codes import candidates
from chalicelib.domain.effects import deltas, is_known
from chalicelib.domain.fact_bodies import (
    OrderBody,
    ReferralConfirmed,
    RewardRevoked,
    VoucherAcknowledged,
    VoucherEndsSoon,
    VoucherIssued,
    VoucherRedeemed,
    VoucherRolledBack,
    body_of,
)
from chalicelib.domain.facts import Fact, FactBody
from chalicelib.domain.order_refs import OrderReference, lost_order_id
from chalicelib.domain.orders import Order
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.facts import CLOCKS_DIFFER, facts_around
from chalicelib.services.lookups import CampaignVersions, current_campaign
from chalicelib.services.mail_causes import mail_of
from chalicelib.services.order_refs import reference_of
from chalicelib.services.ports import Failure, Ports
from chalicelib.services.restoring.outside import Outside

LOST = "lost-"  # begins the id of a contact that nobody has any more


AboutOrder = OrderBody | VoucherRedeemed | VoucherRolledBack


def left_alone(_: Failure) -> None:
    """What cannot be read stays as it is, and is named by the work that meets it later."""


class UnfoundedError(Exception):
    """What a fact builds on is not there: it comes back with a later fact, or is lost."""


def order_name(body: AboutOrder) -> str:
    """What tells the order that a fact is about from others; empty where it does not say."""
    return body.order_ref_id or body.client_order_id or ""


def _causes(facts: Iterable[Fact]) -> dict[str, tuple[datetime, str]]:
    about_vouchers = VoucherIssued | VoucherAcknowledged | VoucherEndsSoon | RewardRevoked
    return {
        mail_id: (fact.at, body.holder_id)
        for fact in facts
        if (mail_id := mail_of(fact)) and isinstance(body := body_of(fact), about_vouchers)
    }


@dataclass
class Work:
    """One campaign. `keys` are those of the codes of the vouchers met so far, by their ids.

    `is_lenient` once no other fact can be brought back: then a reward is without what earned it,
    and addresses are erased.
    """

    ports: Ports
    outside: Outside
    moment: datetime
    keys: dict[str, str] = field(default_factory=dict)
    is_lenient: bool = False

    @staticmethod
    def body(fact: Fact) -> FactBody:
        """What happened."""
        return body_of(fact)

    def at(self, fact: Fact) -> Ports:
        """The ports, at the time of a fact."""
        return replace(self.ports, clock=lambda: fact.at)

    def counted(self) -> dict[date, dict[str, int]]:
        """What is counted so far: also what came back from a bundle, and is counted last of all."""
        repository, campaign = self.ports.repository, self.outside.campaign
        counts = repository.counts(campaign)
        waiting = repository.uncounted(self.outside.waiting)
        for day, added in deltas(self.campaign, waiting).items():
            of_day = counts.setdefault(day, {})
            for name, by in added.items():
                of_day[name] = of_day.get(name, 0) + by
        return counts

    @cached_property
    def campaign(self) -> Campaign:
        """The campaign in force."""
        return current_campaign(self.ports, self.outside.campaign)

    @cached_property
    def versions(self) -> CampaignVersions:
        """Its versions."""
        return CampaignVersions(self.ports, self.outside.campaign)

    @cached_property
    def _bodies(self) -> list[tuple[datetime, FactBody]]:
        return [(fact.at, body_of(fact)) for fact in self.outside.facts if is_known(fact)]

    @cached_property
    def _causes(self) -> dict[str, tuple[datetime, str]]:
        return _causes(self.outside.facts)

    def cause_of(
        self, mail_id: str, voucher_id: str, mailed_at: datetime
    ) -> tuple[datetime, str] | None:
        """When what a mail about a voucher says happened, and the holder's id: by a fact of the
        time after the moment, or by one of the hour before the mail.
        """
        since = mailed_at - timedelta(hours=1)
        return self._causes.get(mail_id) or _causes(
            facts_around(self.ports, voucher_id, since, mailed_at)
        ).get(mail_id)

    @cached_property
    def digests(self) -> dict[str, tuple[str, str]]:
        """A digest of each holder that a file of the client has, and the id of its key; by the
        holder's id, which is that of the referral or of the sponsor.
        """
        first = self.campaign.digests.key_ids[0]
        known: dict[str, tuple[str, str]] = {}
        for _, body in self._bodies:
            match body:
                case ReferralConfirmed():
                    if row := self.outside.referrals.get(body.referral_id):
                        known[body.sponsor_id] = row.sponsor_digest, first
                        known[body.referral_id] = row.referee_digest, first
                case VoucherIssued():
                    if exported := self.outside.rows.get(body.voucher_id):
                        key_id = exported.get("key_id") or first
                        known[body.holder_id] = exported["holder_digest"], key_id
                case _:
                    pass
        # Of who was erased, a table says nothing.
        return {holder: (digest, key) for holder, (digest, key) in known.items() if digest}

    @cached_property
    def codes_lost(self) -> frozenset[str]:
        """The ids of vouchers whose code nobody knows any more: issued after the moment, and in no
        export. One that was mailed at once is mailed again, with another code.
        """
        since = self.moment - CLOCKS_DIFFER
        issued = {
            body.voucher_id
            for at, body in self._bodies
            if isinstance(body, VoucherIssued) and at >= since
        }
        return frozenset(issued - self.outside.rows.keys())

    def order_id(self, body: AboutOrder, *known: str | None) -> str:
        """The client's id of the order that a fact is about, or what it is stored under while no
        file says it; `known` are ids that it may be. Facts of earlier versions have it.
        """
        reference = body.order_ref_id
        if reference is None:
            return body.client_order_id or ""
        if stored := self.ports.repository.get(
            OrderReference, campaign=self.campaign.id, order_ref=reference
        ):
            return stored.order_id
        for order_id in filter(None, known):
            if reference_of(self.ports, order_id) == reference:
                return order_id
        return self._order_ids.get(reference) or lost_order_id(reference)

    @cached_property
    def _order_ids(self) -> dict[str, str]:
        return {reference_of(self.ports, one): one for one in self.outside.order_ids}

    @cached_property
    def _amounts(self) -> dict[str, int]:
        orders = (body for _, body in self._bodies if isinstance(body, OrderBody))
        return {order_name(body): body.amount_minor for body in orders}

    def amount(self, body: AboutOrder) -> int | None:
        """What an order was worth when it was last reported, if a fact says it."""
        return self._amounts.get(order_name(body))

    @cached_property
    def used_on(self) -> dict[str, str]:
        """On which order each voucher was used first, as facts say, by the voucher's id."""
        uses = (body for _, body in reversed(self._bodies) if isinstance(body, VoucherRedeemed))
        return {body.voucher_id: self.order_id(body) for body in uses}

    @cached_property
    def codes_in_files(self) -> frozenset[str]:
        """What the codes of the rows are found by."""
        rows = self.outside.rows.values()
        return frozenset(key for row in rows for key in candidates(row["code"]))

    def voucher(self, voucher_id: str, holder_id: str) -> Voucher:
        """The voucher with that id. `UnfoundedError`."""
        key = self.keys.get(voucher_id) or self._key_of(voucher_id, holder_id)
        found = self.ports.repository.get(Voucher, code_key=key) if key else None
        if found is None:
            raise UnfoundedError(voucher_id)
        self.keys[voucher_id] = found.code_key
        return found

    def _key_of(self, voucher_id: str, holder_id: str) -> str | None:
        # Issued before the moment, or by a run before this one: the index has it by now.
        held = self.ports.repository.held_by(holder_id, left_alone)
        return next((each.code_key for each in held if each.voucher_id == voucher_id), None)


def order_of(work: Work, order_id: str) -> Order | None:
    """An order of the campaign, as it is stored."""
    return work.ports.repository.get(Order, campaign=work.campaign.id, order_id=order_id)
