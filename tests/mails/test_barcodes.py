"""Bar codes are read back as a till does, from the modules that are drawn."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from chalicelib.domain.campaign.templates import Symbology
from chalicelib.mails.barcodes import bar_code_svg

# Widths of bars and spaces, from the standards (ISO/IEC 15417 and 15420), not from the writer.
CODE128 = re.findall(
    r"\d+",
    """
212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132
122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212
322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311
112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321
331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214
112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212
124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113
411311 113141 114131 311141 411131 211412 211214 211232""",
)
STOP = "2331112"
START_A, START_B, START_C, TO_C, TO_B, TO_A = 103, 104, 105, 99, 100, 101
EAN_LEFT = [
    "0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011",
    "0110111", "0001011",
]  # fmt: skip
EAN_FIRST = [
    "LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL",
    "LGGLGL",
]  # fmt: skip


def modules(svg: str, quiet: int) -> str:
    """The dark and light modules of a drawing, as 1 and 0, without the quiet zone."""
    root = ElementTree.fromstring(svg)
    _, _, width, height = map(int, root.attrib["viewBox"].split())
    paths = root.findall("{http://www.w3.org/2000/svg}path")
    row = ["0"] * width
    for start, at, run, tall, back in re.findall(
        r"M(\d+) (\d+)h(\d+)v(\d+)h-(\d+)z", paths[1].attrib["d"]
    ):
        assert (at, tall, back) == ("0", str(height), run), "a bar as high as the code"
        row[int(start) : int(start) + int(run)] = "1" * int(run)
    assert set(row[:quiet]) == set(row[-quiet:]) == {"0"}, "the quiet zone"
    return "".join(row[quiet:-quiet])


def code128(read: str) -> str:
    """What Code 128 says; its check character and its stop are right."""
    widths = "".join(str(len(run)) for run in re.findall("1+|0+", read))
    assert widths.endswith(STOP)
    values = [CODE128.index(widths[at : at + 6]) for at in range(0, len(widths) - len(STOP), 6)]
    start, *said, check = values
    assert check == (start + sum(at * one for at, one in enumerate(said, start=1))) % 103
    now, text = start, ""
    for value in said:
        if value in {TO_A, TO_B, TO_C} and (now, value) != (START_C, TO_C):
            now = {TO_A: START_A, TO_B: START_B, TO_C: START_C}[value]
        elif now == START_C:
            text += f"{value:02}"
        else:
            text += chr(value + 32)
    return text


def ean13(read: str) -> str:
    """What EAN-13 says: the first figure is in the parities of the next six."""
    assert len(read) == 95
    assert (read[:3], read[45:50], read[-3:]) == ("101", "01010", "101")
    left = [read[at : at + 7] for at in range(3, 45, 7)]
    right = [read[at : at + 7] for at in range(50, 92, 7)]
    flipped = ["".join("10"[int(one)] for one in each) for each in EAN_LEFT]
    figures, parities = "", ""
    for each in left:
        is_odd = each in EAN_LEFT
        parities += "L" if is_odd else "G"
        figures += str(EAN_LEFT.index(each) if is_odd else flipped.index(each[::-1]))
    figures += "".join(str(flipped.index(each)) for each in right)
    return f"{EAN_FIRST.index(parities)}{figures}"


@pytest.mark.parametrize(
    "code", ["WE-7K2M9-QXP4T-BN23", "TY-22222-22222-229B", "123456", "TH0123456789", "a1b2-c3"]
)
def test_code_128_is_read_back_as_it_was_written(code: str) -> None:
    drawn = bar_code_svg(code, Symbology.CODE128)
    assert drawn is not None
    assert code128(modules(drawn, quiet=10)) == code


@pytest.mark.parametrize("code", ["4006381333931", "0012345678905", "9780201379624"])
def test_ean_13_is_read_back_as_it_was_written(code: str) -> None:
    drawn = bar_code_svg(code, Symbology.EAN13)
    assert drawn is not None
    assert ean13(modules(drawn, quiet=11)) == code


@pytest.mark.parametrize("figure", "012356789")
def test_thirteen_figures_of_which_the_last_is_wrong_have_no_ean(figure: str) -> None:
    assert bar_code_svg(f"978020137962{figure}", Symbology.EAN13) is None


@pytest.mark.parametrize("code", ["WE-été", "tab\tin", "line\n"])
def test_what_tills_do_not_read_has_no_code_128(code: str) -> None:
    assert bar_code_svg(code, Symbology.CODE128) is None


def test_a_qr_code_is_square_and_has_its_three_marks() -> None:
    drawn = bar_code_svg("TY-22222-22222-229B", Symbology.QR)
    assert drawn is not None
    root = ElementTree.fromstring(drawn)
    _, _, width, height = map(int, root.attrib["viewBox"].split())
    assert width == height
    path = root.findall("{http://www.w3.org/2000/svg}path")[1].attrib["d"]
    for x, y in ((4, 4), (width - 11, 4), (4, height - 11)):  # four modules of quiet zone
        assert f"M{x} {y}h7v1h-7z" in path
        assert f"M{x} {y + 6}h7v1h-7z" in path
