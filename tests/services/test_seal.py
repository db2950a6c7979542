"""The seal: what is counted becomes chained files, once, whatever is killed or altered."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from random import Random
from typing import TypeVar

import pytest

from chalicelib.adapters.dynamodb import schema
from chalicelib.domain.entity import Entity
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.journal import (
    AlteredBundleError,
    BrokenChainError,
    JournalGroup,
    JournalHead,
    JournalPart,
    bundle_path,
    verify,
)
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.journal import PARTS_AT_ONCE, Miscount, miscounts, sealed_facts
from chalicelib.services.operations import reconcile as watch
from chalicelib.services.operations import seal as sealing
from chalicelib.services.operations.project import project
from chalicelib.services.operations.reconcile import reconcile
from chalicelib.services.operations.seal import seal
from chalicelib.services.ports import Change, Failure, Ports, Remove, Replace, Repository
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.fuse import Fuse, KilledError, killed_everywhere
from tests.fakes.repository import ContestedRepository, _pair
from tests.fakes.world import VIPS, World, new_world, wrapped

E = TypeVar("E", bound=Entity)
OTHER = "other"
OUT, BUNDLES = f"out/{CAMPAIGN}/journal/", "journal/"


def recorded() -> World:
    """Two campaigns with facts in several parts, nothing of them sealed; one older group is."""
    world = new_world()
    put_campaign(world.ports, campaign(campaign=OTHER))
    world.run()
    seal(world.ports)
    world.projects = False
    world.referral("jeanne@example.fr")
    facts = world.facts()
    others = [
        replace(fact, fact_id=f"o{fact.fact_id}", campaign=OTHER)
        for fact in facts
        if fact.campaign == CAMPAIGN
    ]
    world.repository.commit(facts=others)
    world.clock.advance(minutes=1)
    everything = world.facts()
    Random(1).shuffle(everything)
    for start in range(0, len(everything), 3):
        project(world.ports, everything[start : start + 3])
    return world


@pytest.mark.parametrize("few", [True, False])
def test_few_parts_are_removed_one_by_one_and_many_together(
    monkeypatch: pytest.MonkeyPatch, few: bool
) -> None:
    """A transaction costs twice, and is faster."""
    world = recorded()
    if not few:
        assert sealing.FEW_PARTS < PARTS_AT_ONCE  # a full group has many
        monkeypatch.setattr(sealing, "FEW_PARTS", 1)
    removed: list[int] = []
    commit = world.repository.commit

    def counted(*changes: Change, facts: Sequence[Fact] = ()) -> None:
        removed.append(sum(isinstance(change, Remove) for change in changes))
        commit(*changes, facts=facts)

    monkeypatch.setattr(world.repository, "commit", counted)
    parts = seal(world.ports).parts
    assert parts > 2
    assert [size for size in removed if size] == ([1] * parts if few else [parts])
    assert_sealed(world)


def assert_sealed(world: World) -> None:
    """Every fact once in the files, in one chain each, and nothing else is there."""
    for name in (CAMPAIGN, OTHER):
        happened = [fact.fact_id for fact in world.facts() if fact.campaign == name]
        sealed = list(sealed_facts(world.ports, name))
        assert sorted(fact.fact_id for fact in sealed) == sorted(happened)
        head = world.repository.get(JournalHead, campaign=name)
        assert head
        assert len(world.files.under(f"out/{name}/journal/")) == head.number
        assert miscounts(world.ports, campaign(campaign=name)) == []
    assert world.memory.all(JournalPart) == []
    assert [group.parts for group in world.memory.all(JournalGroup)] == [()]


def test_law_10_every_recorded_fact_is_sealed_once_in_a_chain_for_each_campaign() -> None:
    world = recorded()
    parts = len(world.memory.all(JournalPart))
    assert parts > 5
    done = seal(world.ports)
    assert (done.parts, done.altered, done.failed) == (parts, set(), {})
    assert_sealed(world)
    assert len(world.journal()) == len(list(sealed_facts(world.ports, CAMPAIGN)))
    before = dict(world.files.content)
    assert seal(world.ports).parts == 0
    assert world.files.content == before


def test_law_10_more_parts_than_a_group_holds_are_sealed_in_several(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealing, "PARTS_AT_ONCE", 2)
    world = recorded()
    before = len(world.files.under(OUT))
    parts = len(world.memory.all(JournalPart))
    assert seal(world.ports).parts == parts
    assert len(world.files.under(OUT)) - before > 2
    assert_sealed(world)


@pytest.mark.slow
def test_law_10_killed_at_every_step_and_run_again_the_seal_writes_the_same_files() -> None:
    whole = recorded()
    seal(whole.ports)
    worlds = killed_everywhere(recorded, lambda _, ports: seal(ports), lambda world: world.ports)
    assert len(worlds) > 2 * 25
    for world in worlds:
        assert miscounts(world.ports, world.campaign) == []
        seal(world.ports)
        assert_sealed(world)
        assert world.files.under(OUT) == whole.files.under(OUT)


@pytest.mark.slow
def test_law_10_a_seal_killed_while_facts_go_on_loses_and_repeats_none() -> None:
    """Between two runs other facts are counted: a group that is fixed gets none of them."""
    worlds = killed_everywhere(recorded, lambda _, ports: seal(ports), lambda world: world.ports)
    for world in worlds:
        world.invite(world.sponsor(VIPS[1]), "paul@example.fr")
        world.run()
        project(world.ports, world.facts())
        seal(world.ports)
        assert_sealed(world)


@pytest.mark.slow
@pytest.mark.parametrize("at", range(1, 9))
def test_law_10_two_seals_at_once_write_the_same_files(at: int) -> None:
    whole, world = recorded(), recorded()
    seal(whole.ports)
    ports = wrapped(world, lambda inner: ContestedRepository(inner, lambda: seal(world.ports), at))
    assert seal(ports).failed == {}
    assert_sealed(world)
    assert world.files.under(OUT) == whole.files.under(OUT)


@pytest.mark.slow
@pytest.mark.parametrize("at", range(1, 9))
def test_law_10_a_seal_between_which_another_sealed_and_more_was_counted_repeats_none(
    at: int,
) -> None:
    world = recorded()

    def others() -> None:
        seal(world.ports)
        world.invite(world.sponsor(VIPS[1]), "paul@example.fr")
        project(world.ports, world.facts())
        seal(world.ports)

    seal(wrapped(world, lambda inner: ContestedRepository(inner, others, at)))
    project(world.ports, world.facts())
    seal(world.ports)
    assert_sealed(world)


class _LooksFirst(ContestedRepository):
    """Looks at the group, then lets a competitor act."""

    def __init__(self, inner: Repository, competitor: Callable[[], object]) -> None:
        super().__init__(inner, competitor, at=1)

    def get(self, kind: type[E], /, **key: str | int) -> E | None:
        found = super().get(kind, **key)
        if kind is JournalGroup:
            self._compete()
        return found


@pytest.mark.slow
def test_law_10_a_group_that_another_seal_opened_and_left_is_never_replaced() -> None:
    whole = recorded()
    seal(whole.ports)
    survived, at = False, 0
    while not survived:
        world, at = recorded(), at + 1
        fuse = Fuse(at, after_the_effect=True)

        def killed(world: World = world, fuse: Fuse = fuse) -> None:
            with suppress(KilledError):
                seal(fuse.on(world.ports))

        ports = replace(world.ports, repository=_LooksFirst(world.repository, killed))
        assert seal(ports).failed == {}
        seal(world.ports)  # closes a group whose parts the other removed before it was killed
        assert_sealed(world)
        assert world.files.under(OUT) == whole.files.under(OUT)
        survived = fuse.left > 0
    assert at > 20


def test_a_bundle_that_no_part_names_is_in_no_file() -> None:
    world = recorded()
    [happened] = [
        fact for fact in world.facts(FactName.REFERRAL_CONFIRMED) if fact.campaign == CAMPAIGN
    ]
    text = json.dumps({"campaign": CAMPAIGN, "fact_id": "forged", "name": happened.name})
    world.files.content[f"{BUNDLES}{'0' * 64}.jsonl"] = f"{text}\n".encode()
    seal(world.ports)
    assert_sealed(world)
    assert b"forged" not in b"".join(world.files.under(OUT).values())


@pytest.mark.parametrize("how", ["altered", "shorter", "missing"])
def test_law_10_a_bundle_altered_before_the_seal_is_noticed_and_holds_up_no_other(
    how: str,
) -> None:
    world = recorded()
    part = min(world.memory.all(JournalPart), key=lambda one: one.position)
    path = f"{BUNDLES}{part.digest}.jsonl"
    kept = world.files.content[path]
    if how == "missing":
        del world.files.content[path]
    else:
        altered = kept.replace(b'"at":"2026', b'"at":"2025')
        world.files.content[path] = altered if how == "altered" else kept[:-1]
    with pytest.raises(AlteredBundleError):
        miscounts(world.ports, world.campaign)
    done = seal(world.ports)
    assert done.altered == {part.digest}
    assert [one.digest for one in world.memory.all(JournalPart)] == [part.digest]
    assert done.parts > 3
    world.clock.advance(hours=2, minutes=1)
    assert reconcile(world.ports)["unsealed"] == 1
    world.files.content[path] = kept  # the former version is put back
    assert seal(world.ports).altered == set()
    assert_sealed(world)


def killed() -> None:
    raise KilledError


def test_a_bundle_lost_while_its_group_is_open_holds_the_group_until_it_is_back() -> None:
    world = recorded()
    with pytest.raises(KilledError):
        seal(wrapped(world, lambda inner: ContestedRepository(inner, killed, at=2)))
    [group] = world.memory.all(JournalGroup)
    assert group.parts
    path = f"{BUNDLES}{group.parts[0].digest}.jsonl"
    kept = world.files.content.pop(path)
    with pytest.raises(AlteredBundleError):
        seal(world.ports)
    world.files.content[path] = kept
    seal(world.ports)
    assert_sealed(world)


def test_a_campaign_that_fails_does_not_hold_up_the_files_of_the_others() -> None:
    world = recorded()
    head = world.repository.get(JournalHead, campaign=CAMPAIGN)
    other = world.repository.get(JournalHead, campaign=OTHER)
    assert head
    assert other
    ports = replace(world.ports, files=_FailsUnder(world, f"out/{CAMPAIGN}/"))
    assert set(seal(ports).failed) == {CAMPAIGN}
    moved = world.repository.get(JournalHead, campaign=OTHER)
    assert moved
    assert moved.number == other.number + 1
    assert world.repository.get(JournalHead, campaign=CAMPAIGN) == head
    seal(world.ports)
    assert_sealed(world)


def more(world: World, number: int) -> None:
    """A quarter of an hour later: more facts of both campaigns are counted."""
    world.clock.advance(minutes=15)
    [fact, *_] = [one for one in world.facts() if one.campaign == CAMPAIGN]
    new = [
        replace(fact, fact_id=f"{name}{number}", campaign=name, at=world.clock(), counted=False)
        for name in (CAMPAIGN, OTHER)
    ]
    world.repository.commit(facts=new)
    project(world.ports, new)


def failing(world: World) -> Ports:
    return replace(world.ports, files=_FailsUnder(world, f"out/{CAMPAIGN}/"))


def test_law_10_a_campaign_that_fails_for_long_holds_up_no_other_and_gets_all_its_lines() -> None:
    world = recorded()
    others = world.repository.get(JournalHead, campaign=OTHER)
    assert others
    for number in range(12):
        assert set(seal(failing(world)).failed) == {CAMPAIGN}
        assert {part.campaign for part in world.memory.all(JournalPart)} == {CAMPAIGN}
        assert miscounts(world.ports, world.campaign) == []
        assert reconcile(world.ports)["unsealed"] == max(0, number - 8)
        more(world, number)
    head = world.repository.get(JournalHead, campaign=OTHER)
    assert head
    assert head.number == others.number + 12
    # What waits is in bundles of its own: those it came from end sooner.
    waiting = {bundle_path(part.digest) for part in world.memory.all(JournalPart)}
    for path in set(world.files.under(BUNDLES)) - waiting:
        del world.files.content[path]
    assert seal(world.ports).failed == {}
    assert_sealed(world)


def test_law_10_what_was_left_before_a_kill_is_left_once() -> None:
    world = recorded()
    contested = wrapped(world, lambda inner: ContestedRepository(inner, killed, at=4))
    with pytest.raises(KilledError):
        seal(_failing_on(world, contested))
    assert world.memory.all(JournalGroup)[0].parts
    assert [part for part in world.memory.all(JournalPart) if part.campaign]
    assert list(seal(failing(world)).failed) == [CAMPAIGN]
    assert [part.campaign for part in world.memory.all(JournalPart)] == [CAMPAIGN]
    seal(world.ports)
    assert_sealed(world)


def test_what_is_left_and_altered_keeps_its_campaign_from_going_on_and_no_other() -> None:
    world = recorded()
    seal(failing(world))
    [part] = world.memory.all(JournalPart)
    kept = world.files.content.pop(bundle_path(part.digest))
    more(world, 1)
    done = seal(world.ports)
    assert list(done.failed) == [CAMPAIGN]
    assert isinstance(done.failed[CAMPAIGN], AlteredBundleError)
    assert [part.group for part in world.memory.all(JournalPart)] == [2, 3]
    assert miscounts(world.ports, campaign(campaign=OTHER)) == []
    world.files.content[bundle_path(part.digest)] = kept
    assert seal(world.ports).failed == {}
    assert_sealed(world)


def test_what_is_left_and_cannot_be_read_keeps_its_campaign_from_going_on_and_no_other() -> None:
    world = recorded()
    seal(failing(world))
    [part] = world.memory.all(JournalPart)
    world.memory.unreadable.add(_pair(schema.key_of(part)))
    more(world, 1)
    assert list(seal(world.ports).failed) == [CAMPAIGN]
    world.memory.unreadable.clear()
    assert seal(world.ports).failed == {}
    assert_sealed(world)


@pytest.mark.slow
def test_law_10_killed_at_every_step_while_a_campaign_fails_nothing_is_lost_or_repeated() -> None:
    worlds = killed_everywhere(
        recorded, lambda world, ports: seal(_failing_on(world, ports)), lambda world: world.ports
    )
    assert len(worlds) > 2 * 20
    for world in worlds:
        more(world, 1)
        seal(world.ports)
        assert_sealed(world)


def _failing_on(world: World, ports: Ports) -> Ports:
    return replace(ports, files=_FailsUnder(world, f"out/{CAMPAIGN}/"))


@pytest.mark.slow
@pytest.mark.parametrize("at", range(1, 9))
@pytest.mark.parametrize("other_fails", [False, True])
def test_law_10_of_two_seals_at_once_one_fails_and_nothing_is_lost_or_repeated(
    at: int, other_fails: bool
) -> None:
    world = recorded()

    def other() -> None:
        seal(failing(world) if other_fails else world.ports)
        more(world, 1)
        seal(world.ports if other_fails else failing(world))

    contested = wrapped(world, lambda inner: ContestedRepository(inner, other, at))
    seal(contested if other_fails else _failing_on(world, contested))
    more(world, 2)
    seal(world.ports)
    assert_sealed(world)


def test_a_part_that_cannot_be_read_is_named_and_holds_up_no_other() -> None:
    world = recorded()
    parts = world.memory.all(JournalPart)
    broken = min(parts, key=lambda part: part.position)
    world.memory.unreadable.add(_pair(schema.key_of(broken)))
    with pytest.raises(AlteredBundleError, match=broken.position):
        miscounts(world.ports, world.campaign)
    done = seal(world.ports)
    assert (done.parts, list(done.unreadable)) == (len(parts) - 1, [broken.position])
    assert world.memory.all(JournalPart) == [broken]
    world.memory.unreadable.clear()
    assert not seal(world.ports).unreadable
    assert_sealed(world)


class _FailsUnder:
    """The files of a world, where nothing can be written under a prefix."""

    def __init__(self, world: World, prefix: str) -> None:
        self._files = world.files
        self._prefix = prefix
        self.read, self.read_all, self.paths = (
            world.files.read, world.files.read_all, world.files.paths,
        )  # fmt: skip
        self.versions, self.move, self.write, self.remove = (
            world.files.versions, world.files.move, world.files.write, world.files.remove,
        )  # fmt: skip
        self.written_since, self.erase = world.files.written_since, world.files.erase

    def lock_again(self, path: str) -> None:
        self._files.lock_again(path)

    def write_once(self, path: str, content: bytes, *, content_type: str = "text/csv") -> bool:
        if path.startswith(self._prefix):
            raise OSError("no answer")
        return self._files.write_once(path, content, content_type=content_type)


def test_law_10_another_file_under_the_name_of_the_next_one_is_noticed() -> None:
    world, twin = recorded(), recorded()
    before = set(twin.files.under(OUT))
    seal(twin.ports)
    [path] = set(twin.files.under(OUT)) - before
    world.files.content[path] = b"forged"
    assert isinstance(seal(world.ports).failed[CAMPAIGN], AlteredBundleError)
    assert world.files.content[path] == b"forged"


@pytest.mark.parametrize("change", ["altered", "dropped", "missing", "first"])
def test_law_10_an_altered_or_missing_file_is_noticed_when_the_journal_is_read(change: str) -> None:
    world = recorded()
    seal(world.ports)
    first, *_, last = sorted(world.files.under(OUT))
    path = first if change == "first" else last
    lines = world.files.content[path].splitlines(keepends=True)
    if change == "altered":
        lines[1] = lines[1].replace(b'"at":"2026', b'"at":"2025')
    if change == "dropped":
        lines.pop()
    if change in {"missing", "first"}:
        del world.files.content[path]
    else:
        world.files.content[path] = b"".join(lines)
    with pytest.raises(BrokenChainError):
        list(sealed_facts(world.ports, CAMPAIGN))


def test_law_10_a_journal_without_its_beginning_is_noticed() -> None:
    """Even if all other files are numbered again, and the head with them."""
    world = recorded()
    seal(world.ports)
    first, *others = sorted(world.files.under(OUT))
    del world.files.content[first]
    for path in others:
        day, _, name = path.removeprefix(OUT).partition("/")
        number, _, digest = name.partition("-")
        moved = f"{OUT}{day}/{int(number) - 1:08}-{digest}"
        world.files.content[moved] = world.files.content.pop(path)
    head = world.repository.get(JournalHead, campaign=CAMPAIGN)
    assert head
    world.repository.commit(Replace(replace(head, number=head.number - 1)))
    with pytest.raises(BrokenChainError, match="the first file follows another"):
        list(sealed_facts(world.ports, CAMPAIGN))


def test_law_10_a_counter_that_differs_from_the_journal_is_found_sealed_or_not() -> None:
    world = recorded()
    counts = next(
        counts
        for place, counts in world.memory._counts.items()
        if place[0].startswith(f"COUNT#{CAMPAIGN}") and "confirmed" in counts
    )
    counts["confirmed"] += 1
    day = world.campaign.local_date(world.clock())
    expected = [Miscount(day, "confirmed", 2, 1)]
    assert miscounts(world.ports, world.campaign) == expected
    seal(world.ports)
    assert miscounts(world.ports, world.campaign) == expected
    assert miscounts(world.ports, world.campaign, since=day) == expected


def test_what_is_counted_while_the_journal_is_read_is_no_miscount() -> None:
    world = recorded()
    world.invite(world.sponsor(VIPS[1]), "paul@example.fr")
    repository = ContestedRepository(world.repository, lambda: None)
    counts, waiting = repository.counts, [world.facts()]

    def counts_and_more(campaign: str) -> dict[date, dict[str, int]]:
        found = counts(campaign)
        if waiting:
            project(world.ports, waiting.pop())
        return found

    repository.counts = counts_and_more
    assert miscounts(replace(world.ports, repository=repository), world.campaign) == []
    assert waiting == []


def test_the_journal_is_read_back_no_further_than_is_asked_for() -> None:
    world = recorded()
    seal(world.ports)
    files = len(world.files.under(OUT))
    before = {fact.fact_id for fact in sealed_facts(world.ports, CAMPAIGN)}
    world.clock.advance(days=3)
    world.projects = True
    world.invite(world.sponsor(VIPS[1]), "paul@example.fr")
    world.run()
    seal(world.ports)
    for path in sorted(world.files.under(OUT))[:files]:
        world.files.content[path] = b"not read"
    today = world.campaign.local_date(world.clock())
    found = {fact.fact_id for fact in sealed_facts(world.ports, CAMPAIGN, since=today)}
    assert found == {fact.fact_id for fact in world.facts() if fact.campaign == CAMPAIGN} - before


def test_parts_are_overdue_after_two_hours() -> None:
    world = recorded()
    parts = len(world.memory.all(JournalPart))
    world.clock.advance(hours=2)
    assert reconcile(world.ports)["unsealed"] == 0
    world.clock.advance(seconds=1)
    assert reconcile(world.ports)["unsealed"] == parts
    seal(world.ports)
    assert reconcile(world.ports)["unsealed"] == 0


def test_a_part_that_cannot_be_read_hides_no_other_that_is_overdue() -> None:
    world = recorded()
    world.clock.advance(hours=2, seconds=1)
    parts = world.memory.all(JournalPart)
    broken = min(parts, key=lambda part: part.position)
    world.memory.unreadable.add(_pair(schema.key_of(broken)))
    failures: list[Failure] = []
    found = watch.reconcile(world.ports, failures.append)
    assert found["unsealed"] == len(parts) - 1
    assert found["not_handled"] == 1
    assert [(one.kind, one.name) for one in failures] == [("JOURNAL_PART", broken.position)]


def test_law_10_a_chain_of_an_earlier_version_goes_on() -> None:
    """The head that 0.2.0 left is that of its last segment; the next file follows from it."""
    world = recorded()
    head = world.repository.get(JournalHead, campaign=CAMPAIGN)
    assert head
    before = replace(head, group=0)
    world.repository.commit(Replace(before))
    known = set(world.files.under(OUT))
    seal(world.ports)
    [path] = set(world.files.under(OUT)) - known
    verify(head.hash, world.files.content[path].splitlines())
