"""Recording the orders that the client reports, one at a time, in any sequence and repeatedly.

An order counts for the referral of the buyer, who is found by the digest or by the referee's
voucher used on the order. Orders of other people are not stored. A report moves an order forward
(placed, kept, returned or cancelled) and sets its amount, or changes nothing. The voucher is
redeemed in the transaction that stores the order; later reports ignore it.

Most reported orders are other people's. For many rows at once, two batch reads find those that
match; the others cost no further call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import HolderRole
from chalicelib.domain.files.orders import OrderRow, orders
from chalicelib.domain.files.reading import Tally
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.orders import (
    Order,
    OrderStatus,
    moves_forward,
    new_order,
    updated_order,
)
from chalicelib.domain.people import RefereeClaim
from chalicelib.domain.referrals import Referral
from chalicelib.domain.vouchers import (
    RedemptionPlan,
    VoucherProblem,
    plan_redemption,
    purchase_of,
)
from chalicelib.services.errors import RefusedError, UnknownError
from chalicelib.services.lookups import claim_on, find_voucher, find_voucher_on_order
from chalicelib.services.moves import move_order, redemption_changes
from chalicelib.services.ports import (
    ContentionError,
    ListUnavailableError,
    Ports,
)
from chalicelib.services.retry import retry_on_conflict

_USES_VOUCHERS = frozenset({OrderStatus.PLACED, OrderStatus.KEPT})


@dataclass(frozen=True)
class OrderOutcome:
    """The outcome of one reported order. `problem` is None when it was accepted."""

    effect: str
    problem: str | None = None


@dataclass(frozen=True)
class Matches:
    """Which buyers and orders of some rows are known: pairs of campaign and digest, and pairs of
    campaign and order id.
    """

    buyers: frozenset[tuple[str, str]]
    orders: set[tuple[str, str]]  # and those recorded since

    def include(self, campaign: Campaign, row: OrderRow) -> bool:
        """Whether the row may have an effect in the campaign, by its order or, without a voucher
        code, by its buyer. Voucher codes are not looked up here.
        """
        buyer = None if row.voucher_code else row.email_digest
        return (campaign.id, row.order_id) in self.orders or (
            buyer is not None and (campaign.id, buyer) in self.buyers
        )

    def record(self, ports: Ports, campaign: Campaign, row: OrderRow) -> OrderOutcome:
        """Record the row; an order stored by it is known to the rows after it."""
        outcome = record_order(ports, campaign, row)
        if outcome.effect == "recorded":
            self.orders.add((campaign.id, row.order_id))
        return outcome


def find_matches(ports: Ports, campaigns: Sequence[Campaign], rows: Sequence[OrderRow]) -> Matches:
    """Find, in two batch reads, the rows that may have an effect in one of the campaigns."""
    names = [campaign.id for campaign in campaigns]
    digests = [row.email_digest for row in rows if row.email_digest and not row.voucher_code]
    claims = ports.repository.get_many(
        RefereeClaim, [{"campaign": name, "digest": digest} for name in names for digest in digests]
    )
    orders = ports.repository.get_many(
        Order, [{"campaign": name, "order_id": row.order_id} for name in names for row in rows]
    )
    return Matches(
        buyers=frozenset((claim.campaign, claim.digest) for claim in claims),
        orders={(order.campaign, order.order_id) for order in orders},
    )


_AT_ONCE = 100  # rows: the limit of one batch read


def ingest_orders(
    ports: Ports, campaign: Campaign, *, plain: Iterable[bytes], tally: Tally
) -> None:
    """Record the orders of a file; problems of rows go into `tally`. `FileRefusedError`.

    All lines are read before the first takes effect: a file damaged at its end changes nothing.
    """
    rows = list(orders(plain, tally))
    without_effect = Tally()
    for start in range(0, len(rows), _AT_ONCE):
        numbered = rows[start : start + _AT_ONCE]
        outcomes = record_orders(ports, campaign, [row for _, row in numbered])
        for (line, _), outcome in zip(numbered, outcomes, strict=True):
            if outcome.problem:
                without_effect.reject(line, outcome.problem)
    tally.add_rejected(without_effect)


def record_orders(
    ports: Ports, campaign: Campaign, rows: Sequence[OrderRow]
) -> Iterator[OrderOutcome]:
    """Record the orders of a campaign's file, in their order."""
    # A row with a code is always recorded; only the others may be skipped.
    matches = find_matches(ports, [campaign], [row for row in rows if not row.voucher_code])
    for row in rows:
        if row.voucher_code or matches.include(campaign, row):
            yield matches.record(ports, campaign, row)
        else:
            yield _early_refusal(ports, campaign, row) or OrderOutcome("not_a_referees")


def record_reported_orders(
    ports: Ports, campaigns: Sequence[Campaign], rows: Sequence[OrderRow]
) -> Iterator[OrderOutcome | None]:
    """Record orders that name no campaign, in their order: in each campaign that knows the voucher,
    the buyer or the order. None for an order that could not be recorded now: send it again.
    """
    matches = find_matches(ports, campaigns, rows)
    for row in rows:
        try:
            yield _record_in_each(ports, campaigns, row, matches)
        except (ContentionError, ListUnavailableError):
            yield None


