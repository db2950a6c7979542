"""The packaged template keeps what is promised; emulators drop much of this silently."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.capacity import deployed
from bench.cost.bill import recorded_seconds
from bench.cost.life import POLLED_S
from bench.memory.demands import MEASURED_ELSEWHERE_MB
from bench.memory.sizes import MARGIN
from chalicelib.adapters.dynamodb.schema import ITEM_KINDS
from chalicelib.api.operations import OPERATIONS
from chalicelib.api.page_policy import PAGE_POLICY
from chalicelib.domain import sending
from chalicelib.domain.effects import EFFECTS
from chalicelib.domain.files.ends import AFTER_WRITTEN, BOOKS, BOOKS_KEPT, EXPORTS
from chalicelib.domain.people import Contact
from chalicelib.functions.export import EXPORTED_FOR
from chalicelib.services.ports import FACTS_A_COUNT
from infra.deployment.pages import REPLACED
from infra.package import ROOT, Package
from infra.postprocess import DEAD_QUEUES, FUNCTIONS, LAYERS
from infra.postprocess.layers import PGP
from infra.postprocess.watch import HANDED_OUT_AGAIN
from tests.fakes.aws_table import INDEXES
from tests.fakes.event_source import Mapping

Resource = dict[str, Any]
Resources = dict[str, Resource]

SCHEMA = ROOT / "docs/campaign.schema.json"
# The work queues by their logical ids, each with the function that works on it.
CONSUMERS = {
    "Ingest": "Ingest",
    "Parts": "Ingest",
    "Decide": "Decide",
    "RequestedDecision": "Decide",
    "Due": "Due",
    "Mail": "Mail",
    "RequestedMail": "Mail",
    "Reward": "Reward",
    "Persons": "Persons",
    "MailEvents": "MailEvents",
}
QUEUES = tuple(CONSUMERS)
# Retain would keep what a first create that failed had made, and its names with it.
KEPT = ("RetainExceptOnCreate", "Retain")
FED = tuple(name for name in QUEUES if name != "MailEvents")  # by functions of ours


def of_type(resources: Resources, kind: str) -> dict[str, Resource]:
    return {k: r["Properties"] for k, r in resources.items() if r["Type"] == kind}


def statements(resources: Resources) -> Iterator[tuple[str, Resource]]:
    """Every statement that grants something to a principal of ours."""
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement
    for name, policy in of_type(resources, "AWS::IAM::ManagedPolicy").items():
        for statement in policy["PolicyDocument"]["Statement"]:
            yield name, statement


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_cfn_lint_finds_nothing(made: Package) -> None:
    program = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run(
        [program, "--template", made.template], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_table_ends_items_can_be_restored_and_cannot_be_lost(resources: Resources) -> None:
    table = resources["Table"]
    properties = table["Properties"]
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["DeletionProtectionEnabled"] == {"Fn::If": ["Protected", True, False]}
    assert properties["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == KEPT


def test_the_table_has_the_keys_of_the_schema(resources: Resources) -> None:
    properties = resources["Table"]["Properties"]
    assert [key["AttributeName"] for key in properties["KeySchema"]] == ["pk", "sk"]
    indexes = {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in properties["GlobalSecondaryIndexes"]
    }
    projected = {
        index["IndexName"]: index["Projection"]["ProjectionType"]
        for index in properties["GlobalSecondaryIndexes"]
    }
    assert projected == INDEXES
    assert indexes == {
        "due": ["due_pk", "due_sk"],
        "agenda": ["agenda_pk", "agenda_sk"],
        "holder": ["holder_pk", "holder_sk"],
    }


@pytest.mark.parametrize("name", ["Bucket", "WebBucket"])
def test_a_bucket_is_private_encrypted_versioned_and_kept(resources: Resources, name: str) -> None:
    bucket = resources[name]
    properties = bucket["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == KEPT


def test_every_bucket_answers_over_tls_1_2_or_later_only(resources: Resources) -> None:
    policies = of_type(resources, "AWS::S3::BucketPolicy")
    assert len(policies) == len(of_type(resources, "AWS::S3::Bucket"))
    for policy in policies.values():
        _check_tls_only(policy["PolicyDocument"]["Statement"])


def _check_tls_only(statements: list[dict[str, Any]]) -> None:
    denied = statements[:2]
    for statement in denied:
        assert statement["Effect"] == "Deny"
        assert (statement["Principal"], statement["Action"]) == ("*", "s3:*")
        assert len(statement["Resource"]) == 2
    assert [statement["Condition"] for statement in denied] == [
        {"Bool": {"aws:SecureTransport": "false"}},
        {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
    ]


def test_the_api_and_a_domain_of_its_own_answer_over_tls_1_2_or_later_only(
    resources: Resources,
) -> None:
    """CloudFront takes older ones with its own certificate, whatever is asked for."""
    definition = resources["RestAPI"]["Properties"]["DefinitionBody"]
    assert definition["x-amazon-apigateway-security-policy"].startswith("SecurityPolicy_TLS13_1_2_")
    # An enhanced policy is refused without it.
    assert definition["x-amazon-apigateway-endpoint-access-mode"] == "BASIC"
    configured = resources["Distribution"]["Properties"]["DistributionConfig"]
    owned = configured["ViewerCertificate"]["Fn::If"][1]
    assert owned["MinimumProtocolVersion"] == "TLSv1.2_2021"
    [api] = [origin for origin in configured["Origins"] if origin["Id"] == "api"]
    assert api["CustomOriginConfig"]["OriginSSLProtocols"] == ["TLSv1.2"]


def test_what_was_dropped_quarantined_or_replaced_ends(resources: Resources) -> None:
    rules = {
        rule["Id"]: rule
        for rule in resources["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    }
    assert rules["dropped-files-end"]["Prefix"] == "in/"
    assert rules["dropped-files-end"]["ExpirationInDays"] == 30
    assert rules["quarantine-ends"]["Prefix"] == "quarantine/"
    assert rules["quarantine-ends"]["ExpirationInDays"] == 7
    # Expiring makes a former version of it; a week more would be a week more of plain addresses.
    assert rules["quarantine-ends"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
    assert rules["delete-markers-end"] == {
        "Id": "delete-markers-end", "Status": "Enabled", "ExpiredObjectDeleteMarker": True,
    }  # fmt: skip
    former = rules["former-versions-end"]
    assert "Prefix" not in former
    assert former["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
    assert former["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert {rule["Status"] for rule in rules.values()} == {"Enabled"}


def test_a_segment_outlives_every_campaign_that_may_trust_it(resources: Resources) -> None:
    (rule,) = [
        rule
        for rule in resources["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
        if rule.get("Prefix") == "lists/"
    ]
    (longest,) = {
        limit["maximum"]
        for definition in json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"].values()
        for name, limit in definition.get("properties", {}).items()
        if name == "max_age_days"
    }
    assert longest == 400
    assert rule["Status"] == "Enabled"
    assert rule["ExpirationInDays"] == 450


def test_no_rule_but_its_own_ends_a_segment_in_force(resources: Resources) -> None:
    for rule in resources["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]:
        if "ExpirationInDays" in rule:
            prefixes = {"in/", "quarantine/", "lists/", "journal/", "parts/", "out/"}
            assert rule["Prefix"] in prefixes


def test_ingest_has_room_for_a_list_of_100_million(resources: Resources) -> None:
    ingest = resources["Ingest"]["Properties"]
    size = FUNCTIONS["Ingest"]
    assert (ingest["MemorySize"], ingest["Timeout"]) == (size.memory_mb, 900)
    assert size.memory_mb >= MEASURED_ELSEWHERE_MB["ingest"] * MARGIN
    assert ingest["EphemeralStorage"] == {"Size": 4096}
    others = of_type(resources, "AWS::Serverless::Function")
    del others["Ingest"]
    assert [other["EphemeralStorage"] for other in others.values()] == [{"Size": 512}] * 16


def test_each_function_has_the_layers_that_it_needs_and_no_other(resources: Resources) -> None:
    layered = {
        name: function["Layers"]
        for name, function in of_type(resources, "AWS::Serverless::Function").items()
        if "Layers" in function
    }
    pgp = {"Ref": "PgpLayer"}
    assert layered == {
        "Ingest": [{"Ref": "ListsLayer"}, pgp],
        "Persons": [pgp],
        "Export": [pgp],
        "Report": [pgp],
        "Wallet": [{"Ref": "WalletsLayer"}],
    }
    for name, function in of_type(resources, "AWS::Serverless::Function").items():
        variables = function["Environment"]["Variables"]
        assert ("TANDEM_PGP_KEY" in variables) is (pgp in layered.get(name, []))


def test_the_function_that_signs_passes_reads_its_keys_and_nothing_else(
    resources: Resources,
) -> None:
    work, observe = resources["WalletRole"]["Properties"]["Policies"]
    [statement] = work["PolicyDocument"]["Statement"]
    assert statement["Action"] == "ssm:GetParameter"
    assert statement["Resource"]["Fn::Sub"].endswith(":parameter/tandem/${Stage}/wallets/*")
    assert observe["PolicyName"] == "observe"


def test_nobody_else_reads_what_passes_are_signed_with_and_the_api_alone_asks_for_them(
    resources: Resources,
) -> None:
    roles = {name: json.dumps(role) for name, role in of_type(resources, "AWS::IAM::Role").items()}
    assert [name for name, role in roles.items() if "/wallets/" in role] == ["WalletRole"]
    asking = [name for name, role in roles.items() if "lambda:InvokeFunction" in role]
    assert asking == ["APIHandlerRole", "ScheduleRole"]  # which calls what runs by schedule
    scheduled = json.dumps(resources["ScheduleRole"])
    assert "wallet" not in scheduled
    environment = resources["APIHandler"]["Properties"]["Environment"]["Variables"]
    assert environment["TANDEM_APPLE_WALLET"] == {"Ref": "AppleWallet"}
    assert environment["TANDEM_GOOGLE_ISSUER"] == {"Ref": "GoogleIssuer"}
    name = resources["Wallet"]["Properties"]["FunctionName"]
    assert environment["TANDEM_WALLET_FUNCTION"] == name


def test_a_pass_is_the_one_thing_that_the_gateway_hands_on_as_a_file(
    resources: Resources,
) -> None:
    api = resources["RestAPI"]["Properties"]
    assert api["BinaryMediaTypes"] == ["application~1vnd.apple.pkpass"]
    assert "x-amazon-apigateway-binary-media-types" not in api["DefinitionBody"]


def test_the_gateway_knows_the_methods_of_each_operation_and_no_other(resources: Resources) -> None:
    paths = resources["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    known = {(path, method.upper()) for path, methods in paths.items() for method in methods}
    assert known == {(one.path, method) for one in OPERATIONS for method in one.methods}
    assert ("/p/{link_code}", "HEAD") in known


def test_a_layer_is_for_the_runtime_of_its_functions(resources: Resources, made: Package) -> None:
    found = of_type(resources, "AWS::Serverless::LayerVersion")
    assert found.keys() == {layer.logical_id for layer in LAYERS.values()}
    ingest = resources["Ingest"]["Properties"]
    for layer in LAYERS.values():
        properties = found[layer.logical_id]
        assert properties["CompatibleRuntimes"] == [ingest["Runtime"]]
        assert properties["CompatibleArchitectures"] == ingest["Architectures"]
        place = made.template.parent / properties["ContentUri"]
        assert place.resolve() == made.layers[layer.name].resolve()


def test_a_dropped_file_reaches_the_ingest_queue(resources: Resources) -> None:
    notification = resources["Bucket"]["Properties"]["NotificationConfiguration"]
    (wiring,) = notification["QueueConfigurations"]
    assert wiring["Event"] == "s3:ObjectCreated:*"
    assert wiring["Queue"] == {"Fn::GetAtt": ["IngestQueue", "Arn"]}
    assert wiring["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "in/"}]


def test_every_queue_is_encrypted(resources: Resources) -> None:
    queues = of_type(resources, "AWS::SQS::Queue")
    assert len(queues) == len(QUEUES) + len(DEAD_QUEUES)
    assert {queue["SqsManagedSseEnabled"] for queue in queues.values()} == {True}


@pytest.mark.parametrize("name", QUEUES)
def test_a_work_queue_gives_up_late_and_no_sooner_than_its_consumer(
    resources: Resources, name: str
) -> None:
    queue = resources[f"{name}Queue"]["Properties"]
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [f"{name}Dead", "Arn"]},
        # Mails and rewards may have to wait for a list, for codes or for SES: two days.
        "maxReceiveCount": {"Mail": 500, "RequestedMail": 500, "Reward": 1000}.get(name, 5),
    }
    # A large file takes its time, one at a time; were it six times that, a retry would take hours.
    times = 2 if name in {"Ingest", "Parts", "Persons"} else 6
    assert queue["VisibilityTimeout"] >= times * FUNCTIONS[CONSUMERS[name]].timeout_s


@pytest.mark.parametrize("name", QUEUES)
def test_a_queue_consumer_reports_partial_failures_and_is_bounded(
    resources: Resources, name: str
) -> None:
    source = resources[f"{name}Source"]["Properties"]
    assert source["FunctionName"] == {"Ref": CONSUMERS[name]}
    assert source["EventSourceArn"] == {"Fn::GetAtt": [f"{name}Queue", "Arn"]}
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    if name == "Mail":
        assert source["ScalingConfig"]["MaximumConcurrency"] == {
            "Fn::FindInMap": ["MailRates", {"Ref": "MailRate"}, "Executions"]
        }
    else:
        most = {"Decide": 60, "Due": 100, "Parts": 20, "Reward": 100}.get(name, 10)
        assert 2 <= source["ScalingConfig"]["MaximumConcurrency"] <= most


def test_the_mail_function_has_the_executions_that_its_rate_takes(made: Package) -> None:
    template = json.loads(made.template.read_text(encoding="utf-8"))
    assert template["Mappings"]["MailRates"] == {
        str(rate): {"Executions": sending.executions(rate)} for rate in sending.RATES
    }
    allowed = template["Parameters"]["MailRate"]["AllowedValues"]
    assert allowed == [str(rate) for rate in sending.RATES]
    variables = template["Resources"]["Mail"]["Properties"]["Environment"]["Variables"]
    assert variables["TANDEM_MAIL_RATE"] == {"Ref": "MailRate"}


def test_a_batch_of_mails_fits_the_time_of_its_function(resources: Resources) -> None:
    batch = resources["MailSource"]["Properties"]["BatchSize"]
    assert batch * sending.SLOWEST_SEND_S < FUNCTIONS["Mail"].timeout_s


def test_a_run_of_the_export_ends_by_itself_before_its_function_and_the_next_run() -> None:
    seal_and_write = timedelta(minutes=1)
    timeout = timedelta(seconds=FUNCTIONS["Export"].timeout_s)
    assert EXPORTED_FOR + seal_and_write <= timeout <= timedelta(minutes=5)


def test_the_dashboard_moves_within_five_seconds_of_what_happened(resources: Resources) -> None:
    window = resources["ProjectSource"]["Properties"]["MaximumBatchingWindowInSeconds"]
    own, calls = recorded_seconds()["project"]
    counted = own / deployed.processors("project") + calls
    assert window + POLLED_S + counted < 5
    # What people wait for is not held up.
    assert resources["RelaySource"]["Properties"]["MaximumBatchingWindowInSeconds"] == 0


@pytest.mark.parametrize("name", ["Relay", "Project"])
def test_a_stream_consumer_sees_facts_alone_and_loses_none(resources: Resources, name: str) -> None:
    source = resources[f"{name}Source"]["Properties"]
    assert source["EventSourceArn"] == {"Fn::GetAtt": ["Table", "StreamArn"]}
    assert source["StartingPosition"] == "TRIM_HORIZON"
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["BisectBatchOnFunctionError"] is True
    simulated = Mapping()
    assert source["BatchSize"] == simulated.batch_size == FACTS_A_COUNT
    assert source["MaximumRetryAttempts"] == simulated.retries
    assert source["MaximumRecordAgeInSeconds"] == simulated.max_age.total_seconds()
    assert source["DestinationConfig"]["OnFailure"]["Destination"] == {
        "Fn::GetAtt": ["StreamDead", "Arn"]
    }
    (only,) = source["FilterCriteria"]["Filters"]
    image: dict[str, Any] = {"kind": {"S": ["FACT"]}}
    if name == "Relay":  # what goes to no queue is none of its business
        image["name"] = {"S": [fact.value for fact, effect in EFFECTS.items() if effect.queues]}
    assert json.loads(only["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"NewImage": image},
    }
    assert len(only["Pattern"]) <= 4096  # Lambda's limit


@pytest.mark.parametrize("name", ["Export", "Expire", "Reconcile", "Report", "Seal", "Root"])
def test_a_schedule_has_its_own_retry_policies_and_a_dead_queue(
    resources: Resources, name: str
) -> None:
    schedule = resources[f"{name}Schedule"]["Properties"]
    dead = {"Fn::GetAtt": ["ScheduleDead", "Arn"]}
    assert schedule["ScheduleExpression"] == {"Ref": f"Schedule{name}"}
    assert schedule["Target"]["Arn"] == {"Fn::GetAtt": [name, "Arn"]}
    assert schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 3600
    assert schedule["Target"]["DeadLetterConfig"] == {"Arn": dead}
    later = resources[f"{name}Async"]["Properties"]
    assert later["FunctionName"] == {"Ref": name}
    assert later["MaximumRetryAttempts"] <= 2
    assert later["DestinationConfig"]["OnFailure"]["Destination"] == dead


def test_no_policy_grants_a_wildcard(resources: Resources) -> None:
    for name, statement in statements(resources):
        assert statement["Effect"] == "Allow", name
        for action in listed(statement["Action"]):
            assert "*" not in action, (name, action)
        if statement["Action"] == ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]:
            continue  # X-Ray has no resources to name
        if statement["Action"] == ["ses:GetAccount"]:
            continue  # nor has the account of SES
        for resource in listed(statement["Resource"]):
            text = json.dumps(resource)
            assert text != '"*"', name
            # A wildcard may stand at the end of a named prefix, for the method of an API call, or
            # for the campaign of which a folder is meant.
            folder = rf"/out/\*/(?:{'|'.join((EXPORTS, *AFTER_WRITTEN, *BOOKS))})/"
            named = re.sub(rf'(/|/api/\*/v1/client/|{folder})\*"', '"', text)
            assert "*" not in named, (name, text)


def test_decide_uses_the_name_server_of_its_system_unless_the_stack_sets_one(
    resources: Resources, template: dict[str, Any]
) -> None:
    assert template["Parameters"]["Resolver"]["Default"] == ""
    asking = {
        name: function["Environment"]["Variables"]["TANDEM_RESOLVER"]
        for name, function in of_type(resources, "AWS::Serverless::Function").items()
        if "TANDEM_RESOLVER" in function["Environment"]["Variables"]
    }
    assert asking == {"Decide": {"Ref": "Resolver"}}


def test_every_function_has_a_role_of_its_own(resources: Resources) -> None:
    roles = {
        json.dumps(function["Role"])
        for function in of_type(resources, "AWS::Serverless::Function").values()
    }
    assert len(roles) == len(FUNCTIONS)


@pytest.mark.parametrize("name", ["Relay", "MailEvents"])
def test_a_function_without_files_may_not_touch_the_bucket(resources: Resources, name: str) -> None:
    mine = [s for role, s in statements(resources) if role == f"{name}Role"]
    assert "Bucket" not in json.dumps(mine)


def test_ingest_may_touch_the_bucket_so_far_and_no_further(resources: Resources) -> None:
    granted: dict[str, set[str]] = {}
    for role, statement in statements(resources):
        if role != "IngestRole":
            continue
        for resource in listed(statement["Resource"]):
            text = resource.get("Fn::Sub", "") if isinstance(resource, dict) else resource
            if text.startswith("${Bucket.Arn}/"):
                prefix = text.removeprefix("${Bucket.Arn}/")
                granted.setdefault(prefix, set()).update(listed(statement["Action"]))
    read = {"s3:GetObject", "s3:GetObjectVersion"}
    write = {"s3:PutObject", "s3:AbortMultipartUpload"}
    assert granted == {
        "in/*": read | {"s3:DeleteObject", "s3:DeleteObjectVersion"},
        "lists/*": read | write,
        "out/*": write,
        "out/*/receipts/*": {"s3:GetObject"},
        "out/*/vouchers/*": {"s3:GetObject", "s3:PutObjectRetention"},
        "parts/*": {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
        # What was put there is read by nobody but ops.
        "quarantine/*": write,
    }


def test_reconcile_alone_ends_files_and_none_of_the_books(resources: Resources) -> None:
    areas = [f"out/*/{area}" for area in (EXPORTS, *AFTER_WRITTEN)]
    ending = [
        (name, listed(statement["Action"]), listed(statement["Resource"]))
        for name, statement in statements(resources)
        if statement.get("Sid") == "EndOfFiles"
    ]
    assert ending == [
        (
            "ReconcileRole",
            ["s3:DeleteObjectVersion"],
            [{"Fn::Sub": f"${{Bucket.Arn}}/{folder}/*"} for folder in ("lists", *areas)],
        )
    ]


def test_no_function_but_ingest_may_change_a_list_or_take_anything_away(
    resources: Resources,
) -> None:
    for name, statement in statements(resources):
        if name == "IngestRole" or statement.get("Sid") == "EndOfFiles":
            continue
        actions = {action for action in listed(statement["Action"]) if action.startswith("s3:")}
        may = {"s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:ListBucketVersions"}
        # A lock can be set and lengthened by this, never shortened.
        assert actions <= {*may, "s3:PutObjectRetention"}, name
        if "s3:PutObject" in actions:
            assert "/lists/" not in json.dumps(statement["Resource"]), name


def test_whoever_reads_a_file_learns_that_it_is_missing(resources: Resources) -> None:
    """Without s3:ListBucket, S3 answers 403 instead of 404 for an object that is not there."""
    actions: dict[str, set[str]] = {}
    for name, statement in statements(resources):
        if name.endswith("Role"):
            actions.setdefault(name, set()).update(listed(statement["Action"]))
    readers = {name for name, granted in actions.items() if "s3:GetObject" in granted}
    assert {"IngestRole", "ReportRole", "RewardRole"} <= readers
    assert {name for name in readers if "s3:ListBucket" not in actions[name]} == set()


def test_reconcile_reads_lists_and_writes_the_journal(
    resources: Resources,
) -> None:
    files = {
        resource["Fn::Sub"]
        for name, statement in statements(resources)
        if name == "ReconcileRole" and statement.get("Sid") != "EndOfFiles"
        for resource in listed(statement["Resource"])
        if "${Bucket.Arn}" in json.dumps(resource)
    }
    assert files == {"${Bucket.Arn}/lists/*", "${Bucket.Arn}/journal/*"}


def test_project_writes_bundles_alone_and_seal_the_files_of_the_journal(
    resources: Resources,
) -> None:
    written = {
        (name, resource["Fn::Sub"])
        for name, statement in statements(resources)
        if name in {"ProjectRole", "SealRole"} and "s3:PutObject" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }
    assert written == {
        ("ProjectRole", "${Bucket.Arn}/journal/*"),
        ("SealRole", "${Bucket.Arn}/journal/*"),
        ("SealRole", "${Bucket.Arn}/out/*/journal/*"),
    }


def test_law_10_one_function_writes_roots_and_nothing_else(resources: Resources) -> None:
    of_roots = {
        (name, action)
        for name, statement in statements(resources)
        if "RootsBucket" in json.dumps(statement["Resource"])
        for action in listed(statement["Action"])
    }
    assert of_roots == {("RootRole", "s3:PutObject"), ("RootRole", "s3:ListBucketVersions")}
    writing = [
        (action, statement["Resource"])
        for name, statement in statements(resources)
        if name == "RootRole"
        for action in listed(statement["Action"])
        if not re.search(r":(Get|BatchGet|List|Query|PutLogEvents|CreateLogStream|PutT)", action)
    ]
    assert writing == [
        ("sqs:SendMessage", {"Fn::GetAtt": ["ScheduleDead", "Arn"]}),
        ("s3:PutObject", {"Fn::Sub": "${RootsBucket.Arn}/*"}),
    ]


def test_law_10_a_root_stays_as_long_as_the_journal_and_nobody_can_change_it(
    resources: Resources, template: dict[str, Any]
) -> None:
    bucket = resources["RootsBucket"]["Properties"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["ObjectLockEnabled"] is True
    kept = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert template["Parameters"]["RootsLock"]["Default"] == "COMPLIANCE"
    rules = resources["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    [days] = [rule["ExpirationInDays"] for rule in rules if rule["Id"] == "books-end"]
    assert kept == {"Mode": {"Ref": "RootsLock"}, "Days": days}
    assert "LifecycleConfiguration" not in bucket
    denied = {
        statement["Sid"]: statement
        for statement in resources["RootsBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    }
    assert {(one["Effect"], one["Principal"]) for one in denied.values()} == {("Deny", "*")}
    assert denied["OneFunctionWrites"]["Action"] == "s3:PutObject"
    assert denied["OneFunctionWrites"]["Condition"] == {
        "ArnNotEquals": {"aws:PrincipalArn": {"Fn::GetAtt": ["RootRole", "Arn"]}}
    }
    assert denied["WrittenOnce"]["Condition"] == {"Null": {"s3:if-none-match": "true"}}
    assert "s3:DeleteObject" in denied["NothingIsTakenAway"]["Action"]
    assert "Condition" not in denied["NothingIsTakenAway"]


def test_law_10_exports_and_books_are_locked_and_nobody_of_ours_lifts_a_lock(
    resources: Resources,
) -> None:
    """Each file when it is written: what is dropped or cut into parts has to be removed."""
    bucket = resources["Bucket"]["Properties"]
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["ObjectLockConfiguration"] == {"ObjectLockEnabled": "Enabled"}
    for function in of_type(resources, "AWS::Serverless::Function").values():
        assert function["Environment"]["Variables"]["TANDEM_BUCKET_LOCKED"] == "yes"
    locking = {
        name: listed(statement["Resource"])
        for name, statement in statements(resources)
        if "s3:PutObjectRetention" in listed(statement["Action"])
    }
    # Ingest, for those that it writes none of: when they are acknowledged.
    assert locking.pop("IngestRole") == [{"Fn::Sub": "${Bucket.Arn}/out/*/vouchers/*"}]
    assert set(locking) == {"ExportRole", "PersonsRole", "ReportRole", "SealRole"}
    areas = {
        found[1]
        for allowed in locking.values()
        for resource in allowed
        if (found := re.search(r"/out/\*/(\w+)/\*$", resource["Fn::Sub"]))
    }
    assert areas == {EXPORTS, *BOOKS}
    assert "BypassGovernanceRetention" not in json.dumps(resources)


def test_a_lock_of_the_books_ends_before_they_do(resources: Resources) -> None:
    rules = resources["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    [days] = [rule["ExpirationInDays"] for rule in rules if rule["Id"] == "books-end"]
    assert timedelta(days=days) == BOOKS_KEPT


def test_three_functions_scan_and_report_reads_of_the_files_its_own(
    resources: Resources,
) -> None:
    scanning = [
        (name, statement["Resource"])
        for name, statement in statements(resources)
        if "dynamodb:Scan" in listed(statement["Action"])
    ]
    assert scanning == [
        ("PersonsRole", {"Fn::GetAtt": ["Table", "Arn"]}),
        ("ReconcileRole", {"Fn::GetAtt": ["Table", "Arn"]}),
        ("ReportRole", {"Fn::Sub": "${Table.Arn}/index/holder"}),
    ]
    read = [
        resource["Fn::Sub"]
        for name, statement in statements(resources)
        if name == "ReportRole" and "s3:GetObject" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]
    assert read == [
        "${Bucket.Arn}/out/*/referrals/*",
        "${Bucket.Arn}/out/*/statements/*",
        "${Bucket.Arn}/out/*/reports/*",
        "${Bucket.Arn}/out/*/journal/*",
        "${Bucket.Arn}/journal/*",
    ]


def readers_of(resources: Resources, parameter: str) -> set[str]:
    """Whose role may read that parameter of the stage; nobody may do anything else with one."""
    granted = [
        (name, statement)
        for name, statement in statements(resources)
        if "ssm:" in json.dumps(statement["Action"])
    ]
    assert {statement["Action"] for _, statement in granted} == {"ssm:GetParameter"}
    end = f"parameter/tandem/${{Stage}}/{parameter}"
    return {name for name, one in granted if one["Resource"]["Fn::Sub"].endswith(end)}


def test_those_who_make_digests_may_read_the_keys_and_nobody_may_write_them(
    resources: Resources,
) -> None:
    """`due` makes persons known under a new key."""
    assert readers_of(resources, "digest-keys/*") == {
        f"{name}Role"
        for name in ("APIHandler", "Ingest", "Decide", "Due", "Persons", "Mail", "MailEvents")
    }


def test_those_who_have_the_layer_for_pgp_may_read_our_key_and_nobody_else(
    resources: Resources,
) -> None:
    having = {f"{name}Role" for name, size in FUNCTIONS.items() if PGP in size.layers}
    assert readers_of(resources, "pgp-key") == having
    assert having == {f"{name}Role" for name in ("Ingest", "Persons", "Export", "Report")}


def test_those_who_look_through_versions_of_files_may_list_them(resources: Resources) -> None:
    """`persons` finds the files that still have somebody's digest, and until when."""
    listing = {
        name
        for name, statement in statements(resources)
        if "s3:ListBucketVersions" in listed(statement["Action"])
    }
    assert listing == {f"{name}Role" for name in ("Ingest", "Persons", "Reconcile", "Root")}


