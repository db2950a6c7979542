"""The logo of a campaign as mails and passes carry it, read from the bucket."""

from __future__ import annotations

from chalicelib.domain.campaign.file import Campaign
from chalicelib.mails.contexts import Logo
from chalicelib.services.file_ports import FileMissingError
from chalicelib.services.ports import Ports


def logo_of(ports: Ports, campaign: Campaign) -> Logo | None:
    """The PNG of the logo; None where the campaign has none, or it is not there."""
    picture = campaign.picture(campaign.brand.logo_for_mails)
    if picture is None:
        return None
    png = _stored(ports, picture.path(campaign.id))
    return Logo(png=png, width=picture.width, height=picture.height) if png else None


# By their paths, which have the hash of the content: an execution reads a picture once.
_READ: dict[str, bytes] = {}


def _stored(ports: Ports, path: str) -> bytes | None:
    """The bytes of a picture. A mail leaves without its logo rather than not at all."""
    if path not in _READ:
        try:
            _READ[path] = b"".join(ports.files.read(path))
        except FileMissingError:
            return None
    return _READ[path]
