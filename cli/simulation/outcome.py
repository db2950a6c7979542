"""What a simulation comes to: by rule, in total, and over time; amounts in minor units.

The cost is what the vouchers that were not revoked are worth, by the day of their issue, as if each
of them were used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import Rule
from chalicelib.domain.files.reading import Tally
from chalicelib.domain.vouchers import Voucher, VoucherState
from cli.simulation.granting import Granting
from cli.simulation.history import ReportedOrder, confirmations, events
from cli.simulation.play import Simulation
from cli.simulation.referees import make_referees

_MOST_WEEKS = 26
_MOST_MONTHS = 36


class Period(StrEnum):
    """What the cost over time is summed by."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass
class Sum:
    """A number of vouchers and their value."""

    vouchers: int = 0
    value_minor: int = 0

    def add(self, voucher: Voucher) -> None:
        """Add a voucher."""
        self.vouchers += 1
        self.value_minor += voucher.value_minor


@dataclass
class RuleOutcome:
    """What one rule comes to. `granted` was not revoked; `used` is the part of it that orders of
    the file used; `refused` counts by reason.
    """

    rule: Rule
    granted: Sum = field(default_factory=Sum)
    revoked: Sum = field(default_factory=Sum)
    used: Sum = field(default_factory=Sum)
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What an order file does not say."""

    confirmed_days_before: int = 0
    referees_per_sponsor: int = 1


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a campaign file would have granted for the orders of a file."""

    campaign: Campaign
    assumptions: Assumptions
    tally: Tally
    orders: Mapping[str, int]  # by the status they end with
    without_digest: int
    referees: int
    sponsors: int
    rules: Sequence[RuleOutcome]
    code_problems: Mapping[str, int]
    spent_minor: int
    issued: Mapping[date, Sum]  # of what was not revoked, by local day

    @property
    def total(self) -> Sum:
        """All that was granted and not revoked."""
        return _total(each.granted for each in self.rules)

    @property
    def revoked(self) -> Sum:
        """All that was revoked."""
        return _total(each.revoked for each in self.rules)

    @property
    def budget_left_minor(self) -> int | None:
        """What is left of the budget; None without one."""
        budget = self.campaign.caps.budget_minor
        return None if budget is None else budget - self.spent_minor


def simulate(
    campaign: Campaign, reported: Sequence[ReportedOrder], tally: Tally, assumptions: Assumptions
) -> Outcome:
    """Play the orders through the rules of the campaign."""
    confirmed = confirmations(reported, assumptions.confirmed_days_before)
    referees = make_referees(campaign, confirmed, assumptions.referees_per_sponsor)
    played = Simulation(Granting(campaign, referees))
    played.play(events(campaign, reported, confirmed))
    return Outcome(
        campaign=campaign,
        assumptions=assumptions,
        tally=tally,
        orders=Counter(order.status.value for order in played.orders.values()),
        without_digest=sum(not order.digest for order in reported),
        referees=len(referees),
        sponsors=len({each.referral.sponsor_id for each in referees.values()}),
        rules=_by_rule(played.granting),
        code_problems=Counter(played.code_problems.values()),
        spent_minor=played.granting.spent_minor,
        issued=_by_day(played.granting),
    )


def _by_rule(granting: Granting) -> list[RuleOutcome]:
    found = {rule.id: RuleOutcome(rule) for rule in granting.campaign.rules}
    for voucher in granting.vouchers.values():
        outcome = found[voucher.rule]
        if voucher.state is VoucherState.REVOKED:
            outcome.revoked.add(voucher)
            continue
        outcome.granted.add(voucher)
        if voucher.state is VoucherState.REDEEMED:
            outcome.used.add(voucher)
    for referee in granting.referees.values():
        for reward in referee.rewards.values():
            if reward.refused_reason:
                found[reward.rule].refused[reward.refused_reason] += 1
    return list(found.values())


def _by_day(granting: Granting) -> dict[date, Sum]:
    days: dict[date, Sum] = {}
    for voucher in granting.vouchers.values():
        if voucher.state is not VoucherState.REVOKED:
            day = granting.campaign.local_date(voucher.issued_at)
            days.setdefault(day, Sum()).add(voucher)
    return days


def _total(sums: Iterable[Sum]) -> Sum:
    total = Sum()
    for each in sums:
        total.vouchers += each.vouchers
        total.value_minor += each.value_minor
    return total


# --- over time ----------------------------------------------------------------------------------


def period_for(days: Iterable[date]) -> Period:
    """Weeks for up to half a year, months for up to three years."""
    known = sorted(days)
    span = (known[-1] - known[0]).days if known else 0
    if span < _MOST_WEEKS * 7:
        return Period.WEEK
    return Period.MONTH if span < _MOST_MONTHS * 30 else Period.YEAR


def over_time(issued: Mapping[date, Sum], period: Period) -> list[tuple[date, Sum]]:
    """What was issued in each period, by its first day; periods without anything included."""
    sums: dict[date, list[Sum]] = {}
    for day, each in issued.items():
        sums.setdefault(_first_day(day, period), []).append(each)
    if not sums:
        return []
    found, first, end = [], min(sums), max(sums)
    while first <= end:
        found.append((first, _total(sums.get(first, ()))))
        first = _first_day(first + timedelta(days=_LONGEST[period]), period)
    return found


# So many days after a first day, the next period has started, and not the one after it.
_LONGEST = {Period.DAY: 1, Period.WEEK: 7, Period.MONTH: 31, Period.YEAR: 366}


def _first_day(day: date, period: Period) -> date:
    """The day itself, its Monday, or the first of its month or year."""
    if period is Period.DAY:
        return day
    if period is Period.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period is Period.MONTH else day.replace(month=1, day=1)
