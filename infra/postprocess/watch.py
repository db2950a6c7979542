"""What is watched: the alarms of each function and of each dead queue, and the dashboard.

The alarms that are one of a kind (lag, waiting, lists, mails) are in resources.yaml. Each alarm
has a section in docs/runbook.md.
"""

from __future__ import annotations

import json
from typing import Final

from infra.postprocess.functions import FUNCTIONS, Size
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


def function_alarms(logical_id: str, size: Size) -> Object:
    """The alarms of one function, by their logical ids."""
    return {
        f"{logical_id}ErrorsAlarm": _function_alarm(
            logical_id, size, "Errors", "failed more than twice in five minutes", threshold=2
        ),
        f"{logical_id}ThrottlesAlarm": _function_alarm(
            logical_id, size, "Throttles", "was held back by the concurrency limit", threshold=0
        ),
    }


def _alarm(properties: Object) -> Object:
    common: Object = {
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "Period": 300,
        "EvaluationPeriods": 1,
        "AlarmActions": [{"Ref": "Alarms"}],
        "OKActions": [{"Ref": "Alarms"}],
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {**common, **properties}}


def _function_alarm(
    logical_id: str, size: Size, metric: str, what: str, *, threshold: int
) -> Object:
    return _alarm(
        {
            "AlarmName": {"Fn::Sub": f"tandem-${{Stage}}-{size.name}-{metric.lower()}"},
            "AlarmDescription": f"The function {size.name} {what}.",
            "Namespace": "AWS/Lambda",
            "MetricName": metric,
            "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": logical_id}}],
            "Statistic": "Sum",
            "Threshold": threshold,
        }
    )


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
            "Statistic": "Maximum",
            "Threshold": 0,
        }
    )


def dashboard() -> Object:
    """One page: the loop from left to right, then mail, files and machinery."""
    panels: list[tuple[str, list[str]]] = [
        ("Invitations", ["InvitationReceived", "InvitationSent", "InvitationRefused"]),
        ("Referrals and rewards", ["ReferralConfirmed", "RewardRefused", "RewardTakenBack"]),
        (
            "Vouchers",
            [
                "VoucherIssued",
                "VouchersExported",
                "VoucherAcknowledged",
                "VoucherRefused",
                "VoucherRedeemed",
            ],
        ),
        ("Orders", ["OrderPlaced", "OrderKept", "OrderReturned"]),
        (
            "Mail",
            [
                "MailSent",
                "MailFailed",
                "MailBounced",
                "MailComplained",
                "VoucherUndelivered",
                "InvitationsStopped",
                "LinkStopped",
            ],
        ),
        (
            "Lists",
            [
                "ListAccepted",
                "ListHeld",
                "ListWaits",
                "ListRefused",
                "FileQuarantined",
                "ListTooOld",
                "ListUnavailable",
            ],
        ),
        (
            "Files",
            [
                "ExportWritten",
                "ExportUnacknowledged",
                "ChangesWritten",
                "FileRefused",
                "FileDiffers",
                "OrdersMissing",
                "CodesLow",
            ],
        ),
        ("Facts", ["FactRelayed", "FactProjected"]),
        (
            "To look at",
            [
                *("ReconcileFinding", "NotHandled", "ReconciliationDifference", "BalanceFinding"),
                "RequestFailed",
            ],
        ),
    ]
    widgets = [
        _graph(
            index,
            title,
            [["Tandem", name, "service", "tandem-${Stage}"] for name in names],
        )
        for index, (title, names) in enumerate(panels)
    ]
    for title, metric, stat in (
        ("Function errors", "Errors", "Sum"),
        ("Function time, p95 (ms)", "Duration", "p95"),
    ):
        lines = [
            ["AWS/Lambda", metric, "FunctionName", f"tandem-${{Stage}}-{size.name}"]
            for size in FUNCTIONS.values()
        ]
        widgets.append(_graph(len(widgets), title, lines, stat))
    dead = [
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", f"${{{queue}.QueueName}}"]
        for queue in DEAD_QUEUES
    ]
    widgets.append(_graph(len(widgets), "Dead queues", dead, "Maximum"))
    return {
        "Type": "AWS::CloudWatch::Dashboard",
        "Properties": {
            # Dashboards are the account's, whatever the region.
            "DashboardName": {"Fn::Sub": "tandem-${Stage}-${AWS::Region}"},
            "DashboardBody": {"Fn::Sub": json.dumps({"widgets": widgets})},
        },
    }


def _graph(index: int, title: str, metrics: list[list[str]], stat: str = "Sum") -> Object:
    lines: list[Json] = [list(line) for line in metrics]
    return {
        "type": "metric",
        "x": index % 3 * 8,
        "y": index // 3 * 6,
        "width": 8,
        "height": 6,
        "properties": {
            "title": title,
            "region": "${AWS::Region}",
            "stat": stat,
            "period": 300,
            "metrics": lines,
        },
    }
