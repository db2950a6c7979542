"""The local stack as a process: one clear line when it cannot start, nothing left when it ends."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dns.resolver
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningKey
from botocore.exceptions import ClientError

from local.deployment import CONSUMERS, PARAMETERS, STACK, adapted
from local.emulator import REGION, free_port, remove
from local.errors import StackError
from local.post_office import Answer
from local.running import Stack
from local.signatures import SERVICE
from local.stack import running_stack
from tests.infra.processes import alive, descendants, run, until

MAIL = b"From: a@tandem.example\r\nTo: b@demo.test\r\nSubject: Hello\r\n\r\nhttps://x.example/#token=t\r\n"

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("local-stack")]


@pytest.fixture(scope="module")
def front(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=30, trust_env=False) as client:
        yield client


def is_ready(port: int) -> bool:
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/_local/status.json", trust_env=False)
    except httpx.TransportError:
        return False
    return bool(answer.json()["ready"])


def test_a_port_in_use_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(port, "--directory", str(tmp_path))
        _, said = done.communicate(timeout=30)
    assert done.returncode == 1
    assert said.count("\n") == 1
    assert f"port {port} is in use" in said
    assert "TANDEM_PORT" in said


def test_what_an_emulator_leaves_is_gone_at_once_and_deleted_in_time(tmp_path: Path) -> None:
    directory = tmp_path / "emulator"
    (directory / "tmp").mkdir(parents=True)
    (directory / "tmp/file").write_text("left")
    remove(directory)
    assert not directory.exists()
    assert until(lambda: not list(tmp_path.iterdir()), 30)
    remove(directory)  # nothing to remove is nothing to say


def test_a_second_stack_in_the_same_directory_is_refused(stack: Stack) -> None:
    directory = stack.post_office.directory.parent
    with pytest.raises(StackError, match="another directory"), running_stack(directory=directory):
        pass


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_however_the_stack_ends(how: signal.Signals, tmp_path: Path) -> None:
    port = free_port()
    process = run(port, "--directory", str(tmp_path))
    try:
        assert until(lambda: is_ready(port), 60)
        httpx.get(f"http://127.0.0.1:{port}/v1/openapi.json", timeout=30, trust_env=False)
        started = descendants(process.pid)
        assert len(started) >= 3  # the guard, the emulator, a function
        process.send_signal(how)
        said, _ = process.communicate(timeout=20)
        assert "starting the AWS emulator" in said
        assert "deploying the packaged template: " in said
        assert until(lambda: not any(map(alive, started)), 10)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == (0 if how != signal.SIGKILL else -signal.SIGKILL)


def test_what_the_emulator_drops_from_the_template_is_done_after_it(stack: Stack) -> None:
    ends = stack.dynamodb.describe_time_to_live(TableName=stack.table)["TimeToLiveDescription"]
    assert ends.get("AttributeName") == "ttl"
    assert ends.get("TimeToLiveStatus") == "ENABLED"


def test_only_what_the_emulator_refuses_is_left_out(made: Any) -> None:
    template = json.loads(made.template.read_text(encoding="utf-8"))
    left_out = set(template["Resources"]) - set(adapted(template, "0" * 64)["Resources"])
    left = {name: template["Resources"][name] for name in left_out}
    assert left.pop("SignInStyle")["Type"] == "AWS::Cognito::ManagedLoginBranding"
    assert left.pop("Trail")["Type"] == "AWS::CloudTrail::Trail"
    assert {resource["Type"] for resource in left.values()} == {"AWS::CloudWatch::Alarm"}
    assert all("Metrics" in resource["Properties"] for resource in left.values())


def _reads_a_queue(template: Any, name: str) -> bool:
    resource = template["Resources"][name]
    is_source = resource["Type"] == "AWS::Lambda::EventSourceMapping"
    return is_source and "StartingPosition" not in resource["Properties"]


def test_a_queue_has_no_more_consumers_than_the_machine_carries(made: Any) -> None:
    template = json.loads(made.template.read_text(encoding="utf-8"))
    sources = {
        name: resource["Properties"]["ScalingConfig"]["MaximumConcurrency"]
        for name, resource in adapted(template, "0" * 64)["Resources"].items()
        if "ScalingConfig" in resource["Properties"]
    }
    assert sources.keys() == {
        name for name in template["Resources"] if _reads_a_queue(template, name)
    }
    for name, most in sources.items():
        packaged = template["Resources"][name]["Properties"]["ScalingConfig"]["MaximumConcurrency"]
        assert most == (min(packaged, CONSUMERS) if isinstance(packaged, int) else CONSUMERS)
    assert CONSUMERS >= 2


def test_decide_alone_asks_the_resolver_of_the_stack(stack: Stack) -> None:
    functions = stack.session.client("lambda", endpoint_url=stack.endpoint)
    asked = {
        function["FunctionName"]: function["Environment"]["Variables"]["TANDEM_RESOLVER"]
        for function in functions.list_functions()["Functions"]
        if "TANDEM_RESOLVER" in function["Environment"]["Variables"]
    }
    assert asked.keys() == {"tandem-local-decide"}
    host, port = asked["tandem-local-decide"].split(":")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [host], int(port)
    (mail,) = resolver.resolve("demo.test", "MX")
    assert mail.preference == 10


@pytest.mark.parametrize(
    "path", ["/v1/client/vouchers/ABC", "/v1/ops/campaigns/none/dashboard"], ids=["client", "ops"]
)
def test_a_guarded_route_asks_for_its_own_token(
    front: httpx.Client, stack: Stack, path: str
) -> None:
    wrong = stack.ops_token if "client" in path else stack.client_token
    for headers in ({}, {"Authorization": "Bearer no"}, {"Authorization": f"Bearer {wrong}"}):
        refused = front.get(path, headers=headers)
        as_on_aws = (403 if headers else 404) if "client" in path else 401
        assert refused.status_code == as_on_aws
        assert refused.headers["content-type"] == "application/problem+json"
    right = stack.client_token if "client" in path else stack.ops_token
    answer = front.get(path, headers={"Authorization": f"Bearer {right}"})
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:tandem:problem:not-found"


@pytest.mark.parametrize("path", ["ABC", "ABC/redemptions/FR%202026%2F17%231"])
def test_a_call_that_is_signed_as_for_aws_is_answered_by_the_deployed_api(
    front: httpx.Client, stack: Stack, path: str
) -> None:
    status = front.get("/_local/status.json").json()
    client = (status["client_access_key_id"], status["client_secret_access_key"])
    url = f"{stack.url}/v1/client/vouchers/{path}"
    method = "DELETE" if "/" in path else "GET"
    session = SigningKey(*status["client_session"].values())
    wrong = SigningKey(client[0], "wrong")
    for key, expected in ((SigningKey(*client), 404), (session, 404), (wrong, 403)):
        request = AWSRequest(method, url, data=b"")
        SigV4Auth(key, SERVICE, REGION).add_auth(request)
        answer = front.request(method, url, headers=dict(request.headers.items()))
        assert answer.status_code == expected
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_deployed_api_itself_refuses_an_unsigned_call(stack: Stack) -> None:
    """The front's tokens are a convenience; the guard is the one of the packaged template."""
    host = f"{stack.deployment.outputs['RestApiId']}.execute-api.127.0.0.1:{stack.emulator.port}"
    for path in ("/v1/client/vouchers/ABC", "/v1/ops/campaigns/none/dashboard"):
        answer = httpx.get(
            f"{stack.endpoint}/api{path}", headers={"Host": host}, timeout=30, trust_env=False
        )
        assert answer.status_code in {401, 403, 404}
        assert answer.headers["content-type"] == "application/problem+json"


