"""The function that seals the journal, on a table and a bucket: what it writes and reports."""

from __future__ import annotations

import pytest

from chalicelib import functions
from chalicelib.services.journal import miscounts, sealed_facts, unsealed
from tests.api.world import BUCKET, CAMPAIGN, World

pytestmark = pytest.mark.slow


def test_law_10_the_journal_of_a_story_is_sealed_and_agrees_with_the_counts(world: World) -> None:
    world.invited()
    campaign = world.ports.campaigns.get(CAMPAIGN)
    assert campaign
    assert miscounts(world.ports, campaign) == []
    functions.seal()
    assert list(unsealed(world.ports)) == []
    sealed = {fact.fact_id for fact in sealed_facts(world.ports, CAMPAIGN)}
    assert sealed == {item["fact_id"]["S"] for item in world.facts()}
    assert miscounts(world.ports, campaign) == []


def test_law_10_an_altered_bundle_fails_the_run_after_all_others_are_sealed(world: World) -> None:
    world.invited()
    part = next(unsealed(world.ports))
    key = f"journal/{part.digest}.jsonl"
    kept = b"".join(world.ports.files.read(key))
    world.clients.s3.put_object(Bucket=BUCKET, Key=key, Body=kept.replace(b"2026", b"2025"))
    with pytest.raises(functions.WorkFailedError):
        functions.seal()
    assert {one.digest for one in unsealed(world.ports)} == {part.digest}
    world.clients.s3.put_object(Bucket=BUCKET, Key=key, Body=kept)
    functions.seal()
    assert list(unsealed(world.ports)) == []
