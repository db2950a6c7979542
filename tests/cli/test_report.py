"""`tandem report`: two files of a campaign, in a language, where it is asked to."""

from __future__ import annotations

from pathlib import Path

import pytest

from chalicelib.adapters.dynamodb.repository import DynamoRepository
from tests.cli.conftest import Tandem

pytestmark = pytest.mark.slow

CAMPAIGN = "demo-vip"
DEMO = Path(__file__).parents[2] / "local/demo/demo-vip.yaml"


@pytest.fixture
def demo(stack: DynamoRepository, tandem: Tandem) -> DynamoRepository:
    """The demo campaign in force."""
    assert tandem("campaign", "put", DEMO).exit_code == 0
    return stack


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("more", "words"), [((), "Nouveaux clients"), (("--language", "pl"), "Nowi")]
)
def test_it_writes_both_files_and_says_where(
    tandem: Tandem, tmp_path: Path, more: tuple[str, ...], words: str
) -> None:
    done = tandem("report", CAMPAIGN, "--to", tmp_path, *more)
    assert done.exit_code == 0, done.stderr
    paths = [Path(line) for line in done.stdout.split()]
    assert paths == sorted(tmp_path.iterdir())
    html, pdf = paths
    assert html.name.startswith(f"{CAMPAIGN}-20")
    assert words in html.read_text(encoding="utf-8")
    assert pdf.read_bytes().startswith(b"%PDF-")


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("unknown",), "no campaign unknown"),
        ((CAMPAIGN, "--language", "de"), "--language: one of fr, en, pl, es, it, not de"),
        ((CAMPAIGN, "--to", "/no/such/folder"), "--to: there is no folder /no/such/folder"),
    ],
)
def test_what_it_cannot_do_is_said_and_nothing_is_written(
    tandem: Tandem, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = tandem("report", "--to", tmp_path, *arguments)
    assert done.exit_code == 1
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []
