"""What strangers alone make happen, as often as they like, leaves nothing that stays."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib.domain.effects import EFFECTS, STRANGERS_FACTS_KEPT_FOR
from chalicelib.domain.fact_checks import BACKLOG_EXPLAINS
from tests.api.requests import OF_CAMPAIGN
from tests.api.world import CAMPAIGN, STRANGER, VIP, World, posting

pytestmark = pytest.mark.slow

QUEUES_KEEP = timedelta(days=14)  # a message, and again in the dead queue
RESTORED_FROM = timedelta(days=35)  # at most: AWS keeps a table's past as long


def _ask(world: World, address: str) -> None:
    wish = {"campaign": CAMPAIGN, "email": address, "wish": "export"}
    for request in (
        posting(f"{OF_CAMPAIGN}/sign-in", {"email": address}),
        posting("/v1/privacy/requests", wish),
    ):
        assert world.ask(request).status == 202
    world.run()


def test_law_12_a_stranger_leaves_nothing_without_an_end(world: World) -> None:
    def keys() -> set[tuple[str, str]]:
        return {(item["pk"]["S"], item["sk"]["S"]) for item in world.table()}

    before = keys()
    for _ in range(3):
        _ask(world, STRANGER)
    left = [item for item in world.table() if (item["pk"]["S"], item["sk"]["S"]) not in before]
    facts = [item for item in left if item["kind"]["S"] == "FACT"]
    assert {item["name"]["S"] for item in facts} == {
        "sign_in_requested", "sign_in_refused", "privacy_requested", "privacy_link_refused",
    }  # fmt: skip
    for item in facts:
        end = datetime.fromisoformat(item["at"]["S"]) + STRANGERS_FACTS_KEPT_FOR
        assert item["ttl"] == {"N": str(int(end.timestamp()))}
    others = {item["kind"]["S"] for item in left if "ttl" not in item}
    assert others <= {"JOURNAL_PART"}  # taken away when it is sealed


def test_what_a_sponsor_has_done_stays_with_the_campaign(world: World) -> None:
    _ask(world, VIP)
    names = {item["name"]["S"] for item in world.facts() if "ttl" not in item}
    assert {"sign_in_granted"} <= names
    assert names.isdisjoint({"sign_in_requested", "privacy_requested"})


def test_nothing_looks_for_such_a_fact_after_its_end() -> None:
    longest = 2 * QUEUES_KEEP + BACKLOG_EXPLAINS
    assert max(longest, RESTORED_FROM) < STRANGERS_FACTS_KEPT_FOR


def test_no_counter_is_made_of_a_fact_that_ends() -> None:
    """Law 10: the counts of any day can be made again from the facts that stay."""
    for effect in EFFECTS.values():
        if effect.kept_for:
            assert not effect.counters
            assert effect.counted_by(None) == {}  # type: ignore[arg-type]
