"""Reports: what they say, in every language, and that their two files need nothing else."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from string import Formatter

import pytest

from chalicelib.domain.cohorts import REFERRED, Cohort, cohort_of
from chalicelib.domain.eligibility import Reason
from chalicelib.domain.insights import (
    added,
    by_week,
    channels_by_week,
    cohorts_by_week,
    median_days,
    median_hours,
    money,
    per,
    reached,
    releases_by_week,
    share,
    week_of,
)
from chalicelib.domain.locales import LOCALES
from chalicelib.domain.orders import CodeProblem
from chalicelib.domain.referrals import Referral
from chalicelib.domain.survival import Life
from chalicelib.domain.vouchers import VoucherProblem
from chalicelib.mails.catalogues import read_catalogue
from chalicelib.reports.charts import (
    COLOURS,
    WIDTH,
    Bar,
    Bars,
    Box,
    Curve,
    Curves,
    Path,
    Stack,
    Stacks,
    Word,
    drawing_of,
    ticks_to,
)
from chalicelib.reports.content import Report, report_of
from chalicelib.reports.html import html_of
from chalicelib.reports.pdf import pdf_of
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.cohort_store import store_cohort
from chalicelib.services.operations.dashboard import view_dashboard
from chalicelib.weekly_report import AFTER_THE_END, write_weekly_report
from tests.architecture.sources import ROOT
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.world import CUSTOMERS, World, new_world

JEANNE, PAUL = "jeanne@example.fr", "paul@example.fr"
every_locale = pytest.mark.parametrize("locale", LOCALES)


@pytest.fixture(scope="module")
def busy() -> World:
    """A world in which there is something to show in every section."""
    world = new_world()
    world.invite(world.sponsor(), JEANNE, PAUL, CUSTOMERS[0])
    world.run()
    world.clock.advance(hours=4)
    world.confirm(JEANNE)
    world.confirm(PAUL)
    world.run()
    world.clock.advance(days=8)
    put_campaign(world.ports, campaign(quotas={"invitations_per_sponsor": 30}))
    world.drop_orders(
        world.order("A1", "kept", of=JEANNE, amount="60.00"),
        world.order("B1", "kept", of=PAUL, amount="40.00", code="WE-NOT-OURS"),
    )
    world.run()
    world.clock.advance(days=2)
    world.drop_orders(world.order("A2", "kept", of=JEANNE, amount="20.00"), file="second")
    world.run()
    today = world.campaign.local_date(world.clock())
    lives = {
        REFERRED: {Life(30, ended=1): 5, Life(200, active=1): 20},
        "search": {Life(20, ended=1): 60, Life(220, active=1): 40},
    }
    for source, of in lives.items():
        store_cohort(world.ports, cohort_of(CAMPAIGN, source, today, world.clock(), of))
    return world


def made(world: World, locale: str = "en") -> Report:
    return report_of(view_dashboard(world.ports, CAMPAIGN), locale)


def table(report: Report, title: str) -> list[list[str]]:
    [section] = [one for one in report.sections if one.title.startswith(title)]
    return [list(row) for row in section.table.rows]


# --- what it says ---------------------------------------------------------------------------------


def test_the_six_figures_are_those_of_the_story(busy: World) -> None:
    figures = {one.name: (one.value, one.note) for one in made(busy).figures}
    assert figures == {
        "New customers": ("2", "with a first final order, of 2 confirmed"),
        "Acceptance": ("100%", "of 2 mails sent"),
        "Revenue of referees": ("€120", "average basket: €40"),
        "Cost per new customer": ("€0", "vouchers used: €0"),
        "Active sponsors": ("1", "20% of 5 VIPs"),
        "Buying again": ("50%", "1 with a second final order"),
    }


def test_the_funnel_has_shares_of_the_step_before_and_median_delays(busy: World) -> None:
    rows = table(made(busy), "From the VIP")
    assert rows[3] == ["Invitations", "3", "–", "–"]
    assert rows[5] == ["Confirmed", "2", "100%", "within 6 h"]
    assert rows[6] == ["First order", "2", "100%", "8 days"]
    assert rows[7] == ["Second order", "1", "50%", "10 days"]


def test_survival_is_compared_in_points(busy: World) -> None:
    ours, search = table(made(busy), "Who goes on buying?")
    assert ours == ["Referred", "25", "–", "–", "–", "–"]
    # 80 % against 40 % at 30 and 180 days.
    assert search[:2] == ["search", "100"]
    assert all(cell.startswith("+40.0 points (") for cell in search[2:5])
    assert search[5] == "< 0.001"


def test_money_cohorts_refusals_and_tills_have_their_rows(busy: World) -> None:
    report = made(busy)
    assert table(report, "Vouchers, in money")[-1] == ["All", "€67.50", "€0", "€0", "€0"]
    [cohort] = table(report, "Do newcomers buy again?")
    assert cohort == ["02/03/2026", "2", "100%", "50%", "0%"]
    assert table(report, "Invitations refused")[0][0].startswith("Already a customer")
    assert table(report, "Codes that were not used") == [
        ["Not one of ours: a typo, or another programme", "1"]
    ]


def test_a_campaign_of_which_nothing_is_known_has_a_report() -> None:
    world = new_world()
    report = made(world)
    assert {one.value for one in report.figures} <= {"0", "–", "€0"}
    assert b"%PDF" in pdf_of(report, world.clock())
    assert "<svg" in html_of(report)


# --- its files ------------------------------------------------------------------------------------


@every_locale
def test_the_html_file_needs_nothing_else(busy: World, locale: str) -> None:
    html = html_of(made(busy, locale))
    addresses = set(re.findall(r"https?://[^\"' <]+", html))
    assert addresses == {"http://www.w3.org/2000/svg"}
    assert "<script" not in html
    assert " src=" not in html
    assert "url(" not in html
    assert f'<html lang="{locale}">' in html
    assert html.count("<svg") >= 6
    assert len(html) < 60_000
    for section in made(busy, locale).sections:
        assert section.table.rows


def test_what_the_campaign_says_is_no_markup(busy: World) -> None:
    shown = view_dashboard(busy.ports, CAMPAIGN)
    title = {"en": '<b onload="x">&'}
    named = shown.campaign.model_copy(update={"title": title})
    html = html_of(report_of(replace(shown, campaign=named), "en"))
    assert "<b onload" not in html
    assert "&lt;b onload=&quot;x&quot;&gt;&amp;" in html


@every_locale
def test_the_pdf_embeds_its_fonts_and_is_the_same_when_made_again(busy: World, locale: str) -> None:
    report = made(busy, locale)
    content = pdf_of(report, busy.clock())
    assert content.startswith(b"%PDF-")
    assert content.count(b"/FontFile2") == 2
    assert b"/Subtype /Image" not in content
    assert 2 <= len(re.findall(rb"/Type /Page\b", content)) <= 8
    assert len(content) < 100_000
    assert pdf_of(report, busy.clock()) == content


def test_no_letter_of_any_language_is_missing_in_the_fonts() -> None:
    import font_source_sans_pro
    from fontTools.ttLib import TTFont

    letters = {
        letter
        for locale in LOCALES
        for message in read_catalogue(locale, "reports")
        if message.id
        for letter in str(message.string)
    }
    for name in ("Regular", "Semibold"):
        font = TTFont(f"{font_source_sans_pro.font_directory}/SourceSansPro-{name}.ttf")
        known = set(font.getBestCmap())
        assert not [one for one in letters | set("−–€") if ord(one) not in known]


def test_streams_of_the_pdf_are_compressed(busy: World) -> None:
    content = pdf_of(made(busy), busy.clock())
    [first] = re.findall(rb"stream\n(.*?)\nendstream", content, re.DOTALL)[:1]
    assert zlib.decompress(first)


# --- the schedule ---------------------------------------------------------------------------------


def test_a_report_is_written_once_on_each_monday() -> None:
    world = new_world()  # on a Monday
    day = world.campaign.local_date(world.clock())
    files = [f"out/{CAMPAIGN}/reports/{day}.{ending}" for ending in ("html", "pdf")]
    assert write_weekly_report(world.ports, world.campaign) == day
    assert list(world.files.under(f"out/{CAMPAIGN}/reports/")) == files
    world.clock.advance(hours=3)
    assert write_weekly_report(world.ports, world.campaign) is None
    del world.files.content[files[1]]  # as if it had been killed between the two
    assert write_weekly_report(world.ports, world.campaign) == day
    for _ in range(6):
        world.clock.advance(days=1)
        assert write_weekly_report(world.ports, world.campaign) is None
    world.clock.advance(days=1)
    assert write_weekly_report(world.ports, world.campaign) == day + timedelta(days=7)


def test_a_campaign_that_is_long_over_is_reported_on_no_more() -> None:
    world = new_world(ends_on="2026-03-02")
    world.clock.advance(days=28)
    assert write_weekly_report(world.ports, world.campaign)
    world.clock.advance(days=7)
    assert timedelta(days=35) > AFTER_THE_END
    assert write_weekly_report(world.ports, world.campaign) is None


# --- what counts come to --------------------------------------------------------------------------

DAY = date(2026, 5, 6)  # a Wednesday


def test_a_cohort_is_found_again_by_the_day_and_the_age() -> None:
    days = {
        DAY: {"confirmed": 3},
        DAY + timedelta(days=7): {"confirmed": 1, "kept.1.7": 2, "kept.1.0": 1},
        DAY + timedelta(days=9): {"kept.2.9": 1, "lost.1.9": 1},
    }
    first, second = cohorts_by_week(days)
    assert (first.week, first.confirmed, first.reached) == (date(2026, 5, 4), 3, (1, 1, 0))
    assert (second.confirmed, second.reached) == (1, (1, 0, 0))
    assert reached(added(days.values()), 1) == 2


def test_medians_are_where_half_have_come() -> None:
    assert median_days({"kept.1.3": 1, "kept.1.10": 1, "kept.1.30": 1}, 1) == 10
    assert median_days({"kept.2.3": 1}, 1) is None
    assert median_hours({"within.1": 1, "within.24": 2}) == 24
    assert median_hours({"within.1": 1, "within.more": 3}) is None
    assert median_hours({}) is None


def test_weeks_have_no_gaps_and_shares_of_nothing_are_none() -> None:
    weeks = by_week({DAY: {"sent": 2}, DAY + timedelta(days=15): {"sent": 1}}, "sent")
    assert list(weeks.values()) == [2, 0, 1]
    assert week_of(DAY) == date(2026, 5, 4)
    assert by_week({}, "sent") == {}
    assert (share(1, 0), per(100, 0), share(1, 4), per(100, 3)) == (None, None, 0.25, 33)
    assert money({"money.issued.a": 2, "money.issued.b": 3, "money.redeemed.a": 1}, "issued") == 5


# --- charts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [0, 0.4, 1, 3, 4, 7, 99, 100, 101, 12_345])
def test_an_axis_ends_at_the_first_tick_that_is_not_below(most: float) -> None:
    ticks = ticks_to(most)
    assert ticks[0] == 0
    assert ticks[-1] >= most > (ticks[-2] if most else -1)
    assert 2 <= len(ticks) <= 7


def test_everything_is_drawn_within_the_plane(busy: World) -> None:
    for section in made(busy).sections:
        if section.chart:
            drawing = drawing_of(section.chart, "#1f4e3d")
            for mark in drawing.marks:
                points = mark.points if isinstance(mark, Path) else [(mark.x, mark.y)]
                if isinstance(mark, Box):
                    points = [*points, (mark.x + mark.width, mark.y + mark.height)]
                for x, y in points:
                    assert -0.01 <= x <= drawing.width + 0.01
                    assert -0.01 <= y <= drawing.height + 12


def test_series_differ_by_dashes_and_their_names_do_not_overlap() -> None:
    curves = [Curve(f"series {number}", [(0, 1), (9, 5)]) for number in range(4)]
    marks = drawing_of(Curves(curves, [(0, "0"), (9, "9")]), "#1f4e3d").marks
    lines = [one for one in marks if isinstance(one, Path) and one.width == 2]
    assert len({line.dash for line in lines}) == 4
    names = [one.y for one in marks if isinstance(one, Word) and one.text.startswith("series")]
    assert all(later - earlier >= 12 for earlier, later in pairwise(names))


def test_a_curve_of_steps_holds_its_value_until_the_next_and_to_its_end() -> None:
    curve = Curve("ours", [(0, 100), (10, 50)], is_stepped=True, until=20)
    [line] = [
        one
        for one in drawing_of(Curves([curve], [(0, "0")]), "#1f4e3d").marks
        if isinstance(one, Path) and one.width == 2
    ]
    (_, y0), (x1, y1), (x2, y2), (x3, y3) = line.points
    assert (y0, y2) == (y1, y3)
    assert x1 == x2 < x3 <= WIDTH


def test_parts_of_a_bar_stand_on_each_other_and_differ_by_stripes() -> None:
    stacks = [Stack("E-mail", [3, 0]), Stack("Shared link", [1, 2])]
    marks = drawing_of(Stacks(stacks, ["1", "2"], [(1, "version 2")]), "#1f4e3d").marks
    boxes = [one for one in marks if isinstance(one, Box)]
    first, second = (
        [one for one in boxes if one.colour == colour and one.width > 9] for colour in COLOURS[:2]
    )
    assert second[0].y + second[0].height == pytest.approx(first[0].y)
    assert first[0].height == pytest.approx(3 * second[0].height)
    assert second[1].y + second[1].height == pytest.approx(first[0].y + first[0].height)
    stripes = [one for one in boxes if one.colour == "#ffffff"]
    assert stripes
    assert all(one.x >= first[1].x or one.y < first[0].y for one in stripes)
    [note] = [one for one in marks if isinstance(one, Path) and one.dash]
    assert note.points[0][0] == pytest.approx(second[1].x + second[1].width / 2)


def test_a_chart_of_no_weeks_has_its_axis_alone() -> None:
    marks = drawing_of(Stacks([], []), "#1f4e3d").marks
    assert not [one for one in marks if isinstance(one, Box)]


def test_weeks_are_told_apart_by_channel_and_say_which_version_came_in_force() -> None:
    days = {
        DAY: {"confirmed": 3, "channel.email.confirmed": 1, "channel.link.confirmed": 2},
        DAY + timedelta(days=7): {"confirmed": 2, "channel.link.confirmed": 1, "release.2": 1},
        DAY + timedelta(days=8): {"release.10": 1, "release.9": 1},
    }
    parts = {name: list(of.values()) for name, of in channels_by_week(days, "confirmed").items()}
    assert parts == {"email": [1, 0], "link": [2, 1], "unknown": [0, 1]}
    assert list(releases_by_week(days).values()) == [10]
    assert channels_by_week({DAY: days[DAY]}, "confirmed").keys() == {"email", "link"}


def test_the_chart_of_weeks_adds_up_to_all_confirmations(busy: World) -> None:
    report = made(busy)
    [weeks] = [one for one in report.sections if isinstance(one.chart, Stacks)]
    assert isinstance(weeks.chart, Stacks)
    confirmed = sum(sum(one.values) for one in weeks.chart.stacks)
    assert confirmed == len(busy.memory.all(Referral)) > 0
    [(place, words)] = weeks.chart.notes
    assert "version 2" in words
    assert weeks.table.rows[place][-1] == words
    assert all(len(row) == len(weeks.table.headings) for row in weeks.table.rows)


def test_a_long_label_is_cut_and_a_negative_value_has_no_bar() -> None:
    drawing = drawing_of(Bars([Bar("a" * 60, -3, "-3")]), "#1f4e3d")
    [label, box, _] = drawing.marks
    assert isinstance(label, Word)
    assert label.text.endswith("…")
    assert isinstance(box, Box)
    assert box.width == 1


# --- words ----------------------------------------------------------------------------------------


def texts(locale: str) -> dict[str, str]:
    return {
        str(one.id if isinstance(one.id, str) else one.id[0]): str(one.string)
        for one in read_catalogue(locale, "reports")
        if one.id
    }


@every_locale
def test_every_language_has_every_text_with_the_same_places(locale: str) -> None:
    english, own = texts("en"), texts(locale)
    assert set(own) == set(english)
    for key, text in own.items():
        assert text.strip()
        places = {name for _, name, _, _ in Formatter().parse(text) if name}
        assert places == {name for _, name, _, _ in Formatter().parse(english[key]) if name}, key


def test_every_text_is_used() -> None:
    source = (ROOT / "chalicelib/reports/content.py").read_text(encoding="utf-8")
    source += (ROOT / "chalicelib/reports/formats.py").read_text(encoding="utf-8")
    # What is composed of these has a test of its own, by name.
    composed = set(re.findall(r'f"([a-z_]+)\.\{', source)) | {"refused", "till"}
    for key in texts("en"):
        family, _, name = key.partition(".")
        named = f'"{key}"' in source or (family in composed and name)
        made_of = re.sub(r"\.note$", "", key)
        assert named or f'"{name}"' in source or made_of.partition(".")[0] in composed, key


def test_every_refusal_has_a_text_with_what_to_do() -> None:
    english = {key: text for key, text in texts("en").items() if key.startswith("refused.")}
    assert set(english) == {f"refused.{one}" for one in Reason if one is not Reason.ELIGIBLE}
    assert all(":" in text for text in english.values())


def test_every_code_that_is_not_used_has_a_text() -> None:
    of_calls = {VoucherProblem.DIFFERS, VoucherProblem.NOT_REDEEMED}
    problems = {*CodeProblem, *VoucherProblem} - of_calls
    named = {key for key in texts("en") if key.startswith("till.")}
    assert named == {f"till.{problem}" for problem in problems}


def test_the_cohorts_of_the_world_are_those_in_the_report(busy: World) -> None:
    assert len(busy.memory.all(Cohort)) == 2
