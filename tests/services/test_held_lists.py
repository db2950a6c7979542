"""Lists that exceed a limit, and what ops decide about them and about those in force."""

from __future__ import annotations

import hashlib
import json

import pytest

from chalicelib.domain.campaign.lists import ListName
from chalicelib.domain.facts import FactName
from chalicelib.domain.lists.model import CurrentList, HeldList, ListVersion
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.errors import RefusedError, UnknownError
from chalicelib.services.ingest import Drop, ingest
from chalicelib.services.lists.review_held import (
    approve_held_list,
    reject_held_list,
)
from chalicelib.services.lists.roll_back import roll_back_list
from tests.fakes.campaign import CAMPAIGN, CANARY, campaign, digest
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world

FIRST = [*CUSTOMERS, *VIPS, CANARY]
BY = "AIDAOPS"
PATH = "customers/full/small.csv"
MANY = [f"p{number}@example.fr" for number in range(30)]


def list_of(*addresses: str) -> bytes:
    return "\n".join(["digest", *map(digest, addresses), ""]).encode()


SMALL = list_of(CANARY, CUSTOMERS[0])


def current(world: World) -> CurrentList:
    found = world.repository.get(CurrentList, campaign=CAMPAIGN, name="customers")
    assert found
    return found


def receipt_of(world: World, path: str = PATH) -> dict[str, object]:
    result: dict[str, object] = json.loads(
        world.files.content[f"out/{CAMPAIGN}/receipts/{path}.json"]
    )
    return result


@pytest.fixture
def held(world: World) -> HeldList:
    """A list that is far smaller than the one in force."""
    receipt = world.drop(PATH, SMALL)
    assert (receipt.status, receipt.reason, receipt.held) == (
        "refused",
        "shrink_beyond_limit",
        True,
    )
    assert receipt_of(world)["held"] is True
    [held] = world.memory.all(HeldList)
    return held


def test_a_list_that_shrinks_beyond_the_limit_is_held_and_the_one_in_force_stays(
    world: World, held: HeldList
) -> None:
    assert (held.reason, held.detail, held.rows) == ("shrink_beyond_limit", "from 9 to 2", 2)
    assert current(world).version == 1
    assert not world.facts(FactName.LIST_REFUSED)
    [fact] = world.facts(FactName.LIST_HELD)
    assert fact.details["reason"] == "shrink_beyond_limit"


def test_a_list_that_grows_beyond_the_limit_is_held() -> None:
    limits = {"customers": {"max_growth_percent": 100}}
    world = new_world(lists=limits)
    assert world.drop(PATH, list_of(*FIRST, *MANY[:9])).version == 2
    receipt = world.drop("customers/full/big.csv", list_of(*FIRST, *MANY))
    assert (receipt.reason, receipt.held) == ("growth_beyond_limit", True)


def test_of_a_held_list_dropped_again_the_last_drop_is_held(world: World, held: HeldList) -> None:
    again = world.put_file("customers/full/again.csv", SMALL)
    assert ingest(world.ports, again)
    ingest(world.ports, Drop(CAMPAIGN, PATH, held.dropped_at, held.sequencer, held.file_version))
    [last] = world.memory.all(HeldList)
    assert (last.path, last.sequencer) == ("customers/full/again.csv", again.sequencer)


def test_what_is_released_is_the_last_drop_of_it(world: World, held: HeldList) -> None:
    world.drop("customers/full/other.csv", list_of(*FIRST, MANY[0]))
    world.drop(PATH, SMALL)
    approve_held_list(world.ports, held, by=BY)
    world.run()
    assert current(world).rows == 2


def test_a_released_list_is_put_in_force_and_the_journal_names_who_released_it(
    world: World, held: HeldList
) -> None:
    approve_held_list(world.ports, held, by=BY)
    assert current(world).version == 1
    world.run()
    assert (current(world).version, current(world).rows) == (2, 2)
    assert receipt_of(world)["status"] == "accepted"
    released = [line for line in world.journal() if line["name"] == "list_released"]
    assert [line["details"]["by"] for line in released] == [BY]
    [accepted] = [
        one for one in world.facts(FactName.LIST_ACCEPTED) if "released_by" in one.details
    ]
    assert accepted.details["released_by"] == BY


