"""One good event per kind of work that follows from facts, files and time.

`WORK[name](world)` plays the story up to the event and returns the function's call, ready to be
made: what it asks of AWS is then recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chalicelib.adapters.dynamodb.codec import fact_item, fact_json, fact_of
from chalicelib.domain.effects import Queue
from chalicelib.domain.fact_bodies import InvitationReceived
from chalicelib.domain.facts import Fact, FactName
from chalicelib.domain.invitations import Channel
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.ports import FACTS_A_COUNT
from tests import functions
from tests.api.requests import GOOD, PURCHASE, privacy_token
from tests.api.world import (
    BUCKET,
    CAMPAIGN,
    STRANGER,
    Event,
    Item,
    World,
    campaign_like_demo,
    customer_list,
    drop_event,
    mail_event,
    queue_event,
    stream_event,
)

Ready = Callable[[], object]


def _newest(world: World, name: FactName) -> Item:
    return [one for one in world.facts() if one["name"]["S"] == name][-1]


def _queued(world: World, name: FactName) -> Event:
    """The newest fact of that name as a queue's batch."""
    return queue_event([fact_json(fact_of(_newest(world, name)))])


def _stream_of_one(world: World) -> Event:
    world.ask(GOOD["sign_in"](world))
    return stream_event([_newest(world, FactName.SIGN_IN_REQUESTED)])


def _relay(world: World) -> Ready:
    event = _stream_of_one(world)
    return lambda: functions.relay(event)


def _project(world: World) -> Ready:
    event = _stream_of_one(world)
    return lambda: functions.project(event)


def _project_mixed(world: World) -> Ready:
    """A full batch of invitations to twenty campaigns."""
    for number in range(20):
        own = campaign_like_demo().model_copy(update={"id": f"campaign{number}"})
        put_campaign(world.ports, own)
    world.clock.pass_by(minutes=1)
    facts = [
        Fact.of(
            InvitationReceived(
                sponsor_id="s", invitation_id="i", channel=Channel.EMAIL, campaign_version=1
            ),
            fact_id=f"f{number}", campaign=f"campaign{number % 20}", subject=f"i{number}",
            at=world.clock(), correlation="k",
        )
        for number in range(FACTS_A_COUNT)
    ]  # fmt: skip
    world.ports.repository.commit(facts=facts)
    event = stream_event(list(map(fact_item, facts)))
    return lambda: functions.project(event)


def _seal(world: World) -> Ready:
    functions.seal()
    _project(world)()
    return functions.seal


def _root(world: World) -> Ready:
    functions.seal()
    functions.root()
    _project(world)()
    functions.seal()
    return functions.root


def _decide_sign_in(world: World) -> Ready:
    world.ask(GOOD["sign_in"](world))
    event = _queued(world, FactName.SIGN_IN_REQUESTED)
    return lambda: functions.decide(event)


def _decide_privacy_request(world: World) -> Ready:
    world.sign_in()
    world.ask(GOOD["make_privacy_request"](world))
    event = _queued(world, FactName.PRIVACY_REQUESTED)
    return lambda: functions.decide(event)


def _mail_privacy_link(world: World) -> Ready:
    _decide_privacy_request(world)()
    event = _queued(world, FactName.PRIVACY_LINK_GRANTED)
    return lambda: functions.mail(event)


def _persons_file(world: World) -> Ready:
    token = privacy_token(world, "export")
    assert world.post(f"/v1/privacy/{token}/file").status == 202
    event = _queued(world, FactName.PRIVACY_FILE_ASKED)
    return lambda: functions.persons(event)


def _persons_erasure(world: World) -> Ready:
    assert world.ask(GOOD["confirm_erasure"](world)).status == 202
    event = _queued(world, FactName.ERASURE_CONFIRMED)
    return lambda: functions.persons(event)


def _decide_invitation(world: World) -> Ready:
    world.ask(GOOD["invite"](world))
    event = _queued(world, FactName.INVITATION_RECEIVED)
    return lambda: functions.decide(event)


def _mail_sign_in(world: World) -> Ready:
    _decide_sign_in(world)()
    event = _queued(world, FactName.SIGN_IN_GRANTED)
    return lambda: functions.mail(event)


def _mail_invitation(world: World) -> Ready:
    _decide_invitation(world)()
    event = _queued(world, FactName.INVITATION_ACCEPTED)
    return lambda: functions.mail(event)


