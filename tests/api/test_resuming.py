"""Held invitations leave through the functions when ops resume, whatever their number."""

from __future__ import annotations

import pytest

from chalicelib.domain.protection import InvitationStop, StopReason
from chalicelib.services import protection
from chalicelib.services.ports import Insert
from tests.api.world import CAMPAIGN, World


def test_what_is_held_goes_out_part_by_part_when_ops_resume(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = world.sign_in()
    stop = InvitationStop(campaign=CAMPAIGN, reason=StopReason.COMPLAINTS, stopped_at=world.clock())
    world.ports.repository.commit(Insert(stop))
    asked = [f"held.{number}@demo.test" for number in range(3)]
    for address in asked:
        body = {"referees": [{"email": address}]}
        world.post("/v1/sponsor/invitations", body, Authorization=f"Bearer {session}")
    world.run()
    assert not set(asked) & {mail.recipient for mail in world.mails}
    monkeypatch.setattr(protection, "REQUEUED_AT_ONCE", 1)
    assert protection.resume(world.ports, CAMPAIGN, "AIDAOPS")
    world.run()
    sent = [mail.recipient for mail in world.mails]
    assert [sent.count(address) for address in asked] == [1, 1, 1]
