"""Law 9: no log line contains an address, a name, a code or a token; every line is JSON; and one
correlation id follows an invitation through the functions.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator, Mapping

import pytest

from chalicelib import observability, work_logs
from chalicelib.invocations import WorkFailedError
from chalicelib.services.mail_ports import MailNotSentError
from chalicelib.services.mails import send as deliver
from tests import functions
from tests.api.consumers import mail_of
from tests.api.gateway import Request
from tests.api.requests import GOOD, OF_CAMPAIGN, PURCHASE, VOUCHERS, bearer, invitations
from tests.api.world import (
    BUCKET,
    CAMPAIGN,
    CUSTOMER,
    OTHER_VIP,
    STRANGER,
    VIP,
    World,
    customer_list,
    drop_event,
    mail_event,
    posting,
    queue_event,
)

pytestmark = pytest.mark.slow

NAMES = ("Wilhelmine", "Balthazar")
BY_LINK, DECLINING, BOUNCING = "par.lien.x@demo.test", "non.merci@demo.test", "rebond@demo.test"
MISTYPED = "wilhelmine@gmial.com"
ADDRESSES = (VIP, OTHER_VIP, CUSTOMER, STRANGER, BY_LINK, DECLINING, BOUNCING, MISTYPED)

Line = Mapping[str, object]


class Captured:
    """All that the functions wrote to their output, which is their log."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    @property
    def lines(self) -> list[Line]:
        """Each line, read: it has to be JSON."""
        self._text += "".join(self._capsys.readouterr())
        return [json.loads(line) for line in self._text.splitlines()]

    def leaks(self, secrets: set[str]) -> set[str]:
        """Which of `secrets` are in a line, in any JSON encoding."""
        readable = "\n".join(json.dumps(line, ensure_ascii=False) for line in self.lines)
        return {one for one in secrets if one.casefold() in readable.casefold()}


class _Output:
    """The output of the moment: pytest gives each phase of a test another one."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


@pytest.fixture
def captured(capsys: pytest.CaptureFixture[str]) -> Captured:
    """What goes to the output from here on."""
    observability.warn("the logger is made with its first line")
    (handler,) = [
        one
        for one in logging.getLogger("tandem").handlers
        if isinstance(one, logging.StreamHandler)
    ]
    handler.stream = _Output()
    capsys.readouterr()  # that first line, or that the output of an earlier test is closed
    return Captured(capsys)


@pytest.fixture
def unlogged(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """The logger of a service that has written nothing yet."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "unlogged")
    observability._made_logger.cache_clear()
    yield logging.getLogger("unlogged")
    observability._made_logger.cache_clear()
    logging.root.manager.loggerDict.pop("unlogged")


def test_threads_that_log_first_at_once_share_one_logger(unlogged: logging.Logger) -> None:
    starting, switching = threading.Barrier(8), sys.getswitchinterval()

    def log() -> None:
        starting.wait()
        observability.log("one of eight")

    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=log) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switching)
    streams = [one for one in unlogged.handlers if isinstance(one, logging.StreamHandler)]
    assert len(streams) == 1


def _story(world: World) -> set[str]:
    """Everything that happens to people; returns all that must not be in any line."""
    session = world.sign_in()
    link = world.link_code(session)
    world.sign_in_token(OTHER_VIP)
    confirmed = _invited(world, session, STRANGER)
    declined = _invited(world, session, DECLINING)
    _invited(world, session, BOUNCING)
    functions.mail_events(mail_event("Bounce", mail_of(world), bounce={"bounceType": "Permanent"}))
    world.ask(invitations(CUSTOMER, session=session))
    world.ask(posting(f"{OF_CAMPAIGN}/links/{link}/sign-up", _named(BY_LINK)))
    world.run()
    assert world.confirm(confirmed).status == 201
    world.post(f"/v1/invitations/{declined}/decline")
    world.post(f"/v1/unsubscribe/{world.last_to(BY_LINK).token('/v1/unsubscribe/')}")
    world.run()
    codes = _vouchers_are_used(world)
    world.get("/v1/sponsor", Authorization=bearer(session))
    functions.expire()
    functions.reconcile()
    functions.report()
    tokens = {
        mail.token(before)
        for mail in world.mails
        for before in ("#token=", "/v1/unsubscribe/")
        if before in mail.text
    }
    assert len(tokens) > 8
    return {*ADDRESSES, *NAMES, *codes, *tokens, link, session}


def _named(address: str) -> dict[str, str]:
    return {"email": address, "first_name": NAMES[0]}


def _invited(world: World, session: str, address: str) -> str:
    world.clock.pass_by(seconds=1)
    body = {"referees": [_named(address)]}
    world.post("/v1/sponsor/invitations", body, Authorization=bearer(session))
    world.run()
    return world.last_to(address).token()


def _vouchers_are_used(world: World) -> set[str]:
    functions.export()
    world.run()
    world.drop("acks/00000001.ack", b"")
    printed = world.vouchers()[0]["printed"]["S"]
    world.get(f"{VOUCHERS}/{printed}")
    world.post(f"{VOUCHERS}/{printed}/redemptions", PURCHASE)
    world.delete(f"{VOUCHERS}/{printed}/redemptions/{PURCHASE['order_id']}")
    order = PURCHASE | {"order_id": "web-2", "voucher_code": printed, "status": "kept"}
    world.post("/v1/client/orders", {"orders": [order]})
    world.run()
    world.drop("orders/wrong.csv", f"order_id\n{STRANGER}\n{printed}\n".encode())
    world.drop("customers/full/new.csv", customer_list(CUSTOMER))
    world.drop("vips/full/plain.csv", f"digest\n{VIP}\n".encode())
    world.run()
    return {item[form]["S"] for item in world.vouchers() for form in ("printed", "code")}


