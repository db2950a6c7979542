"""Work for every function, and every call of the API that changes something: where crashes happen.

A scenario plays a story up to the moment at which one function or route has real work, and says how
that work is begun. A function without a scenario, or a scenario of no function, fails a test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from chalicelib.api.operations import OPERATIONS
from chalicelib.domain.addresses import Address, AddressDigests
from chalicelib.domain.effects import Queue
from chalicelib.services.campaigns.put import put_campaign
from tests.api.consumers import mail_of
from tests.api.gateway import Request
from tests.api.requests import GOOD, PURCHASE, invitations, privacy_token
from tests.api.world import (
    CAMPAIGN,
    CONSUMERS,
    CUSTOMER,
    KEY,
    STRANGER,
    campaign_like_demo,
    posting,
)
from tests.fakes.pgp import client_public, own_key
from tests.simulation.machine import SCHEDULES, SES_DETAILS
from tests.simulation.scheduler import Fault
from tests.simulation.stage import Stage

OTHER = "paul.durand@demo.test"
LATER_KEY = ("later", "0b" * 32)


@dataclass(frozen=True)
class Scenario:
    """`begin` plays the story, and answers with the request whose handling is to crash, or with the
    name of the function, queue or schedule that has work to do.
    """

    of: str  # the Lambda function, or the operation of the API
    name: str
    begin: Callable[[Stage], Request | str]
    # Beyond what the function promises when its caller repeats the request.
    refusal: int | None = None
    # What every try is answered, where nobody is meant to get what was asked for.
    answer: int | None = None
    # An invitation that may have left is not sent again (law 2).
    may_lose_invitations: bool = False
    # A caller that asks twice has asked for two things, and the laws alone are the measure.
    counts_twice: bool = False

    @property
    def title(self) -> str:
        """`mail: a voucher`."""
        return f"{self.of}: {self.name}"


# --- stories -------------------------------------------------------------------------------------


def _facts(name: str, world: Stage) -> str:
    """Facts of all queues: a sign-in, invitations, an order that was kept."""
    session = world.sign_in()
    code = world.voucher(OTHER)
    world.hold(name)
    world.ask(GOOD["sign_in"](world))
    world.ask(invitations(STRANGER, "zoe@demo.test", session=session))
    world.report_orders(PURCHASE | {"voucher_code": code, "status": "kept"})
    return name


def _sign_in_to_decide(world: Stage) -> str:
    world.hold(Queue.REQUESTED_DECISION)
    world.ask(GOOD["sign_in"](world))
    world.run()
    return Queue.REQUESTED_DECISION


def _sign_up_to_decide(world: Stage) -> str:
    request = GOOD["sign_up"](world)
    world.hold(Queue.REQUESTED_DECISION)
    world.ask(request)
    world.run()
    return Queue.REQUESTED_DECISION


def _wish_to_decide(world: Stage) -> str:
    world.sign_in()
    world.hold(Queue.REQUESTED_DECISION)
    world.ask(GOOD["make_privacy_request"](world))
    world.run()
    return Queue.REQUESTED_DECISION


def _wish_to_mail(world: Stage) -> str:
    world.sign_in()
    world.hold(Queue.REQUESTED_MAIL)
    world.ask(GOOD["make_privacy_request"](world))
    world.run()
    return Queue.REQUESTED_MAIL


def _file_to_make(world: Stage) -> str:
    world.voucher()
    token = privacy_token(world, "export")
    world.hold(Queue.PERSONS)
    assert world.post(f"/v1/privacy/{token}/file").status == 202
    world.run()
    return Queue.PERSONS


def _erasure_to_do(world: Stage) -> str:
    """A sponsor with a referee, a voucher, and an invitation that nobody answered."""
    world.voucher()
    world.invited(OTHER)
    request = GOOD["confirm_erasure"](world)
    world.hold(Queue.PERSONS)
    assert world.ask(request).status == 202
    world.run()
    return Queue.PERSONS


def _invitations_to_decide(world: Stage) -> str:
    session = world.sign_in()
    world.hold(Queue.DECIDE)
    world.ask(invitations(STRANGER, OTHER, CUSTOMER, session=session))
    world.run()
    return Queue.DECIDE


def _waiting_for_a_list(world: Stage) -> None:
    """Two invitations that nobody can decide on: the customer list is too old."""
    world.clock.pass_by(days=31)
    world.ask(invitations(STRANGER, OTHER, session=world.sign_in()))
    world.machine.held = {Queue.DECIDE}
    world.run()
    world.machine.forget(Queue.DECIDE)


def _list_to_requeue_for(world: Stage) -> str:
    _waiting_for_a_list(world)
    world.new_customers()
    world.run()
    return Queue.DECIDE


def _undecided_due(world: Stage) -> str:
    _list_to_requeue_for(world)
    world.machine.held = {Queue.DUE}
    world.run()
    return Queue.DUE


def _sign_in_to_mail(world: Stage) -> str:
    world.hold(Queue.REQUESTED_MAIL)
    world.ask(GOOD["sign_in"](world))
    world.run()
    return Queue.REQUESTED_MAIL


def _invitations_to_mail(world: Stage) -> str:
    session = world.sign_in()
    world.hold(Queue.MAIL)
    world.ask(invitations(STRANGER, OTHER, session=session))
    world.run()
    return Queue.MAIL


def _voucher_to_mail(world: Stage) -> str:
    world.voucher()
    world.fire("export")
    world.hold(Queue.MAIL)
    world.report_file("acks/00000001.ack", b"")
    world.run()
    return Queue.MAIL


def _put(world: Stage, **changes: object) -> None:
    world.put(campaign_like_demo(**changes))
    world.clock.pass_by(minutes=1)  # the campaign before is cached


def _confirmation_to_mail(world: Stage) -> str:
    _put(world, mail_confirmations=True)
    token = world.invited()
    world.hold(Queue.MAIL)
    assert world.confirm(token).status == 201
    world.run()
    return Queue.MAIL


def _mailed_voucher(world: Stage, *, news: bool = False) -> str:
    """The code of a referee's voucher that is in the tills, and that she was mailed."""
    code = world.voucher(news=news)
    world.fire("export")
    world.report_file("acks/00000001.ack", b"")
    world.run()
    return code