def test_only_the_mail_function_may_send(resources: Resources) -> None:
    senders = {
        name
        for name, statement in statements(resources)
        if any(action.startswith("ses:") for action in listed(statement["Action"]))
    }
    assert senders == {"MailRole"}


def test_each_work_queue_is_fed_by_those_who_have_work_for_it(resources: Resources) -> None:
    feeders: dict[str, set[str]] = {name: set() for name in FED}
    for role, statement in statements(resources):
        if "sqs:SendMessage" in listed(statement["Action"]):
            for name, found in feeders.items():
                if {"Fn::GetAtt": [f"{name}Queue", "Arn"]} in listed(statement["Resource"]):
                    found.add(role)
    assert feeders == {
        "Decide": {"RelayRole", "DecideRole", "DueRole", "ReconcileRole"},
        "Due": {"DecideRole", "DueRole", "ExpireRole", "ReconcileRole"},
        "Persons": {"RelayRole", "ReconcileRole"},
        "Ingest": {"RelayRole", "ReconcileRole"},
        "Mail": {"DueRole", "RelayRole", "DecideRole", "ReconcileRole"},
        "Parts": {"IngestRole", "ReconcileRole"},
        "RequestedDecision": {"RelayRole", "ReconcileRole"},
        "RequestedMail": {"DueRole", "RelayRole", "DecideRole", "ReconcileRole"},
        "Reward": {"RelayRole", "ReconcileRole"},
    }


