import pytest

from chalicelib.domain.files.acks import RefusedCode, refused_codes
from chalicelib.domain.files.own_codes import duplicates, own_codes
from chalicelib.domain.files.reading import FileRefusedError, LineError, Tally


def acks(text: str) -> tuple[list[tuple[int, RefusedCode]], Tally]:
    tally = Tally()
    return list(refused_codes([text.encode()], tally)), tally


def codes(text: str) -> tuple[list[tuple[int, str]], Tally]:
    tally = Tally()
    return list(own_codes([text.encode()], tally)), tally


# --- acknowledgements ---


@pytest.mark.parametrize(
    "text", ["", "\n", "\ufeff", "code,reason\n", "Code,Reason\n", "CODE, Reason\n", "Code\n"]
)
def test_an_empty_acknowledgement_refuses_no_code(text: str) -> None:
    refusals, tally = acks(text)
    assert (refusals, tally.rows) == ([], 0)


@pytest.mark.parametrize("header", ["", "code,reason\r\n", "Code,Reason\r\n"])
def test_refused_codes_are_read_with_or_without_header(header: str) -> None:
    refusals, _ = acks(header + 'CW-22222-22222-2222,"déjà vu, ailleurs"\r\nABC,\nDEF')
    assert [refusal for _, refusal in refusals] == [
        RefusedCode("CW-22222-22222-2222", "déjà vu, ailleurs"),
        RefusedCode("ABC", ""),
        RefusedCode("DEF", ""),
    ]


def test_bad_lines_of_an_acknowledgement_are_reported() -> None:
    refusals, tally = acks('A B,x\nABC,x,y\nABC,"x\nABC,a\tb\nABC,' + "x" * 201 + "\nABC,ok\n")
    assert refusals == [(6, RefusedCode("ABC", "ok"))]
    assert tally.errors == [
        LineError(1, "code_invalid"),
        LineError(2, "wrong_number_of_fields"),
        LineError(3, "bad_quotes"),
        LineError(4, "reason_invalid"),
        LineError(5, "reason_invalid"),
    ]


def test_a_reason_with_a_line_break_is_one_bad_row() -> None:
    refusals, tally = acks('ABC,"unknown\ncard"\nDEF,x\n')
    assert refusals == [(3, RefusedCode("DEF", "x"))]
    assert (tally.rows, tally.errors) == (2, [LineError(1, "bad_quotes")])


# --- a client's own codes ---


@pytest.mark.parametrize(
    "header", ["", "code\n", "Code\n", "CODE\r\n", '"Code"\n', "\ufeffCode \n"]
)
def test_codes_are_read_as_the_client_writes_them(header: str) -> None:
    found, tally = codes(header + "Welcome-10\nWelcome-11\nWelcome-12\n")
    assert [code for _, code in found] == ["Welcome-10", "Welcome-11", "Welcome-12"]
    assert tally.accepted == 3


def test_codes_under_a_header_may_have_any_shape() -> None:
    found, tally = codes("code\nWELCOME\nspring-2026\n" + "c" * 40)
    assert [code for _, code in found] == ["WELCOME", "spring-2026", "c" * 40]
    assert tally.errors == []


SAME_LENGTH = ["AB12CD", "EF34GH", "KL56MN"]


@pytest.mark.parametrize(
    ("first", "others"),
    [
        ("Vouchers", SAME_LENGTH),
        ("VOUCHERCODE", SAME_LENGTH),
        ("voucher_code", SAME_LENGTH),
        ("Code 1", SAME_LENGTH),
        ("LISTE1", ["AB12CD9", "EF34GH9", "KL56MN9"]),  # another length
        ("liste2", SAME_LENGTH),  # another alphabet
        ("LISTE2", ["AB-12C", "EF-34G", "KL-56M"]),
        ("123456", SAME_LENGTH),
        ("VOUCHER", ["AB12CD", "EF34GH9"]),  # a word, where all others have a digit
        ("VOUCHER", ["AB12CD"]),
        ("VOUCHER", []),
    ],
)
def test_a_first_line_unlike_all_others_refuses_the_file(first: str, others: list[str]) -> None:
    with pytest.raises(FileRefusedError) as caught:
        codes("\n".join(["", first, *others]))
    assert (caught.value.reason, caught.value.line) == ("first_line_unlike_others", 2)
    assert first not in repr((caught.value, caught.value.args, caught.value.detail))


@pytest.mark.parametrize(
    "lines",
    [
        ["AB12CD"],
        ["WELCOME10", "SPRING2026"],  # one other line does not show what all look like
        ["WELCOME10", "NOEL-2026"],
        ["WELCOME10", "SPRING2026", "NOEL26"],
        ["VOUCHER", "SUMMER", "WINTER9"],
        ["ABCDEF", "GHKLMN", "PQRSTU"],
        ["ab12cd", "AB12CE", "ab12ef"],
    ],
)
def test_a_first_line_like_another_is_a_code(lines: list[str]) -> None:
    assert [code for _, code in codes("\n".join(lines))[0]] == lines


def test_a_code_that_reads_back_like_another_is_a_duplicate() -> None:
    found, _ = codes("code\nWELCOME-10\nwelcome10\nWELCOME-10\nWELCOME-11\n")
    assert duplicates(found) == {3, 4}


@pytest.mark.parametrize(
    "code", ["c" * 41, "abc def", "étoile", "=1+1+1", "-12345", "abc_def", " abcdef", '""']
)
def test_a_code_that_could_not_be_typed_or_would_be_a_formula_is_refused(code: str) -> None:
    found, tally = codes(f"code\n{code}\n")
    assert found == []
    assert tally.errors == [LineError(2, "code_invalid")]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("B", "code_too_short"),
        ("ABC12", "code_too_short"),
        ("A-B-C-D-E", "code_too_short"),  # a till reads no hyphens
        ("code", "code_too_short"),  # of two files joined to one
        ("4.68769E+11", "code_damaged"),
        ('"4,68769E+11"', "code_damaged"),
        ("#NAME?", "code_damaged"),
        ("jeanne@example.fr", "code_plain_address"),
    ],
)
def test_a_code_that_is_guessed_or_damaged_is_refused(code: str, reason: str) -> None:
    found, tally = codes(f"code\nABC123\n{code}\n")
    assert [value for _, value in found] == ["ABC123"]
    assert tally.errors == [LineError(3, reason)]


def test_a_code_with_a_line_break_is_refused_whole() -> None:
    found, tally = codes('code\n"ABC123\nDEF456\nGHI789"\nKLM123\n')
    assert [value for _, value in found] == ["KLM123"]
    assert (tally.rows, tally.errors) == (2, [LineError(2, "bad_quotes")])


@pytest.mark.parametrize("text", ["", "code\n", "CODE\n"])
def test_a_file_of_no_codes_is_refused(text: str) -> None:
    with pytest.raises(FileRefusedError, match="empty_file"):
        codes(text)


def test_another_column_is_a_bad_line() -> None:
    assert codes("ABC123,10")[1].errors == [LineError(1, "wrong_number_of_fields")]
