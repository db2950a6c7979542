"""Every alarm of the packaged template is made to ring, by its own definition, and alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import pytest

import app
from chalicelib import observability
from chalicelib.domain.effects import EFFECTS
from infra.postprocess import FUNCTIONS
from tests.api.gateway import Gateway
from tests.api.world import World
from tests.api.world import world as fresh_world
from tests.infra import alarm_scenes
from tests.infra.alarm_scenes import CONDITIONS, Condition
from tests.infra.alarm_stage import Scene
from tests.infra.cloudwatch import Alarm, Expression, Metrics, Resolver, alarms_of, key

GATEWAY = Gateway(app.app)
AFTERWARDS = 30  # minutes that are watched after the last thing has happened


@pytest.fixture
def make_world(template: dict[str, Any]) -> Iterator[Callable[[], World]]:
    """Makes a world whose functions count where those of the stack do."""

    def make() -> World:
        made = entered.enter_context(fresh_world(GATEWAY))
        resolve = Resolver(template, {"Stage": "test"})
        counting = [_variables(template, resolve, logical_id) for logical_id in FUNCTIONS]
        assert all(one == counting[0] for one in counting)
        entered.enter_context(patch.dict("os.environ", counting[0]))
        observability._metrics.cache_clear()
        return made

    with ExitStack() as entered:
        yield make
    observability._metrics.cache_clear()


def _variables(template: dict[str, Any], resolve: Resolver, logical_id: str) -> dict[str, Any]:
    variables = template["Resources"][logical_id]["Properties"]["Environment"]["Variables"]
    names = ("POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE")
    return {name: resolve(variables[name]) for name in names}


@pytest.fixture
def scene(
    make_world: Callable[[], World],
    template: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Scene:
    """Metrics, and a world that they come of."""
    capsys.readouterr()
    return Scene(make_world, template, capsys, monkeypatch)


def test_every_alarm_has_a_scene_that_makes_it_ring(template: dict[str, Any]) -> None:
    played = {alarm for condition in CONDITIONS for alarm in condition.rings}
    assert played == set(alarms_of(template))


def test_a_fact_is_a_metric_if_an_alarm_looks_at_it(template: dict[str, Any]) -> None:
    """The others are in the log: each metric costs by the hour in which it is written."""
    looked_at = {
        watched.metric[1]
        for alarm in alarms_of(template).values()
        for watched in alarm.watched.values()
        if watched.metric[0] == "Tandem"
    }
    named = {"".join(part.capitalize() for part in name.split("_")): name for name in EFFECTS}
    assert {name for name in named if EFFECTS[named[name]].is_metric} == looked_at & named.keys()


def test_every_alarm_rings_alone_in_some_scene(template: dict[str, Any]) -> None:
    alone = {alarm for one in CONDITIONS if len(one.rings) == 1 for alarm in one.rings}
    assert alone == set(alarms_of(template))


@pytest.mark.slow
@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda one: one.name)
def test_what_happens_rings_the_alarm_that_is_for_it_and_no_other(
    scene: Scene, condition: Condition
) -> None:
    condition.play(scene)
    scene.collect()
    until = scene.minute + AFTERWARDS
    alarms = alarms_of(scene.template, **condition.parameters)
    rung = {
        name: minutes
        for name, alarm in alarms.items()
        if alarm.looks_at(scene.metrics.values) and (minutes := alarm.rings(scene.metrics, until))
    }
    assert set(rung) == condition.rings, rung


def test_without_any_data_no_alarm_rings(template: dict[str, Any]) -> None:
    for alarm in alarms_of(template).values():
        assert alarm.rings(Metrics(), AFTERWARDS) == []


LEFT_ALONE = next(one for one in CONDITIONS if one.name == "received thrice, then left: Mail")


@pytest.mark.slow
@pytest.mark.parametrize("play", [alarm_scenes.a_mail_that_always_fails, LEFT_ALONE.play])
def test_the_age_of_a_queue_is_silent_about_what_is_tried_again(
    scene: Scene, play: Callable[[Scene], None]
) -> None:
    """So no alarm can rest on it: the queue that is played here leaves out what SQS does."""
    play(scene)
    by_age = _alarm(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": "tandem-test-mail"}],
        EvaluationPeriods=5,
        DatapointsToAlarm=3,
        Threshold=900,
        TreatMissingData="notBreaching",
    )
    assert by_age.looks_at(scene.metrics.values)
    assert by_age.rings(scene.metrics, scene.minute) == []


# --- CloudWatch as documented ---------------------------------------------------------------------


def _alarm(**changes: Any) -> Alarm:
    return Alarm(
        {
            "AlarmName": "a",
            "Namespace": "n",
            "MetricName": "m",
            "Statistic": "Maximum",
            "Period": 60,
            "EvaluationPeriods": 3,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 0,
            **changes,
        }
    )


def _state(points: str, **changes: Any) -> str:
    """The state after five minutes: `X` is past the threshold, `0` is not, `-` is no data."""
    metrics = Metrics()
    for minute, point in enumerate(points.split()):
        if point != "-":
            metrics.put(minute, "n", "m", float(point == "X"))
    return _alarm(**changes).state(metrics, 5, "as it was")


@pytest.mark.parametrize(
    ("points", "to_alarm", "ignore", "breaching", "not_breaching"),
    [
        ("0 - X - X", 3, "OK", "OK", "OK"),
        ("- - - - 0", 3, "OK", "OK", "OK"),
        ("- - - - -", 3, "as it was", "ALARM", "OK"),
        ("0 X X - X", 3, "ALARM", "ALARM", "ALARM"),
        ("- - X - -", 3, "as it was", "ALARM", "OK"),
        ("0 - X - X", 2, "ALARM", "ALARM", "ALARM"),
        ("0 0 X 0 X", 2, "ALARM", "ALARM", "ALARM"),
        ("0 - X - -", 2, "as it was", "ALARM", "OK"),
        ("- - - - 0", 2, "as it was", "ALARM", "OK"),
        ("- - - X -", 2, "as it was", "ALARM", "OK"),
    ],
)
def test_missing_data_is_treated_as_documented(
    points: str, to_alarm: int, ignore: str, breaching: str, not_breaching: str
) -> None:
    found = [
        _state(points, DatapointsToAlarm=to_alarm, TreatMissingData=treated)
        for treated in ("ignore", "breaching", "notBreaching")
    ]
    assert found == [ignore, breaching, not_breaching]


@pytest.mark.parametrize(
    "wrong",
    [
        {"Period": 90},
        {"Period": 300, "EvaluationPeriods": 289},
        {"DatapointsToAlarm": 4},
        {"TreatMissingData": "bad"},
    ],
)
def test_what_cloudwatch_would_not_take_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a: "):
        _alarm(**{"TreatMissingData": "notBreaching", **wrong})


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("a + b", None),
        ("a + FILL(b, 0)", 2.0),
        ("IF(a > 1 AND FILL(b, 0) == 0, 1, 0)", 1.0),
        ("IF(a > 1 AND b == 0, 1, 0)", None),
        ("IF(a > 2 OR a < 0, 1, 0)", 0.0),
    ],
)
def test_an_expression_that_needs_what_is_missing_is_missing(
    text: str, result: float | None
) -> None:
    assert Expression(text).at({"a": 2, "b": None}) == result


def test_another_dimension_is_another_metric() -> None:
    metrics = Metrics()
    metrics.put(0, "n", "m", 1, service="one")
    assert metrics.datum(key("n", "m", {}), 1, 60, "Sum") is None
    assert metrics.datum(key("n", "m", {"service": "one"}), 1, 60, "Sum") == 1
