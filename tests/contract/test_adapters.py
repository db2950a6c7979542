"""The adapters of SES, SQS, SSM and randomness: what is sent, and how an answer is interpreted."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Iterator

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.stub import Stubber

from chalicelib.adapters import codes
from chalicelib.adapters.clients import Clients
from chalicelib.adapters.codes import AT_ONCE, SecureCodes
from chalicelib.adapters.dynamodb.codec import fact_from_json, fact_json
from chalicelib.adapters.pgp import ParameterKey
from chalicelib.adapters.ses import SesMailer
from chalicelib.adapters.sqs import QueueRefusedError, WorkQueues
from chalicelib.adapters.ssm import ParameterKeys
from chalicelib.domain.addresses import DigestKey
from chalicelib.domain.campaign.lists import DigestKeys
from chalicelib.domain.codes import ALPHABET, is_valid
from chalicelib.events import part_in
from chalicelib.services.cipher_ports import NoKeyOfOursError
from chalicelib.services.mail_ports import MailNotSentError, MailUncertainError
from chalicelib.services.ports import PartOfFile
from tests.contract.test_repository import fact
from tests.fakes.ports import SettableClock

pytestmark = pytest.mark.slow

URL = "https://sesv2.example"


@pytest.fixture
def ses(clients: Clients) -> Iterator[Stubber]:
    """SES with scripted answers."""
    with Stubber(clients.ses) as stub:
        yield stub


def send(clients: Clients) -> str:
    mailer = SesMailer(clients, "tandem@demo.test", "tandem", SettableClock())
    return mailer.send(b"From: x\r\n\r\n", recipient="jeanne@example.fr", mail_id="invitation-1")


def test_a_mail_leaves_with_our_id_as_its_tag(clients: Clients, ses: Stubber) -> None:
    expected = {
        "FromEmailAddress": "tandem@demo.test",
        "Destination": {"ToAddresses": ["jeanne@example.fr"]},
        "Content": {"Raw": {"Data": b"From: x\r\n\r\n"}},
        "EmailTags": [{"Name": "mail_id", "Value": "invitation-1"}],
        "ConfigurationSetName": "tandem",
    }
    ses.add_response("send_email", {"MessageId": "ses-1"}, expected)
    assert send(clients) == "ses-1"


def test_law_2_a_mail_is_sent_in_one_attempt(clients: Clients) -> None:
    assert vars(clients.ses.meta.config)["retries"]["total_max_attempts"] == 1


@pytest.mark.parametrize(
    ("code", "status", "final"),
    [
        ("MessageRejected", 400, False),
        ("BadRequestException", 400, True),
        ("TooManyRequestsException", 429, False),
        ("ThrottlingException", 400, False),
        ("LimitExceededException", 400, False),
        ("AccountSuspendedException", 400, False),
        ("SendingPausedException", 400, False),
        ("AccessDeniedException", 403, False),
        ("NotFoundException", 404, False),
        ("MailFromDomainNotVerifiedException", 400, False),
    ],
)
def test_a_refusal_means_that_the_mail_was_not_sent(
    clients: Clients, ses: Stubber, code: str, status: int, final: bool
) -> None:
    ses.add_client_error("send_email", code, http_status_code=status)
    with pytest.raises(MailNotSentError) as caught:
        send(clients)
    assert (caught.value.reason, caught.value.final) == (code, final)


def test_the_senders_rate_is_asked_for_once_in_a_quarter_of_an_hour(
    clients: Clients, ses: Stubber
) -> None:
    clock = SettableClock()
    mailer = SesMailer(clients, "tandem@demo.test", "tandem", clock)
    ses.add_response("get_account", {"SendQuota": {"MaxSendRate": 14.0}}, {})
    ses.add_client_error("get_account", "TooManyRequestsException", http_status_code=429)
    ses.add_response("get_account", {"SendQuota": {"MaxSendRate": 80.0}}, {})
    for rate in (14.0, 14.0, 80.0):  # one that is not known for now stays as it was
        assert (mailer.rate(), mailer.rate()) == (rate, rate)
        clock.advance(minutes=15)
    ses.assert_no_pending_responses()


@pytest.mark.parametrize("answer", [{}, {"SendQuota": {}}, {"SendQuota": {"MaxSendRate": -1.0}}])
def test_a_rate_that_is_not_said_is_unknown(
    clients: Clients, ses: Stubber, answer: dict[str, dict[str, float]]
) -> None:
    ses.add_response("get_account", answer, {})
    assert SesMailer(clients, "tandem@demo.test", "tandem", SettableClock()).rate() is None


def test_a_failure_of_the_sender_itself_is_uncertain(clients: Clients, ses: Stubber) -> None:
    ses.add_client_error("send_email", "InternalFailure", http_status_code=500)
    with pytest.raises(MailUncertainError):
        send(clients)


@pytest.mark.parametrize(
    ("error", "reported"),
    [
        (ConnectTimeoutError(endpoint_url=URL), MailNotSentError),
        (EndpointConnectionError(endpoint_url=URL), MailNotSentError),
        (ReadTimeoutError(endpoint_url=URL), MailUncertainError),
    ],
)
def test_without_a_connection_nothing_left_and_without_an_answer_nobody_knows(
    clients: Clients,
    monkeypatch: pytest.MonkeyPatch,
    error: BotoCoreError,
    reported: type[Exception],
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(clients.ses, "send_email", fail)
    with pytest.raises(reported):
        send(clients)


def test_facts_come_out_of_a_queue_as_they_went_in(clients: Clients) -> None:
    url = clients.sqs.create_queue(QueueName="mail")["QueueUrl"]
    facts = [fact(number) for number in range(23)]
    WorkQueues(clients, {"mail": url}).put("mail", facts)
    received = []
    for _ in range(3):
        answer = clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        received += [fact_from_json(message["Body"]) for message in answer["Messages"]]
    assert sorted(received, key=lambda one: int(one.fact_id[1:])) == facts


def test_a_call_of_which_sqs_refuses_a_message_has_failed(clients: Clients) -> None:
    refused = {"Id": "1", "Code": "InternalError", "SenderFault": False}
    taken = {"Id": "0", "MessageId": "m", "MD5OfMessageBody": "0" * 32}
    with Stubber(clients.sqs) as stub:
        stub.add_response("send_message_batch", {"Successful": [taken], "Failed": [refused]})
        with pytest.raises(QueueRefusedError):
            WorkQueues(clients, {"mail": URL}).put("mail", [fact(1), fact(2)])


def test_parts_of_a_file_come_out_of_their_queue_as_they_went_in(clients: Clients) -> None:
    url = clients.sqs.create_queue(QueueName="parts")["QueueUrl"]
    parts = [PartOfFile("demo-vip", "f", number) for number in range(1, 13)]
    WorkQueues(clients, {"parts": url}).put_parts(parts)
    bodies = []
    for _ in range(2):
        answer = clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        bodies += [message["Body"] for message in answer["Messages"]]
    assert sorted(map(str, map(part_in, bodies))) == sorted(map(str, parts))
    assert part_in(fact_json(fact(1))) is None


def test_a_queue_has_a_backlog_while_messages_wait_that_nobody_has_received(
    clients: Clients,
) -> None:
    url = clients.sqs.create_queue(QueueName="mail")["QueueUrl"]
    queues = WorkQueues(clients, {"mail": url})
    assert not queues.has_backlog("mail")
    queues.put("mail", [fact(1)])
    assert queues.has_backlog("mail")
    clients.sqs.receive_message(QueueUrl=url, VisibilityTimeout=360)
    assert not queues.has_backlog("mail")  # somebody is at it, or it is tried again later


def test_a_postponed_message_is_there_again_when_its_time_has_come(clients: Clients) -> None:
    urls = {
        name: clients.sqs.create_queue(QueueName=f"tandem-test-{name}")["QueueUrl"]
        for name in ("mail", "requested-mail")
    }
    queues, url = WorkQueues(clients, urls), urls["requested-mail"]
    queues.put("requested-mail", [fact(1)])
    [message] = clients.sqs.receive_message(QueueUrl=url, VisibilityTimeout=360)["Messages"]
    assert "Messages" not in clients.sqs.receive_message(QueueUrl=url)
    queues.postpone("tandem-test-requested-mail", message["ReceiptHandle"], 0)
    assert len(clients.sqs.receive_message(QueueUrl=url)["Messages"]) == 1


def test_keys_are_read_by_their_name_and_once(clients: Clients) -> None:
    path = "/tandem/test/digest-keys/"
    for name, secret in (("k1", b"one"), ("k2", b"two")):
        clients.ssm.put_parameter(Name=path + name, Value=secret.hex(), Type="SecureString")
    keys = ParameterKeys(clients, path)
    both = DigestKeys(key_ids=("k2", "k1"))
    found = [DigestKey("k2", secret=b"two"), DigestKey("k1", secret=b"one")]
    assert keys.in_force(both) == found
    clients.ssm.delete_parameters(Names=[path + "k1", path + "k2"])
    assert keys.in_force(both) == found
    plain = DigestKeys(algorithm="sha256", key_ids=("k1",))
    assert keys.in_force(plain) == [DigestKey("k1", "sha256")]


def test_our_own_key_is_read_beside_the_clients_and_once(clients: Clients) -> None:
    path = "/tandem/test/digest-keys/"
    clients.ssm.put_parameter(Name=path + "tandem", Value="0a" * 32, Type="SecureString")
    keys = ParameterKeys(clients, path)
    own = DigestKey("tandem.2", secret=b"\n" * 32)
    assert keys.own() == own
    clients.ssm.delete_parameters(Names=[path + "tandem"])
    assert keys.own() == own


def test_a_pgp_key_that_was_never_made_is_not_taken_for_one_that_cannot_be_read(
    clients: Clients,
) -> None:
    key = ParameterKey(clients, "/tandem/test/pgp-key")
    with pytest.raises(NoKeyOfOursError):
        key()
    clients.ssm.put_parameter(Name="/tandem/test/pgp-key", Value="a key", Type="SecureString")
    assert key() == "a key"
    clients.ssm.delete_parameter(Name="/tandem/test/pgp-key")


def test_many_voucher_codes_are_valid_and_no_two_alike() -> None:
    drawn = SecureCodes().voucher_codes(AT_ONCE + 5)
    assert len(set(drawn)) == len(drawn) == AT_ONCE + 5
    assert all(map(is_valid, drawn))


def test_a_code_drawn_twice_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([bytes(100), bytes([1] * 100)])
    monkeypatch.setattr(secrets, "token_bytes", lambda _: next(drawn))
    first, second = SecureCodes().voucher_codes(2)
    assert (first[0], second[0]) == (ALPHABET[0], ALPHABET[1])


def test_every_letter_of_a_code_is_as_likely_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    every_byte = bytes(reversed(range(256)))
    monkeypatch.setattr(secrets, "token_bytes", lambda _: every_byte)
    times = 256 // len(ALPHABET)
    assert Counter(codes._letters(times * len(ALPHABET))) == dict.fromkeys(ALPHABET, times)


def test_codes_are_long_enough_and_never_the_same() -> None:
    source = SecureCodes()
    assert re.fullmatch(r"[0-9a-f]{32}", source.identifier())
    assert re.fullmatch(r"[\w-]{43}", source.token())
    assert re.fullmatch(r"[2-9a-hj-km-np-z]{12}", source.link_code())
    assert is_valid(source.voucher_code())
    for draw in (source.identifier, source.token, source.link_code, source.voucher_code):
        assert len({draw() for _ in range(200)}) == 200
