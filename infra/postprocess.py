"""Completes the template that `chalice package` writes: pure, a template in, a template out.

Owns what Chalice cannot express for a function (its own role, size, environment, log group, alarms)
and for the API (throttling, access log, problem+json from the gateway, the pool of the Cognito
authoriser), and takes out what Chalice adds needlessly. Refuses a template with a function it does
not know: each function needs its own role in resources.yaml and its size here.

Neighbours: resources.yaml holds everything that is not per function; package.py calls this.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Object: TypeAlias = dict[str, Json]

SERVERLESS_FUNCTION: Final = "AWS::Serverless::Function"


class TemplateError(ValueError):
    """The packaged template is not one this project knows how to complete."""


@dataclass(frozen=True)
class Size:
    """What one function gets. Memory buys CPU too: 1,769 MB is one whole processor."""

    name: str
    memory_mb: int
    timeout_s: int
    scratch_mb: int = 512  # of /tmp; 512 cost nothing
    layers: tuple[str, ...] = ()


# numpy, which builds the segments of the lists. No zip holds it: a cold start would pay for it.
LISTS_LAYER: Final = "ListsLayer"

# By the logical id Chalice gives. How long a queue waits for each is beside the queues.
FUNCTIONS: Final[Mapping[str, Size]] = {
    "APIHandler": Size("api", 1024, 29),
    # Room for a list of 100 million: 1.6 GB of records in /tmp, and those of a change beside them.
    "Ingest": Size("ingest", 2048, 900, scratch_mb=4096, layers=(LISTS_LAYER,)),
    "Relay": Size("relay", 512, 30),
    "Project": Size("project", 512, 30),
    "Decide": Size("decide", 512, 30),
    "Mail": Size("mail", 512, 60),
    "MailEvents": Size("mail_events", 512, 30),
    "Reward": Size("reward", 512, 30),
    "Export": Size("export", 1024, 120),
    "Expire": Size("expire", 512, 120),
    "Reconcile": Size("reconcile", 1024, 300),
    "Report": Size("report", 1024, 300),
}

DEAD_QUEUES: Final = (
    "IngestDead",
    "DecideDead",
    "MailDead",
    "RewardDead",
    "MailEventsDead",
    "StreamDead",
    "ScheduleDead",
)

# Requests a second and burst. The whole API, then each POST that anyone may call unsigned: these
# write, and may send a mail, so they bound what the public can cost (law 12).
THROTTLE: Final = (100, 200)
THROTTLE_PUBLIC_POST: Final = (20, 40)

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

# What the gateway itself answers, before any code of ours: type, status, name, title.
GATEWAY_PROBLEMS: Final = (
    ("UNAUTHORIZED", 401, "unauthorised", "A valid token is needed"),
    ("ACCESS_DENIED", 403, "unauthorised", "This caller may not do this"),
    # The gateway says this of an unknown route and of an unsigned call to a signed one alike.
    ("MISSING_AUTHENTICATION_TOKEN", 404, "not-found", "No such resource, or it must be signed"),
    ("RESOURCE_NOT_FOUND", 404, "not-found", "No such resource"),
    ("REQUEST_TOO_LARGE", 413, "too-large", "The body is too large"),
    ("THROTTLED", 429, "unavailable", "Too many requests: try again later"),
    ("DEFAULT_4XX", None, "invalid-request", "The request could not be taken"),
    ("DEFAULT_5XX", None, "unavailable", "Try again later"),
)


def complete(packaged: Object, *, runtime: str, architecture: str) -> Object:
    """The deployable template, from the one Chalice packaged and merged with resources.yaml."""
    template = copy.deepcopy(packaged)
    resources = _object(template, "Resources")
    found = {
        key for key, value in resources.items() if _as_object(value)["Type"] == SERVERLESS_FUNCTION
    }
    if unknown := found - set(FUNCTIONS):
        raise TemplateError(f"functions without a size in infra/postprocess.py: {sorted(unknown)}")
    if missing := set(FUNCTIONS) - found:
        raise TemplateError(f"functions that app.py does not define: {sorted(missing)}")
    for logical_id, size in FUNCTIONS.items():
        _complete_function(resources, logical_id, size, runtime, architecture)
    for logical_id in DEAD_QUEUES:
        resources[f"{logical_id}Alarm"] = _dead_queue_alarm(logical_id)
    resources[LISTS_LAYER] = _lists_layer(runtime, architecture)
    _complete_api(_object(resources, "RestAPI"))
    resources["Dashboard"] = _dashboard()
    outputs = _object(template, "Outputs")
    for needless in ("RestAPIId", "APIHandlerName", "APIHandlerArn", "EndpointURL"):
        outputs.pop(needless, None)
    return template


def function_name(size: Size) -> Object:
    """The function's name on AWS; a name, not a reference, so that it closes no cycle."""
    return {"Fn::Sub": f"tandem-${{Stage}}-{size.name}"}


