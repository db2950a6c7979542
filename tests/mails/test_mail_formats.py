"""Days, amounts, colours and French spaces, as people read them in each language."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from chalicelib.domain.benefits import Benefit, FreeDelivery, MoneyOff, PercentOff
from chalicelib.domain.locales import LOCALES
from chalicelib.mails.catalogues import words_in
from chalicelib.mails.formats import (
    benefit_text,
    contrast,
    ink_on,
    long_day,
    money_text,
    readable,
    typeset,
)
from tests.mails.samples import NOT_COMPILED


@pytest.mark.parametrize(
    ("minor", "currency", "french", "english"),
    [
        (1000, "EUR", "10\u00a0€", "€10"),
        (750, "EUR", "7,50\u00a0€", "€7.50"),
        (5, "EUR", "0,05\u00a0€", "€0.05"),
        (0, "GBP", "0\u00a0£GB", "£0"),
        (123456789, "USD", "1\u202f234\u202f567,89\u00a0$US", "US$1,234,567.89"),
        (2550, "CHF", "25,50\u00a0CHF", "CHF\u00a025.50"),
    ],
)
def test_money_is_written_as_the_locale_does(
    minor: int, currency: str, french: str, english: str
) -> None:
    assert money_text(minor, currency, "fr") == french
    assert money_text(minor, currency, "en") == english


def test_a_negative_amount_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        money_text(-1, "EUR", "fr")


def test_a_number_of_thousands_is_grouped_as_each_language_does() -> None:
    assert money_text(123456, "EUR", "es") == "1.234,56\u00a0€"
    assert money_text(123456, "PLN", "pl") == "1\u00a0234,56\u00a0zł"
    assert money_text(123456, "EUR", "it") == "1.234,56\u00a0€"


def test_days_are_written_as_the_locale_does() -> None:
    assert long_day(date(2026, 8, 1), "pl") == "1\u00a0sierpnia\u00a02026"
    assert long_day(date(2026, 8, 1), "es") == "1\u00a0de\u00a0agosto\u00a0de\u00a02026"
    assert long_day(date(2026, 8, 1), "it") == "1\u00a0agosto\u00a02026"
    assert long_day(date(2026, 12, 31), "fr") == "31\u00a0décembre\u00a02026"
    assert long_day(date(2026, 8, 1), "fr") == "1er\u00a0août\u00a02026"
    assert long_day(date(2026, 1, 1), "en") == "1\u00a0January\u00a02026"


def test_law_11_a_moment_is_not_accepted_as_a_local_day() -> None:
    with pytest.raises(TypeError):
        long_day(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "fr")


def test_ink_is_legible_on_any_colour() -> None:
    def luminance(colour: str) -> float:
        channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    for number in range(0, 0x1000000, 0x010305):
        colour = f"#{number:06x}"
        lighter, darker = sorted((luminance(colour), luminance(ink_on(colour))), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5


@pytest.mark.parametrize("ground", ["#ffffff", "#f6f5f0", "#2f2f2b", "#000000"])
def test_an_accent_can_be_read_on_its_ground(ground: str) -> None:
    for number in range(0, 0x1000000, 0x030911):
        assert contrast(readable(f"#{number:06x}", ground), ground) >= 4.5
    assert readable("#1f4e3d", "#ffffff") == "#1f4e3d"


def test_french_spaces_no_line_breaks_at() -> None:
    text = typeset("« Oui : 10 €, 15 % ; non ! »", "fr")
    narrow, wide = "\u202f", "\u00a0"
    assert text == f"«{narrow}Oui{narrow}: 10{wide}€, 15{wide}%{narrow}; non{narrow}!{narrow}»"
    assert typeset("Oui : 10 €", "pl") == "Oui : 10 €"


@pytest.mark.parametrize(
    ("benefit", "english", "french"),
    [
        (MoneyOff(1000, "EUR"), "€10", "10\u00a0€"),
        (PercentOff(15, "EUR"), "15%", "15\u00a0%"),
        (
            PercentOff(15, "EUR", at_most_minor=3000),
            "15% (up to €30)",
            "15\u00a0% (jusqu’à 30\u00a0€)",
        ),
        (FreeDelivery(), "free delivery", "livraison offerte"),
    ],
)
def test_a_benefit_is_described_in_the_form_of_a_language(
    benefit: Benefit, english: str, french: str
) -> None:
    assert benefit_text(benefit, "en", words_in("en", NOT_COMPILED)) == english
    assert benefit_text(benefit, "fr", words_in("fr", NOT_COMPILED)) == french


@pytest.mark.parametrize("locale", LOCALES)
def test_every_kind_of_benefit_is_described_in_every_language(locale: str) -> None:
    kinds: list[Benefit] = [MoneyOff(1, "EUR"), PercentOff(1, "EUR", 1), FreeDelivery()]
    words = words_in(locale, NOT_COMPILED)
    assert all(benefit_text(benefit, locale, words).strip() for benefit in kinds)
