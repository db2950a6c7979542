"""The journal verified with its roots, the counters and the table: whatever is changed is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.effects import end_of
from chalicelib.domain.facts import Fact
from chalicelib.domain.journal import (
    GENESIS,
    BrokenChainError,
    JournalHead,
    chained,
    fact_of,
    file_path,
    root_of,
    root_path,
)
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.isolation import Isolation
from chalicelib.services.journal import roots_of, sealed_facts, unsealed_facts
from chalicelib.services.operations import verify_journal as verifying
from chalicelib.services.operations.project import project
from chalicelib.services.operations.root import write_root, write_roots
from chalicelib.services.operations.seal import seal
from chalicelib.services.operations.verify_journal import Verified, hour_of, verify_journal
from chalicelib.services.ports import Failure, Ports, Replace
from chalicelib.services.sponsors.sign_in import request_sign_in
from tests.fakes.campaign import CAMPAIGN, campaign
from tests.fakes.repository import _fact_key
from tests.fakes.world import VIPS, World, new_world

OUT = f"out/{CAMPAIGN}/journal/"
REFEREES = ["jeanne@example.fr", "paul@example.fr", "marie@example.fr", "luc@example.fr"]


def played() -> World:
    """Four hours of a campaign, each sealed, with a root of the second one and of the third."""
    world = new_world()
    for number, referee in enumerate(REFEREES):
        world.referral(referee)
        world.drop_orders(world.order(f"A{number}", "kept", of=referee), file=str(number))
        world.run()
        seal(world.ports)
        if number in {1, 2}:
            assert write_root(world.ports, CAMPAIGN)
        world.clock.advance(hours=1)
    return world


def current(world: World) -> CurrentCampaign:
    found = world.repository.get(CurrentCampaign, campaign=CAMPAIGN)
    assert found
    return found


def verified(world: World) -> Verified:
    return verify_journal(world.ports, current(world))


def findings(world: World) -> str:
    return " | ".join(f"{one.what}: {one.where}" for one in verified(world).findings)


def files(world: World) -> list[str]:
    return sorted(world.files.under(OUT))


def reads_of_journal(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read to verify a journal that agrees, each as often as it is read."""
    read: list[str] = []
    found = world.files.read

    def noted(path: str) -> Iterator[bytes]:
        read.append(path)
        return found(path)

    with monkeypatch.context() as patch:
        patch.setattr(world.files, "read", noted)
        assert findings(world) == ""
    return sorted(read)


def head_of(world: World) -> JournalHead:
    head = world.repository.get(JournalHead, campaign=CAMPAIGN)
    assert head
    return head


def altered(line: str) -> str:
    """A line as somebody would like it to be."""
    fact = fact_of(line)
    return json.dumps(
        json.loads(line) | {"details": {**fact.details, "amount_minor": 1}},
        sort_keys=True, separators=(",", ":"), ensure_ascii=False,
    )  # fmt: skip


def forge(world: World, since: int, change: Callable[[str], str] = altered) -> None:
    """Write the journal again from a file on: other lines, their hashes, a new head."""
    previous, last = GENESIS, 0
    for path in files(world):
        content = world.files.content.pop(path)
        lines = [
            json.dumps(json.loads(line)["fact"], sort_keys=True, separators=(",", ":"),
                       ensure_ascii=False)
            for line in content.decode().splitlines()
        ]  # fmt: skip
        last += 1
        if last >= since:
            lines = [change(lines[0]), *lines[1:]]
        content, previous = chained(previous, lines)
        world.files.content[file_path(CAMPAIGN, path.split("/")[3], last, previous)] = content
    world.repository.commit(Replace(replace(head_of(world), number=last, hash=previous)))


# --- what agrees ----------------------------------------------------------------------------------


def test_law_10_a_journal_that_nobody_has_changed_agrees() -> None:
    world = played()
    heard: list[tuple[str, int]] = []
    done = verify_journal(
        world.ports, current(world), readers=2, progress=lambda *one: heard.append(one)
    )
    assert done.findings == []
    assert (done.files, done.roots, done.after_root) == (4, 2, 1)
    assert done.facts == len([one for one in world.facts() if one.campaign == CAMPAIGN])
    assert {what for what, _ in heard} == {"hours of the table", "files"}


def test_what_is_not_sealed_yet_is_verified_too() -> None:
    world = played()
    world.referral("anna@example.fr")
    done = verified(world)
    assert done.findings == []
    assert done.facts == len([one for one in world.facts() if one.campaign == CAMPAIGN])


def test_what_is_counted_while_the_journal_is_read_is_no_finding() -> None:
    world = played()
    world.projects = False
    world.referral("anna@example.fr")
    fresh = [fact for fact in world.facts() if not world.repository.stored([fact])[0].counted]
    assert fresh

    def count(what: str, _: int) -> None:
        if what == "files" and fresh:
            project(world.ports, fresh)
            fresh.clear()

    assert verify_journal(world.ports, current(world), progress=count).findings == []


