"""Somebody is forgotten beside each other use case: of every function, every call, every command.

    python -m tests.simulation.erasures_beside [--seeds 20] [--of decide]

The work of a scenario (`scenarios.py`) is begun together with an erasure of somebody whom it may be
about, and with every other seed a second one. All are held at each of their calls to AWS, meet
faults, are killed and delivered or begun again. In the end she is nowhere, no law is broken, and
the books say of each of her ids once that it is forgotten.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from random import Random

from chalicelib.api.operations import OPERATIONS
from chalicelib.domain.addresses import Address
from chalicelib.domain.campaign.versions import CurrentCampaign
from chalicelib.domain.facts import FactName
from chalicelib.domain.mails import Mail
from chalicelib.domain.people import Contact
from chalicelib.domain.protection import InvitationStop, StopReason
from chalicelib.domain.vouchers import Voucher
from chalicelib.services.campaigns.put import put_campaign
from chalicelib.services.mails.resend import resend
from chalicelib.services.operations.verify_journal import verify_journal
from chalicelib.services.persons.access import export_person
from chalicelib.services.ports import Insert, Ports
from chalicelib.services.protection import resume
from chalicelib.services.vouchers.replace_refused import replace_refused
from tests.api.requests import GOOD, invitations
from tests.api.world import CAMPAIGN, STRANGER, VIP, campaign_like_demo
from tests.simulation.crashes import ROUNDS
from tests.simulation.erasures import Forgotten, _begin_erasure, _look, needles
from tests.simulation.laws import all_of, facts_in, violations
from tests.simulation.machine import SES_DETAILS
from tests.simulation.races import FAULTS, _ask, _step
from tests.simulation.run import finish
from tests.simulation.scenarios import SCENARIOS, Scenario, _mailed_voucher, _refused_codes
from tests.simulation.stage import Stage, stage

BY = "AIDAOPS"
Command = Callable[[Ports], object]

# --- commands, which no function and no call does ------------------------------------------------


def _mail_to_send_again(world: Stage) -> Command:
    """A voucher's mail that bounced."""
    _mailed_voucher(world)
    [mail] = [one for one in all_of(world.cloud, Mail) if one.voucher_id]
    world.machine.ses_event("Bounce", mail.mail_id, **SES_DETAILS["Bounce"])
    world.run()
    return lambda ports: resend(ports, CAMPAIGN, mail.mail_id, BY)


def _invitations_to_resume(world: Stage) -> Command:
    """One is held, because complaints had stopped them."""
    session = world.sign_in()
    stop = InvitationStop(
        campaign=CAMPAIGN, reason=StopReason.COMPLAINTS, stopped_at=world.cloud.now
    )
    world.ports.repository.commit(Insert(stop))
    world.ask(invitations(STRANGER, session=session))
    world.run()
    return lambda ports: resume(ports, CAMPAIGN, BY)


def _code_to_replace(world: Stage) -> Command:
    _refused_codes(world)
    [refused] = [one for one in all_of(world.cloud, Voucher) if one.refused_reason]

    def replace(ports: Ports) -> object:
        campaign = ports.campaigns.get(CAMPAIGN)
        assert campaign
        return replace_refused(ports, campaign, refused.code_key, by=BY)

    return replace


def _person_to_export(world: Stage) -> Command:
    world.voucher()

    def export(ports: Ports) -> object:
        campaign = ports.campaigns.get(CAMPAIGN)
        assert campaign
        return export_person(ports, [campaign], Address.parse(STRANGER))

    return export


def _campaign_to_put(world: Stage) -> Command:
    world.voucher()
    return lambda ports: put_campaign(ports, campaign_like_demo(quotas={"sign_ups_per_day": 3}))


def _journal_to_verify(world: Stage) -> Command:
    world.voucher()
    world.fire("seal", "root")
    [current] = all_of(world.cloud, CurrentCampaign)
    return lambda ports: verify_journal(ports, current)


COMMANDS: dict[str, Callable[[Stage], Command]] = {
    "mail resend": _mail_to_send_again,
    "mail resume": _invitations_to_resume,
    "voucher replace": _code_to_replace,
    "person export": _person_to_export,
    "campaign put": _campaign_to_put,
    "journal verify": _journal_to_verify,
}

# Calls that change nothing have nothing to be killed in, and may be made meanwhile all the same.
READING = tuple(
    Scenario(one.name, "a good request", GOOD[one.name])
    for one in OPERATIONS
    if one.method == "GET"
)
BESIDE: dict[str, Callable[[Stage], object]] = {
    **{one.title: one.begin for one in (*SCENARIOS, *READING)},
    **COMMANDS,
}


# --- one of them ----------------------------------------------------------------------------------


def forgotten_beside(title: str, seed: int) -> Forgotten:
    """Somebody is forgotten while that goes on."""
    with stage(seed) as world:
        chance, found = Random(f"{title} {seed}"), Forgotten()
        work = BESIDE[title](world)
        world.machine.held = set()
        address = chance.choice(_known_to(world))
        wanted = needles(world, address)
        _begin(world, title, work)
        for _ in range(1 + seed % 2):
            _begin_erasure(world, address, found)
        while world.cloud.scheduler.workers or world.machine.ready():
            ready = world.machine.ready()
            if ready and (chance.random() < 0.2 or not world.cloud.scheduler.workers):
                chance.choice(ready)()
            else:
                _step(world, chance, FAULTS, spared="mail")
        finish(world.cloud, world.machine, ROUNDS)
        _look(world, address, wanted, found)
        found.broken += [*violations(world.cloud), *_forgotten_twice(world)]
        return found


def _begin(world: Stage, title: str, work: object) -> None:
    if isinstance(work, str):
        world.machine.deliver(work)
    elif callable(work):
        world.machine.begin(title, lambda: work(world.cloud.ports()))
    else:
        world.machine.begin(title, partial(_ask, world, work))  # type: ignore[arg-type]


def _known_to(world: Stage) -> list[str]:
    """Everybody whose address the world has, and a sponsor."""
    return sorted({one.address.typed for one in all_of(world.cloud, Contact)} | {VIP})


def _forgotten_twice(world: Stage) -> Iterator[str]:
    """Each of her ids is forgotten once."""
    facts = (one for one in facts_in(world.cloud) if one.name == FactName.PERSON_ERASED)
    for subject, count in Counter(fact.subject for fact in facts).items():
        if count > 1:
            yield f"{subject} is forgotten {count} times"


def main() -> None:
    """Play all of them with many seeds; fails if one breaks."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation.erasures_beside", description=__doc__
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--of", default="", help="only those whose name has this in it")
    asked = parser.parse_args()
    titles = [title for title in BESIDE if asked.of in title]
    broken = kills = receipts = 0
    for title in titles:
        for seed in range(asked.seeds):
            found = forgotten_beside(title, seed)
            kills, receipts = kills + found.kills, receipts + len(found.receipts)
            for text in found.broken:
                broken += 1
                print(f"{title}, seed {seed}: {text}", file=sys.stderr)
    print(
        f"{len(titles)} use cases, {len(titles) * asked.seeds} schedules, {kills} kills,"
        f" {receipts} receipts, {broken} violations"
    )
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