def test_a_release_is_used_up_by_the_list_it_let_through(world: World, held: HeldList) -> None:
    approve_held_list(world.ports, held, by=BY)
    world.run()
    assert not world.memory.all(HeldList)
    world.clock.advance(hours=1)
    world.drop("customers/full/more.csv", list_of(*FIRST))
    world.clock.advance(hours=1)
    manifest = {
        "rows": 2, "sha256": held.sha256, "key_id": "k1",
        "generated_at": world.clock().isoformat(),
    }  # fmt: skip
    world.put_file("customers/full/again.manifest.json", json.dumps(manifest).encode())
    assert world.drop("customers/full/again.csv", SMALL).held


def test_a_rejected_list_is_refused_for_good(world: World, held: HeldList) -> None:
    reject_held_list(world.ports, held, by=BY)
    world.run()
    assert receipt_of(world)["reason"] == "refused_by_ops"
    assert "held" not in receipt_of(world)
    assert world.drop("customers/full/again.csv", SMALL).reason == "refused_by_ops"
    assert current(world).version == 1
    [rejected] = [line for line in world.journal() if line["name"] == "list_turned_down"]
    assert rejected["details"]["by"] == BY


def test_ops_may_change_their_mind(world: World, held: HeldList) -> None:
    reject_held_list(world.ports, held, by=BY)
    world.run()
    approve_held_list(world.ports, held, by=BY)
    world.run()
    assert current(world).rows == 2


def test_a_list_released_after_a_later_one_came_in_force_stays_out(
    world: World, held: HeldList
) -> None:
    world.drop("customers/full/later.csv", list_of(*FIRST, MANY[0]))
    approve_held_list(world.ports, held, by=BY)
    world.run()
    assert receipt_of(world)["reason"] == "older_than_the_list_in_force"
    assert current(world).rows == len(FIRST) + 1
    assert not world.memory.all(HeldList)  # the release is used up: dropped again, it is held again
    assert world.drop(PATH, SMALL).held


def test_a_list_that_is_not_held_cannot_be_released(world: World, held: HeldList) -> None:
    approve_held_list(world.ports, held, by=BY)
    world.run()
    with pytest.raises(UnknownError):
        approve_held_list(world.ports, held, by=BY)


def test_a_held_list_whose_file_is_gone_is_left_alone(world: World, held: HeldList) -> None:
    world.ports.files.move(f"in/{CAMPAIGN}/{PATH}", "elsewhere", held.file_version)
    approve_held_list(world.ports, held, by=BY)
    world.run()
    assert current(world).version == 1
    assert receipt_of(world)["reason"] == "file_gone"
    assert not world.memory.all(HeldList)


def test_the_same_digests_held_in_two_modes_are_released_each_by_itself(world: World) -> None:
    two = list_of(*VIPS[:2])
    for mode in ("full", "remove"):
        assert world.drop(f"vips/{mode}/two.csv", two).held
    [removal] = [one for one in world.memory.all(HeldList) if one.mode == "remove"]
    approve_held_list(world.ports, removal, by=BY)
    world.run()
    vips = world.repository.get(CurrentList, campaign=CAMPAIGN, name="vips")
    assert vips
    assert vips.rows == len(VIPS) - 2
    assert [one.mode for one in world.memory.all(HeldList)] == ["full"]


# --- rolling back
# ----------------------------------------------------------------------------------


def test_ops_put_an_earlier_version_in_force_as_a_new_one(world: World) -> None:
    world.drop("customers/full/bad.csv", list_of(*FIRST, *MANY))
    roll_back_list(world.ports, CAMPAIGN, ListName.CUSTOMERS, 1, by=BY)
    now = current(world)
    assert (now.version, now.rows, now.mode, now.base_version) == (3, len(FIRST), "rollback", 1)
    versions = [one for one in world.memory.all(ListVersion) if one.name == "customers"]
    assert [one.version for one in versions] == [1, 2, 3]
    assert versions[0].segment == now.segment
    world.run()
    [line] = [line for line in world.journal() if line["name"] == "list_rolled_back"]
    assert (line["details"]["by"], line["details"]["base_version"]) == (BY, 1)


def test_drops_from_before_a_rollback_no_longer_apply(world: World) -> None:
    early = world.put_file("customers/add/early.csv", list_of(MANY[1]))
    world.drop("customers/add/bad.csv", list_of(MANY[0]))
    world.clock.advance(minutes=1)
    roll_back_list(world.ports, CAMPAIGN, ListName.CUSTOMERS, 1, by=BY)
    world.clock.advance(minutes=1)
    receipt = ingest(world.ports, early)
    assert receipt
    assert receipt.reason == "older_than_the_list_in_force"
    world.drop("customers/add/next.csv", list_of(MANY[2]))
    assert current(world).rows == len(FIRST) + 1