def _complete_function(
    resources: Object, logical_id: str, size: Size, runtime: str, architecture: str
) -> None:
    properties = _object(_object(resources, logical_id), "Properties")
    properties.pop("Tags", None)
    properties.update(
        {
            "FunctionName": function_name(size),
            "Runtime": runtime,
            "Architectures": [architecture],
            "MemorySize": size.memory_mb,
            "Timeout": size.timeout_s,
            "EphemeralStorage": {"Size": size.scratch_mb},
            # Traced by Lambda, not by the API stage: a stage's trace holds the URL, and with it
            # the tokens that stand in paths.
            "Tracing": "Active",
            "Role": {"Fn::GetAtt": [f"{logical_id}Role", "Arn"]},
            "LoggingConfig": {"LogGroup": {"Ref": f"{logical_id}LogGroup"}},
            "Environment": {"Variables": _environment()},
        }
    )
    if size.layers:
        properties["Layers"] = [{"Ref": layer} for layer in size.layers]
    resources[f"{logical_id}LogGroup"] = {
        "Type": "AWS::Logs::LogGroup",
        "Properties": {
            "LogGroupName": {"Fn::Sub": f"/aws/lambda/tandem-${{Stage}}-{size.name}"},
            "RetentionInDays": {"Ref": "LogRetention"},
        },
    }
    role = _object(_object(resources, f"{logical_id}Role"), "Properties")
    _list(role, "Policies").append(_observability_policy(logical_id))
    resources[f"{logical_id}ErrorsAlarm"] = _function_alarm(
        logical_id, size, "Errors", "failed more than twice in five minutes", threshold=2
    )
    resources[f"{logical_id}ThrottlesAlarm"] = _function_alarm(
        logical_id, size, "Throttles", "was held back by the concurrency limit", threshold=0
    )


def _lists_layer(runtime: str, architecture: str) -> Object:
    return {
        "Type": "AWS::Serverless::LayerVersion",
        "Properties": {
            "LayerName": {"Fn::Sub": "tandem-${Stage}-lists"},
            "Description": "numpy, for the function that builds list segments",
            "ContentUri": "./layer.zip",
            "CompatibleRuntimes": [runtime],
            "CompatibleArchitectures": [architecture],
            # A former version is of use to nobody: a deployment taken back brings its own.
            "RetentionPolicy": "Delete",
        },
    }


