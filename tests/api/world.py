"""A small Tandem in this process: moto's AWS, the wired functions, two lists, one campaign.

`World` plays the people (through the API) and the machinery between functions (through hand-made
Lambda events), nothing else: what is under test does all the rest. Mails are caught where they
leave for SES. The clock stands still until a test moves it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote_plus, unquote

import boto3
import yaml
from boto3.session import Session
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends

from bench.recording import Recorder
from chalicelib import bootstrap
from chalicelib.adapters.clients import Clients
from chalicelib.domain.addresses import Address, AddressDigests, DigestKey
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.effects import Queue
from chalicelib.domain.files.reading import Tally
from chalicelib.functions.wallet import apple_credentials, google_credentials
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.list_ports import Layer, NewSegment
from chalicelib.services.lists.versions import version_of
from chalicelib.services.lookups import current_campaign
from chalicelib.services.operations.wall_links import make_wall_link
from chalicelib.services.ports import Insert, Ports
from tests import functions
from tests.api.gateway import ORIGIN_KEY, Answer, Gateway, Request
from tests.fakes.aws_table import make_table
from tests.fakes.lists import current_list
from tests.fakes.ports import KnownDomains
from tests.file_schemas import wrong_with
from tests.wallets.certificates import ISSUER, authority, service_account

REGION = "eu-west-3"
ACCOUNT = "123456789012"
TABLE = "tandem-test"
BUCKET = "tandem-test-files"
ROOTS_BUCKET = "tandem-test-roots"
PAGES_BUCKET = "tandem-test-pages"
WALLETS_PATH = "/tandem/test/wallets/"
ORIGIN = "https://tandem.test"
# The queues that functions of ours fill, each with the function that works on it.
CONSUMERS = {
    Queue.DUE: functions.due,
    Queue.PARTS: functions.ingest,
    Queue.DECIDE: functions.decide,
    Queue.REQUESTED_DECISION: functions.decide,
    Queue.MAIL: functions.mail,
    Queue.REQUESTED_MAIL: functions.mail,
    Queue.REWARD: functions.reward,
    Queue.PERSONS: functions.persons,
}
CAMPAIGN = "demo-vip"
START = datetime(2026, 3, 2, 10, tzinfo=UTC)
KEY = DigestKey("demo", "hmac_sha256", bytes(range(32)))
CAMPAIGN_FILE = Path(__file__).parents[2] / "local" / "demo" / "demo-vip.yaml"

# All of one length, so that not even the size of a request tells them apart.
VIP, OTHER_VIP = "solene.vip.1@demo.test", "solene.vip.2@demo.test"
CUSTOMER = "known.client@demo.test"
STRANGER = "jeanne.marti@demo.test"
SPONSOR_NAME = "Solène"

Item = dict[str, Any]
Event = dict[str, Any]
Json = Mapping[str, Any]


@dataclass
class StoppedClock:
    """A clock that is moved by hand."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, **duration: float) -> None:
        """Let time pass; the arguments are those of `timedelta`."""
        self.at += timedelta(**duration)


@dataclass(frozen=True)
class CaughtMail:
    """A mail as SES was given it."""

    recipient: str
    text: str

    def token(self, before: str = "#token=") -> str:
        """The token in its link."""
        found = re.search(re.escape(before) + r"([\w-]{20,})", self.text)
        assert found, "the mail has no such link"
        return found[1]


@dataclass
class Postbox:
    """Every mail of a session's clients, in the order they left."""

    mails: list[CaughtMail] = field(default_factory=list)

    def take(self, params: Mapping[str, Any], **_: object) -> None:
        """To be registered for `before-parameter-build.sesv2.SendEmail`."""
        raw = params["Content"]["Raw"]["Data"]
        message = message_from_bytes(raw, policy=policy.default)
        body = message.get_body(("plain",))
        assert body is not None
        self.mails.append(
            CaughtMail(params["Destination"]["ToAddresses"][0], str(body.get_content()))
        )

    def last_to(self, address: str) -> CaughtMail:
        """The newest mail to `address`."""
        return next(mail for mail in reversed(self.mails) if mail.recipient == address)


