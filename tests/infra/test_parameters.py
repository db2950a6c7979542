"""Parameters of a stage: from a file and from the environment, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from cli.errors import CommandError
from infra.deployment.__main__ import RESOURCES
from infra.deployment.edge import edge_template
from infra.deployment.parameters import (
    NEEDS,
    OWN,
    Given,
    check_effects,
    check_no_parameters,
    check_parameters,
    check_rules,
    check_stage,
    given_parameters,
    makes_edge,
)
from infra.short_forms import read_template

SENDER = {"Sender": "hello@shop.brand.fr", "SenderIdentity": "brand.fr"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "prod.parameters"


def test_a_value_of_a_file_may_have_spaces_and_equals_signs(file: Path) -> None:
    file.write_text(
        "# the shop in France\n\nScheduleExport=cron(0/5 6-22 * * ? *)\n"
        "  Resolver = 10.0.0.2:53  \nOrigin=https://a.fr?b=c\n",
        encoding="utf-8",
    )
    found = {name: given.value for name, given in given_parameters(file, "").items()}
    assert found == {
        "ScheduleExport": "cron(0/5 6-22 * * ? *)",
        "Resolver": "10.0.0.2:53",
        "Origin": "https://a.fr?b=c",
    }


def test_words_are_read_as_a_shell_reads_them_and_win_over_the_file(file: Path) -> None:
    file.write_text("ScheduleExport=rate(5 minutes)\nLogLevel=INFO\n", encoding="utf-8")
    found = given_parameters(file, "ScheduleExport='rate(1 hour)' \"MailRate=14\"")
    assert found == {
        "ScheduleExport": Given("rate(1 hour)", "PARAMETERS"),
        "LogLevel": Given("INFO", f"{file}, line 2"),
        "MailRate": Given("14", "PARAMETERS"),
    }


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("LogLevel\n", "", "line 1: not Name=value: LogLevel"),
        ("\n=INFO\n", "", "line 2: not Name=value: =INFO"),
        ("MailRate=1\nMailRate=14\n", "", "line 2: MailRate is given twice"),
        ("", "MailRate", "PARAMETERS: not Name=value: MailRate"),
        ("", "MailRate='14", "PARAMETERS: a quote is not closed: MailRate='14"),
    ],
)
def test_what_is_not_a_parameter_is_named_by_its_line(
    file: Path, text: str, words: str, said: str
) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CommandError) as refused:
        given_parameters(file, words)
    assert refused.value.lines[0].endswith(said)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"PARAMETERS_FILE: .*cannot be read"):
        given_parameters(tmp_path / "missing", "")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("Colour", "red", "no parameter Colour: there are"),
        ("MailRate", "15", "MailRate is one of 0, 1, 14"),
        ("Sender", "Shop <hello@shop.brand.fr>", "Sender is one mail address, without a name"),
        ("Sender", "hello@brand", "Sender is one mail address, without a name"),
        ("Origin", "https://shop.brand.fr/", "Origin is https://host without a path, or empty"),
        ("Origin", "http://shop.brand.fr", "Origin is https://host without a path, or empty"),
        ("Stage", "test", "Stage is set by the deployment"),
        ("DeletionProtection", "false", "DeletionProtection is set by the deployment"),
        ("SenderIdentity", "other.fr", "SenderIdentity: other.fr is not that of"),
        ("SenderIdentity", "hello at shop.fr", "SenderIdentity is a domain or a mail address"),
        ("AlarmEmail", "ops", "AlarmEmail is one mail address, or empty"),
        ("DomainName", "https://vip.brand.fr", "DomainName is a host such as"),
        (
            "CertificateArn",
            "arn:aws:acm:eu-west-3:123456789012:certificate/1",
            "CertificateArn is the ARN of a certificate in us-east-1",
        ),
        ("Resolver", "10.0.0.2", "Resolver is host:port, or empty"),
        ("ScheduleExport", "rate(0 minutes)", "ScheduleExport is rate(5 minutes) or cron("),
        ("ScheduleExpire", "every 5 minutes", "ScheduleExpire is rate(5 minutes) or cron("),
        ("ScheduleRoot", "cron(0/5 6-22 * * ?)", "ScheduleRoot is rate(5 minutes) or cron("),
        ("Sender", "no-reply@tandem.example", "no-reply@tandem.example is an example"),
        ("Sender", "hello@mail.example.com", "hello@mail.example.com is an example"),
    ],
)
def test_a_wrong_value_is_named_before_anything_is_made(
    template: dict[str, Any], name: str, value: str, said: str
) -> None:
    given = {key: Given(text, "line 1") for key, text in (SENDER | {name: value}).items()}
    with pytest.raises(CommandError) as refused:
        check_parameters(given, template["Parameters"], {}, {})
    assert said in refused.value.lines[0]


EDGE = edge_template()["Parameters"]


def test_whatever_is_wrong_with_any_parameter_is_one_line_that_says_what_it_is(
    template: dict[str, Any],
) -> None:
    every = {**EDGE, **template["Parameters"]}
    checked = 0
    for name, rules in every.items():
        if name not in OWN and ({"AllowedPattern", "AllowedValues"} & set(rules)
                                or rules["Type"] == "Number"):  # fmt: skip
            given = {key: Given(text, "line 1") for key, text in SENDER.items()}
            given[name] = Given("§", "line 7")
            with pytest.raises(CommandError) as refused:
                check_parameters(given, template["Parameters"], EDGE, {})
            assert refused.value.lines[0].startswith(f"line 7: {name} is "), name
            checked += 1
    assert checked > 15


@pytest.mark.parametrize("value", ["9", "-300", "3e9", "many", ""])
def test_a_number_is_one_and_large_enough(template: dict[str, Any], value: str) -> None:
    given = {key: Given(text, "line 1") for key, text in SENDER.items()}
    given["ActionsPerAddress"] = Given(value, "line 7")
    with pytest.raises(CommandError) as refused:
        check_parameters(given, template["Parameters"], EDGE, {})
    assert refused.value.lines == (
        f"line 7: ActionsPerAddress is a number of 10 or more, not {value}",
    )


@pytest.mark.parametrize("stage", ["Prod", "1prod", "prod-2", "a" * 13, ""])
def test_a_stage_that_no_stack_can_have_is_refused_at_once(
    template: dict[str, Any], stage: str
) -> None:
    for declared in (EDGE, template["Parameters"]):
        with pytest.raises(CommandError, match="STAGE is a letter, then letters and digits"):
            check_stage(stage, declared)
    check_stage("prod2", EDGE)


@pytest.mark.parametrize("stage", ["local", "aws", "myawsprod", "amazon", "cognito2"])
def test_a_stage_that_would_fail_late_or_be_another_is_refused_at_once(stage: str) -> None:
    with pytest.raises(CommandError, match=f"STAGE is not {stage}: local is the stack"):
        check_stage(stage, EDGE)
    check_stage("locally", EDGE)


@pytest.mark.parametrize(
    "right",
    [
        SENDER,
        {"Sender": "hello@shop.brand.fr", "SenderIdentity": "hello@shop.brand.fr"},
        SENDER | {"Origin": "https://parrainage.brand.fr"},
        SENDER | {"ScheduleExport": "cron(0/5 6-22 * * ? *)", "ScheduleSeal": "rate(1 hour)"},
        SENDER | {"Resolver": "10.0.0.2:53", "AlarmEmail": "ops@mail.brand.fr"},
        SENDER
        | {
            "DomainName": "vip.brand.fr",
            "CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/"
            "12345678-1234-1234-1234-123456789012",
        },
    ],
)
def test_right_values_pass(template: dict[str, Any], right: dict[str, str]) -> None:
    check_parameters(
        {k: Given(v, "line 1") for k, v in right.items()}, template["Parameters"], {}, {}
    )


def test_what_the_stack_has_stored_counts_and_the_default_sender_does_not_pass(
    template: dict[str, Any],
) -> None:
    check_parameters({}, template["Parameters"], {}, SENDER)
    with pytest.raises(CommandError, match="is an example"):
        check_parameters({}, template["Parameters"], {}, {})


def test_what_is_checked_before_packaging_is_what_the_package_has(template: dict[str, Any]) -> None:
    read = read_template(RESOURCES)
    assert read["Parameters"] == template["Parameters"]
    assert read["Rules"] == template["Rules"]


@pytest.mark.parametrize(
    ("name", "needs", "value", "said"),
    [
        ("ClientAccountId", "ExternalId", "123456789012", "ClientAccountId needs an ExternalId"),
        ("ClientNotices", "ClientAccountId", "yes", "ClientNotices needs a ClientAccountId"),
        ("DomainName", "CertificateArn", "vip.brand.fr", "DomainName needs a CertificateArn"),
    ],
)
def test_what_needs_another_parameter_is_said_before_anything_is_made(
    template: dict[str, Any], name: str, needs: str, value: str, said: str
) -> None:
    empty = {key: str(one.get("Default", "")) for key, one in template["Parameters"].items()}
    check_rules(template["Rules"], empty)
    with pytest.raises(CommandError, match=said):
        check_rules(template["Rules"], empty | {name: value})
    check_rules(template["Rules"], empty | {name: value, needs: "some", "ExternalId": "some"})


def test_a_rule_that_cannot_be_looked_at_is_an_error() -> None:
    rule = {"RuleCondition": {"Fn::Contains": [["a"], "a"]}, "Assertions": []}
    with pytest.raises(NotImplementedError, match="Fn::Contains"):
        check_rules({"Unknown": rule}, {})


# --- what would change nothing --------------------------------------------------------------------


def _without_effect(
    template: dict[str, Any],
    given: dict[str, str],
    *,
    edge: bool = True,
    stored: Mapping[str, str] = MappingProxyType({}),
) -> tuple[str, ...]:
    found = {name: Given(value, "line 7") for name, value in given.items()}
    try:
        check_effects(found, template["Parameters"], stored, makes_edge=edge)
    except CommandError as refused:
        return refused.lines
    return ()


@pytest.mark.parametrize("name", sorted(set(EDGE) - OWN))
def test_a_parameter_of_the_edge_is_refused_when_none_is_made(
    template: dict[str, Any], name: str
) -> None:
    given = {name: "500", "ActionsPerAddress": "500"}
    assert _without_effect(template, given, edge=False) == tuple(
        f"line 7: {one} has no effect with EDGE=off" for one in given
    )
    assert _without_effect(template, given) == ()


def test_a_web_acl_is_refused_when_the_deployment_makes_one(template: dict[str, Any]) -> None:
    given = {"WebAclArn": "arn:aws:wafv2:us-east-1:000000000000:global/webacl/a/b"}
    (line,) = _without_effect(template, given)
    assert line.startswith("line 7: WebAclArn has no effect, since the deployment makes a web ACL")
    assert _without_effect(template, given, edge=False) == ()


@pytest.mark.parametrize(("name", "needed"), NEEDS.items())
def test_a_parameter_that_needs_another_is_refused_without_it(
    template: dict[str, Any], name: str, needed: str
) -> None:
    said = (f"line 7: {name} has no effect without {needed}",)
    assert _without_effect(template, {name: "a"}) == said
    assert _without_effect(template, {name: "a", needed: ""}, stored={needed: "b"}) == said
    assert _without_effect(template, {name: ""}) == ()
    assert _without_effect(template, {name: "a", needed: "b"}) == ()
    assert _without_effect(template, {name: "a"}, stored={needed: "b"}) == ()


def test_a_parameter_that_a_condition_shuts_off_is_among_those_that_need_another(
    template: dict[str, Any],
) -> None:
    """A parameter that is named under a condition alone has no effect where that is not met."""
    named: dict[str, list[frozenset[str]]] = {name: [] for name in template["Parameters"]}
    _names_in(template["Resources"], frozenset(), named)
    shut_off = {
        name
        for name, places in named.items()
        if places and all(one - {_condition_of(template, name)} for one in places)
    }
    assert shut_off == {"CertificateArn", "ExternalId"} <= NEEDS.keys()


def _condition_of(template: dict[str, Any], name: str) -> str:
    """The condition that asks whether a parameter has a value."""
    return next((key for key, one in template["Conditions"].items() if {"Ref": name} in
                 one.get("Fn::Not", [{}])[0].get("Fn::Equals", [])), "")  # fmt: skip


def _names_in(value: Any, under: frozenset[str], named: dict[str, list[frozenset[str]]]) -> None:
    """The conditions under which each place names a parameter."""
    match value:
        case {"Ref": str() as name}:
            named.get(name, []).append(under)
        case {"Fn::Sub": text}:
            for name in named:
                if f"${{{name}}}" in str(text):
                    named[name].append(under)
        case {"Fn::If": [condition, then, otherwise]}:
            _names_in(then, under | {condition}, named)
            _names_in(otherwise, under, named)
        case dict():
            inside = under | {value["Condition"]} if "Type" in value and isinstance(
                value.get("Condition"), str) else under  # fmt: skip
            for one in value.values():
                _names_in(one, inside, named)
        case list():
            for one in value:
                _names_in(one, under, named)


def test_edge_is_on_or_off() -> None:
    assert [makes_edge({}), makes_edge({"EDGE": "on"}), makes_edge({"EDGE": ""})] == [True] * 3
    assert not makes_edge({"EDGE": "off"})
    with pytest.raises(CommandError, match="EDGE is on or off, not no"):
        makes_edge({"EDGE": "no"})


def test_a_rollback_takes_no_parameters() -> None:
    check_no_parameters({"PARAMETERS": "", "AWS_REGION": "eu-west-3"})
    with pytest.raises(CommandError) as refused:
        check_no_parameters({"PARAMETERS": "MailRate=1", "PARAMETERS_FILE": "a", "EDGE": "off"})
    assert [line.split()[0] for line in refused.value.lines] == [
        *("PARAMETERS", "PARAMETERS_FILE", "EDGE")
    ]
