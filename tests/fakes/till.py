"""Vouchers that are issued, used and ended without the people and files that lead to it.

Each step is one transaction, as in the use cases: the voucher at its new state and, beside it, the
change that the client is to read. For tests of what comes after: files of changes and statements.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

from chalicelib.domain import vouchers
from chalicelib.domain.campaign.rules import HolderRole, Release
from chalicelib.domain.changes import ChangeKind, VoucherChange, with_change
from chalicelib.domain.codes import format_code
from chalicelib.domain.redemptions import Redemption
from chalicelib.domain.vouchers import Voucher, VoucherState
from chalicelib.services.ports import Insert, Ports, Replace
from tests.fakes.campaign import CAMPAIGN, digest
from tests.fakes.world import World

VALUES = {"welcome": 1000, "thank-you": 1500}


@dataclass
class Till:
    """What happens to vouchers in a world; `changes` has the words the client reads, by code."""

    world: World
    issued: int = 0
    changes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def ports(self) -> Ports:
        """The ports of the world."""
        return self.world.ports

    def issue(self, template: str = "welcome", *, days: int = 60) -> str:
        """Issue a voucher; returns the key of its code."""
        self.issued += 1
        now = self.ports.clock()
        key = self.ports.codes.voucher_code()
        voucher = Voucher(
            code_key=key,
            voucher_id=f"voucher{self.issued}",
            code=format_code("WE", key),
            campaign=CAMPAIGN,
            campaign_version=1,
            template=template,
            holder=HolderRole.REFEREE,
            holder_id=f"referral{self.issued}",
            holder_digest=digest(f"holder{self.issued}@example.fr"),
            contact_id=f"contact{self.issued}",
            referral_id=f"referral{self.issued}",
            rule=template,
            rung=0,
            value_minor=VALUES[template],
            currency="EUR",
            minimum_basket_minor=4000,
            valid_from=now,
            valid_until=vouchers.valid_until(self.world.campaign, now, days),
            issued_at=now,
            state=VoucherState.ISSUED,
            release=Release.AT_ONCE,
            correlation="k",
        )
        self.ports.repository.commit(Insert(voucher))
        return key

    def voucher(self, key: str) -> Voucher:
        """The voucher as it is stored."""
        found = self.ports.repository.get(Voucher, code_key=key)
        assert found
        return found

    def redeem(self, key: str, order_id: str) -> None:
        """Use the voucher on an order."""
        now = self.ports.clock()
        used = vouchers.redeemed(self.voucher(key), order_id)
        changed, change = with_change(used, ChangeKind.REDEEMED, now, order_id=order_id)
        redemption = Redemption(
            code_key=key,
            order_id=order_id,
            ordered_at=now,
            amount_minor=8000,
            currency="EUR",
            redeemed_at=now,
        )
        self._store(changed, change, redemption=redemption)

    def roll_back(self, key: str) -> None:
        """Give the voucher back; one that was revoked meanwhile ends with it."""
        before = self.voucher(key)
        now = self.ports.clock()
        given_back, rollback = with_change(
            vouchers.rolled_back(before, now),
            ChangeKind.ROLLED_BACK,
            now,
            order_id=before.redeemed_by,
        )
        changes = [rollback]
        ends = {VoucherState.REVOKED: ChangeKind.REVOKED, VoucherState.EXPIRED: ChangeKind.EXPIRED}
        if given_back.state in ends:
            given_back, ended = with_change(given_back, ends[given_back.state], now)
            changes.append(ended)
        self._store(given_back, *changes)

    def revoke(self, key: str) -> None:
        """Revoke the voucher; a redeemed one is only when its redemption is rolled back."""
        before = self.voucher(key)
        now = self.ports.clock()
        ended = vouchers.revoked(before, now)
        if before.state is VoucherState.REDEEMED:
            self.ports.repository.commit(Replace(ended))
            return
        changed, change = with_change(ended, ChangeKind.REVOKED, now, reason="order_returned")
        self._store(changed, change)

    def expire(self, key: str) -> None:
        """Note the end of the voucher."""
        before = self.voucher(key)
        now = self.ports.clock()
        ended = vouchers.expired(before, now)
        if not vouchers.is_live(before):
            self.ports.repository.commit(Replace(ended))
            return
        changed, change = with_change(ended, ChangeKind.EXPIRED, now)
        self._store(changed, change)

    def refuse(self, key: str) -> None:
        """The client refuses the code: revoked, and another one takes its place."""
        before = self.voucher(key)
        now = self.ports.clock()
        refused = replace(vouchers.revoked(before, now), refused_reason="unknown_card")
        noted, first = with_change(refused, ChangeKind.REFUSED, now, reason="unknown_card")
        changed, second = with_change(noted, ChangeKind.REPLACED, now)
        self._store(changed, first, second)

    def _store(
        self, voucher: Voucher, *changes: VoucherChange, redemption: Redemption | None = None
    ) -> None:
        added = map(Insert, [*changes, *([redemption] if redemption else [])])
        self.ports.repository.commit(Replace(voucher), *added)
        self.changes[voucher.code_key] += [change.change.value for change in changes]
