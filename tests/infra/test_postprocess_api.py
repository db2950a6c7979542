"""What the post-processor makes of the REST API."""

from __future__ import annotations

from tests.infra.chalice_template import completed


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
    assert [(one["ResourcePath"], one["ThrottlingRateLimit"]["Ref"]) for one in settings] == [
        ("/*", "ThrottleRate"),
        ("/~1v1~1campaigns~1{campaign}~1sign-in", "ThrottlePublicPostRate"),
    ]


def test_the_gateway_speaks_problem_json_itself() -> None:
    definition = completed()["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    for answer in definition["x-amazon-apigateway-gateway-responses"].values():
        kind = answer["responseParameters"]["gatewayresponse.header.Content-Type"]
        assert kind == "'application/problem+json'"
