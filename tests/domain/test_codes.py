import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.codes import (
    ALPHABET,
    CODE_LENGTH,
    LONGEST,
    RANDOM_LENGTH,
    CodeError,
    candidates,
    canonical,
    complete,
    complete_all,
    format_code,
    is_valid,
)

VECTORS = json.loads(
    (Path(__file__).parents[2] / "docs/vectors/voucher-codes.json").read_text(encoding="utf-8")
)
CODE = st.text(ALPHABET, min_size=RANDOM_LENGTH, max_size=RANDOM_LENGTH).map(complete)


# --- the published vectors ---


def test_the_alphabet_is_the_published_one() -> None:
    assert VECTORS["alphabet"] == ALPHABET


@pytest.mark.parametrize("good", VECTORS["good"], ids=lambda good: good["code"])
def test_every_published_code_is_made_printed_and_read_back(good: dict[str, str]) -> None:
    assert complete(good["random"]) == good["random"] + good["check"] == good["code"]
    assert is_valid(good["code"])
    assert format_code("CW", good["code"]) == good["printed"]
    assert candidates(good["printed"])[0] == good["code"]


@pytest.mark.parametrize("bad", VECTORS["bad"], ids=lambda bad: bad["code"])
def test_every_published_typo_is_caught(bad: dict[str, str]) -> None:
    assert not is_valid(bad["code"])


@pytest.mark.parametrize("read", VECTORS["read_back"], ids=lambda read: read["code"])
def test_every_published_typing_is_read_back(read: dict[str, str]) -> None:
    assert candidates(read["typed"])[0] == read["code"]


# --- the check character ---


@given(CODE, st.integers(0, CODE_LENGTH - 1), st.sampled_from(ALPHABET))
def test_every_single_wrong_character_is_caught(code: str, at: int, wrong: str) -> None:
    typo = code[:at] + wrong + code[at + 1 :]
    assert is_valid(typo) == (typo == code)


@given(CODE, st.integers(0, CODE_LENGTH - 2))
def test_every_swap_of_neighbours_is_caught(code: str, at: int) -> None:
    typo = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
    assert is_valid(typo) == (typo == code)


def test_for_one_code_every_wrong_character_and_every_swap_is_tried() -> None:
    code = VECTORS["good"][4]["code"]
    wrong = {code[:i] + c + code[i + 1 :] for i in range(CODE_LENGTH) for c in ALPHABET}
    swapped = {code[:i] + code[i + 1] + code[i] + code[i + 2 :] for i in range(CODE_LENGTH - 1)}
    assert [text for text in wrong | swapped if is_valid(text)] == [code]


@pytest.mark.parametrize("text", ["", "22", "2" * 13, "2" * 15, "2222222222222O", "2222222222222é"])
def test_a_text_of_another_length_or_alphabet_is_no_code(text: str) -> None:
    assert not is_valid(text)


@pytest.mark.parametrize("random_part", ["", "2" * 12, "2" * 14, "222222222222O", "z" * 13])
def test_a_random_part_of_another_length_or_alphabet_makes_no_code(random_part: str) -> None:
    with pytest.raises(CodeError):
        complete(random_part)


@given(st.lists(st.text(ALPHABET, min_size=RANDOM_LENGTH, max_size=RANDOM_LENGTH)))
def test_many_codes_at_once_are_those_of_each_part(parts: list[str]) -> None:
    codes = complete_all("".join(parts))
    assert codes == [complete(part) for part in parts]
    assert all(map(is_valid, codes))


@pytest.mark.parametrize("parts", ["2" * 25, "2" * 12 + "O", "2" * 12 + "é", "2" * 12 + "?"])
def test_parts_of_another_length_or_alphabet_make_no_codes(parts: str) -> None:
    with pytest.raises(CodeError):
        complete_all(parts)


# --- printing and reading back ---


@given(CODE, st.sampled_from(["CW", "B2B", ""]), st.randoms(use_true_random=False))
def test_case_spaces_and_hyphens_do_not_matter(code: str, prefix: str, random: Random) -> None:
    typed = "".join(
        random.choice([c, c.lower()]) + random.choice(["", " ", "-", "\u2011", "\u00a0"])
        for c in format_code(prefix, code)
    )
    assert candidates(typed)[0] == code


def test_without_a_prefix_a_code_is_printed_in_groups_only() -> None:
    assert format_code("", "ZZZZZZZZZZZZZR") == "ZZZZZ-ZZZZZ-ZZZR"


def test_a_clients_own_code_is_looked_up_whole() -> None:
    assert canonical("welcome-10 eur") == "WELCOME10EUR"
    assert candidates("welcome-10 eur") == ("WELCOME10EUR",)


@pytest.mark.parametrize("typed", ["x" * 65, "ABC\0DEF", "ABC\ud800", "A" * 4000])
def test_nothing_is_looked_up_for_what_can_be_no_code(typed: str) -> None:
    assert candidates(typed) == ()


def test_a_code_may_be_typed_with_any_number_of_separators() -> None:
    assert candidates("-".join("x" * LONGEST)) == ("X" * LONGEST,)


def test_a_printed_code_is_looked_up_as_ours_and_then_whole() -> None:
    assert candidates("CW-ZZZZZ-ZZZZZ-ZZZR") == ("ZZZZZZZZZZZZZR", "CWZZZZZZZZZZZZZR")


def test_a_bare_code_is_looked_up_once() -> None:
    assert candidates("zzzzzzzzzzzzzr") == ("ZZZZZZZZZZZZZR",)


def test_nothing_typed_is_nothing_to_look_up() -> None:
    assert candidates(" - ") == ()