def test_deltas_find_their_base_after_ops_went_back_to_a_list_with_deltas(world: World) -> None:
    base = current(world).full.sha256
    world.drop("customers/add/good.csv", list_of(MANY[0]))
    world.drop("customers/add/bad.csv", list_of(*MANY[1:9]))
    world.clock.advance(minutes=1)
    roll_back_list(world.ports, CAMPAIGN, ListName.CUSTOMERS, 2, by=BY)
    world.clock.advance(minutes=1)
    delta = list_of(MANY[9])
    manifest = {
        "rows": 1, "sha256": hashlib.sha256(delta).hexdigest(), "key_id": "k1",
        "generated_at": world.clock().isoformat(), "base": base,
    }  # fmt: skip
    world.put_file("customers/add/next.manifest.json", json.dumps(manifest).encode())
    assert world.drop("customers/add/next.csv", delta).version == 5
    assert current(world).rows == len(FIRST) + 2


def test_a_list_gone_back_from_does_not_return_with_the_manifest_it_always_had(
    world: World,
) -> None:
    world.clock.advance(hours=1)
    bad = list_of(*FIRST, *MANY)
    manifest = {
        "rows": len(FIRST) + len(MANY), "sha256": hashlib.sha256(bad).hexdigest(),
        "key_id": "k1", "generated_at": world.clock().isoformat(),
    }  # fmt: skip
    world.put_file("customers/full/bad.manifest.json", json.dumps(manifest).encode())
    assert world.drop("customers/full/bad.csv", bad).version == 2
    world.clock.advance(hours=1)
    roll_back_list(world.ports, CAMPAIGN, ListName.CUSTOMERS, 1, by=BY)
    world.clock.advance(hours=1)
    assert world.drop("customers/full/bad.csv", bad).reason == "replaced_by_a_later_list"
    assert current(world).version == 3


def test_law_3_a_version_made_with_a_key_that_is_gone_is_not_gone_back_to(world: World) -> None:
    world.drop("customers/full/next.csv", list_of(*FIRST, MANY[0]))
    put_campaign(world.ports, campaign(digests={"key_ids": ["k2"]}))
    with pytest.raises(RefusedError, match="key_not_in_force"):
        roll_back_list(world.ports, CAMPAIGN, ListName.CUSTOMERS, 1, by=BY)


def test_the_list_gone_back_to_may_be_dropped_again(world: World) -> None:
    world.drop("customers/full/bad.csv", list_of(*FIRST, *MANY))
    roll_back_list(world.ports, CAMPAIGN, ListName.CUSTOMERS, 1, by=BY)
    world.clock.advance(days=10)
    first = world.files.content[f"in/{CAMPAIGN}/customers/full/list.csv"]
    assert world.drop("customers/full/list.csv", first).status == "accepted"
    assert current(world).accepted_at == world.clock()


@pytest.mark.parametrize(("version", "error"), [(1, RefusedError), (9, UnknownError)])
def test_a_version_that_is_in_force_or_unknown_is_not_gone_back_to(
    world: World, version: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        roll_back_list(world.ports, CAMPAIGN, ListName.CUSTOMERS, version, by=BY)


def test_law_3_a_version_older_than_the_campaign_allows_is_not_gone_back_to(world: World) -> None:
    world.clock.advance(days=29)
    world.drop("customers/full/next.csv", list_of(*FIRST, MANY[0]))
    world.clock.advance(days=2)
    with pytest.raises(RefusedError, match="older_than_the_campaign_allows"):
        roll_back_list(world.ports, CAMPAIGN, ListName.CUSTOMERS, 1, by=BY)


def test_invitations_that_waited_go_on_when_the_current_list_is_dropped_again(world: World) -> None:
    world.clock.advance(days=31)
    world.drop_list("vips", VIPS)
    world.invite(world.sponsor(), "new@example.fr")
    world.run()
    assert not world.mailer.to("new@example.fr")
    world.drop_list("customers", FIRST)
    world.run()
    assert len(world.mailer.to("new@example.fr")) == 1
