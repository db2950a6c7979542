"""`infra/deploy.sh` against an account of the emulator, which has CloudFormation's own rules for
names that are taken, rollbacks, imports and change sets.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.deployment.pages import REPLACED
from infra.package import Package
from local.deployment import for_emulator
from local.emulator import REGION, Emulator, free_port
from tests.infra.deployed import SENDER, AwsAccount, Done

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("deploy")]

RELEASED = Path(__file__).parent / "released"
OTHER_REGION = "eu-west-1"


@pytest.fixture(scope="module")
def account(made: Package, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsAccount]:
    """An account; mails go nowhere. Each test has stages of its own in it."""
    home = tmp_path_factory.mktemp("account")
    with Emulator(home, free_port(), "http://127.0.0.1:1") as emulator:
        yield AwsAccount(emulator, home, made)


@pytest.fixture(scope="module")
def first(account: AwsAccount) -> Done:
    """The first deployment of the stage `prod`."""
    return account.deploy("prod")


def test_a_stage_is_created_protected_published_and_deployed_again_without_a_change(
    account: AwsAccount, first: Done
) -> None:
    assert (first.code, first.err) == (0, "")
    outputs = account.outputs("prod")
    assert "tandem-prod: release" in first.out
    table = account.client("dynamodb").describe_table(TableName=outputs["TableName"])["Table"]
    assert table["DeletionProtectionEnabled"] is True
    assert account.stack("prod")["EnableTerminationProtection"] is True
    edge = account.client("cloudformation", "us-east-1").describe_stacks(
        StackName=f"tandem-prod-{REGION}-edge"
    )["Stacks"][0]
    (acl,) = [one["OutputValue"] for one in edge["Outputs"]]
    assert account.parameters("prod")["WebAclArn"] == acl
    pages = account.client("s3").list_objects_v2(Bucket=outputs["WebBucketName"])["Contents"]
    assert {"index.html", "shared/tandem.css"} <= {page["Key"] for page in pages}
    stages = account.client("apigateway").get_stages(restApiId=outputs["RestApiId"])["item"]
    assert [stage["stageName"] for stage in stages] == ["api"]
    events = account.client("cloudformation").describe_stack_events(StackName="tandem-prod")
    s3, web = account.client("s3"), outputs["WebBucketName"]
    for key in ("assets/before-1a2b3c4d.js", "before.html"):
        s3.put_object(Bucket=web, Key=key, Body=b"of the release before")
    again = account.deploy("prod")
    assert (again.code, again.err) == (0, "")
    left = {page["Key"] for page in s3.list_objects_v2(Bucket=web)["Contents"]}
    assert "before.html" not in left
    # Open pages may still ask for it.
    marked = s3.get_object_tagging(Bucket=web, Key="assets/before-1a2b3c4d.js")["TagSet"]
    assert marked == REPLACED["TagSet"]
    after = account.client("cloudformation").describe_stack_events(StackName="tandem-prod")
    assert len(after["StackEvents"]) == len(events["StackEvents"])


def test_a_create_that_failed_leaves_nothing_and_the_next_one_works(account: AwsAccount) -> None:
    taken = _take_the_name_of_the_index(account, "retry")
    failed = account.deploy("retry")
    assert failed.code == 1
    assert "WebIndex: " in failed.err
    assert account.stack("retry")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "tandem-retry" not in account.client("dynamodb").list_tables()["TableNames"]
    buckets = [one["Name"] for one in account.client("s3").list_buckets()["Buckets"]]
    assert not [name for name in buckets if name.startswith("tandem-retry-")]
    account.client("cloudfront").delete_function(Name=f"tandem-retry-{REGION}-index", IfMatch=taken)
    done = account.deploy("retry")
    assert (done.code, done.err) == (0, "")
    assert "its first create failed" in done.out


def test_what_a_deleted_stack_has_left_comes_back_into_the_next_one(account: AwsAccount) -> None:
    assert account.deploy("again").code == 0
    before = account.outputs("again")
    account.client("dynamodb").put_item(
        TableName=before["TableName"], Item={"pk": {"S": "VOUCHER#1"}, "sk": {"S": "VOUCHER"}}
    )
    account.client("s3").put_object(Bucket=before["BucketName"], Key="out/kept", Body=b"kept")
    account.delete("again")
    done = account.deploy("again")
    assert (done.code, done.err) == (0, "")
    for kept in ("Table", "Bucket", "RootsBucket", "WebBucket"):
        assert f"takes back {kept} " in done.out
    after = account.outputs("again")
    stores = ("TableName", "BucketName", "RootsBucketName", "WebBucketName")
    assert [after[name] for name in stores] == [before[name] for name in stores]
    key = {"pk": {"S": "VOUCHER#1"}, "sk": {"S": "VOUCHER"}}
    assert "Item" in account.client("dynamodb").get_item(TableName=after["TableName"], Key=key)
    read = account.client("s3").get_object(Bucket=after["BucketName"], Key="out/kept")
    assert read["Body"].read() == b"kept"


def test_a_stack_whose_table_was_deleted_comes_back_with_an_empty_one(account: AwsAccount) -> None:
    assert account.deploy("gone").code == 0
    before = account.outputs("gone")
    account.client("s3").put_object(Bucket=before["BucketName"], Key="out/kept", Body=b"kept")
    account.delete("gone")
    table = account.client("dynamodb")
    table.update_table(TableName=before["TableName"], DeletionProtectionEnabled=False)
    table.delete_table(TableName=before["TableName"])
    done = account.deploy("gone")
    assert (done.code, done.err) == (0, "")
    assert "takes back Table " not in done.out
    assert "takes back Bucket " in done.out
    described = table.describe_table(TableName=account.outputs("gone")["TableName"])["Table"]
    assert described["StreamSpecification"]["StreamEnabled"]
    read = account.client("s3").get_object(Bucket=before["BucketName"], Key="out/kept")
    assert read["Body"].read() == b"kept"


def test_a_stack_that_could_not_come_back_can_at_the_next_try(account: AwsAccount) -> None:
    """What was new in it is taken away again, so that its name is free."""
    assert account.deploy("half").code == 0
    before = account.outputs("half")
    account.delete("half")
    table = account.client("dynamodb")
    table.update_table(TableName=before["TableName"], DeletionProtectionEnabled=False)
    table.delete_table(TableName=before["TableName"])
    taken = _take_the_name_of_the_index(account, "half")
    failed = account.deploy("half")
    assert failed.code == 1
    assert "WebIndex: " in failed.err
    assert account.stack("half")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert before["TableName"] not in table.list_tables()["TableNames"]
    account.client("cloudfront").delete_function(Name=f"tandem-half-{REGION}-index", IfMatch=taken)
    done = account.deploy("half")
    assert (done.code, done.err) == (0, "")
    described = table.describe_table(TableName=before["TableName"])["Table"]
    assert described["DeletionProtectionEnabled"] is True


def _take_the_name_of_the_index(account: AwsAccount, stage: str) -> str:
    """Somebody else has a function that the stack is to make; the mark it is deleted by."""
    function = account.client("cloudfront").create_function(
        Name=f"tandem-{stage}-{REGION}-index",
        FunctionConfig={"Comment": "somebody else's", "Runtime": "cloudfront-js-2.0"},
        FunctionCode=b"function handler(event) { return event.request; }",
    )
    return str(function["ETag"])


def test_one_stage_in_two_regions_of_an_account_and_two_stages_share_nothing(
    account: AwsAccount, first: Done
) -> None:
    assert first.err == ""
    elsewhere = account.deploy("prod", AWS_REGION=OTHER_REGION)
    assert (elsewhere.code, elsewhere.err) == (0, "")
    here, there = account.outputs("prod"), account.outputs("prod", OTHER_REGION)
    for name in ("BucketName", "RootsBucketName", "WebBucketName", "ClientPolicyArn"):
        assert here[name] != there[name]
    # The role of the access logs is the account's, and stays while a stage is left.
    role = account.client("apigateway").get_account()["cloudwatchRoleArn"]
    account.delete("prod", OTHER_REGION)
    assert account.client("iam").get_role(RoleName=role.rpartition("/")[2])


def test_a_release_takes_the_place_of_the_former_one_and_rollback_brings_that_back(
    account: AwsAccount,
) -> None:
    assert account.deploy("test").code == 0
    first = account.outputs("test")["Release"]
    nothing = account.run("rollback", "test", AWS_REGION=REGION)
    assert (nothing.code, nothing.err) == (
        1, "deploy: tandem-test has no former release to go back to\n"
    )  # fmt: skip
    changed = account.package({"DecideQueue": {"VisibilityTimeout": 240}})
    assert account.deploy("test", changed).code == 0
    second = account.outputs("test")["Release"]
    assert second != first
    told = account.run("rollback", "test", AWS_REGION=REGION, PARAMETERS="MailRate=1")
    assert (told.code, told.err) == (
        1, "deploy: PARAMETERS has no effect: a rollback keeps the stack's parameters\n"
    )  # fmt: skip
    back = account.run("rollback", "test", AWS_REGION=REGION)
    assert (back.code, back.err) == (0, "")
    assert account.outputs("test")["Release"] == first
    assert _visibility(account) == 180
    assert account.run("rollback", "test", AWS_REGION=REGION).code == 0
    assert account.outputs("test")["Release"] == second
    assert _visibility(account) == 240
    _former_release_cannot_read(account, first)
    refused = account.run("rollback", "test", AWS_REGION=REGION)
    assert refused.code == 1
    assert "deploy: item VOUCHER: colour may be missing\n" in refused.err
    assert account.outputs("test")["Release"] == second
    assert account.run("rollback", "test", AWS_REGION=REGION, ANYWAY="1").code == 0
    assert account.outputs("test")["Release"] == first
    _former_release_cannot_read(account, second, notes=False)
    unknown = account.run("rollback", "test", AWS_REGION=REGION)
    assert (unknown.code, "is not known" in unknown.err) == (1, True)


def _former_release_cannot_read(account: AwsAccount, release: str, *, notes: bool = True) -> None:
    """Have a release ask for a field that no other stores, or say nothing of what it reads."""
    s3, bucket = account.client("s3"), f"tandem-deploy-000000000000-{REGION}"
    key = f"tandem-test/{release}/stored.json"
    if not notes:
        s3.delete_object(Bucket=bucket, Key=key)
        return
    shapes = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    shapes["item VOUCHER"]["required"].append("colour")
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(shapes).encode())


def _visibility(account: AwsAccount) -> int:
    sqs = account.client("sqs")
    url = sqs.get_queue_url(QueueName="tandem-test-decide")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    return int(attributes["Attributes"]["VisibilityTimeout"])


def test_what_replaces_is_shown_and_asked_for_and_a_store_is_never_replaced(
    account: AwsAccount, first: Done
) -> None:
    assert first.code == 0
    release = account.outputs("prod")["Release"]
    renamed = account.package({"Alarms": {"TopicName": "tandem-prod-other"}})
    asked = account.deploy("prod", renamed)
    assert asked.code == 1
    assert "tandem-prod replaces Alarms (AWS::SNS::Topic)" in asked.out
    assert "YES=1" in asked.err
    assert account.outputs("prod")["Release"] == release
    lost = account.package({"WebBucket": {"BucketName": "tandem-other-web"}})
    refused = account.deploy("prod", lost, YES="1")
    assert refused.code == 1
    assert "WebBucket is tandem-prod-" in refused.err
    assert account.outputs("prod")["Release"] == release
    assert account.deploy("prod", renamed, YES="1").code == 0
    assert account.outputs("prod")["Release"] != release


def test_a_release_without_a_store_of_the_stack_leaves_it_there(account: AwsAccount) -> None:
    """Removed from the stack, it would stand in the way of the release that has it again."""
    more = {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "RetainExceptOnCreate",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "BucketName": {"Fn::Sub": "tandem-${Stage}-${AWS::Region}-more"},
            "VersioningConfiguration": {"Status": "Enabled"},
            # A parameter and a resource that the former release does not have.
            "Tags": [{"Key": "for", "Value": {"Ref": "MoreFor"}}],
            "LifecycleConfiguration": {
                "Rules": [{"Id": {"Ref": "MoreTopic"}, "Status": "Enabled", "ExpirationInDays": 9}]
            },
        },
    }
    added = {"MoreBucket": more, "MoreTopic": {"Type": "AWS::SNS::Topic", "Properties": {}}}
    assert account.deploy("more").code == 0
    without = account.outputs("more")["Release"]
    newer = account.package(added=added, parameters={"MoreFor": {"Type": "String", "Default": "a"}})
    assert account.deploy("more", newer).code == 0
    back = account.run("rollback", "more", AWS_REGION=REGION, YES="1")
    assert (back.code, back.err) == (0, "")
    assert "tandem-more keeps MoreBucket, which this release does not know" in back.out
    assert "removes MoreTopic (AWS::SNS::Topic)" in back.out
    assert "removes MoreBucket" not in back.out
    assert account.outputs("more")["Release"] == without
    forward = account.run("rollback", "more", AWS_REGION=REGION, YES="1")
    assert (forward.code, forward.err) == (0, "")
    buckets = {one["Name"] for one in account.client("s3").list_buckets()["Buckets"]}
    assert f"tandem-more-{REGION}-more" in buckets


def test_what_cannot_be_is_refused_before_anything_is_made(account: AwsAccount) -> None:
    alone = f"{SENDER} ClientAccountId=123456789012"
    refused = account.deploy("early", PARAMETERS=alone, AWS_REGION="eu-central-1")
    assert refused.code == 1
    assert refused.err.startswith("deploy: ClientAccountId needs an ExternalId")
    buckets = {one["Name"] for one in account.client("s3").list_buckets()["Buckets"]}
    assert "tandem-deploy-000000000000-eu-central-1" not in buckets
    stacks = account.client("cloudformation", "us-east-1").describe_stacks()["Stacks"]
    assert "tandem-early-eu-central-1-edge" not in {one["StackName"] for one in stacks}


def test_an_example_is_refused_before_minutes_of_packaging(account: AwsAccount) -> None:
    refused = account.run("deploy", "example", AWS_REGION=REGION)
    assert refused.code == 1
    assert refused.err.startswith("deploy: Sender: no-reply@tandem.example is an example")
    assert "packaging" not in refused.out


def test_rolling_back_where_nothing_was_deployed_says_so(account: AwsAccount) -> None:
    elsewhere = account.run("rollback", "prod", AWS_REGION="eu-south-1")
    assert (elsewhere.code, elsewhere.err) == (
        1, "deploy: there is no stack tandem-prod in eu-south-1\n"
    )  # fmt: skip
    formation = account.client("cloudformation", "eu-south-1")
    topic = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    formation.create_stack(StackName="tandem-bare", TemplateBody=json.dumps(topic))
    formation.get_waiter("stack_create_complete").wait(
        StackName="tandem-bare", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    bare = account.run("rollback", "bare", AWS_REGION="eu-south-1")
    assert bare.err == "deploy: tandem-bare has no former release to go back to\n"


def test_a_stack_of_0_1_0_is_updated_in_place(account: AwsAccount) -> None:
    """With its stores under their former names, and without its second stage of the API."""
    _create_0_1_0(account)
    before = account.outputs("old")
    account.client("dynamodb").put_item(
        TableName=before["TableName"], Item={"pk": {"S": "VOUCHER#1"}, "sk": {"S": "VOUCHER"}}
    )
    done = account.deploy("old", YES="1")
    assert (done.code, done.err) == (0, "")
    after = account.outputs("old")
    for name in ("TableName", "BucketName", "WebBucketName", "ClientPolicyArn"):
        assert after[name] == before[name]
    key = {"pk": {"S": "VOUCHER#1"}, "sk": {"S": "VOUCHER"}}
    assert "Item" in account.client("dynamodb").get_item(TableName=after["TableName"], Key=key)
    stages = account.client("apigateway").get_stages(restApiId=after["RestApiId"])["item"]
    assert [stage["stageName"] for stage in stages] == ["api"]
    role = account.client("apigateway").get_account()["cloudwatchRoleArn"]
    assert role.endswith("/tandem-api-logs")


def _create_0_1_0(account: AwsAccount) -> None:
    text = gzip.decompress((RELEASED / "template-0.1.0.json.gz").read_bytes())
    template: dict[str, Any] = for_emulator(json.loads(text))
    s3, formation = account.client("s3"), account.client("cloudformation")
    s3.create_bucket(Bucket="old", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="old", Key="code.zip", Body=account.made.code.read_bytes())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": "old", "Key": "code.zip"}
    s3.put_object(Bucket="old", Key="template.json", Body=json.dumps(template).encode())
    formation.create_stack(
        StackName="tandem-old",
        TemplateURL=f"{account.emulator.endpoint}/old/template.json",
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": "Stage", "ParameterValue": "old"}],
    )
    formation.get_waiter("stack_create_complete").wait(
        StackName="tandem-old", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def test_another_stages_web_acl_is_kept_or_let_go_and_never_replaced_in_passing(
    account: AwsAccount,
) -> None:
    other = "arn:aws:wafv2:us-east-1:000000000000:global/webacl/other/1"
    given = f"{SENDER} WebAclArn={other}"
    ignored = account.deploy("shared", PARAMETERS=given)
    assert ignored.code == 1
    assert "WebAclArn has no effect" in ignored.err
    unread = account.deploy("shared", PARAMETERS=f"{given} ActionsPerAddress=900", EDGE="off")
    assert (unread.code, unread.err) == (
        1, "deploy: PARAMETERS: ActionsPerAddress has no effect with EDGE=off\n"
    )  # fmt: skip
    assert account.deploy("shared", PARAMETERS=given, EDGE="off").code == 0
    replacing = account.deploy("shared", PARAMETERS="")
    assert (replacing.code, f"WebAclArn is {other}" in replacing.err) == (1, True)
    assert account.parameters("shared")["WebAclArn"] == other
    assert account.deploy("shared", PARAMETERS="WebAclArn=", EDGE="off").code == 0
    assert account.deploy("shared", PARAMETERS="").code == 0
    assert "tandem-shared-" in account.parameters("shared")["WebAclArn"]


def test_a_profile_alone_decides_the_region_of_bucket_and_stack(account: AwsAccount) -> None:
    config = account.home / "config"
    config.write_text(f"[profile shop]\nregion = {OTHER_REGION}\n", encoding="utf-8")
    done = account.run(
        *("deploy", "profile", "--package", str(account.package())),
        AWS_PROFILE="shop",
        AWS_CONFIG_FILE=str(config),
        PARAMETERS=SENDER,
    )
    assert (done.code, done.err) == (0, "")
    assert OTHER_REGION in account.outputs("profile", OTHER_REGION)["BucketName"]
    buckets = {one["Name"] for one in account.client("s3").list_buckets()["Buckets"]}
    assert f"tandem-deploy-000000000000-{OTHER_REGION}" in buckets
