"""One item that cannot be read hides no other from a listing: it is named after them, and the
command fails.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import boto3
import pytest

from chalicelib.adapters.dynamodb.codec import entity_item
from chalicelib.adapters.dynamodb.repository import DynamoRepository
from chalicelib.domain.entity import Entity
from chalicelib.domain.exports import Export
from chalicelib.domain.mails import MailState
from chalicelib.domain.wall_links import WallLink
from chalicelib.services.ports import Insert
from tests.cli.conftest import REGION, TABLE, Tandem
from tests.cli.test_mails import BOUNCED, LIVE, NOW
from tests.cli.test_questions import demo
from tests.cli.test_rewards import HELD
from tests.contract.entities import ENTITIES

__all__ = ["demo"]  # a fixture

pytestmark = pytest.mark.slow

CAMPAIGN = "demo-vip"
LEASED = replace(
    BOUNCED, state=MailState.LEASED, problem=None, problem_at=None, sent_at=None,
    leased_at=NOW - timedelta(hours=1),
)  # fmt: skip
REFUSED = replace(LIVE, refused_reason="taken", voucher_id="good")
[LINK] = [
    replace(one, ends_at=NOW + timedelta(days=9)) for one in ENTITIES if isinstance(one, WallLink)
]
[EXPORT] = [one for one in ENTITIES if isinstance(one, Export)]

# What is shown, what cannot be read beside it and how it is named, and the listing.
LISTINGS: dict[str, tuple[Entity, Entity, str, tuple[str, ...]]] = {
    "mail list": (
        replace(BOUNCED, mail_id="voucher-good", ids={"voucher": "good"}),
        replace(BOUNCED, mail_id="voucher-bad", ids={"voucher": "bad"}),
        "MAIL voucher-bad", (CAMPAIGN,),
    ),
    "mail list --stuck": (
        replace(LEASED, mail_id="voucher-good"), replace(LEASED, mail_id="voucher-bad"),
        "MAIL voucher-bad", (CAMPAIGN,),
    ),
    "wall list": (
        replace(LINK, token_hash="good" * 16), replace(LINK, token_hash="bad0" * 16),
        f"WALL_LINK {CAMPAIGN}", ("--campaign", CAMPAIGN),
    ),
    "reward list": (
        replace(HELD, referral_id="good"), replace(HELD, referral_id="bad"), "REWARD bad",
        ("--campaign", CAMPAIGN),
    ),
    "voucher refused": (
        REFUSED, replace(REFUSED, code_key="BAD", voucher_id="bad"), "VOUCHER bad", (CAMPAIGN,),
    ),
    "export list": (
        replace(EXPORT, sha256="good"), replace(EXPORT, number=2), f"EXPORT {CAMPAIGN}",
        (CAMPAIGN, "--json"),
    ),
}  # fmt: skip


def spoil(entity: Entity) -> None:
    """Store an item that is listed, and of which no version could have stored every field."""
    item = {**entity_item(entity), "revision": {"S": "none"}}
    boto3.client("dynamodb", region_name=REGION).put_item(TableName=TABLE, Item=item)


@pytest.mark.parametrize("listing", LISTINGS)
def test_what_cannot_be_read_is_named_after_all_that_can(
    demo: DynamoRepository, tandem: Tandem, listing: str
) -> None:
    shown, bad, name, more = LISTINGS[listing]
    demo.commit(Insert(shown))
    command, *options = listing.split()
    whole = tandem(command, *options, *more)
    assert (whole.exit_code, whole.stderr) == (0, "")
    assert "good" in whole.stdout
    spoil(bad)
    listed = tandem(command, *options, *more)
    assert (listed.exit_code, listed.stdout) == (1, whole.stdout)
    assert f"1 more cannot be read: {name}\n" in listed.stderr


def test_a_stack_is_shown_as_far_as_it_can_be_read(demo: DynamoRepository, tandem: Tandem) -> None:
    demo.commit(Insert(LEASED))
    spoil(replace(LEASED, mail_id="voucher-bad"))
    shown = tandem("status")
    assert shown.exit_code == 1
    assert "mails on their way for too long" in shown.stdout
    assert "1 more cannot be read: MAIL voucher-bad\n" in shown.stderr


def test_a_refused_voucher_is_replaced_whatever_lies_beside_it(
    demo: DynamoRepository, tandem: Tandem
) -> None:
    demo.commit(Insert(REFUSED))
    spoil(replace(REFUSED, code_key="BAD", voucher_id="bad"))
    done = tandem("voucher", "replace", CAMPAIGN, "other")
    assert "no refused voucher other" in done.stderr
