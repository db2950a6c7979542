"""What is watched: crashes, throttling, the dead queues, and the dashboard.

The alarms that are one of a kind (lag, waiting, lists, mails) are in resources.yaml. Each alarm
has a section in docs/runbook.md and a condition in tests/infra/test_alarms.py that makes it ring,
alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from infra.postprocess.functions import FUNCTIONS
from infra.postprocess.shapes import Json, Object

DEAD_QUEUES: Final = (
    "IngestDead",
    "PartsDead",
    "DecideDead",
    "RequestedDecisionDead",
    "DueDead",
    "MailDead",
    "RequestedMailDead",
    "RewardDead",
    "PersonsDead",
    "MailEventsDead",
    "StreamDead",
    "ScheduleDead",
)


# A dead message of these needs nobody: what it was about is handed out again by the next run.
HANDED_OUT_AGAIN: Final = frozenset({"DueDead"})

# Functions whose crashes nothing else tells of at once: a message goes back to its queue as if
# nothing had been. What the API answers is in `api-5xx`; a stream that stands is a lag; a scheduled
# run that fails twice is a message in the dead queue of the schedules.
CONSUMERS: Final = ("Ingest", "Decide", "Due", "Mail", "MailEvents", "Reward", "Persons")


def lambda_alarms() -> Object:
    """The alarms on Lambda's own metrics, by their logical ids: one for all functions, because what
    makes one of them crash or wait for room most often does so to all.
    """
    return {"FunctionCrashedAlarm": _crashed(), "ThrottlesAlarm": _throttles()}


def _crashed() -> Object:
    errors: list[Json] = [
        {
            "Id": logical_id.lower(),
            "ReturnData": False,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Lambda",
                    "MetricName": "Errors",
                    "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": logical_id}}],
                },
                "Period": 300,
                "Stat": "Sum",
            },
        }
        for logical_id in CONSUMERS
    ]
    crashes = " + ".join(f"FILL({logical_id.lower()}, 0)" for logical_id in CONSUMERS)
    total: Json = {"Id": "crashes", "Label": "crashes", "Expression": crashes}
    return _alarm(
        {
            "AlarmName": {"Fn::Sub": "tandem-${Stage}-function-crashed"},
            "AlarmDescription": "A function that works on a queue crashed, or ran out of time "
            "or memory; the panel 'Function errors' says which.",
            "Metrics": [*errors, total],
            "Threshold": 0,
        }
    )


def _throttles() -> Object:
    # Without a dimension: of all functions of the account here, because its concurrency is one.
    return _alarm(
        {
            "AlarmName": {"Fn::Sub": "tandem-${Stage}-throttles"},
            "AlarmDescription": "Lambda held functions back more than ten times in five minutes: "
            "the concurrency of the account is used up.",
            "Namespace": "AWS/Lambda",
            "MetricName": "Throttles",
            "Period": 300,
            "Statistic": "Sum",
            "Threshold": 10,
        }
    )


def _alarm(properties: Object) -> Object:
    common: Object = {
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "EvaluationPeriods": 1,
        "AlarmActions": [{"Ref": "Alarms"}],
        "OKActions": [{"Ref": "Alarms"}],
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {**common, **properties}}


def dead_queue_alarm(logical_id: str) -> Object:
    """The alarm that rings as soon as the dead queue holds anything."""
    name: Json = {"Fn::GetAtt": [logical_id, "QueueName"]}
    return _alarm(
        {
            "AlarmName": {"Fn::Sub": ["${Queue}-not-empty", {"Queue": name}]},
            "AlarmDescription": "A message failed its last attempt and waits for a person.",
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": name}],
            "Period": 300,
            "Statistic": "Maximum",
            "Threshold": 0,
        }
    )


# What people, the client and time do, as `project` logs it: a metric for each would cost $0.30 a
# month, a query costs when somebody looks.
LOGGED: Final = (
    ("Invitations", ("InvitationReceived", "InvitationSent", "InvitationRefused")),
    ("Referrals and rewards", ("ReferralConfirmed", "RewardRefused", "RewardTakenBack")),
    (
        "Vouchers",
        (
            *("VoucherIssued", "VouchersExported", "VoucherAcknowledged", "VoucherRefused"),
            "VoucherRedeemed",
        ),
    ),
    ("Orders", ("OrderPlaced", "OrderKept", "OrderReturned")),
    ("Mail", ("MailSent", "MailBounced", "MailComplained", "LinkStopped", "SignInRequested")),
    ("Files", ("ListAccepted", "ExportWritten", "ChangesWritten")),
)
# Metrics that alarms look at.
COUNTED: Final = (
    ("Mail: to look at", ("MailFailed", "VoucherUndelivered", "InvitationsStopped")),
    ("Lists: to look at", ("ListHeld", "ListWaits", "ListRefused", "ListUnavailable")),
    (
        "Files: to look at",
        (
            *("FileQuarantined", "ExportUnacknowledged", "FileRefused", "FileDiffers"),
            *("OrdersMissing", "CodesLow"),
        ),
    ),
    (
        "To look at",
        (
            *("ReconcileFinding", "NotHandled", "ReconciliationDifference", "BalanceFinding"),
            *("RequestFailed", "RequestNotServed", "WorkFailed", "WorkWaits"),
        ),
    ),
)


def dashboard() -> Object:
    """One page: the loop from left to right, then mail, files and machinery. It has no more than
    the 50 metrics up to which a dashboard is free.
    """
    widgets = [
        _query(index, title, ["project"], _sums(names))
        for index, (title, names) in enumerate(LOGGED)
    ]
    for title, names in COUNTED:
        lines = [["Tandem", name, "service", "tandem-${Stage}"] for name in names]
        widgets.append(_graph(len(widgets), title, lines))
    errors = [
        ["AWS/Lambda", "Errors", "FunctionName", f"tandem-${{Stage}}-{size.name}"]
        for size in FUNCTIONS.values()
    ]
    widgets.append(_graph(len(widgets), "Function errors", errors))
    dead = [
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", f"${{{queue}.QueueName}}"]
        for queue in DEAD_QUEUES
    ]
    widgets.append(_graph(len(widgets), "Dead queues", dead, "Maximum"))
    consumers = [FUNCTIONS[name].name for name in CONSUMERS]
    put_off = "filter ispresent(WorkPutOff) | stats max(WorkPutOff) by function, reason"
    widgets.append(_query(len(widgets), "Put off, after how long (s)", consumers, put_off, "table"))
    took = "filter @type = 'REPORT' | stats pct(@duration, 95) by @log"
    every = [size.name for size in FUNCTIONS.values()]
    widgets.append(_query(len(widgets), "Function time, p95 (ms)", every, took, "table"))
    return {
        "Type": "AWS::CloudWatch::Dashboard",
        "Properties": {
            # Dashboards are the account's, whatever the region.
            "DashboardName": {"Fn::Sub": "tandem-${Stage}-${AWS::Region}"},
            "DashboardBody": {"Fn::Sub": json.dumps({"widgets": widgets})},
        },
    }


def _sums(names: Sequence[str]) -> str:
    sums = ", ".join(f"sum({name}) as {name}s" for name in names)
    return f"filter message = 'counted' | stats {sums} by bin(5m)"


def _query(
    index: int, title: str, functions: Sequence[str], query: str, view: str = "timeSeries"
) -> Object:
    """What a query of the functions' logs finds."""
    sources = [f"SOURCE '/aws/lambda/tandem-${{Stage}}-{name}'" for name in functions]
    return {
        "type": "log",
        **_place(index),
        "properties": {
            "title": title,
            "region": "${AWS::Region}",
            "view": view,
            "query": " | ".join([*sources, query]),
        },
    }


def _place(index: int) -> Object:
    return {"x": index % 3 * 8, "y": index // 3 * 6, "width": 8, "height": 6}


def _graph(index: int, title: str, metrics: Sequence[Sequence[Json]], stat: str = "Sum") -> Object:
    lines: list[Json] = [list(line) for line in metrics]
    return {
        "type": "metric",
        **_place(index),
        "properties": {
            "title": title,
            "region": "${AWS::Region}",
            "stat": stat,
            "period": 300,
            "metrics": lines,
        },
    }
