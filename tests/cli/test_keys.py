"""Digest keys are stored as secrets, are never printed, and never change under their id."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from typer.testing import Result

from cli.connection import connect
from cli.keys import require_own_key

pytestmark = pytest.mark.slow

DEMO = Path(__file__).parents[2] / "local/demo/demo-vip.yaml"
KEY = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
NAME = "/tandem/test/digest-keys/shop-2026"

Tandem = Callable[..., Result]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "shop.key"
    file.write_text(f"{KEY}\n")
    return file


@pytest.mark.usefixtures("stack")
def test_a_key_from_a_file_is_stored_encrypted_and_not_printed(
    tandem: Tandem, key_file: Path
) -> None:
    result = tandem("key", "put", "shop-2026", "--file", key_file)
    assert result.output == f"key shop-2026: stored at {NAME}\n"
    client = boto3.client("ssm", region_name="eu-west-3")
    stored = client.get_parameter(Name=NAME, WithDecryption=True)["Parameter"]
    assert (stored["Type"], stored["Value"]) == ("SecureString", KEY)


@pytest.mark.usefixtures("stack")
def test_a_key_may_come_from_the_environment(
    tandem: Tandem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_KEY", KEY.upper())
    assert tandem("key", "put", "shop-2026", "--from-env", "SHOP_KEY").exit_code == 0
    client = boto3.client("ssm", region_name="eu-west-3")
    assert client.get_parameter(Name=NAME, WithDecryption=True)["Parameter"]["Value"] == KEY


@pytest.mark.usefixtures("stack")
def test_the_same_key_may_be_put_again(tandem: Tandem, key_file: Path) -> None:
    tandem("key", "put", "shop-2026", "--file", key_file)
    result = tandem("key", "put", "shop-2026", "--file", key_file)
    assert (result.exit_code, result.output) == (0, f"key shop-2026: already at {NAME}\n")


@pytest.mark.usefixtures("stack")
def test_another_key_under_the_same_id_is_refused(tandem: Tandem, key_file: Path) -> None:
    tandem("key", "put", "shop-2026", "--file", key_file)
    key_file.write_text(KEY[::-1])
    result = tandem("key", "put", "shop-2026", "--file", key_file)
    assert result.exit_code == 1
    assert "the key of an id never changes" in result.stderr
    client = boto3.client("ssm", region_name="eu-west-3")
    assert client.get_parameter(Name=NAME, WithDecryption=True)["Parameter"]["Value"] == KEY


def own_key() -> dict[str, str]:
    """The parameter of our own key, decrypted."""
    client = boto3.client("ssm", region_name="eu-west-3")
    found = client.get_parameter(Name="/tandem/test/digest-keys/tandem", WithDecryption=True)
    return {name: str(value) for name, value in found["Parameter"].items()}


@pytest.mark.usefixtures("stack")
def test_our_own_key_is_drawn_once_stored_encrypted_and_not_printed(
    tandem: Tandem, key_file: Path
) -> None:
    first = tandem("key", "put", "shop-2026", "--file", key_file)
    drawn = own_key()
    assert (drawn["Type"], len(bytes.fromhex(drawn["Value"]))) == ("SecureString", 32)
    assert drawn["Value"] not in first.output
    tandem("key", "put", "shop-2027", "--file", key_file)
    assert own_key() == drawn


@pytest.mark.usefixtures("stack")
def test_our_own_key_is_drawn_with_the_first_campaign_and_stays(tandem: Tandem) -> None:
    assert tandem("campaign", "put", DEMO).exit_code == 0
    drawn = own_key()
    assert tandem("campaign", "put", DEMO).exit_code == 0
    assert own_key() == drawn


@pytest.mark.usefixtures("stack", "tandem")
def test_of_two_who_draw_our_own_key_at_once_the_first_one_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection, draw = connect("local"), secrets.token_hex

    def drawn_by_another(size: int) -> str:
        monkeypatch.setattr("cli.keys.secrets.token_hex", draw)
        require_own_key(connection)
        return "00" * size

    monkeypatch.setattr("cli.keys.secrets.token_hex", drawn_by_another)
    require_own_key(connection)
    assert own_key()["Value"] != "00" * 32


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (b"not hex at all", "not hex: a key is written in digits and a to f"),
        ("clé".encode(), "not hex: a key is written in digits and a to f"),
        (b"", "a key has 16 to 64 bytes"),
        (b"00" * 15, "a key has 16 to 64 bytes"),
        (b"00" * 65, "a key has 16 to 64 bytes"),
    ],
)
def test_a_wrong_key_is_refused_and_not_printed(
    content: bytes, reported: str, tandem: Tandem, key_file: Path
) -> None:
    key_file.write_bytes(content)
    result = tandem("key", "put", "shop-2026", "--file", key_file)
    assert result.exit_code == 1
    assert result.output == f"{key_file}: {reported}\n"


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        (["shop"], "say where the key is: --file HEXFILE or --from-env NAME"),
        (["shop", "--file", "a", "--from-env", "B"], "say where the key is"),
        (["Shop/1", "--file", "a"], "a key id is 1 to 16 lower-case letters"),
        (["tandem", "--file", "a"], "the key id tandem is reserved"),
        (["shop", "--file", "none.key"], "none.key: No such file or directory"),
        (["shop", "--from-env", "NO_SUCH_KEY"], "no environment variable NO_SUCH_KEY"),
    ],
)
def test_a_key_that_cannot_be_found_is_reported_in_one_line(
    arguments: list[str], reported: str, tandem: Tandem
) -> None:
    result = tandem("key", "put", *arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith(reported)