def _call_function(params: Mapping[str, Any], **_: object) -> tuple[Any, dict[str, Any]]:
    """What Lambda does with a call of a function: JSON in, JSON out, and no word of an error."""
    name = unquote(params["url_path"].split("/")[3])
    answer: dict[str, Any] = {"StatusCode": 200}
    try:
        content = getattr(functions, name.rpartition("-")[2])(json.loads(params["body"]), None)
    except Exception as error:
        answer["FunctionError"] = "Unhandled"
        content = {"errorType": type(error).__name__}
    answer["Payload"] = BytesIO(json.dumps(content).encode())
    return AWSResponse("", 200, HTTPHeaders.from_dict({"content-length": "0"}), None), answer


def _hold_key_limits(params: Mapping[str, Any], model: Any, **_: object) -> None:
    for key in _keys(params):
        sizes = {name: len(value["S"].encode()) for name, value in key.items()}
        if not (0 < sizes["pk"] <= 2048 and 0 < sizes["sk"] <= 1024):
            raise ClientError({"Error": {"Code": "ValidationException"}}, model.name)


def _keys(params: Mapping[str, Any]) -> Iterator[Item]:
    for asked in params.get("RequestItems", {}).values():
        yield from asked["Keys"]
    for action in params.get("TransactItems", [{"": params}]):
        (body,) = action.values()
        key = body.get("Key") or body.get("Item")
        if key:
            yield {"pk": key["pk"], "sk": key["sk"]}


class Aws:
    """The clients of this process, made once: making them takes longer than a test."""

    def __init__(self) -> None:
        session = Session("test", "test", region_name=REGION)
        self.recorder = Recorder(session)
        call_function: Callable[..., Any] = _call_function
        session.events.register("before-call.lambda.Invoke", call_function)
        self.postbox = Postbox()
        session.events.register("before-parameter-build.sesv2.SendEmail", self.postbox.take)
        # DynamoDB's own limits on keys, which moto holds for some calls only.
        session.events.register("before-parameter-build.dynamodb", _hold_key_limits)
        self.clients = Clients(session)
        self.aside = Clients(boto3.Session("test", "test", region_name=REGION))


@cache
def aws() -> Aws:
    """The clients of this process."""
    return Aws()


@cache
def _campaign_fields() -> dict[str, Any]:
    fields: dict[str, Any] = yaml.safe_load(CAMPAIGN_FILE.read_text())
    fields["lists"]["customers"]["canaries"] = []
    return fields


def campaign_like_demo(**changes: object) -> Campaign:
    """The demo campaign, without canaries, with other `changes`."""
    return Campaign.model_validate(_campaign_fields() | changes)


