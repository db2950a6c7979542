"""What outlives a stack, and what a change of it may take away, by the packaged template."""

from __future__ import annotations

import copy
from typing import Any

from infra.deployment.names import left_out, lost_stores, stores, with_kept, with_names
from infra.deployment.stack import Change

VARIABLES = {"Stage": "prod", "AWS::AccountId": "123456789012", "AWS::Region": "eu-west-3"}
BUCKET, TABLE = "AWS::S3::Bucket", "AWS::DynamoDB::Table"


def test_the_trail_is_switched_off_and_on_again(template: dict[str, Any]) -> None:
    """Its bucket stays in the account; with a name of its own it would block the next one."""
    named = with_names(template, VARIABLES, {})
    assert "BucketName" not in named["Resources"]["TrailBucket"]["Properties"]
    removed = Change("TrailBucket", BUCKET, "Remove", "")
    assert lost_stores([removed], named) == []
    assert {store.logical_id for store in stores(named)} == {
        "Table", "Bucket", "RootsBucket", "WebBucket"
    }  # fmt: skip


def test_a_store_that_is_replaced_is_lost(template: dict[str, Any]) -> None:
    changes = [
        Change("Table", TABLE, "Modify", "True"),
        Change("TrailBucket", BUCKET, "Modify", "True"),
        Change("Bucket", BUCKET, "Modify", "Conditional"),
        Change("WebBucket", BUCKET, "Modify", "False"),
        Change("Alarms", "AWS::SNS::Topic", "Modify", "True"),
    ]
    assert lost_stores(changes, template) == ["Table", "TrailBucket"]


def test_what_is_kept_stays_in_a_stack_whose_release_does_not_know_it(
    template: dict[str, Any],
) -> None:
    former = copy.deepcopy(template)
    for name in ("RootsBucket", "OpsPool", "TrailBucket", "Alarms"):
        del former["Resources"][name]
    del former["Parameters"]["RootsLock"]
    names = left_out(former, template)
    assert sorted(names) == ["OpsPool", "RootsBucket"]
    completed = with_kept(former, template, names)
    lock = completed["Resources"]["RootsBucket"]["Properties"]["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"]["Mode"] == {"Ref": "RootsLock"}
    assert "RootsLock" in completed["Parameters"]
    assert "Alarms" not in completed["Resources"]
    assert completed["Resources"]["Table"] == former["Resources"]["Table"]
    assert left_out(template, template) == []


def test_what_is_kept_and_holds_no_data_may_go(template: dict[str, Any]) -> None:
    """The setting of an account, say: what is left of it would be in the way of the next one."""
    setting = {"Type": "AWS::ApiGateway::Account", "DeletionPolicy": "Retain", "Properties": {}}
    current = {**template, "Resources": template["Resources"] | {"ApiAccount": setting}}
    assert left_out(template, current) == []