def _bad_input(world: World) -> None:
    world.ask(posting(f"{OF_CAMPAIGN}/sign-in", {"email": MISTYPED}))
    world.ask(posting(f"{OF_CAMPAIGN}/sign-in", {"email": VIP, STRANGER: NAMES[1]}))
    world.ask(posting(f"/v1/campaigns/{VIP}/sign-in", {"email": VIP}))
    world.ask(Request("POST", f"{OF_CAMPAIGN}/sign-in", f"email={VIP}".encode()))
    world.ask(posting(f"{OF_CAMPAIGN}/sessions", {"token": "x", "first_name": f"{NAMES[1]}.com"}))


def test_a_whole_story_leaves_no_address_name_code_or_token_in_any_line(
    world: World, captured: Captured, caplog: pytest.LogCaptureFixture
) -> None:
    """Law 9."""
    secrets = _story(world)
    _bad_input(world)
    assert len(captured.lines) > 60
    assert captured.leaks(secrets) == set()
    assert {one.name for one in caplog.records} == {"tandem"}, "nobody else writes lines"


def test_a_file_named_like_an_address_is_logged_without_its_name(
    world: World, captured: Captured
) -> None:
    """Law 9."""
    for path in (STRANGER, f"{STRANGER}/orders.csv", f"orders/{STRANGER}.csv"):
        key = f"in/{CAMPAIGN}/{path}"
        world.clients.s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
        assert functions.ingest(drop_event(key, world.clock())) == {"batchItemFailures": []}
    lines = [line for line in captured.lines if line.get("message") == "file processed"]
    assert [line["area"] for line in lines] == ["unknown", "unknown", "orders"]
    assert {line["quarantined"] for line in lines} == {"yes"}
    assert captured.leaks({STRANGER}) == set()


def test_what_goes_wrong_inside_is_logged_without_its_message(
    world: World, captured: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 9: an exception's message may quote its input."""

    def broken(*_: object, **__: object) -> None:
        raise ValueError(STRANGER, NAMES[0])

    world.ask(GOOD["sign_in"](world))
    world.sign_in()
    monkeypatch.setattr(deliver, "compose", broken)
    body = '{"not": "a fact", "address": "' + STRANGER + '"}'
    assert len(functions.mail(queue_event([body]))["batchItemFailures"]) == 1
    _fails_to_mail(world)
    monkeypatch.setattr("chalicelib.functions.expire.hand_out_due", broken)
    with pytest.raises(WorkFailedError) as raised:
        functions.expire()
    assert STRANGER not in f"{raised.value}{raised.value.__cause__}"
    errors = [line for line in captured.lines if line.get("level") == "ERROR"]
    assert {str(line["error"]) for line in errors} == {"ValidationError", "ValueError"}
    assert all(line["at"] for line in errors)
    assert captured.leaks({STRANGER, *NAMES}) == set()


def _fails_to_mail(world: World) -> None:
    with pytest.raises(AssertionError):
        world.sign_in_token(OTHER_VIP)


def test_a_busy_sender_is_logged_by_the_type_of_the_refusal(
    world: World, captured: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, recipient: str, **__: object) -> str:
        raise MailNotSentError(recipient, final=False)

    monkeypatch.setattr(type(world.ports.mailer), "send", busy)
    _fails_to_mail(world)
    assert [line for line in captured.lines if line.get("error") == "SenderBusyError"]
    assert captured.leaks({OTHER_VIP}) == set()


def test_one_correlation_id_is_in_the_lines_of_decide_mail_and_reward(
    world: World, captured: Captured
) -> None:
    assert world.confirm(world.invited()).status == 201
    world.run()
    ((correlation,),) = [
        [item["correlation"]["S"]]
        for item in world.table()
        if item.get("kind") == {"S": "INVITATION"}
    ]
    followed = [line for line in captured.lines if line.get("correlation") == correlation]
    reported = [line["message"] for line in followed]
    assert reported == ["request", "decided", "mailed", "request", "mailed", "rewarded"]
    outcomes = [line["outcome"] for line in followed if "outcome" in line]
    assert outcomes == ["eligible", "sent", "nothing_to_send", "granted"]


def test_every_refusal_and_every_answer_is_one_line(world: World, captured: Captured) -> None:
    world.ask(GOOD["sign_in"](world))
    world.ask(GOOD["sign_in"](world).with_body(b"{"))
    lines = [line for line in captured.lines if line["message"] == "request"]
    assert [(line["operation"], line["status"], line.get("problem")) for line in lines] == [
        ("sign_in", 202, None),
        ("sign_in", 400, "urn:tandem:problem:malformed-json"),
    ]


def test_a_line_with_an_address_would_be_found(
    world: World, captured: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above have teeth: they find a secret in one careless line."""

    def careless(error: BaseException, message: str, **_: object) -> None:
        observability.log(message, reported=str(error))

    monkeypatch.setattr(work_logs, "failed", careless)
    body = '{"not": "a fact", "address": "' + STRANGER + '"}'
    functions.mail(queue_event([body]))
    observability.log("hello", to="Solène")
    assert captured.leaks({STRANGER, "SOLÈNE", VIP}) == {STRANGER, "SOLÈNE"}
    assert world.mails == []


def test_a_line_that_is_no_json_would_be_found(captured: Captured) -> None:
    print("a line of text")
    with pytest.raises(json.JSONDecodeError):
        _ = captured.lines