def test_facts_that_ended_with_their_campaign_are_not_missed() -> None:
    world = played()
    world.memory._facts.clear()
    world.memory._counts.clear()
    assert "in the journal, and not in the table" in findings(world)
    world.repository.commit(Replace(replace(current(world), records_ended_at=world.clock())))
    assert findings(world) == ""


def test_facts_that_are_about_to_end_with_their_campaign_are_not_missed() -> None:
    world = played()
    world.memory._facts.popitem()
    world.repository.commit(Replace(replace(current(world), records_after="a place")))
    assert findings(world) == ""


@pytest.mark.parametrize("are_gone", [False, True])
def test_what_strangers_did_may_end_in_the_table_before_the_campaign(
    are_gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = played()
    request_sign_in(world.ports, CAMPAIGN, Address.parse("stranger@example.fr"))
    world.sponsor(VIPS[1])
    seal(world.ports)
    assert write_root(world.ports, CAMPAIGN)
    facts = dict(world.memory._facts)
    ended = {place for place, fact in facts.items() if end_of(fact)}
    assert {"sign_in_requested", "sign_in_refused"} <= {facts[place].name for place in ended}
    assert findings(world) == ""
    for place in ended:
        del world.memory._facts[place]
    assert findings(world).count("in the journal, and not in the table") == len(ended)

    world.clock.advance(days=90)
    if not are_gone:  # DynamoDB removes what has ended when it gets to it
        world.memory._facts.update(facts)
    assert findings(world) == ""
    assert reads_of_journal(world, monkeypatch) == files(world)
    [other] = [place for place, fact in facts.items() if fact.name == "sign_in_granted"][-1:]
    world.memory._facts.update(facts)
    del world.memory._facts[other]
    assert (
        findings(world) == f"in the journal, and not in the table: {verifying.named(facts[other])}"
    )


def test_what_strangers_did_is_not_missed_in_an_hour_that_differs_by_something_else() -> None:
    world = new_world()
    request_sign_in(world.ports, CAMPAIGN, Address.parse("stranger@example.fr"))
    world.referral(REFEREES[0])
    world.run()
    seal(world.ports)
    assert write_root(world.ports, CAMPAIGN)
    facts = dict(world.memory._facts)
    lost = next(fact for fact in facts.values() if fact.name == "referral_confirmed")
    ended = next(fact for fact in facts.values() if fact.name == "sign_in_refused")
    assert hour_of(lost) == hour_of(ended)
    for fact in (lost, ended):
        del world.memory._facts[_place(world, fact)]  # type: ignore[arg-type]
    world.clock.advance(days=90)
    assert findings(world) == f"in the journal, and not in the table: {verifying.named(lost)}"


def test_a_journal_that_agrees_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = played()
    assert reads_of_journal(world, monkeypatch) == files(world)


def test_a_campaign_of_which_nothing_is_sealed_needs_no_root() -> None:
    world = new_world()
    assert findings(world) == ""


def test_the_facts_of_another_campaign_are_its_own() -> None:
    world = played()
    put_campaign(world.ports, campaign(campaign="other"))
    world.run()
    done = verified(world)
    assert done.findings == []
    assert done.facts < len(world.facts())


def test_what_is_sealed_while_the_journal_is_read_is_there_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = played()
    world.referral("anna@example.fr")

    def sealed_then(ports: Ports, name: str) -> Iterator[Fact]:
        found = list(unsealed_facts(ports, name))
        seal(ports)
        return iter(found)

    monkeypatch.setattr(verifying, "unsealed_facts", sealed_then)
    done = verified(world)
    assert done.findings == []
    assert done.facts == len([one for one in world.facts() if one.campaign == CAMPAIGN])


# --- what was changed -----------------------------------------------------------------------------


def test_law_10_a_changed_byte_is_named_by_its_file_and_line() -> None:
    world = played()
    path = files(world)[1]
    lines = world.files.content[path].decode().split("\n")
    lines[2] = lines[2].replace("2026", "2025", 1)
    world.files.content[path] = "\n".join(lines).encode()
    assert findings(world) == f"the chain is broken: {path}: line 3"


def test_law_10_a_file_that_is_no_journal_is_named() -> None:
    world = played()
    path = files(world)[2]
    for content in (b"", b"[]\n", b"{}\n", b"x\n"):
        world.files.content[path] = content
        assert f"the chain is broken: {path}" in findings(world)


def test_law_10_a_missing_file_is_named() -> None:
    world = played()
    del world.files.content[files(world)[1]]
    assert findings(world) == "the chain is broken: file 2 is missing"


def test_law_10_two_files_in_the_place_of_each_other_are_noticed() -> None:
    world = played()
    one, other, content = *files(world)[1:3], world.files.content
    content[one], content[other] = content[other], content[one]
    assert f"the chain is broken: {other}" in findings(world)


def test_law_10_a_tail_that_was_cut_off_is_noticed_by_its_root() -> None:
    world = played()
    kept = files(world)[:2]
    for path in files(world)[2:]:
        del world.files.content[path]
    last = json.loads(world.files.content[kept[-1]].splitlines()[-1])["hash"]
    world.repository.commit(Replace(replace(head_of(world), number=2, hash=last)))
    gone = {fact.fact_id for fact in world.facts()} - {
        fact.fact_id for fact in sealed_facts(world.ports, CAMPAIGN)
    }
    # The table as well: only the root knows.
    world.memory._facts = {
        place: fact for place, fact in world.memory._facts.items() if fact.fact_id not in gone
    }
    found = "the chain is broken: it ends with file 2, and there is a root of 3"
    assert findings(world) == found


def test_law_10_a_journal_that_is_gone_as_a_whole_is_noticed_by_its_roots() -> None:
    world = played()
    for path in files(world):
        del world.files.content[path]
    world.memory._items.pop((f"JOURNAL#{CAMPAIGN}", "HEAD"))
    assert "it ends with file 0, and there is a root of 3" in findings(world)


@pytest.mark.parametrize("since", [1, 2, 3])
def test_law_10_a_consistently_forged_past_is_noticed_by_its_root(since: int) -> None:
    world = played()
    forge(world, since)
    list(sealed_facts(world.ports, CAMPAIGN))  # a chain in itself
    assert "it had another end at its root of" in findings(world)


def test_law_10_what_was_forged_after_the_last_root_is_noticed_in_the_table() -> None:
    world = played()
    forge(world, 4)
    assert "another one in the table" in findings(world)


def test_law_10_a_root_beside_another_is_noticed() -> None:
    world = played()
    world.roots.write(root_path(CAMPAIGN, 2, "0" * 64), b"{}")
    assert findings(world) == "the chain is broken: file 2 has two roots"
    world = played()
    world.roots.write(f"{CAMPAIGN}/note.json", b"{}")
    assert "is no root" in findings(world)


def test_law_10_a_journal_without_roots_proves_nothing() -> None:
    world = played()
    world.roots.content.clear()
    assert findings(world) == f"no root says what it was: {CAMPAIGN}"


# --- the table and the counters -------------------------------------------------------------------


def _place(world: World, fact: Fact) -> object:
    return next(place for place, one in world.memory._facts.items() if one == fact)


def test_law_10_a_fact_that_the_table_lost_is_named() -> None:
    world = played()
    fact = next(one for one in world.memory._facts.values() if one.name == "order_kept")
    del world.memory._facts[_place(world, fact)]  # type: ignore[arg-type]
    assert findings(world) == f"in the journal, and not in the table: {verifying.named(fact)}"


def test_law_10_a_fact_that_was_changed_in_the_table_is_named() -> None:
    world = played()
    fact = next(one for one in world.memory._facts.values() if one.name == "order_kept")
    other = replace(fact, details={**fact.details, "amount_minor": 1})
    world.memory._facts[_place(world, fact)] = other  # type: ignore[index]
    assert findings(world) == f"another one in the table: {verifying.named(fact)}"


def test_law_10_a_fact_that_cannot_be_read_is_named_once_and_hides_no_other() -> None:
    world = played()
    [unread, *_] = [one for one in world.memory._facts.values() if one.name == "order_kept"]
    [lost, *_] = [
        one
        for one in world.memory._facts.values()
        if one != unread and verifying.hour_of(one) == verifying.hour_of(unread)
    ]
    world.memory.unreadable.add(_fact_key(unread))
    del world.memory._facts[_place(world, lost)]  # type: ignore[arg-type]
    assert sorted(findings(world).split(" | ")) == [
        f"in the journal, and not in the table: {verifying.named(lost)}",
        f"in the table, and cannot be read: {unread.fact_id}",
    ]


def test_law_10_a_fact_of_the_journal_that_counts_nowhere_is_named() -> None:
    world = played()
    fact = next(one for one in world.memory._facts.values() if one.name == "order_kept")
    world.memory._facts[_place(world, fact)] = replace(fact, counted=False)  # type: ignore[index]
    assert findings(world) == f"in the journal, and not counted: {verifying.named(fact)}"


def test_law_10_a_fact_that_says_it_is_counted_and_is_in_no_file_is_named() -> None:
    world = played()
    fact = replace(world.facts()[-1], fact_id="forged", at=world.clock(), counted=True)
    world.repository.commit(facts=[fact])
    place = next(one for one, each in world.memory._facts.items() if each.fact_id == "forged")
    world.memory._facts[place] = fact
    assert findings(world) == f"counted, and not in the journal: {verifying.named(fact)}"


def test_a_fact_that_is_not_counted_yet_is_in_no_file_and_no_finding() -> None:
    world = played()
    lost = next(one for one in world.memory._facts.values() if one.name == "order_kept")
    fact = replace(world.facts()[-1], fact_id="fresh", at=lost.at)
    world.repository.commit(facts=[fact])
    del world.memory._facts[_place(world, lost)]  # type: ignore[arg-type]
    assert findings(world) == f"in the journal, and not in the table: {verifying.named(lost)}"


def test_law_10_a_counter_that_differs_is_named() -> None:
    world = played()
    place = next(iter(world.memory._counts))
    world.memory._counts[place] = world.memory._counts[place] | {"invited": 99}
    assert "invited: " in findings(world)


def test_what_differs_in_many_hours_is_named_some_hours_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verifying, "FACTS_HELD", 20)
    world = played()
    facts = len([one for one in world.facts() if one.campaign == CAMPAIGN])
    world.memory._facts.clear()
    assert len(verified(world).findings) == facts
    monkeypatch.setattr(verifying, "FINDINGS", 1)
    assert "more hours differ: 3" in findings(world)


