"""The post-processor alone: what it takes, what it refuses, what it takes out."""

from __future__ import annotations

import pytest

from infra.postprocess import TemplateError, complete
from tests.infra.chalice_template import completed, packaged


def test_the_given_template_is_left_as_it_was() -> None:
    given = packaged()
    complete(given, runtime="python3.13", architecture="arm64")
    assert given == packaged()


def test_a_function_nobody_sized_is_refused() -> None:
    template = packaged()
    resources = template["Resources"]
    assert isinstance(resources, dict)
    resources["Stray"] = {"Type": "AWS::Serverless::Function", "Properties": {}}
    with pytest.raises(TemplateError, match="Stray"):
        complete(template, runtime="python3.13", architecture="arm64")


def test_a_function_that_is_missing_is_named() -> None:
    template = packaged()
    resources = template["Resources"]
    assert isinstance(resources, dict)
    del resources["Relay"]
    with pytest.raises(TemplateError, match="Relay"):
        complete(template, runtime="python3.13", architecture="arm64")


def test_what_chalice_adds_needlessly_is_gone() -> None:
    template = completed()
    assert template["Outputs"] == {}
    definition = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    assert "x-amazon-apigateway-binary-media-types" not in definition