def test_law_12_the_deployed_api_itself_answers_no_public_call(
    stack: Stack, front: httpx.Client
) -> None:
    """Its own address would be a way round what limits each caller."""
    host = f"{stack.deployment.outputs['RestApiId']}.execute-api.127.0.0.1:{stack.emulator.port}"
    guessed = {"X-Origin-Key": "guessed"}
    for headers in ({}, guessed):
        answer = httpx.get(
            f"{stack.endpoint}/api/v1/openapi.json",
            headers={"Host": host, **headers},
            timeout=30,
            trust_env=False,
        )
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:tandem:problem:wrong-address"
    assert front.get("/v1/openapi.json", headers=guessed).status_code == 200


def _as(stack: Stack, function: str, service: str) -> Any:
    """A client with the policy of a packaged role, of a user here: nobody but Lambda takes on the
    role itself.
    """
    iam = stack.session.client("iam", endpoint_url=stack.endpoint)
    formation = stack.session.client("cloudformation", endpoint_url=stack.endpoint)
    role = formation.describe_stack_resource(StackName=STACK, LogicalResourceId=f"{function}Role")
    name = role["StackResourceDetail"]["PhysicalResourceId"]
    policy = iam.get_role_policy(RoleName=name, PolicyName="work")["PolicyDocument"]
    person = f"as-{function.lower()}-{secrets.token_hex(3)}"
    iam.create_user(UserName=person)
    iam.put_user_policy(UserName=person, PolicyName="work", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=person)["AccessKey"]
    return stack.session.client(  # type: ignore[call-overload]
        service,
        endpoint_url=stack.endpoint,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )


