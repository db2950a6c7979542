"""How long work may take to come through its queues before it counts as lost.

A message whose consumer was killed or timed out is not lost: it becomes visible again when its
queue's visibility timeout has passed, and is then handled within its consumer's own timeout. So
nobody waits shorter than the two together. Both are read from the packaged template, and no figure
stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

LONG_QUEUES: Final = ("IngestQueue", "PartsQueue", "PersonsQueue")


@dataclass(frozen=True)
class Patience:
    """Seconds without any progress after which a wait is given up."""

    work_s: float
    """for what passes the queues of decisions, mails and rewards"""
    file_s: float
    """for what becomes of a dropped file or of somebody's data, whose handling may take long"""


def patience_of(template: Mapping[str, Any]) -> Patience:
    """What to grant the work of the stack of this template."""
    healing = healing_times(template)
    file_s = max(healing.pop(queue) for queue in LONG_QUEUES)
    return Patience(max(healing.values()), file_s)


def healing_times(template: Mapping[str, Any]) -> dict[str, float]:
    """By queue, how many seconds after it was first received a message is handled at the latest.

    That is, when its first consumer was killed: visible again, then handled.
    """
    resources = template["Resources"]
    found: dict[str, float] = {}
    for resource in resources.values():
        if resource["Type"] != "AWS::Lambda::EventSourceMapping":
            continue
        source, _ = resource["Properties"]["EventSourceArn"]["Fn::GetAtt"]
        if resources[source]["Type"] == "AWS::SQS::Queue":
            consumer = resource["Properties"]["FunctionName"]["Ref"]
            visibility_s = resources[source]["Properties"]["VisibilityTimeout"]
            found[source] = visibility_s + resources[consumer]["Properties"]["Timeout"]
    return found
