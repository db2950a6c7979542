"""The catalogues of the pages: every text in every language, each used, well set."""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path

import pytest

from chalicelib.domain.effects import FUNNEL
from chalicelib.domain.feed import ACTS
from chalicelib.domain.invitations import Channel
from chalicelib.mails.catalogues import TEXTS, read_catalogue
from infra.page_texts import DOMAINS, SOURCE, Text, key_types, message_forms, texts_of
from infra.pages import build_pages

from .texts import LANGUAGES, names_in, page_texts

every_language = pytest.mark.parametrize("language", LANGUAGES)
every_catalogue = pytest.mark.parametrize(
    ("language", "domain"), [(language, domain) for language in LANGUAGES for domain in DOMAINS]
)
NOT_COUNTS = {"figure.basket", "figure.of-vips"}  # what stands beside one
BEGINS_A_SENTENCE = re.compile(
    r"(an?|the|somebody|une?|les?|la|una?|el|il|lo|alguien|qualcuno|ktoś)\b|(l|un)’", re.IGNORECASE
)
NARROW, NO_BREAK = "\u202f", "\u00a0"


def forms(text: Text) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text.values())


def places(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\{(\w+)\}", text))


@every_language
def test_a_key_is_of_one_catalogue_alone(language: str) -> None:
    """Of two texts with one key, every page would show the one that is read last."""
    keys = [
        str(message.id[0] if message.pluralizable else message.id)
        for domain in DOMAINS
        for message in read_catalogue(language, domain)
        if message.id
    ]
    assert [key for key in set(keys) if keys.count(key) > 1] == []


def test_polish_texts_make_no_man_of_who_invites() -> None:
    """A verb in the past has a gender there, and nobody asks a sponsor for hers."""
    gendered = re.compile(r"\{(?:name|sponsor)\}(?: \w+)? \w+ł[aeo]?\b")
    texts = [form for text in page_texts("pl").values() for form in forms(text)]
    texts += [
        form
        for message in read_catalogue("pl", "mails")
        if message.id
        for form in message_forms(message)
    ]
    assert [text for text in texts if gendered.search(text)] == []


@every_language
def test_every_counter_has_a_text_in_every_language(language: str) -> None:
    assert names_in(language, "count") == set(FUNNEL)
    assert names_in(language, "act") == {name.value for name in ACTS}
    assert names_in(language, "channel") == {"unknown", *Channel}


@every_language
def test_an_act_is_a_name_and_no_sentence(language: str) -> None:
    acts = [text for key, text in page_texts(language).items() if key.startswith("act.")]
    assert [one for one in acts if isinstance(one, str) and BEGINS_A_SENTENCE.match(one)] == []


@every_language
def test_what_the_dashboard_counts_is_defined_and_what_it_refuses_has_advice(language: str) -> None:
    for family in ("count", "figure", "mail", "money", "step", "watch", "word"):
        named = {f"{family}.{name}" for name in names_in(language, family)} - NOT_COUNTS
        assert named - names_in(language, "definition") == set(), family
    assert names_in(language, "advice") == names_in(language, "refusal")


@every_language
def test_every_language_has_every_text_with_the_same_places(language: str) -> None:
    source, own = page_texts(SOURCE), page_texts(language)
    assert set(own) == set(source)
    for key, text in own.items():
        assert all(one.strip() for one in forms(text)), key
        assert isinstance(text, str) == isinstance(source[key], str), key
        whole = places("".join(forms(source[key])))
        assert places("".join(forms(text))) == whole, key


@every_catalogue
def test_a_text_has_as_many_forms_as_its_language_and_none_is_a_guess(
    language: str, domain: str
) -> None:
    catalogue = read_catalogue(language, domain)
    for message in catalogue:
        if message.id and message.pluralizable:
            own = message_forms(message)
            assert len(own) == catalogue.num_plurals, message.id
            assert all(own), message.id
        assert not (message.id and message.fuzzy), message.id


def test_the_forms_are_named_as_browsers_name_them() -> None:
    assert set(page_texts("fr")["inviting.quota"]) == {"one", "many", "other"}
    assert set(page_texts("en")["inviting.quota"]) == {"one", "other"}
    polish = page_texts("pl")["inviting.quota"]
    assert not isinstance(polish, str)
    assert set(polish) == {"one", "few", "many", "other"}
    assert polish["few"] == "Możesz zaprosić jeszcze {count} osoby."


@every_language
def test_no_language_has_straight_quotes_dots_or_two_spaces(language: str) -> None:
    for key, text in page_texts(language).items():
        for form in forms(text):
            assert not re.search(r"['\"]|\.\.\.|  |^\s|\s$", form), key


def test_french_has_its_spaces() -> None:
    for key, text in page_texts("fr").items():
        for form in forms(text):
            assert not re.search(rf"[^{NARROW}][:;!?»]|«[^{NARROW}]|\d [€%]", form), key


@every_catalogue
def test_keys_stay_in_order_so_that_a_change_is_one_place(language: str, domain: str) -> None:
    written = Path(TEXTS, language, f"{domain}.po").read_text(encoding="utf-8")
    keys = re.findall(r'^msgid "(.+)"$', written, re.MULTILINE)
    assert keys == sorted(keys)


def test_every_text_is_on_a_page_and_every_key_of_a_page_has_a_text(tmp_path: Path) -> None:
    built = build_pages(tmp_path / "web")
    loaded: set[str] = set()
    for file in built.rglob("*.json"):
        loaded |= set(json.loads(file.read_text(encoding="utf-8")))
    pages = "".join(page.read_text(encoding="utf-8") for page in built.rglob("*.html"))
    written = {key for key, text in page_texts(SOURCE).items() if escape(forms(text)[0]) in pages}
    assert set(page_texts(SOURCE)) - loaded - written == set()
    for page in built.rglob("*.html"):
        named = re.findall(r'data-(?:text|label)="([^"]+)"', page.read_text(encoding="utf-8"))
        assert len(named) > 3
        assert set(named) - set(page_texts(SOURCE)) == set(), page.name


def test_a_page_loads_the_texts_that_it_names_and_the_families_that_it_composes() -> None:
    page = 'a("declined.title"),b(`problem.${k}`),c("no.such")'
    loaded = texts_of(page, "fr")
    problems = {f"problem.{name}" for name in names_in("fr", "problem")}
    assert set(loaded) == {"declined.title", *problems}


def test_the_type_of_the_keys_has_each_key() -> None:
    assert key_types().count("\n  | ") == len(page_texts(SOURCE))
