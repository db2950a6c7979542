"""Puts the packaged template into the emulator, as `aws cloudformation deploy` puts it on AWS.

The template is taken as packaged but for what the emulator refuses (alarms on metric arithmetic)
and for the executions at a time of queue consumers, which one machine cannot carry. What the
emulator accepts and then drops is done here through the API, each with its reason beside it; see
docs/decisions for the list. Refuses to report success on a stack that is not complete.
"""

from __future__ import annotations

import copy
import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

import boto3

from infra.package import Package
from local.emulator import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from local.errors import StackError

STAGE: Final = "local"
STACK: Final = f"tandem-{STAGE}"
DEPLOY_BUCKET: Final = "tandem-deploy"
# What names a zip beside the template, by which property; it is uploaded by its own name.
UPLOADED: Final[Mapping[str, str]] = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
}
ROLES: Final = ("marketing", "ops")
# Kinds of resources that the emulator does not know.
UNKNOWN: Final = frozenset({"AWS::Cognito::ManagedLoginBranding", "AWS::CloudTrail::Trail"})
PATIENCE_S: Final = 60
SESSION_S: Final = 129600  # a day and a half, the longest there is
# Executions of one queue's consumer at a time; AWS takes no less than two. All of them wait for the
# one process of the emulator: more would each take longer, past their timeouts, and do no more.
CONSUMERS: Final = max(2, os.cpu_count() or 1)

PARAMETERS: Final[Mapping[str, str]] = {
    "Stage": STAGE,
    "MailRate": "0",  # this machine's own pace
    # The emulator's own account. One client has all campaigns: anybody may put one of their own.
    "ClientAccountId": "000000000000",
    "ExternalId": "the-client-of-the-demo",
    "ClientCampaigns": "*",
    "ScheduleExport": "rate(1 minute)",
    "ScheduleExpire": "rate(1 minute)",
    "ScheduleReconcile": "rate(1 minute)",
    "ScheduleReport": "rate(1 minute)",
    "ScheduleSeal": "rate(1 minute)",
    "ScheduleRoot": "rate(1 minute)",
}

# A template is JSON; its shape is CloudFormation's business.
Template = dict[str, Any]


@dataclass(frozen=True)
class Credentials:
    """An access key of one principal."""

    access_key_id: str
    secret_access_key: str


@dataclass(frozen=True)
class SessionCredentials(Credentials):
    """Those of a session, as a role gives them: no call is good without the token."""

    session_token: str


@dataclass(frozen=True)
class Account:
    """Somebody in the ops pool; nobody else has such a password, and it ends with the stack."""

    name: str
    password: str


@dataclass(frozen=True)
class Deployment:
    """What stands in the emulator."""

    outputs: Mapping[str, str]
    client: Credentials
    client_session: SessionCredentials
    accounts: Mapping[str, Account]  # by the role that each has
    origin_key: str