def test_the_log_of_the_api_holds_no_path(resources: Resources) -> None:
    api = resources["RestAPI"]["Properties"]
    assert "$context.path" not in api["AccessLogSetting"]["Format"]
    assert api["TracingEnabled"] is False


def test_the_api_compresses_its_answers_which_cloudfront_may_not_keep(resources: Resources) -> None:
    assert resources["RestAPI"]["Properties"]["MinimumCompressionSize"] == 1000


def test_every_log_group_ends_its_lines(resources: Resources) -> None:
    groups = of_type(resources, "AWS::Logs::LogGroup")
    assert len(groups) == len(FUNCTIONS) + 1
    assert all(group["RetentionInDays"] == {"Ref": "LogRetention"} for group in groups.values())


def test_every_queue_and_all_that_works_on_one_has_an_alarm_that_notifies_somebody(
    resources: Resources,
) -> None:
    alarms = of_type(resources, "AWS::CloudWatch::Alarm")
    stats = [
        stat["MetricStat"]["Metric"]
        for alarm in alarms.values()
        for stat in alarm.get("Metrics", [])
        if "MetricStat" in stat
    ]
    watched = {
        json.dumps(dimension["Value"])
        for metric in (*alarms.values(), *stats)
        for dimension in metric.get("Dimensions", [])
    }
    queues = set(of_type(resources, "AWS::SQS::Queue")) - HANDED_OUT_AGAIN
    assert len(queues) > 2 * len(FED)
    for queue in queues:
        assert json.dumps({"Fn::GetAtt": [queue, "QueueName"]}) in watched, queue
    for function in {*CONSUMERS.values(), "Relay", "Project", "APIHandler"}:
        assert json.dumps({"Ref": function}) in watched, function
    assert all(alarm["AlarmActions"] == [{"Ref": "Alarms"}] for alarm in alarms.values())