def test_facts_as_0_2_0_stored_them_agree() -> None:
    world = played()
    by_subject = [replace(fact, by_subject=True) for fact in world.memory._facts.values()]
    world.memory._facts = {_fact_key(fact): fact for fact in by_subject}
    assert findings(world) == ""


# --- roots ----------------------------------------------------------------------------------------


def test_a_root_is_written_of_what_was_sealed_since_and_of_nothing_else() -> None:
    world = played()
    assert write_root(world.ports, CAMPAIGN)
    assert not write_root(world.ports, CAMPAIGN)
    assert [root.number for root in roots_of(world.ports, CAMPAIGN)] == [2, 3, 4]
    [last] = [root for root in roots_of(world.ports, CAMPAIGN) if root.number == 4]
    assert (last.hash, last.at) == (head_of(world).hash, world.clock())
    assert not write_root(world.ports, "of no campaign")


def test_where_nothing_was_sealed_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    world = played()
    assert write_root(world.ports, CAMPAIGN)
    monkeypatch.setattr(world.roots, "write_once", None)  # it would be an error
    assert not write_root(world.ports, CAMPAIGN)


def test_of_two_runs_at_once_one_writes_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    world = played()
    path = root_path(CAMPAIGN, head_of(world).number, head_of(world).hash)
    world.roots.write(path, b"first")
    monkeypatch.setattr(world.roots, "written_since", lambda *_: [])  # it came a moment later
    assert not write_root(world.ports, CAMPAIGN)
    assert world.roots.content[path] == b"first"