def _reminder_to_mail(world: Stage) -> str:
    _put(world, ends_soon_days=7)
    _mailed_voucher(world, news=True)
    world.clock.pass_by(days=54)
    world.hold(Queue.MAIL)
    world.fire("expire")
    return Queue.MAIL


def _revocations_to_mail(world: Stage) -> str:
    """What a kept order had earned to both is revoked, because it was returned."""
    order = PURCHASE | {"voucher_code": _mailed_voucher(world)}
    world.report_orders(order | {"status": "kept"})
    world.run()
    world.fire("export")
    world.report_file("acks/00000002.ack", b"")
    world.run()
    world.hold(Queue.MAIL)
    world.report_orders(order | {"status": "returned"})
    world.run()
    return Queue.MAIL


def _replacement_to_mail(world: Stage) -> str:
    """The client refuses a code that was mailed at once."""
    _put(world, release="at_once")
    code = world.voucher()
    world.fire("export")
    world.hold(Queue.MAIL)
    world.report_file("acks/00000001.ack", f"code,reason\n{code},no such card\n".encode())
    world.run()
    return Queue.MAIL


def _mail_event(kind: str, world: Stage) -> str:
    world.invited()
    world.hold("mail_events")
    world.machine.ses_event(kind, mail_of(world), **SES_DETAILS.get(kind, {}))
    return "mail_events"


def _uncertain_mail(world: Stage) -> str:
    """SES sent an invitation and its answer was lost: its event settles that."""
    _invitations_to_mail(world)
    world.hold("mail_events")
    worker = world.machine.deliver(Queue.MAIL)
    while not worker.done:
        assert worker.call
        lost = worker.call.name == "sesv2:SendEmail"
        world.cloud.scheduler.step(worker, Fault.ANSWER_LOST if lost else None)
        world.machine.settle(worker)
    return "mail_events"


def _confirmation_to_reward(world: Stage) -> str:
    request = GOOD["confirm_invitation"](world)
    world.hold(Queue.REWARD)
    world.ask(request)
    world.run()
    return Queue.REWARD


def _order_to_reward(status: str, world: Stage) -> str:
    code = world.voucher()
    order = PURCHASE | {"voucher_code": code}
    if status != "kept":
        world.report_orders(order | {"status": "kept"})
        world.run()
    world.hold(Queue.REWARD)
    world.report_orders(order | {"status": status})
    world.run()
    return Queue.REWARD


