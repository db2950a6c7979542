"""What the post-processor watches: every function, every dead queue, and the dashboard of both."""

from __future__ import annotations

import json

import pytest

from infra.postprocess import DEAD_QUEUES, FUNCTIONS
from infra.postprocess.watch import HANDED_OUT_AGAIN
from tests.infra.chalice_template import completed


@pytest.mark.parametrize("logical_id", [q for q in DEAD_QUEUES if q not in HANDED_OUT_AGAIN])
def test_a_dead_queue_rings_at_its_first_message(logical_id: str) -> None:
    alarm = completed()["Resources"][f"{logical_id}Alarm"]["Properties"]
    assert alarm["Dimensions"][0]["Value"] == {"Fn::GetAtt": [logical_id, "QueueName"]}
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    assert alarm["TreatMissingData"] == "notBreaching"


def test_the_dashboard_shows_every_function_and_every_dead_queue() -> None:
    shown = completed()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    panels = {panel["properties"]["title"]: panel for panel in json.loads(shown)["widgets"]}
    for title in ("Function errors", "Function time, p95 (ms)"):
        names = {line[3] for line in panels[title]["properties"]["metrics"]}
        assert names == {f"tandem-${{Stage}}-{size.name}" for size in FUNCTIONS.values()}
    queues = {line[3] for line in panels["Dead queues"]["properties"]["metrics"]}
    assert queues == {f"${{{queue}.QueueName}}" for queue in DEAD_QUEUES}


def test_the_dashboard_shows_who_puts_work_off_and_what_for() -> None:
    shown = completed()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    [[[line]]] = [
        panel["properties"]["metrics"]
        for panel in json.loads(shown)["widgets"]
        if panel["properties"]["title"].startswith("Put off")
    ]
    schema, metric, stage = line["expression"].split(" ", 2)
    assert schema == "SEARCH('{Tandem,service,function,reason}"
    assert metric == 'MetricName="WorkPutOff"'
    assert stage.startswith('service="tandem-${Stage}"')


def test_no_panel_of_the_dashboard_covers_another() -> None:
    shown = completed()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    panels = json.loads(shown)["widgets"]
    assert len({(panel["x"], panel["y"]) for panel in panels}) == len(panels)
    assert all(panel["x"] + panel["width"] <= 24 for panel in panels)
