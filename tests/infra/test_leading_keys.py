"""The values of the partition key that a call of DynamoDB names, as AWS compares them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.leading_keys import leading_keys, unless_protected, with_leading_keys

ONE: dict[str, Any] = {"pk": {"S": "CONTACT#1"}, "sk": {"S": "CONTACT"}}
OTHER: dict[str, Any] = {"pk": {"S": "TOKEN#2"}, "sk": {"S": "TOKEN"}}
BOTH = ["CONTACT#1", "TOKEN#2"]


@pytest.mark.parametrize(
    ("call", "named"),
    [
        ({"TableName": "t", "Key": ONE}, ["CONTACT#1"]),
        ({"TableName": "t", "Item": {**ONE, "email": {"S": "x"}}}, ["CONTACT#1"]),
        ({"RequestItems": {"t": {"Keys": [ONE, OTHER]}}}, BOTH),
        (
            {
                "RequestItems": {
                    "t": [{"PutRequest": {"Item": ONE}}, {"DeleteRequest": {"Key": OTHER}}]
                }
            },
            BOTH,
        ),
        ({"TransactItems": [{"Get": {"Key": ONE}}, {"Get": {"Key": OTHER}}]}, BOTH),
        (
            {"TransactItems": [{"ConditionCheck": {"Key": ONE}}, {"Put": {"Item": OTHER}}]},
            BOTH,
        ),
        ({"TransactItems": [{"Update": {"Key": ONE}}, {"Delete": {"Key": OTHER}}]}, BOTH),
        (
            {
                "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)",
                "ExpressionAttributeValues": {":pk": {"S": "CONTACT#1"}, ":sk": {"S": "C"}},
            },
            ["CONTACT#1"],
        ),
        (
            {
                "IndexName": "holder",
                "KeyConditionExpression": "#s = :s and #p=:p",
                "ExpressionAttributeNames": {"#p": "holder_pk", "#s": "holder_sk"},
                "ExpressionAttributeValues": {":p": {"S": "HOLDER#3"}, ":s": {"S": "x"}},
            },
            ["HOLDER#3"],
        ),
        ({"TableName": "t", "FilterExpression": "pk = :p"}, []),
        ({}, []),
    ],
)
def test_each_call_names_the_keys_that_it_reads_or_writes(
    call: dict[str, Any], named: list[str]
) -> None:
    assert leading_keys(json.dumps(call).encode()) == named


@pytest.mark.parametrize("body", [b"", b"no json", b"[]"])
def test_what_is_no_call_names_none(body: bytes) -> None:
    assert leading_keys(body) == []


def test_a_scan_has_no_such_condition_and_the_others_stay() -> None:
    completed = with_leading_keys(lambda _: {"dynamodb:Select": "ALL_ATTRIBUTES"})
    assert completed(b'{"TableName": "t"}') == {"dynamodb:Select": "ALL_ATTRIBUTES"}
    assert completed(json.dumps({"Key": ONE}).encode()) == {
        "dynamodb:Select": "ALL_ATTRIBUTES",
        "dynamodb:LeadingKeys": ["CONTACT#1"],
    }


def test_a_stack_deletes_no_protected_table() -> None:
    deleted: list[str] = []
    delete = unless_protected(
        lambda name, _: deleted.append(name), {"kept": {"DeletionProtectionEnabled": True}}
    )
    delete("other", {})
    with pytest.raises(ValueError, match="kept cannot be deleted"):
        delete("kept", {})
    assert deleted == ["other"]
