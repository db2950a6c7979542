"""What `chalice package` writes and merges, as small as the post-processor lets it be."""

from __future__ import annotations

from typing import Any

from infra.postprocess import FUNCTIONS, Object, complete


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
    source: Object = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {}}
    resources: Object = {**functions, **roles, "RestAPI": api, "RelaySource": source}
    return {"Resources": resources, "Outputs": {"EndpointURL": {"Value": "chalice's"}}}


def completed() -> dict[str, Any]:
    """The same, completed for AWS."""
    return complete(packaged(), runtime="python3.13", architecture="arm64")