def _record_in_each(
    ports: Ports, campaigns: Sequence[Campaign], row: OrderRow, matches: Matches
) -> OrderOutcome:
    issued_by = _campaign_of_voucher(ports, row)
    outcomes = [
        matches.record(ports, campaign, row)
        for campaign in campaigns
        if campaign.id == issued_by or matches.include(campaign, row)
    ]
    problem = next((outcome for outcome in outcomes if outcome.problem), None)
    if problem or outcomes:
        return problem or outcomes[0]
    unknown = "voucher_code_unknown" if row.voucher_code else None
    return OrderOutcome("none" if unknown else "not_a_referees", unknown)


def _campaign_of_voucher(ports: Ports, row: OrderRow) -> str | None:
    if row.voucher_code is None:
        return None
    try:
        return find_voucher(ports, row.voucher_code).campaign
    except UnknownError:
        return None


@retry_on_conflict
def record_order(ports: Ports, campaign: Campaign, row: OrderRow) -> OrderOutcome:
    """Record one order; a problem leaves everything as it was."""
    if refused := _early_refusal(ports, campaign, row):
        return refused
    status = OrderStatus(row.status)
    stored = ports.repository.get(Order, campaign=campaign.id, order_id=row.order_id)
    try:
        # The first report has handled the voucher. The present state of the code is no reason to
        # refuse a later report of the same order.
        redemption = None if stored else _redemption(ports, campaign, row, status)
    except UnknownError:
        return OrderOutcome("none", "voucher_code_unknown")
    except RefusedError as error:
        return OrderOutcome("none", f"voucher_code_{error.reason}")
    referral = _referral(ports, campaign, row, stored, redemption)
    if stored and referral and stored.referral_id != referral.referral_id:
        return OrderOutcome("none", "order_id_of_another_person")
    if referral is None:
        return _record_without_referral(ports, redemption)
    return _record_with_referral(ports, campaign, row, status, stored, referral, redemption)


def _early_refusal(ports: Ports, campaign: Campaign, row: OrderRow) -> OrderOutcome | None:
    """The refusal that follows from the row alone, without a read; None if there is none."""
    if row.currency != campaign.currency:
        return OrderOutcome("none", "currency_not_the_campaigns")
    if row.ordered_at.astimezone(UTC) > ports.clock() + timedelta(days=1):
        return OrderOutcome("none", "ordered_at_in_the_future")
    return None


def _redemption(
    ports: Ports, campaign: Campaign, row: OrderRow, status: OrderStatus
) -> RedemptionPlan | None:
    if row.voucher_code is None or status not in _USES_VOUCHERS:
        return None
    found = find_voucher_on_order(ports, row.voucher_code, row.order_id)
    plan = plan_redemption(found, purchase_of(row), ports.clock())
    if isinstance(plan, VoucherProblem):
        raise RefusedError(plan)
    if found.voucher.campaign != campaign.id:
        raise UnknownError("voucher")
    return plan


def _referral(
    ports: Ports,
    campaign: Campaign,
    row: OrderRow,
    stored: Order | None,
    redemption: RedemptionPlan | None,
) -> Referral | None:
    digest = row.email_digest
    referral_id = _referral_id_behind(ports, campaign, digest) if digest else None
    if referral_id is None and redemption and redemption.voucher.holder is HolderRole.REFEREE:
        referral_id = redemption.voucher.referral_id
    if referral_id is None and stored:
        referral_id = stored.referral_id
    referral = ports.repository.get(Referral, referral_id=referral_id) if referral_id else None
    if referral and row.ordered_at < referral.confirmed_at:
        return None
    return referral


def _referral_id_behind(ports: Ports, campaign: Campaign, digest: str) -> str | None:
    claim = claim_on(ports, campaign.id, digest)
    if claim is None:
        return None
    invitation = ports.repository.get(
        Invitation, sponsor_id=claim.sponsor_id, invitation_id=claim.invitation_id
    )
    return invitation.referral_id if invitation else None


def _record_without_referral(ports: Ports, redemption: RedemptionPlan | None) -> OrderOutcome:
    changes, facts = redemption_changes(ports, redemption)
    if not changes:
        return OrderOutcome("not_a_referees")
    ports.repository.commit(*changes, facts=facts)
    return OrderOutcome("redeemed")


def _record_with_referral(
    ports: Ports,
    campaign: Campaign,
    row: OrderRow,
    status: OrderStatus,
    stored: Order | None,
    referral: Referral,
    redemption: RedemptionPlan | None,
) -> OrderOutcome:
    changes, facts = redemption_changes(ports, redemption)
    if moves_forward(stored.status if stored else None, status):
        order = updated_order(stored, row) if stored else new_order(campaign, row, referral)
        moved, moved_facts = move_order(ports, campaign, order, status, referral)
        changes += moved
        facts += moved_facts
    if not changes:
        return OrderOutcome("known_already")
    ports.repository.commit(*changes, facts=facts)
    return OrderOutcome("recorded")