class World:
    """See the module. Made by `world()`."""

    def __init__(self, gateway: Gateway, clock: StoppedClock) -> None:
        self._gateway = gateway
        self._relayed: set[str] = set()
        self.clock = clock
        self.clients = aws().aside
        self.recorder = aws().recorder
        self.mails = aws().postbox.mails
        self.last_to = aws().postbox.last_to

    @property
    def ports(self) -> Ports:
        """The ports the app works with."""
        return bootstrap.ports()

    # --- what exists beforehand ---------------------------------------------------------

    def put(self, campaign: Campaign) -> None:
        """Put a campaign in force."""
        put_campaign(self.ports, campaign)

    def put_templates(self, **changes: Mapping[str, object]) -> None:
        """Put the demo's campaign in force with other fields of voucher templates."""
        document = campaign_like_demo().model_dump(by_alias=True, exclude={"version"})
        for name, fields in changes.items():
            document["templates"][name] |= fields
        self.put(Campaign.model_validate(document))
        self.clock.pass_by(minutes=1)  # the campaign before is cached

    def put_list(self, name: str, addresses: Iterable[str], campaign: str = CAMPAIGN) -> None:
        """Put a first list in force."""
        put_list(self.ports, name, addresses, campaign)

    # --- the public -------------------------------------------------------------------------------

    def ask(self, request: Request) -> Answer:
        """Any request."""
        return self._gateway.call(request)

    def get(self, path: str, **headers: str) -> Answer:
        """GET; `headers` with underscores for hyphens."""
        return self.ask(Request("GET", path).with_body(None, **headers))

    def delete(self, path: str) -> Answer:
        """DELETE."""
        return self.ask(Request("DELETE", path))

    def post(self, path: str, body: object = None, **headers: str) -> Answer:
        """POST of JSON; `headers` with underscores for hyphens."""
        return self.ask(posting(path, body, **headers))

    # --- a story's steps --------------------------------------------------------------------------

    def sign_in(self, address: str = VIP, campaign: str = CAMPAIGN) -> str:
        """A VIP asks, gets the mail and opens a session: its bearer token."""
        token = self.sign_in_token(address, campaign)
        body = {"token": token, "first_name": SPONSOR_NAME}
        answer = self.post(f"/v1/campaigns/{campaign}/sessions", body)
        assert answer.status == 201, answer.body
        return str(answer.json()["session"])

    def sign_in_token(self, address: str = VIP, campaign: str = CAMPAIGN) -> str:
        """The token of a fresh sign-in mail."""
        assert self.post(f"/v1/campaigns/{campaign}/sign-in", {"email": address}).status == 202
        self.run()
        return self.last_to(address).token()

    def invite(self, session: str, address: str = STRANGER) -> str:
        """A sponsor invites, the mail leaves: its token."""
        body = {"referees": [{"email": address, "first_name": "Jeanne"}]}
        answer = self.post("/v1/sponsor/invitations", body, Authorization=f"Bearer {session}")
        assert answer.status == 202, answer.body
        self.run()
        return self.last_to(address).token()

    def invited(self, address: str = STRANGER) -> str:
        """The token of an invitation of the VIP."""
        return self.invite(self.sign_in(), address)

    def mailed_token(self, address: str) -> str:
        """The token in the first mail to an address."""
        return next(mail for mail in self.mails if mail.recipient == address).token()

    def link_code(self, session: str) -> str:
        """The code of a sponsor's shared link."""
        return str(
            self.get("/v1/sponsor", Authorization=f"Bearer {session}").json()["link"]["code"]
        )

    def confirm(self, token: str, *, news: bool = False) -> Answer:
        """A referee confirms, and agrees to the brand's news or not."""
        body = {"terms_version": "2026-01", "marketing_consent": news}
        return self.post(f"/v1/invitations/{token}/confirmation", body)

    def voucher(self, address: str = STRANGER, *, news: bool = False) -> str:
        """The code of the voucher a referee gets for confirming."""
        assert self.confirm(self.invited(address), news=news).status == 201
        self.run()
        return str(self.vouchers()[-1]["printed"]["S"])

    def review(self, **changes: object) -> None:
        """Put the demo's campaign in force with a review, which holds everything."""
        self.put(campaign_like_demo(review={"hold_over": 0} | changes))
        self.clock.pass_by(minutes=1)  # the campaign before is cached

    def held_reward(self, address: str = STRANGER) -> str:
        """The name of the reward that a referee would have for confirming, and that is held."""
        self.review()
        assert self.confirm(self.invited(address)).status == 201
        self.run()
        [held] = self._of_kind("REWARD")
        return f"{held['referral_id']['S']}.{held['rule']['S']}.{held['rung']['N']}"

    def vouchers_at_once(self) -> None:
        """Put a campaign in force in which a confirmation gives both a voucher, at once."""
        welcome, *_, thanks = campaign_like_demo().model_dump(by_alias=True, exclude_unset=True)[
            "rules"
        ]
        both = [welcome, {**welcome, "id": "thanks", "issue": thanks["issue"], "to": "sponsor"}]
        self.put(campaign_like_demo(release="at_once", rules=both))
        self.clock.pass_by(minutes=1)  # the campaign before is cached

    def wall_link(self, days: int = 30) -> str:
        """The token of a wall link that ops have made."""
        token, _ = make_wall_link(self.ports, self.campaign(), by="AIDAOPS", days=days)
        return token

    def campaign(self) -> Campaign:
        """The campaign in force."""
        return current_campaign(self.ports, CAMPAIGN)

    def vouchers(self) -> list[Item]:
        """The items of all vouchers."""
        return self._of_kind("VOUCHER")

    # --- the machinery between the functions ------------------------------------------------------

    def run(self) -> None:
        """Deliver every fact to all that it triggers, until nothing is left."""
        while self._stream() or any(self._work(queue) for queue in CONSUMERS):
            pass

    def _stream(self) -> bool:
        fresh = [item for item in self.facts() if item["fact_id"]["S"] not in self._relayed]
        if not fresh:
            return False
        self._relayed |= {item["fact_id"]["S"] for item in fresh}
        assert functions.relay(stream_event(fresh)) == {"batchItemFailures": []}
        assert functions.project(stream_event(fresh)) == {"batchItemFailures": []}
        return True

    def _work(self, queue: Queue) -> bool:
        url = self.clients.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        received = self.clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        messages = received.get("Messages", [])
        if not messages:
            return False
        event = queue_event([message["Body"] for message in messages], queue)
        assert CONSUMERS[queue](event) == {"batchItemFailures": []}
        for message in messages:
            self.clients.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return True

    def drop(self, path: str, content: bytes) -> Json:
        """The client drops a file and the ingest function is called: the receipt."""
        key = f"in/{CAMPAIGN}/{path}"
        self.clients.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        assert functions.ingest(drop_event(key, self.clock())) == {"batchItemFailures": []}
        self.run()
        key = f"out/{CAMPAIGN}/receipts/{path}.json"
        content = self.file(key)
        assert not (wrong := wrong_with(key, content)), wrong
        receipt: Json = json.loads(content)
        return receipt

    # --- what is left behind ----------------------------------------------------------------------

    def file(self, key: str) -> bytes:
        """A file of the bucket."""
        return self.clients.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def table(self) -> list[Item]:
        """Every item, in the order of its key."""
        # Out of moto's own hands: a Scan takes it a hundred times as long.
        stored = dynamodb_backends[ACCOUNT][REGION].tables[TABLE].all_items()
        items: list[Item] = [deepcopy(item.to_json()["Attributes"]) for item in stored]
        return sorted(items, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))

    def facts(self) -> list[Item]:
        """Every fact, in the order of time."""

        def at(item: Item) -> tuple[datetime, str]:
            return datetime.fromisoformat(item["at"]["S"]), item["fact_id"]["S"]

        return sorted(self._of_kind("FACT"), key=at)

    def _of_kind(self, kind: str) -> list[Item]:
        # Counts alone have no kind: they are added to in place.
        return [item for item in self.table() if item.get("kind") == {"S": kind}]


