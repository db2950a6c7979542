"""What CloudFormation gets: the packaged template after SAM's own transform."""

from __future__ import annotations

import copy
import json
import subprocess
from typing import Any

import pytest

from infra.postprocess import FUNCTIONS
from local.emulator import ROOT

Resources = dict[str, Any]

# The translator is in the emulator's environment alone: it pins other versions than ours.
TRANSFORM = """
import json, sys
from unittest.mock import Mock
from samtranslator.translator.transform import transform
policies = Mock(load=Mock(return_value={}))
print(json.dumps(transform(json.load(sys.stdin), {}, policies)["Resources"]))
"""


@pytest.fixture(scope="module")
def transformed(template: dict[str, Any]) -> Resources:
    done = subprocess.run(
        [ROOT / ".venv-local/bin/python", "-c", TRANSFORM],
        input=json.dumps(_uploaded(template)),
        env={"AWS_DEFAULT_REGION": "eu-west-3"},
        capture_output=True,
        text=True,
        check=True,
    )
    found: Resources = json.loads(done.stdout)
    return found


def _uploaded(template: dict[str, Any]) -> dict[str, Any]:
    template = copy.deepcopy(template)
    for resource in template["Resources"].values():
        for uri in {"CodeUri", "ContentUri"} & set(resource["Properties"]):
            resource["Properties"][uri] = {"Bucket": "bucket", "Key": "key"}
    return template


def of_type(resources: Resources, kind: str) -> dict[str, Any]:
    return {k: r["Properties"] for k, r in resources.items() if r["Type"] == kind}


def test_the_api_has_one_stage_with_throttles_and_an_access_log(transformed: Resources) -> None:
    (stage,) = of_type(transformed, "AWS::ApiGateway::Stage").values()
    assert stage["StageName"] == "api"
    assert stage["MethodSettings"]
    assert stage["AccessLogSetting"]
    (deployment,) = of_type(transformed, "AWS::ApiGateway::Deployment").values()
    assert "StageName" not in deployment


def test_every_function_is_made_with_its_own_role(transformed: Resources) -> None:
    functions = of_type(transformed, "AWS::Lambda::Function")
    assert set(functions) == set(FUNCTIONS)
    for name, function in functions.items():
        assert function["Role"] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}


def test_the_template_stays_under_the_limits_of_cloudformation(transformed: Resources) -> None:
    assert len(transformed) <= 500
