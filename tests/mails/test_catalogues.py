"""The catalogues: every text in every language, each with its places, each used, well set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from chalicelib.domain.benefits import FreeDelivery, PercentOff
from chalicelib.domain.campaign.rules import Trigger
from chalicelib.domain.campaign.templates import Use
from chalicelib.domain.locales import LOCALES
from chalicelib.domain.people import OppositionScope
from chalicelib.mails import AnyMail, cards, pages
from chalicelib.mails.catalogues import (
    COMPILED_DOMAINS,
    TEXTS,
    Words,
    compile_catalogue,
    read_catalogue,
    words_in,
)
from chalicelib.wallets.texts import texts_by_locale
from tests.fakes.campaign import campaign
from tests.mails.samples import (
    CAMPAIGN,
    INVITATION,
    MAILS,
    NOT_COMPILED,
    SIGN_IN,
    THANKS,
    VOUCHER,
    WELCOME,
    rendered,
)
from tests.wallets.samples import VOUCHER as VOUCHER_TO_KEEP

every_locale = pytest.mark.parametrize("locale", LOCALES)
NARROW, NO_BREAK = "\u202f", "\u00a0"


def forms(locale: str) -> dict[str, tuple[str, ...]]:
    """Every text of a language under its key, in all its forms."""
    found = {}
    for message in read_catalogue(locale):
        key = message.id[0] if message.pluralizable else message.id
        if key:
            text = message.string
            found[str(key)] = tuple(text) if isinstance(text, tuple | list) else (str(text),)
    return found


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_a_language_is_a_folder_and_a_line() -> None:
    assert {path.name for path in TEXTS.iterdir() if path.is_dir()} == set(LOCALES)


@every_locale
def test_every_language_has_every_text_with_the_same_places(locale: str) -> None:
    english, own = forms("en"), forms(locale)
    assert set(own) == set(english)
    for key, texts in own.items():
        assert all(text.strip() for text in texts), key
        assert {frozenset(places(text)) for text in texts} == {frozenset(places(english[key][0]))}


@every_locale
def test_a_text_with_forms_has_as_many_as_its_language(locale: str) -> None:
    catalogue = read_catalogue(locale)
    for key, texts in forms(locale).items():
        assert len(texts) in (1, catalogue.num_plurals), key
    assert not any(message.fuzzy for message in catalogue if message.id)


def test_plural_rules_are_those_of_the_language() -> None:
    said = [words_in("pl", NOT_COMPILED).counted("duration.minutes", n) for n in (1, 2, 5, 22, 25)]
    assert said == ["1 minutę", "2 minuty", "5 minut", "22 minuty", "25 minut"]
    french = words_in("fr", NOT_COMPILED)
    assert [french.counted("duration.hours", n) for n in (1, 2)] == ["1 heure", "2 heures"]


def test_french_has_its_spaces() -> None:
    for key, texts in forms("fr").items():
        for text in texts:
            assert not re.search(rf"[ {NO_BREAK}][:;!?»]|«[ {NO_BREAK}]| [€%]", text), key
            assert not re.search(r"\w[!?»;]|\w'\w|\"|\.\.\.", text), key


@every_locale
def test_no_language_has_straight_quotes_or_two_spaces(locale: str) -> None:
    for key, texts in forms(locale).items():
        for text in texts:
            assert not re.search(r"\"|\w'\w|  |\.\.\.", text), key


def test_a_key_that_is_not_there_is_no_text() -> None:
    words = words_in("en", NOT_COMPILED)
    with pytest.raises(KeyError):
        words("no.such.text")
    with pytest.raises(KeyError):
        words.counted("no.such.text", 2)


# --- every text is used --------------------------------------------------------------------------


def all_mails() -> Iterator[AnyMail]:
    """Every mail, and those with what samples leave out."""
    yield from MAILS
    bare = replace(CAMPAIGN, offer={}, sponsor_offer={}, shop_url="https://verger.example",
                   support_url="https://verger.example/help")  # fmt: skip
    every = [
        replace(WELCOME, when=when, order=order, least_order_minor=least)
        for when in Trigger
        for order, least in ((None, 0), (1, 0), (2, 3000), (3, 0), (4, 0))
    ]
    for mail in (INVITATION, SIGN_IN, VOUCHER):
        promised = replace(bare, for_referee=(WELCOME, *every), for_sponsor=(THANKS, *every))
        yield replace(mail, campaign=promised)
    yield replace(SIGN_IN, expires_minutes=120, first_name=None)
    yield replace(SIGN_IN, campaign=replace(bare, by_link_alone=True))
    yield replace(VOUCHER, campaign=bare, use=Use(shop=True), next_minor=500)
    yield replace(VOUCHER, benefit=PercentOff(15, "EUR", 3000))
    yield replace(VOUCHER, benefit=FreeDelivery())
    from chalicelib.mails import ConfirmedMail

    [receipt] = [one for one in MAILS if isinstance(one, ConfirmedMail)]
    yield replace(receipt, campaign=bare)


def test_every_text_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    used: set[str] = set()
    say, counted = Words.__call__, Words.counted

    def saying(self: Words, key: str, values: Any = None) -> str:
        used.add(key)
        return say(self, key, values)

    def counting(self: Words, key: str, count: int) -> str:
        used.add(key)
        return counted(self, key, count)

    monkeypatch.setattr(Words, "__call__", saying)
    monkeypatch.setattr(Words, "counted", counting)
    for mail in all_mails():
        rendered(mail, "fr")
    pages.unsubscribe_page(campaign(), "fr", "/")
    pages.unsubscribe_page(None, "fr", "/")
    for scope in OppositionScope:
        pages.refused_page(campaign(), scope, "fr")
        pages.refused_page(None, scope, "fr")
    say_cards()
    texts_by_locale(campaign(), VOUCHER_TO_KEEP)
    assert set(forms("fr")) - used == set()


def say_cards() -> None:
    """Each card of a shared link: with and without a name, an offer, anybody who can sign up."""
    own = campaign().model_copy(update={"offer": {}})
    for shown in (own, own.model_copy(update={"rules": ()})):
        for name, is_open in (("Anne", True), (None, False)):
            cards.card_of(
                shown, "k7qm2", name, language="fr", origin="https://t.test", is_open=is_open
            )
    cards.page_without_card(None, {})


def test_keys_stay_in_order_so_that_a_change_is_one_place() -> None:
    for locale in LOCALES:
        written = Path(TEXTS, locale, "mails.po").read_text(encoding="utf-8")
        keys = re.findall(r'^msgid "(.+)"$', written, re.MULTILINE)
        assert keys == sorted(keys)


@pytest.mark.parametrize("domain", COMPILED_DOMAINS)
@pytest.mark.parametrize("locale", LOCALES)
def test_a_compiled_catalogue_has_no_time_in_it(locale: str, domain: str) -> None:
    """The same texts packaged a minute later would be another release."""
    [created] = re.findall(rb"Creation-Date: (.*)\n", compile_catalogue(locale, domain))
    assert created == b"1980-01-01 00:00+0000"