def _reward_confirmation(world: World) -> Ready:
    world.ask(GOOD["confirm_invitation"](world))
    event = _queued(world, FactName.REFERRAL_CONFIRMED)
    return lambda: functions.reward(event)


def _reward_order(world: World) -> Ready:
    order = PURCHASE | {"voucher_code": world.voucher(), "status": "kept"}
    world.post("/v1/client/orders", {"orders": [order]})
    event = _queued(world, FactName.ORDER_KEPT)
    return lambda: functions.reward(event)


def _export(world: World) -> Ready:
    world.voucher()
    return functions.export


def _mail_voucher(world: World) -> Ready:
    _ingest_ack(world)()
    event = _queued(world, FactName.VOUCHER_ACKNOWLEDGED)
    return lambda: functions.mail(event)


def mail_of(world: World) -> str:
    """The id of the invitation mail that was sent last."""
    return f"invitation-{_newest(world, FactName.INVITATION_SENT)['ids']['M']['invitation']['S']}"


def _mail_events(world: World) -> Ready:
    world.invited()
    mail = mail_of(world)
    return lambda: functions.mail_events(mail_event("Send", mail))


def _dropped(world: World, path: str, content: bytes) -> Ready:
    key = f"in/{CAMPAIGN}/{path}"
    world.clients.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    return lambda: functions.ingest(drop_event(key, world.clock()))


def _ingest_list(world: World) -> Ready:
    content = customer_list(*(f"customer{number}@demo.test" for number in range(1000)))
    return _dropped(world, "customers/full/new.csv", content)


def _ingest_order(world: World) -> Ready:
    columns = PURCHASE | {
        "voucher_code": world.voucher(),
        "email_digest": "",
        "status": "placed",
    }
    content = f"{','.join(columns)}\n{','.join(columns.values())}\n".encode()
    return _dropped(world, "orders/today.csv", content)


def _ingest_ack(world: World) -> Ready:
    _export(world)()
    return _dropped(world, "acks/00000001.ack", b"")


def _expire(world: World) -> Ready:
    world.invited()
    world.clock.pass_by(days=15)
    return functions.expire


def _handed_out(world: World) -> Event:
    """The one message in the queue `due`, as a batch."""
    url = world.clients.sqs.get_queue_url(QueueName=Queue.DUE)["QueueUrl"]
    [message] = world.clients.sqs.receive_message(QueueUrl=url)["Messages"]
    return queue_event([message["Body"]])


def _due_invitation(world: World) -> Ready:
    _expire(world)()
    event = _handed_out(world)
    return lambda: functions.due(event)


def _due_order(world: World) -> Ready:
    order = PURCHASE | {"voucher_code": world.voucher(), "status": "placed"}
    world.post("/v1/client/orders", {"orders": [order]})
    world.run()
    world.clock.pass_by(days=30)
    functions.expire()
    event = _handed_out(world)
    return lambda: functions.due(event)


def _reconcile(world: World) -> Ready:
    world.invited(STRANGER)
    world.clock.pass_by(minutes=30)
    functions.reconcile()  # which finds that all are known under the keys in force
    return functions.reconcile


def _report(world: World) -> Ready:
    world.voucher()
    return functions.report


WORK: Mapping[str, Callable[[World], Ready]] = {
    "relay: a fact": _relay,
    "project: a fact": _project,
    "project: a batch of 20 campaigns": _project_mixed,
    "seal: a fact": _seal,
    "root: a file": _root,
    "decide: a sign-in": _decide_sign_in,
    "decide: a request for one's data": _decide_privacy_request,
    "decide: an invitation": _decide_invitation,
    "mail: a sign-in": _mail_sign_in,
    "mail: a link to one's data": _mail_privacy_link,
    "persons: a file": _persons_file,
    "persons: an erasure": _persons_erasure,
    "mail: an invitation": _mail_invitation,
    "mail: a voucher": _mail_voucher,
    "mail_events: a mail that left": _mail_events,
    "reward: a confirmation": _reward_confirmation,
    "reward: a kept order": _reward_order,
    "ingest: a list of 1,000": _ingest_list,
    "ingest: an order": _ingest_order,
    "ingest: an acknowledgement": _ingest_ack,
    "export: a voucher": _export,
    "expire: an invitation": _expire,
    "due: an invitation": _due_invitation,
    "due: an order": _due_order,
    "reconcile: nothing": _reconcile,
    "report: a referral": _report,
}
