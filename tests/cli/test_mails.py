"""`tandem mail`: what ops see of mails that did not arrive, and how they send one again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.domain.fact_bodies import VoucherIssued
from chalicelib.domain.facts import FactName
from chalicelib.domain.mails import Mail, MailProblem, MailState
from chalicelib.domain.people import Contact
from chalicelib.domain.protection import InvitationStop, StopReason
from chalicelib.domain.rewards import Reward
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.facts import voucher_fact
from chalicelib.services.ports import Insert
from cli.connection import connect
from tests.cli.conftest import facts_now
from tests.contract.entities import ENTITIES

pytestmark = pytest.mark.slow

Tandem = Callable[..., Result]

CAMPAIGN = "demo-vip"
DEMO = Path(__file__).parents[2] / "local/demo/demo-vip.yaml"
NOW = datetime.now(UTC)
[VOUCHER] = [one for one in ENTITIES if isinstance(one, Voucher)]
[CONTACT] = [
    replace(one, ends_at=NOW + timedelta(days=9)) for one in ENTITIES if isinstance(one, Contact)
][:1]
LIVE = replace(
    VOUCHER, state=VoucherState.ACKNOWLEDGED, redeemed_by=None, revoked_at=None, ended_at=None,
    replaces=None, replaced_by=None, refused_reason=None, contact_id=CONTACT.contact_id,
)  # fmt: skip
BOUNCED = Mail(
    mail_id=f"voucher-{LIVE.voucher_id}", mail_kind="voucher", campaign=CAMPAIGN, contact_id="c",
    state=MailState.SENT, leased_at=NOW, sent_at=NOW, ends_at=NOW + timedelta(days=9),
    correlation="k", ids={"voucher": LIVE.voucher_id}, provider_id="p",
    problem=MailProblem.BOUNCED, problem_at=NOW,
)  # fmt: skip


@pytest.fixture
def bounced(stack: DynamoRepository, tandem: Tandem) -> DynamoRepository:
    """The demo campaign, and a live voucher whose mail bounced."""
    assert tandem("campaign", "put", DEMO).exit_code == 0
    reward = Reward(
        campaign=CAMPAIGN, referral_id="r", rule=LIVE.rule, rung=LIVE.rung, code_key=LIVE.code_key
    )
    issued = voucher_fact(connect("local"), LIVE, VoucherIssued.of(LIVE, reward))
    changes = map(Insert, (LIVE, CONTACT, reward, BOUNCED))
    stack.commit(*changes, facts=[replace(issued, at=NOW, ids={**issued.ids, "referral": "r"})])
    return stack


@pytest.mark.usefixtures("bounced")
def test_a_mail_that_did_not_arrive_is_shown_without_its_address(tandem: Tandem) -> None:
    shown = tandem("mail", "list", CAMPAIGN).stdout
    assert shown.splitlines()[1].split()[:3] == [BOUNCED.mail_id, "voucher", "bounced"]
    assert CONTACT.address.typed not in shown


def test_it_is_sent_again_once_and_who_asked_is_recorded(
    bounced: DynamoRepository, tandem: Tandem
) -> None:
    done = tandem("mail", "resend", CAMPAIGN, BOUNCED.mail_id)
    assert (done.exit_code, done.stdout) == (0, f"{BOUNCED.mail_id}: will be sent again\n")
    again = tandem("mail", "resend", CAMPAIGN, LIVE.voucher_id)
    assert (again.exit_code, again.stderr) == (1, f"{LIVE.voucher_id}: it is being sent already\n")
    [asked] = facts_now(bounced, BOUNCED.mail_id)
    assert asked.name == FactName.MAIL_TO_SEND_AGAIN
    assert asked.details["by"]
    assert tandem("mail", "list", CAMPAIGN).stdout == "none\n"


@pytest.mark.parametrize("arguments", [("list",), ("resend", "m")])
@pytest.mark.usefixtures("stack")
def test_a_campaign_that_is_not_there_is_named(tandem: Tandem, arguments: tuple[str, ...]) -> None:
    command, *rest = arguments
    done = tandem("mail", command, "nowhere", *rest)
    assert (done.exit_code, done.stderr) == (
        1,
        "no campaign nowhere: list them with: tandem campaign list\n",
    )


def test_stopped_invitations_are_resumed_once_and_who_did_is_recorded(
    bounced: DynamoRepository, tandem: Tandem
) -> None:
    bounced.commit(
        Insert(InvitationStop(campaign=CAMPAIGN, reason=StopReason.COMPLAINTS, stopped_at=NOW))
    )
    done = tandem("mail", "resume", CAMPAIGN)
    assert (done.exit_code, done.stdout) == (
        0,
        f"{CAMPAIGN}: invitations are sent again, with those that were held\n",
    )
    [resumed] = facts_now(bounced, f"invitations-{CAMPAIGN}")
    assert (resumed.name, bool(resumed.details["by"])) == (FactName.INVITATIONS_RESUMED, True)
    again = tandem("mail", "resume", CAMPAIGN)
    assert (again.exit_code, again.stderr) == (
        1,
        f"the invitations of {CAMPAIGN} are not stopped\n",
    )
