"""Reads a CloudFormation template in YAML: long forms for `!Ref x`, aliases written out."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

Template = dict[str, Any]


def read_template(path: Path) -> Template:
    """The template, as its JSON would be. Raises `yaml.YAMLError` when it is none."""
    loader = _Loader(path.read_text(encoding="utf-8"))
    try:
        found: Template = loader.get_single_data()
    finally:
        loader.dispose()
    return copy.deepcopy(found)


class _Loader(yaml.SafeLoader):
    """A safe loader that knows the short forms."""


def _long_form(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise yaml.constructor.ConstructorError(None, None, f"!{name} of this", node.start_mark)
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in {"Ref", "Condition"} else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _long_form)
