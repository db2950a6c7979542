"""Nobody gives work up as lost before its queue has brought it again."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from local import narration
from local.errors import StackError
from local.narration import Narrator, StoryError
from local.patience import LONG_QUEUES, Patience, healing_times, patience_of

Template = dict[str, Any]


def visibility(template: Template) -> dict[str, float]:
    """The visibility timeout of every queue that has a consumer."""
    return {
        name: resource["Properties"]["VisibilityTimeout"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::SQS::Queue" and not name.endswith("Dead")
    }


def test_a_wait_outlasts_the_visibility_timeout_of_every_queue(template: Template) -> None:
    patience = patience_of(template)
    timeouts = visibility(template)
    assert len(timeouts) == 10
    assert patience.file_s > max(timeouts.pop(queue) for queue in LONG_QUEUES)
    assert patience.work_s > max(timeouts.values())


def test_a_message_that_is_visible_again_still_has_its_consumers_whole_timeout(
    template: Template,
) -> None:
    healing = healing_times(template)
    assert healing.keys() == visibility(template).keys()
    for name, timeout in visibility(template).items():
        # What people wait for, and parts of files, are in queues of their own.
        consumer = name.removesuffix("Queue")
        same = {
            "RequestedDecision": "Decide",
            "RequestedMail": "Mail",
            "Parts": "Ingest",
            "Persons": "Persons",
        }
        consumer = same.get(consumer, consumer)
        function = template["Resources"][consumer]["Properties"]
        assert healing[name] == timeout + function["Timeout"]


def test_a_queue_that_hides_its_messages_longer_is_waited_for_longer(template: Template) -> None:
    before = patience_of(template)
    resources = dict(template["Resources"])
    queue = resources["DecideQueue"]
    longer = {**queue["Properties"], "VisibilityTimeout": 1000}
    resources["DecideQueue"] = {**queue, "Properties": longer}
    after = patience_of({"Resources": resources})
    assert after.work_s == 1000 + resources["Decide"]["Properties"]["Timeout"] > before.work_s


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Running:
    """A stack, as a narrator sees it."""

    patience = Patience(work_s=420, file_s=2700)
    ended: str | None = None

    def end(self, within_s: float = 0) -> str | None:  # noqa: ARG002  (as Emulator.end)
        return self.ended


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    passing = Clock()
    monkeypatch.setattr(narration, "time", passing)
    return passing


@pytest.fixture
def printed() -> StringIO:
    return StringIO()


@pytest.fixture
def narrator(printed: StringIO) -> Narrator:
    return Narrator(Running(), Console(file=printed, width=200))


def test_what_heals_by_itself_is_waited_for(narrator: Narrator, clock: Clock) -> None:
    narrator.wait("decided", lambda: int(clock.now > 415), 1)
    assert narrator.failures == []


def test_what_does_not_move_is_given_up(narrator: Narrator, clock: Clock) -> None:
    with pytest.raises(StoryError, match="0 of 1, and no more for 420 s"):
        narrator.wait("decided", lambda: 0, 1)
    assert 420 < clock.now < 422


def test_as_long_as_the_count_moves_it_is_waited_for(narrator: Narrator, clock: Clock) -> None:
    narrator.wait("decided", lambda: int(clock.now // 400), 10)
    assert clock.now >= 4000


def test_a_file_is_granted_what_a_file_may_take(narrator: Narrator, clock: Clock) -> None:
    narrator.wait("receipt", lambda: int(clock.now > 2690), 1, Running.patience.file_s)
    assert narrator.failures == []


def test_a_stack_that_has_ended_is_not_waited_for(
    narrator: Narrator, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Running, "ended", "it has ended")
    with pytest.raises(StackError, match="it has ended"):
        narrator.wait("decided", lambda: 0, 1)
    assert clock.now == 0


def test_a_check_that_fails_because_the_stack_has_ended_is_no_failure_of_the_story(
    narrator: Narrator, printed: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Running, "ended", "it has ended")
    narrator.check("what was counted before", True)
    with pytest.raises(StackError, match="it has ended"):
        narrator.check("all answered alike", False)
    assert "✗" not in printed.getvalue()


def test_without_a_terminal_a_long_wait_still_says_how_far_it_is(
    narrator: Narrator, clock: Clock, printed: StringIO
) -> None:
    narrator.wait("decided", lambda: int(clock.now // 10), 3)
    lines = [line for line in printed.getvalue().splitlines() if "decided: " in line]
    assert lines == [
        "  … decided: 0 of 3 after 8 s",
        "  … decided: 1 of 3 after 16 s",
        "  … decided: 2 of 3 after 25 s",
        "  ✓ decided: 3",
    ]