def put_list(ports: Ports, name: str, addresses: Iterable[str], campaign: str = CAMPAIGN) -> None:
    """Put a first list in force."""
    pairs = (
        AddressDigests.of(Address.parse(address), [KEY]).under("demo") for address in addresses
    )
    lines = "".join(f"{form}\n" for pair in pairs for form in (pair.exact, pair.canonical))
    new = NewSegment(f"lists/{campaign}/{name}.seg", "hmac_sha256", "demo", 1)
    builder = ports.list_builder()
    with builder.gather([lines.encode()], Tally()) as digests:
        stored = builder.build(new, [Layer("full", digests)])
    pointer = current_list(
        stored, campaign=campaign, name=name, accepted_at=ports.clock(), key_id="demo"
    )
    ports.repository.commit(Insert(pointer), Insert(version_of(pointer)))


def posting(path: str, body: object = None, **headers: str) -> Request:
    """A POST of JSON; `headers` with underscores for hyphens."""
    content = None if body is None else json.dumps(body).encode()
    typed = {"Content_Type": "application/json", **headers}
    return Request("POST", path).with_body(content, **typed)


def stream_event(items: Sequence[Item]) -> Event:
    """The table's stream, as Lambda is handed it."""
    return {
        "Records": [
            {
                "eventName": "INSERT",
                "eventSource": "aws:dynamodb",
                "dynamodb": {"SequenceNumber": str(number), "NewImage": item},
            }
            for number, item in enumerate(items, start=1)
        ]
    }


def queue_event(
    bodies: Sequence[str], queue: str = "any", receives: int = 1, sent_at: datetime = START
) -> Event:
    """A batch of a queue, as Lambda is handed it."""
    return {
        "Records": [
            {
                "messageId": sha256(body.encode()).hexdigest()[:32],
                "receiptHandle": f"receipt-{number}",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": str(receives),
                    "SentTimestamp": str(round(sent_at.timestamp() * 1000)),
                },
                "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}",
            }
            for number, body in enumerate(bodies)
        ]
    }


def drop_event(key: str, at: datetime) -> Event:
    """S3's event about a new object, from the ingest queue."""
    reported = {
        "eventTime": at.isoformat(),
        # S3 reports a key as a form's field.
        "s3": {"object": {"key": quote_plus(key, safe="/"), "sequencer": "0055AED6"}},
    }
    return queue_event([json.dumps({"Records": [reported]})])


def mail_event(kind: str, mail_id: str, **more: object) -> Event:
    """An event of SES about one of our mails, as SNS passes it on."""
    notice = {
        "eventType": kind,
        "mail": {"messageId": "ses-1", "tags": {"mail_id": [mail_id]}},
        **more,
    }
    return queue_event([json.dumps({"Message": json.dumps(notice)})])


