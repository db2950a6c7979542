"""A campaign file is valid, or every problem is reported with its line and column."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import Result

from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.rules import MOST_RULES
from cli.campaign_file import CampaignFileError, campaign_of, campaign_schema, campaign_text
from cli.documents import MAX_BYTES

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "local/demo/demo-vip.yaml"
SCHEMA = ROOT / "docs/campaign.schema.json"
GOOD = """\
campaign: spring
brand:
  id: shop
  name: Shop
  colour: "#123456"
  contact: hello@shop.test
title: {fr: Bonjour}
offer:
  fr: Un bon
sponsor_offer:
  fr: Un autre
country: FR
time_zone: Europe/Paris
currency: EUR
locales: [fr]
starts_on: 2026-03-01
ends_on: 2026-05-31
terms:
  version: "1"
  url: https://shop.test/terms
digests:
  key_ids: [shop]
templates:
  welcome:
    prefix: WE
    value: 10.00
    valid_days: 30
rules:
  - id: welcome
    when: referral_confirmed
    issue: welcome
    to: referee
"""
PUNCTUATION = "\n\t -:#[]{}&*!|>'\"%@`,?ab01.~"
SLUG = "must be 2 to 40 lower-case letters, figures and hyphens, a letter first"

Tandem = Callable[..., Result]


def good_with(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def in_quotes(reported: str, text: str) -> str:
    return f'{reported}; if it is text, put it in quotes: "{text}"'


def refusals(content: str | bytes) -> list[str]:
    """`LINE:COL: field: reason` of every problem."""
    data = content.encode() if isinstance(content, str) else content
    with pytest.raises(CampaignFileError) as refused:
        campaign_of(data)
    return [
        f"{p.line}:{p.column}: {p.path + ': ' if p.path else ''}{p.reason}"
        for p in refused.value.problems
    ]


def test_a_good_file_is_read() -> None:
    campaign = campaign_of(GOOD.encode())
    assert campaign.id == "spring"
    assert campaign.starts_on == date(2026, 3, 1)
    assert campaign.version == 0


def test_a_byte_order_mark_and_crlf_change_nothing() -> None:
    written_elsewhere = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    assert campaign_of(written_elsewhere) == campaign_of(GOOD.encode())


@pytest.mark.parametrize("written", ["10.10", '"10.10"', "10.1"])
def test_an_amount_is_exactly_what_is_written(written: str) -> None:
    campaign = campaign_of(good_with("10.00", written).encode())
    assert campaign.templates["welcome"].value == Decimal("10.10")
    assert campaign.templates["welcome"].value_minor == 1010


def test_a_whole_number_is_an_amount_too() -> None:
    assert campaign_of(good_with("10.00", "10").encode()).templates["welcome"].value_minor == 1000


@pytest.mark.parametrize(("written", "holder_bound"), [("true", True), ("false", False)])
def test_true_and_false_are_the_words_of_a_flag(written: str, *, holder_bound: bool) -> None:
    content = GOOD.replace("valid_days: 30", f"valid_days: 30\n    holder_bound: {written}")
    assert campaign_of(content.encode()).templates["welcome"].holder_bound is holder_bound


def test_an_amount_no_float_can_hold_is_not_rounded_into_the_limit() -> None:
    # As a float this is 100000.0, which is allowed.
    assert refusals(good_with("10.00", "100000.000000000001")) == [
        "26:12: templates.welcome.value: must be at most 100000"
    ]


@pytest.mark.parametrize(
    ("old", "new", "reported"),
    [
        # fields that are not there, or should not be
        ("  contact: hello@shop.test\n", "", "2:1: brand.contact: is missing"),
        ("country: FR\n", "", "1:1: country: is missing"),
        ("    to: referee\n", "", "29:5: rules.0.to: is missing"),
        (
            "  name: Shop",
            "  nmae: Shop\n  name: x",
            "4:3: brand.nmae: unknown field; did you mean name?",
        ),
        ("country: FR", "country: FR\nxyz: 1", "13:1: xyz: unknown field"),
        (
            "    to: referee",
            "    to: referee\n    conditions: {}",
            "33:5: rules.0.conditions: unknown field",
        ),
        (
            "    to: referee",
            "    to: referee\n    iff: {}",
            "33:5: rules.0.iff: unknown field; did you mean if?",
        ),
        (
            "    valid_days: 30",
            "    valid_days: 30\n    valid_day: 3",
            "28:5: templates.welcome.valid_day: unknown field; did you mean valid_days?",
        ),
        (
            "country: FR",
            "country: FR\ncountry: BE",
            "13:1: country: is a duplicate: first on line 12",
        ),
        (
            "country: FR",
            "country: FR\nversion: 3",
            "13:1: version: is assigned when the file is put in force: remove it",
        ),
        (
            "country: FR",
            "country: FR\nearlier_zones: []",
            "13:1: earlier_zones: is assigned when the file is put in force: remove it",
        ),
        # empty values
        ("country: FR", "country:", "12:9: country: is empty"),
        ("country: FR", "country: ~", "12:10: country: is empty"),
        (
            '"#123456"',
            "#123456",
            "5:10: brand.colour: is empty: a value that begins with # needs quotes",
        ),
        ("key_ids: [shop]", "key_ids: []", "22:12: digests.key_ids: must have at least 1, has 0"),
        ("fr: Un bon", 'fr: ""', "9:7: offer.fr: must not be empty"),
        # the wrong kind of value
        (
            "valid_days: 30",
            "valid_days: true",
            "27:17: templates.welcome.valid_days: must be a whole number",
        ),
        (
            "valid_days: 30",
            "valid_days: 30\n    holder_bound: 1",
            "28:19: templates.welcome.holder_bound: must be true or false",
        ),
        (
            "valid_days: 30",
            "valid_days: 30\n    holder_bound: yes",
            in_quotes("28:19: templates.welcome.holder_bound: YAML reads this as yes or no", "yes"),
        ),
        (
            "country: FR",
            "country: NO",
            in_quotes("12:10: country: YAML reads this as yes or no", "NO"),
        ),
        (
            "fr: Un bon",
            "fr: on",
            in_quotes("9:7: offer.fr: YAML reads this as yes or no", "on"),
        ),
        (
            "fr: Un bon",
            "fr: Un bon\n  no: Hei",
            in_quotes("10:3: offer.no: the name of a field must be text", "no"),
        ),
        (
            'version: "1"',
            "version: 1.0",
            '19:12: terms.version: must be text; put it in quotes: "1.0"',
        ),
        (
            'version: "1"',
            "version: 2026-01-01",
            '19:12: terms.version: must be text; put it in quotes: "2026-01-01"',
        ),
        (
            "locales: [fr]",
            "locales: fr",
            "15:10: locales: must be a list, each item after a hyphen",
        ),
        (
            "digests:\n  key_ids: [shop]",
            "digests: shop",
            "21:10: digests: must be a group of fields, indented below it",
        ),
        (
            "valid_days: 30",
            "valid_days: 30.5",
            "27:17: templates.welcome.valid_days: must be a whole number",
        ),
        (
            "valid_days: 30",
            "valid_days: thirty",
            "27:17: templates.welcome.valid_days: must be a whole number",
        ),
        (
            "valid_days: 30",
            "valid_days: 0x1e",
            in_quotes(
                "27:17: templates.welcome.valid_days: a number is written like 30 or 10.00", "0x1e"
            ),
        ),
        (
            "valid_days: 30",
            "valid_days: 1:30",
            in_quotes(
                "27:17: templates.welcome.valid_days: a number is written like 30 or 10.00", "1:30"
            ),
        ),
        (
            "value: 10.00",
            "value: ten",
            "26:12: templates.welcome.value: must be an amount like 10.00",
        ),
        (
            "value: 10.00",
            "value: .inf",
            in_quotes(
                "26:12: templates.welcome.value: a number is written like 30 or 10.00", ".inf"
            ),
        ),
        (
            "value: 10.00",
            'value: "NaN"',
            "26:12: templates.welcome.value: must be an amount like 10.00",
        ),
        ("value: 10.00", "value: 10.005", "26:12: templates.welcome.value: at most two decimals"),
        ("value: 10.00", "value: -1.00", "26:12: templates.welcome.value: must be more than 0"),
        # days
        ("ends_on: 2026-05-31", "ends_on: 2026-02-30", "17:10: ends_on: no such day: 2026-02-30"),
        ("ends_on: 2026-05-31", "ends_on: 2026", "17:10: ends_on: must be a day like 2026-01-31"),
        (
            "ends_on: 2026-05-31",
            "ends_on: 31/05/2026",
            "17:10: ends_on: must be a day like 2026-01-31",
        ),
        (
            "ends_on: 2026-05-31",
            "ends_on: 2026-05-31T10:00:00",
            in_quotes("17:10: ends_on: a day is written like 2026-01-31", "2026-05-31T10:00:00"),
        ),
        # values out of range
        (
            "campaign: spring",
            "campaign: Spring",
            f"1:11: campaign: {SLUG}",
        ),
        (
            "currency: EUR",
            "currency: euro",
            "14:11: currency: must be a currency code of three capitals, like EUR",
        ),
        ("Europe/Paris", "Europe/Lutetia", "13:12: time_zone: unknown time zone: Europe/Lutetia"),
        (
            "Europe/Paris",
            "../../etc/passwd",
            "13:12: time_zone: unknown time zone: ../../etc/passwd",
        ),
        ("to: referee", "to: friend", "32:9: rules.0.to: must be 'sponsor' or 'referee'"),
        (
            "  welcome:\n",
            "  Welcome!:\n",
            f"24:3: templates.Welcome!: {SLUG}",
        ),
        # problems between fields
        (
            "issue: welcome",
            "issue: thanks",
            "31:12: rules.0.issue: no voucher template named thanks",
        ),
        (
            "ends_on: 2026-05-31",
            "ends_on: 2026-02-01",
            "17:10: ends_on: must not be before starts_on",
        ),
        ("locales: [fr]", "locales: [fr, en]", "7:8: title: no text for locale en"),
        (
            "    issue: welcome",
            "    if: {order: 1}\n    issue: welcome",
            "31:9: rules.0.if: a rule for referral_confirmed has no conditions",
        ),
        # YAML that is not supported
        (
            "country: FR",
            "country: !!python/object:os.system FR",
            in_quotes(
                "12:10: country: the tag tag:yaml.org,2002:python/object:os.system "
                "is not supported",
                "FR",
            ),
        ),
        (
            "country: FR",
            "country: FR\n<<: {currency: EUR}",
            "13:1: <<: merge keys are not supported: write the fields out",
        ),
    ],
)
def test_a_wrong_field_is_reported_at_its_place(old: str, new: str, reported: str) -> None:
    assert reported in refusals(good_with(old, new))


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (b"", "1:1: the file is empty"),
        (b"# nothing yet\n", "1:1: the file is empty"),
        (b"---\n", "1:1: the file is empty"),
        (b"just text\n", "1:1: must be a group of fields, indented below it"),
        (b"- a\n- b\n", "1:1: must be a group of fields, indented below it"),
        (b"campaign: a\n\tbrand: b\n", "2:1: a tab: indent with spaces"),
        (b"campaign: a: b\n", '1:12: an unexpected colon: put text that contains ": " in quotes'),
        (b"offer: @shop\n", "1:8: text that begins with this character needs quotes"),
        (b"a: 1\n- b\n", "2:1: does not match the lines above: check the indentation"),
        (b"a: [1, 2\n", "2:1: a bracket or quote is not closed"),
        (b"a: 1\n---\nb: 2\n", "2:1: several documents (---): a file has one campaign"),
        (b"a: 1\nname: caf\xe9\n", "2:10: not UTF-8: save the file as UTF-8"),
        ("a: 1\n".encode("utf-16"), "1:1: not UTF-8: save the file as UTF-8"),
        ("a: 1\n".encode("utf-16-le"), "1:2: an invalid character: save the file as UTF-8"),
        (b"a: 1\nb: \x07\n", "2:4: an invalid character: save the file as UTF-8"),
        (b"#" * (MAX_BYTES + 1), "1:1: larger than 128 KB"),
        (b"a: " + b"[" * 50_000, "1:23: nested too deeply"),
        (b"- " * 50_000, "1:41: nested too deeply"),
    ],
)
def test_a_file_that_is_not_a_campaign_file_is_refused_in_one_line(
    content: bytes, reported: str
) -> None:
    assert refusals(content) == [reported]


@pytest.mark.parametrize("content", ["a: &x 1\nb: 2\n", "a: 1\nb: *x\n", "a: &x [1]\nb: *x\n"])
def test_anchors_and_aliases_are_refused(content: str) -> None:
    (reported,) = refusals(content)
    assert "anchors (&) and aliases (*) are not supported" in reported


def test_a_bomb_of_aliases_is_refused_at_its_first_anchor() -> None:
    bomb = "a: &a [x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    (reported,) = refusals(bomb)
    assert reported.startswith("1:4: anchors")


def test_all_problems_are_reported_at_once_in_the_order_of_the_file() -> None:
    wrong = good_with("country: FR", "country: NO").replace("EUR", "euro").replace("WE", "w")
    assert [reported.split(":")[0] for reported in refusals(wrong)] == ["12", "14", "25"]


def test_problems_between_fields_are_reported_one_by_one() -> None:
    wrong = good_with("issue: welcome", "issue: thanks").replace("[fr]", "[fr, en]")
    assert refusals(wrong) == [
        "7:8: title: no text for locale en",
        "9:3: offer: no text for locale en",
        "11:3: sponsor_offer: no text for locale en",
        "31:12: rules.0.issue: no voucher template named thanks",
    ]


def test_a_list_is_not_called_short_because_its_only_item_is_wrong() -> None:
    assert refusals(good_with("    to: referee\n", "")) == ["29:5: rules.0.to: is missing"]


def test_a_duplicate_field_is_checked_at_its_first_place() -> None:
    wrong = good_with("country: FR", "country: france\ncountry: FR")
    assert refusals(wrong) == [
        "12:10: country: must be a country code of two capitals, like FR",
        "13:1: country: is a duplicate: first on line 12",
    ]


@settings(deadline=None)
@given(st.binary(max_size=300))
@example(b"? [a]\n: b\n? [c]\n: d\n")
@example(b"!!set {a, b}")
@example(b"!!map x")
@example(b"%YAML 9.9\n---\na: 1")
@example(b"? ? a\n")
def test_any_bytes_are_refused_without_a_trace(content: bytes) -> None:
    with pytest.raises(CampaignFileError) as refused:
        campaign_of(content)
    assert all(problem.line >= 1 and problem.column >= 1 for problem in refused.value.problems)


@settings(deadline=None)
@given(st.integers(0, len(GOOD)), st.integers(0, 12), st.text(PUNCTUATION, max_size=6))
def test_a_damaged_file_is_read_or_refused_within_its_lines(at: int, cut: int, put: str) -> None:
    damaged = GOOD[:at] + put + GOOD[at + cut :]
    places: list[int] = []
    try:
        campaign_of(damaged.encode())
    except CampaignFileError as refused:
        places = [problem.line for problem in refused.problems]
    assert all(1 <= line <= damaged.count("\n") + 1 for line in places)


def test_the_command_prints_a_line_for_each_problem_and_fails(
    tmp_path: Path, tandem: Tandem
) -> None:
    file = tmp_path / "spring.yaml"
    file.write_text(good_with("country: FR", "country: NO").replace("EUR", "euro"))
    result = tandem("campaign", "check", file)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        in_quotes(f"{file}:12:10: country: YAML reads this as yes or no", "NO"),
        f"{file}:14:11: currency: must be a currency code of three capitals, like EUR",
    ]


def test_the_command_says_when_a_file_is_not_there(tmp_path: Path, tandem: Tandem) -> None:
    result = tandem("campaign", "check", tmp_path / "none.yaml")
    assert result.exit_code == 1
    assert result.stderr == f"{tmp_path / 'none.yaml'}: No such file or directory\n"


def test_the_demo_campaign_is_valid(tandem: Tandem) -> None:
    result = tandem("campaign", "check", DEMO)
    assert result.exit_code == 0
    assert result.stdout == f"{DEMO}: campaign demo-vip is valid\n"


def test_a_campaign_written_out_and_read_again_is_the_same() -> None:
    campaign = campaign_of(DEMO.read_bytes())
    assert campaign_of(campaign_text(campaign).encode()) == campaign


def test_the_published_schema_is_up_to_date(tandem: Tandem) -> None:
    # If not: .venv/bin/tandem campaign schema > docs/campaign.schema.json
    assert tandem("campaign", "schema").stdout == SCHEMA.read_text(encoding="utf-8")


def test_the_schema_takes_the_demo_campaign_and_refuses_a_wrong_one() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    as_an_editor_reads = json.loads(json.dumps(yaml.safe_load(DEMO.read_text()), default=str))
    validator.validate(as_an_editor_reads)
    assert not validator.is_valid(as_an_editor_reads | {"version": 3})
    assert not validator.is_valid(as_an_editor_reads | {"country": "France"})


def test_every_pattern_in_the_schema_has_words_for_people() -> None:
    def wordless(node: object) -> list[object]:
        if isinstance(node, list):
            return [found for item in node for found in wordless(item)]
        if not isinstance(node, dict):
            return []
        own = isinstance(node.get("pattern"), str) and "(?!" not in node["pattern"]
        bare = [node["pattern"]] if own and "description" not in node else []
        return bare + [found for item in node.values() for found in wordless(item)]

    assert wordless(campaign_schema()) == []


def test_check_warns_of_what_is_valid_and_probably_not_meant(
    tandem: Tandem, tmp_path: Path
) -> None:
    file = tmp_path / "spring.yaml"
    rule = """\
  - id: thanks
    when: order_kept
    if: {order: 1, maximum_amount: 9.00}
    issue: welcome
    to: sponsor