def test_law_5_the_function_that_acknowledges_locks_exports_alone_and_never_shorter(
    stack: Stack,
) -> None:
    owner, s3 = stack.session.client("s3", endpoint_url=stack.endpoint), _as(stack, "Ingest", "s3")

    def lock(path: str, days: int) -> None:
        until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
        s3.put_object_retention(
            Bucket=stack.bucket,
            Key=path,
            Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until},
        )

    export = "out/locks/vouchers/00000001.csv.gz"
    others = ("out/locks/changes/00000001.csv.gz", "in/locks/orders/a.csv")
    for path in (export, *others):
        owner.put_object(Bucket=stack.bucket, Key=path, Body=b"")
    lock(export, 1)
    lock(export, 2)
    with pytest.raises(ClientError, match="AccessDenied"):
        lock(export, 1)
    for path in others:
        with pytest.raises(ClientError, match="AccessDenied"):
            lock(path, 1)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=stack.bucket, Key=export)


def test_law_9_a_function_that_needs_no_address_cannot_read_or_replace_one(stack: Stack) -> None:
    table = stack.session.resource("dynamodb", endpoint_url=stack.endpoint).Table(stack.table)
    table.put_item(Item={"pk": "CONTACT#one", "sk": "CONTACT"})
    table.put_item(Item={"pk": "WATCH#one", "sk": "WATCH"})
    dynamodb = _as(stack, "Export", "dynamodb")

    def calls(pk: str) -> Iterator[Callable[[], Any]]:
        item: Any = {"pk": {"S": pk}, "sk": {"S": pk.partition("#")[0]}}
        named: Any = {"TableName": stack.table, "Key": item}
        other: Any = {
            "TableName": stack.table,
            "Key": {"pk": {"S": "WATCH#one"}, "sk": {"S": "WATCH"}},
        }
        yield lambda: dynamodb.get_item(**named)
        yield lambda: dynamodb.batch_get_item(
            RequestItems={stack.table: {"Keys": [other["Key"], item] if pk[0] == "C" else [item]}}
        )
        yield lambda: dynamodb.transact_get_items(TransactItems=[{"Get": other}, {"Get": named}])
        yield lambda: dynamodb.query(
            TableName=stack.table,
            KeyConditionExpression="#p = :p AND begins_with(sk, :s)",
            ExpressionAttributeNames={"#p": "pk"},
            ExpressionAttributeValues={":p": {"S": pk}, ":s": {"S": ""}},
        )
        yield lambda: dynamodb.put_item(TableName=stack.table, Item=item)
        yield lambda: dynamodb.transact_write_items(TransactItems=[{"Delete": named}])

    for call in calls("CONTACT#one"):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.scan(TableName=stack.table)
    for call in list(calls("WATCH#one"))[:2]:
        call()


