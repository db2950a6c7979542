"""The MIME message: its headers, what they refuse, and what a mail program reads in it."""

from __future__ import annotations

import email.utils
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.mails import Rendered
from chalicelib.mails.message import compose

RENDERED = Rendered(
    locale="fr",
    subject="Jeanne vous invite chez Maison Été\u00a0: 10,00\u00a0€",
    text="Bonjour,\n\nà bientôt " + "x" * 2000 + "\n.\n--=_\n",
    html="<!DOCTYPE html>\n<html lang='fr'><p>à bientôt</p></html>\n",
)
ONE_CLICK = "https://tandem.example/v1/unsubscribe/" + "Ab-_" * 11
CONTROLS = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]))


def made(
    rendered: Rendered = RENDERED,
    *,
    sender: str = "hello@verger.example",
    sender_name: str = "Maison Verger",
    recipient: str = "paul@example.net",
    mail_id: str = "01J9-mail.id_7",
    date: datetime = datetime(2026, 11, 1, 9, 30, tzinfo=timezone(timedelta(hours=1))),
    unsubscribe_url: str = ONE_CLICK,
    reply_to: str | None = None,
) -> EmailMessage:
    return compose(
        rendered,
        sender=sender,
        sender_name=sender_name,
        recipient=recipient,
        mail_id=mail_id,
        date=date,
        unsubscribe_url=unsubscribe_url,
        reply_to=reply_to,
    )


def read(message: EmailMessage) -> EmailMessage:
    """The message as a program that receives its bytes reads it."""
    return email.message_from_bytes(bytes(message), _class=EmailMessage, policy=SMTPUTF8)


def lines(message: EmailMessage) -> list[bytes]:
    return bytes(message).split(b"\r\n")


def headers(message: EmailMessage) -> bytes:
    return bytes(message).partition(b"\r\n\r\n")[0]


def unwrapped(text: str) -> str:
    """Without the spaces at which a header may be folded."""
    return text.replace("\r\n", "").replace(" ", "")


def addresses(message: EmailMessage, name: str) -> list[tuple[str, str]]:
    header = message[name]
    assert isinstance(header, AddressHeader)
    return [(address.display_name, address.addr_spec) for address in header.addresses]


@pytest.mark.parametrize("brand", ["M" * length for length in range(1, 121)], ids=len)
def test_a_subject_is_read_as_it_was_written_wherever_it_is_folded(brand: str) -> None:
    subject = f"Votre bon d’achat {brand} de 5\u00a0€ n’est plus valable, Zoé"
    assert read(made(replace(RENDERED, subject=subject)))["Subject"] == subject


def test_the_message_is_two_alternatives_in_quoted_printable() -> None:
    got = read(made())
    assert got.get_content_type() == "multipart/alternative"
    text, page = got.iter_parts()
    assert isinstance(text, EmailMessage)
    assert isinstance(page, EmailMessage)
    for part, kind, content in (
        (text, "text/plain", RENDERED.text),
        (page, "text/html", RENDERED.html),
    ):
        assert part.get_content_type() == kind
        assert part.get_content_charset() == "utf-8"
        assert part["Content-Transfer-Encoding"] == "quoted-printable"
        assert part.get_content().replace("\r\n", "\n") == content
    assert not got.defects


def test_the_headers_say_who_what_when_and_that_it_is_automatic() -> None:
    got = read(made(reply_to="care@verger.example"))
    assert addresses(got, "From") == [("Maison Verger", "hello@verger.example")]
    assert addresses(got, "To") == [("", "paul@example.net")]
    assert addresses(got, "Reply-To") == [("", "care@verger.example")]
    assert got["Subject"] == RENDERED.subject
    assert got["Date"] == "Sun, 01 Nov 2026 08:30:00 +0000"
    assert got["Message-ID"] == "<01J9-mail.id_7@verger.example>"
    assert got["X-Tandem-Mail"] == "01J9-mail.id_7"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Content-Language"] == "fr"
    assert got["MIME-Version"] == "1.0"
    assert len(got.keys()) == len({name.lower() for name in got})


def test_unsubscribing_takes_one_click_as_rfc_8058_wants() -> None:
    raw = headers(made(unsubscribe_url=ONE_CLICK)).split(b"\r\n")
    assert f"List-Unsubscribe: <{ONE_CLICK}>".encode() in raw
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in raw


@pytest.mark.parametrize("url", ["http://127.0.0.1:8400/v1/unsubscribe/t", "http://localhost/t"])
def test_plain_http_is_for_the_machine_one_sits_at(url: str) -> None:
    assert read(made(unsubscribe_url=url))["List-Unsubscribe"] == f"<{url}>"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://tandem.example/t",
        "http://localhost.example/t",
        "mailto:stop@tandem.example",
        "https://tandem.example/a b",
        "https://tandem.example/>,<x",
        "https://tandem.example/t\r\nBcc: x@y.example",
        "https://tandem.example/t\n",
        "https://tandem.example/é",
        "https://tandem.example/" + "x" * 1000,
    ],
)
def test_an_unsubscribe_address_that_does_not_fit_its_header_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="unsubscribe_url"):
        made(unsubscribe_url=url)


