"""What runs: the stack as its users see it, by its addresses, its clients and its status.

stack.py starts one and ends it; __main__.py is the command line around both. The story, the
surfaces and the tests get a `Stack` and know nothing of how it was started.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from chalicelib.adapters.dynamodb import schema
from chalicelib.services.ports import Agenda
from cli.connection import AS_LONG_AS_IT_TAKES
from local.deployment import STAGE, Account, Deployment, root_session
from local.emulator import ACCESS_KEY_ID, GRACE_S, REGION, SECRET_ACCESS_KEY, Emulator
from local.errors import StackError
from local.patience import Patience
from local.post_office import PostOffice

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

DEMO_KEY_ID: Final = "demo"
# A status page answers soon, whatever has become of the emulator.
_SOON: Final = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 1})


@dataclass
class Stack:
    """A running local stack."""

    url: str  # of the front
    endpoint: str  # of the emulator
    deployment: Deployment
    post_office: PostOffice
    client_token: str
    emulator: Emulator
    patience: Patience
    session: boto3.Session = field(default_factory=root_session)

    @property
    def table(self) -> str:
        return self.deployment.outputs["TableName"]

    @property
    def bucket(self) -> str:
        return self.deployment.outputs["BucketName"]

    @property
    def ops_token(self) -> str:
        """A token of the ops account, as `tandem ops token` would print it, good for an hour."""
        return self.token_of(self.deployment.accounts["ops"])

    def token_of(self, account: Account) -> str:
        """A token of an account of the pool, of now. Raises BotoCoreError when nobody answers."""
        client = self.session.client("cognito-idp", endpoint_url=self.endpoint, config=_SOON)
        answer = client.admin_initiate_auth(
            UserPoolId=self.deployment.outputs["OpsPoolId"],
            ClientId=self.deployment.outputs["OpsClientId"],
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": account.name, "PASSWORD": account.password},
        )
        return answer["AuthenticationResult"]["IdToken"]

    @property
    def s3(self) -> S3Client:
        return self.session.client("s3", endpoint_url=self.endpoint)

    @property
    def dynamodb(self) -> DynamoDBClient:
        return self.session.client("dynamodb", endpoint_url=self.endpoint)

    @property
    def sqs(self) -> SQSClient:
        return self.session.client("sqs", endpoint_url=self.endpoint)

    @property
    def logs(self) -> CloudWatchLogsClient:
        return self.session.client("logs", endpoint_url=self.endpoint)

    def picture(self, path: str) -> tuple[bytes, str] | None:
        """A campaign's picture and its type, as CloudFront reads it from the bucket."""
        client = self.s3
        try:
            found = client.get_object(Bucket=self.bucket, Key=path)
        except client.exceptions.NoSuchKey:
            return None
        return found["Body"].read(), found["ContentType"]

    def run(self, function: str) -> None:
        """Run a scheduled function now, and wait for its end. Raises StackError if it failed."""
        functions = self.session.client(
            "lambda", endpoint_url=self.endpoint, config=AS_LONG_AS_IT_TAKES
        )
        answer = functions.invoke(
            FunctionName=f"tandem-{STAGE}-{function}", Payload=b'{"source":"schedule"}'
        )
        if "FunctionError" in answer:
            raise StackError(f"{function} failed: {answer['Payload'].read().decode()[:500]}")

    def end(self, within_s: float = 0) -> str | None:
        """One line once its emulator has ended; None if it still runs after `within_s`.

        After a call that failed, `GRACE_S` is what to give it.
        """
        return self.emulator.end(within_s)

    def campaigns(self) -> list[str]:
        """The names of the campaigns in force."""
        table = self.session.client("dynamodb", endpoint_url=self.endpoint, config=_SOON)
        [partition] = schema.due_partitions(Agenda.CAMPAIGNS, "")
        found = table.query(
            TableName=self.table,
            IndexName=schema.DUE_INDEX,
            KeyConditionExpression="due_pk = :pk",
            ExpressionAttributeValues={":pk": {"S": partition}},
        )
        return sorted(item["pk"]["S"].partition("#")[2] for item in found["Items"])

    def status(self) -> dict[str, Any]:
        """What /_local/status.json says; once the emulator has ended, that and nothing else."""
        campaigns, ops_token = None, None  # unless it is too busy to say
        try:
            campaigns, ops_token = self.campaigns(), self.ops_token
        except BotoCoreError:
            if (end := self.end(GRACE_S)) is not None:
                return {"ready": False, "ended": end}
        outputs = dict(self.deployment.outputs)
        return {
            "ready": True,
            "origin": self.url,
            "aws_endpoint": self.endpoint,
            "region": REGION,
            "access_key_id": ACCESS_KEY_ID,
            "secret_access_key": SECRET_ACCESS_KEY,
            "ops_token": ops_token,
            "accounts": {role: asdict(one) for role, one in self.deployment.accounts.items()},
            "client_token": self.client_token,
            "client_access_key_id": self.deployment.client.access_key_id,
            "client_secret_access_key": self.deployment.client.secret_access_key,
            "client_session": asdict(self.deployment.client_session),
            "table": self.table,
            "bucket": self.bucket,
            "roots_bucket": outputs["RootsBucketName"],
            "keys_path": outputs["KeysPath"],
            "digest_key_id": DEMO_KEY_ID,
            "campaigns": campaigns,
            "outputs": outputs,
        }
