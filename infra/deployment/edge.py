"""What limits each caller by address: a stack of its own, which AWS takes in us-east-1 alone.

Its web ACL protects the distribution of a stage in any region, so the stage's region is in its
name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from infra.deployment.stack import Stack, Template, passed_parameters
from infra.short_forms import read_template

TEMPLATE: Final = Path(__file__).parent.parent / "edge.yaml"
EDGE_REGION: Final = "us-east-1"


def edge_template() -> Template:
    """The template of the stack."""
    return read_template(TEMPLATE)


def deploy_edge(stack: Stack, own: Mapping[str, str], given: Mapping[str, str]) -> str:
    """Make or update the stack; returns the ARN of its web ACL."""
    template, found = edge_template(), stack.ready()
    parameters = passed_parameters(template, {**given, **own}, found)
    source = {"TemplateBody": json.dumps(template)}
    if changes := stack.prepare(source, parameters, creates=found.is_new):
        stack.execute(changes)
    return stack.found().outputs["WebAclArn"]
