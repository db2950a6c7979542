"""The measures of abuse see what they are for: each fails when its guard is taken away."""

from __future__ import annotations

import pytest

from bench.abuse.__main__ import MOST_CALLS, costs_of_strangers
from bench.abuse.floods import flood
from bench.abuse.inputs import fuzz
from bench.abuse.neutrality import auc, measure
from chalicelib.api.operations import OPERATIONS
from chalicelib.domain import addresses, first_names
from chalicelib.services.invitations import invite

pytestmark = pytest.mark.slow


def test_no_answer_and_no_call_tells_what_an_address_is_and_one_that_did_would_be_seen() -> None:
    *honest, curious = measure(samples=40)
    assert {(one.route, one.answers, one.traces) for one in honest} == {
        ("sign-in", 1, 1), ("sign-up", 1, 1), ("request for one's data", 1, 1),
        ("invitation", 1, 1),
    }  # fmt: skip
    assert curious.traces == 2
    assert not curious.holds


@pytest.mark.parametrize(
    ("own", "others", "expected"),
    [
        ([1, 2], [3, 4], 0.0),
        ([3, 4], [1, 2], 1.0),
        ([1, 2], [1, 2], 0.5),
        ([2], [1, 2, 3, 3], 0.375),
    ],
)
def test_the_auc_is_the_share_of_pairs_in_which_the_own_one_is_larger(
    own: list[int], others: list[int], expected: float
) -> None:
    assert auc(own, others) == expected


def test_a_token_that_nobody_was_given_costs_one_read_and_nothing_else() -> None:
    spent = {one.name: one for one in costs_of_strangers()}
    asking = [one for one in OPERATIONS if one.security in {"session", "wall"}]
    assert asking
    for one in asking:
        found = spent[f"{one.method} {one.name}"]
        assert found.calls == ("dynamodb:GetItem",), one.name
    assert all(len(one.calls) <= MOST_CALLS for one in spent.values())


def test_a_flood_stays_within_what_is_stated() -> None:
    found = flood(posts=300)
    assert list(found.broken) == []
    assert found.answers[429], "it did not reach the bound"


def test_a_link_without_a_daily_quota_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invite, "is_day_full", lambda *_: False)
    assert any("by one link" in one for one in flood(posts=200).broken)


def test_a_vip_who_is_mailed_at_each_request_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chalicelib.services.sponsors.sign_in.reason_to_wait", lambda *_: None)
    assert any("sign_in to one person" in one for one in flood(posts=100).broken)


def test_nothing_odd_is_accepted() -> None:
    found = fuzz(inputs=2000)
    assert found.wrong == []
    assert found.addresses["accepted"]
    assert found.names["accepted"]


@pytest.mark.parametrize("module", [addresses, first_names])
def test_a_letter_that_prints_nothing_would_be_seen(
    module: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INVISIBLE", frozenset())
    assert any("prints nothing" in one for one in fuzz(inputs=4000).wrong)
