"""Every place where a new reason, counter, fact, list or language is missing, in one message.

The names come from the code's own registries, the places are what people read or what a release
must keep: page texts, documents, the demo's story, stored items. Adding a name alone shows
everything that is left to do; CONTRIBUTING.md says how.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from chalicelib.domain.campaign.fields import Locale
from chalicelib.domain.campaign.lists import ListName
from chalicelib.domain.effects import EFFECTS, FUNNEL, REFUSED_FOR, SAME_COUNT, Effect, Queue
from chalicelib.domain.eligibility import Reason
from chalicelib.domain.facts import BODIES, FactName
from chalicelib.domain.locales import LOCALES
from chalicelib.domain.orders import Buyer
from chalicelib.mails.catalogues import TEXTS
from chalicelib.services.operations.reconcile import FINDINGS
from chalicelib.services.ports import Agenda
from infra.postprocess.watch import HANDED_OUT_AGAIN
from local.demo.expected import EXPECTED
from local.node import make_node
from tests.browser.answers import COUNTS
from tests.contract.kept import FACT, kept, versions
from tests.web.texts import LANGUAGES, names_in

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
RUNBOOK = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs/client-guide.md").read_text(encoding="utf-8")

# What the demo's story does not come to, and why.
NOT_PLAYED: Mapping[str, str] = {
    "expired": "an invitation closes after days, the story takes a minute",
    "rewards_refused": "nobody in it is on a later list or reaches the cap",
    "found_on_later_list": "no second customer list is dropped",
    "refused: campaign_closed": "the campaign is open",
    "refused: disposable_address": "all addresses are of the demo's own domain",
    "refused: undeliverable_address": "all addresses are of the demo's own domain",
    "refused: no_mail_domain": "it does not depend on anybody's DNS",
    "refused: opposed": "nobody who unsubscribed is invited after that",
    "refused: customer_alias": "the demo's domain has no alias form",
    "refused: sponsor_left": "no second VIP list is dropped",
    "refused: became_customer": "no second customer list is dropped",
    "refused: too_late": "the lists are there before anybody is invited",
    "refused: erased": "no address is erased before a decision",
}

# Agendas that list things of which nothing is waited for.
NEVER_PENDING = frozenset([Agenda.CAMPAIGNS, Agenda.REFERRALS, Agenda.EXPIRING])

REFUSALS = [reason for reason in Reason if reason is not Reason.ELIGIBLE]


def section(page: str, heading: str) -> str:
    """The part of a page under a heading that contains `heading`."""
    parts = re.split(r"^#{2,3} ", page, flags=re.MULTILINE)
    found = [part for part in parts if heading in part.partition("\n")[0]]
    return found[0] if found else ""


def rows(text: str) -> dict[str, list[str]]:
    """The rows of the tables in `text`, by each name in backticks in their first cell."""
    table: dict[str, list[str]] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            table |= dict.fromkeys(re.findall(r"`([^`]+)`", cells[0]), cells[1:])
    return table


def words(cell: str) -> set[str]:
    """The names in backticks in a cell."""
    return set(re.findall(r"`([^`]+)`", cell))


FACT_ROWS = rows(section(OPERATIONS, "Facts"))
COUNTER_ROWS = rows(section(OPERATIONS, "Counters"))
REASON_ROWS = rows(section(OPERATIONS, "Why an invitation was refused"))


CAMPAIGN_ROWS = rows((ROOT / "docs/campaign-file.md").read_text(encoding="utf-8"))


@cache
def texts(family: str) -> dict[str, set[str]]:
    return {language: names_in(language, family) for language in LANGUAGES}


def without_text(family: str, name: str) -> Iterator[str]:
    for language, named in texts(family).items():
        if name not in named:
            yield f'chalicelib/texts/{language}/: a text "{family}.{name}" of the pages'


@cache
def shown_counters() -> frozenset[str]:
    module = (ROOT / "web/dashboard/numbers.js").as_uri()
    program = f'import {{ COUNTERS }} from "{module}"; console.log(JSON.stringify(COUNTERS));'
    command = [str(make_node()), "--input-type=module", "--eval", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return frozenset(json.loads(done.stdout))


def not_played(name: str) -> Iterator[str]:
    if name not in EXPECTED and name not in NOT_PLAYED:
        yield (
            f'local/demo/expected.py: "{name}" in EXPECTED; or in NOT_PLAYED of '
            f"{Path(__file__).name}, with why the story does not come to it"
        )


def missing_for_reason(reason: str) -> Iterator[str]:
    yield from without_text("refusal", reason)
    if reason not in REASON_ROWS:
        yield 'docs/operations.md: a row under "Why an invitation was refused"'
    yield from not_played(f"refused: {reason}")


def missing_for_counter(counter: str) -> Iterator[str]:
    yield from without_text("count", counter)
    if counter not in shown_counters():
        yield "web/dashboard/numbers.js: a place in one of the lists of counters"
    if counter not in COUNTS:
        yield "tests/browser/answers.py: a number in COUNTS"
    if counter not in COUNTER_ROWS:
        yield 'docs/operations.md: a row under "Counters"'
    yield from not_played(counter)


@cache
def kept_facts() -> frozenset[str]:
    stored = (item for version in versions() for item in kept(version).items.get(FACT, []))
    return frozenset(item["name"]["S"] for item in stored)


def counters_of(effect: Effect) -> set[str]:
    """All counters a fact may add to; `refused.{reason}` stands for one of each reason."""
    plain = set(effect.counters)
    return plain | {name for name, same in SAME_COUNT.items() if same in plain}


def missing_for_fact(name: FactName) -> Iterator[str]:
    if name not in BODIES:
        yield f"chalicelib/domain/fact_bodies/: a body with name=FactName.{name.name}"
    if name not in EFFECTS:
        yield f"chalicelib/domain/effects.py: EFFECTS[FactName.{name.name}]"
    if name not in kept_facts():
        yield "tests/contract/items/next.json: one such fact as a use case stored it"
    effect = EFFECTS.get(name, Effect())
    if name.value not in FACT_ROWS:
        yield 'docs/operations.md: a row under "Facts"'
    else:
        _, queues, counters = FACT_ROWS[name.value]
        if words(queues) != {queue.value for queue in effect.queues}:
            yield f'docs/operations.md: its queues under "Facts": {[*effect.queues]}'
        if not counters_of(effect) <= words(counters):
            yield f'docs/operations.md: its counters under "Facts": {sorted(counters_of(effect))}'
    for queue in effect.queues:
        heading = f"{queue.value}-dead-not-empty"
        if f"`{name.value}`" not in section(RUNBOOK, heading):
            yield f"docs/runbook.md: the fact, under {heading}"


def missing_for_agenda(agenda: str) -> Iterator[str]:
    if agenda not in NEVER_PENDING and f"`{agenda}`" not in section(RUNBOOK, "Why something is"):
        yield 'docs/runbook.md: a row under "Why something is pending"; or in NEVER_PENDING here'


def missing_for_list(name: str) -> Iterator[str]:
    yield from without_text("list", name)
    if f"in/{{campaign}}/{name}/full/" not in GUIDE:
        yield 'docs/client-guide.md: its folder under "Files you drop"'


MAIL_LANGUAGES = {folder.name for folder in TEXTS.iterdir() if folder.is_dir()}


def missing_for_language(language: str) -> Iterator[str]:
    if language not in MAIL_LANGUAGES:
        yield f"chalicelib/texts/{language}/mails.po: all texts of the mails"
    if language not in LOCALES:
        yield "chalicelib/domain/locales.py: the language, in LOCALES"
    try:
        TypeAdapter(Locale).validate_python(language)
    except ValidationError:
        yield "chalicelib/domain/campaign/fields.py: the language, in Locale"
    if f"`{language}`" not in CAMPAIGN_ROWS["locales"][0]:
        yield "docs/campaign-file.md: the language, beside `locales`"


def check(missing: Iterator[str], name: str) -> None:
    """Fail with every place where `name` is missing."""
    places = list(missing)
    if places:
        pytest.fail("\n  ".join([f"{name} is still missing in:", *places]), pytrace=False)


@pytest.mark.parametrize("reason", REFUSALS)
def test_a_reason_is_named_wherever_people_meet_it(reason: Reason) -> None:
    check(missing_for_reason(reason.value), f"the reason {reason.value}")


@pytest.mark.parametrize("counter", FUNNEL)
def test_a_counter_is_named_wherever_people_meet_it(counter: str) -> None:
    check(missing_for_counter(counter), f"the counter {counter}")


@pytest.mark.parametrize("name", FactName)
def test_a_fact_is_typed_has_its_effects_is_kept_and_is_explained(name: FactName) -> None:
    check(missing_for_fact(name), f"the fact {name.value}")


@pytest.mark.parametrize("agenda", Agenda)
def test_the_runbook_says_what_is_pending_on_an_agenda(agenda: Agenda) -> None:
    check(missing_for_agenda(agenda), f"the agenda {agenda.value}")


@pytest.mark.parametrize("name", ListName)
def test_a_list_is_named_wherever_people_meet_it(name: ListName) -> None:
    check(missing_for_list(name.value), f"the list {name.value}")


@pytest.mark.parametrize("language", sorted({*LANGUAGES, *LOCALES, *MAIL_LANGUAGES}))
def test_a_language_is_one_of_the_pages_of_the_mails_and_of_the_formats(language: str) -> None:
    check(missing_for_language(language), f"the language {language}")


@pytest.mark.parametrize("queue", Queue)
def test_the_runbook_says_what_to_do_when_a_queue_waits_or_gives_up(queue: Queue) -> None:
    headings = [f"`{queue.value}-wait`"]
    if f"{queue.value.capitalize()}Dead" not in HANDED_OUT_AGAIN:
        headings.append(f"`{queue.value}-dead-not-empty`")
    check((one for one in headings if not section(RUNBOOK, one)), f"queue {queue.value}, runbook")


@pytest.mark.parametrize("finding", FINDINGS)
def test_the_runbook_says_what_each_finding_of_reconcile_is(finding: str) -> None:
    assert finding in rows(section(RUNBOOK, "`reconcile`"))


@pytest.mark.parametrize(
    ("place", "named", "known"),
    [
        ("reasons of operations.md", REASON_ROWS, {reason.value for reason in REFUSALS}),
        ("counters of operations.md", COUNTER_ROWS, FUNNEL),
        ("facts of operations.md", FACT_ROWS, {name.value for name in FactName}),
        ("findings of runbook.md", rows(section(RUNBOOK, "`reconcile`")), FINDINGS),
        ("EXPECTED", [one for one in EXPECTED if " " not in one], FUNNEL),
        (
            "NOT_PLAYED",
            NOT_PLAYED,
            {*FUNNEL, *(f"refused: {reason.value}" for reason in REFUSALS)} - {*EXPECTED},
        ),
        ("COUNTS of the browser tests", COUNTS, FUNNEL),
        ("numbers.js", shown_counters(), FUNNEL),
        *((f"refusals of {one}", texts("refusal")[one], REFUSALS) for one in LANGUAGES),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nothing_is_named_that_is_gone(
    place: str, named: Collection[str], known: Collection[str]
) -> None:
    assert set(named) - set(known) == set(), place


def test_the_counters_by_reason_are_those_of_the_reasons() -> None:
    assert f"`{REFUSED_FOR}{{reason}}`" in FACT_ROWS[FactName.INVITATION_REFUSED.value][2]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_buyer_has_a_text_and_is_explained(language: str) -> None:
    assert set(texts("buyer")[language]) == {buyer.value for buyer in Buyer}
    [explained] = re.findall(r"^`orders_by_buyer`(.*?)\n\n", OPERATIONS, re.MULTILINE | re.DOTALL)
    assert {buyer for buyer in Buyer if f"`{buyer}`" not in explained} == set()
