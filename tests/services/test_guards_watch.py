"""The watch over everything: one part that fails holds up no other, and what needs nothing more is
no finding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.addresses import Address
from chalicelib.domain.effects import Queue
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import Invitation
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import Contact
from chalicelib.domain.vouchers import Voucher, revoked
from chalicelib.services.errors import RetryLaterError, UnauthorisedError
from chalicelib.services.invitations.respond import confirm, decline
from chalicelib.services.isolation import Isolation
from chalicelib.services.issuing import ReplacementOutcome
from chalicelib.services.mail_ports import MailUncertainError
from chalicelib.services.operations import reconcile as watch
from chalicelib.services.operations.consequences import is_undone
from chalicelib.services.ports import Failure, Remove, Replace
from chalicelib.services.protection import hold
from chalicelib.services.sponsors.sessions import open_session
from chalicelib.services.sponsors.sign_in import request_sign_in
from chalicelib.services.vouchers.replace_refused import replace_refused
from tests.fakes.campaign import CAMPAIGN
from tests.fakes.due import work_off_all
from tests.fakes.repository import ContestedRepository
from tests.fakes.world import VIPS, World, new_world, wrapped
from tests.services.test_replacement import OWN_CODES, refuse
from tests.services.test_send import NEWCOMER, accepted, released, send

__all__ = ["accepted", "released"]  # fixtures

OTHER = "paul@example.fr"


def failing(*_: object, **__: object) -> Any:
    raise ZeroDivisionError


def reconciled(world: World) -> tuple[dict[str, int], list[Failure]]:
    """What reconcile finds, and what it could not handle."""
    failures: list[Failure] = []
    return watch.reconcile(world.ports, failures.append), failures


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("_leased", "leased"),
        ("_replace_refused", "refused"),
        ("find_unfinished", "files"),
    ],
)
def test_a_part_of_the_watch_that_fails_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch, part: str, name: str
) -> None:
    world.referral(NEWCOMER)
    world.clock.advance(hours=2)
    monkeypatch.setattr(watch, part, failing)
    found, failures = reconciled(world)
    assert found["unexported"] == 1
    assert [failure.name for failure in failures] == [name]
    assert found["not_handled"] == 1


def refused(number: int) -> World:
    """A world in which so many vouchers are refused and have no code to replace them."""
    world = new_world(**OWN_CODES)
    world.drop(
        "codes/welcome/a.csv",
        "".join(f"OWNCODE-{at}\n" for at in range(number)).encode(),
    )
    for at in range(number):
        world.referral(f"new{at}@example.fr")
    world.export()
    refuse(world, 1)
    return world


def test_once_a_template_has_no_code_left_its_other_vouchers_are_only_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = refused(3)
    tried: list[str] = []

    def noted(*arguments: Any) -> Any:
        tried.append(arguments[2])
        return replace_refused(*arguments)

    monkeypatch.setattr(watch, "replace_refused", noted)
    found, _ = reconciled(world)
    assert (found["unreplaced"], len(tried)) == (3, 1)


def tried_in_each_run(
    world: World, monkeypatch: pytest.MonkeyPatch, takes: timedelta
) -> list[list[str]]:
    """Which vouchers the runs of three hours try to replace, each of which takes some time."""
    runs: list[list[str]] = []

    def slow(*arguments: Any) -> Any:
        runs[-1].append(arguments[2])
        world.clock.advance(seconds=takes.total_seconds())
        return ReplacementOutcome.REFUSED_REPEATEDLY

    monkeypatch.setattr(watch, "replace_refused", slow)
    for _ in range(3):
        runs.append([])
        found, _ = reconciled(world)
        assert (found["refused_repeatedly"], found["unreplaced"]) == (
            len(runs[-1]), 3 - len(runs[-1])
        )  # fmt: skip
        world.clock.advance(hours=1)
    return runs


def test_a_run_tries_refused_vouchers_only_for_so_long_and_every_one_has_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = tried_in_each_run(refused(3), monkeypatch, watch.REPLACED_FOR)
    assert [len(one) for one in runs] == [1, 1, 1]
    assert len({key for one in runs for key in one}) == 3


def test_a_run_that_has_time_tries_every_refused_voucher(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = tried_in_each_run(refused(3), monkeypatch, watch.REPLACED_FOR / 3)
    assert [len(one) for one in runs] == [3, 3, 3]


def test_so_many_refused_vouchers_are_read_in_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    world = refused(3)
    monkeypatch.setattr(watch, "REFUSED_READ", 2)
    assert reconciled(world)[0]["unreplaced"] == 2


def test_a_voucher_that_cannot_be_replaced_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = refused(2)
    world.drop("codes/welcome/b.csv", b"OWNCODE-11\nOWNCODE-12\n")
    tried: list[str] = []

    def of_the_first(*arguments: Any) -> Any:
        tried.append(arguments[2])
        return replace_refused(*arguments) if tried[1:] else failing()

    monkeypatch.setattr(watch, "replace_refused", of_the_first)
    found, failures = reconciled(world)
    assert (found["unreplaced"], len(tried), len(failures)) == (0, 2, 1)
    assert {failure.kind for failure in failures} == {"Voucher"}


def test_of_a_flood_so_many_are_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    session = world.sponsor()
    world.lists.fails = "no_list"
    world.invite(session, *(f"new{at}@example.fr" for at in range(3)))
    world.run()
    world.clock.advance(minutes=20)
    monkeypatch.setattr(watch, "COUNTED", 2)
    assert reconciled(world)[0]["undecided"] == 2


def test_what_two_parts_of_a_run_cannot_handle_is_counted_and_named_once() -> None:
    failures: list[Failure] = []
    isolation = Isolation(failures.append)
    for _ in range(2):
        with isolation.of("Voucher", "voucher1"):
            failing()
    isolation.note(Failure("Mail", "voucher1", ValueError()))
    assert [(one.kind, one.name) for one in failures] == [
        ("Voucher", "voucher1"), ("Mail", "voucher1")
    ]  # fmt: skip
    assert isolation.failed == 2


# --- what is no finding ---------------------------------------------------------------------------


def the_invitation(world: World) -> Invitation:
    [found] = world.memory.all(Invitation)
    return found


def contact_of(world: World, contact_id: str) -> Contact:
    return next(one for one in world.memory.all(Contact) if one.contact_id == contact_id)


def answered(world: World, _: Fact) -> None:
    world.run()
    confirm(world.ports, world.token_of(NEWCOMER), "1", False)


def declined(world: World, _: Fact) -> None:
    world.run()
    decline(world.ports, world.token_of(NEWCOMER))


def closed(world: World, _: Fact) -> None:
    world.clock.now = the_invitation(world).closes_at + timedelta(seconds=1)


def held(world: World, fact: Fact) -> None:
    hold(world.ports, the_invitation(world), fact, None)


def erased(world: World, _: Fact) -> None:
    gone = contact_of(world, the_invitation(world).contact_id)
    world.repository.commit(Remove(gone))


@pytest.mark.parametrize("happened", [answered, declined, closed, held, erased])
def test_an_invitation_that_nobody_is_to_be_written_to_lacks_no_mail(
    world: World, accepted: Fact, happened: Callable[[World, Fact], None]
) -> None:
    assert is_undone(world.ports, accepted, {})
    happened(world, accepted)
    assert not is_undone(world.ports, accepted, {})


def test_a_voucher_that_ended_or_was_replaced_lacks_no_mail(world: World, released: Fact) -> None:
    [voucher] = world.memory.all(Voucher)
    assert is_undone(world.ports, released, {})
    other = replace(released, ids={**released.ids, "voucher": "another"})
    assert not is_undone(world.ports, other, {})
    world.repository.commit(Replace(revoked(voucher, world.clock())))
    assert not is_undone(world.ports, released, {})


def test_a_mail_that_is_there_was_made(world: World, accepted: Fact) -> None:
    send(world, accepted)
    [mail] = [one for one in world.memory.all(Mail) if "invitation" in one.ids]
    assert not is_undone(world.ports, accepted, {None: mail})  # type: ignore[dict-item]


# --- two at once ----------------------------------------------------------------------------------


def test_of_two_that_use_a_sign_in_token_at_once_one_has_a_session(world: World) -> None:
    request_sign_in(world.ports, CAMPAIGN, Address.parse(VIPS[0]))
    world.run()
    token = world.mailer.to(VIPS[0])[-1].tokens[0]
    contested = wrapped(
        world,
        lambda inner: ContestedRepository(
            inner, lambda: open_session(world.ports, CAMPAIGN, token, None)
        ),
    )
    with pytest.raises(UnauthorisedError):
        open_session(contested, CAMPAIGN, token, None)


def test_what_reconcile_sends_again_goes_to_the_queue_of_its_kind(
    world: World, released: Fact
) -> None:
    world.mailer.answers = [MailUncertainError("timeout")]
    with pytest.raises(RetryLaterError):
        send(world, released)
    world.clock.advance(minutes=20)
    reconciled(world)
    work_off_all(world.ports)
    assert [fact.name for fact in world.queues.waiting[Queue.MAIL]] == [
        FactName.VOUCHER_ACKNOWLEDGED
    ]
