"""What a list has replaced ends: customers' digests are not kept longer than they are needed.

Earlier versions and deltas get their end (`domain.lists.ends`) once they are found replaced; when
they have ended, nothing names their segments any more, and a segment that nothing has named for a
day is removed, including one from a drop that conflicted with another and was built again.

The segments are listed before what names them is read, and each is removed as the version that was
listed: one that is stored again meanwhile, by a delta with the same content, stays.
"""

from __future__ import annotations

from chalicelib.domain.campaign.lists import ListName
from chalicelib.domain.lists.ends import (
    UNNAMED_FOR,
    ending_deltas,
    ending_versions,
    named_segments,
)
from chalicelib.domain.lists.model import CurrentList, ListDelta, ListVersion
from chalicelib.services.file_ports import EARLIEST
from chalicelib.services.ports import Ports, Replace
from chalicelib.services.retry import retry_on_conflict

TOGETHER = 50  # items in one transaction


def end_lists(ports: Ports, campaign: str) -> int:
    """Note the ends of what was replaced, and remove the segments of what has ended; returns how
    many segments.
    """
    return sum(_end_list(ports, campaign, name) for name in ListName)


def _end_list(ports: Ports, campaign: str, name: ListName) -> int:
    segments = ports.files.written_since(f"lists/{campaign}/{name}/", EARLIEST)
    named = _note_ends(ports, campaign, name)
    until = ports.clock() - UNNAMED_FOR
    # While no list was ever in force, a delta may wait for the first one.
    ended = [one for one in segments if named and one.path not in named and one.at < until]
    for segment in ended:
        ports.files.erase(segment)
    return len(ended)


@retry_on_conflict
def _note_ends(ports: Ports, campaign: str, name: ListName) -> set[str]:
    """Note what is found replaced; returns the segments that are still named."""
    key: dict[str, str | int] = {"campaign": campaign, "name": name.value}
    versions = list(ports.repository.within(ListVersion, **key))
    deltas = list(ports.repository.within(ListDelta, **key))
    # The pointer last: what was replaced before it was read is certainly not in force.
    current = ports.repository.get(CurrentList, **key)
    if current is None:
        return set()
    now = ports.clock()
    ending = [*ending_versions(current, versions, now), *ending_deltas(current, deltas, now)]
    for start in range(0, len(ending), TOGETHER):
        ports.repository.commit(*map(Replace, ending[start : start + TOGETHER]))
    return named_segments(current, versions, deltas)
