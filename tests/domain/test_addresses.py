import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.domain import addresses, providers
from chalicelib.domain.addresses import (
    Address,
    AddressDigests,
    AddressError,
    DigestKey,
    digest,
    suggestion,
)

VECTORS = json.loads(
    (Path(__file__).parents[2] / "docs/vectors/digests.json").read_text(encoding="utf-8")
)
CASES = VECTORS["cases"]
KEY = DigestKey("k1", secret=bytes.fromhex(VECTORS["hmac_key_hex"]))
PLAIN = DigestKey("plain", "sha256")

LOCAL = st.from_regex(r"[A-Za-z0-9_+éÉ]{1,12}(\.[a-z0-9'-]{1,8})?", fullmatch=True)
REAL = (Path(__file__).parent / "real_providers.txt").read_text().split()
DOMAIN = st.from_regex(
    r"[a-zA-Z0-9é]{1,12}\.(fr|com|example)\.?", fullmatch=True
) | st.sampled_from(["gmail.com", "googlemail.com", "outlook.fr", "Bücher.example"])
ADDRESS = st.builds("{}@{}".format, LOCAL, DOMAIN)


def parse(text: str) -> Address:
    return Address.parse(text)


def syntax_problem(text: str) -> str | None:
    try:
        Address.parse(text)
    except AddressError as error:
        return error.reason
    return None


# --- the published vectors ---


@pytest.mark.parametrize("case", CASES, ids=[ascii(case["address"]) for case in CASES])
def test_every_published_vector_is_met(case: dict[str, str]) -> None:
    assert parse(case["address"]).normalised == case["normalised"]
    assert parse(case["address"]).canonical == case["canonical"]
    assert digest(case["normalised"], KEY) == case["hmac_sha256"]
    assert digest(case["canonical"], KEY) == case["hmac_sha256_canonical"]
    assert digest(case["normalised"], PLAIN) == case["sha256"]


def test_the_plus_tag_domains_are_the_published_ones() -> None:
    assert sorted(addresses.PLUS_TAG_DOMAINS) == VECTORS["plus_tag_domains"]


# --- forms ---


@given(ADDRESS)
def test_normalising_twice_changes_nothing(address: str) -> None:
    assert parse(parse(address).normalised).normalised == parse(address).normalised


@given(ADDRESS)
def test_a_canonical_address_is_an_address_and_its_own_canonical_form(address: str) -> None:
    assume(not address.startswith("+"))
    assert syntax_problem(parse(address).canonical) is None
    assert parse(parse(address).canonical).canonical == parse(address).canonical


def test_a_local_part_that_is_all_tag_keeps_it() -> None:
    assert parse("+x@gmail.com").canonical == "+x@gmail.com"


def test_mail_goes_to_the_address_as_typed_with_an_ascii_domain() -> None:
    assert parse(" Paul.B@Bücher.example ").sendable == "Paul.B@xn--bcher-kva.example"
    assert parse("Jeanne@Example.fr").sendable == "Jeanne@example.fr"


def test_whatever_is_taken_for_deliverable_can_be_sent_to() -> None:
    """A Kelvin sign is lower-cased to a k, so its address is digested as somebody's with a k."""
    assert parse("\u212aevin@example.fr").sendable == "Kevin@example.fr"
    taken = 0
    for point in range(0x80, 0x3000):
        try:
            address = parse(f"{chr(point)}evin@example.fr")
        except AddressError:
            continue
        taken += 1
        assert address.sendable.isascii() == (address.quality_problem is None)
    assert taken > 1_000


