"""The story of the product, steps 1 to 10, in memory."""

from __future__ import annotations

import csv
import gzip
import json

from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.operations.dashboard import view_dashboard
from chalicelib.services.operations.report import report
from chalicelib.services.sponsors.space import view_sponsor_space
from chalicelib.services.voucher_views import voucher_view
from tests.fakes.campaign import CAMPAIGN, digest
from tests.fakes.world import VIPS, World

NEWCOMER = "jeanne@example.fr"


def test_the_whole_story_from_the_lists_to_the_sponsors_reward(world: World) -> None:
    session = world.sponsor(first_name="Camille")
    world.invite(session, NEWCOMER, "customer1@demo.test", VIPS[0])
    world.run()
    [invitation] = world.mailer.to(NEWCOMER)
    assert "Camille" in invitation.text
    assert not world.mailer.to("customer1@demo.test")

    referral = world.confirm(NEWCOMER)
    world.run()
    first = world.export()
    assert first
    assert first.number == 1
    [row] = world.exported(1)
    assert row["template"] == "welcome"
    assert row["holder_digest"] == digest(NEWCOMER)
    assert len(world.mailer.to(NEWCOMER)) == 1

    assert world.acknowledge(1).status == "accepted"
    world.run()
    voucher_mail = world.mailer.to(NEWCOMER)[1]
    assert row["code"] in voucher_mail.text

    world.clock.advance(days=1)
    placed = world.order("A1", of=NEWCOMER, code=row["code"])
    assert world.drop_orders(placed).status == "accepted"
    world.run()
    [voucher] = world.memory.all(Voucher)
    assert voucher.state is VoucherState.REDEEMED
    assert world.drop_orders(placed | {"status": "kept"}, file="kept").status == "accepted"
    world.run()

    second = world.export()
    assert second
    # Both were issued in one instant.
    assert {line["template"] for line in world.exported(2)} == {"second-order", "thank-you"}
    world.acknowledge(2)
    world.run()
    assert world.mailer.to(VIPS[0])[-1].mail_id.startswith("voucher-")
    space = view_sponsor_space(world.ports, session)
    assert [voucher_view(one) for one in space.vouchers] == ["available"]

    assert world.funnel() == {
        "invited": 3, "refused": 2, "sent": 1, "confirmed": 1, "vouchers_issued": 3,
        "vouchers_exported": 3, "vouchers_acknowledged": 3, "vouchers_redeemed": 1,
        "orders_kept": 1, "rewards": 3,
    }  # fmt: skip
    assert view_dashboard(world.ports, CAMPAIGN).refused_by_reason == {
        "customer": 1, "sponsor_in_disguise": 1,
    }  # fmt: skip
    assert len(world.journal()) == len(world.facts())

    assert report(world.ports, world.campaign) == 1
    [table] = world.files.under(f"out/{CAMPAIGN}/referrals/").values()
    [line] = csv.DictReader(gzip.decompress(table).decode().splitlines())
    assert line["referral"] == referral.referral_id
    assert (line["sponsor_digest"], line["orders"]) == (digest(VIPS[0]), "1")
    [written] = world.files.under(f"out/{CAMPAIGN}/reports/").values()
    assert json.loads(written)["funnel"]["confirmed"] == 1


def test_every_file_dropped_has_its_receipt_under_its_name_and_one_of_its_own(
    world: World,
) -> None:
    dropped = {path.removeprefix("in/demo-vip/") for path in world.files.under("in/")}
    receipts = {
        path.removeprefix("out/demo-vip/receipts/").removesuffix(".json")
        for path in world.files.under("out/demo-vip/receipts/")
    }
    own = {path for path in receipts if "@" in path}
    assert receipts - own == dropped
    assert {path.partition("@")[0] for path in own} == dropped
