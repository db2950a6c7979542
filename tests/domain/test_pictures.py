"""A campaign's picture is of the kind its name says, not too large, and does nothing but show."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from chalicelib.domain.campaign.brand import PICTURE_BYTES
from chalicelib.domain.campaign.pictures import PictureError, picture_of
from local.demo.lists import PICTURES

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10">{}</svg>'
PNG = PICTURES[1].read_bytes()


def jpg(width: int, height: int, marker: int = 0xC2) -> bytes:
    """The head of a JPEG: an APP0 segment, then the frame."""
    app0 = b"\xff\xe0" + struct.pack(">H", 16) + bytes(14)
    frame = bytes([0xFF, marker]) + struct.pack(">HBHH", 17, 8, height, width) + bytes(10)
    return b"\xff\xd8" + app0 + frame


def svg(inner: str = "") -> bytes:
    return SVG.format(inner).encode()


def test_the_demos_pictures_are_good() -> None:
    drawn = picture_of("logo", "logo.svg", PICTURES[0].read_bytes())
    assert (drawn.width, drawn.height, drawn.kind) == (216, 44, "svg")
    shown = picture_of("mail_logo", "logo.png", PNG)
    assert shown.path("demo") == f"pictures/demo/{shown.sha256[:32]}.png"


@pytest.mark.parametrize("marker", [0xC0, 0xC2])
def test_the_size_of_a_jpeg_is_that_of_its_frame(marker: int) -> None:
    picture = picture_of("picture", "a.jpg", jpg(640, 480, marker))
    assert (picture.width, picture.height) == (640, 480)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.png", b"<svg/>", "not a PNG"),
        ("a.png", PNG[:20], "not a PNG"),
        ("a.png", PNG[:12] + b"XXXX" + PNG[16:], "not a PNG"),
        ("a.jpg", PNG, "not a JPEG"),
        ("a.jpg", jpg(1, 1, 0xC4), "not a JPEG"),
        ("a.jpg", jpg(1, 1)[:24], "not a JPEG"),
        ("a.svg", PNG, "not an SVG"),
        ("a.svg", b"<html/>", "not an SVG"),
        ("a.svg", b"<svg/>", "not an SVG"),
        ("a.svg", svg("<g>"), "not an SVG"),
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "viewBox"),
        ("a.svg", svg().replace(b"0 0 20 10", b"0 0 1 wide"), "viewBox"),
        ("a.png", PNG[:16] + struct.pack(">II", 4001, 10) + PNG[24:], "4001 by 10"),
        ("a.png", PNG[:16] + struct.pack(">II", 10, 0) + PNG[24:], "10 by 0"),
        ("a.svg", svg().replace(b"20 10", b"20 5000"), "20 by 5000"),
    ],
)
def test_what_is_not_of_its_kind_or_too_large_is_refused(
    name: str, content: bytes, reason: str
) -> None:
    with pytest.raises(PictureError, match=reason):
        picture_of("picture", name, content)


@pytest.mark.parametrize("field", PICTURE_BYTES)
def test_too_many_bytes_are_refused_and_counted(field: str) -> None:
    most = PICTURE_BYTES[field]
    picture_of(field, "a.png", PNG + bytes(most - len(PNG)))
    with pytest.raises(PictureError, match=f"has {most + 1:,} bytes, at most {most:,}"):
        picture_of(field, "a.png", PNG + bytes(most + 1 - len(PNG)))


@pytest.mark.parametrize(
    "inner",
    [
        "<script>alert(1)</script>",
        '<s:script xmlns:s="http://www.w3.org/2000/svg">alert(1)</s:script>',
        '<script xmlns="http://www.w3.org/1999/xhtml"/>',
        "<foreignObject/>",
        '<image href="https://elsewhere.test/a.png"/>',
        '<animate attributeName="href" to="javascript:alert(1)"/>',
        '<a href="https://elsewhere.test"><rect/></a>',
        '<rect onload="alert(1)"/>',
        '<rect ONCLICK="alert(1)"/>',
        '<use href="https://elsewhere.test/a.svg#x"/>',
        '<use xmlns:x="http://www.w3.org/1999/xlink" x:href="data:image/svg+xml,x"/>',
        '<rect fill="url(https://elsewhere.test/a.svg#x)"/>',
        "<rect style=\"fill: url( 'https://elsewhere.test' )\"/>",
        '<rect style="fill: u\\72l(https://elsewhere.test)"/>',
        "<style>@import 'https://elsewhere.test';</style>",
        "<style>rect { fill: url(//elsewhere.test) }</style>",
        "<metadata><script>alert(1)</script></metadata>",
        '<?xml-stylesheet href="https://elsewhere.test"?>',
    ],
)
def test_an_svg_that_could_do_anything_but_draw_is_refused(inner: str) -> None:
    with pytest.raises(PictureError):
        picture_of("logo", "a.svg", svg(inner))


def test_an_svg_with_a_document_type_is_refused() -> None:
    bomb = b'<!DOCTYPE svg [<!ENTITY a "aaaa">]>' + svg("<text>&a;</text>")
    with pytest.raises(PictureError, match="document type"):
        picture_of("logo", "a.svg", bomb)


@pytest.mark.parametrize(
    "inner",
    [
        '<defs><linearGradient id="g"><stop/></linearGradient></defs><rect fill="url(#g)"/>',
        "<rect fill=\"url('#g')\"/>",
        '<use href="#g"/>',
        "<style>rect { fill: #123456 }</style>",
        '<metadata><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></metadata>',
    ],
)
def test_an_svg_that_draws_is_taken(inner: str) -> None:
    assert picture_of("logo", "a.svg", svg(inner)).width == 20


def test_the_files_of_the_demo_are_those_it_names() -> None:
    assert {path.name for path in PICTURES} == {
        path.name for path in Path(PICTURES[0]).parent.iterdir() if path.suffix in {".svg", ".png"}
    }