def test_ascii_addresses_do_not_pay_for_the_idna_tables() -> None:
    script = (
        "import sys; from chalicelib.domain.addresses import Address;"
        "Address.parse('A@B.fr.').canonical;"
        "sys.exit('idna' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


# --- syntax ---


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "empty"),
        (" \t", "empty"),
        ("jeanne", "no_at_sign"),
        ("jeanne@x@example.fr", "several_at_signs"),
        ("jeanne dupont@example.fr", "white_space"),
        ("jeanne@example.fr\nBcc: x@example.fr", "white_space"),
        ("jeanne\x00@example.fr", "control_character"),
        ("jeanne\u202e@example.fr", "control_character"),
        ("jeanne\ud800@example.fr", "control_character"),
        ("@example.fr", "bad_local_part"),
        ("jea\u3164nne@example.fr", "bad_local_part"),  # a letter that prints nothing
        (".jeanne@example.fr", "bad_local_part"),
        ("jeanne..dupont@example.fr", "bad_local_part"),
        ('"jeanne"@example.fr', "bad_local_part"),
        ("jeanne,dupont@example.fr", "bad_local_part"),
        ("jeanne\uff20x@example.fr", "bad_local_part"),
        ("<jeanne@example.fr>", "bad_local_part"),
        ("é" * 33 + "@example.fr", "local_part_too_long"),
        ("a" * 65 + "@example.fr", "local_part_too_long"),
        ("jeanne@", "bad_domain"),
        ("jeanne@example", "bad_domain"),
        ("jeanne@orange.f", "bad_domain"),
        ("jeanne@.fr", "bad_domain"),
        ("jeanne@example..fr", "bad_domain"),
        ("jeanne@example.fr..", "bad_domain"),
        ("jeanne@-example.fr", "bad_domain"),
        ("jeanne@exa_mple.fr", "bad_domain"),
        ("jeanne@[192.0.2.1]", "bad_domain"),
        ("jeanne@192.0.2.1", "bad_domain"),
        ("jeanne@" + "a" * 64 + ".fr", "bad_domain"),
        ("jeanne@☕.example", "bad_domain"),
        ("jeanne@" + "ü" * 60 + ".example", "bad_domain"),
        ("é" * 30 + "@" + (("a" * 49 + ".") * 4) + "fr", "too_long"),
        ("a@" + "a" * 300 + ".fr", "too_long"),
    ],
)
def test_bad_syntax_has_a_named_reason(address: str, reason: str) -> None:
    assert syntax_problem(address) == reason
    with pytest.raises(AddressError, match=f"^{reason}$"):
        parse(address)


@pytest.mark.parametrize(
    "address",
    [
        "a@b.fr",
        "o'brien+tag@sub.example.co.uk",
        "user%tag@laposte.net",
        "a" * 64 + "@example.fr",
        "zoë@bücher.example",
        "x@xn--bcher-kva.example",
        "1@163.com",
        "a@" + ".".join(["b" * 62] * 3) + "." + "c" * 60 + ".fr",
    ],
)
def test_what_mail_systems_accept_is_accepted(address: str) -> None:
    assert syntax_problem(address) is None


@given(st.text(max_size=80) | st.builds("{}@{}.fr".format, st.text(), st.text()))
def test_any_text_is_an_address_or_has_a_reason(text: str) -> None:
    if syntax_problem(text) is None:
        assert parse(parse(text).normalised).normalised == parse(text).normalised
        assert len(parse(text).normalised.encode()) <= 254
    suggestion(text)


def test_the_error_of_an_address_does_not_hold_the_address() -> None:
    with pytest.raises(AddressError) as caught:
        parse("jeanne..secret@example.fr")
    assert "secret" not in str(caught.value)


def test_a_printed_address_is_masked() -> None:
    assert repr([parse("Jeanne@Example.fr")]) == "[Address(j•••@e•••.fr)]"


@given(st.text(max_size=80))
def test_what_was_accepted_earlier_is_read_whatever_the_rules_have_become(text: str) -> None:
    address = Address.stored(text)
    assert address.typed == text.strip()
    if syntax_problem(text) is None:
        assert address == parse(text)
    for made in (repr(address), address.canonical, address.sendable):
        assert isinstance(made, str)


# --- digests ---


def test_an_address_is_digested_under_every_key_in_force() -> None:
    digests = AddressDigests.of(parse("Jeanne.Dupont+courses@gmail.com"), [KEY, PLAIN])
    case = next(c for c in CASES if c["address"] == "jeanne.dupont+courses@gmail.com")
    assert [pair.key_id for pair in digests.pairs] == ["k1", "plain"]
    assert digests.under("k1").exact == case["hmac_sha256"]
    assert digests.under("k1").canonical == case["hmac_sha256_canonical"]
    assert digests.under("plain").exact == case["sha256"]


def test_a_key_the_address_was_not_digested_with_is_an_error_and_not_a_miss() -> None:
    with pytest.raises(KeyError):
        AddressDigests.of(parse("a@example.fr"), [KEY]).under("k2")


def test_a_keyed_algorithm_needs_its_secret_and_a_plain_one_has_none() -> None:
    with pytest.raises(ValueError, match="k9"):
        DigestKey("k9")
    with pytest.raises(ValueError, match="k9"):
        DigestKey("k9", "sha256", b"x")


