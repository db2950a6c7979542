"""From a rendered mail to the MIME message to send, with the standard library only.

Pure: the same arguments give the same bytes, including the boundary and the Message-ID. No value
can inject a header: control characters are refused, and text that looks like an encoded word is not
decoded. Who may get mails, and when, is decided elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address, AddressHeader
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Final

from chalicelib.mails.render import Rendered

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# A dot-atom or a quoted string (RFC 5322, RFC 6532), without comments, escapes or controls.
_ATOM = r"[^\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff()<>@,;:\\\".\[\]]+"
_LOCAL = re.compile(rf'{_ATOM}(?:\.{_ATOM})*|"[ !#-\[\]-~]+"')
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_MAIL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# https by RFC 8058; plain http only for the local machine.
_ONE_CLICK = re.compile(r"(?:https://|http://(?:127\.0\.0\.1|localhost)[:/])[!#-;=?-~]+")
_LONGEST_LINE: Final = 998  # RFC 5322, 2.1.1


class _OwnHeaders(EmailPolicy):
    """Writes addresses, identifiers and the subject itself.

    The standard folding encodes any token longer than 78 characters, which no mail client decodes
    in a List-Unsubscribe header, encodes a name with an accent only in part, and loses the space
    between two words of a subject that it encodes apart.
    """

    def fold(self, name: str, value: str) -> str:
        if isinstance(value, AddressHeader):
            written = ", ".join(_mailbox(name, address) for address in value.addresses)
        elif name in {"Message-ID", "List-Unsubscribe", "X-Tandem-Mail"}:
            written = str(value)
        elif name == "Subject" and not value.isascii():
            written = Header(str(value), "utf-8", header_name=name).encode(linesep="\r\n")
        else:
            return str(super().fold(name, value))
        return f"{name}: {written}\r\n"

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("utf-8")


_POLICY: Final = _OwnHeaders(linesep="\r\n")


def compose(
    rendered: Rendered,
    *,
    sender: str,
    sender_name: str,
    recipient: str,
    mail_id: str,
    date: datetime,
    unsubscribe_url: str,
    reply_to: str | None = None,
) -> EmailMessage:
    """The message; `bytes(message)` is what is sent.

    `unsubscribe_url` is the one-click URL (RFC 8058) and goes into the header only. `mail_id` is
    also in X-Tandem-Mail, because a provider may replace the Message-ID. `date` is aware. The
    message is ASCII, unless the recipient's local part is not: then it is an internationalised
    message (RFC 6532), which needs a provider with SMTPUTF8. Raises ValueError for any value that
    is not valid in its header.
    """
    if not _MAIL_ID.fullmatch(mail_id):
        raise ValueError("mail_id must be 1 to 64 letters, figures, dots, hyphens or underscores")
    if date.tzinfo is None:
        raise ValueError("date must be aware")
    to = _address(recipient)
    from_ = _address(sender, sender_name)
    message = EmailMessage(policy=_POLICY)
    message["From"] = from_
    message["To"] = to
    message["Subject"] = _plain(rendered.subject)
    message["Date"] = date.astimezone(UTC)
    message["Message-ID"] = f"<{mail_id}@{from_.domain}>"
    if reply_to is not None:
        message["Reply-To"] = _address(reply_to)
    message["List-Unsubscribe"] = f"<{_one_click(unsubscribe_url)}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Tandem-Mail"] = mail_id
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    _add_pictures(message, rendered, mail_id)
    message["Content-Language"] = rendered.locale
    # "=_" cannot occur in quoted-printable, so no content can end a part.
    message.set_boundary(_boundary(mail_id))
    return message


def _add_pictures(message: EmailMessage, rendered: Rendered, mail_id: str) -> None:
    """Put what the HTML names by `cid:` beside it: a mail fetches nothing from anywhere."""
    if not rendered.pictures:
        return
    [page] = [part for part in message.iter_parts() if part.get_content_type() == "text/html"]
    for picture in rendered.pictures:
        page.add_related(
            picture.png, "image", "png", cid=f"<{picture.cid}>", disposition="inline",
            filename=f"{picture.cid}.png",
        )  # fmt: skip
    page.set_boundary(_boundary(f"{mail_id} pictures"))


def _boundary(name: str) -> str:
    return "=_" + hashlib.sha256(name.encode()).hexdigest()[:32]


def _plain(text: str) -> str:
    """`text` for a header, with `=?` split, which would be decoded as an encoded word."""
    if _CONTROL.search(text):
        raise ValueError("a header must be one line without control characters")
    return text.replace("=?", "= ?")


def _mailbox(name: str, address: Address) -> str:
    if address.display_name.isascii():
        return str(address)
    shown = Header(address.display_name, "utf-8", header_name=name).encode(linesep="\r\n")
    return f"{shown}\r\n <{address.addr_spec}>"


def _address(address: str, name: str = "") -> Address:
    """`address` with its domain in IDNA ASCII, as a provider without SMTPUTF8 needs it."""
    local, _, domain = address.rpartition("@")
    if not domain.isascii():
        import idna  # imported here: most domains do not need its tables

        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError:  # its text quotes the domain, which must not be logged
            raise ValueError("the domain of an address must be valid in IDNA") from None
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise ValueError("an address must have a local part and a domain")
    return Address(_plain(name), username=local.strip('"'), domain=domain)


def _one_click(url: str) -> str:
    if len(url) > _LONGEST_LINE - len("List-Unsubscribe: <>") or not _ONE_CLICK.fullmatch(url):
        raise ValueError("unsubscribe_url must be an https address in ASCII")
    return url
