"""The names of what outlives a stack, written into its template as they are.

A store is kept when its stack is deleted, and the next stack of the stage takes it back by its
name. A stack of an earlier version has names without the region, which stay. So the template that
is deployed has the names themselves: those that the stack has already, and otherwise those that the
packaged template makes up.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from infra.deployment.stack import Change, Store, Template

# The property that names a resource of a kind, where the name is the account's or the world's.
NAMED_BY: Final[Mapping[str, str]] = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::S3::Bucket": "BucketName",
}

# What holds data, and cannot be made again.
STORES: Final = frozenset({"AWS::Cognito::UserPool", "AWS::DynamoDB::Table", "AWS::S3::Bucket"})
# Of these, what nobody can delete while it is protected, a stack that takes it back neither.
PROTECTED: Final = frozenset({"AWS::Cognito::UserPool", "AWS::DynamoDB::Table"})
PARTS: Final = ("Parameters", "Conditions", "Resources")


def kept(template: Template) -> list[str]:
    """The resources that stay when the stack is deleted, by their logical ids."""
    return [
        name
        for name, resource in template["Resources"].items()
        if resource.get("DeletionPolicy") in {"Retain", "RetainExceptOnCreate"}
    ]


def stores(template: Template) -> list[Store]:
    """The kept resources that have a name of their own; the template has literal names."""
    return [
        Store(name, resource["Type"], named_by, resource["Properties"][named_by])
        for name in kept(template)
        if (named_by := NAMED_BY.get((resource := template["Resources"][name])["Type"]))
        and named_by in resource["Properties"]
    ]


def protected(template: Template) -> set[str]:
    """The kept resources that the parameter DeletionProtection protects."""
    return {name for name in kept(template) if template["Resources"][name]["Type"] in PROTECTED}


def left_out(template: Template, current: Template) -> list[str]:
    """The stores of the stack that the next template does not have: a former release has fewer.

    What a parameter switches is left out by that parameter.
    """
    resources = current["Resources"]
    return [
        name
        for name in kept(current)
        if name not in template["Resources"]
        and resources[name]["Type"] in STORES
        and "Condition" not in resources[name]
    ]


def lost_stores(changes: Iterable[Change], template: Template) -> list[str]:
    """The stores that a change replaces by empty ones. Removed is only what a parameter switches
    off, and that stays in the account.
    """
    return [
        change.logical_id
        for change in changes
        if change.takes_away and change.action != "Remove" and change.logical_id in kept(template)
    ]


def with_kept(template: Template, current: Template, names: Collection[str]) -> Template:
    """The template with these resources of the stack's current one. Removed from the stack, each
    would stay in the account, and its name would be taken when a release has it again.
    """
    more = of_stores_alone(current, names)
    return {**template, **{part: more[part] | template[part] for part in PARTS}}


def of_stores_alone(template: Template, names: Collection[str]) -> Template:
    """A template that has these stores and nothing else: less what names other resources."""
    ids = set(names)
    others = set(template["Resources"]) - ids
    resources = {
        name: {
            key: value
            for key, value in template["Resources"][name].items()
            if key in {"Type", "DeletionPolicy", "UpdateReplacePolicy"}
        }
        | {
            "Properties": {
                key: value
                for key, value in template["Resources"][name]["Properties"].items()
                if not _names(value) & others
            }
        }
        for name in sorted(ids)
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": template["Parameters"],
        "Conditions": template["Conditions"],
        "Resources": resources,
    }


def _names(value: Any) -> set[str]:
    """The resources and parameters that a value names."""
    if isinstance(value, list):
        return set().union(*map(_names, value))
    if not isinstance(value, dict):
        return set()
    if set(value) == {"Ref"}:
        return {value["Ref"]}
    if set(value) == {"Fn::GetAtt"}:
        return {value["Fn::GetAtt"][0]}
    if set(value) == {"Fn::Sub"}:
        text = value["Fn::Sub"] if isinstance(value["Fn::Sub"], str) else value["Fn::Sub"][0]
        return {name.partition(".")[0] for name in re.findall(r"\$\{([^}]+)\}", text)}
    return set().union(*map(_names, value.values()))


def with_names(
    template: Template, variables: Mapping[str, str], existing: Mapping[str, str]
) -> Template:
    """The template with literal names.

    `variables` are the values of what `Fn::Sub` may name (`Stage`, `AWS::AccountId`, …); `existing`
    are the physical ids that the stack has, by logical id.
    """
    names: dict[str, str] = {}
    for logical_id, resource in template["Resources"].items():
        named_by = NAMED_BY.get(resource["Type"])
        pattern = resource["Properties"].get(named_by, {}) if named_by else {}
        if isinstance(pattern, dict) and "Fn::Sub" in pattern:
            own = existing.get(logical_id, "").rpartition("/")[2]  # a policy's id is its ARN
            names[pattern["Fn::Sub"]] = own or _filled(pattern["Fn::Sub"], variables)
    named: Template = _replaced(template, names)
    return named


def _filled(pattern: str, variables: Mapping[str, str]) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda found: variables[found[1]], pattern)


def _replaced(value: Any, names: Mapping[str, str]) -> Any:
    """The value with each name in place of its pattern, in whatever `Fn::Sub` it stands."""
    if isinstance(value, list):
        return [_replaced(one, names) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
        text = value["Fn::Sub"]
        for pattern, name in names.items():
            text = re.sub(rf"{re.escape(pattern)}(?![\w$-])", name, text)
        return {"Fn::Sub": text} if "${" in text else text
    return {key: _replaced(one, names) for key, one in value.items()}