def _suspicion_to_reward(world: Stage) -> str:
    """A confirmation in the moment in which its mail leaves."""
    world.review()
    request = GOOD["confirm_invitation"](world)
    world.hold(Queue.REWARD)
    world.ask(request)
    world.run()
    return Queue.REWARD


def _decision_to_reward(decision: str, world: Stage) -> str:
    request = GOOD[decision](world)
    world.hold(Queue.REWARD)
    world.ask(request)
    world.run()
    return Queue.REWARD


def _hold_due(world: Stage) -> str:
    """A held reward on which nobody decides in time."""
    world.held_reward()
    world.clock.pass_by(days=16)
    world.hold(Queue.DUE)
    world.fire("reconcile")
    return Queue.DUE


def _list_to_ingest(world: Stage) -> str:
    world.hold(Queue.INGEST)
    world.new_customers(*(f"customer{number}@demo.test" for number in range(20)))
    return Queue.INGEST


def _orders_to_ingest(world: Stage) -> str:
    code = world.voucher()
    world.hold(Queue.INGEST)
    first = PURCHASE | {"email_digest": "", "voucher_code": code, "status": "kept"}
    second = first | {"order_id": "web-1002", "voucher_code": "", "status": "placed"}
    rows = "\n".join(",".join(row.values()) for row in (first, second))
    world.report_file("orders/today.csv", f"{','.join(first)}\n{rows}\n".encode())
    return Queue.INGEST


def _codes_to_ingest(world: Stage) -> str:
    _put_own_codes(world)
    world.hold(Queue.INGEST)
    world.report_file("codes/welcome/codes.csv", b"code\nOWN-1001\nOWN-1002\nOWN-1003\n")
    return Queue.INGEST


def _put_own_codes(world: Stage) -> None:
    world.put_templates(welcome={"codes": "client"})


def _ack_to_ingest(world: Stage) -> str:
    world.voucher()
    world.fire("export")
    world.hold(Queue.INGEST)
    world.report_file("acks/00000001.ack", b"")
    return Queue.INGEST


def _refusal_to_ingest(world: Stage) -> str:
    code = world.voucher()
    world.fire("export")
    world.hold(Queue.INGEST)
    world.report_file("acks/00000001.ack", f"code,reason\n{code},no such card\n".encode())
    return Queue.INGEST


def _vouchers_to_export(world: Stage) -> str:
    world.voucher()
    world.voucher(OTHER)
    return "export"


def _changes_to_export(world: Stage) -> str:
    code = world.voucher()
    world.fire("export")
    purchase = PURCHASE | {"ordered_at": world.clock().isoformat()}
    assert world.post(f"/v1/client/vouchers/{code}/redemptions", purchase).status == 201
    world.voucher(OTHER)
    return "export"


def _encrypted_to_export(world: Stage) -> str:
    """Vouchers and changes of a campaign with the client's key."""
    world.cloud.network.parameters["/tandem/test/pgp-key"] = own_key()
    put_campaign(world.ports, campaign_like_demo(files={"encrypt_to": client_public()}))
    world.run()
    work = _changes_to_export(world)
    written = world.cloud.network.bucket.under(f"out/{CAMPAIGN}/vouchers/")
    assert any(path.endswith(".csv.gz.pgp") for path, _ in written)
    return work


def _consents_to_ingest(world: Stage) -> str:
    """Two words about one person, and one about another."""
    digest, other = (
        AddressDigests.of(Address.parse(address), [KEY]).for_client for address in (STRANGER, OTHER)
    )
    rows = [
        f"{digest},given,2026-03-01T10:00:00Z",
        f"{digest},withdrawn,2026-03-01T11:00:00Z",
        f"{other},withdrawn,2026-03-01T10:00:00Z",
    ]
    world.hold(Queue.INGEST)
    world.report_file("consents/1.csv", "\n".join(["email_digest,state,at", *rows]).encode())
    return Queue.INGEST


def _consents_to_export(world: Stage) -> str:
    """A consent that was taken back."""
    assert world.ask(GOOD["end_consent"](world)).status == 204
    world.run()
    return "export"


def _all_due(world: Stage) -> str:
    """An invitation, a voucher and an order whose days are over."""
    code = world.voucher()
    world.report_orders(PURCHASE | {"voucher_code": code, "status": "placed"})
    world.invited(OTHER)
    world.clock.pass_by(days=90)
    return "expire"