def test_alarms_on_our_metrics_look_where_the_functions_write(resources: Resources) -> None:
    (written,) = {
        json.dumps(function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"])
        for function in of_type(resources, "AWS::Serverless::Function").values()
    }
    alarms = of_type(resources, "AWS::CloudWatch::Alarm").values()
    ours = [alarm for alarm in alarms if alarm.get("Namespace") == "Tandem"]
    stats = [
        m["MetricStat"]["Metric"] for a in alarms for m in a.get("Metrics", []) if "MetricStat" in m
    ]
    assert len(ours) + len(stats) > 10
    for metric in [*ours, *(stat for stat in stats if stat["Namespace"] == "Tandem")]:
        assert json.dumps(metric["Dimensions"]) == f'[{{"Name": "service", "Value": {written}}}]'


def test_every_function_knows_every_work_queue(resources: Resources) -> None:
    for function in of_type(resources, "AWS::Serverless::Function").values():
        variables = function["Environment"]["Variables"]
        assert {name: variables[name] for name in variables if "QUEUE" in name} == {
            f"TANDEM_QUEUE_{'_'.join(re.findall('[A-Z][a-z]+', name)).upper()}": {
                "Ref": f"{name}Queue"
            }
            for name in FED
        }


@pytest.mark.parametrize(
    ("metric", "seconds"),
    [
        ("ListHeld", 300),
        ("ListWaits", 300),
        ("FileQuarantined", 300),
        ("ListRefused", 300),
        ("FileRefused", 300),
        # Counted also once an hour: rings on until an hour, and its margin, has passed without.
        ("ListUnavailable", 7200),
    ],
)
def test_one_list_that_goes_wrong_rings_and_is_on_the_dashboard(
    resources: Resources, metric: str, seconds: int
) -> None:
    (alarm,) = [
        alarm
        for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values()
        if alarm.get("MetricName") == metric
    ]
    assert alarm["Namespace"] == "Tandem"
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", 0)
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert alarm["DatapointsToAlarm"] == 1
    assert alarm["Period"] * alarm["EvaluationPeriods"] == seconds
    assert alarm["TreatMissingData"] == "notBreaching"
    shown = json.loads(resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    lines = [
        line for widget in shown["widgets"] for line in widget["properties"].get("metrics", ())
    ]
    assert ["Tandem", metric, "service", "tandem-${Stage}"] in lines


def test_law_12_every_unsigned_post_is_throttled_on_its_own(
    resources: Resources, template: dict[str, Any]
) -> None:
    api = resources["RestAPI"]["Properties"]
    parameters = template["Parameters"]
    limits = {
        (one["ResourcePath"], one["HttpMethod"]): parameters[one["ThrottlingRateLimit"]["Ref"]]
        for one in api["MethodSettings"]
    }
    bursts = {one["ThrottlingBurstLimit"]["Ref"] for one in api["MethodSettings"]}
    assert bursts <= set(parameters)
    unsigned = [
        path
        for path, methods in api["DefinitionBody"]["paths"].items()
        if "post" in methods and "security" not in methods["post"]
    ]
    assert "/v1/campaigns/{campaign}/sign-in" in unsigned
    for path in unsigned:
        limit = limits["/" + path.replace("/", "~1"), "POST"]
        assert limit["Default"] < limits["/*", "*"]["Default"]
        # Whoever floods the others holds up nobody who unsubscribes.
        apart = limit is parameters["ThrottleUnsubscribeRate"]
        assert apart == (path == "/v1/unsubscribe/{token}")


def test_what_a_deployment_marks_as_replaced_ends(resources: Resources) -> None:
    rules = resources["WebBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    [marked] = [rule for rule in rules if rule.get("TagFilters") == REPLACED["TagSet"]]
    assert (marked["Status"], marked["ExpirationInDays"]) == ("Enabled", 1)


def test_law_12_the_failure_of_one_call_is_not_the_answer_to_others(resources: Resources) -> None:
    """By default CloudFront keeps a 5xx for ten seconds, under the path alone."""
    configured = resources["Distribution"]["Properties"]["DistributionConfig"]
    assert configured["CustomErrorResponses"] == [
        {"ErrorCode": code, "ErrorCachingMinTTL": 0} for code in (500, 502, 503, 504)
    ]


def test_law_12_the_distribution_and_the_api_have_one_key_and_nobody_else_can_read_it(
    resources: Resources,
) -> None:
    key = {"Fn::Sub": "{{resolve:secretsmanager:${OriginKey}}}"}
    secret = resources["OriginKey"]["Properties"]
    assert secret["GenerateSecretString"]["PasswordLength"] >= 32
    origins = resources["Distribution"]["Properties"]["DistributionConfig"]["Origins"]
    [api] = [origin for origin in origins if origin["Id"] == "api"]
    assert api["OriginCustomHeaders"] == [{"HeaderName": "X-Origin-Key", "HeaderValue": key}]
    having = {
        name
        for name, function in of_type(resources, "AWS::Serverless::Function").items()
        if "TANDEM_ORIGIN_KEY" in function["Environment"]["Variables"]
    }
    assert having == {"APIHandler"}
    variables = resources["APIHandler"]["Properties"]["Environment"]["Variables"]
    assert variables["TANDEM_ORIGIN_KEY"] == key
    assert "secretsmanager" not in json.dumps([one for _, one in statements(resources)])


def test_the_distribution_adds_its_key_before_the_api_asks_for_it(resources: Resources) -> None:
    """An update of a running stage refuses nobody: CloudFormation waits for the distribution."""
    assert "Distribution" in resources["APIHandler"]["DependsOn"]


def test_law_12_the_distribution_has_the_web_acl_that_is_named(
    resources: Resources, template: dict[str, Any]
) -> None:
    assert template["Parameters"]["WebAclArn"]["Default"] == ""
    configured = resources["Distribution"]["Properties"]["DistributionConfig"]
    assert configured["WebACLId"] == {
        "Fn::If": ["Limited", {"Ref": "WebAclArn"}, {"Ref": "AWS::NoValue"}]
    }


def test_law_12_no_caller_has_addresses_without_end(resources: Resources) -> None:
    """WAF counts each address by itself, and one line of IPv6 has 2^64 of them."""
    configured = resources["Distribution"]["Properties"]["DistributionConfig"]
    assert configured["IPV6Enabled"] is False


def test_client_routes_are_signed_and_ops_routes_ask_for_the_pool(resources: Resources) -> None:
    definition = resources["RestAPI"]["Properties"]["DefinitionBody"]
    schemes = definition["securityDefinitions"]
    pools = {
        name
        for name, scheme in schemes.items()
        if scheme["x-amazon-apigateway-authtype"] == "cognito_user_pools"
    }
    for path, methods in definition["paths"].items():
        for method in methods.values():
            guards = {name for guard in method.get("security", []) for name in guard}
            if path.startswith("/v1/client/"):
                assert guards == {"sigv4"}, path
            elif path.startswith("/v1/ops/"):
                assert guards, path
                assert guards <= pools, path
            else:
                assert not guards, path
    for name in pools:
        authorizer = schemes[name]["x-amazon-apigateway-authorizer"]
        assert authorizer["providerARNs"] == [{"Fn::GetAtt": ["OpsPool", "Arn"]}]


def test_pages_may_load_and_call_nothing_foreign(resources: Resources) -> None:
    policy = resources["WebHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
    security = policy["SecurityHeadersConfig"]
    policy_text = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    directives = dict(directive.strip().split(" ", 1) for directive in policy_text.split(";"))
    assert policy_text == PAGE_POLICY
    assert directives["default-src"] == "'none'"
    assert directives["frame-ancestors"] == "'none'"
    scripts = directives.pop("script-src").split()
    assert scripts[0] == "'self'"
    assert all(one.startswith("'sha256-") for one in scripts[1:])  # tests/web/test_pages.py: whose
    assert set(" ".join(directives.values()).split()) == {"'none'", "'self'", "data:"}
    assert directives["img-src"] == "'self' data:"
    assert security["ReferrerPolicy"]["ReferrerPolicy"] == "no-referrer"
    assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31536000


# To write to a person, to close what was sent to her, to make digests under a new key, to give or
# erase what is stored of her, to see that her work was done.
NEEDING_ADDRESSES = {
    "APIHandlerRole", "DecideRole", "DueRole", "MailRole", "MailEventsRole", "PersonsRole",
    "ReconcileRole",
}  # fmt: skip


def test_law_9_plain_addresses_are_read_by_those_alone_who_need_one(resources: Resources) -> None:
    of_table = {"Fn::GetAtt": ["Table", "Arn"]}
    key = ITEM_KINDS[Contact].pk
    without = {
        "Null": {"dynamodb:LeadingKeys": "false"},
        "ForAllValues:StringNotLike": {"dynamodb:LeadingKeys": key.replace("{contact_id}", "*")},
    }
    of_items = {
        "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem",
        "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem",
    }  # fmt: skip
    unbound = set()
    for name, statement in statements(resources):
        actions = set(listed(statement["Action"]))
        if of_table in listed(statement["Resource"]) and actions & {*of_items, "dynamodb:Scan"}:
            if statement.get("Condition") != without:
                unbound.add(name)
            else:
                assert actions <= of_items  # other calls name no key
    assert unbound == NEEDING_ADDRESSES


def test_no_index_has_a_plain_address() -> None:
    """The condition is on the keys of the table: indexes are read without it."""
    kind = ITEM_KINDS[Contact]
    assert kind.holder is None
    assert kind.agenda(object()) is None


def test_the_client_takes_on_a_role_with_its_campaigns_files_and_no_key_of_ours(
    resources: Resources, template: dict[str, Any]
) -> None:
    role = resources["ClientRole"]
    assert role["Condition"] == "ClientHasAccount"
    [trust] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    account = "arn:${AWS::Partition}:iam::${ClientAccountId}:root"
    assert trust["Principal"] == {"AWS": {"Fn::Sub": account}}
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}}
    assert role["Properties"]["ManagedPolicyArns"] == [{"Ref": "ClientAccess"}]
    rule = template["Rules"]["ClientRoleHasExternalId"]
    assert rule["Assertions"][0]["Assert"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "ExternalId"}, ""]}]
    }
    assert not of_type(resources, "AWS::IAM::AccessKey")


