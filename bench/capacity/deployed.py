"""What the template gives each function: memory, time, executions at once, how often it runs."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bench.capacity.limits import MEMORY_OF_A_PROCESSOR_MB
from chalicelib.domain import sending
from infra.postprocess.functions import FUNCTIONS, Size
from infra.postprocess.streams import filter_relay

TEMPLATE = Path(__file__).parents[2] / "infra" / "resources.yaml"
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as their arguments."""


def _argument(loader: yaml.Loader, _tag: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    raise yaml.YAMLError("a short form of an unknown shape")


_Loader.add_multi_constructor("!", _argument)


@cache
def template() -> dict[str, Any]:
    content = TEMPLATE.read_text(encoding="utf-8")
    template: dict[str, Any] = yaml.load(content, _Loader)  # nosec B506, a SafeLoader
    filter_relay(template["Resources"])
    return template


def executions(source: str, mail_rate: int | None = None) -> int:
    """How many batches of a queue are worked on at once; `mail_rate` is the parameter's."""
    most = template()["Resources"][source]["Properties"]["ScalingConfig"]["MaximumConcurrency"]
    return sending.executions(mail_rate or default_mail_rate()) if isinstance(most, list) else most


def queue_sources() -> list[str]:
    """The event sources that work on queues."""
    resources: dict[str, Any] = template()["Resources"]
    return [name for name, one in resources.items() if "ScalingConfig" in one.get("Properties", {})]


def batch_size(source: str) -> int:
    """How many messages or records one call gets."""
    size: int = template()["Resources"][source]["Properties"]["BatchSize"]
    return size


def lanes(source: str) -> int:
    """How many batches of one shard are worked on at once."""
    return int(template()["Resources"][source]["Properties"].get("ParallelizationFactor", 1))


def default_mail_rate() -> int:
    """Mails a second, unless the stack says otherwise."""
    return int(template()["Parameters"]["MailRate"]["Default"])


def seconds_between_runs(schedule: str) -> int:
    """How often a schedule fires, by its parameter."""
    text = template()["Parameters"][schedule]["Default"]
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", text)
    if found is None:
        raise ValueError(text)
    return int(found[1]) * _SECONDS[found[2]]


def size(function: str) -> Size:
    """The size of a function, by its name."""
    return next(one for one in FUNCTIONS.values() if one.name == function)


def processors(function: str) -> float:
    """The share of a processor that a function gets; one execution uses no more than one."""
    return min(1.0, size(function).memory_mb / MEMORY_OF_A_PROCESSOR_MB)
