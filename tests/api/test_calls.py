"""What every route and every consumer asks of AWS, call by call, with warm caches.

A public POST makes one write round trip, whatever it writes; a call more is a decision, and this is
where it shows. `python -m bench` prints the same calls with their units and bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from bench.recording import read, size_of, written
from chalicelib.adapters.dynamodb.schema import SHARDS
from chalicelib.api.operations import OPERATIONS
from chalicelib.domain import changes, consents
from chalicelib.domain.addresses import Address, AddressDigests
from chalicelib.services.ports import Agenda
from tests.api.consumers import WORK
from tests.api.gateway import Request
from tests.api.requests import GOOD, PURCHASE
from tests.api.warm import recorded
from tests.api.world import KEY as DIGEST_KEY
from tests.api.world import STRANGER, World, posting

pytestmark = pytest.mark.slow

DELETE = "dynamodb:DeleteItem"
GET, WRITE, PUT = "dynamodb:GetItem", "dynamodb:TransactWriteItems", "dynamodb:PutItem"
QUERY, BATCH, SCAN = "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:Scan"
WAITING = [QUERY] * (len(changes.SHARDS) + 1)  # by shard, and those of an earlier version
READ_FILE, WRITE_FILE = "s3:GetObject", "s3:PutObject"
QUEUE, SEND, KEY = "sqs:SendMessageBatch", "sesv2:SendEmail", "ssm:GetParameter"

INVOKE = "lambda:Invoke"
COUNTS = [QUERY] * 5  # the partitions they are spread over, and where 0.2.0 had them
VERSIONS, LIST = "s3:ListObjectVersions", "s3:ListObjectsV2"
UNSEALED = [QUERY] * 8  # the shards of the journal's parts


def agenda(name: Agenda, *, lists: bool = True) -> list[str]:
    """Reading an agenda: a query for each partition and one of the index of before; what they list
    is read again.
    """
    return [*[QUERY] * (SHARDS[name] + 1), *[BATCH] * lists]


CAMPAIGNS = agenda(Agenda.CAMPAIGNS)
# Counts; lists; facts of four shards and two hours; cohorts; the lists before; what is watched; the
# last acts: what is not sealed, what groups have left, the head of the journal.
DASHBOARD = [
    *[*COUNTS, *[GET] * 2, *[QUERY] * 8, QUERY, *[GET] * 2],
    *[*agenda(Agenda.UNACKNOWLEDGED, lists=False), *[GET] * 2],
]
FEED = [*UNSEALED, QUERY, GET]
ROUTES: Mapping[str, Sequence[str]] = {
    "get_campaign": [],
    "sign_in": [WRITE],
    "open_session": [GET, BATCH, GET, READ_FILE, GET, WRITE],
    "get_link": [GET] * 3,
    "open_link": [*[GET] * 3, READ_FILE],  # the published page, once a minute
    "sign_up": [BATCH, GET, GET, WRITE],
    "get_invitation": [*[GET] * 4],
    # As the page of the invitation, then the function that signs; the logo is in none.
    "get_referees_apple_pass": [*[GET] * 5, BATCH, QUERY, INVOKE],
    "get_referees_google_pass": [*[GET] * 5, BATCH, QUERY, INVOKE],
    "confirm_invitation": [*[GET] * 3, BATCH, GET, READ_FILE, GET, BATCH, WRITE],
    "decline_invitation": [*[GET] * 4, WRITE],
    "end_consent": [*[GET] * 3, BATCH, WRITE],
    "unsubscribe": [GET, *[BATCH] * 2, *[GET] * 2, WRITE],
    "open_unsubscribe": [],
    "unsubscribe_page": [GET],
    "make_privacy_request": [WRITE],
    "get_privacy_request": [GET] * 3,
    "take_file": [*[GET] * 3, PUT],
    "confirm_erasure": [*[GET] * 3, WRITE],
    "stop_sign_ins": [*[GET] * 2, WRITE],
    "resume_sign_ins": [*[GET] * 2, WRITE],
    "get_sponsor": [*[GET] * 3, *[QUERY] * 2],
    "get_sponsors_apple_pass": [GET, QUERY, INVOKE],
    "get_sponsors_google_pass": [GET, QUERY, INVOKE],
    "name_sponsor": [*[GET] * 3, PUT],
    "invite": [*[GET] * 3, WRITE],
    "preview_invitation": [*[GET] * 3],
    "renew_link": [*[GET] * 3, WRITE],
    "end_session": [GET, DELETE],
    "get_voucher": [BATCH],
    "redeem_voucher": [BATCH, WRITE],
    "roll_back_redemption": [BATCH, WRITE],
    # Whom the rows may concern; all that the row takes.
    "post_orders": [*CAMPAIGNS, BATCH, BATCH, WRITE],
    "list_campaigns": CAMPAIGNS,
    "get_dashboard": [*DASHBOARD, *FEED],
    "get_wall": [GET, *DASHBOARD, *FEED],
    "list_held_rewards": agenda(Agenda.HELD_REWARDS),
    "release_reward": [*[GET] * 2, WRITE],
    "refuse_reward": [*[GET] * 2, WRITE],
    "get_openapi": [],
}
# The drop's own, then the latest at its path unless a later drop has written it.
RECEIPTS = [WRITE_FILE, READ_FILE, WRITE_FILE]
CONSUMERS: Mapping[str, Sequence[str]] = {
    "relay: a fact": [QUEUE],
    "project: a fact": [WRITE_FILE, WRITE],
    # Campaigns read; one bundle; facts, 20 counters and a part are two transactions.
    "project: a batch of 20 campaigns": [BATCH, WRITE_FILE, WRITE, WRITE],
    # Its facts: of the hour before its beginning, of this hour, and where 0.2.0 stored them.
    "decide: a sign-in": [GET, *[QUERY] * 3, GET, READ_FILE, *[BATCH] * 2, WRITE],
    # Her words, which campaigns the brand has, and what each of them knows.
    "decide: a request for one's data": [
        *[GET, *[QUERY] * 3, BATCH, *CAMPAIGNS, BATCH, GET, WRITE],
    ],
    "decide: an invitation": [*[GET] * 3, *[BATCH] * 2, *[GET, READ_FILE] * 2, WRITE],
    "mail: a sign-in": [*[GET] * 3, WRITE, SEND, GET, WRITE],
    "mail: a link to one's data": [*[GET] * 2, *[BATCH] * 2, GET, WRITE, SEND, GET, WRITE],
    "mail: an invitation": [
        *[*[GET] * 6, READ_FILE, BATCH],  # neither a customer nor opposed meanwhile
        *[BATCH, GET, WRITE, SEND, *[GET] * 2, WRITE],
    ],
    "mail: a voucher": [*[GET] * 4, BATCH, GET, WRITE, SEND, GET, WRITE],
    "mail_events: a mail that left": [GET],
    # Which campaigns the brand has, what claims lead to, and the whole table, here a page.
    "persons: a file": [
        *[GET, *CAMPAIGNS],
        *[BATCH, *[GET] * 2, BATCH, SCAN, *[BATCH] * 2],
        *[GET, PUT],
    ],
    "persons: an erasure": [
        *[GET, *CAMPAIGNS],
        *[BATCH, *[GET] * 2, BATCH, SCAN, *[BATCH] * 2],
        *[
            PUT,
            *[GET] * 3,
            WRITE,
            DELETE,
        ],  # the objection that stays; the sponsor, who ends a round
        *[BATCH, GET, BATCH, SCAN, *[BATCH] * 2],
        *[*[DELETE] * 4, *[PUT] * 2, DELETE],  # her session, tokens and mails; the last claim
        *[*[BATCH] * 2, SCAN, *[BATCH] * 2],  # nothing is left
        *[GET, WRITE],  # what was typed for the request, and its links
    ],
    "reward: a confirmation": [
        *[GET, GET, QUERY, WRITE],  # what is earned and what stands; granted
        *[GET, GET, QUERY],  # nothing is left
    ],
    "reward: a kept order": [
        *[GET, BATCH],  # the client's id of it; the vouchers used on it
        *[GET, GET, QUERY, BATCH, BATCH, GET, READ_FILE, PUT, WRITE],  # a newcomer; granted
        *[GET, GET, QUERY, BATCH, BATCH, WRITE],  # the sponsor's
        *[GET, GET, QUERY, BATCH, BATCH],  # nothing is left
        *[QUERY, GET],  # what redemptions earned
    ],
    "ingest: a list of 1,000": [
        *[READ_FILE] * 3,  # the list, and the two names its manifest may have
        *[GET, GET, QUERY],  # its drops, the current list, deltas
        *[GET, GET, GET],  # this content: its record, under the name 0.1.0 gave it; held
        *[WRITE_FILE, WRITE],  # the segment, the version
        *RECEIPTS,
    ],
    "ingest: an order": [
        *[READ_FILE, BATCH, BATCH, WRITE],
        *[*RECEIPTS, GET, PUT],  # the receipts, and when the last order file came
    ],
    "ingest: an acknowledgement": [
        *[READ_FILE, GET, QUERY],  # what is in the export
        *[GET, WRITE],  # its voucher
        *[GET, PUT],  # the export itself
        *RECEIPTS,
    ],
    "export: a voucher": [
        *[*CAMPAIGNS, GET, *agenda(Agenda.UNEXPORTED), WRITE],  # opened
        *[GET, WRITE],  # the voucher added
        *[GET, GET, GET, PUT],  # no more: sealed, as the campaign in force has it
        # Its parts: the first, for the columns; all, for the rows and the manifest.
        *[GET, GET, LIST, QUERY, QUERY, WRITE_FILE, WRITE_FILE, WRITE],
        *[GET, GET, GET, *WAITING],  # no change waits for a file
        *[GET, *[QUERY] * len(consents.SHARDS)],  # nor a word about consent
    ],
    "expire: an invitation": [
        *[*agenda(Agenda.CLOSING, lists=False), QUEUE],
        *agenda(Agenda.EXPIRING, lists=False),
        *agenda(Agenda.REFUSED, lists=False),
        *agenda(Agenda.RETURN_WINDOW, lists=False),
    ],
    # The stretch, twice: to see whether it is short, and to work on it.
    "due: an invitation": [QUERY, QUERY, BATCH, GET, WRITE],
    "due: an order": [QUERY, QUERY, BATCH, GET, WRITE],
    "reconcile: nothing": [
        *[*agenda(Agenda.LEASED, lists=False), *agenda(Agenda.LEASED, lists=False)],  # and queued
        *[*agenda(Agenda.REFUSED, lists=False), *UNSEALED, QUERY],
        *[*agenda(Agenda.FILES, lists=False), *CAMPAIGNS],
        *[*agenda(Agenda.UNDECIDED, lists=False), *agenda(Agenda.UNEXPORTED, lists=False)],
        *agenda(Agenda.HELD_REWARDS, lists=False),
        *[GET, *COUNTS, GET, QUERY],  # bounces and complaints; held invitations
        *[GET, GET],  # the lists in force
        *[VERSIONS, QUERY, QUERY, GET] * 2,  # segments of replaced lists
        *[VERSIONS] * 5,  # the folders whose files end
        *[*agenda(Agenda.UNACKNOWLEDGED, lists=False), *[GET] * 2],
        GET,  # how far the facts were checked: no hour has ended
    ],
    "report: a referral": [
        # Which partitions list referrals, and the one that does; no table of the last days.
        *[*CAMPAIGNS, *agenda(Agenda.REFERRALS, lists=False), QUERY, *[READ_FILE] * 8, BATCH],
        *[WRITE_FILE, *COUNTS, WRITE_FILE],
        *[LIST, *DASHBOARD, WRITE_FILE, WRITE_FILE],  # the week that is over, as HTML and as a PDF
        *[
            READ_FILE,
            *COUNTS,
            QUERY,
            *WAITING,
            QUERY,
            *[GET] * 4,
            SCAN,
            WRITE_FILE,
        ],  # the comparison
        *[QUERY, QUERY],  # no month's statement is due
        *[READ_FILE, *COUNTS],  # nothing was counted yesterday
    ],
    "root: a file": [
        *[*CAMPAIGNS, VERSIONS, GET],  # its roots, its head
        *[LIST, READ_FILE, WRITE_FILE],  # the file since the last root
    ],
    "seal: a fact": [
        *[GET, *UNSEALED, READ_FILE, PUT],  # the group that was open last; the next one fixed
        QUERY,  # what groups before have left
        *[GET, WRITE_FILE, PUT],  # the campaign's head and file
        *[BATCH, DELETE, PUT],  # its parts removed, the group empty
        *[GET, *UNSEALED, QUERY],  # nothing is left
    ],
}


@pytest.mark.parametrize("operation", [one.name for one in OPERATIONS])
def test_a_route_makes_these_calls_and_no_other(world: World, operation: str) -> None:
    request = GOOD[operation](world)
    calls = recorded(world, lambda: world.ask(request))
    assert [call.name for call in calls] == ROUTES[operation]


@pytest.mark.parametrize("work", WORK)
def test_a_consumer_makes_these_calls_and_no_other(world: World, work: str) -> None:
    calls = recorded(world, WORK[work](world))
    assert [call.name for call in calls] == CONSUMERS[work]


@pytest.mark.parametrize("with_code", [False, True])
def test_an_order_of_a_referee_is_one_read_and_one_write(world: World, with_code: bool) -> None:
    code = world.voucher()
    digest = AddressDigests.of(Address.parse(STRANGER), [DIGEST_KEY]).for_client
    named = {"email_digest": digest, "voucher_code": code if with_code else ""}
    reports = [
        PURCHASE | named | {"order_id": "A0", "status": status}
        for status in ("placed", "kept", "kept")
    ]
    request = posting("/v1/client/orders", {"orders": reports})
    calls = recorded(world, lambda: world.ask(request))
    look_up = [BATCH, BATCH]  # whom the rows may concern, and where that leads to
    first, then, repeated = [BATCH, WRITE], [BATCH, WRITE], [BATCH]
    assert [call.name for call in calls] == [*CAMPAIGNS, *look_up, *first, *then, *repeated]


def test_a_report_that_leaves_out_the_code_of_its_order_reads_once_more(world: World) -> None:
    order = PURCHASE | {"voucher_code": world.voucher(), "status": "placed"}
    digest = AddressDigests.of(Address.parse(STRANGER), [DIGEST_KEY]).for_client
    world.post("/v1/client/orders", {"orders": [order]})
    kept = PURCHASE | {"email_digest": digest, "status": "kept"}
    request = posting("/v1/client/orders", {"orders": [kept]})
    calls = recorded(world, lambda: world.ask(request))
    assert [call.name for call in calls] == [*CAMPAIGNS, *[BATCH] * 2, *[BATCH, BATCH, WRITE]]


@pytest.mark.parametrize(
    "operation",
    [
        one.name
        for one in OPERATIONS
        if one.writes and one.method == "POST" and one.security != "client"
    ],
)
def test_a_public_post_makes_one_write_round_trip(world: World, operation: str) -> None:
    request = GOOD[operation](world)
    calls = recorded(world, lambda: world.ask(request))
    assert sum(call.writes for call in calls) == 1


@pytest.mark.parametrize(
    "operation",
    [
        "confirm_invitation",
        "decline_invitation",
        "unsubscribe",
        "end_session",
        "confirm_erasure",
        "stop_sign_ins",
        "resume_sign_ins",
        "redeem_voucher",
        "post_orders",
    ],
)
def test_a_repeat_writes_nothing(world: World, operation: str) -> None:
    request = GOOD[operation](world)
    world.ask(request)
    assert not any(call.writes for call in recorded(world, partial(world.ask, request)))


def _too_small(world: World) -> Request:
    return posting(GOOD["redeem_voucher"](world).path, PURCHASE | {"amount": "1.00"})


def _with_a_code_that_is_not_used(world: World) -> Request:
    order = PURCHASE | {"voucher_code": world.voucher(), "status": "placed", "amount": "1.00"}
    return posting("/v1/client/orders", {"orders": [order]})


@pytest.mark.parametrize(
    ("request_of", "first", "again"),
    [
        (_too_small, [BATCH, GET, WRITE], [BATCH, GET]),
        (
            _with_a_code_that_is_not_used,
            # The order is nobody's: its buyer is not said, and the code names nobody.
            [*CAMPAIGNS, *[BATCH] * 2, GET, WRITE],
            [*CAMPAIGNS, *[BATCH] * 2, GET],
        ),
    ],
    ids=["by a call", "by a report"],
)
def test_a_refusal_at_the_till_is_looked_up_and_stored_once(
    world: World, request_of: Callable[[World], Request], first: list[str], again: list[str]
) -> None:
    request = request_of(world)
    assert [call.name for call in recorded(world, partial(world.ask, request))] == first
    assert [call.name for call in recorded(world, partial(world.ask, request))] == again


def test_units_are_reckoned_as_dynamodb_does() -> None:
    item: dict[str, dict[str, Any]] = {
        "pk": {"S": "a" * 1000},
        "n": {"N": "123"},
        "on": {"BOOL": True},
        "m": {"M": {}},
    }
    assert size_of(item) == 1002 + (1 + 3) + (2 + 1) + (1 + 3)
    put = {"Item": item}
    assert written("PutItem", put) == (1, 1)
    assert written("TransactWriteItems", {"TransactItems": [{"Put": put}]}) == (1, 2)
    larger = {"Item": item | {"holder_pk": {"S": "a" * 100}}}
    assert written("PutItem", larger) == (1, 4)  # two for the table, two for its index
    due = {"Item": item | {"due_pk": {"S": "a" * 100}}}
    assert written("PutItem", due) == (1, 3)  # the index has the keys alone
    assert read({"Item": item}) == (1, 1)
    assert read({}) == (0, 1)
    assert read({"Responses": {"table": [item]}}, keys=3) == (1, 3)
    assert read({"Items": [item] * 5}) == (5, 2)
