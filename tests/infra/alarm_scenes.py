"""What makes each alarm ring, as a scene: functions of ours run and tell what they count, and AWS
publishes what it publishes of its own services then.

A scene names the alarms that it makes ring, and no other may. Where a queue is concerned it is
played: deliveries, visibility, the dead queue, and the metrics of each minute, without what SQS
leaves out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from chalicelib import bootstrap, daily_checks, invocations
from chalicelib.adapters.lists.current import CurrentLists
from chalicelib.domain.fact_bodies import (
    InvitationsStopped,
    ListWaits,
    MailFailed,
    VoucherUndelivered,
)
from chalicelib.domain.fact_checks import FactCheck, first_check
from chalicelib.domain.facts import FactName
from chalicelib.domain.files.orders import COLUMNS
from chalicelib.domain.mails import MailProblem
from chalicelib.services.errors import RetryLaterError, SenderBusyError, WaitsFor
from chalicelib.services.list_ports import ListUnavailableError
from chalicelib.services.mail_ports import MailNotSentError
from chalicelib.services.ports import Replace
from infra.postprocess import FUNCTIONS
from tests import functions
from tests.api.requests import GOOD, PURCHASE
from tests.api.world import (
    CAMPAIGN,
    STRANGER,
    VIP,
    Event,
    campaign_like_demo,
    customer_list,
    queue_event,
)
from tests.infra.alarm_stage import Consumer, Crash, Queue, Scene, ThrottledError

LONG = 40  # minutes, in which a condition of a quarter of an hour rings and another one would too


Play = Callable[[Scene], None]


@dataclass(frozen=True)
class Condition:
    """A scene by name, with the alarms that it makes ring and the parameters of its stack."""

    name: str
    rings: frozenset[str]
    play: Play
    parameters: Mapping[str, Any] = field(default_factory=dict)


CONDITIONS: list[Condition] = []


def rings(*alarms: str, **parameters: Any) -> Callable[[Play], Play]:
    """The decorated scene makes these alarms ring, and no other."""

    def noted(play: Play) -> Play:
        CONDITIONS.append(Condition(play.__name__, frozenset(alarms), play, parameters))
        return play

    return noted


# --- the machinery --------------------------------------------------------------------------------


def _lags(function: str, alarm: str) -> None:
    def play(scene: Scene) -> None:
        for late in range(5):
            age = (60 + late * 60) * 1000 + 1
            scene.aws("AWS/Lambda", "IteratorAge", age, FunctionName=scene.function(function))
            # A batch that fails is a failed call too.
            scene.aws("AWS/Lambda", "Errors", 4, FunctionName=scene.function(function))
            scene.pass_by(minutes=1)

    CONDITIONS.append(Condition(f"{function} is behind", frozenset({alarm}), play))


_lags("Relay", "relay-lag")
_lags("Project", "project-lag")


def _nobody_takes(queue: str, alarm: str, minutes: int) -> None:
    def play(scene: Scene) -> None:
        waiting = Queue(scene, queue, None)
        waiting.send("work")
        waiting.play(minutes)

    CONDITIONS.append(Condition(f"nobody takes from {queue}", frozenset({alarm}), play))


_nobody_takes("Ingest", "ingest-wait", LONG)
_nobody_takes("Parts", "parts-wait", 130)
_nobody_takes("Decide", "decide-wait", LONG)
_nobody_takes("RequestedDecision", "requested-decision-wait", LONG)
_nobody_takes("Due", "due-wait", LONG)
_nobody_takes("Mail", "mail-wait", LONG)
_nobody_takes("RequestedMail", "requested-mail-wait", LONG)
_nobody_takes("Reward", "reward-wait", LONG)
_nobody_takes("Persons", "persons-wait", 130)
_nobody_takes("MailEvents", "mail-events-wait", LONG)


def _is_given_up(name: str) -> None:
    def play(scene: Scene) -> None:
        queue = f"tandem-test-{name}-dead"
        for _ in range(5):
            scene.aws("AWS/SQS", "ApproximateNumberOfMessagesVisible", 1, QueueName=queue)
            scene.pass_by(minutes=1)

    alarm = f"{name}-dead-not-empty"
    CONDITIONS.append(Condition(f"{name} has given up", frozenset({alarm}), play))


for _name in ("ingest", "parts", "decide", "requested-decision", "mail", "requested-mail", "reward",
              "persons", "mail-events", "stream", "schedule"):  # fmt: skip
    _is_given_up(_name)


@rings("function-crashed")
def a_mail_that_kills_the_function_each_time(scene: Scene) -> None:
    scene.world.invited()
    scene.breaks("chalicelib.services.mails.send.draft_for", Crash())
    mails = Queue(scene, "Mail", functions.mail)
    mails.send(scene.newest(FactName.INVITATION_ACCEPTED))
    mails.play(LONG)


def _received_thrice_and_then_left(queue: str, place: str, consumer: Consumer) -> None:
    """What SQS leaves out of the age: three tries, and then nobody takes it."""

    def play(scene: Scene) -> None:
        scene.world.invited()
        scene.breaks(f"chalicelib.functions.{place}", RetryLaterError(WaitsFor.OTHER_WORK))
        waiting = Queue(scene, queue, consumer)
        waiting.send(scene.newest(FactName.INVITATION_ACCEPTED))
        while not waiting.was_received(3):
            waiting.play(1)
        waiting.is_left_alone()
        waiting.play(LONG)

    alarm = f"{queue.lower()}-wait"
    CONDITIONS.append(Condition(f"received thrice, then left: {queue}", frozenset({alarm}), play))


_received_thrice_and_then_left("Mail", "mail.send_mail", functions.mail)
_received_thrice_and_then_left("Reward", "reward.reward_referral", functions.reward)


def _may_not_be_called(queue: str) -> None:
    """Lambda takes from the queue and may not call: too seldom for `throttles` to notice."""

    def play(scene: Scene) -> None:
        def held_back(_: Event) -> Event:
            raise ThrottledError

        waiting = Queue(scene, queue, held_back)
        waiting.send("work")
        waiting.play(LONG)

    alarm = f"{queue.lower()}-wait"
    CONDITIONS.append(Condition(f"no call for {queue}", frozenset({alarm}), play))


_may_not_be_called("Mail")
_may_not_be_called("Reward")


@rings("mail-wait")
def mails_that_nobody_takes_while_those_that_people_wait_for_are_sent(scene: Scene) -> None:
    scene.world.invited()
    scene.monkeypatch.setattr("chalicelib.functions.mail.send_mail", lambda *_, **__: "sent")
    mails, requested = Queue(scene, "Mail", None), Queue(scene, "RequestedMail", functions.mail)
    mails.send("work")
    for _ in range(LONG):
        requested.send(scene.newest(FactName.INVITATION_ACCEPTED))
        requested.play(1, mails)


@rings("throttles")
def the_concurrency_of_the_account_is_used_up(scene: Scene) -> None:
    for _ in range(10):
        for by in ({}, {"FunctionName": scene.function("APIHandler")}):
            scene.aws("AWS/Lambda", "Throttles", 7, **by)
        scene.aws("AWS/ApiGateway", "5XXError", 7, ApiName="tandem-test", Stage="api")
        scene.pass_by(minutes=1)


@rings("api-5xx")
def the_gateway_cannot_call_the_function_and_few_people_are_there(scene: Scene) -> None:
    for number in range(10):
        answered = float(number % 3 == 0)
        scene.aws("AWS/ApiGateway", "5XXError", answered, ApiName="tandem-test", Stage="api")
        scene.pass_by(minutes=1)


def _answers(scene: Scene, status: int, times: int) -> None:
    for _ in range(times):
        assert scene.world.ask(GOOD["sign_in"](scene.world)).status == status
        failed = float(status >= 500)
        scene.aws("AWS/ApiGateway", "5XXError", failed, ApiName="tandem-test", Stage="api")
        scene.pass_by(minutes=1)


@rings("request-failed")
def every_request_fails_for_a_reason_that_nobody_foresaw(scene: Scene) -> None:
    scene.breaks("chalicelib.api.edge.Call.check_size", ZeroDivisionError())
    # No operation promises a 500.
    scene.monkeypatch.setattr("tests.api.gateway.disagreement", lambda *_: None)
    _answers(scene, 500, times=5)


@rings("list-unavailable")
def nobody_can_be_decided_on_or_confirm_because_lists_are_too_old(scene: Scene) -> None:
    token = scene.world.invited()
    scene.pass_by(minutes=1)
    scene.breaks(
        "chalicelib.adapters.lists.current.CurrentLists.find", ListUnavailableError("too_old")
    )
    for _ in range(10):
        assert scene.world.confirm(token).status == 503
        scene.aws("AWS/ApiGateway", "5XXError", 1, ApiName="tandem-test", Stage="api")
        scene.world.ask(GOOD["sign_in"](scene.world))
        scene.world.run()
        scene.pass_by(minutes=1)


def _access_log(scene: Scene, **values: str) -> str:
    """A line of the API's own log, in the format of the template."""
    setting = scene.template["Resources"]["RestAPI"]["Properties"]["AccessLogSetting"]
    return re.sub(r"\$context\.([\w.]+)", lambda one: values.get(one[1], "-"), setting["Format"])


