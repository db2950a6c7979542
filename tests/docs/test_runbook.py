"""Every alarm of the stack has a section in the runbook that says what it means and what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.postprocess import FUNCTIONS, SERVERLESS_FUNCTION, complete

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
SECTIONS = re.split(r"^#{2,3} ", RUNBOOK, flags=re.MULTILINE)[1:]


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as the long ones."""


def _long_form(loader: yaml.Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise TypeError(f"{tag} of a {type(node).__name__}")
    if tag == "GetAtt":
        value = value.split(".")
    return {tag if tag == "Ref" else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _long_form)


def _resources() -> dict[str, Any]:
    """What is deployed: resources.yaml, completed around functions and an API without content."""
    text = (ROOT / "infra/resources.yaml").read_text(encoding="utf-8")
    template = yaml.load(text, _Loader)
    functions = {name: {"Type": SERVERLESS_FUNCTION, "Properties": {}} for name in FUNCTIONS}
    definition: dict[str, Any] = {"info": {}, "paths": {}}
    api = {"Type": "AWS::Serverless::Api", "Properties": {"DefinitionBody": definition}}
    template["Resources"] |= {**functions, "RestAPI": api}
    completed: Any = complete(template, runtime="python3.13", architecture="arm64")
    found: dict[str, Any] = completed["Resources"]
    return found


def _name(alarm: dict[str, Any], resources: dict[str, Any]) -> str:
    """The alarm's name after `tandem-{stage}-`."""
    reported = alarm["Properties"]["AlarmName"]["Fn::Sub"]
    if isinstance(reported, list):
        text, values = reported
        ((queue, attribute),) = (value["Fn::GetAtt"] for value in values.values())
        assert attribute == "QueueName"
        named = resources[queue]["Properties"]["QueueName"]["Fn::Sub"]
        reported = text.replace("${Queue}", named)
    return str(reported).removeprefix("tandem-${Stage}-")


RESOURCES = _resources()
ALARMS = sorted(
    _name(resource, RESOURCES)
    for resource in RESOURCES.values()
    if resource["Type"] == "AWS::CloudWatch::Alarm"
)


def test_there_are_alarms_to_explain() -> None:
    assert len(ALARMS) > len(FUNCTIONS) * 2
    assert "relay-lag" in ALARMS
    assert "mail-events-dead-not-empty" in ALARMS


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_has_one_section_with_its_meaning_and_what_to_look_at_and_do(alarm: str) -> None:
    (section,) = [one for one in SECTIONS if f"`{alarm}`" in one.partition("\n")[0]]
    assert [word for word in ("Means", "Look", "Do") if f"**{word}.**" not in section] == []


def test_no_section_is_about_an_alarm_that_is_gone() -> None:
    headings = [section.partition("\n")[0] for section in SECTIONS]
    explained = {name for heading in headings for name in re.findall(r"`([^`]+)`", heading)}
    assert explained - set(ALARMS) == set()


def test_every_function_and_queue_a_command_names_is_there() -> None:
    functions = {size.name for size in FUNCTIONS.values()} | {"NAME"}
    named = set(re.findall(r"tandem-\$STAGE-([a-z_A-Z]+)", RUNBOOK))
    assert named - functions == set()
    queues = {
        queue["Properties"]["QueueName"]["Fn::Sub"].removeprefix("tandem-${Stage}-")
        for queue in RESOURCES.values()
        if queue["Type"] == "AWS::SQS::Queue"
    }
    assert set(re.findall(r"\$\(queue ([a-z-]+)\)", RUNBOOK)) <= queues
