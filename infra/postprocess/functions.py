"""What each function gets: its handler, size, role, environment, log group, and its layers.

The table `FUNCTIONS` is the one list of the deployed functions: a new handler needs a line here and
a role in resources.yaml, and packaging stops until it has both. Neighbours: layers.py has the
layers, watch.py the alarms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from infra.postprocess.layers import LAYERS, LISTS, PGP, WALLETS
from infra.postprocess.shapes import Object, list_at, object_at

SERVERLESS_FUNCTION: Final = "AWS::Serverless::Function"


@dataclass(frozen=True)
class Size:
    """What one function gets. Memory buys CPU too: 1,769 MB is one whole processor."""

    name: str
    memory_mb: int
    timeout_s: int
    scratch_mb: int = 512  # of /tmp; 512 are free
    layers: tuple[str, ...] = ()  # by their names in `LAYERS`
    settings: tuple[tuple[str, Object], ...] = ()
    """its own environment variables, and what of the template they are taken from"""


# CloudFormation puts the secret in where it is used, here and in the distribution.
ORIGIN_KEY: Final[Object] = {"Fn::Sub": "{{resolve:secretsmanager:${OriginKey}}}"}

# The functions that write what is announced to the client.
NOTICES_BUS: Final[tuple[str, Object]] = (
    "TANDEM_NOTICES_BUS",
    {"Fn::If": ["ClientNotified", {"Ref": "Notices"}, ""]},
)

# Our own PGP key, of the functions that write or read encrypted files.
PGP_KEY: Final[tuple[str, Object]] = ("TANDEM_PGP_KEY", {"Fn::Sub": "/tandem/${Stage}/pgp-key"})

API: Final = "APIHandler"

# The pages are offered passes for the wallets that this stage has certificates or keys for. The API
# calls the function that signs them by its name, and has no right to read what it signs with.
GOOGLE_ISSUER: Final[tuple[str, Object]] = ("TANDEM_GOOGLE_ISSUER", {"Ref": "GoogleIssuer"})
WALLETS_OF_THE_API: Final[tuple[tuple[str, Object], ...]] = (
    ("TANDEM_APPLE_WALLET", {"Ref": "AppleWallet"}),
    GOOGLE_ISSUER,
    ("TANDEM_WALLET_FUNCTION", {"Fn::Sub": "tandem-${Stage}-wallet"}),
)
WALLETS_PATH: Final[tuple[str, Object]] = (
    "TANDEM_WALLETS_PATH",
    {"Fn::Sub": "/tandem/${Stage}/wallets/"},
)

# By the logical id Chalice gives. How long a queue waits for each is beside the queues. The memory
# follows from bench/memory/recorded.json, which a test compares: `make memory`.
FUNCTIONS: Final[Mapping[str, Size]] = {
    API: Size("api", 320, 29, settings=(("TANDEM_ORIGIN_KEY", ORIGIN_KEY), *WALLETS_OF_THE_API)),
    "Wallet": Size("wallet", 256, 20, layers=(WALLETS,), settings=(WALLETS_PATH, GOOGLE_ISSUER)),
    # Room for a list of 100 million: 1.6 GB of records in /tmp, and those of a change beside them.
    "Ingest": Size(
        "ingest",
        1024,
        900,
        scratch_mb=4096,
        layers=(LISTS, PGP),
        settings=(NOTICES_BUS, PGP_KEY),
    ),
    "Relay": Size("relay", 256, 30),
    "Project": Size("project", 640, 30),
    "Decide": Size("decide", 384, 30, settings=(("TANDEM_RESOLVER", {"Ref": "Resolver"}),)),
    "Due": Size("due", 320, 120),
    "Mail": Size("mail", 448, 60, settings=(("TANDEM_MAIL_RATE", {"Ref": "MailRate"}),)),
    "MailEvents": Size("mail_events", 128, 30),
    "Reward": Size("reward", 192, 30),
    # One whole processor: it reads the table whole, some 7,000 pages for a million invitations.
    "Persons": Size("persons", 1769, 900, layers=(PGP,), settings=(NOTICES_BUS, PGP_KEY)),
    "Export": Size("export", 640, 300, layers=(PGP,), settings=(NOTICES_BUS, PGP_KEY)),
    "Expire": Size("expire", 128, 120),
    "Reconcile": Size("reconcile", 1024, 900),
    "Report": Size("report", 2048, 900, layers=(PGP,), settings=(PGP_KEY,)),
    "Seal": Size("seal", 1536, 900),
    "Root": Size("root", 256, 900),
}


def function_name(size: Size) -> Object:
    """The function's name on AWS; a name, not a reference, so that it closes no cycle."""
    return {"Fn::Sub": f"tandem-${{Stage}}-{size.name}"}


