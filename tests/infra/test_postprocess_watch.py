"""What the post-processor watches: every function, every dead queue, and the dashboard of both."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.domain.facts import FactName
from infra.postprocess import DEAD_QUEUES, FUNCTIONS
from infra.postprocess.watch import CONSUMERS, HANDED_OUT_AGAIN, LOGGED
from tests.infra.chalice_template import completed


@pytest.mark.parametrize("logical_id", [q for q in DEAD_QUEUES if q not in HANDED_OUT_AGAIN])
def test_a_dead_queue_rings_at_its_first_message(logical_id: str) -> None:
    alarm = completed()["Resources"][f"{logical_id}Alarm"]["Properties"]
    assert alarm["Dimensions"][0]["Value"] == {"Fn::GetAtt": [logical_id, "QueueName"]}
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    assert alarm["TreatMissingData"] == "notBreaching"


def panels() -> dict[str, dict[str, Any]]:
    """What the dashboard shows, by title."""
    shown = completed()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    return {
        panel["properties"]["title"]: panel["properties"] for panel in json.loads(shown)["widgets"]
    }


def logs_of(panel: Mapping[str, Any]) -> set[str]:
    """The functions whose logs a panel looks through."""
    return set(re.findall(r"SOURCE '/aws/lambda/tandem-\$\{Stage\}-(\w+)'", panel["query"]))


def test_the_dashboard_shows_every_function_and_every_dead_queue() -> None:
    every = {size.name for size in FUNCTIONS.values()}
    errors = {line[3] for line in panels()["Function errors"]["metrics"]}
    assert errors == {f"tandem-${{Stage}}-{name}" for name in every}
    assert logs_of(panels()["Function time, p95 (ms)"]) == every
    queues = {line[3] for line in panels()["Dead queues"]["metrics"]}
    assert queues == {f"${{{queue}.QueueName}}" for queue in DEAD_QUEUES}


def test_the_dashboard_shows_who_puts_work_off_and_what_for() -> None:
    panel = panels()["Put off, after how long (s)"]
    assert logs_of(panel) == {FUNCTIONS[name].name for name in CONSUMERS}
    assert panel["query"].endswith(
        "| filter ispresent(WorkPutOff) | stats max(WorkPutOff) by function, reason"
    )


def test_what_the_dashboard_reads_from_the_log_are_names_that_are_logged() -> None:
    facts = {"".join(part.capitalize() for part in name.split("_")) for name in FactName}
    for title, names in LOGGED:
        assert logs_of(panels()[title]) == {"project"}
        assert set(re.findall(r"sum\((\w+)\)", panels()[title]["query"])) == set(names) <= facts


def test_the_dashboard_is_one_of_those_that_are_free() -> None:
    assert sum(len(panel.get("metrics", ())) for panel in panels().values()) <= 50


def test_no_panel_of_the_dashboard_covers_another() -> None:
    shown = completed()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    panels = json.loads(shown)["widgets"]
    assert len({(panel["x"], panel["y"]) for panel in panels}) == len(panels)
    assert all(panel["x"] + panel["width"] <= 24 for panel in panels)