def _stretches_due(world: Stage) -> str:
    _all_due(world)
    world.hold(Queue.DUE)
    world.fire("expire")
    return Queue.DUE


def _put_later_key(world: Stage) -> None:
    name, secret = LATER_KEY
    world.clients.ssm.put_parameter(
        Name=f"/tandem/test/digest-keys/{name}", Value=secret, Type="SecureString"
    )
    digests = {"algorithm": "hmac-sha256", "key_ids": [name, KEY.key_id]}
    world.put(campaign_like_demo(digests=digests))
    world.clock.pass_by(minutes=30)  # every process knows the version by now


def _referrals_to_rekey(world: Stage) -> str:
    world.voucher()
    _put_later_key(world)
    world.clock.pass_by(days=1)
    world.hold(Queue.DUE)
    world.fire("reconcile")
    return Queue.DUE


def _facts_lost(world: Stage) -> str:
    """Facts that neither relay nor projector ever got, after runs that found nothing missing."""
    world.fire("reconcile")
    world.hold("project")
    _facts("relay", world)
    world.machine.forget("relay")
    world.machine.forget("project")
    world.machine.held = set()
    world.clock.pass_by(hours=3)
    return "reconcile"


def _stuck(world: Stage) -> str:
    """An invitation that nobody decided on, and one whose sender never answered."""
    session = world.sign_in()
    _uncertain_mail(world)
    world.machine.forget("mail_events")
    world.hold(Queue.DECIDE)
    world.ask(invitations("zoe@demo.test", session=session))
    world.run()
    world.machine.forget(Queue.DECIDE)
    world.machine.held = set()
    world.clock.pass_by(days=2)
    return "reconcile"


def _refused_codes(world: Stage) -> str:
    """A refused code that can be replaced now, because codes were dropped meanwhile."""
    _put_own_codes(world)
    world.report_file("codes/welcome/1.csv", b"code\nOWN-1001\n")
    world.run()
    _refusal_to_ingest(world)
    world.machine.held = set()
    world.run()
    world.report_file("codes/welcome/2.csv", b"code\nOWN-1002\n")
    world.run()
    return "reconcile"


def _facts_to_seal(world: Stage) -> str:
    world.voucher()
    world.fire("seal")
    world.voucher(OTHER)
    return "seal"


def _sealed_since_a_root(world: Stage) -> str:
    world.voucher()
    world.fire("seal", "root")
    world.voucher(OTHER)
    world.fire("seal")
    return "root"


def _month_over(world: Stage) -> str:
    _changes_to_export(world)
    world.run()
    world.fire("export", "seal")
    world.clock.pass_by(days=31)
    world.fire("export", "seal")
    return "report"


def _with_key(world: Stage) -> Request:
    return invitations(
        STRANGER, OTHER, CUSTOMER, session=world.sign_in(), Idempotency_Key="a-key-of-the-page"
    )


def _order_too_small(world: Stage) -> Request:
    return posting(GOOD["redeem_voucher"](world).path, PURCHASE | {"amount": "1.00"})


def _code_not_used(world: Stage) -> Request:
    order = PURCHASE | {"voucher_code": world.voucher(), "status": "kept", "amount": "1.00"}
    return posting("/v1/client/orders", {"orders": [order]})


def _cancelled_order(world: Stage) -> Request:
    """A call that takes a rung back and gives a voucher back."""
    order = PURCHASE | {"voucher_code": world.voucher(), "status": "kept"}
    request = _orders(order)
    assert world.ask(request).status == 207
    world.run()
    return _orders(order | {"status": "cancelled"})


def _orders(*orders: Mapping[str, str]) -> Request:
    return posting("/v1/client/orders", {"orders": list(orders)})


def _ends(world: Stage) -> str:
    """A list that was replaced, an export that was acknowledged and tables, each past its end."""
    world.voucher()
    world.fire("export", "report")
    world.report_file("acks/00000001.ack", b"")
    world.new_customers(*(f"customer{number}@demo.test" for number in range(20)))
    world.run()
    world.fire("reconcile")
    world.clock.pass_by(days=36)
    return "reconcile"


# --- all of them ---------------------------------------------------------------------------------