def test_the_client_alone_subscribes_to_its_notices_and_only_where_it_is_asked_for(
    resources: Resources, template: dict[str, Any]
) -> None:
    assert template["Parameters"]["ClientNotices"]["Default"] == "no"
    asked, has_account = (
        {"Fn::Equals": [{"Ref": "ClientNotices"}, "yes"]},
        {"Condition": "ClientHasAccount"},
    )
    assert template["Conditions"]["ClientNotified"] == {"Fn::And": [has_account, asked]}
    names = ("Notices", "NoticesPolicy", "NoticesSent")
    assert {resources[name]["Condition"] for name in names} == {"ClientNotified"}
    policy = resources["NoticesPolicy"]["Properties"]
    statement = policy["Statement"]
    account = "arn:${AWS::Partition}:iam::${ClientAccountId}:root"
    assert policy["EventBusName"] == {"Ref": "Notices"}
    assert statement["Principal"] == {"AWS": {"Fn::Sub": account}}
    # Rules on this bus that it made itself: it puts no event on it, and sees no other bus.
    assert statement["Resource"]["Fn::Sub"].endswith(":rule/${Notices}/*")
    assert statement["Condition"] == {
        "StringEqualsIfExists": {"events:creatorAccount": {"Ref": "ClientAccountId"}}
    }
    assert "events:PutEvents" not in statement["Action"]


