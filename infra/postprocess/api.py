"""Completes the REST API: throttling, access log, problem+json of the gateway itself, the ops pool.

Names its handler and its pool instead of what Chalice wrote, and takes out what Chalice adds
needlessly.
"""

from __future__ import annotations

import json
from typing import Final

from chalicelib.api.gateway import GATEWAY_PROBLEMS, gateway_problem
from chalicelib.api.operations import OPERATIONS
from infra.postprocess.functions import FUNCTIONS
from infra.postprocess.shapes import Json, Object, as_object, object_at

# Calls a second and burst, by the names of the template's parameters. Each route of the API, then
# each POST that anyone may make unsigned: these write, and may send a mail, so they bound what the
# public can cost (law 12). Unsubscribing has a limit of its own, which none of the others uses up.
THROTTLE: Final = "Throttle"
THROTTLE_PUBLIC_POST: Final = "ThrottlePublicPost"
THROTTLE_UNSUBSCRIBE: Final = "ThrottleUnsubscribe"
UNSUBSCRIBE: Final = "/v1/unsubscribe/"

# What is handed on as a file where a call asks for it, first in its `Accept`. All else is text.
BINARY_TYPES: Final = sorted({one.binary for one in OPERATIONS if one.binary})

# TLS 1.2 or 1.3, at the API's own address: the default takes 1.0 as well.
LEAST_TLS: Final = {
    "x-amazon-apigateway-security-policy": "SecurityPolicy_TLS13_1_2_2021_06",
    "x-amazon-apigateway-endpoint-access-mode": "BASIC",
}

ACCESS_LOG: Final = {
    # $context.path is left out on purpose: paths hold tokens and voucher codes.
    "request_id": "$context.requestId",
    "route": "$context.resourcePath",
    "method": "$context.httpMethod",
    "status": "$context.status",
    "latency_ms": "$context.responseLatency",
    "bytes": "$context.responseLength",
    "error": "$context.error.responseType",
}

# Of these the caller also reads the gateway's own words, as `detail`. It sorts what is wrong with a
# signature under several: an unknown key, or a header that cannot be read, under DEFAULT_4XX.
EXPLAINED: Final = frozenset({"ACCESS_DENIED", "DEFAULT_4XX", "EXPIRED_TOKEN", "INVALID_SIGNATURE"})


def complete_api(api: Object) -> None:
    """Complete the resource of the API in place."""
    properties = object_at(api, "Properties")
    definition = object_at(properties, "DefinitionBody")
    # Chalice writes them too; SAM takes them from the resource, where a slash is spelled ~1.
    definition.pop("x-amazon-apigateway-binary-media-types", None)
    properties["BinaryMediaTypes"] = [one.replace("/", "~1") for one in BINARY_TYPES]
    definition.update(LEAST_TLS)
    object_at(definition, "info")["title"] = {"Fn::Sub": "tandem-${Stage}"}
    definition["x-amazon-apigateway-gateway-responses"] = _gateway_responses()
    _name_handler(definition)
    _name_pool(definition)
    properties["Name"] = {"Fn::Sub": "tandem-${Stage}"}
    # Without a version SAM adds a second stage, called Stage, without throttles or access log.
    properties["OpenApiVersion"] = "2.0"
    properties["EndpointConfiguration"] = "REGIONAL"  # CloudFront stands in front already
    properties["TracingEnabled"] = False
    properties["MethodSettings"] = _throttles(object_at(definition, "paths"))
    properties["AccessLogSetting"] = {
        "DestinationArn": {"Fn::GetAtt": ["ApiLogGroup", "Arn"]},
        "Format": json.dumps(ACCESS_LOG),
    }


def _name_handler(definition: Object) -> None:
    """Point every route at the handler by name.

    By reference the API would need the function, the function its origin, the origin the
    distribution, and the distribution the API.
    """
    uri = (
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
        "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:"
        f"function:tandem-${{Stage}}-{FUNCTIONS['APIHandler'].name}/invocations"
    )
    for methods in object_at(definition, "paths").values():
        for method in as_object(methods).values():
            object_at(as_object(method), "x-amazon-apigateway-integration")["uri"] = {
                "Fn::Sub": uri
            }


def _name_pool(definition: Object) -> None:
    for scheme in as_object(definition.get("securityDefinitions", {})).values():
        if "x-amazon-apigateway-authorizer" in as_object(scheme):
            authorizer = object_at(as_object(scheme), "x-amazon-apigateway-authorizer")
            if authorizer.get("type") == "cognito_user_pools":
                authorizer["providerARNs"] = [{"Fn::GetAtt": ["OpsPool", "Arn"]}]


def _gateway_responses() -> Object:
    return {
        kind: {
            **({} if status is None else {"statusCode": status}),
            "responseParameters": {
                "gatewayresponse.header.Content-Type": "'application/problem+json'",
                "gatewayresponse.header.Cache-Control": "'no-store'",
            },
            "responseTemplates": {"application/json": _template(kind)},
        }
        for kind, status, _name, _title in GATEWAY_PROBLEMS
    }


def _template(kind: str) -> str:
    problem = json.dumps(gateway_problem(kind))
    if kind not in EXPLAINED:
        return problem
    return problem[:-1] + ', "detail": $context.error.messageString}'  # quoted by the gateway


def _throttles(paths: Object) -> list[Json]:
    settings = [_throttle("/*", "*", THROTTLE)]
    for path, methods in sorted(paths.items()):
        post = as_object(methods).get("post")
        if post is not None and "security" not in as_object(post):
            encoded = "/" + path.replace("/", "~1")
            apart = path.startswith(UNSUBSCRIBE)
            limit = THROTTLE_UNSUBSCRIBE if apart else THROTTLE_PUBLIC_POST
            settings.append(_throttle(encoded, "POST", limit))
    return settings


def _throttle(path: str, method: str, limit: str) -> Json:
    return {
        "ResourcePath": path,
        "HttpMethod": method,
        "ThrottlingRateLimit": {"Ref": f"{limit}Rate"},
        "ThrottlingBurstLimit": {"Ref": f"{limit}Burst"},
    }
