"""What a month costs in which nobody comes: what stands in the template, what the clock starts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from bench.capacity import deployed
from bench.cost import population as people
from bench.cost.life import READERS, SCHEDULES, WAIT_S, Execution
from bench.cost.prices import Unit
from bench.cost.story import FIRST_REPORT
from bench.cost.usage import Seconds, Usage, of_execution, scaled, total, traces
from infra.postprocess import watch
from infra.short_forms import read_template

EDGE = Path(__file__).parents[2] / "infra" / "edge.yaml"
PANELS_FREE = 50  # metrics of a dashboard
# DynamoDB, "Encryption at rest": a caller's key is asked for again after five minutes.
KEY_KEPT_S = 300


def runs(schedule: str) -> float:
    """How often a schedule fires in a month."""
    return people.MONTH_S / deployed.seconds_between_runs(f"Schedule{schedule.capitalize()}")


def by_the_clock(executions: Sequence[Execution], seconds: Seconds, *, is_traced: bool) -> Usage:
    """What the schedules take in a month when nothing is to be done."""
    found = {one.name: of_execution(one, seconds, is_traced=is_traced) for one in executions}
    usages = [scaled(found[FIRST_REPORT], people.DAYS)]
    for name in SCHEDULES:
        times = runs(name) - (people.DAYS if name == "report" else 0)
        usages.append(scaled(found[name], times))
    fired = sum(map(runs, SCHEDULES))
    usage = total(usages)
    usage[Unit.SCHEDULED] += fired
    usage[Unit.KEY_CALL] += people.MONTH_S / KEY_KEPT_S * 2  # export and expire
    if is_traced:
        usage[Unit.TRACE] += traces(fired)
    return usage


def upkeep() -> Usage:
    """What the stack costs by being there."""
    resources: Mapping[str, Any] = deployed.template()["Resources"]
    kinds = [one["Type"] for one in resources.values() if "Condition" not in one]
    usage = Usage()
    usage[Unit.ALARM] = sum(map(metrics_of, alarms()))
    usage[Unit.DASHBOARD] = int(panel_metrics() > PANELS_FREE)
    usage[Unit.SECRET] = kinds.count("AWS::SecretsManager::Secret")
    readings = len(deployed.queue_sources()) * READERS * people.MONTH_S / WAIT_S
    usage[Unit.QUEUE] = readings
    return usage


def edge() -> Usage:
    """What limits callers by address, when no call comes."""
    template = read_template(EDGE)
    [acl] = [one for one in template["Resources"].values() if one["Type"] == "AWS::WAFv2::WebACL"]
    return Usage({Unit.WEB_ACL: 1, Unit.WEB_RULE: len(acl["Properties"]["Rules"])})


def alarms() -> Iterator[Mapping[str, Any]]:
    """The properties of every alarm of the packaged template."""
    made = list(deployed.template()["Resources"].values())
    made += watch.lambda_alarms().values()
    made += [
        watch.dead_queue_alarm(name)
        for name in watch.DEAD_QUEUES
        if name not in watch.HANDED_OUT_AGAIN
    ]
    yield from (one["Properties"] for one in made if one["Type"] == "AWS::CloudWatch::Alarm")


def metrics_of(alarm: Mapping[str, Any]) -> int:
    """How many metrics an alarm looks at: each is charged."""
    return sum("MetricStat" in one for one in alarm["Metrics"]) if "Metrics" in alarm else 1


@cache
def panel_metrics() -> int:
    """How many metrics the dashboard shows."""
    properties: Any = watch.dashboard()["Properties"]
    body = json.loads(properties["DashboardBody"]["Fn::Sub"])
    return sum(len(one["properties"].get("metrics", ())) for one in body["widgets"])
