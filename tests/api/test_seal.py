"""The functions that seal the journal and write its roots, on a table and buckets."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from chalicelib.domain.journal import folder
from chalicelib.services.journal import miscounts, roots_of, sealed_facts, unsealed
from tests import functions
from tests.api.world import BUCKET, CAMPAIGN, ROOTS_BUCKET, World

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


def test_law_10_an_altered_bundle_rings_after_all_others_are_sealed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.invited()
    part = next(unsealed(world.ports))
    key = f"journal/{part.digest}.jsonl"
    kept = b"".join(world.ports.files.read(key))
    world.clients.s3.put_object(Bucket=BUCKET, Key=key, Body=kept.replace(b"2026", b"2025"))
    functions.seal()
    assert '"NotHandled":[1.0]' in capsys.readouterr().out
    assert {one.digest for one in unsealed(world.ports)} == {part.digest}
    world.clients.s3.put_object(Bucket=BUCKET, Key=key, Body=kept)
    functions.seal()
    assert list(unsealed(world.ports)) == []


def test_law_10_a_root_of_each_journal_is_written_and_cannot_be_removed(world: World) -> None:
    world.invited()
    functions.seal()
    functions.root()
    functions.root()
    [root] = roots_of(world.ports, CAMPAIGN)
    [path] = world.ports.files.paths(folder(CAMPAIGN))
    assert root.hash[:16] in path
    s3 = world.clients.s3
    [version] = s3.list_object_versions(Bucket=ROOTS_BUCKET)["Versions"]
    with pytest.raises(ClientError, match=r"AccessDenied|Access Denied"):
        s3.delete_object(Bucket=ROOTS_BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_object(Bucket=ROOTS_BUCKET, Key=version["Key"])  # only hides it
    assert roots_of(world.ports, CAMPAIGN) == [root]


def test_law_10_a_journal_that_was_changed_gets_no_root_and_rings(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.invited()
    functions.seal()
    [path] = world.ports.files.paths(folder(CAMPAIGN))
    content = b"".join(world.ports.files.read(path))
    world.clients.s3.put_object(Bucket=BUCKET, Key=path, Body=content.replace(b"2026", b"2025"))
    functions.root()
    assert '"NotHandled":[1.0]' in capsys.readouterr().out
    assert roots_of(world.ports, CAMPAIGN) == []