def _filtered(scene: Scene, lines: list[str]) -> None:
    """What the metric filters of the template make of lines of a log."""
    for resource in scene.template["Resources"].values():
        if resource["Type"] == "AWS::Logs::MetricFilter":
            properties = scene.resolve(resource["Properties"])
            pattern = re.fullmatch(r'\{ \$\.(\w+) = "(\w+)" \}', properties["FilterPattern"])
            assert pattern
            found = sum(json.loads(line)[pattern[1]] == pattern[2] for line in lines)
            for made in properties["MetricTransformations"]:
                value = float(made["MetricValue"])
                scene.aws(made["MetricNamespace"], made["MetricName"], *[value] * found)


@rings("request-throttled")
def one_laptop_calls_more_than_everybody_may(scene: Scene) -> None:
    throttled = {"status": "429", "error.responseType": "THROTTLED"}
    _filtered(scene, [_access_log(scene, **throttled)] * 21)


@rings("sign-ins-asked", SignInsExpected=2)
def more_sign_ins_are_asked_than_expected(scene: Scene) -> None:
    for _ in range(3):
        scene.world.ask(GOOD["sign_in"](scene.world))
    scene.world.run()


@rings("schedule-dead-not-empty")
def a_scheduled_run_fails_and_its_retry_too(scene: Scene) -> None:
    scene.breaks("chalicelib.functions.expire.hand_out_due", ZeroDivisionError())
    name = scene.function("Expire")
    for _ in range(2):
        with pytest.raises(invocations.WorkFailedError):
            functions.expire()
        scene.aws("AWS/Lambda", "Errors", 1, FunctionName=name)
        scene.pass_by(minutes=1)
    for _ in range(5):
        dead = "tandem-test-schedule-dead"
        scene.aws("AWS/SQS", "ApproximateNumberOfMessagesVisible", 1, QueueName=dead)
        scene.pass_by(minutes=1)


