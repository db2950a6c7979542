"""What passes are signed with: looked at, stored as secrets, not printed; the doctor on it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from typer.testing import Result

from cli.connection import connect
from cli.doctor.findings import Finding, Verdict
from cli.doctor.wallets import wallets
from tests.cli.conftest import REGION
from tests.wallets.certificates import (
    ACCOUNT,
    ISSUER,
    PASS_TYPE,
    TEAM,
    Authority,
    authority,
    service_account,
)

pytestmark = pytest.mark.slow

PATH, GOOGLE = "/tandem/test/wallets/apple/", "/tandem/test/wallets/google/"
OFFERED = {"AppleWallet": "yes"}

Tandem = Callable[..., Result]


def put(tandem: Tandem, folder: Path, given: Authority, *, der: bool = False) -> Result:
    """`tandem wallet apple` with files of these."""
    arguments = []
    for name in ("certificate", "key", "intermediate"):
        file = folder / name
        text = getattr(given, name)
        if der and name != "key":
            file.write_bytes(ssl.PEM_cert_to_DER_cert(text))
        else:
            file.write_text(text)
        arguments += [f"--{name}", str(file)]
    return tandem("wallet", "apple", *arguments)


def stored(name: str) -> tuple[str, str]:
    client = boto3.client("ssm", region_name=REGION)
    found = client.get_parameter(Name=f"{PATH}{name}", WithDecryption=True)["Parameter"]
    return found["Type"], found["Value"]


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("der", [False, True])
def test_certificates_and_key_are_stored_as_secrets_and_not_printed(
    tandem: Tandem, tmp_path: Path, der: bool
) -> None:
    given = authority()
    result = put(tandem, tmp_path, given, der=der)
    last = given.credentials.ends_at.date().isoformat()
    assert result.output == f"stored: {PASS_TYPE} of team {TEAM}, good until {last}\n"
    for name in ("certificate", "key", "intermediate"):
        kind, value = stored(name)
        assert (kind, value.split()) == ("SecureString", getattr(given, name).split())


@pytest.mark.usefixtures("stack")
def test_another_certificate_takes_the_place_of_the_former(tandem: Tandem, tmp_path: Path) -> None:
    put(tandem, tmp_path, authority())
    later = authority(365, "pass.test.other")
    assert put(tandem, tmp_path, later).exit_code == 0
    assert stored("certificate")[1] == later.certificate


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"key": authority(365, "pass.test.other").key}, "the key is not that of the certificate"),
        ({"intermediate": authority(365, "pass.test.other").intermediate}, "not issued by"),
        ({"certificate": "\x00\x01"}, "not a certificate, neither PEM nor DER"),
        ({"key": "é"}, "not a text"),
    ],
)
def test_what_does_not_belong_together_is_refused_and_nothing_is_stored(
    tandem: Tandem, tmp_path: Path, changed: dict[str, str], words: str
) -> None:
    one = authority()
    given = Authority(**{name: changed.get(name, getattr(one, name)) for name in vars(one)})
    result = put(tandem, tmp_path, given)
    assert result.exit_code == 1
    assert words in result.output
    with pytest.raises(boto3.client("ssm", region_name=REGION).exceptions.ParameterNotFound):
        stored("key")


@pytest.mark.usefixtures("stack")
def test_a_certificate_that_has_ended_is_refused(tandem: Tandem, tmp_path: Path) -> None:
    result = put(tandem, tmp_path, authority(0))
    assert result.exit_code == 1
    assert "it has ended on" in result.output


@pytest.mark.usefixtures("stack")
def test_the_key_of_a_service_account_is_stored_as_a_secret_and_not_printed(
    tandem: Tandem, tmp_path: Path
) -> None:
    (file := tmp_path / "account.json").write_text(service_account())
    result = tandem("wallet", "google", "--account", file)
    assert result.output == f"stored: the key of {ACCOUNT}\n"
    client = boto3.client("ssm", region_name=REGION)
    found = client.get_parameter(Name=f"{GOOGLE}account", WithDecryption=True)["Parameter"]
    assert (found["Type"], found["Value"]) == ("SecureString", service_account())
    file.write_text("{}")
    result = tandem("wallet", "google", "--account", file)
    assert (result.exit_code, "not a service account" in result.output) == (1, True)


# --- the doctor ----------------------------------------------------------------------------------


def findings(parameters: dict[str, str] = OFFERED) -> list[Finding]:
    return list(wallets(connect("local"), parameters))


@pytest.mark.usefixtures("stack")
def test_a_stage_that_offers_none_needs_none() -> None:
    for parameters in ({}, {"AppleWallet": "no"}):
        [finding] = findings(parameters)
        assert (finding.verdict, finding.text) == (Verdict.GOOD, "no passes are offered")


@pytest.mark.usefixtures("stack")
def test_a_stage_that_offers_passes_and_cannot_sign_them_is_wrong(
    tandem: Tandem, tmp_path: Path
) -> None:
    [finding] = findings()
    assert finding.is_wrong
    assert f"there is no {PATH}certificate" in finding.text
    assert finding.advice.startswith("tandem wallet apple --stage local")
    put(tandem, tmp_path, authority())
    boto3.client("ssm", region_name=REGION).put_parameter(
        Name=f"{PATH}key", Value=authority(365, "pass.test.other").key, Overwrite=True
    )
    [finding] = findings()
    assert finding.is_wrong
    assert "the key is not that of the certificate" in finding.text


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(
    ("left", "verdict", "words"),
    [
        (timedelta(days=31), Verdict.GOOD, "Apple Wallet: "),
        (timedelta(days=29, hours=12), Verdict.LOOK, "the certificate ends in 29 days"),
        (timedelta(0), Verdict.WRONG, "the certificate has ended"),
    ],
)
def test_the_end_of_a_certificate_is_reported_before_it_comes(
    tandem: Tandem,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    left: timedelta,
    verdict: Verdict,
    words: str,
) -> None:
    put(tandem, tmp_path, authority())
    ends_at = authority().credentials.ends_at
    monkeypatch.setattr("cli.connection.Connection.clock", lambda _: ends_at - left)
    [finding] = findings()
    assert (finding.verdict, words in finding.text) == (verdict, True)
    assert f"{PASS_TYPE} of team {TEAM} until {ends_at.date()}" in finding.text
    assert datetime.now(UTC) < ends_at


@pytest.mark.usefixtures("stack")
def test_links_for_google_wallet_are_signed_by_an_account_or_wrong(
    tandem: Tandem, tmp_path: Path
) -> None:
    [finding] = findings({"GoogleIssuer": ISSUER})
    assert (finding.is_wrong, f"there is no {GOOGLE}account" in finding.text) == (True, True)
    assert finding.advice.startswith("tandem wallet google --stage local")
    (file := tmp_path / "account.json").write_text(service_account())
    tandem("wallet", "google", "--account", file)
    [apple, google] = findings({"GoogleIssuer": ISSUER, **OFFERED})
    assert apple.is_wrong
    assert google.text == f"Google Wallet: issuer {ISSUER}, by {ACCOUNT}"
