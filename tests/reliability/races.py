"""Many at once for one thing: sponsors for one person, tills for one voucher.

Every worker is an execution of its own that stops before each call to AWS; a seed decides whose
turn it is (`tests.simulation.scheduler`). So one seed is one interleaving, down to the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from random import Random

from chalicelib.adapters.dynamodb.codec import fact_json, fact_of
from chalicelib.domain.effects import Queue
from chalicelib.domain.facts import Fact, FactName
from chalicelib.services.campaigns.put import put_campaign
from tests import functions
from tests.api.gateway import Answer, Request
from tests.api.requests import CONFIRMATION, invitations
from tests.api.world import campaign_like_demo, posting, queue_event
from tests.reliability.figures import Figure
from tests.simulation.cloud import Cloud, cloud
from tests.simulation.machine import Machine
from tests.simulation.people import People
from tests.simulation.scheduler import Worker

F = FactName
MOST_SPONSORS = 8
# Each of them invites several hundred people.
QUOTAS = {"invitations_per_sponsor": 1_000, "referees_per_call": 20}
HANDLERS: Mapping[Queue, Callable[[dict[str, object]], object]] = {
    Queue.DECIDE: functions.decide,
    Queue.MAIL: functions.mail,
}


def at_once(here: Cloud, chance: Random, works: Sequence[Callable[[], object]]) -> list[Worker]:
    """Do all of it, a call at a time, in an order by chance."""
    workers = [here.scheduler.start(str(n), work, here.process()) for n, work in enumerate(works)]
    while here.scheduler.workers:
        here.now += timedelta(milliseconds=chance.choice((1, 5, 20)))
        here.scheduler.step(chance.choice(here.scheduler.workers))
    return workers


def invitations_of_one(seeds: int = 1_000, first: int = 1) -> Figure:
    """Two to eight sponsors invite one person at the same time; each mailed link is confirmed."""
    found = {"more than one mail": 0, "no mail": 0, "not one referral": 0, "failed": 0}
    with cloud(seed=first) as here:
        people = People(here, Machine(here, Random(first)), Random(first), MOST_SPONSORS)
        people.begin()
        put_campaign(here.aside.ports, campaign_like_demo(quotas=QUOTAS))
        here.now += timedelta(minutes=1)  # the campaign before is cached
        for seed in range(first, first + seeds):
            mails, referrals, failed = _one_person(here, people, Random(seed), seed)
            found["more than one mail"] += mails > 1
            found["no mail"] += mails < 1
            found["not one referral"] += referrals != 1
            found["failed"] += failed
    return Figure("2 to 8 sponsors invite one person at once", {"seeds": seeds}, found)


def _one_person(here: Cloud, people: People, chance: Random, seed: int) -> tuple[int, int, int]:
    """How many mails and referrals there are of one person, and how many executions failed."""
    address = f"person{seed}@mail.test"
    sessions = chance.sample(people.sessions, chance.randint(2, MOST_SPONSORS))
    begun, mails = len(here.table.stream), len(here.network.mails)

    asked = [invitations(address, session=session) for session in sessions]
    failed = _failed(at_once(here, chance, [partial(_ask, here, one) for one in asked]))
    for queue, name in (
        (Queue.DECIDE, FactName.INVITATION_RECEIVED),
        (Queue.MAIL, FactName.INVITATION_ACCEPTED),
    ):
        # Each message twice, as a queue may deliver it.
        works = [
            partial(HANDLERS[queue], _message(fact, queue)) for fact in _new(here, begun, name) * 2
        ]
        at_once(here, chance, works)
    asked = [
        posting(f"/v1/invitations/{token}/confirmation", CONFIRMATION)
        for token in _invitation_tokens(here, mails)
    ]
    at_once(here, chance, [partial(_ask, here, request) for request in asked * 2])
    confirmed = _new(here, begun, F.REFERRAL_CONFIRMED)
    return len(here.network.mails) - mails, len(confirmed), failed


def _new(here: Cloud, first: int, name: FactName) -> list[Fact]:
    """The facts of a name, of those that were written since."""
    written = (dict(item) for item in here.table.stream[first:])
    return [fact_of(item) for item in written if item.get("name") == {"S": name}]


def _ask(here: Cloud, request: Request) -> Answer:
    """A call of the API, on the process that runs."""
    worker = here.scheduler.current()
    assert worker
    answer: Answer = worker.context.gateway.call(request)
    return answer


def _invitation_tokens(here: Cloud, first: int) -> list[str]:
    """The tokens in the mails that left since: of each the first link answers the invitation."""
    recipients = dict.fromkeys(recipient for recipient, _ in here.network.mails[first:])
    return [here.tokens_mailed_to(recipient, first)[0] for recipient in recipients]


def one_voucher(workers: int = 200, seeds: int = 5) -> Iterator[Figure]:
    """So many tills redeem one voucher at the same time, each for an order of its own; then as many
    take it back.
    """
    redeemed = {"not redeemed once": 0, "other answers": 0}
    taken_back = {"not taken back once": 0, "other answers": 0}
    for seed in range(1, seeds + 1):
        with cloud(seed) as here:
            chance = Random(seed)
            code = _voucher(here)
            orders = [f"T{number}" for number in range(workers)]
            answers = _answers(here, chance, [_redemption(here, code, one) for one in orders])
            won = [order for order, status in zip(orders, answers, strict=True) if status == 201]
            redeemed["not redeemed once"] += (
                len(won) != 1 or len(_new(here, 0, F.VOUCHER_REDEEMED)) != 1
            )
            redeemed["other answers"] += sum(status not in (201, 409, 503) for status in answers)
            path = f"/v1/client/vouchers/{code}/redemptions/{won[0]}"
            answers = _answers(here, chance, [Request("DELETE", path)] * workers)
            taken_back["not taken back once"] += _count(here, F.VOUCHER_ROLLED_BACK) != 1
            taken_back["other answers"] += sum(status not in (204, 503) for status in answers)
    done = {"workers": workers, "seeds": seeds}
    yield Figure("redemptions of one voucher at once", done, redeemed)
    yield Figure("its rollbacks at once", done, taken_back)


def _count(here: Cloud, name: FactName) -> int:
    return len(_new(here, 0, name))


def _answers(here: Cloud, chance: Random, requests: Sequence[Request]) -> list[int]:
    workers = at_once(here, chance, [partial(_ask, here, request) for request in requests])
    return [worker.outcome.status for worker in workers if isinstance(worker.outcome, Answer)]


def _redemption(here: Cloud, code: str, order_id: str) -> Request:
    body = {"order_id": order_id, "ordered_at": here.now.isoformat()}
    amount = {"amount": "80.00", "currency": "EUR"}
    return posting(f"/v1/client/vouchers/{code}/redemptions", body | amount)


def _voucher(here: Cloud) -> str:
    """The code of a voucher that tills know."""
    people = People(here, Machine(here, Random(1)), Random(1), sponsors=1)
    people.begin()
    address = people.referee(0)
    people.invite(address)
    people.settle()
    [token, *_] = here.tokens_mailed_to(address)
    here.aside.gateway.call(posting(f"/v1/invitations/{token}/confirmation", CONFIRMATION))
    people.settle()
    [code] = [
        str(item["printed"]["S"])
        for item in here.table.items.values()
        if item.get("kind") == {"S": "VOUCHER"}
    ]
    return code


def _message(fact: Fact, queue: Queue) -> dict[str, object]:
    return queue_event([fact_json(fact)], queue)


def _failed(workers: Sequence[Worker]) -> int:
    """How many did not get the answer that everybody gets."""
    answers = [worker.outcome for worker in workers]
    return sum(not (isinstance(one, Answer) and one.status == 202) for one in answers)
