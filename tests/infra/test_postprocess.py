"""The post-processor alone, on a template as small as it can be."""

from __future__ import annotations

from typing import Any

import pytest

from infra.postprocess import FUNCTIONS, Object, TemplateError, complete


def integration(guard: str | None = None) -> Object:
    method: Object = {"x-amazon-apigateway-integration": {"uri": "chalice's"}}
    if guard is not None:
        method["security"] = [{guard: []}]
    return method


def packaged() -> Object:
    """What `chalice package` merges, as far as the post-processor looks."""
    functions: Object = {
        name: {
            "Type": "AWS::Serverless::Function",
            "Properties": {"Tags": {"aws-chalice": "version"}, "Role": "chalice's"},
        }
        for name in FUNCTIONS
    }
    roles: Object = {
        f"{name}Role": {"Type": "AWS::IAM::Role", "Properties": {"Policies": []}}
        for name in FUNCTIONS
    }
    api: Object = {
        "Type": "AWS::Serverless::Api",
        "Properties": {
            "DefinitionBody": {
                "info": {"title": "tandem"},
                "paths": {
                    "/v1/campaigns/{campaign}/sign-in": {"post": integration()},
                    "/v1/client/orders": {"post": integration("sigv4")},
                },
                "securityDefinitions": {
                    "sigv4": {"x-amazon-apigateway-authtype": "awsSigv4"},
                    "Ops": {
                        "x-amazon-apigateway-authorizer": {
                            "type": "cognito_user_pools",
                            "providerARNs": ["a placeholder"],
                        }
                    },
                },
                "x-amazon-apigateway-binary-media-types": ["image/png"],
            }
        },
    }
    resources: Object = {**functions, **roles, "RestAPI": api}
    return {"Resources": resources, "Outputs": {"EndpointURL": {"Value": "chalice's"}}}


def completed() -> dict[str, Any]:
    return complete(packaged(), runtime="python3.13", architecture="arm64")


def test_the_given_template_is_left_as_it_was() -> None:
    given = packaged()
    complete(given, runtime="python3.13", architecture="arm64")
    assert given == packaged()


def test_a_function_gets_its_role_size_environment_and_log_group() -> None:
    resources = completed()["Resources"]
    relay = resources["Relay"]["Properties"]
    assert relay["Role"] == {"Fn::GetAtt": ["RelayRole", "Arn"]}
    assert (relay["Runtime"], relay["Architectures"]) == ("python3.13", ["arm64"])
    assert (relay["MemorySize"], relay["Timeout"]) == (512, 30)
    assert relay["Tracing"] == "Active"
    assert relay["Environment"]["Variables"]["TANDEM_TABLE"] == {"Ref": "Table"}
    assert relay["LoggingConfig"] == {"LogGroup": {"Ref": "RelayLogGroup"}}
    assert "Tags" not in relay


def test_a_function_may_write_its_own_log_group_and_no_other() -> None:
    role = completed()["Resources"]["RelayRole"]["Properties"]
    (policy,) = role["Policies"]
    log = policy["PolicyDocument"]["Statement"][0]
    assert log["Resource"] == {"Fn::GetAtt": ["RelayLogGroup", "Arn"]}


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


def test_the_api_needs_no_function_to_exist_before_it() -> None:
    """By reference there would be a cycle: API, function, origin, distribution, API."""
    definition = completed()["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    for methods in definition["paths"].values():
        for method in methods.values():
            uri = method["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
            assert "function:tandem-${Stage}-api/invocations" in uri
            assert "APIHandler" not in uri


def test_the_cognito_authoriser_names_the_pool_of_the_stack() -> None:
    definition = completed()["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    authorizer = definition["securityDefinitions"]["Ops"]["x-amazon-apigateway-authorizer"]
    assert authorizer["providerARNs"] == [{"Fn::GetAtt": ["OpsPool", "Arn"]}]


def test_a_public_post_is_throttled_and_a_signed_one_is_not_singled_out() -> None:
    settings = completed()["Resources"]["RestAPI"]["Properties"]["MethodSettings"]
    assert [setting["ResourcePath"] for setting in settings] == [
        "/*",
        "/~1v1~1campaigns~1{campaign}~1sign-in",
    ]


def test_the_gateway_speaks_problem_json_itself() -> None:
    definition = completed()["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    for answer in definition["x-amazon-apigateway-gateway-responses"].values():
        kind = answer["responseParameters"]["gatewayresponse.header.Content-Type"]
        assert kind == "'application/problem+json'"


def test_what_chalice_adds_needlessly_is_gone() -> None:
    template = completed()
    assert template["Outputs"] == {}
    definition = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    assert "x-amazon-apigateway-binary-media-types" not in definition