def test_the_same_mail_is_the_same_bytes_and_another_is_not() -> None:
    once = bytes(made())
    assert once == bytes(made())
    assert once != bytes(made(mail_id="another"))


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: f"{ord(control):02x}")
def test_a_control_character_is_refused_wherever_a_header_holds_it(control: str) -> None:
    bad = f"a{control}Bcc: x@y.example"
    with pytest.raises(ValueError, match="control"):
        made(replace(RENDERED, subject=bad))
    with pytest.raises(ValueError, match="control"):
        made(sender_name=bad)
    for address in (f"a{control}b@example.net", f"a@exam{control}ple.net", f"a@b.net{control}"):
        with pytest.raises(ValueError, match="an address"):
            made(recipient=address)
        with pytest.raises(ValueError, match="an address"):
            made(sender=address)
        with pytest.raises(ValueError, match="an address"):
            made(reply_to=address)
    with pytest.raises(ValueError, match="mail_id"):
        made(mail_id=f"a{control}b")


@pytest.mark.parametrize(
    "encoded", ["=?utf-8?q?a=0D=0ABcc=3A_x=40y.example?=", "=?utf-8?b?DQpCY2M6IHhAeS5leGFtcGxl?="]
)
def test_an_encoded_word_in_a_name_is_text_and_adds_no_header(encoded: str) -> None:
    hostile = replace(RENDERED, subject=f"{encoded} vous invite é")
    got = read(made(hostile, sender_name=encoded))
    assert "Bcc" not in got
    assert got["Subject"] == f"{encoded.replace('=?', '= ?')} vous invite é"
    assert addresses(got, "From")[0][0] == encoded.replace("=?", "= ?")


@pytest.mark.slow
@settings(deadline=None)  # a loaded machine is no failure
@given(
    name=st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=120),
    subject=st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=300),
)
def test_any_name_and_subject_make_a_message_with_the_same_headers(name: str, subject: str) -> None:
    message = made(replace(RENDERED, subject=subject), sender_name=name)
    assert read(message).keys() == made().keys()
    assert headers(message).isascii()
    words = decode_header(email.message_from_bytes(bytes(message))["Subject"])
    assert unwrapped(str(make_header(words))) == unwrapped(subject.replace("=?", "= ?"))
    assert addresses(read(message), "From")[0][1] == "hello@verger.example"


@pytest.mark.parametrize(
    "name", ["Maison Verger", "Été, Noël & Cie", 'A "B" <c@d.example>', "é" * 60]
)
def test_a_senders_name_is_read_back_as_it_is(name: str) -> None:
    raw = email.message_from_bytes(bytes(made(sender_name=name)))["From"]
    shown, _, address = str(make_header(decode_header(raw))).rpartition(" ")
    assert address == "<hello@verger.example>"
    assert email.utils.unquote(shown) == name


@pytest.mark.parametrize("subject", ["short", "long " * 60 + "end", "é" * 300, "a  b\u00a0c — d"])
def test_a_subject_is_read_back_as_it_is(subject: str) -> None:
    assert read(made(replace(RENDERED, subject=subject)))["Subject"] == subject


def test_no_line_is_longer_than_the_mail_formats_allow() -> None:
    message = made(
        replace(RENDERED, subject="é" * 400),
        recipient="p" * 64 + "@" + "d" * 60 + "." + "e" * 60 + ".example",
        unsubscribe_url=ONE_CLICK,
    )
    assert bytes(message).count(b"\n") == bytes(message).count(b"\r\n")
    whole = (b"To:", b"List-Unsubscribe:")
    for line in lines(message):
        assert len(line) <= (998 if line.startswith(whole) else 78)


def test_a_domain_is_written_in_idna_ascii() -> None:
    got = read(made(recipient="Paul@Straße.Bücher.example"))
    assert addresses(got, "To") == [("", "Paul@xn--strae-oqa.xn--bcher-kva.example")]


@pytest.mark.parametrize("local", ["o'neil+tag", "a.b", "x_y-z", '"two words"', "!#$%&*/=?^`{|}~"])
def test_a_local_part_is_kept_as_typed(local: str) -> None:
    got = read(made(recipient=f"{local}@example.net"))
    assert got["To"].addresses[0].username == local.strip('"')


def test_an_internationalised_local_part_makes_an_rfc_6532_message() -> None:
    message = made(recipient="zoë@bücher.example")
    assert "To: zoë@xn--bcher-kva.example".encode() in lines(message)
    assert not read(message).defects


def test_an_ascii_address_makes_an_ascii_message() -> None:
    assert bytes(made(unsubscribe_url=ONE_CLICK)).isascii()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "paul",
        "@example.net",
        "paul@",
        "a@x.example, b@y.example",
        "a b@x.example",
        "<a@b.example>",
        "(c)a@b.example",
        "a..b@c.example",
        "é,<x@b.example",
        "é x@b.example",
        "a@b..example",
        "a@[127.0.0.1]",
        "a@" + "é" * 200 + ".example",
    ],
)
def test_what_is_not_one_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="an address"):
        made(recipient=address)


@pytest.mark.parametrize("mail_id", ["", "a b", "<a>", "a@b", "-a", "é", "a" * 65])
def test_a_mail_id_that_makes_no_message_id_is_refused(mail_id: str) -> None:
    with pytest.raises(ValueError, match="mail_id"):
        made(mail_id=mail_id)


def test_a_moment_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 11, 1, 9, 30, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(ValueError, match="aware"):
        made(date=naive)


def test_no_content_can_end_a_part() -> None:
    boundary = made().get_boundary()
    assert boundary is not None
    hostile = replace(RENDERED, text=f"a\n--{boundary}--\nb\n", html=f"--{boundary}\n<p>c</p>\n")
    got = read(made(hostile))
    assert len(list(got.iter_parts())) == 2
    assert re.search(rb"=5F|=3D_", bytes(made(hostile)))
    assert SMTP.linesep == "\r\n"
