"""Schemathesis calls every operation with what the document allows, and with what it does not, and
holds every answer against the document.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.api.operations import OPERATIONS
from local.environment import ROOT, make
from tests.api.conftest import GATEWAY
from tests.api.requests import bearer
from tests.api.world import CAMPAIGN, World
from tests.api.world import world as fresh_world
from tests.client.served import Server, served

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("client")]

HOME = ".venv-client"
EXAMPLES = 12  # of each operation, beside those of the document and of the limits of its fields
# What the document says in words and no schema can: a wrong order is refused by itself, a code is
# any text, an address has rules of its own. Unsigned calls never reach the
# function: some are 404.
NOT_CHECKED = (
    "positive_data_acceptance", "negative_data_rejection", "unsupported_method", "ignored_auth",
    "allow_header_conformance", "missing_required_header",
)  # fmt: skip


@pytest.fixture
def server() -> Iterator[Server]:
    with fresh_world(GATEWAY) as world, served(world) as made:
        yield made


def settings(world: World) -> str:
    """Values that name something, so that more is reached than "there is no such thing"."""
    session = world.sign_in()
    link, token = world.link_code(session), world.invited("offered@tandem.test")
    return f"""
[parameters]
"path.campaign" = "{CAMPAIGN}"
"path.code" = "{world.voucher()}"
"path.link_code" = "{link}"
"path.order_id" = "web-1001"
"path.token" = "{token}"

[[operations]]
include-path-regex = "^/v1/sponsor"
headers = {{ Authorization = "{bearer(session)}" }}

[[operations]]
include-path-regex = "^/v1/(client|ops)"
headers = {{ Authorization = "whom API Gateway lets through" }}

[[operations]]
include-operation-id = "get_wall"
headers = {{ Authorization = "{bearer(world.wall_link())}" }}
"""


def test_no_call_finds_a_failure_or_an_answer_that_is_not_documented(
    server: Server, tmp_path: Path
) -> None:
    make(HOME, "requirements-client.txt")
    (tmp_path / "schemathesis.toml").write_text(settings(server.world), encoding="utf-8")
    command = [
        str(ROOT / HOME / "bin/schemathesis"), "run", str(ROOT / "docs/openapi.json"),
        "--url", server.url,
        "--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES), "--seed", "1",
        "--exclude-checks", ",".join(NOT_CHECKED), "--continue-on-failure", "--no-color",
    ]  # fmt: skip
    with (tmp_path / "said").open("w+", encoding="utf-8") as said:
        run = subprocess.Popen(command, cwd=tmp_path, stdout=said, stderr=subprocess.STDOUT)
        while run.poll() is None:
            server.handle_request()
        said.seek(0)
        report = said.read()
    assert run.returncode == 0, report[-20_000:]
    assert server.wrong == []
    assert server.calls > len(OPERATIONS) * EXAMPLES
    print(report[-1_500:], server.calls)