# --- work that is retried -------------------------------------------------------------------------


@rings("work-failed")
def a_mail_that_always_fails(scene: Scene) -> None:
    scene.world.invited()
    scene.breaks("chalicelib.services.mails.send.draft_for", ZeroDivisionError())
    mails = Queue(scene, "Mail", functions.mail)
    mails.send(scene.newest(FactName.INVITATION_ACCEPTED))
    mails.play(LONG)


@rings("function-crashed")
def a_reward_that_kills_the_function_each_time(scene: Scene) -> None:
    scene.world.invited()
    scene.breaks("chalicelib.functions.reward.reward_referral", Crash())
    _reward_that_waits(scene, FactName.INVITATION_ACCEPTED)


@rings("work-failed", "decide-dead-not-empty")
def a_decision_that_always_fails_rings_again_when_it_is_given_up(scene: Scene) -> None:
    decisions = Queue(scene, "Decide", functions.decide)
    decisions.send("{}")
    decisions.play(LONG)


@rings("work-waits")
def a_sender_that_takes_no_mail(scene: Scene) -> None:
    scene.world.ask(GOOD["invite"](scene.world))
    functions.decide(queue_event([scene.newest(FactName.INVITATION_RECEIVED)]))
    busy = MailNotSentError("SendingPausedException", final=False)
    scene.breaks("chalicelib.adapters.ses.SesMailer.send", busy)
    mails = Queue(scene, "Mail", functions.mail)
    mails.send(scene.newest(FactName.INVITATION_ACCEPTED))
    mails.play(LONG)


def _reward_that_waits(scene: Scene, name: FactName) -> None:
    rewards = Queue(scene, "Reward", functions.reward)
    rewards.send(scene.newest(name))
    rewards.play(LONG)


