"""Any hours of anything, by seed: taken back to a moment in between and brought forward again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from chalicelib.domain.redemptions import Purchase, Redemption
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.errors import GoneError, QuotaError, RefusedError
from chalicelib.services.invitations.respond import confirm, decline
from chalicelib.services.operations.check_facts import check_facts
from chalicelib.services.operations.report import report
from chalicelib.services.operations.seal import seal
from chalicelib.services.vouchers.changes import write_changes
from chalicelib.services.vouchers.redeem import redeem, roll_back
from tests.fakes.campaign import campaign, templates
from tests.fakes.due import expire
from tests.fakes.ports import TickingClock
from tests.fakes.world import VIPS, World, new_world
from tests.services.test_restoring import (
    assert_agrees_but_for_files,
    assert_brought_forward,
    bring_forward,
    drop_again,
    numbers,
    restore,
    state,
    take,
)

REFEREES = [f"referee{number}@example.fr" for number in range(8)]


@dataclass
class Player:
    """What people and the client do, by seed."""

    world: World
    chance: Random
    _files: int = 0
    _acknowledged: set[int] = field(default_factory=set)

    def step(self) -> None:
        """One thing happens, and all that follows from it."""
        actions = (
            self.invite, self.answer, self.answer, self.order, self.order, self.order, self.use,
            self.give_back, self.export, self.acknowledge, self.report, self.wait,
        )  # fmt: skip
        self.chance.choice(actions)()
        self.world.run()

    def invite(self) -> None:
        session = self.world.sponsor(self.chance.choice(VIPS[:3]))
        with suppress(QuotaError):
            self.world.invite(session, self.chance.choice(REFEREES))

    def answer(self) -> None:
        mails = self.world.mailer.to(self.chance.choice(REFEREES))
        if mails and mails[0].tokens:
            with suppress(GoneError):
                if self.chance.random() < 0.15:
                    decline(self.world.ports, mails[0].tokens[0])
                else:
                    confirm(self.world.ports, mails[0].tokens[0], "1", False)

    def order(self) -> None:
        self._files += 1
        number = self.chance.randrange(10)
        code = self.code() if self.chance.random() < 0.4 else ""
        row = self.world.order(
            f"A{number}",
            self.chance.choice(("placed", "kept", "kept", "returned", "cancelled")),
            of=REFEREES[number % len(REFEREES)],
            code=code,
        )
        self.world.drop_orders(row, file=f"orders{self._files}")

    def code(self) -> str:
        codes = sorted(one.code for one in self.world.memory.all(Voucher) if one.export)
        return self.chance.choice(codes) if codes else ""

    def use(self) -> None:
        if code := self.code():
            purchase = Purchase(
                order_id=f"T{self.chance.randrange(6)}",
                ordered_at=self.world.clock(),
                amount_minor=8000,
                currency="EUR",
            )
            with suppress(RefusedError):
                redeem(self.world.ports, code, purchase)

    def give_back(self) -> None:
        if code := self.code():
            with suppress(RefusedError):
                roll_back(self.world.ports, code, f"T{self.chance.randrange(6)}")

    def export(self) -> None:
        self.world.export()
        write_changes(self.world.ports, self.world.campaign)

    def acknowledge(self) -> None:
        for number in sorted(set(numbers(self.world)) - self._acknowledged):
            self._acknowledged.add(number)
            code = self.chance.choice(self.world.exported(number))["code"]
            refused = f"{code},unreadable".encode() if self.chance.random() < 0.5 else b""
            self.world.acknowledge(number, refused)
            return

    def report(self) -> None:
        report(self.world.ports, self.world.campaign)
        seal(self.world.ports)

    def wait(self) -> None:
        days = self.chance.choice((0, 0, 0, 1, 5))
        self.world.clock.advance(days=days, minutes=self.chance.randrange(1, 30))
        if days:
            expire(self.world.ports)


def varied(chance: Random) -> dict[str, Any]:
    """What differs between campaigns: when vouchers are mailed, caps, conditions, rules."""
    used = {"id": "used", "when": "voucher_redeemed", "if": {"template": "welcome"},
            "issue": "thank-you", "to": "sponsor"}  # fmt: skip
    placed = {"id": "placed", "when": "order_placed", "if": {"order": 2},
              "issue": "third-order", "to": "referee"}  # fmt: skip
    more = [rule for rule in (used, placed) if chance.random() < 0.5]
    return {
        "release": chance.choice(("at_once", "on_acknowledgement")),
        "caps": chance.choice(({}, {"budget": "60.00"}, {"sponsor_rewards": 1})),
        "buyer": chance.choice(("referee", "anyone")),
        "give_back_voucher": chance.choice((["cancelled"], ["cancelled", "returned"])),
        "templates": templates(welcome={"holder_bound": chance.random() < 0.2}),
        "rules": [*campaign().model_dump(by_alias=True)["rules"], *more],
    }


def play(seed: int) -> None:
    """Play a seed, take the table back, bring it forward, and let life go on."""
    chance = Random(seed)
    world = new_world(clock=TickingClock(), **varied(chance))
    check_facts(world.ports)
    player = Player(world, chance)
    for _ in range(chance.randrange(5, 30)):
        player.step()
        world.clock.advance(minutes=1)
    world.clock.advance(hours=2)
    taken = take(world)
    world.clock.advance(minutes=1)
    for _ in range(chance.randrange(5, 40)):
        player.step()
        world.clock.advance(seconds=chance.randrange(1, 100))
    # A file that is processed again may say more than it did: who its buyers are, for example.
    drop_again(world, taken)
    for _ in range(2):  # so does a fact whose work was not done when it came
        check_facts(world.ports)
        world.run()
        world.clock.advance(hours=1)
    for _ in range(2):
        player.export()
        world.run()
    player.report()
    files, was = dict(world.files.content), state(world)
    restore(world, taken)
    bring_forward(world, taken)
    now = state(world)
    # A voucher that was used when its mail was due, and given back since, is mailed now, once.
    mailed, once_more = was.pop("mails"), now.pop("mails")
    once_more.subtract(mailed)
    assert not any(once_more[name] for name in mailed)
    assert all(count < 2 for count in once_more.values())
    assert now == was
    assert_agrees_but_for_files(world)
    assert_brought_forward(world, files)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_any_hours_are_brought_forward_to_what_they_were(seed: int) -> None:
    play(seed)


def test_a_voucher_used_on_a_reported_order_has_the_amount_of_the_order() -> None:
    world = new_world(clock=TickingClock())
    world.referral(REFEREES[0])
    world.export()
    world.run()
    taken = take(world)
    code = world.exported(1)[0]["code"]
    world.drop_orders(world.order("A1", "kept", of=REFEREES[0], code=code, amount="91.00"))
    world.run()
    restore(world, taken)
    bring_forward(world, taken)
    [used] = world.memory.all(Redemption)
    assert (used.amount_minor, used.is_rebuilt) == (9100, False)
