"""What a voucher gives."""

from __future__ import annotations

from chalicelib.domain.benefits import FreeDelivery, MoneyOff, PercentOff, kind_of
from chalicelib.domain.vouchers import Voucher
from tests.contract.entities import ENTITIES


def test_a_voucher_is_worth_what_it_was_issued_with() -> None:
    [voucher] = [entity for entity in ENTITIES if isinstance(entity, Voucher)]
    assert voucher.benefit == MoneyOff(voucher.value_minor, voucher.currency)


def test_every_kind_has_a_word_of_its_own_in_files() -> None:
    words = [kind_of(one) for one in (MoneyOff(1, "EUR"), PercentOff(1, "EUR"), FreeDelivery())]
    assert words == ["money_off", "percent_off", "free_delivery"]
