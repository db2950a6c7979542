"""The key that files are encrypted to: refused by its line, shown by its fingerprint."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pysequoia
import pytest
from typer.testing import Result

from chalicelib.adapters.pgp import new_key
from chalicelib.domain.files.armour import fingerprint_of
from cli.connection import connect
from cli.keys import require_own_pgp_key
from tests.fakes.pgp import client_public, client_secret

pytestmark = pytest.mark.slow

DEMO = Path(__file__).parents[2] / "local/demo/demo-vip.yaml"
NAME = "/tandem/local/pgp-key"

Tandem = Callable[..., Result]


def campaign_file(folder: Path, key: str) -> Path:
    """The demo's file, with a key as a block of text in it; its line is the last one but some."""
    file = folder / "demo-vip.yaml"
    block = "".join(f"    {line}\n" for line in key.splitlines())
    file.write_text(DEMO.read_text("utf-8") + f"files:\n  encrypt_to: |\n{block}", "utf-8")
    for picture in (*DEMO.parent.glob("*.png"), *DEMO.parent.glob("*.svg")):
        (folder / picture.name).write_bytes(picture.read_bytes())
    return file


def line_of(file: Path) -> int:
    lines = file.read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if "encrypt_to" in line)


def public(**options: int) -> str:
    made = pysequoia.Tsk.generate(user_id="x", **options)  # type: ignore[arg-type]
    return str(made.extract_certificate())


def test_a_key_that_can_be_used_is_valid(tandem: Tandem, tmp_path: Path) -> None:
    result = tandem("campaign", "check", campaign_file(tmp_path, client_public()))
    assert result.exit_code == 0
    assert "encrypt_to" not in result.output


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (lambda: client_public("expired"), "has expired on"),
        (lambda: str(client_secret()), "is a secret key"),
        (lambda: "no key", "must be a text from BEGIN PGP PUBLIC KEY BLOCK"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_at_its_line(
    tandem: Tandem, tmp_path: Path, key: Callable[[], str], reason: str
) -> None:
    file = campaign_file(tmp_path, key())
    result = tandem("campaign", "check", file)
    assert result.exit_code == 1
    assert f"{file}:{line_of(file)}:" in result.output
    assert f"files.encrypt_to: {reason}" in result.output
    assert "BEGIN PGP PRIVATE" not in result.output


def test_a_key_that_ends_before_the_campaign_is_warned_of(tandem: Tandem, tmp_path: Path) -> None:
    result = tandem("campaign", "check", campaign_file(tmp_path, public(validity_seconds=90_000)))
    assert result.exit_code == 0
    assert "warning: files.encrypt_to: expires on" in result.output


def stored() -> dict[str, str]:
    client = boto3.client("ssm", region_name="eu-west-3")
    found = client.get_parameter(Name=NAME, WithDecryption=True)["Parameter"]
    return {name: str(value) for name, value in found.items()}


@pytest.mark.usefixtures("stack")
def test_our_own_key_is_made_with_the_first_campaign_that_needs_it_and_stays(
    tandem: Tandem, tmp_path: Path
) -> None:
    assert tandem("campaign", "put", DEMO).exit_code == 0
    client = boto3.client("ssm", region_name="eu-west-3")
    with pytest.raises(client.exceptions.ParameterNotFound):
        stored()
    encrypted = campaign_file(tmp_path, client_public())
    assert tandem("campaign", "put", "--dry-run", encrypted).exit_code == 0
    with pytest.raises(client.exceptions.ParameterNotFound):
        stored()
    result = tandem("campaign", "put", encrypted)
    assert result.exit_code == 0
    assert fingerprint_of(client_public()) in result.output
    assert "BEGIN PGP" not in result.output
    made = stored()
    assert made["Type"] == "SecureString"
    assert tandem("campaign", "put", campaign_file(tmp_path, client_public("b"))).exit_code == 0
    assert stored() == made


@pytest.mark.usefixtures("stack")
def test_the_public_part_of_our_own_key_is_printed_and_no_more(tandem: Tandem) -> None:
    printed = tandem("key", "pgp").output
    secret = pysequoia.Tsk.from_bytes(stored()["Value"].encode())
    assert fingerprint_of(printed) == secret.extract_certificate().fingerprint.upper()
    assert "PRIVATE" not in printed
    assert tandem("key", "pgp").output == printed


@pytest.mark.usefixtures("stack", "tandem")
def test_of_two_who_make_our_own_key_at_once_the_first_one_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = connect("local")
    first: list[str] = []

    def made_by_another(name: str) -> str:
        monkeypatch.setattr("chalicelib.adapters.pgp.new_key", new_key)
        first.append(require_own_pgp_key(connection))
        return new_key(name)

    monkeypatch.setattr("chalicelib.adapters.pgp.new_key", made_by_another)
    assert [require_own_pgp_key(connection)] == first == [stored()["Value"]]


@pytest.mark.usefixtures("stack")
def test_going_back_to_a_version_whose_key_has_expired_is_refused(
    tandem: Tandem, tmp_path: Path
) -> None:
    file = campaign_file(tmp_path, public(validity_seconds=900))
    result = tandem("campaign", "put", file)
    assert result.exit_code == 0, result.output
    assert tandem("campaign", "put", DEMO).exit_code == 0
    later = datetime.now(UTC) + timedelta(minutes=16)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("cli.connection.Connection.clock", lambda _: later)
        result = tandem("campaign", "rollback", "demo-vip", "--to", "1")
    assert result.exit_code == 1
    assert "files.encrypt_to: has expired on" in result.output
