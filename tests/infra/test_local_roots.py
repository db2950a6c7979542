"""The bucket of the journal's roots on the local stack: its policies and its lock hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.deployment import STACK
from local.emulator import REGION
from local.running import Stack

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("local-stack")]


ROOT = "demo-vip/00000001-" + "a" * 64 + ".json"


@pytest.mark.parametrize("role", ["SealRole", "ProjectRole", "ReconcileRole", "APIHandlerRole"])
def test_law_10_no_writer_of_the_journal_may_touch_a_root(stack: Stack, role: str) -> None:
    bucket = stack.deployment.outputs["RootsBucketName"]
    writer = _as_role(stack, role)
    calls: tuple[Callable[[], object], ...] = (
        lambda: writer.put_object(Bucket=bucket, Key=ROOT, Body=b"{}", IfNoneMatch="*"),
        lambda: writer.delete_object(Bucket=bucket, Key=ROOT),
        lambda: writer.list_object_versions(Bucket=bucket),
    )
    for call in calls:
        with pytest.raises(ClientError, match="AccessDenied"):
            call()


def test_law_10_a_root_is_written_by_its_function_alone_and_stays(stack: Stack) -> None:
    bucket = stack.deployment.outputs["RootsBucketName"]
    allowed, owner = _as_role(stack, "RootRole"), stack.s3
    written = allowed.put_object(Bucket=bucket, Key=ROOT, Body=b"{}", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        allowed.put_object(Bucket=bucket, Key=ROOT, Body=b"other", IfNoneMatch="*")
    for one in (allowed, owner):
        with pytest.raises(ClientError, match="AccessDenied"):
            one.delete_object(Bucket=bucket, Key=ROOT, VersionId=written["VersionId"])
    lock = owner.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"] == {"Mode": "COMPLIANCE", "Days": 3653}


def _as_role(stack: Stack, logical_id: str) -> Any:
    """S3 as a function with that role calls it."""
    formation = stack.session.client("cloudformation", endpoint_url=stack.endpoint)
    found = formation.describe_stack_resource(StackName=STACK, LogicalResourceId=logical_id)
    name = found["StackResourceDetail"]["PhysicalResourceId"]
    iam = stack.session.client("iam", endpoint_url=stack.endpoint)
    arn = iam.get_role(RoleName=name)["Role"]["Arn"]
    sts = stack.session.client("sts", endpoint_url=stack.endpoint)
    key = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return boto3.client(
        "s3", endpoint_url=stack.endpoint, region_name=REGION,
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key["SessionToken"],
        config=Config(s3={"addressing_style": "path"}),
    )  # fmt: skip
