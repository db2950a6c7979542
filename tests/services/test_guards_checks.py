"""What a check of facts takes for undone, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

import pytest

from chalicelib.domain.fact_checks import FactCheck, UnfinishedHour
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.lists.model import HeldList
from chalicelib.domain.protection import InvitationStop, StopReason, stopped
from chalicelib.services.invitations.respond import confirm
from chalicelib.services.lists.review_held import approve_held_list, reject_held_list
from chalicelib.services.operations.check_facts import check_facts
from chalicelib.services.operations.consequences import is_undone, results_of
from chalicelib.services.ports import FACT_SHARDS, OnFailure, Replace, Repository
from chalicelib.services.protection import resume
from chalicelib.services.vouchers.reward import reward
from tests.fakes.campaign import CAMPAIGN, CANARY, campaign, digest
from tests.fakes.repository import RecordingRepository
from tests.fakes.world import CUSTOMERS, VIPS, World, new_world
from tests.services.test_protection import halted, sent

__all__ = ["halted", "sent"]  # fixtures


def undone(world: World, fact: Fact) -> bool:
    return is_undone(world.ports, fact, results_of(world.ports, [fact]))


def the_fact(world: World, name: FactName) -> Fact:
    [fact] = world.facts(name)
    return fact


# --- a held list ----------------------------------------------------------------------------------


@pytest.fixture
def held(world: World) -> HeldList:
    """A list that waits for ops, a minute after another file for the same list was refused."""
    assert world.drop("customers/full/wrong.csv", b"digest\nwrong\n").status == "refused"
    world.clock.advance(minutes=1)
    assert world.drop("customers/full/small.csv", f"digest\n{digest(CANARY)}\n".encode()).held
    [held] = world.memory.all(HeldList)
    return held


def test_an_approval_is_undone_although_another_file_was_refused_before_it(
    world: World, held: HeldList
) -> None:
    approve_held_list(world.ports, held, by="AIDAOPS")
    assert the_fact(world, FactName.LIST_REFUSED).at < world.clock()
    approved = the_fact(world, FactName.LIST_APPROVED)
    assert undone(world, approved)
    world.run()
    assert not undone(world, approved)


def test_of_two_decisions_on_a_list_only_the_last_is_to_be_done(
    world: World, held: HeldList
) -> None:
    approve_held_list(world.ports, held, by="AIDAOPS")
    reject_held_list(world.ports, held, by="AIDAOPS")
    assert not undone(world, the_fact(world, FactName.LIST_APPROVED))
    assert undone(world, the_fact(world, FactName.LIST_REJECTED))


def test_a_new_list_is_undone_until_the_invitations_from_before_it_are_decided(
    world: World,
) -> None:
    session = world.sponsor()
    world.lists.fails = "no_list"
    world.invite(session, "jeanne@example.fr")
    world.run()
    world.lists.fails = None
    world.clock.advance(minutes=1)
    world.drop_list("customers", [*CUSTOMERS, *VIPS, CANARY], "next")
    accepted = world.facts(FactName.LIST_ACCEPTED)[-1]
    assert undone(world, accepted)
    world.run()
    assert not undone(world, accepted)


# --- invitations that were resumed ----------------------------------------------------------------


def test_held_invitations_are_not_sent_for_the_resuming_before_another_stop(halted: World) -> None:
    halted.invite(halted.sponsor(VIPS[1]), "late@example.fr")
    halted.run()
    assert resume(halted.ports, CAMPAIGN, "AIDAOPS")
    resumed = the_fact(halted, FactName.INVITATIONS_RESUMED)
    assert undone(halted, resumed)
    [stop] = halted.memory.all(InvitationStop)
    again = stopped(campaign(), stop, StopReason.COMPLAINTS, halted.clock())
    halted.repository.commit(Replace(again))
    assert not undone(halted, resumed)


# --- mails ----------------------------------------------------------------------------------------


class NothingToRead:
    """A repository that nobody needs."""

    def __getattr__(self, name: str) -> None:
        pytest.fail(f"{name} is not needed")


def test_where_the_mail_is_there_and_nothing_else_follows_nothing_more_is_read(
    world: World,
) -> None:
    world.sponsor()
    granted = the_fact(world, FactName.SIGN_IN_GRANTED)
    results = results_of(world.ports, [granted])
    blind = replace(world.ports, repository=cast("Repository", NothingToRead()))
    assert not is_undone(blind, granted, results)


def test_a_confirmation_that_was_mailed_is_done() -> None:
    world = new_world(mail_confirmations=True)
    world.invite(world.sponsor(), "jeanne@example.fr")
    world.run()
    confirm(world.ports, world.token_of("jeanne@example.fr"), "1", False)
    confirmed = the_fact(world, FactName.REFERRAL_CONFIRMED)
    assert reward(world.ports, confirmed)
    assert undone(world, confirmed)
    world.run()
    assert not undone(world, confirmed)


# --- how far a run gets ---------------------------------------------------------------------------


def test_a_run_whose_time_is_used_up_leaves_unfinished_hours_to_the_next(world: World) -> None:
    check_facts(world.ports)
    [check] = world.memory.all(FactCheck)
    hours = [check.hour - timedelta(hours=hour) for hour in (3, 2)]
    unfinished = tuple(UnfinishedHour(hour=hour, looked_at=hour) for hour in hours)
    world.repository.commit(Replace(replace(check, unfinished=unfinished)))

    def slow(hour: datetime, shard: int, on_failure: OnFailure | None = None) -> Iterator[Fact]:
        world.clock.advance(minutes=3 / FACT_SHARDS)
        return world.memory.facts_in(hour, shard, on_failure)

    recorded = RecordingRepository(world.repository)
    recorded.facts_in = slow
    # Three minutes an hour, and what is begun after two is ended.
    for left in (hours, hours[1:], []):
        until = world.clock() + timedelta(minutes=2)
        report = check_facts(replace(world.ports, repository=recorded), until=until)
        assert report.is_complete is not bool(left)
        [check] = world.memory.all(FactCheck)
        assert [one.hour for one in check.unfinished] == left
