import pytest

from chalicelib.domain.files.acks import RefusedCode, refused_codes
from chalicelib.domain.files.own_codes import own_codes
from chalicelib.domain.files.reading import FileRefusedError, LineError, Tally


def acks(text: str) -> tuple[list[tuple[int, RefusedCode]], Tally]:
    tally = Tally()
    return list(refused_codes([text.encode()], tally)), tally


def codes(text: str) -> tuple[list[tuple[int, str]], Tally]:
    tally = Tally()
    return list(own_codes([text.encode()], tally)), tally


# --- acknowledgements ---


@pytest.mark.parametrize("text", ["", "\n", "\ufeff", "code,reason\n"])
def test_an_empty_acknowledgement_refuses_no_code(text: str) -> None:
    refusals, tally = acks(text)
    assert (refusals, tally.rows) == ([], 0)


@pytest.mark.parametrize("header", ["", "code,reason\r\n"])
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


# --- a client's own codes ---


@pytest.mark.parametrize("header", ["", "code\n"])
def test_codes_are_read_as_the_client_writes_them(header: str) -> None:
    found, tally = codes(header + "Welcome-10\nB\n" + "c" * 40)
    assert [code for _, code in found] == ["Welcome-10", "B", "c" * 40]
    assert tally.accepted == 3


def test_a_code_that_reads_back_like_another_is_refused() -> None:
    found, tally = codes("code\nWELCOME-10\nwelcome10\nWELCOME-10\nWELCOME-11\n")
    assert [number for number, _ in found] == [2, 5]
    assert tally.errors == [LineError(3, "code_duplicate"), LineError(4, "code_duplicate")]


@pytest.mark.parametrize("code", ["c" * 41, "a b", "é", "=1+1", "-1", "a_b", " a", '""'])
def test_a_code_that_could_not_be_typed_or_would_be_a_formula_is_refused(code: str) -> None:
    found, tally = codes(f"code\n{code}\n")
    assert found == []
    assert tally.errors == [LineError(2, "code_invalid")]


@pytest.mark.parametrize("text", ["", "code\n"])
def test_a_file_of_no_codes_is_refused(text: str) -> None:
    with pytest.raises(FileRefusedError, match="empty_file"):
        codes(text)


def test_another_column_is_a_bad_line() -> None:
    assert codes("ABC,10")[1].errors == [LineError(1, "wrong_number_of_fields")]