def test_the_client_takes_on_its_role_and_has_its_campaigns_files_alone(stack: Stack) -> None:
    sts = stack.session.client("sts", endpoint_url=stack.endpoint)
    role = stack.deployment.outputs["ClientRoleArn"]
    for named in ({}, {"ExternalId": "of-another-client"}):
        with pytest.raises(ClientError, match="AccessDenied"):
            sts.assume_role(RoleArn=role, RoleSessionName="client", **named)
    taken = sts.assume_role(
        RoleArn=role, RoleSessionName="client", ExternalId=PARAMETERS["ExternalId"]
    )["Credentials"]
    s3 = stack.session.client(
        "s3",
        endpoint_url=stack.endpoint,
        aws_access_key_id=taken["AccessKeyId"],
        aws_secret_access_key=taken["SecretAccessKey"],
        aws_session_token=taken["SessionToken"],
    )
    s3.put_object(Bucket=stack.bucket, Key="in/demo-vip/nothing/a.csv", Body=b"")
    assert s3.list_objects_v2(Bucket=stack.bucket, Prefix="out/demo-vip/")["KeyCount"] == 0
    for refused in (
        lambda: s3.put_object(Bucket=stack.bucket, Key="in/another/orders/a.csv", Body=b""),
        lambda: s3.put_object(Bucket=stack.bucket, Key="out/demo-vip/vouchers/a.csv", Body=b""),
        lambda: s3.get_object(Bucket=stack.bucket, Key="out/another/vouchers/00000001.csv.gz"),
        lambda: s3.list_objects_v2(Bucket=stack.bucket, Prefix="out/another/"),
        lambda: s3.list_objects_v2(Bucket=stack.bucket),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused()


def test_an_unknown_route_and_a_body_beyond_measure_are_problems_too(front: httpx.Client) -> None:
    unknown = front.get("/v1/nothing")
    large = front.post("/v1/campaigns/none/sign-in", content=b"x" * (10 * 1024 * 1024 + 1))
    assert (unknown.status_code, large.status_code) == (404, 413)
    for answer in (unknown, large):
        assert answer.headers["content-type"] == "application/problem+json"


def test_pages_have_the_headers_of_the_template(front: httpx.Client) -> None:
    for path in ("/", "/sponsor/", "/v1/openapi.json"):
        answer = front.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_mail_is_kept_byte_for_byte_and_can_be_read(front: httpx.Client, stack: Stack) -> None:
    _, identifier = stack.post_office.take(MAIL, ["b@demo.test"], {})
    assert front.get(f"/_local/mailbox/{identifier}.eml").content == MAIL
    (newest, *_) = front.get("/_local/mailbox.json").json()
    assert newest["id"] == identifier
    assert (newest["to"], newest["subject"]) == ("b@demo.test", "Hello")
    assert newest["links"] == ["https://x.example/#token=t"]
    assert "Hello" in front.get("/_local/mailbox").text


def test_the_post_office_can_refuse_a_mail_and_can_lose_its_answer(stack: Stack) -> None:
    ses = stack.session.client("sesv2", endpoint_url=f"{stack.url}/_local/ses")
    before = len(stack.post_office.letters())

    def send() -> None:
        ses.send_email(
            Destination={"ToAddresses": ["c@demo.test"]}, Content={"Raw": {"Data": MAIL}}
        )

    stack.post_office.answer_next(Answer.THROTTLED, times=1)
    send()  # botocore tries again by itself
    assert len(stack.post_office.letters()) == before + 1
    stack.post_office.answer_next(Answer.LOST)
    send()
    assert len(stack.post_office.letters()) == before + 3


def test_what_ses_says_first_to_the_topic_is_no_work_that_failed(stack: Stack) -> None:
    """It is no event; left in the queue, it would ring two alarms after the first deployment."""
    sqs: Any = stack.session.client("sqs", endpoint_url=stack.endpoint)
    queue = sqs.get_queue_url(QueueName="tandem-local-mail-events")["QueueUrl"]
    counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")

    def is_empty() -> bool:
        found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=counts)["Attributes"]
        return all(found[count] == "0" for count in counts)

    assert until(is_empty, 60)


def test_the_status_names_what_a_stranger_needs(front: httpx.Client, stack: Stack) -> None:
    status = front.get("/_local/status.json").json()
    assert status["ready"] is True
    assert status["campaigns"] == []
    assert (status["bucket"], status["aws_endpoint"]) == (stack.bucket, stack.endpoint)
    assert {"access_key_id", "secret_access_key", "region", "ops_token"} <= status.keys()
    assert {
        "client_access_key_id", "client_secret_access_key", "client_session", "client_token"
    } <= status.keys()  # fmt: skip


def test_stock_aws_lists_the_bucket(stack: Stack) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("aws"), "s3", "ls", "--endpoint-url", stack.endpoint],
        env={
            "PATH": os.defpath,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "eu-west-3",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, stack.bucket in done.stdout) == (0, True)


def test_the_doctor_finds_nothing_wrong_with_the_local_stack(stack: Stack) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from cli.main import app; app()", "doctor"],
        env={"PATH": os.environ["PATH"], "TANDEM_PORT": stack.url.rpartition(":")[2]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"good     pages: {stack.url} answers" in done.stdout
    assert f"good     sign-in: {stack.url}/oauth2/token leads to the pool" in done.stdout
    assert "good     accounts: 1 marketing, 1 ops" in done.stdout
    assert "good     wallets: no passes are offered" in done.stdout
    assert (
        "good     stack: CREATE_COMPLETE" in done.stdout or "anybody may delete it" in done.stdout
    )
    assert "no campaign is in force" in done.stdout


def test_programs_read_what_the_doctor_finds(stack: Stack) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from cli.main import app; app()", "doctor", "--json"],
        env={"PATH": os.environ["PATH"], "TANDEM_PORT": stack.url.rpartition(":")[2]},
        capture_output=True,
        text=True,
        check=False,
    )
    found = {one["check"]: one for one in json.loads(done.stdout)}
    assert done.returncode == 0
    assert found["sign-in"] == {
        "check": "sign-in", "verdict": "good", "advice": "",
        "text": f"{stack.url}/oauth2/token leads to the pool",
    }  # fmt: skip
