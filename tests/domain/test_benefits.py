"""What a voucher gives, described in a language."""

from __future__ import annotations

import pytest

from chalicelib.domain.benefits import (
    Benefit,
    FreeDelivery,
    MoneyOff,
    PercentOff,
    describe,
    kind_of,
)
from chalicelib.domain.vouchers import Voucher
from chalicelib.mails.render import LOCALES
from tests.contract.entities import ENTITIES


@pytest.mark.parametrize(
    ("benefit", "english", "french"),
    [
        (MoneyOff(1000, "EUR"), "€10.00", "10,00\u00a0€"),
        (PercentOff(15, "EUR"), "15%", "15\u00a0%"),
        (
            PercentOff(15, "EUR", at_most_minor=3000),
            "15% (up to €30.00)",
            "15\u00a0% (jusqu’à 30,00\u00a0€)",
        ),
        (FreeDelivery(), "free delivery", "livraison offerte"),
    ],
)
def test_a_benefit_is_described_in_the_form_of_a_language(
    benefit: Benefit, english: str, french: str
) -> None:
    assert describe(benefit, "en") == english
    assert describe(benefit, "fr") == french


@pytest.mark.parametrize("locale", LOCALES)
def test_every_kind_of_benefit_is_described_in_every_language_of_the_mails(locale: str) -> None:
    kinds: list[Benefit] = [MoneyOff(1, "EUR"), PercentOff(1, "EUR", 1), FreeDelivery()]
    assert all(describe(benefit, locale).strip() for benefit in kinds)


def test_a_voucher_is_worth_what_it_was_issued_with() -> None:
    [voucher] = [entity for entity in ENTITIES if isinstance(entity, Voucher)]
    assert voucher.benefit == MoneyOff(voucher.value_minor, voucher.currency)


def test_every_kind_has_a_word_of_its_own_in_files() -> None:
    words = [kind_of(one) for one in (MoneyOff(1, "EUR"), PercentOff(1, "EUR"), FreeDelivery())]
    assert words == ["money_off", "percent_off", "free_delivery"]
