"""An integrator with the published document alone: a client is generated from it, signs its calls,
and plays the story of a till on the running stack.
"""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.environment import ROOT, make
from local.running import Stack
from local.surfaces import Surfaces
from tests.e2e.conftest import Played

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("e2e")]

HOME = ".venv-client"
STORY = Path(__file__).parents[1] / "reference/integrator.py"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the package that was generated."""
    make(HOME, "requirements-client.txt")
    packages = tmp_path_factory.mktemp("packages")
    done = subprocess.run(
        [
            ROOT / HOME / "bin/openapi-python-client", "generate", "--meta", "none",
            "--path", ROOT / "docs/openapi.json", "--output-path", packages / "generated",
        ],
        env={"PATH": f"{ROOT / HOME / 'bin'}:/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "Warning" not in done.stdout, done.stdout
    return packages


def is_good(world: Surfaces, code: str) -> bool:
    return bool(world.as_client("GET", f"/vouchers/{code}").json()["acceptable"])


@pytest.fixture(scope="module")
def acts(stack: Stack, played: Played, generated: Path) -> dict[str, list[Any]]:
    """What the generated client was answered, by act."""
    world = played.world
    rows = [row for each in world.exports().values() for row in each]
    good = [row for row in rows if is_good(world, row["code"])]
    one = next(row["code"] for row in good if row["holder"] == "referee")
    # Whose order it is follows from a referee's code, and the story's counts with it.
    other = next(row["code"] for row in good if row["holder"] == "sponsor")
    status = stack.status()
    given = {
        "url": stack.url,
        "packages": str(generated),
        "codes": [one, other],
        "credentials": {
            "key_id": status["client_access_key_id"],
            "secret": status["client_secret_access_key"],
            "region": status["region"],
        },
    }
    done = subprocess.run(
        [ROOT / HOME / "bin/python", STORY, datetime.now(UTC).isoformat()],
        input=json.dumps(given), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {act: answer for act, *answer in map(json.loads, done.stdout.splitlines())}


def test_each_answer_is_read_by_the_type_of_its_status(acts: dict[str, list[Any]]) -> None:
    statuses = {act: (status, kind) for act, (status, _, kind) in acts.items()}
    assert statuses == {
        "not signed": (404, "Problem"),
        "signed by nobody": (403, "Problem"),
        "a typo": (404, "Problem"),
        "asked": (200, "VoucherAnswer"),
        "redeemed": (201, "RedemptionAnswer"),
        "again": (200, "RedemptionAnswer"),
        "for more": (409, "Problem"),
        "elsewhere": (409, "Problem"),
        "asked again": (200, "VoucherAnswer"),
        "rolled back elsewhere": (409, "Problem"),
        "rolled back": (204, "NoneType"),
        "rolled back again": (204, "NoneType"),
        "redeemed after that": (409, "Problem"),
        "reported": (207, "OrdersAnswer"),
    }


def test_reasons_are_values_of_the_generated_enumerations(acts: dict[str, list[Any]]) -> None:
    assert acts["for more"][1]["reason"] == "differs"
    assert acts["elsewhere"][1]["reason"] == "exhausted"
    assert (acts["asked"][1]["acceptable"], acts["asked again"][1]["reason"]) == (True, "exhausted")
    assert acts["rolled back elsewhere"][1]["reason"] == "not_redeemed"
    assert acts["redeemed after that"][1]["reason"] == "rolled_back"
    assert acts["again"] != acts["redeemed"]
    assert acts["again"][1] == acts["redeemed"][1]


def test_orders_have_a_result_each(acts: dict[str, list[Any]]) -> None:
    results = acts["reported"][1]["results"]
    assert [one["status"] for one in results] == [200, 422, 200, 200]
    assert results[0]["voucher"] == "unknown"
    assert results[1]["errors"] == [{"field": "amount", "reason": "invalid", "suggestion": None}]
    assert [one["effect"] for one in results[2:]] == ["redeemed", "rolled_back"]