class Deployer:
    """Deploys one package into one emulator."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._session = root_session()

    def deploy(
        self, package: Package, *, origin: str, keys: Mapping[str, str], extra: Mapping[str, str]
    ) -> Deployment:
        """Create the stack and make it whole. Raises StackError with the first reason it failed."""
        template = json.loads(package.template.read_text(encoding="utf-8"))
        self._create(
            adapted(template, package.digest),
            package,
            {**PARAMETERS, "Origin": origin, **extra},
        )
        outputs = self._outputs()
        self._set_time_to_live(outputs["TableName"])
        self._lift_tls_only(outputs["BucketName"], outputs["WebBucketName"])
        self._lock_roots(template, outputs["RootsBucketName"])
        self._lock_files(template, outputs["BucketName"])
        self._set_gateway_responses(template, outputs["RestApiId"])
        for key_id, value in keys.items():
            self._session.client("ssm", endpoint_url=self._endpoint).put_parameter(
                Name=f"{outputs['KeysPath']}{key_id}", Value=value, Type="SecureString"
            )
        client = self._client_user(outputs["ClientPolicyArn"])
        return Deployment(
            outputs,
            client,
            self._session_of(client),
            {role: self.account(outputs["OpsPoolId"], role, role) for role in ROLES},
            self._origin_key(outputs),
        )

    def _create(self, template: Template, package: Package, parameters: Mapping[str, str]) -> None:
        s3 = self._session.client("s3", endpoint_url=self._endpoint)
        s3.create_bucket(
            Bucket=DEPLOY_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        for zipped in (package.code, *package.layers.values()):
            s3.put_object(Bucket=DEPLOY_BUCKET, Key=zipped.name, Body=zipped.read_bytes())
        s3.put_object(Bucket=DEPLOY_BUCKET, Key="template.json", Body=json.dumps(template).encode())
        formation = self._session.client("cloudformation", endpoint_url=self._endpoint)
        formation.create_stack(
            StackName=STACK,
            TemplateURL=f"{self._endpoint}/{DEPLOY_BUCKET}/template.json",
            Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
        )
        deadline = time.monotonic() + PATIENCE_S
        status = ""
        while time.monotonic() < deadline:
            status = formation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
            if not status.endswith("IN_PROGRESS"):
                break
            time.sleep(0.05)
        if status != "CREATE_COMPLETE":
            events = formation.describe_stack_events(StackName=STACK)["StackEvents"]
            reasons = [
                f"{event.get('LogicalResourceId')}: {event.get('ResourceStatusReason')}"
                for event in reversed(events)
                if event.get("ResourceStatus", "").endswith("FAILED")
            ]
            raise StackError(
                f"the stack is {status}: {reasons[0] if reasons else 'no reason given'}"
            )
        incomplete = [
            resource["LogicalResourceId"]
            for resource in formation.describe_stack_resources(StackName=STACK)["StackResources"]
            if resource["ResourceStatus"] != "CREATE_COMPLETE"
        ]
        if incomplete:
            raise StackError(f"the stack stands without {', '.join(incomplete)}")

    def _outputs(self) -> dict[str, str]:
        formation = self._session.client("cloudformation", endpoint_url=self._endpoint)
        stack = formation.describe_stacks(StackName=STACK)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def _origin_key(self, outputs: Mapping[str, str]) -> str:
        """What the distribution adds to calls; empty for a package of before there was one."""
        if "OriginKeyArn" not in outputs:
            return ""
        secrets_manager = self._session.client("secretsmanager", endpoint_url=self._endpoint)
        secret = secrets_manager.get_secret_value(SecretId=outputs["OriginKeyArn"])
        return str(secret["SecretString"])

    def _set_time_to_live(self, table: str) -> None:
        """The emulator drops TimeToLiveSpecification from a template, and honours the call."""
        self._session.client("dynamodb", endpoint_url=self._endpoint).update_time_to_live(
            TableName=table, TimeToLiveSpecification={"AttributeName": "ttl", "Enabled": True}
        )

    def _lift_tls_only(self, *buckets: str) -> None:
        """The emulator speaks plain HTTP on 127.0.0.1, which these policies rightly deny."""
        s3 = self._session.client("s3", endpoint_url=self._endpoint)
        for bucket in buckets:
            s3.delete_bucket_policy(Bucket=bucket)

    def _lock_roots(self, template: Template, bucket: str) -> None:
        """The emulator drops the lock from the template and honours the call. It does not know the
        condition that a file is written once only, and says the session's name for that of a role.
        """
        s3 = self._session.client("s3", endpoint_url=self._endpoint)
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
        policy["Statement"] = [
            one
            for one in policy["Statement"]
            if one["Sid"] not in {"TlsOnly", "Tls12Only", "WrittenOnce"}
        ]
        for one in policy["Statement"]:
            if one["Sid"] == "OneFunctionWrites":
                role = one["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
                session = role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")
                one["Condition"] = {"ArnNotLike": {"aws:PrincipalArn": f"{session}/*"}}
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
        properties = template["Resources"]["RootsBucket"]["Properties"]
        rule = copy.deepcopy(properties["ObjectLockConfiguration"]["Rule"])
        rule["DefaultRetention"]["Mode"] = template["Parameters"]["RootsLock"]["Default"]
        s3.put_object_lock_configuration(
            Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
        )

    def _lock_files(self, template: Template, bucket: str) -> None:
        """The same for the files, each of which is locked when it is written."""
        configured = template["Resources"]["Bucket"]["Properties"].get("ObjectLockConfiguration")
        if configured:  # a package of an earlier version has none
            self._session.client("s3", endpoint_url=self._endpoint).put_object_lock_configuration(
                Bucket=bucket, ObjectLockConfiguration=configured
            )

    def _set_gateway_responses(self, template: Template, api: str) -> None:
        """The emulator drops these from an API's definition, and honours the calls."""
        gateway = self._session.client("apigateway", endpoint_url=self._endpoint)
        definition = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
        for kind, answer in definition["x-amazon-apigateway-gateway-responses"].items():
            status = answer.get("statusCode")
            gateway.put_gateway_response(
                restApiId=api,
                responseType=kind,
                responseParameters=answer["responseParameters"],
                responseTemplates=answer["responseTemplates"],
                **({} if status is None else {"statusCode": str(status)}),
            )
        deployment = gateway.create_deployment(restApiId=api)["id"]
        gateway.update_stage(
            restApiId=api,
            stageName="api",
            patchOperations=[{"op": "replace", "path": "/deploymentId", "value": deployment}],
        )

    def _client_user(self, policy: str) -> Credentials:
        """A principal with what the client's own systems may do, and nothing else."""
        iam = self._session.client("iam", endpoint_url=self._endpoint)
        iam.create_user(UserName="client")
        iam.attach_user_policy(UserName="client", PolicyArn=policy)
        key = iam.create_access_key(UserName="client")["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def _session_of(self, client: Credentials) -> SessionCredentials:
        """Temporary credentials with the same rights, which last longer than anybody's day."""
        sts = boto3.client(
            "sts",
            endpoint_url=self._endpoint,
            region_name=REGION,
            aws_access_key_id=client.access_key_id,
            aws_secret_access_key=client.secret_access_key,
        )
        given = sts.get_session_token(DurationSeconds=SESSION_S)["Credentials"]
        return SessionCredentials(
            given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
        )

    def account(self, pool: str, name: str, *roles: str) -> Account:
        """A new account with these roles, or none."""
        cognito = self._session.client("cognito-idp", endpoint_url=self._endpoint)
        account = Account(f"{name}@local.test", f"Aa1!{secrets.token_urlsafe(12)}")
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=account.name,
            UserAttributes=[{"Name": "email", "Value": account.name}],
            TemporaryPassword=account.password,
            MessageAction="SUPPRESS",
        )
        cognito.admin_set_user_password(
            UserPoolId=pool, Username=account.name, Password=account.password, Permanent=True
        )
        for role in roles:
            cognito.admin_add_user_to_group(UserPoolId=pool, Username=account.name, GroupName=role)
        return account


