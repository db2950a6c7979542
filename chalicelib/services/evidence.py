"""Recording evidence for a review: only in a campaign that has one, and on what is written anyway.

What depends on an address is recorded behind the queue. A public call adds one key to a read that
it makes and one item to its transaction, whoever calls: the network of the caller as a keyed hash,
for an hour (`domain/traces.py`). It is logged nowhere.
"""

from __future__ import annotations

from chalicelib.domain.addresses import Address
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.people import Sponsor
from chalicelib.domain.review import DomainDay, NetworkAnswers, domain_day, network_answers
from chalicelib.domain.traces import NO_TRACES, Traces, network_trace, traces_of
from chalicelib.services.ports import Change, Insert, Key, Ports, Replace


def traces_for(ports: Ports, campaign: Campaign, address: Address) -> Traces:
    """The traces of an address."""
    return traces_of(address, ports.keys.own()) if campaign.review else NO_TRACES


def domain_changes(ports: Ports, campaign: Campaign, traces: Traces) -> tuple[int, list[Change]]:
    """How many of the address's private domain are invited today, with this one, and the change
    that counts it; only where the campaign limits them.
    """
    review = campaign.review
    if review is None or review.per_private_domain_per_day is None or traces.domain is None:
        return 0, []
    now = ports.clock()
    before = ports.repository.get(
        DomainDay,
        campaign=campaign.id,
        domain=traces.domain,
        day=campaign.local_date(now).isoformat(),
    )
    counted = domain_day(before, campaign, traces.domain, now)
    return counted.invited, [_stored(counted)]


def network_key(
    ports: Ports, campaign: Campaign, sponsor_id: str, network: str | None
) -> Key[NetworkAnswers] | None:
    """Where the answers from a caller's network to a sponsor are, if the campaign asks."""
    if network is None or campaign.review is None or not campaign.review.weights.one_network:
        return None
    trace = network_trace(network, ports.keys.own())
    return Key.of(NetworkAnswers, sponsor_id=sponsor_id, network=trace)


def read_sponsor(
    ports: Ports, sponsor_id: str, key: Key[NetworkAnswers] | None
) -> tuple[Sponsor | None, NetworkAnswers | None]:
    """A sponsor, and in the same call what is at the key, if there is one."""
    if key is None:
        return ports.repository.get(Sponsor, sponsor_id=sponsor_id), None
    of_sponsor = Key.of(Sponsor, sponsor_id=sponsor_id)
    found = ports.repository.read(of_sponsor, key)
    return found.get(of_sponsor), found.get(key)


def network_changes(
    ports: Ports,
    before: NetworkAnswers | None,
    key: Key[NetworkAnswers] | None,
    sponsor: Sponsor,
) -> tuple[int, list[Change]]:
    """How many answered for the sponsor from the caller's network within the hour, and the change
    that counts the caller. `before` is what was read at the key.
    """
    if key is None:
        return 0, []
    network = str(dict(key.parts)["network"])
    answers = before.answers if before else 0
    return answers, [_stored(network_answers(before, sponsor, network, ports.clock()))]


def _stored(entity: DomainDay | NetworkAnswers) -> Change:
    return Replace(entity) if entity.revision else Insert(entity)