@rings("codes-low")
def a_reward_for_which_no_code_is_left(scene: Scene) -> None:
    token = scene.world.invited()
    scene.world.put_templates(welcome={"codes": "client"})
    assert scene.world.confirm(token).status == 201
    _reward_that_waits(scene, FactName.REFERRAL_CONFIRMED)


@rings("list-unavailable")
def a_reward_that_no_list_can_be_asked_about(scene: Scene) -> None:
    order = PURCHASE | {"voucher_code": scene.world.voucher(), "status": "kept"}
    scene.world.post("/v1/client/orders", {"orders": [order]})
    for name in ("find", "find_as_of"):
        place = f"{CurrentLists.__module__}.CurrentLists.{name}"
        scene.breaks(place, ListUnavailableError("too_old"))
    _reward_that_waits(scene, FactName.ORDER_KEPT)


# --- the client's files ---------------------------------------------------------------------------


@rings("list-refused")
def a_list_is_refused(scene: Scene) -> None:
    assert scene.world.drop("customers/full/a.csv", b"digest\nwrong\n")["status"] == "refused"


@rings("list-held")
def a_list_shrinks_too_much(scene: Scene) -> None:
    many = customer_list(*(f"customer{number}@demo.test" for number in range(8)))
    assert scene.world.drop("customers/full/many.csv", many)["status"] == "accepted"
    scene.pass_by(minutes=5)
    few = scene.world.drop("customers/full/few.csv", customer_list("customer1@demo.test"))
    assert few["reason"] == "shrink_beyond_limit"


@rings("list-waits")
def a_delta_waits_for_its_full_list(scene: Scene) -> None:
    scene.happens(ListWaits(list_name="customers", mode="add", rows=1))


@rings("file-quarantined")
def a_list_of_plain_addresses_is_dropped(scene: Scene) -> None:
    plain = f"digest\n{STRANGER}\n".encode()
    assert scene.world.drop("customers/full/plain.csv", plain)["status"] == "refused"


@rings("file-refused")
def a_file_of_orders_is_refused(scene: Scene) -> None:
    assert scene.world.drop("orders/wrong.csv", b"order_id\n1\n")["status"] == "refused"


@rings("file-differs")
def an_export_finds_a_file_of_its_number(scene: Scene) -> None:
    scene.world.voucher()
    path = f"out/{CAMPAIGN}/vouchers/00000001.csv.gz"
    scene.world.ports.files.write(path, b"of a table that was restored")
    functions.export()


@rings("list-unavailable")
def the_lists_of_an_open_campaign_are_too_old(scene: Scene) -> None:
    scene.world.run()
    functions.seal()
    scene.pass_by(days=31)
    functions.reconcile()  # whose table is new: it finds nothing to check before


@rings("export-unacknowledged")
def an_export_is_not_acknowledged(scene: Scene) -> None:
    scene.world.put(campaign_like_demo(acknowledge_within=1))
    scene.world.voucher()
    functions.export()
    _an_hour_later(scene)


@rings("orders-missing")
def no_file_of_orders_comes(scene: Scene) -> None:
    scene.world.put(campaign_like_demo(orders_expected_every=1))
    _an_hour_later(scene)


def _an_hour_later(scene: Scene) -> None:
    scene.world.run()
    functions.seal()
    scene.pass_by(minutes=70)
    functions.reconcile()
    scene.pass_by(minutes=70)
    functions.reconcile()


@rings("voucher-refused")
def an_acknowledgement_refuses_a_code(scene: Scene) -> None:
    code = scene.world.voucher()
    functions.export()
    scene.world.run()
    scene.world.drop("acks/00000001.ack", f"code,reason\n{code},unknown\n".encode())


# --- the books ------------------------------------------------------------------------------------


@rings("reconcile")
def the_journal_is_not_sealed(scene: Scene) -> None:
    scene.world.sign_in()
    scene.pass_by(hours=3)
    functions.reconcile()


@rings("balance")
def counts_and_facts_do_not_agree(scene: Scene) -> None:
    found = [(scene.world.ports.campaigns.get(CAMPAIGN), 2)]
    scene.monkeypatch.setattr(daily_checks, "write_balances", lambda *_, **__: found)
    functions.report()


@rings("reconciliation-difference")
def a_voucher_is_worth_something_else_in_the_table(scene: Scene) -> None:
    scene.world.voucher()
    functions.export()
    [voucher] = scene.world.ports.repository.every_voucher()
    scene.world.ports.repository.commit(Replace(replace(voucher, value_minor=1)))
    scene.monkeypatch.setattr(daily_checks, "write_balances", lambda *_, **__: ())
    scene.pass_by(days=1)
    functions.report()


