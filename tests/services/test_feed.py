"""The feed of a dashboard: the last acts, against the facts of the journal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.feed import ACTS_SHOWN, Act, act_of, acts_of_campaign, last_acts, newest
from chalicelib.domain.journal import (
    LEFT_SHARD,
    PART_SHARDS,
    JournalGroup,
    JournalHead,
    JournalPart,
)
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.feed import PARTS_A_LOOK, feed_of
from chalicelib.services.journal import journal
from chalicelib.services.operations.dashboard import campaigns_to_show, view_dashboard
from chalicelib.services.operations.project import project
from chalicelib.services.operations.seal import seal
from chalicelib.services.ports import Failure, Insert, Remove, Replace
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.repository import UnreadableError
from tests.fakes.world import World, new_world
from tests.services.test_links import come, link_of
from tests.services.test_unreadable_items import spoil

JEANNE, PAUL, LEA = "jeanne@example.fr", "paul@example.fr", "lea@example.fr"
OTHER = "other"


def assert_agrees(world: World, found: list[Act]) -> None:
    """The last acts of the whole journal, recomputed; which of one instant is anybody's guess."""
    facts = sorted(journal(world.ports, CAMPAIGN), key=lambda fact: fact.at)
    assert [act.at for act in found] == [act.at for act in last_acts(facts)]
    assert set(found) <= {act_of(fact) for fact in facts}
    assert len(set(found)) == len(found)


def shown(world: World) -> list[Act]:
    return list(view_dashboard(world.ports, CAMPAIGN).acts)


def busy() -> World:
    world = new_world()
    session = world.sponsor()
    world.invite(session, JEANNE, PAUL)
    world.run()
    come(world, link_of(world, session), LEA)
    world.run()
    for address in (JEANNE, LEA):
        world.clock.advance(minutes=7)
        world.confirm(address)
        world.run()
    return world


def test_it_is_what_the_journal_ends_with_sealed_or_not() -> None:
    world = busy()
    before = shown(world)
    assert_agrees(world, before)
    assert {act.channel for act in before if act.name == "referral_confirmed"} == {"email", "link"}
    seal(world.ports)
    assert not any(world.memory.all(JournalPart))
    assert shown(world) == before
    world.clock.advance(hours=1)
    world.invite(world.sponsor(), "max@example.fr", "eva@example.fr", "tom@example.fr")
    world.run()
    after = shown(world)
    assert_agrees(world, after)
    assert after[-1] in before  # part of it is sealed, part is not
    assert after[0] not in before
    assert len(after) == ACTS_SHOWN
    seal(world.ports)
    assert_agrees(world, shown(world))


def test_it_moves_with_the_counts() -> None:
    world = busy()
    world.projects = False
    world.clock.advance(minutes=1)
    world.invite(world.sponsor(), "max@example.fr")
    uncounted = shown(world)
    assert uncounted[0].at < world.clock()
    project(world.ports, world.facts())
    assert shown(world)[0].at == world.clock()
    assert_agrees(world, shown(world))


def test_what_is_sealed_and_still_recorded_is_shown_once() -> None:
    world = busy()
    parts = world.memory.all(JournalPart)
    before = shown(world)
    seal(world.ports)
    for part in parts:  # the seal was killed before it removed them
        world.memory.commit(Insert(replace(part, revision=0)))
    assert shown(world) == before


def test_another_campaigns_acts_are_not_among_them() -> None:
    world = busy()
    before = shown(world)
    put_campaign(world.ports, campaign(campaign=OTHER))
    world.run()
    assert [act.name for act in feed_of(world.ports, OTHER)] == ["campaign_put"]
    assert shown(world) == before
    seal(world.ports)
    assert [act.name for act in feed_of(world.ports, OTHER)] == ["campaign_put"]


def test_the_newest_acts_are_shown_where_there_are_more_records_than_are_read() -> None:
    world = busy()
    seal(world.ports)
    before = shown(world)
    put_campaign(world.ports, campaign(campaign=OTHER))
    world.run()
    world.projects = False
    facts = []
    for number in range(16 * PART_SHARDS):
        world.clock.advance(seconds=1)
        facts += put_again(world, number, CAMPAIGN if number % 8 == 0 else OTHER)
    found = shown(world)
    read = [act for act in found if act not in before]
    assert 1 < len(read) < len(facts)
    every = last_acts(facts)
    assert read[:5] == every[:5]
    assert set(read) < set(every)
    assert found[len(read) :] == before[: ACTS_SHOWN - len(read)]


def test_a_quiet_campaign_keeps_its_acts_beside_a_busy_one() -> None:
    world = busy()
    seal(world.ports)
    before = shown(world)
    put_campaign(world.ports, campaign(campaign=OTHER))
    world.run()
    world.projects = False
    for number in range(100):
        world.clock.advance(seconds=8)
        put_again(world, number, OTHER)
    assert shown(world) == before
    seal(world.ports)
    assert shown(world) == before


