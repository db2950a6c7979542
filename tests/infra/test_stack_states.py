"""What is said of a stack in a state that no change can start from."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from cli.errors import CommandError
from infra.deployment.edge import EDGE_REGION
from infra.deployment.stack import Found, Stack, Template, passed_parameters

EDGE = "tandem-prod-eu-west-3-edge"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("UPDATE_IN_PROGRESS", "somebody is changing it"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "somebody is changing it"),
        (
            "UPDATE_ROLLBACK_FAILED",
            f"continue-update-rollback --stack-name {EDGE} --region us-east-1",
        ),
        ("DELETE_FAILED", f"delete-stack --stack-name {EDGE} --region us-east-1"),
        ("IMPORT_ROLLBACK_FAILED", f"delete-stack --stack-name {EDGE} --region us-east-1"),
    ],
)
def test_what_to_do_is_a_command_for_its_own_region(status: str, said: str) -> None:
    """The edge's stack is in another region than the stage, and so than the operator."""
    client = _client()
    found = {"StackName": EDGE, "CreationTime": "2026-11-27T00:00:00Z", "StackStatus": status}
    with Stubber(client) as stubbed:
        stubbed.add_response("describe_stacks", {"Stacks": [found]}, {"StackName": EDGE})
        with pytest.raises(CommandError, match=said) as refused:
            Stack(client, EDGE, print).ready()
    assert refused.value.lines[0].startswith(f"{EDGE} is {status}: ")


NAME = "arn:aws:cloudformation:eu-west-3:123456789012:changeSet/deploy-1/2"
REASON = (
    "The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck]. To "
    "troubleshoot Early Validation errors, use the DescribeEvents API for detailed failure "
    "information."
)
TAKEN = {
    "EventType": "VALIDATION_ERROR",
    "LogicalResourceId": "WebIndex",
    "ValidationName": "NAME_CONFLICT_VALIDATION",
    "ValidationStatusReason": "Resource of type 'AWS::CloudFront::Function' with identifier "
    "'tandem-prod-eu-west-3-index' already exists.",
}
STARTED = {"EventType": "STACK_EVENT", "OperationStatus": "FAILED"}


@pytest.mark.parametrize("may_ask", [True, False])
def test_what_the_checks_before_a_change_found_is_said(may_ask: bool) -> None:
    """The change set itself names the check, and none of the resources."""
    client = _client()
    with Stubber(client) as stubbed:
        stubbed.add_response("create_change_set", {"Id": NAME})
        failed = {"Status": "FAILED", "StatusReason": REASON}
        stubbed.add_response("describe_change_set", failed)
        asked = {"ChangeSetName": NAME, "Filters": {"FailedEvents": True}}
        if may_ask:
            stubbed.add_response("describe_events", _page(STARTED, NextToken="more"), asked)
            stubbed.add_response("describe_events", _page(TAKEN), asked | {"NextToken": "more"})
        else:
            stubbed.add_client_error("describe_events", "AccessDenied", expected_params=asked)
        stubbed.add_response("delete_change_set", {})
        with pytest.raises(CommandError) as refused:
            Stack(client, "tandem-prod", print).prepare({"TemplateBody": "{}"}, {}, creates=True)
        stubbed.assert_no_pending_responses()
    said = f"  WebIndex: {TAKEN['ValidationStatusReason']}"
    first = f"tandem-prod cannot be changed: {REASON}"
    assert refused.value.lines == ((first, said) if may_ask else (first,))


@pytest.mark.parametrize(
    ("status", "passed"),
    [
        ("UPDATE_COMPLETE", {"Stage": "prod", "MailRate": None}),
        # A change set was made for it and never executed, such as one that was interrupted.
        ("REVIEW_IN_PROGRESS", {"Stage": "prod"}),
    ],
)
def test_a_stack_that_was_never_made_keeps_no_parameter(
    status: str, passed: dict[str, str | None]
) -> None:
    template: Template = {"Parameters": {"Stage": {}, "MailRate": {}, "Sender": {}}}
    found = Found(status, {"MailRate": "14", "Former": "1"})
    assert passed_parameters(template, {"Stage": "prod", "Other": "1"}, found) == passed


def _page(*events: dict[str, str], **more: str) -> dict[str, Any]:
    needed = {"EventId": "1", "StackId": "tandem-prod"}
    return {"OperationEvents": [needed | event for event in events], **more}


def _client() -> Any:
    return boto3.client(
        "cloudformation",
        region_name=EDGE_REGION,
        aws_access_key_id="id",
        aws_secret_access_key="secret",
    )