def customer_list(*addresses: str) -> bytes:
    """A file of the client's: both digests of each address."""
    pairs = [
        AddressDigests.of(Address.parse(address), [KEY]).under("demo") for address in addresses
    ]
    lines = ["digest", *(digest for pair in pairs for digest in (pair.exact, pair.canonical))]
    return "\n".join(lines).encode() + b"\n"


@contextmanager
def world(gateway: Gateway, campaign: Campaign | None = None) -> Iterator[World]:
    """A fresh world with the campaign in force and both lists."""
    clock = StoppedClock()
    with mock_aws(), environment(), _wired(clock):
        _make_resources(aws().aside)
        aws().postbox.mails.clear()
        made = World(gateway, clock)
        made.put(campaign or campaign_like_demo())
        made.put_list("customers", [CUSTOMER])
        made.put_list("vips", [VIP, OTHER_VIP])
        yield made


@contextmanager
def environment() -> Iterator[None]:
    """The variables that the stack gives its functions."""
    values = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "TANDEM_STAGE": "test",
        "TANDEM_TABLE": TABLE,
        "TANDEM_BUCKET": BUCKET,
        "TANDEM_ROOTS_BUCKET": ROOTS_BUCKET,
        "TANDEM_PAGES_BUCKET": PAGES_BUCKET,
        "TANDEM_ORIGIN": ORIGIN,
        "TANDEM_ORIGIN_KEY": ORIGIN_KEY,
        "TANDEM_SENDER": "no-reply@tandem.test",
        "TANDEM_CONFIGURATION_SET": "tandem",
        "TANDEM_KEYS_PATH": "/tandem/test/digest-keys/",
        "TANDEM_APPLE_WALLET": "yes",
        "TANDEM_GOOGLE_ISSUER": ISSUER,
        "TANDEM_WALLET_FUNCTION": "tandem-test-wallet",
        "TANDEM_WALLETS_PATH": WALLETS_PATH,
        "TANDEM_PGP_KEY": "/tandem/test/pgp-key",
        "POWERTOOLS_SERVICE_NAME": "tandem",
        "POWERTOOLS_METRICS_NAMESPACE": "Tandem",
        **{
            f"TANDEM_QUEUE_{queue.name}": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{queue}"
            for queue in Queue
        },
    }
    with patch.dict("os.environ", values):
        yield


@contextmanager
def _wired(clock: StoppedClock) -> Iterator[None]:
    cached: tuple[Callable[[], object], ...] = (
        bootstrap.settings, bootstrap.ports, bootstrap.sender, apple_credentials,
        google_credentials,
    )  # fmt: skip
    with (
        patch.object(bootstrap, "Clients", lambda: aws().clients),
        patch.object(bootstrap, "DnsMailDomains", lambda _: KnownDomains()),
        patch.object(bootstrap, "now", clock),
    ):
        for one in cached:
            one.cache_clear()  # type: ignore[attr-defined]
        yield
        for one in cached:
            one.cache_clear()  # type: ignore[attr-defined]


def _make_resources(clients: Clients) -> None:
    make_stores(clients)
    for name in CONSUMERS:
        clients.sqs.create_queue(QueueName=name)
    clients.ses.create_email_identity(EmailIdentity="no-reply@tandem.test")


def make_stores(clients: Clients) -> None:
    """The table, the bucket and the digest keys."""
    make_table(clients.dynamodb, TABLE)
    clients.s3.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"}
    )
    clients.s3.create_bucket(
        Bucket=PAGES_BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"}
    )
    clients.s3.create_bucket(
        Bucket=ROOTS_BUCKET,
        CreateBucketConfiguration={"LocationConstraint": "eu-west-3"},
        ObjectLockEnabledForBucket=True,
    )
    clients.s3.put_object_lock_configuration(
        Bucket=ROOTS_BUCKET,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 3653}},
        },
    )
    clients.ssm.put_parameter(
        Name="/tandem/test/digest-keys/demo", Value=KEY.secret.hex(), Type="SecureString"
    )
    clients.ssm.put_parameter(
        Name="/tandem/test/digest-keys/tandem", Value="0a" * 32, Type="SecureString"
    )
    apple = authority()
    for name in ("certificate", "key", "intermediate"):
        clients.ssm.put_parameter(
            Name=f"{WALLETS_PATH}apple/{name}", Value=getattr(apple, name), Type="SecureString"
        )
    clients.ssm.put_parameter(
        Name=f"{WALLETS_PATH}google/account", Value=service_account(), Type="SecureString"
    )