def test_a_campaign_whose_journal_was_changed_keeps_no_other_from_its_root() -> None:
    world = played()
    put_campaign(world.ports, campaign(campaign="other"))
    world.run()
    seal(world.ports)
    forge(world, 1)
    failures: list[Failure] = []
    assert list(write_roots(world.ports, Isolation(failures.append))) == ["other"]
    assert [(one.kind, one.name) for one in failures] == [("root", CAMPAIGN)]
    assert list(write_roots(world.ports, Isolation(failures.append))) == []


@pytest.mark.parametrize("since", [1, 3, 4])
def test_law_10_no_root_is_written_of_a_past_that_was_changed(since: int) -> None:
    world = played()
    forge(world, since)
    if since == 4:  # after the last root, what is a chain is taken for one
        assert write_root(world.ports, CAMPAIGN)
        return
    with pytest.raises(BrokenChainError, match="does not follow from its root 3"):
        write_root(world.ports, CAMPAIGN)
    assert [root.number for root in roots_of(world.ports, CAMPAIGN)] == [2, 3]


def test_law_10_no_root_is_written_of_a_journal_that_ends_before_its_root() -> None:
    world = played()
    world.repository.commit(Replace(replace(head_of(world), number=2)))
    with pytest.raises(BrokenChainError, match="does not follow"):
        write_root(world.ports, CAMPAIGN)


def test_law_10_a_head_moved_to_another_end_of_the_same_number_is_noticed() -> None:
    world = played()
    assert write_root(world.ports, CAMPAIGN)
    world.repository.commit(Replace(replace(head_of(world), hash="f" * 64)))
    with pytest.raises(BrokenChainError, match="does not follow"):
        write_root(world.ports, CAMPAIGN)


def test_the_name_of_a_root_says_all_of_it() -> None:
    world = played()
    path = root_path(CAMPAIGN, 12, "a" * 64)
    root = root_of(path, world.clock())
    assert (root.campaign, root.number, root.hash) == (CAMPAIGN, 12, "a" * 64)