def adapted(template: Template, digest: str) -> Template:
    """The packaged template with its zips in the deploy bucket, less what the emulator refuses."""
    template = for_emulator(template)
    resources = template["Resources"]
    for name, resource in resources.items():
        if resource["Type"] in UPLOADED:
            uri = UPLOADED[resource["Type"]]
            zipped = PurePosixPath(resource["Properties"][uri]).name
            uploaded = {uri: {"Bucket": DEPLOY_BUCKET, "Key": zipped}}
            resources[name] = {**resource, "Properties": {**resource["Properties"], **uploaded}}
    return {**template, "Description": f"Tandem {digest[:12]}"}


def for_emulator(template: Template) -> Template:
    """The template less what the emulator refuses."""
    resources = {
        name: resource
        for name, resource in template["Resources"].items()
        if not (
            resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
        )
        and resource["Type"] not in UNKNOWN
    }
    for name, resource in resources.items():
        if resource["Type"] == "AWS::IAM::Role":
            resources[name] = _with_batches(resource)
        elif resource["Type"] == "AWS::Serverless::Api":
            resources[name] = _with_plain_types(resource)
        elif "ScalingConfig" in resource["Properties"]:
            resources[name] = _with_few_consumers(resource)
    return {**template, "Resources": resources}


def _with_plain_types(api: Template) -> Template:
    """CloudFormation has the slash of a type as ~1; the emulator compares what it is given."""
    api = copy.deepcopy(api)
    types = api["Properties"].get("BinaryMediaTypes", [])
    api["Properties"]["BinaryMediaTypes"] = [one.replace("~1", "/") for one in types]
    return api


def _with_batches(role: Template) -> Template:
    """On AWS sqs:SendMessage covers batches; the emulator asks for an action AWS does not have."""
    role = copy.deepcopy(role)
    for policy in role["Properties"].get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Action"] == "sqs:SendMessage":
                statement["Action"] = ["sqs:SendMessage", "sqs:SendMessageBatch"]
    return role


def _with_few_consumers(source: Template) -> Template:
    """At most as many executions at a time as this machine can carry."""
    packaged = source["Properties"]["ScalingConfig"]["MaximumConcurrency"]
    most = min(CONSUMERS, packaged) if isinstance(packaged, int) else CONSUMERS
    few = {**source["Properties"], "ScalingConfig": {"MaximumConcurrency": most}}
    return {**source, "Properties": few}


def root_session() -> boto3.Session:
    """A session as the emulator's root caller."""
    return boto3.Session(
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
        region_name=REGION,
    )