@rings("not-handled")
def a_report_of_one_campaign_fails(scene: Scene) -> None:
    scene.breaks("chalicelib.functions.report.write_report", ZeroDivisionError())
    functions.report()


# --- mails ----------------------------------------------------------------------------------------


@rings("invitations-stopped")
def too_many_invitations_bounce(scene: Scene) -> None:
    scene.happens(InvitationsStopped(reason="hard_bounces"))


@rings("voucher-undelivered")
def a_vouchers_mail_bounces(scene: Scene) -> None:
    scene.happens(VoucherUndelivered(voucher_id="v", mail_id="m", reason=MailProblem.BOUNCED))


@rings("mail-failed")
def the_sender_refuses_mails_for_good(scene: Scene) -> None:
    scene.happens(MailFailed(mail_id="m", reason="refused"), times=5)


@rings("ses-bounce-rate")
def five_in_a_hundred_mails_of_the_account_bounce(scene: Scene) -> None:
    scene.aws("AWS/SES", "Reputation.BounceRate", 0.05)


@rings("ses-complaint-rate")
def one_in_a_thousand_mails_of_the_account_is_called_spam(scene: Scene) -> None:
    scene.aws("AWS/SES", "Reputation.ComplaintRate", 0.001)


# --- nothing is wrong -----------------------------------------------------------------------------


def _checked_up_to_now(scene: Scene) -> None:
    check = bootstrap.ports().repository.get(FactCheck)
    assert check
    checked = replace(check, hour=first_check(scene.world.clock()).hour)
    bootstrap.ports().repository.commit(Replace(checked))


@rings()
def a_good_day(scene: Scene) -> None:
    """All of a story, what happens to anybody now and then, and AWS's own metrics at rest."""
    world = scene.world
    world.put(campaign_like_demo(acknowledge_within=1, orders_expected_every=2))
    world.voucher()
    functions.export()
    world.drop("acks/00000001.ack", b"")
    world.drop("orders/none.csv", f"{','.join(COLUMNS)}\n".encode())
    world.sign_in(VIP)
    for _ in range(4):
        functions.export()
        functions.expire()
        functions.seal()
        functions.root()
        functions.reconcile()
        functions.report()
        world.run()
        _at_rest(scene)
        scene.pass_by(minutes=30)


def _at_rest(scene: Scene) -> None:
    for logical_id in FUNCTIONS:
        for metric in ("Errors", "Throttles"):
            scene.aws("AWS/Lambda", metric, 0, FunctionName=scene.function(logical_id))
    for function in ("Relay", "Project"):
        scene.aws("AWS/Lambda", "IteratorAge", 900, FunctionName=scene.function(function))
    for resource in scene.template["Resources"].values():
        if resource["Type"] == "AWS::SQS::Queue":
            queue = scene.resolve(resource["Properties"])["QueueName"]
            for metric in ("Visible", "NotVisible"):
                scene.aws("AWS/SQS", f"ApproximateNumberOfMessages{metric}", 0, QueueName=queue)
            scene.aws("AWS/SQS", "ApproximateAgeOfOldestMessage", 0, QueueName=queue)
    scene.aws("AWS/ApiGateway", "5XXError", 0, ApiName="tandem-test", Stage="api")
    scene.aws("AWS/SES", "Reputation.BounceRate", 0.01)
    scene.aws("AWS/SES", "Reputation.ComplaintRate", 0.0002)
    _filtered(scene, [_access_log(scene, status="429", **{"error.responseType": "-"})] * 30)


@rings()
def a_mail_that_fails_once_and_one_that_the_sender_has_no_room_for_twice(scene: Scene) -> None:
    scene.world.invited()
    tries = iter([ZeroDivisionError(), SenderBusyError(), SenderBusyError()])

    def send(*_: object, **__: object) -> str:
        error = next(tries, None)
        if error:
            raise error
        return "sent"

    scene.monkeypatch.setattr("chalicelib.functions.mail.send_mail", send)
    mails = Queue(scene, "Mail", functions.mail)
    mails.send(scene.newest(FactName.INVITATION_ACCEPTED))
    mails.play(LONG)
    assert next(tries, None) is None
