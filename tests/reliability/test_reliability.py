"""A fast share of what `make reliability` counts, and that it would find what is wrong."""

from __future__ import annotations

import pytest

from chalicelib.adapters.dynamodb import repository as dynamo
from chalicelib.domain.facts import FactName
from tests.reliability.deliveries import Storm, deliveries, doubles, errors, losses
from tests.reliability.figures import Figure
from tests.reliability.lost_facts import withheld
from tests.reliability.races import invitations_of_one, one_voucher

pytestmark = pytest.mark.slow

SOME_FACTS = (FactName.INVITATION_ACCEPTED, FactName.REFERRAL_CONFIRMED, FactName.ORDER_KEPT)


@pytest.fixture(scope="module")
def storm() -> Storm:
    """A small one, with everything done."""
    storm = Storm(referrals=20, seed=2)
    storm.play()
    return storm


def test_whatever_dies_or_comes_twice_nothing_is_double_lost_or_wrong(storm: Storm) -> None:
    assert [*doubles(storm), *losses(storm), *errors(storm)] == []
    assert storm.deliveries > 500
    assert storm.faults > 0.25 * storm.deliveries


def test_a_storm_is_a_figure_that_holds() -> None:
    assert deliveries(referrals=5).holds


def test_without_the_conditions_a_storm_leaves_doubles() -> None:
    storm = Storm(referrals=10, guards=False, contested=0.6)
    storm.play()
    assert [*doubles(storm), *errors(storm)]


def test_what_is_taken_away_is_found_to_be_lost(storm: Storm) -> None:
    mail = next(one for one in storm.world.mailer.sent if one.mail_id.startswith("voucher-"))
    kept = [one for one in storm.world.mailer.sent if one.mail_id != mail.mail_id]
    sent, storm.world.mailer.sent = storm.world.mailer.sent, kept
    try:
        assert len([*losses(storm)]) == 1
    finally:
        storm.world.mailer.sent = sent


def test_of_sponsors_who_invite_one_person_at_once_one_succeeds() -> None:
    assert invitations_of_one(seeds=12).holds


def test_of_tills_that_use_one_voucher_at_once_one_succeeds() -> None:
    redeemed, taken_back = one_voucher(workers=40, seeds=2)
    assert redeemed.holds
    assert taken_back.holds


def test_without_the_revision_several_tills_succeed(monkeypatch: pytest.MonkeyPatch) -> None:
    always = "attribute_exists(pk) OR attribute_not_exists(pk)"
    monkeypatch.setattr(dynamo, "UNCHANGED", f"revision = :revision OR {always}")
    assert not next(one_voucher(workers=10, seeds=1)).holds


def test_a_fact_withheld_is_made_up_for_within_a_day() -> None:
    figure = withheld(SOME_FACTS)
    assert figure.holds
    assert figure.done["cases"] == 2 * len(SOME_FACTS)


def test_a_figure_of_nothing_does_not_hold() -> None:
    assert not Figure("nothing", {"cases": 0}, {"lost": 0}).holds
    assert not Figure("something", {"cases": 5}, {"lost": 1}).holds