caps: {budget: 5}
"""
    file.write_text(GOOD + rule)
    checked = tandem("campaign", "check", file)
    assert checked.exit_code == 0
    assert checked.stdout == f"{file}: campaign spring is valid\n"
    free = "rules.1.if.minimum_amount: none: an order of 0.01 earns a voucher of 10.00"
    nothing = "no rule gives the {} anything".format
    without = "missing: a new campaign is refused without it (GDPR 13 and 14)"
    assert checked.stderr.splitlines() == [
        f"{file}:1:1: warning: controller: {without}",
        f"{file}:1:1: warning: privacy: {without}",
        f"{file}:29:3: warning: rules: {nothing('referee')}, so offer is not shown",
        f"{file}:29:3: warning: rules: {nothing('sponsor')}, so sponsor_offer is not shown",
        f"{file}:35:5: warning: {free}",
        f"{file}:38:16: warning: caps.budget: less than one voucher of welcome, 10.00",
    ]


def test_check_has_nothing_to_warn_of_in_the_demo(tandem: Tandem) -> None:
    checked = tandem("campaign", "check", DEMO)
    assert (checked.exit_code, checked.stderr) == (0, "")


def test_a_campaign_has_as_many_rules_as_its_counts_have_room_for_and_no_more() -> None:
    rule = "  - {{id: again-{}, when: order_kept, issue: welcome, to: sponsor}}\n".format
    first = len(GOOD.splitlines()) + 1
    most = GOOD + "".join(map(rule, range(MOST_RULES - 1)))
    assert len(campaign_of(most.encode()).rules) == MOST_RULES
    refused = f"{first + MOST_RULES - 1}:5: rules.{MOST_RULES}: a campaign has at most {MOST_RULES}"
    assert refusals(most + rule("one") + rule("two")) == [f"{refused} rules, this one has 22"]


def test_what_is_in_force_with_more_rules_stays_readable() -> None:
    good = campaign_of(GOOD.encode())
    [rule] = good.rules
    rules = [rule.model_copy(update={"id": f"again-{n}"}) for n in range(MOST_RULES + 1)]
    stored = good.model_copy(update={"rules": tuple(rules)}).model_dump_json(by_alias=True)
    assert len(Campaign.model_validate_json(stored).rules) == MOST_RULES + 1