def handler(logical_id: str, size: Size) -> str:
    """What Lambda imports and calls. Chalice names app.py, which has the routes of the API."""
    if logical_id == API:
        return "app.app"
    return f"chalicelib.functions.{size.name}.{size.name}"


# What stands before a function does: on an update the distribution adds the origin key, everywhere,
# before the API asks for it. The origin is the distribution's only where the stage has none of its
# own, which cfn-lint takes for a dependency in any case.
AFTER: Final[Mapping[str, str]] = {API: "Distribution"}


def complete_function(
    resources: Object, logical_id: str, size: Size, runtime: str, architecture: str
) -> None:
    """Give the function what Chalice does not know of it, and a log group of its own."""
    properties = object_at(object_at(resources, logical_id), "Properties")
    if logical_id in AFTER:
        function = object_at(resources, logical_id)
        function["DependsOn"] = [AFTER[logical_id]]
        function["Metadata"] = {"cfn-lint": {"config": {"ignore_checks": ["W3005"]}}}
    properties.pop("Tags", None)
    properties.update(
        {
            "FunctionName": function_name(size),
            "Handler": handler(logical_id, size),
            "Runtime": runtime,
            "Architectures": [architecture],
            "MemorySize": size.memory_mb,
            "Timeout": size.timeout_s,
            "EphemeralStorage": {"Size": size.scratch_mb},
            # Traced by Lambda, not by the API stage: a stage's trace holds the URL, and with it
            # the tokens that are in paths.
            "Tracing": {"Ref": "Tracing"},
            "Role": {"Fn::GetAtt": [f"{logical_id}Role", "Arn"]},
            "LoggingConfig": {"LogGroup": {"Ref": f"{logical_id}LogGroup"}},
            "Environment": {"Variables": _environment(size)},
        }
    )
    if size.layers:
        properties["Layers"] = [{"Ref": LAYERS[name].logical_id} for name in size.layers]
    resources[f"{logical_id}LogGroup"] = {
        "Type": "AWS::Logs::LogGroup",
        "Properties": {
            "LogGroupName": {"Fn::Sub": f"/aws/lambda/tandem-${{Stage}}-{size.name}"},
            "RetentionInDays": {"Ref": "LogRetention"},
        },
    }
    role = object_at(object_at(resources, f"{logical_id}Role"), "Properties")
    list_at(role, "Policies").append(_observability_policy(logical_id))


def _environment(size: Size) -> Object:
    return {
        **dict(size.settings),
        "TANDEM_STAGE": {"Ref": "Stage"},
        "TANDEM_TABLE": {"Ref": "Table"},
        "TANDEM_BUCKET": {"Ref": "Bucket"},
        "TANDEM_BUCKET_LOCKED": "yes",
        "TANDEM_ROOTS_BUCKET": {"Ref": "RootsBucket"},
        "TANDEM_PAGES_BUCKET": {"Ref": "WebBucket"},
        "TANDEM_QUEUE_DECIDE": {"Ref": "DecideQueue"},
        "TANDEM_QUEUE_REQUESTED_DECISION": {"Ref": "RequestedDecisionQueue"},
        "TANDEM_QUEUE_DUE": {"Ref": "DueQueue"},
        "TANDEM_QUEUE_MAIL": {"Ref": "MailQueue"},
        "TANDEM_QUEUE_PARTS": {"Ref": "PartsQueue"},
        "TANDEM_QUEUE_REQUESTED_MAIL": {"Ref": "RequestedMailQueue"},
        "TANDEM_QUEUE_REWARD": {"Ref": "RewardQueue"},
        "TANDEM_QUEUE_PERSONS": {"Ref": "PersonsQueue"},
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
