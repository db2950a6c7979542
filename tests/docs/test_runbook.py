"""Every alarm of the stack has a section in the runbook that says what it means and what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.postprocess import FUNCTIONS, SERVERLESS_FUNCTION, complete
from tests.docs.commands import APP, command, surplus_words, unknown_options, within

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


# --- commands and log lines -----------------------------------------------------------------------

CODE = [
    part
    for paragraph in RUNBOOK.split("```")[1::2]
    for part in paragraph.replace("\\\n", " ").splitlines()
] + re.findall(r"`([^`]+)`", "".join(RUNBOOK.split("```")[::2]))
COMMANDS = sorted({found for part in CODE for found in re.findall(r"\btandem [a-z][^`;|&]*", part)})


def test_the_runbook_has_commands_to_check() -> None:
    assert len(COMMANDS) > 20


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_runbook_exists_with_its_options(line: str) -> None:
    words = line.split()[1:]
    assert unknown_options(command(words), words) == set()
    assert surplus_words(command(words), words) == []


def test_no_command_of_ours_is_named_without_tandem() -> None:
    """`facts …` alone is nothing that a shell knows; `export NAME=…` is."""
    ours = within(APP).keys() - {"export"}
    assert "facts" in ours
    used = [part for part in CODE if re.search(r" .*([A-Z]{3}|--[a-z])", part.strip())]
    assert [part for part in used if part.split()[0] in ours] == []


def test_what_is_said_to_be_a_line_of_a_log_is_logged_by_the_code() -> None:
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "chalicelib").rglob("*.py"))
    calls = r"\b(?:log|warn|failed|_facts)\(\s*(?:[\w.]+, )?\"([a-z][^\"]*)\""
    logged = {message for source in sources for message in re.findall(calls, source)}
    named = set(re.findall(r"\$\.message = \"([^\"]+)\"", RUNBOOK))
    for listed in re.findall(r"\blines? (`[^`]+`(?: and `[^`]+`)*)", RUNBOOK):
        named |= {" ".join(one.split()) for one in re.findall(r"`([^`]+)`", listed)}
    assert len(named) > 8
    assert named - logged == set()


def test_nobody_is_sent_to_an_alarm_that_is_gone() -> None:
    decision = (ROOT / "docs/decisions/0056-one-event-raises-one-alarm.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.*?) \|", decision, re.MULTILINE)
    gone = {name for row in rows for name in re.findall(r"`([a-z0-9-]+)`", row)}
    assert {"mail-bounce-rate", "export-overdue"} <= gone
    texts = [
        *(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md"), ROOT / "infra/README.md",
        *(ROOT / "cli").rglob("*.py"), ROOT / "infra/resources.yaml",
    ]  # fmt: skip
    for path in texts:
        named = set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)+", path.read_text("utf-8")))
        assert not named & gone or path.name == "CHANGELOG.md", path
