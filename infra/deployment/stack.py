"""The stack in CloudFormation: what state it is in, and one change of it at a time.

A first create that failed leaves a stack that nothing can be done with but to delete it, which
takes nothing away: what it had made is gone already. Every other state that a change cannot start
from is said, with what to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from cli.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

CAPABILITIES: Final = ("CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
GONE: Final = frozenset({"", "DELETE_COMPLETE"})
# A change set was made for it and never executed.
NEVER_MADE: Final = frozenset({"REVIEW_IN_PROGRESS"})
FAILED_FIRST: Final = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"})
NOTHING_CHANGES: Final = ("didn't contain changes", "No updates are to be performed")
LONGEST_PAUSE_S: Final = 5.0

Say = Callable[[str], None]
Template = dict[str, Any]
Source = Mapping[str, str]
"""Where a template is: its `TemplateURL`, or its `TemplateBody` while it is small."""


@dataclass(frozen=True)
class Found:
    """A stack as it is; the status is empty when there is none."""

    status: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_new(self) -> bool:
        """Whether the next change creates it."""
        return self.status in GONE | NEVER_MADE


@dataclass(frozen=True)
class Change:
    """What a change set does to one resource."""

    logical_id: str
    kind: str
    action: str  # Add, Modify, Remove, Import
    replacement: str  # True, False, Conditional, or nothing

    @property
    def takes_away(self) -> bool:
        """Whether what is there is gone after it."""
        return self.action == "Remove" or self.replacement == "True"

    @property
    def depends(self) -> bool:
        """Whether it is replaced if something that it names changes: mostly it is not."""
        return self.replacement == "Conditional"

    def __str__(self) -> str:
        verb = "removes" if self.action == "Remove" else "replaces"
        return f"{verb} {self.logical_id} ({self.kind})"


@dataclass(frozen=True)
class Store:
    """A store that was kept, and the property that names it."""

    logical_id: str
    kind: str
    named_by: str
    name: str


@dataclass(frozen=True)
class ChangeSet:
    """A change that is ready to be executed."""

    id: str
    creates: bool
    changes: Sequence[Change]


class Stack:
    """One stack, by its name."""

    def __init__(self, client: CloudFormationClient, name: str, say: Say) -> None:
        self.name = name
        self._client = client
        self._say = say

    def found(self) -> Found:
        """The stack as it is now."""
        try:
            stack = self._client.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            return Found()
        return Found(
            stack["StackStatus"],
            {one["ParameterKey"]: one["ParameterValue"] for one in stack.get("Parameters", [])},
            {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])},
        )

    def ready(self) -> Found:
        """The stack, once a change can start: one whose first create failed is deleted.

        Raises CommandError in every other state that no change can start from.
        """
        found = self.found()
        if found.status in FAILED_FIRST:
            self._say(
                f"{self.name} is {found.status}: its first create failed, and nothing of it is "
                "left. It is deleted, and created again"
            )
            self.delete()
            return self.found()
        if found.is_new or found.status in _CHANGEABLE:
            return found
        raise CommandError(f"{self.name} is {found.status}: {self._advice(found.status)}")

    def physical_ids(self) -> dict[str, str]:
        """The resources of the stack: the physical id of each logical id."""
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=self.name)
        return {
            one["LogicalResourceId"]: one.get("PhysicalResourceId", "")
            for page in pages
            for one in page["StackResourceSummaries"]
            if one["ResourceStatus"] != "DELETE_COMPLETE"
        }

    def template(self) -> Template:
        """The template that the stack was last changed with."""
        body: Template = dict(
            self._client.get_template(StackName=self.name, TemplateStage="Original")["TemplateBody"]
        )
        return body

    def prepare(
        self, source: Source, parameters: Mapping[str, str | None], *, creates: bool
    ) -> ChangeSet | None:
        """A change set; None when it would change nothing.

        A parameter that is None keeps its value. Raises CommandError with CloudFormation's reason
        when it cannot be made.
        """
        made = self._client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"deploy-{time.time_ns()}",
            ChangeSetType="CREATE" if creates else "UPDATE",
            Capabilities=list(CAPABILITIES),
            **source,  # type: ignore[arg-type]
            Parameters=_parameters(parameters),
        )["Id"]
        return self._change_set(made, creates=creates)

    def adopt(
        self, source: Source, parameters: Mapping[str, str | None], stores: Sequence[Store]
    ) -> None:
        """Make the stack of stores that are there already, and of nothing else.

        Raises CommandError when one of them belongs to another stack.
        """
        made = self._client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"adopt-{time.time_ns()}",
            ChangeSetType="IMPORT",
            **source,  # type: ignore[arg-type]
            Parameters=_parameters(parameters),
            ResourcesToImport=[
                {
                    "ResourceType": store.kind,
                    "LogicalResourceId": store.logical_id,
                    "ResourceIdentifier": {store.named_by: store.name},
                }
                for store in stores
            ],
        )["Id"]
        if changes := self._change_set(made, creates=True):
            self.execute(changes)

    def _change_set(self, made: str, *, creates: bool) -> ChangeSet | None:
        changes: list[Change] = []
        described = self._described(made)
        if described["Status"] == "FAILED":
            reason = described.get("StatusReason", "")
            changes_nothing = any(words in reason for words in NOTHING_CHANGES)
            details = [] if changes_nothing else self._refusals(made)
            self._client.delete_change_set(ChangeSetName=made, StackName=self.name)
            if changes_nothing:
                return None
            raise CommandError(f"{self.name} cannot be changed: {reason}", *details)
        while True:
            changes += [_change(one["ResourceChange"]) for one in described.get("Changes", [])]
            if "NextToken" not in described:
                return ChangeSet(made, creates, changes)
            described = self._client.describe_change_set(
                ChangeSetName=made, StackName=self.name, NextToken=described["NextToken"]
            )

    def _refusals(self, change_set: str) -> list[str]:
        """What checks before a change say of each resource; the change set names the check alone.

        Nothing where the caller may not ask.
        """
        pages = self._client.get_paginator("describe_events").paginate(
            ChangeSetName=change_set, Filters={"FailedEvents": True}
        )
        try:
            events = [event for page in pages for event in page["OperationEvents"]]
        except ClientError:
            return []
        return [
            f"  {event.get('LogicalResourceId', self.name)}: {reason}"
            for event in events
            if (reason := event.get("ValidationStatusReason") or event.get("HookStatusReason"))
        ]

    def execute(self, change_set: ChangeSet) -> None:
        """Carry a change set out. Raises CommandError with the first reasons when it fails."""
        before = self._events()
        self._client.execute_change_set(ChangeSetName=change_set.id, StackName=self.name)
        status = self._settled(lambda: self.found().status)
        if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
            raise CommandError(
                f"{self.name} is {status}:",
                *(line for event, line in self._events().items() if event not in before),
            )

    def discard(self, change_set: ChangeSet) -> None:
        """Forget a change set, and the empty stack that was made for it."""
        self._client.delete_change_set(ChangeSetName=change_set.id, StackName=self.name)
        if change_set.creates:
            self._client.delete_stack(StackName=self.name)

    def protect(self) -> None:
        """Let nobody delete the stack without saying so first."""
        self._client.update_termination_protection(
            StackName=self.name, EnableTerminationProtection=True
        )

    def delete(self) -> None:
        """Delete the stack. Raises CommandError when something of it cannot be."""
        self._client.delete_stack(StackName=self.name)
        if (status := self._settled(lambda: self.found().status)) not in GONE:
            raise CommandError(f"{self.name} is {status}: {self._advice(status)}")

    def _described(self, change_set: str) -> Any:
        found: Any = {}

        def status() -> str:
            nonlocal found
            found = self._client.describe_change_set(ChangeSetName=change_set, StackName=self.name)
            return str(found["Status"])

        self._settled(status)
        return found

    def _settled(self, status: Callable[[], str]) -> str:
        """The first status that will not change by itself."""
        pause = 0.1
        while (now := status()).endswith(("_IN_PROGRESS", "_PENDING")):
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE_S)
        return now

    def _advice(self, status: str) -> str:
        """What to do about a status that no change can start from."""
        if status.endswith("_IN_PROGRESS"):
            return "somebody is changing it: wait until that is done"
        fails = status == "UPDATE_ROLLBACK_FAILED"
        return (
            "what failed is in its events; then: aws cloudformation "
            f"{'continue-update-rollback' if fails else 'delete-stack'} "
            f"--stack-name {self.name} --region {self._client.meta.region_name}"
        )

    def _events(self) -> dict[str, str]:
        """The failures so far, the first of them first."""
        try:
            pages = list(
                self._client.get_paginator("describe_stack_events").paginate(StackName=self.name)
            )
        except ClientError:
            return {}
        return {
            event["EventId"]: f"  {event['LogicalResourceId']}: {event['ResourceStatusReason']}"
            for event in reversed([event for page in pages for event in page["StackEvents"]])
            if event.get("ResourceStatus", "").endswith("_FAILED")
            # One that was only stopped because another had failed says nothing.
            and "cancelled" not in event.get("ResourceStatusReason", "cancelled")
        }


_CHANGEABLE: Final = frozenset(
    {
        *("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"),
        *("IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"),
    }
)


def passed_parameters(
    template: Template, values: Mapping[str, str], found: Found
) -> dict[str, str | None]:
    """Of the parameters that the template has: the values, and None for what the stack keeps. One
    that was never made keeps nothing, though a change set may have been given some.
    """
    stored = () if found.is_new else found.parameters
    return {
        name: values.get(name)
        for name in template["Parameters"]
        if name in values or name in stored
    }


def _parameters(values: Mapping[str, str | None]) -> list[Any]:
    return [
        {"ParameterKey": name, "UsePreviousValue": True}
        if value is None
        else {"ParameterKey": name, "ParameterValue": value}
        for name, value in values.items()
    ]


def _change(found: Any) -> Change:
    return Change(
        found["LogicalResourceId"],
        found.get("ResourceType", ""),
        found["Action"],
        found.get("Replacement", ""),
    )