def _environment() -> Object:
    return {
        "TANDEM_STAGE": {"Ref": "Stage"},
        "TANDEM_TABLE": {"Ref": "Table"},
        "TANDEM_BUCKET": {"Ref": "Bucket"},
        "TANDEM_QUEUE_DECIDE": {"Ref": "DecideQueue"},
        "TANDEM_QUEUE_MAIL": {"Ref": "MailQueue"},
        "TANDEM_QUEUE_REWARD": {"Ref": "RewardQueue"},
        "TANDEM_QUEUE_INGEST": {"Ref": "IngestQueue"},
        "TANDEM_ORIGIN": {
            "Fn::If": [
                "OwnOrigin",
                {"Ref": "Origin"},
                {"Fn::Sub": "https://${Distribution.DomainName}"},
            ]
        },
        "TANDEM_SENDER": {"Ref": "Sender"},
        "TANDEM_CONFIGURATION_SET": {"Ref": "MailConfiguration"},
        "TANDEM_KEYS_PATH": {"Fn::Sub": "/tandem/${Stage}/digest-keys/"},
        # The only dimension of our metrics, so it has to tell the stages of one account apart.
        "POWERTOOLS_SERVICE_NAME": {"Fn::Sub": "tandem-${Stage}"},
        # No plug-in is shipped: looking for one costs every cold start some 15 ms.
        "PYDANTIC_DISABLE_PLUGINS": "__all__",
        "POWERTOOLS_METRICS_NAMESPACE": "Tandem",
        "LOG_LEVEL": {"Ref": "LogLevel"},
    }


def _observability_policy(logical_id: str) -> Object:
    return {
        "PolicyName": "observe",
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                    "Resource": {"Fn::GetAtt": [f"{logical_id}LogGroup", "Arn"]},
                },
                {
                    # X-Ray has no resources to name.
                    "Effect": "Allow",
                    "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
                    "Resource": "*",
                },
            ],
        },
    }


def _alarm(properties: Object) -> Object:
    common: Object = {
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "Period": 300,
        "EvaluationPeriods": 1,
        "AlarmActions": [{"Ref": "Alarms"}],
        "OKActions": [{"Ref": "Alarms"}],
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {**common, **properties}}


def _function_alarm(
    logical_id: str, size: Size, metric: str, what: str, *, threshold: int
) -> Object:
    return _alarm(
        {
            "AlarmName": {"Fn::Sub": f"tandem-${{Stage}}-{size.name}-{metric.lower()}"},
            "AlarmDescription": f"The function {size.name} {what}.",
            "Namespace": "AWS/Lambda",
            "MetricName": metric,
            "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": logical_id}}],
            "Statistic": "Sum",
            "Threshold": threshold,
        }
    )


def _dead_queue_alarm(logical_id: str) -> Object:
    name: Json = {"Fn::GetAtt": [logical_id, "QueueName"]}
    return _alarm(
        {
            "AlarmName": {"Fn::Sub": ["${Queue}-not-empty", {"Queue": name}]},
            "AlarmDescription": "Something was given up after its last try and waits for a person.",
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": name}],
            "Statistic": "Maximum",
            "Threshold": 0,
        }
    )


def _complete_api(api: Object) -> None:
    properties = _object(api, "Properties")
    definition = _object(properties, "DefinitionBody")
    # No route answers in binary, and Chalice's list makes the gateway encode what is not.
    definition.pop("x-amazon-apigateway-binary-media-types", None)
    _object(definition, "info")["title"] = {"Fn::Sub": "tandem-${Stage}"}
    definition["x-amazon-apigateway-gateway-responses"] = _gateway_responses()
    _name_handler(definition)
    _name_pool(definition)
    api["DependsOn"] = "ApiAccount"  # a stage with an access log needs the account's log role
    properties["Name"] = {"Fn::Sub": "tandem-${Stage}"}
    properties["EndpointConfiguration"] = "REGIONAL"  # CloudFront stands in front already
    properties["TracingEnabled"] = False
    properties["MethodSettings"] = _throttles(_object(definition, "paths"))
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
    for methods in _object(definition, "paths").values():
        for method in _as_object(methods).values():
            _object(_as_object(method), "x-amazon-apigateway-integration")["uri"] = {"Fn::Sub": uri}


def _name_pool(definition: Object) -> None:
    for scheme in _as_object(definition.get("securityDefinitions", {})).values():
        if "x-amazon-apigateway-authorizer" in _as_object(scheme):
            authorizer = _object(_as_object(scheme), "x-amazon-apigateway-authorizer")
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
            "responseTemplates": {
                "application/json": json.dumps(
                    {"type": f"urn:tandem:problem:{name}", "title": title}
                    | ({} if status is None else {"status": status})
                )
            },
        }
        for kind, status, name, title in GATEWAY_PROBLEMS
    }