OF_FUNCTIONS = (
    Scenario("relay", "facts of every queue", partial(_facts, "relay")),
    Scenario("project", "facts of every queue", partial(_facts, "project")),
    Scenario("decide", "a sign-in", _sign_in_to_decide),
    Scenario("decide", "a request for one's data", _wish_to_decide),
    Scenario("decide", "a sign-up by a link", _sign_up_to_decide),
    Scenario("decide", "three invitations", _invitations_to_decide),
    Scenario("decide", "a list in force again", _list_to_requeue_for),
    Scenario("mail", "a sign-in", _sign_in_to_mail),
    Scenario("mail", "a link to one's data", _wish_to_mail),
    Scenario("persons", "the file of a sponsor", _file_to_make),
    Scenario("persons", "the erasure of a sponsor", _erasure_to_do),
    Scenario("mail", "two invitations", _invitations_to_mail, may_lose_invitations=True),
    Scenario("mail", "a voucher", _voucher_to_mail),
    Scenario("mail", "a confirmation", _confirmation_to_mail),
    Scenario("mail", "a voucher that ends soon", _reminder_to_mail),
    Scenario("mail", "vouchers that are revoked", _revocations_to_mail),
    Scenario("mail", "a replaced code", _replacement_to_mail),
    Scenario("mail_events", "a delivery", partial(_mail_event, "Delivery")),
    Scenario("mail_events", "a bounce", partial(_mail_event, "Bounce")),
    Scenario("mail_events", "a complaint", partial(_mail_event, "Complaint")),
    Scenario("mail_events", "mails without an answer", _uncertain_mail),
    Scenario("reward", "a confirmation", _confirmation_to_reward),
    Scenario("reward", "a kept order", partial(_order_to_reward, "kept")),
    Scenario("reward", "a returned order", partial(_order_to_reward, "returned")),
    Scenario("reward", "what is held", _suspicion_to_reward),
    Scenario("reward", "a release", partial(_decision_to_reward, "release_reward")),
    Scenario("reward", "a refusal", partial(_decision_to_reward, "refuse_reward")),
    Scenario("ingest", "a customer list", _list_to_ingest),
    Scenario("ingest", "orders", _orders_to_ingest),
    Scenario("ingest", "the client's codes", _codes_to_ingest),
    Scenario("ingest", "an acknowledgement", _ack_to_ingest),
    Scenario("ingest", "a refused code", _refusal_to_ingest),
    Scenario("ingest", "consents", _consents_to_ingest),
    Scenario("due", "undecided invitations", _undecided_due),
    Scenario("due", "all that ends", _stretches_due),
    Scenario("due", "a hold that ends", _hold_due),
    Scenario("due", "referrals to re-key", _referrals_to_rekey),
    Scenario("export", "vouchers", _vouchers_to_export),
    Scenario("export", "vouchers and changes", _changes_to_export),
    Scenario("export", "encrypted vouchers and changes", _encrypted_to_export),
    Scenario("export", "consents", _consents_to_export),
    Scenario("expire", "all that ends", _all_due),
    Scenario("reconcile", "facts that were lost", _facts_lost),
    Scenario("reconcile", "stuck work", _stuck),
    Scenario("reconcile", "a refused code", _refused_codes),
    Scenario("reconcile", "lists and files past their end", _ends),
    Scenario("seal", "facts after a seal", _facts_to_seal),
    Scenario("root", "what was sealed since the last root", _sealed_since_a_root),
    Scenario("report", "a month that is over", _month_over),
)
# A link in a mail opens one session: who got no answer asks for another mail.
_REFUSALS = {"open_session": 401}
_COUNT_TWICE = {"sign_in", "sign_up", "invite", "renew_link"}  # the last one without a key


def _of_the_api() -> Iterator[Scenario]:
    for operation in OPERATIONS:
        if operation.method != "GET":
            yield Scenario(
                operation.name,
                "a good request",
                GOOD[operation.name],
                refusal=_REFUSALS.get(operation.name),
                counts_twice=operation.name in _COUNT_TWICE,
            )
    yield Scenario("invite", "three people, with a key", _with_key)
    yield Scenario("redeem_voucher", "an order that is too small", _order_too_small, answer=409)
    yield Scenario("post_orders", "a cancelled order", _cancelled_order)
    yield Scenario("post_orders", "a code that is not used", _code_not_used)


SCENARIOS = (*OF_FUNCTIONS, *_of_the_api())


def function_of(work: str) -> str:
    """The Lambda function that handles what waits under that name."""
    if work in {"relay", "project", "mail_events", "ingest", *SCHEDULES}:
        return str(work)
    return CONSUMERS[Queue(work)].__name__