def test_those_alone_send_notices_who_write_what_they_are_about(resources: Resources) -> None:
    sent = resources["NoticesSent"]["Properties"]
    [statement] = sent["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == (
        "events:PutEvents",
        {"Fn::GetAtt": ["Notices", "Arn"]},
    )
    roles = {role["Ref"] for role in sent["Roles"]}
    bus = {"Fn::If": ["ClientNotified", {"Ref": "Notices"}, ""]}
    told = {
        f"{name}Role"
        for name, function in of_type(resources, "AWS::Serverless::Function").items()
        if function["Environment"]["Variables"].get("TANDEM_NOTICES_BUS") == bus
    }
    assert roles == told == {"IngestRole", "ExportRole", "PersonsRole"}


@pytest.mark.parametrize(
    ("campaigns", "allowed"),
    [
        ("*", True),
        ("demo-vip", True),
        ("shop-*", True),
        ("a,b,c,d,e", True),
        ("a,b,c,d,e,f", False),
        ("a,*", False),
        ("", False),
        ("../other", False),
        ("a/b", False),
    ],
)
def test_the_campaigns_of_a_client_are_at_most_five_names(
    template: dict[str, Any], campaigns: str, allowed: bool
) -> None:
    """CloudFormation matches the whole value; a sixth would be in no policy."""
    pattern = template["Parameters"]["ClientCampaigns"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, campaigns)) is allowed


