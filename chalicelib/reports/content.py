"""What a report says, in the words of a language: figures, charts and the table behind each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from chalicelib.domain.cohorts import REFERRED, Cohort, compared
from chalicelib.domain.insights import (
    LADDER,
    MONEY,
    by_week,
    channels_by_week,
    cohorts_by_week,
    family,
    median_days,
    median_hours,
    money,
    money_by_template,
    per,
    reached,
    releases_by_week,
    share,
)
from chalicelib.domain.survival import curve_of, longest, people_in
from chalicelib.mails.formats import long_day, money_text
from chalicelib.reports.charts import Bar, Bars, Chart, Curve, Curves, Stack, Stacks
from chalicelib.reports.formats import (
    count_text,
    days_text,
    decimal_text,
    month_text,
    percent_text,
    points_text,
    short_day,
)
from chalicelib.reports.texts import Texts
from chalicelib.services.operations.dashboard import Dashboard

EMPTY = "–"


@dataclass(frozen=True)
class Figure:
    """A number in large type, what it is, and what it is made of."""

    name: str
    value: str
    note: str


@dataclass(frozen=True)
class Table:
    """Rows of cells; the first cell of a row names it."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """A question, the chart that answers it, the table behind it, and what to know of it."""

    title: str
    table: Table
    chart: Chart | None = None
    note: str = ""


@dataclass(frozen=True)
class Report:
    """A report, whole."""

    locale: str
    title: str
    subtitle: str
    colour: str
    figures: Sequence[Figure]
    sections: Sequence[Section]
    footer: str


def report_of(shown: Dashboard, locale: str) -> Report:
    """The report of what the dashboard shows. A part of which nothing is known is left out."""
    made = _Maker(shown, locale)
    sections = (
        made.funnel(), made.weeks(), made.channels(), made.cohorts(), made.vouchers(),
        made.outstanding(), made.survival(), made.refusals(), made.tills(), made.lists(),
    )  # fmt: skip
    return Report(
        locale=locale,
        title=shown.campaign.title.get(locale) or shown.campaign.id,
        subtitle=made.subtitle(),
        colour=shown.campaign.brand.colour,
        figures=list(made.figures()),
        sections=[each for each in sections if each and each.table.rows],
        footer=made.text("footer", brand=shown.campaign.brand.name),
    )


class _Maker:
    """Parts of one report."""

    def __init__(self, shown: Dashboard, locale: str) -> None:
        self._shown = shown
        self._locale = locale
        self._counts: Mapping[str, int] = {**shown.funnel, **shown.figures}
        self._days = {
            day: {**counts, **shown.figures_by_day.get(day, {})}
            for day, counts in shown.days.items()
        }
        self.text = Texts(locale)

    def subtitle(self) -> str:
        campaign, until = self._shown.campaign, self._shown.counted_until
        day = campaign.local_date(until or self._shown.as_of)
        return self.text("subtitle", day=long_day(day, self._locale), version=campaign.version)

    # --- figures ----------------------------------------------------------------------------------

    def figures(self) -> Iterator[Figure]:
        text, counts = self.text, self._counts
        new, again = reached(counts, 1), reached(counts, 2)
        sent, revenue, used = counts["sent"], counts.get("revenue", 0), money(counts, "redeemed")
        active, vips = counts.get("sponsors.active", 0), self._vips()
        yield self._figure("new", self._count(new), confirmed=self._count(counts["confirmed"]))
        yield self._figure("acceptance", self._percent(counts["confirmed"], sent),
                           sent=self._count(sent))  # fmt: skip
        yield self._figure("revenue", self._money(revenue),
                           basket=self._money(per(revenue, counts["orders_kept"])))  # fmt: skip
        yield self._figure("cost", self._money(per(used, new)), used=self._money(used))
        yield Figure(text("figure.sponsors"), self._count(active),
                     text("figure.sponsors.note", share=self._percent(active, vips),
                          vips=self._count(vips)))  # fmt: skip
        yield self._figure("again", self._percent(again, new), again=self._count(again))

    def _figure(self, name: str, value: str, **values: str) -> Figure:
        return Figure(
            self.text(f"figure.{name}"), value, self.text(f"figure.{name}.note", **values)
        )

    def _vips(self) -> int:
        vips = self._shown.lists.get("vips")
        return vips.rows if vips else 0

    # --- sections ---------------------------------------------------------------------------------

    def funnel(self) -> Section:
        counts = self._counts
        hours = median_hours(counts)
        delays = {"confirmed": self.text("hours", hours=hours) if hours else EMPTY}
        funnel = [
            ("vips", self._vips()),
            ("signed_in", counts.get("sponsors.signed_in", 0)),
            ("active", counts.get("sponsors.active", 0)),
            ("invited", counts["invited"]),
            ("sent", counts["sent"]),
            ("confirmed", counts["confirmed"]),
        ]
        for orders in LADDER:
            funnel.append((f"order_{orders}", reached(counts, orders)))
            days = median_days(counts, orders)
            delays[f"order_{orders}"] = EMPTY if days is None else days_text(days, self.text)
        rows, bars, before = [], [], 0
        for at, (name, number) in enumerate(funnel):
            # People invite several: what is counted changes there, so that is no share.
            part = self._percent(number, before) if at and name != "invited" else EMPTY
            label = self.text(f"step.{name}")
            rows.append([label, self._count(number), part, delays.get(name, EMPTY)])
            bars.append(Bar(label, number, self._count(number)))
            before = number
        headings = ("step", "number", "of_before", "delay")
        return self._section("funnel", headings, rows, Bars(bars))

    def weeks(self) -> Section:
        names = ("sent", "confirmed", "orders_kept")
        weeks = {name: by_week(self._days, name) for name in names}
        parts = channels_by_week(self._days, "confirmed")
        releases = releases_by_week(self._days)
        every = list(weeks["sent"])
        rows = [
            [
                self._short(week),
                *(self._count(weeks[name][week]) for name in names),
                *(self._count(of[week]) for of in parts.values()),
                *([self._release(releases.get(week))] if releases else []),
            ]
            for week in every
        ]
        headings = [
            self.text("week"),
            *(self.text(f"count.{name}") for name in names),
            *(self._confirmed_by(channel) for channel in parts),
            *([self.text("version")] if releases else []),
        ]
        stacks = [Stack(self._channel(name), list(of.values())) for name, of in parts.items()]
        notes = [
            (at, self._release(releases[week])) for at, week in enumerate(every) if week in releases
        ]
        chart = Stacks(stacks, [self._short(week) for week in every], notes)
        note = self.text("weeks.note")
        return Section(self.text("section.weeks"), Table(headings, rows), chart, note)

    def _confirmed_by(self, channel: str) -> str:
        return self.text("confirmed_by", channel=self._channel(channel))

    def _channel(self, channel: str) -> str:
        return self.text.known(f"channel.{channel}", channel)

    def _release(self, version: int | None) -> str:
        return self.text("release", version=version) if version else ""

    def channels(self) -> Section:
        rows = []
        for channel in ("email", "link"):
            of = family(self._counts, f"channel.{channel}")
            if of:
                numbers = [of.get(step, 0) for step in ("invited", "refused", "sent", "confirmed")]
                rate = self._percent(numbers[3], numbers[2])
                rows.append([self.text(f"channel.{channel}"), *map(self._count, numbers), rate])
        headings = ("channel", "count.invited", "count.refused", "count.sent", "count.confirmed",
                    "acceptance")  # fmt: skip
        return self._section("channels", headings, rows)

    def cohorts(self) -> Section:
        rows = [
            [
                self._short(one.week),
                self._count(one.confirmed),
                *(self._percent(number, one.confirmed) for number in one.reached),
            ]
            for one in cohorts_by_week(self._days)
        ]
        orders_kept = [f"step.order_{orders}" for orders in LADDER]
        return self._section("cohorts", ("week", "count.confirmed", *orders_kept), rows)

    def vouchers(self) -> Section:
        templates = money_by_template(self._counts)
        rows = [
            [template, *(self._money(of[what]) for what in MONEY)]
            for template, of in templates.items()
        ]
        if templates:
            rows.append(
                [self.text("all"), *(self._money(money(self._counts, what)) for what in MONEY)]
            )
        bars = [
            Bar(self.text(f"money.{what}"), minor, self._money(minor))
            for what in MONEY
            if (minor := money(self._counts, what)) or what == "issued"
        ]
        return self._section(
            "vouchers", ("template", *(f"money.{what}" for what in MONEY)), rows, Bars(bars)
        )

    def outstanding(self) -> Section:
        due = {month: minor for month, minor in family(self._counts, "due").items() if minor > 0}
        months = {month_text(month, self._locale): due[month] for month in sorted(due)}
        rows = [[month, self._money(minor)] for month, minor in months.items()]
        bars = [Bar(month, minor, self._money(minor)) for month, minor in months.items()]
        return self._section("outstanding", ("month", "value"), rows, Bars(bars))

    def survival(self) -> Section | None:
        cohorts = self._shown.cohorts
        if not cohorts:
            return None
        ours = next((one for one in cohorts if one.source == REFERRED), None)
        curves = [
            Curve(
                self._source(one),
                [
                    (point.days, 100 * point.survival)
                    for point in curve_of(one.histogram)
                    if point.days <= longest(one.histogram)
                ],
                is_stepped=True,
                until=longest(one.histogram),
                band=[
                    (point.days, 100 * point.low, 100 * point.high)
                    for point in curve_of(one.histogram)
                ]
                if one is ours
                else (),
            )
            for one in cohorts
        ]
        last = max(longest(one.histogram) for one in cohorts)
        marks = [(days, str(days)) for days in range(0, last + 1, 30)]
        headings = ("source", "people", "difference_30", "difference_90", "difference_180", "p")
        rows = [self._survival_row(one, ours) for one in cohorts]
        return self._section(
            "survival", headings, rows, Curves(curves, marks, top=100), note="survival.note"
        )

    def _survival_row(self, one: Cohort, ours: Cohort | None) -> list[str]:
        lives = one.histogram
        row = [self._source(one), self._count(people_in(lives))]
        if ours is None or one is ours:
            return [*row, EMPTY, EMPTY, EMPTY, EMPTY]
        found = compared(ours.histogram, lives)
        by_days = {each.days: each for each in found.differences}
        points = [
            points_text(by_days[days], self.text, self._locale) if days in by_days else EMPTY
            for days in (30, 90, 180)
        ]
        return [*row, *points, self._p(found.p)]

    def _p(self, p: float | None) -> str:
        if p is None:
            return EMPTY
        return self.text("p_below") if p < 0.001 else decimal_text(p, 3, self._locale)

    def _source(self, one: Cohort) -> str:
        return self.text("source.referred") if one.source == REFERRED else one.source

    def refusals(self) -> Section:
        return self._reasons("refusals", "refused", self._shown.refused_by_reason)

    def tills(self) -> Section:
        return self._reasons("tills", "till", family(self._counts, "till"))

    def _reasons(self, name: str, words: str, counts: Mapping[str, int]) -> Section:
        ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
        rows = [[self.text.known(f"{words}.{why}", why), self._count(by)] for why, by in ordered]
        bars = [Bar(row[0], by, row[1]) for row, (_, by) in zip(rows, ordered, strict=True)]
        return self._section(name, ("reason", "number"), rows, Bars(bars))

    def lists(self) -> Section:
        shown = self._shown
        rows = [
            [
                self.text.known(f"list.{name}", name),
                self._count(one.rows),
                self._change(one.rows, shown.rows_before.get(name)),
                days_text((shown.as_of - one.accepted_at).days, self.text)
                if one.accepted_at
                else EMPTY,
                days_text(one.max_age_days, self.text),
            ]
            for name, one in shown.lists.items()
        ]
        return self._section("lists", ("list", "rows", "change", "age", "max_age"), rows)

    def _change(self, rows: int, before: int | None) -> str:
        if before is None:
            return EMPTY
        return f"{'+' if rows >= before else '−'}{self._count(abs(rows - before))}"

    # --- words and numbers ------------------------------------------------------------------------

    def _section(
        self,
        name: str,
        headings: Sequence[str],
        rows: Sequence[Sequence[str]],
        chart: Chart | None = None,
        note: str = "",
    ) -> Section:
        table = Table([self.text(heading) for heading in headings], rows)
        return Section(self.text(f"section.{name}"), table, chart, self.text(note) if note else "")

    def _count(self, number: int) -> str:
        return count_text(number, self._locale)

    def _percent(self, part: int, whole: int) -> str:
        value = share(part, whole)
        return EMPTY if value is None else percent_text(value, self._locale)

    def _money(self, minor: int | None) -> str:
        if minor is None:
            return EMPTY
        text = money_text(abs(minor), self._shown.campaign.currency, self._locale)
        return text if minor >= 0 else f"−{text}"

    def _short(self, day: date) -> str:
        return short_day(day, self._locale)
