"""What is said of a stack in a state that no change can start from."""

from __future__ import annotations

import boto3
import pytest
from botocore.stub import Stubber

from cli.errors import CommandError
from infra.deployment.edge import REGION
from infra.deployment.stack import Stack

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
    client = boto3.client(
        "cloudformation",
        region_name=REGION,
        aws_access_key_id="id",
        aws_secret_access_key="secret",
    )
    found = {"StackName": EDGE, "CreationTime": "2026-11-27T00:00:00Z", "StackStatus": status}
    with Stubber(client) as stubbed:
        stubbed.add_response("describe_stacks", {"Stacks": [found]}, {"StackName": EDGE})
        with pytest.raises(CommandError, match=said) as refused:
            Stack(client, EDGE, print).ready()
    assert refused.value.lines[0].startswith(f"{EDGE} is {status}: ")
