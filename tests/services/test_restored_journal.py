"""The journal of a table that was taken back: its files are followed, nothing is sealed twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.journal import (
    BrokenChainError,
    JournalGroup,
    JournalHead,
    JournalPart,
    canonical,
    chained,
    file_name,
)
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.journal import miscounts, sealed_facts
from chalicelib.services.operations.seal import seal
from chalicelib.services.ports import Change
from chalicelib.services.restoring.adopt import CampaignMissingError, adopt, look
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.fuse import Fuse, KilledError
from tests.fakes.repository import StreamedRepository, _fact_key
from tests.fakes.world import VIPS, World, wrapped
from tests.services.test_restoring import restore, take
from tests.services.test_seal import OTHER, OUT, _FailsUnder, assert_sealed, recorded


class Opened(StreamedRepository):
    """Kills the seal once it has opened a group."""

    def __init__(self, world: World) -> None:
        super().__init__(world.memory)

    def commit(self, *changes: Change, facts: Sequence[Fact] = ()) -> None:
        super().commit(*changes, facts=facts)
        if any(isinstance(change.entity, JournalGroup) for change in changes):
            raise KilledError


def go_on(world: World) -> None:
    """Some more is counted and sealed."""
    world.projects = True
    world.invite(world.sponsor(VIPS[1]), "paul@example.fr")
    world.run()
    seal(world.ports)


def assert_chained(world: World) -> None:
    """Every fact of the table is once in the files, in one chain each."""
    for name in (CAMPAIGN, OTHER):
        stored = [one.fact_id for one in world.memory._facts.values() if one.campaign == name]
        sealed = [one.fact_id for one in sealed_facts(world.ports, name)]
        assert sorted(sealed) == sorted(stored)
        assert miscounts(world.ports, campaign(campaign=name)) == []
    assert world.memory.all(JournalPart) == []


@pytest.mark.slow
def test_law_10_taken_back_to_any_moment_of_a_seal_the_chain_goes_on_from_its_last_file() -> None:
    world = recorded()
    start, content, at = take(world), dict(world.files.content), 0
    while True:
        at += 1
        restore(world, start)
        world.files.content = dict(content)
        fuse = Fuse(at, after_the_effect=False)
        with suppress(KilledError):
            seal(fuse.on(world.ports))
        if fuse.left > 0:
            break
        moment = take(world)
        seal(world.ports)
        files = world.files.under("out/")
        restore(world, moment)
        adopt(world.ports, moment.at)
        assert world.memory.all(JournalPart) == []
        assert world.files.under("out/") == files
        seal(world.ports)
        assert_sealed(world)
    assert at > 20


def test_law_10_what_only_one_campaign_has_sealed_is_sealed_for_the_other_alone() -> None:
    world = recorded()
    moment = take(world)
    ports = replace(world.ports, files=_FailsUnder(world, f"out/{CAMPAIGN}/"))
    assert set(seal(ports).failed) == {CAMPAIGN}
    restore(world, moment)
    adopt(world.ports, moment.at)
    assert world.memory.all(JournalPart)
    seal(world.ports)
    assert_sealed(world)


@pytest.mark.slow
def test_law_10_taken_back_to_any_moment_of_a_seal_that_leaves_lines_none_is_sealed_twice() -> None:
    at = 0
    while True:
        at += 1
        world = recorded()
        fuse = Fuse(at, after_the_effect=False)
        ports = fuse.on(world.ports)
        with suppress(KilledError):
            seal(replace(ports, files=_FailsUnder(world, f"out/{CAMPAIGN}/")))
        if fuse.left > 0:
            break
        moment = take(world)
        restore(world, moment)
        adopt(world.ports, moment.at)
        seal(world.ports)
        assert_sealed(world)
    assert at > 15


def test_law_10_after_an_hour_of_facts_and_seals_the_next_file_follows_the_last_one() -> None:
    world = recorded()
    moment = take(world)
    seal(world.ports)
    go_on(world)
    files = world.files.under("out/")
    restore(world, moment)
    adopt(world.ports, moment.at)
    seal(world.ports)
    assert_chained(world)
    assert world.files.under("out/") == files
    go_on(world)
    assert_chained(world)


def test_what_was_sealed_after_the_restore_is_an_error_that_names_the_files() -> None:
    world = recorded()
    moment = take(world)
    seal(world.ports)
    restore(world, moment)
    world.clock.advance(minutes=1)
    world.projects = True
    world.repository.commit(facts=[replace(world.facts()[-1], fact_id="other")])
    world.run()
    seal(world.ports)
    restore(world, moment)
    before = take(world)
    with pytest.raises(BrokenChainError, match="2 files have the number 2"):
        adopt(world.ports, moment.at)
    assert take(world) == before


def test_a_file_that_is_missing_or_altered_is_an_error_that_names_it() -> None:
    world = recorded()
    moment = take(world)
    seal(world.ports)
    go_on(world)
    last = sorted(world.files.under(OUT))
    restore(world, moment)
    kept = world.files.content.pop(last[-2])
    with pytest.raises(BrokenChainError, match="no file has the number 2"):
        adopt(world.ports, moment.at)
    world.files.content[last[-2]] = kept.replace(b"received", b"deceived")
    with pytest.raises(BrokenChainError, match=last[-2]):
        adopt(world.ports, moment.at)
    world.files.content[last[-2]] = kept
    adopt(world.ports, moment.at)
    assert world.repository.get(JournalHead, campaign=CAMPAIGN)


def test_a_campaign_or_a_version_put_since_must_be_put_again_first() -> None:
    world = recorded()
    moment = take(world)
    world.projects = True
    put_campaign(world.ports, campaign(acknowledge_within=48))
    put_campaign(world.ports, campaign(campaign="third"))
    world.run()
    restore(world, moment)
    with pytest.raises(CampaignMissingError, match="demo-vip, version 2, third"):
        adopt(world.ports, moment.at)
    put_campaign(world.ports, campaign(acknowledge_within=48))
    put_campaign(world.ports, campaign(campaign="third"))
    lost = [fact for known in look(world.ports, moment.at) for fact in known.lost]
    assert {fact.name for fact in lost} == {FactName.CAMPAIGN_PUT}
    adopt(world.ports, moment.at)


def test_law_10_what_was_not_counted_at_the_moment_and_is_sealed_now_is_counted_once() -> None:
    world = recorded()
    world.projects = True
    world.repository.commit(facts=[replace(world.facts()[-1], fact_id="late")])
    moment = take(world)
    world.run()
    seal(world.ports)
    restore(world, moment)
    [late] = world.repository.stored([world.facts()[-1]])
    assert not late.counted
    adopt(world.ports, moment.at)
    [late] = world.repository.stored([late])
    assert late.counted
    seal(world.ports)
    assert_chained(world)


def test_law_10_what_was_not_counted_is_counted_however_much_it_is() -> None:
    world = recorded()
    world.projects = True
    late = world.facts()[-1]
    for some in range(2):
        facts = [replace(late, fact_id=f"late{some}{number}") for number in range(90)]
        world.repository.commit(facts=facts)
    moment = take(world)
    world.run()
    seal(world.ports)
    restore(world, moment)
    adopt(world.ports, moment.at)
    seal(world.ports)
    assert_chained(world)


def test_law_10_a_fact_of_a_later_version_is_in_the_table_again() -> None:
    world = recorded()
    world.projects = True
    moment = take(world)
    unknown = replace(world.facts()[-1], fact_id="unknown", name="of_a_later_version")
    world.repository.commit(facts=[unknown])
    world.run()
    restore(world, moment)
    done = {one.campaign: one for one in adopt(world.ports, moment.at)}
    assert done[unknown.campaign].facts[unknown.name] == 1
    assert world.repository.stored([unknown])
    seal(world.ports)
    assert_chained(world)


def test_a_file_that_follows_another_one_than_the_last_is_an_error_that_names_it() -> None:
    world = recorded()
    moment = take(world)
    seal(world.ports)
    sealed = set(world.files.under(OUT))
    go_on(world)
    [last] = set(world.files.under(OUT)) - sealed
    line = canonical(world.facts()[-1])
    content, digest = chained("f" * 64, [line])
    del world.files.content[last]
    world.files.content[f"{last.rpartition('/')[0]}/{file_name(3, digest)}"] = content
    restore(world, moment)
    with pytest.raises(BrokenChainError, match="does not follow file 2"):
        adopt(world.ports, moment.at)


def test_a_file_whose_lines_are_others_than_its_name_says_is_an_error_that_names_it() -> None:
    world = recorded()
    moment = take(world)
    seal(world.ports)
    sealed = set(world.files.under(OUT))
    go_on(world)
    [last] = set(world.files.under(OUT)) - sealed
    [before] = [path for path in sealed if path.rpartition("/")[2].startswith("00000002")]
    previous = json.loads(world.files.content[before].splitlines()[-1])["hash"]
    world.files.content[last], _ = chained(previous, [canonical(world.facts()[-1])])
    restore(world, moment)
    with pytest.raises(BrokenChainError, match=f"{last} is not what was written"):
        adopt(world.ports, moment.at)


def test_the_files_from_before_the_moment_are_not_read() -> None:
    world = recorded()
    seal(world.ports)
    moment = take(world)
    sealed = world.files.under(OUT)
    world.files.content |= dict.fromkeys(sealed, b"altered")
    world.clock.advance(minutes=1)
    go_on(world)
    files = dict(world.files.content)
    restore(world, moment)
    adopt(world.ports, moment.at)
    assert files.items() <= world.files.content.items()


def test_law_10_a_campaign_that_has_no_file_yet_gets_its_first_one() -> None:
    world = recorded()
    put_campaign(world.ports, campaign(campaign="third"))
    world.projects = True
    world.run()
    with suppress(KilledError):
        seal(wrapped(world, lambda _: Opened(world)))
    moment = take(world)
    seal(world.ports)
    restore(world, moment)
    adopt(world.ports, moment.at)
    seal(world.ports)
    assert world.repository.get(JournalHead, campaign="third")
    assert_chained(world)


@pytest.mark.parametrize("is_sealed", [True, False])
def test_a_fact_that_cannot_be_read_stops_no_other_and_is_named(is_sealed: bool) -> None:
    world = recorded()
    moment = take(world)
    [unread, *_] = [one for one in world.memory._facts.values() if one.campaign == CAMPAIGN]
    known_before = set(world.memory._facts)
    world.projects = True
    world.invite(world.sponsor(), "late@example.fr")
    world.run()
    since = {
        place: fact for place, fact in world.memory._facts.items() if place not in known_before
    }
    if is_sealed:
        seal(world.ports)
    restore(world, moment)
    world.memory.unreadable.add(_fact_key(unread))
    [known] = [one for one in look(world.ports, moment.at) if one.outside.campaign == CAMPAIGN]
    assert {fact.fact_id for fact in known.lost} == {fact.fact_id for fact in since.values()}
    assert known.unreadable == [unread.fact_id]
    [done] = [one for one in adopt(world.ports, moment.at) if one.campaign == CAMPAIGN]
    assert done.unreadable == [unread.fact_id]
    assert done.facts.total() == len(since)
    assert since.keys() <= world.memory._facts.keys()
