"""Roots of the journal: what it was, where none of the functions that write it can change it.

    out/{campaign}/journal/… ──► from the head back to ──► roots: {campaign}/{number}-{hash}.json
    written by seal              the last root: verified   written once, locked

The function that does this has no other right: it writes neither the journal nor the table. Before
it writes, it verifies that what was sealed since the last root follows from that root, so a past
that was changed is noticed by the next run, and no root is written of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from chalicelib.domain.journal import GENESIS, BrokenChainError, JournalHead, root_path
from chalicelib.services.isolation import Isolation
from chalicelib.services.journal import files_back, roots_of
from chalicelib.services.lookups import all_campaigns
from chalicelib.services.ports import Ports


def write_roots(ports: Ports, isolation: Isolation) -> Iterator[str]:
    """Write the root of each campaign whose journal has grown; yields their names. A journal that
    does not follow from its last root keeps no other from having one.
    """
    for campaign in all_campaigns(ports, isolation.note):
        is_new = False
        with isolation.of("root", campaign.id):
            is_new = write_root(ports, campaign.id)
        if is_new:
            yield campaign.id


def write_root(ports: Ports, campaign: str) -> bool:
    """Write the root of a campaign's journal; False when nothing was sealed since the last one.

    `BrokenChainError` when the journal does not follow from its last root.
    """
    roots = roots_of(ports, campaign)
    number, digest = (roots[-1].number, roots[-1].hash) if roots else (0, GENESIS)
    head = ports.repository.get(JournalHead, campaign=campaign)
    follows = head.hash if head else GENESIS
    for file in files_back(ports, campaign, head, after=number):
        follows = file.previous
    if follows != digest:
        raise BrokenChainError(f"the journal does not follow from its root {number}")
    if head is None or head.number == number:
        return False
    content = json.dumps({"campaign": campaign, "number": head.number, "hash": head.hash})
    path = root_path(campaign, head.number, head.hash)
    return ports.roots.write_once(path, content.encode(), content_type="application/json")
