"""Forty thousand addresses and names that nobody types by accident.

Each is made of a good one by a few changes, drawn by a seed: characters that print nothing, that
turn the line, that look like others, that end a header, pieces of links. Of each the domain is
asked; what it accepts is looked at by rules of our own here: an address is one line that the sender
takes and stays the same when it is read again, a name is one line of letters. A share of them goes
through the API too, which must never answer with a failure.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from chalicelib.domain.addresses import Address, AddressError
from chalicelib.domain.first_names import FirstNameError, first_name
from tests.api.requests import OF_CAMPAIGN
from tests.api.world import posting
from tests.simulation.stage import stage

INPUTS = 40_000
THROUGH_THE_API = 0.05
ADDRESSES = (
    "jeanne.martin@example.fr", "o'neill+tag@mail.example.co.uk", "zoé@exämple.fr", "a@b.io",
    "nguyen_van-an@xn--exmple-cua.fr", "x" * 64 + "@example.org", "marie@sub.domain.example.com",
)  # fmt: skip
NAMES = ("Jeanne", "Marcel·lí", "علی‌رضا", "O’Neill", "Nguyễn", "Jean-Pierre", "さくら", "J.-P.")
PIECES = (
    "\r\n", "\n", "\0", "\t", " ", "\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\u3164",
    "\u115f", "\u00ad", "\u0301", "\u0301" * 40, "\ua4f8", "\u3002", "\uff0e", "\uff20", "\u212a",
    "\u0131", "ß", "ﬁ", "@", "@@", "..", ".", "<", ">", '"', "\\", "(x)", ",", ";", ":", "%0d%0a",
    "=?utf-8?q?x?=", "http://x.fr", "www.x.fr", "bcc:x@y.fr", "\U000e0041", "\ud7ff", "\ufffe",
    "𝒥", "а", "Ω", "א", "x" * 300, "[127.0.0.1]", "--", "xn--", "{{name}}", "<script>", "😀",
    "&amp;",
)  # fmt: skip
INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
NON_JOINER = "\u200c"  # belongs to some scripts


@dataclass
class Inputs:
    """What became of them: `accepted`, or the reason. `wrong`: accepted, and must not be."""

    addresses: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def fuzz(inputs: int = INPUTS, seed: int = 1) -> Inputs:
    """Half addresses, half names."""
    chance, found = Random(seed), Inputs()
    with stage(seed) as here:
        for _ in range(inputs // 2):
            address, name = _changed(chance, ADDRESSES), _changed(chance, NAMES)
            _note_address(found, address)
            _note_name(found, name)
            if chance.random() < THROUGH_THE_API:
                body = {"email": address, "first_name": name}
                for path in ("sign-in", "links/unknown/sign-up"):
                    request = posting(f"{OF_CAMPAIGN}/{path}", body)
                    found.answers[here.ask(request).status] += 1
    found.wrong += [f"answered {status}" for status in found.answers if status >= 500]
    return found


def _changed(chance: Random, good: tuple[str, ...]) -> str:
    text = chance.choice(good)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        at = chance.randint(0, len(text))
        cut = chance.choice((0, 0, 1, 2))
        text = text[:at] + chance.choice(PIECES) + text[at + cut :]
    return text


def _note_address(found: Inputs, text: str) -> None:
    try:
        address = Address.parse(text)
    except AddressError as error:
        found.addresses[error.reason] += 1
        return
    found.addresses["accepted"] += 1
    found.wrong += [f"{problem}: {text!a}" for problem in _problems_of(address)]


def _problems_of(address: Address) -> Iterator[str]:
    sendable = address.sendable
    local, _, domain = sendable.rpartition("@")
    if not domain.isascii() or not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain):
        yield "a domain that no server has"
    if re.search(r"[\s\x00-\x1f\x7f<>,;:\\\"()\[\]@]", local):
        yield "a local part that ends a header or an address"
    if INVISIBLE.search(sendable):
        yield "a character that prints nothing"
    again = Address.parse(sendable)
    if (again.normalised, again.canonical, again.mailbox) != (
        address.normalised, address.canonical, address.mailbox
    ):  # fmt: skip
        yield "another person when it is read again"
    if Address.parse(address.canonical).canonical != address.canonical:
        yield "an alias form that has another alias form"


def _note_name(found: Inputs, text: str) -> None:
    try:
        name = first_name(text)
    except FirstNameError as error:
        found.names[error.reason] += 1
        return
    found.names["accepted"] += 1
    problems = [
        ("more than three words", len(name.split()) > 3),
        ("more than 40 characters", len(name) > 40),
        ("a character that prints nothing", INVISIBLE.search(name.replace(NON_JOINER, ""))),
        ("no letter", not any(map(str.isalpha, name))),
        ("a control, a figure or a sign", any(unicodedata.category(one)[0] in "CNS"
                                              and one != NON_JOINER for one in name)),
        ("a link or an address", re.search(r"@|://|www|\.\w\w", name)),
        ("another name when it is read again", first_name(name) != name),
    ]  # fmt: skip
    found.wrong += [f"{problem}: {text!a}" for problem, is_so in problems if is_so]
