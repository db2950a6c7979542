"""The parameters of a stage: from a file and from the environment, checked before anything is made.

    # a line each; a value goes on to the end of its line, so it may have spaces
    Sender=hello@shop.example
    ScheduleExport=cron(0/5 6-22 * * ? *)

CloudFormation checks the same things, but only after the package was built and uploaded, and
without naming the line.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.errors import CommandError

# Set by the deployment itself.
OWN: Final = frozenset({"Stage", "StageRegion", "DeletionProtection"})
# What `tandem --stage local` means, and what Cognito takes in the name of no sign-in page.
NO_STAGE: Final = re.compile(r"^local$|aws|amazon|cognito")
# What does nothing without another one; what cannot be made without one, the template's rules say.
NEEDS: Final = {"CertificateArn": "DomainName", "ExternalId": "ClientAccountId"}
# Nobody can own these (RFC 2606, RFC 6761): a mail from one is an example that was not changed.
RESERVED: Final = re.compile(
    r"(^|\.)(example|invalid|localhost|test)$|(^|\.)example\.(com|net|org)$"
)


@dataclass(frozen=True)
class Given:
    """A value, and where it was given: for the message when it is wrong."""

    value: str
    source: str


def given_parameters(file: Path | None, words: str) -> dict[str, Given]:
    """The parameters of `file` (lines) and of `words` (`Key=value …`, quoted as in a shell), which
    win. Raises CommandError naming the line or the word.
    """
    lines = _lines(file) if file else []
    try:
        more = [(word, "PARAMETERS") for word in shlex.split(words)]
    except ValueError as error:
        raise CommandError(f"PARAMETERS: a quote is not closed: {words}") from error
    found: dict[str, Given] = {}
    for text, source in [*lines, *more]:
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isalnum():
            raise CommandError(f"{source}: not Name=value: {text}")
        if found.get(name.strip(), Given("", "PARAMETERS")).source != "PARAMETERS" != source:
            raise CommandError(f"{source}: {name.strip()} is given twice")
        found[name.strip()] = Given(value.strip(), source)
    return found


def _lines(file: Path) -> list[tuple[str, str]]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"PARAMETERS_FILE: {file} cannot be read: {error}") from error
    return [
        (line.strip(), f"{file}, line {number}")
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]


def check_stage(stage: str, declared: Mapping[str, Any]) -> None:
    """Raises CommandError when no stage can have that name."""
    if not re.fullmatch(declared["Stage"]["AllowedPattern"], stage):
        raise CommandError(f"STAGE is {declared['Stage']['ConstraintDescription']}, not {stage}")
    if NO_STAGE.search(stage):
        raise CommandError(
            f"STAGE is not {stage}: local is the stack on this machine, and Cognito takes no name "
            "with aws, amazon or cognito in it"
        )


def check_parameters(
    given: Mapping[str, Given],
    declared: Mapping[str, Any],
    of_edge: Mapping[str, Any],
    stored: Mapping[str, str],
) -> None:
    """Raises CommandError naming what is wrong: with the names and values given, and with the
    sender that results from them, from what the stack has stored and from the defaults.
    """
    every = {**of_edge, **declared}
    problems = [problem for name, one in given.items() for problem in _problems(name, one, every)]
    problems += _sender_problems(
        {
            name: given[name].value if name in given else stored.get(name, _default(declared, name))
            for name in ("Sender", "SenderIdentity")
        }
    )
    if problems:
        raise CommandError(*problems)


def check_rules(rules: Mapping[str, Any], effective: Mapping[str, str]) -> None:
    """Raises CommandError naming each of the template's rules that these values break together.

    CloudFormation looks at them when the change is prepared, after much was made.
    """
    problems = [
        assertion["AssertDescription"]
        for rule in rules.values()
        if _holds(rule["RuleCondition"], effective)
        for assertion in rule["Assertions"]
        if not _holds(assertion["Assert"], effective)
    ]
    if problems:
        raise CommandError(*problems)


def _holds(condition: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    [(function, parts)] = condition.items()
    match function:
        case "Fn::Not":
            return not _holds(parts[0], values)
        case "Fn::Equals":
            one, other = (values[part["Ref"]] if isinstance(part, dict) else part for part in parts)
            return bool(one == other)
    raise NotImplementedError(function)


def check_effects(
    given: Mapping[str, Given],
    declared: Mapping[str, Any],
    stored: Mapping[str, str],
    *,
    makes_edge: bool,
) -> None:
    """Raises CommandError naming what was given and would change nothing: with the other values
    given, with what the stack has stored, and with what the deployment does at the edge.
    """
    problems = []
    for name, one in given.items():
        needed = NEEDS.get(name, name)
        other = given[needed].value if needed in given else stored.get(needed, "")
        if name not in declared and not makes_edge:
            problems.append(f"{one.source}: {name} has no effect with EDGE=off")
        elif name == "WebAclArn" and makes_edge:
            problems.append(
                f"{one.source}: WebAclArn has no effect, since the deployment makes a web ACL: "
                "with EDGE=off it holds"
            )
        elif one.value and not other:
            problems.append(f"{one.source}: {name} has no effect without {needed}")
    if problems:
        raise CommandError(*problems)


def makes_edge(environment: Mapping[str, str]) -> bool:
    """Whether the deployment makes what limits each caller by address. Raises CommandError for
    another value than `on` and `off`.
    """
    chosen = environment.get("EDGE") or "on"
    if chosen not in {"on", "off"}:
        raise CommandError(f"EDGE is on or off, not {chosen}")
    return chosen == "on"


def check_no_parameters(environment: Mapping[str, str]) -> None:
    """Raises CommandError when parameters are given to what keeps those of the stack."""
    given = [name for name in ("PARAMETERS", "PARAMETERS_FILE", "EDGE") if environment.get(name)]
    if given:
        raise CommandError(
            *(f"{name} has no effect: a rollback keeps the stack's parameters" for name in given)
        )


def _problems(name: str, given: Given, declared: Mapping[str, Any]) -> Iterable[str]:
    if name in OWN:
        yield f"{given.source}: {name} is set by the deployment"
        return
    if name not in declared:
        known = ", ".join(sorted(set(declared) - OWN))
        yield f"{given.source}: no parameter {name}: there are {known}"
        return
    rules = declared[name]
    allowed = [str(value) for value in rules.get("AllowedValues", [])]
    if allowed and given.value not in allowed:
        yield f"{given.source}: {name} is one of {', '.join(allowed)}, not {given.value}"
    pattern = rules.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, given.value):
        yield f"{given.source}: {name} is {rules['ConstraintDescription']}, not {given.value}"
    if rules["Type"] == "Number" and not _is_enough(given.value, rules.get("MinValue", 0)):
        least = rules.get("MinValue", 0)
        yield f"{given.source}: {name} is a number of {least} or more, not {given.value}"


def _is_enough(value: str, least: float) -> bool:
    return value.isascii() and value.isdecimal() and int(value) >= least


def _sender_problems(effective: Mapping[str, str]) -> Iterable[str]:
    sender, identity = effective["Sender"].lower(), effective["SenderIdentity"].lower()
    domain = sender.rpartition("@")[2]
    if RESERVED.search(domain):
        yield f"Sender: {sender} is an example: give the address that mails come from"
    elif identity != sender and identity != domain and not domain.endswith(f".{identity}"):
        yield (
            f"SenderIdentity: {identity} is not that of {sender}: give {domain}, as it is verified "
            "in SES"
        )


def _default(declared: Mapping[str, Any], name: str) -> str:
    return str(declared[name].get("Default", ""))