def _throttles(paths: Object) -> list[Json]:
    settings = [_throttle("/*", "*", THROTTLE)]
    for path, methods in sorted(paths.items()):
        post = _as_object(methods).get("post")
        if post is not None and "security" not in _as_object(post):
            encoded = "/" + path.replace("/", "~1")
            settings.append(_throttle(encoded, "POST", THROTTLE_PUBLIC_POST))
    return settings


def _throttle(path: str, method: str, limit: tuple[int, int]) -> Json:
    return {
        "ResourcePath": path,
        "HttpMethod": method,
        "ThrottlingRateLimit": limit[0],
        "ThrottlingBurstLimit": limit[1],
    }


def _dashboard() -> Object:
    """One page: the loop from left to right, then mail, files and machinery."""
    panels: list[tuple[str, list[str]]] = [
        ("Invitations", ["InvitationReceived", "InvitationSent", "InvitationRefused"]),
        ("Referrals and rewards", ["ReferralConfirmed", "RewardRefused", "RewardTakenBack"]),
        (
            "Vouchers",
            ["VoucherIssued", "VouchersExported", "VoucherAcknowledged", "VoucherRedeemed"],
        ),
        ("Orders", ["OrderPlaced", "OrderKept", "OrderReturned"]),
        ("Mail", ["MailSent", "MailFailed", "MailBounced", "MailComplained"]),
        (
            "Lists",
            [
                "ListAccepted",
                "ListHeld",
                "ListWaits",
                "ListRefused",
                "FileQuarantined",
                "ListTooOld",
                "ListUnavailable",
            ],
        ),
        ("Files", ["ExportWritten", "FileRefused"]),
        ("Facts", ["FactRelayed", "FactProjected"]),
        ("To look at", ["ReconcileFinding", "RequestFailed"]),
    ]
    widgets = [
        _graph(
            index,
            title,
            [["Tandem", name, "service", "tandem-${Stage}"] for name in names],
        )
        for index, (title, names) in enumerate(panels)
    ]
    for title, metric, stat in (
        ("Function errors", "Errors", "Sum"),
        ("Function time, p95 (ms)", "Duration", "p95"),
    ):
        lines = [
            ["AWS/Lambda", metric, "FunctionName", f"tandem-${{Stage}}-{size.name}"]
            for size in FUNCTIONS.values()
        ]
        widgets.append(_graph(len(widgets), title, lines, stat))
    dead = [
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", f"${{{queue}.QueueName}}"]
        for queue in DEAD_QUEUES
    ]
    widgets.append(_graph(len(widgets), "Dead queues", dead, "Maximum"))
    return {
        "Type": "AWS::CloudWatch::Dashboard",
        "Properties": {
            "DashboardName": {"Fn::Sub": "tandem-${Stage}"},
            "DashboardBody": {"Fn::Sub": json.dumps({"widgets": widgets})},
        },
    }


def _graph(index: int, title: str, metrics: list[list[str]], stat: str = "Sum") -> Object:
    lines: list[Json] = [list(line) for line in metrics]
    return {
        "type": "metric",
        "x": index % 3 * 8,
        "y": index // 3 * 6,
        "width": 8,
        "height": 6,
        "properties": {
            "title": title,
            "region": "${AWS::Region}",
            "stat": stat,
            "period": 300,
            "metrics": lines,
        },
    }


def _as_object(value: Json) -> Object:
    if not isinstance(value, dict):
        raise TemplateError(f"expected an object, found {type(value).__name__}")
    return value


def _object(parent: Object, key: str) -> Object:
    if key not in parent:
        raise TemplateError(f"the packaged template has no {key}")
    return _as_object(parent[key])


def _list(parent: Object, key: str) -> list[Json]:
    value = parent.get(key)
    if not isinstance(value, list):
        raise TemplateError(f"the packaged template has no list {key}")
    return value