def test_the_secret_of_a_key_is_not_in_its_repr() -> None:
    assert "secret" not in repr(DigestKey("k1", secret=b"secret"))


# --- quality ---


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("noreply@example.fr", "role_address"),
        ("No-Reply@example.fr", "role_address"),
        ("postmaster+x@example.fr", "role_address"),
        ("abuse@gmail.com", "role_address"),
        ("jeanne@yopmail.com", "disposable_address"),
        ("jeanne@eu.mailinator.com", "disposable_address"),
        ("zoë@example.fr", "undeliverable_address"),
        ("jeanne@example.fr", None),
        ("abuse.jeanne@example.fr", None),
        ("jeanne@yopmail.fr", "disposable_address"),
        ("jeanne@notyopmail.com", None),
        ("zoe@bücher.example", None),
    ],
)
def test_the_quality_of_an_address_has_a_named_reason(address: str, reason: str | None) -> None:
    assert parse(address).quality_problem == reason


# --- suggestions ---


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gamil.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmail.fr", "gmail.com"),
        ("gmail", "gmail.com"),
        ("gmailcom", "gmail.com"),
        ("gmail,com", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("hotmial.fr", "hotmail.fr"),
        ("hotmial", "hotmail.fr"),
        ("homtail.co", "hotmail.com"),
        ("outlok.fr", "outlook.fr"),
        ("orange.f", "orange.fr"),
        ("ornage.fr", "orange.fr"),
        ("wandoo.fr", "wanadoo.fr"),
        ("lapost.net", "laposte.net"),
        ("yahooo.fr", "yahoo.fr"),
        ("free.f", "free.fr"),
        ("fre.fr", "free.fr"),
        ("srf.fr", "sfr.fr"),
        ("Gmial.Com", "gmail.com"),
    ],
)
def test_a_slip_in_a_common_domain_gets_a_suggestion(typed: str, meant: str) -> None:
    assert suggestion(f"Jeanne.D@{typed}") == f"Jeanne.D@{meant}"


@pytest.mark.parametrize(
    "domain",
    [
        *providers.COMMON,
        *sorted(providers.REAL_NEIGHBOURS),
        *REAL,
        "example.fr",
        "demo.test",
        "hotmail.se",
        "outlook.fi",
        "outlook.jp",
        "free.org",
        "he.com",
        "live.nu",
        "carrefour.com",
        "xn--bcher-kva.example",
    ],
)
def test_a_domain_that_is_well_known_or_simply_other_gets_none(domain: str) -> None:
    assert suggestion(f"jeanne@{domain}") is None


@pytest.mark.parametrize("typed", ["", "gmail.com", "a@b@gmial.com", "a b@gmial.com", "@gmial.com"])
def test_nothing_is_suggested_when_the_rest_is_not_an_address(typed: str) -> None:
    assert suggestion(typed) is None


# --- what may be shown ---


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("jeanne@example.fr", "j•••@e•••.fr"),
        ("Jeanne@mail.Example.co.uk.", "j•••@m•••.uk"),
        ("a@b.fr", "a•••@b•••.fr"),
        ("zoë@bücher.example", "z•••@b•••.example"),
        ("jeanne@private。fr", "j•••@p•••.fr"),
        ("jeanne@private．fr", "j•••@p•••.fr"),
        ("jeanne@private｡example．fr", "j•••@p•••.fr"),
        ("jeanne@例え。テスト", "j•••@例•••.テスト"),
    ],
)
def test_a_masked_address_shows_its_initials_and_its_ending(address: str, masked: str) -> None:
    assert parse(address).masked == masked


def test_no_dot_that_idna_knows_lets_a_mask_show_the_domain() -> None:
    forms = (*range(0x2000, 0x3100), *range(0xFE00, 0x10000))
    dots = [chr(point) for point in forms if "." in dotted(chr(point))]
    assert {"\u3002", "\uff0e", "\uff61"} <= set(dots)
    for dot in dots:
        assert "private" not in parse(f"jeanne@private{dot}fr").masked


def dotted(character: str) -> str:
    """The ASCII domain that a character between two labels makes, empty when it is refused."""
    try:
        return parse(f"jeanne@private{character}fr").domain
    except AddressError:
        return ""


def test_a_domain_that_an_earlier_version_took_is_still_masked() -> None:
    assert Address.stored("jeanne@xn--.fr").masked == "j•••@x•••.fr"