def test_what_a_group_has_left_of_others_hides_no_act() -> None:
    world = busy()
    before = shown(world)
    [part, *_] = world.memory.all(JournalPart)
    for number in range(PARTS_A_LOOK):
        left = replace(part, shard=LEFT_SHARD, campaign=OTHER, group=1, acts=(), revision=0)
        late = f"{world.clock() + timedelta(days=1):%Y-%m-%dT%H:%M:%S.%fZ}#{number:02}"
        world.memory.commit(Insert(replace(left, position=late)))
    assert shown(world) == before


def put_again(world: World, number: int, name: str) -> list[Fact]:
    """A new version, counted in a record of its own; the facts of the campaign that is shown."""
    put_campaign(world.ports, campaign(campaign=name, title={"fr": f"{number}", "en": "Title"}))
    [fact] = [one for one in world.facts(FactName.CAMPAIGN_PUT) if one.at == world.clock()]
    assert project(world.ports, [fact]) == [fact]
    return [fact] if name == CAMPAIGN else []


def test_a_look_reads_so_many_records_of_a_shard_and_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, int]] = []

    def recorded(_kind: object, count: int, _noted: object, /, **key: object) -> list[object]:
        asked.append((key["shard"], count))
        return []

    monkeypatch.setattr(world.ports.repository, "last_within", recorded)
    assert feed_of(world.ports, CAMPAIGN) == []
    assert asked == [(shard, 10) for shard in (*range(PART_SHARDS), LEFT_SHARD)]


def test_what_a_group_has_left_is_shown_too() -> None:
    world = busy()
    before = shown(world)
    for part in world.memory.all(JournalPart)[:3]:
        left = replace(part, shard=LEFT_SHARD, campaign=CAMPAIGN, group=1)
        world.memory.commit(Remove(part), Insert(replace(left, revision=0)))
    assert shown(world) == before


def test_a_group_holds_its_parts_without_their_acts(monkeypatch: pytest.MonkeyPatch) -> None:
    """An item has 400 KB, and a group has 500 parts."""
    world = busy()
    groups: list[JournalGroup] = []
    commit = world.ports.repository.commit

    def noted(*changes: object, **more: object) -> None:
        entities = [getattr(change, "entity", None) for change in changes]
        groups.extend(one for one in entities if isinstance(one, JournalGroup))
        commit(*changes, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(world.ports.repository, "commit", noted)
    seal(world.ports)
    assert any(group.parts for group in groups)
    assert all(part.acts == () for group in groups for part in group.parts)


def test_a_head_that_an_earlier_version_wrote_has_none_until_the_next_seal() -> None:
    world = busy()
    seal(world.ports)
    head = world.repository.get(JournalHead, campaign=CAMPAIGN)
    assert head
    world.memory.commit(Replace(replace(head, acts="")))
    assert shown(world) == []
    world.clock.advance(hours=1)
    world.invite(world.sponsor(), "max@example.fr")
    world.run()
    seal(world.ports)
    assert shown(world)[0].at >= world.clock() - timedelta(seconds=1)


def test_a_record_that_cannot_be_read_takes_its_own_acts_alone_off_the_dashboard() -> None:
    world = busy()
    before = shown(world)
    [*others, bad] = sorted(world.memory.all(JournalPart), key=lambda part: part.position)
    spoil(world, bad)
    failures: list[Failure] = []
    found = view_dashboard(world.ports, CAMPAIGN, failures.append)
    assert [(one.kind, one.name) for one in failures] == [("JOURNAL_PART", bad.position)]
    assert found.funnel["confirmed"] == 2
    kept = newest(act for part in others for act in acts_of_campaign(part.acts, CAMPAIGN))
    assert list(found.acts) == kept != before
    with pytest.raises(UnreadableError):
        shown(world)


def test_a_dashboard_is_shown_without_acts_where_the_head_of_the_journal_cannot_be_read() -> None:
    world = busy()
    seal(world.ports)
    spoil(world, *world.memory.all(JournalHead))
    failures: list[Failure] = []
    found = view_dashboard(world.ports, CAMPAIGN, failures.append)
    assert [(one.kind, one.name) for one in failures] == [("feed", CAMPAIGN)]
    assert (found.funnel["confirmed"], found.acts) == (2, ())


def test_a_campaign_that_cannot_be_read_hides_no_other_from_the_switch() -> None:
    world = busy()
    put_campaign(world.ports, campaign(campaign=OTHER))
    spoil(world, *(one for one in world.memory.all(CurrentCampaign) if one.campaign == OTHER))
    failures: list[Failure] = []
    assert [one.id for one in campaigns_to_show(world.ports, failures.append)] == [CAMPAIGN]
    assert [one.kind for one in failures] == ["CAMPAIGN"]
    with pytest.raises(UnreadableError):
        campaigns_to_show(world.ports)
