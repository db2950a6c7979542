"""What the counts of a campaign come to: the numbers that reports and the dashboard show.

Pure, and all of it from counts by day (`effects`, `figures`), so whatever is shown can be
recomputed from the journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from chalicelib.domain.figures import HOURS

Counts = Mapping[str, int]
Days = Mapping[date, Counts]
MONEY = ("issued", "redeemed", "expired", "revoked")
LADDER = (1, 2, 3)


def family(counts: Counts, name: str) -> dict[str, int]:
    """The counts `name.…` by the rest of their names."""
    start = f"{name}."
    return {full[len(start) :]: by for full, by in counts.items() if full.startswith(start)}


def reached(counts: Counts, orders: int) -> int:
    """How many referees have so many kept orders, less those who had them and returned one."""
    kept = sum(family(counts, f"kept.{orders}").values())
    return kept - sum(family(counts, f"lost.{orders}").values())


def median_days(counts: Counts, orders: int) -> int | None:
    """How many days after the confirmation half of those who reached so many kept orders had."""
    by_days = {int(days): by for days, by in family(counts, f"kept.{orders}").items()}
    total = sum(by_days.values())
    seen = 0
    for days in sorted(by_days):
        seen += by_days[days]
        if 2 * seen >= total:
            return days
    return None


def median_hours(counts: Counts) -> int | None:
    """Within how many hours after the mail half of the confirmations came; None where there are
    none, or where that is longer than the longest that is counted.
    """
    within = family(counts, "within")
    total, seen = sum(within.values()), 0
    for hours in HOURS:
        seen += within.get(str(hours), 0)
        if total and 2 * seen >= total:
            return hours
    return None


@dataclass(frozen=True)
class WeekCohort:
    """The referees who confirmed in the week that begins on a Monday, and how many of them have 1,
    2 and 3 kept orders by now.
    """

    week: date
    confirmed: int
    reached: tuple[int, ...]


def week_of(day: date) -> date:
    """The Monday of the week that `day` is in."""
    return day - timedelta(days=day.weekday())


def cohorts_by_week(days: Days) -> list[WeekCohort]:
    """The cohorts, the first week first."""
    confirmed: dict[date, int] = {}
    counted: dict[tuple[date, int], int] = {}
    for day, counts in days.items():
        if by := counts.get("confirmed", 0):
            confirmed[week_of(day)] = confirmed.get(week_of(day), 0) + by
        for orders in LADDER:
            for what, sign in (("kept", 1), ("lost", -1)):
                for age, by in family(counts, f"{what}.{orders}").items():
                    key = week_of(day - timedelta(days=int(age))), orders
                    counted[key] = counted.get(key, 0) + sign * by
    return [
        WeekCohort(week, confirmed[week], tuple(counted.get((week, each), 0) for each in LADDER))
        for week in sorted(confirmed)
    ]


def by_week(days: Days, name: str) -> dict[date, int]:
    """A count by week, without gaps from the first to the last one."""
    weeks: dict[date, int] = {}
    if not days:
        return weeks
    week, last = week_of(min(days)), week_of(max(days))
    while week <= last:
        weeks[week] = 0
        week += timedelta(days=7)
    for day, counts in days.items():
        weeks[week_of(day)] += counts.get(name, 0)
    return weeks


UNKNOWN = "unknown"


def channels_by_week(days: Days, step: str) -> dict[str, dict[date, int]]:
    """A step of the invitations by channel and week; the channels of a week add up to the step.
    What an earlier version counted without its channel is `unknown`, if there is any.
    """
    names = dict.fromkeys(
        name.partition(".")[0] for counts in days.values() for name in family(counts, "channel")
    )
    parts = {name: by_week(days, f"channel.{name}.{step}") for name in sorted(names)}
    rest = by_week(days, step)
    for of in parts.values():
        rest = {week: by - of[week] for week, by in rest.items()}
    return parts | ({UNKNOWN: rest} if any(by > 0 for by in rest.values()) else {})


def releases_by_week(days: Days) -> dict[date, int]:
    """The newest version of the campaign that came in force in a week."""
    releases: dict[date, int] = {}
    for day, counts in days.items():
        for version in family(counts, "release"):
            releases[week_of(day)] = max(int(version), releases.get(week_of(day), 0))
    return releases


def money_by_template(counts: Counts) -> dict[str, dict[str, int]]:
    """What vouchers of each template were worth, in minor units, by what became of them."""
    templates: dict[str, dict[str, int]] = {}
    for what in MONEY:
        for template, minor in family(counts, f"money.{what}").items():
            templates.setdefault(template, dict.fromkeys(MONEY, 0))[what] = minor
    return dict(sorted(templates.items()))


def money(counts: Counts, what: str) -> int:
    """The value of all vouchers of which that became, in minor units."""
    return sum(family(counts, f"money.{what}").values())


def per(total: int, number: int) -> int | None:
    """A rounded share of a sum in minor units; None of nothing."""
    return round(total / number) if number > 0 else None


def share(part: int, whole: int) -> float | None:
    """A part of a whole; None of nothing."""
    return part / whole if whole > 0 else None


def added(every: Iterable[Counts]) -> dict[str, int]:
    """The counts of several days together."""
    summed: dict[str, int] = {}
    for counts in every:
        for name, by in counts.items():
            summed[name] = summed.get(name, 0) + by
    return summed
