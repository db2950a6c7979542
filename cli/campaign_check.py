"""A campaign file with all that belongs to it: its pictures, the client's key, what is doubtful.

The file alone is read by `campaign_file`, which the retailer's wheel has too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chalicelib.domain.campaign.brand import PICTURE_BYTES, Picture
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.hazards import campaign_warnings
from chalicelib.domain.campaign.pictures import PictureError, picture_of
from chalicelib.services.cipher_ports import UnusableKeyError
from cli.campaign_file import CampaignFileError, campaign_of, line_of, located
from cli.documents import Document, read_document
from cli.errors import CommandError

KEY_FIELD = ("files", "encrypt_to")


def read_campaign(file: Path) -> Campaign:
    """The campaign in `file`. Raises CommandError: `FILE:LINE:COL: field: reason` lines."""
    return read_campaign_and_warnings(file)[0]


Known = Callable[[str], Mapping[str, Picture]]
"""The pictures that are stored for a campaign, by the names of their files."""


def _none_known(_campaign: str) -> Mapping[str, Picture]:
    return {}


def read_campaign_and_warnings(
    file: Path, known: Known = _none_known
) -> tuple[Campaign, list[str]]:
    """The campaign in `file`, and a line for each thing that is valid and probably not meant.

    A picture that is not beside the file may be `known`: a campaign that was shown as a file names
    its pictures, and is put again without them. Raises CommandError as `read_campaign` does.
    """
    content = file.read_bytes()
    try:
        campaign = with_pictures(campaign_of(content), file, read_document(content), known)
        key = key_problems(campaign, datetime.now(UTC))
        if key.problem:
            raise CampaignFileError([read_document(content).problem(KEY_FIELD, key.problem)])
    except CampaignFileError as error:
        raise CommandError(*(line_of(file, problem) for problem in error.problems)) from error
    warnings = [*campaign_warnings(campaign), *key.warnings]
    found = located("; ".join(warnings), read_document(content))
    return campaign, [line_of(file, problem, "warning: ") for problem in sorted(found)]


@dataclass(frozen=True)
class KeyFindings:
    """What is wrong with the key of a campaign, and what is doubtful."""

    problem: str | None = None
    warnings: Sequence[str] = ()


def key_problems(campaign: Campaign, now: datetime) -> KeyFindings:
    """Whether what is written for the client can be encrypted to the key, from `now` to the end."""
    if campaign.encrypt_to is None:
        return KeyFindings()
    from chalicelib.adapters.pgp import client_key  # a large library, for this one field

    try:
        ends = client_key(campaign.encrypt_to, now).expires_at
    except UnusableKeyError as error:
        return KeyFindings(str(error))
    if ends is None or ends > campaign.last_second:
        return KeyFindings()
    day = ends.astimezone(campaign.zone).date()
    return KeyFindings(
        warnings=[f"files.encrypt_to: expires on {day}, before the campaign ends: no file after it"]
    )


def key_ends(campaign: Campaign, now: datetime, within: timedelta) -> str | None:
    """What is wrong with the key of a campaign, or will be soon; None when nothing is."""
    if problem := key_problems(campaign, now).problem:
        return f"the client's PGP key {problem}: nothing leaves"
    if problem := key_problems(campaign, now + within).problem:
        return f"in {within.days} days the client's PGP key {problem}"
    return None


def with_pictures(
    campaign: Campaign, file: Path, document: Document, known: Known = _none_known
) -> Campaign:
    """The campaign, with the pictures that lie beside its file. Raises CampaignFileError."""
    found: dict[str, Picture] = {}
    problems = []
    for field, _, path in pictures_of(campaign, file):
        try:
            picture = picture_of(field, path.name, path.read_bytes())
        except OSError:
            stored = known(campaign.id).get(path.name)
            if stored:
                found[path.name] = stored
                continue
            reason = f"there is no file {path.name} beside {file.name}"
            problems.append(document.problem(("brand", field), reason))
        except PictureError as error:
            problems.append(document.problem(("brand", field), str(error)))
        else:
            found[path.name] = picture
    if problems:
        raise CampaignFileError(problems)
    return campaign.model_copy(update={"pictures": found})


def pictures_of(campaign: Campaign, file: Path) -> Iterator[tuple[str, str, Path]]:
    """The fields of `brand` that name a picture, each with that name and where the file is."""
    for field in PICTURE_BYTES:
        name = getattr(campaign.brand, field)
        if name:
            yield field, name, file.parent / name
