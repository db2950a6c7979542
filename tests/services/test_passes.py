"""Passes by the use case: which voucher, what is asked to be signed, what becomes of a failure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.domain.wallets import Wallet, may_have_pass
from chalicelib.services.errors import UnavailableError, UnknownError
from chalicelib.services.voucher_views import offered_wallets, require_wallet
from chalicelib.services.vouchers.passes import google_link, sign_apple_pass
from chalicelib.wallets.messages import ApplePass, GooglePass
from tests.fakes.campaign import campaign
from tests.fakes.ports import MemoryWallets
from tests.fakes.world import World
from tests.wallets.samples import NOW, VOUCHER

OTHER = replace(VOUCHER, voucher_id="f" * 32, code="WE-OTHER")
USED = replace(VOUCHER, state=VoucherState.REDEEMED, redeemed_by="order")
ORIGIN = "https://tandem.test"


@pytest.fixture
def world() -> World:
    made = World()
    made.clock.now = NOW
    return made


def wallets(world: World) -> MemoryWallets:
    found = world.ports.wallets
    assert isinstance(found, MemoryWallets)
    return found


def for_apple(world: World, *held: Voucher) -> bytes:
    return sign_apple_pass(world.ports, campaign(), held, VOUCHER.voucher_id)


def for_google(world: World, *held: Voucher) -> str:
    return google_link(world.ports, campaign(), held, VOUCHER.voucher_id, "fr", ORIGIN)


def test_the_voucher_that_was_asked_for_is_signed(world: World) -> None:
    assert for_apple(world, OTHER, VOUCHER) == b"a pass"
    assert for_google(world, OTHER, VOUCHER) == "https://wallet.test/a-pass"
    apple, google = wallets(world).asked
    assert isinstance(apple, ApplePass)
    assert apple.content["serialNumber"] == VOUCHER.voucher_id
    assert isinstance(google, GooglePass)
    assert (google.offer_object["id"], google.origin) == (VOUCHER.voucher_id, ORIGIN)


@pytest.mark.parametrize("make", [for_apple, for_google])
def test_a_voucher_that_is_another_holders_or_used_is_not_there(world: World, make: object) -> None:
    assert callable(make)
    for held in ((), (OTHER,), (USED,)):
        with pytest.raises(UnknownError, match="voucher"):
            make(world, *held)
    assert wallets(world).asked == []


@pytest.mark.parametrize("make", [for_apple, for_google])
def test_what_cannot_be_signed_is_not_possible_now(world: World, make: object) -> None:
    assert callable(make)
    wallets(world).fails = True
    with pytest.raises(UnavailableError):
        make(world, VOUCHER)


def test_a_wallet_that_is_not_offered_is_not_there(world: World) -> None:
    wallets(world).offered = (Wallet.APPLE,)
    require_wallet(world.ports, Wallet.APPLE)
    with pytest.raises(UnknownError, match="pass"):
        require_wallet(world.ports, Wallet.GOOGLE)


def test_a_voucher_is_offered_to_the_wallets_of_the_stage_while_it_can_be_used(
    world: World,
) -> None:
    assert offered_wallets(world.ports, VOUCHER) == ()
    wallets(world).offered = (Wallet.APPLE, Wallet.GOOGLE)
    assert offered_wallets(world.ports, VOUCHER) == (Wallet.APPLE, Wallet.GOOGLE)
    assert offered_wallets(world.ports, USED) == ()


def test_a_pass_is_of_a_code_that_is_released_and_good_at_that_moment() -> None:
    assert may_have_pass(VOUCHER, NOW)
    assert not may_have_pass(VOUCHER, VOUCHER.valid_until + timedelta(days=1))
    assert not may_have_pass(replace(VOUCHER, acknowledged_at=None), NOW)