def test_ops_need_a_second_factor(resources: Resources, template: dict[str, Any]) -> None:
    assert template["Parameters"]["OpsMfa"]["Default"] == "ON"
    pool = resources["OpsPool"]["Properties"]
    assert pool["MfaConfiguration"] == {"Ref": "OpsMfa"}
    assert pool["EnabledMfas"] == ["SOFTWARE_TOKEN_MFA"]


def test_the_pool_of_ops_admits_nobody_by_themselves(resources: Resources) -> None:
    pool = resources["OpsPool"]["Properties"]
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert pool["DeletionProtection"] == {"Fn::If": ["Protected", "ACTIVE", "INACTIVE"]}


def test_the_trail_of_files_is_off_and_sees_objects_under_out_alone(
    resources: Resources, template: dict[str, Any]
) -> None:
    assert template["Parameters"]["FilesTrail"]["Default"] == "no"
    made = {name for name, one in resources.items() if one.get("Condition") == "FilesTrailed"}
    assert made == {"Trail", "TrailBucket", "TrailBucketPolicy"}
    trail = resources["Trail"]["Properties"]
    assert trail["S3BucketName"] == {"Ref": "TrailBucket"}
    assert trail["EnableLogFileValidation"] is True
    [selector] = trail["AdvancedEventSelectors"]
    assert selector["FieldSelectors"] == [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
        {"Field": "resources.ARN", "StartsWith": [{"Fn::Sub": "${Bucket.Arn}/out/"}]},
    ]
    bucket = resources["TrailBucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    [rule] = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == 365
    policy = resources["TrailBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    allowed = [one for one in policy if one["Effect"] == "Allow"]
    assert [one["Action"] for one in allowed] == ["s3:GetBucketAcl", "s3:PutObject"]
    for one in allowed:
        assert one["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
        [source] = one["Condition"]["StringEquals"].values()
        # The very trail: a bucket that takes any trail's files takes those of strangers.
        assert source["Fn::Sub"].endswith(":trail/tandem-${Stage}-files")
