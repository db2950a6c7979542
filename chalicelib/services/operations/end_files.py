"""Files of `out/` end on their day (`domain.files.ends`), so that nothing of them remains.

S3's own rules count from when a file was written, and know neither whether its export was
acknowledged nor what lies between `out/` and the folder: so each version that has ended is erased
here. What the books rest on is left to the bucket's rule for all of `out/`: no function of ours may
remove it (law 10).
"""

from __future__ import annotations

from chalicelib.domain.exports import Export
from chalicelib.domain.files.ends import AFTER_WRITTEN, EXPORTS, has_export_ended
from chalicelib.services.file_ports import EARLIEST, Written
from chalicelib.services.ports import Ports


def end_files(ports: Ports, campaign: str) -> int:
    """Erase the files of a campaign that have ended; returns how many."""
    ended = _exports(ports, campaign)
    for area, kept in AFTER_WRITTEN.items():
        until = ports.clock() - kept
        ended += [one for one in _written(ports, campaign, area) if one.at <= until]
    for one in ended:
        ports.files.erase(one)
    return len(ended)


def _written(ports: Ports, campaign: str, area: str) -> list[Written]:
    return ports.files.written_since(f"out/{campaign}/{area}/", EARLIEST)


def _exports(ports: Ports, campaign: str) -> list[Written]:
    """The files and manifests of the exports whose acknowledgement is so long ago."""
    files = {one: _number(one.path) for one in _written(ports, campaign, EXPORTS)}
    numbers = {number for number in files.values() if number is not None}
    keys: list[dict[str, str | int]] = [
        {"campaign": campaign, "number": number} for number in sorted(numbers)
    ]
    exports = ports.repository.get_many(Export, keys) if keys else []
    ended = {one.number for one in exports if has_export_ended(one, ports.clock())}
    return [one for one, number in files.items() if number in ended]


def _number(path: str) -> int | None:
    name = path.rpartition("/")[2].partition(".")[0]
    return int(name) if name.isdecimal() else None
