"""What a campaign's picture may be: the kind its name says, of a sensible size, and inert.

An SVG is a document that can hold scripts and fetch things. Only elements that draw are let
through, by their names, without handlers, styles that load, or references out of the file. Pages
show pictures as `<img>`, under a policy that runs no foreign script: this is the second lock.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from struct import unpack
from xml.parsers import expat  # nosec B407

from chalicelib.domain.campaign.brand import PICTURE_BYTES, Picture

MOST_PIXELS = 4_000  # a side
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_DRAWING = frozenset({
    "svg", "g", "defs", "title", "desc", "path", "rect", "circle", "ellipse", "line", "polyline",
    "polygon", "text", "tspan", "clipPath", "mask", "linearGradient", "radialGradient", "stop",
    "symbol", "use", "pattern", "filter", "feGaussianBlur", "feOffset", "feBlend", "feColorMatrix",
    "feFlood", "feComposite", "feMerge", "feMergeNode", "metadata",
})  # fmt: skip
# A backslash could spell any of these otherwise.
_REFERENCE = re.compile(r"url\((?!\s*['\"]?#)|@import|javascript:|expression\(|\\", re.IGNORECASE)
_LENGTH = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(?:px)?\s*")


class PictureError(Exception):
    """Why a file cannot be the picture of a campaign; the message is for its author."""


def picture_of(field: str, name: str, content: bytes) -> Picture:
    """The picture that `content` is, for that field of `brand`. `PictureError`."""
    most = PICTURE_BYTES[field]
    if len(content) > most:
        raise PictureError(f"{name} has {len(content):,} bytes, at most {most:,} are allowed")
    kind = name.rpartition(".")[2]
    width, height = _SIZES[kind](name, content)
    if not (0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS):
        raise PictureError(f"{name} is {width} by {height}, at most {MOST_PIXELS} are allowed")
    return Picture(
        sha256=hashlib.sha256(content).hexdigest(), kind=kind, width=width, height=height
    )


def _png(name: str, content: bytes) -> tuple[int, int]:
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR" or len(content) < 33:
        raise PictureError(f"{name} is not a PNG file")
    width, height = unpack(">II", content[16:24])
    return width, height


def _jpg(name: str, content: bytes) -> tuple[int, int]:
    """The size in the header of the frame (SOF), which one finds by walking over the segments."""
    at = 2
    if content[:2] == b"\xff\xd8":
        while at + 9 < len(content) and content[at] == 0xFF:
            marker = content[at + 1]
            if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
                height, width = unpack(">HH", content[at + 5 : at + 9])
                return width, height
            at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    raise PictureError(f"{name} is not a JPEG file")


def _svg(name: str, content: bytes) -> tuple[int, int]:
    """The size of the root, which is all that is read; everything else is refused or left alone."""
    root: dict[str, str] = {}
    styles: list[str] = []
    open_elements: list[str] = []

    def start(element: str, attributes: dict[str, str]) -> None:
        namespace, _, local = element.rpartition(" ")
        in_metadata = "metadata" in open_elements
        open_elements.append(local)
        if not root:
            if (namespace, local) != (_SVG, "svg"):
                raise PictureError(f"{name} is not an SVG file")
            root.update(attributes or {"": ""})
        if in_metadata and namespace != _SVG:
            return  # licences and authors, which nothing draws
        if namespace == _SVG and local == "style":
            return  # its text is looked at below
        if namespace != _SVG or local not in _DRAWING:
            raise PictureError(f"{name}: <{local}> is not allowed in a picture")
        for attribute, value in attributes.items():
            _refuse_active(name, attribute, value)

    def end(_element: str) -> None:
        open_elements.pop()

    def text(words: str) -> None:
        if open_elements and open_elements[-1] == "style":
            styles.append(words)

    def doctype(*_: object) -> None:
        raise PictureError(f"{name}: a document type is not allowed in a picture")

    def instruction(target: str, _words: str) -> None:
        raise PictureError(f"{name}: <?{target}?> is not allowed in a picture")

    parser = expat.ParserCreate(namespace_separator=" ")
    handlers = {
        "StartElementHandler": start,
        "EndElementHandler": end,
        "CharacterDataHandler": text,
        "StartDoctypeDeclHandler": doctype,
        "ProcessingInstructionHandler": instruction,
    }
    for event, handler in handlers.items():
        setattr(parser, event, handler)
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise PictureError(f"{name} is not an SVG file: {error}") from error
    if _REFERENCE.search("".join(styles)):
        raise PictureError(f"{name}: a style may not fetch anything")
    return _svg_size(name, root)


def _refuse_active(name: str, attribute: str, value: str) -> None:
    namespace, _, local = attribute.rpartition(" ")
    if local.lower().startswith("on"):
        raise PictureError(f"{name}: the attribute {local} is not allowed in a picture")
    is_link = local == "href" and namespace in ("", _XLINK)
    if (is_link and not value.strip().startswith("#")) or _REFERENCE.search(value):
        raise PictureError(f"{name}: {local} may only refer to a part of the picture itself")


def _svg_size(name: str, root: Mapping[str, str]) -> tuple[int, int]:
    sides = [_LENGTH.fullmatch(root.get(side, "")) for side in ("width", "height")]
    if all(sides):
        width, height = (float(side[1]) for side in sides if side)
        return round(width), round(height)
    box = root.get("viewBox", "").replace(",", " ").split()
    try:
        width, height = (float(side) for side in box[2:4])
    except ValueError:
        raise PictureError(f"{name} needs a viewBox, or a width and a height") from None
    return round(width), round(height)


_SIZES: Mapping[str, Callable[[str, bytes], tuple[int, int]]] = {
    "png": _png,
    "jpg": _jpg,
    "svg": _svg,
}
