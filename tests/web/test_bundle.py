"""One script of a page's modules: it does what they do, and refuses what it would leave out."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from infra.bundle import BundleError, bundle
from infra.deployment.pages import cache_control
from infra.pages import ASSETS, build_pages
from local.environment import ROOT

NODE = ROOT / ".venv-node" / "bin" / "node"


def _runs(script: str) -> list[object]:
    """What a script says, line by line."""
    done = subprocess.run(
        [NODE, "--input-type=module"], input=script, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


MODULES = {
    "page.js": (
        'import { add as plus, ONE } from "./shared/sums.js";\n'
        'import "./shared/side.js";\n'
        "const total = plus(ONE, ONE);\nconsole.log(total);\n"
    ),
    "every.js": 'import { add } from "./shared/sums.js";\nconst total = add(20, 1);\n'
    "console.log(total);\n",
    "shared/sums.js": (
        '/** @param {import("../types/x.js").N} a */\n'
        "export function add(a, b) {\n  return sum(a, b);\n}\n"
        "function sum(a, b) {\n  return a + b;\n}\nexport const ONE = 1;\n"
    ),
    "shared/side.js": 'import { ONE } from "./sums.js";\nconst total = 10;\n'
    "console.log(total * ONE);\n",
}


def test_a_bundle_does_what_its_modules_do_in_their_sequence_and_each_once() -> None:
    assert _runs(bundle(MODULES, ["/page.js", "/every.js"])) == [10, 2, 21]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("export default 1;\n", "page.js: cannot be bundled: export default 1;"),
        ("export let n = 1;\n", "page.js: cannot be bundled: export let n = 1;"),
        ('export * from "./shared/sums.js";\n', "page.js: cannot be bundled: export *"),
        ('import x from "./shared/sums.js";\n', "page.js: cannot be bundled: import x"),
        ('const x = await import("./shared/sums.js");\n', "page.js: cannot be bundled: import"),
        ("console.log(import.meta.url);\n", "page.js: cannot be bundled: import.meta"),
        ('import { a } from "./none.js";\n', "page.js imports none.js, not there"),
        ('import { a } from "./page.js";\n', "page.js imports itself, by way of page.js"),
    ],
)
def test_what_cannot_be_bundled_is_named(text: str, complaint: str) -> None:
    with pytest.raises(BundleError, match=re.escape(complaint)):
        bundle(MODULES | {"page.js": text}, ["/page.js"])


def test_a_visit_fetches_four_files_of_which_a_browser_keeps_three(tmp_path: Path) -> None:
    built = build_pages(tmp_path / "web")
    for page in built.rglob("*.html"):
        named = re.findall(r'(?:src|href)="(/[^"]+\.\w+)"', page.read_text(encoding="utf-8"))
        assert len(named) == 3
        assert {cache_control(name.lstrip("/")) for name in named} == {
            "public, max-age=31536000, immutable"
        }
    kept = {file.relative_to(built).as_posix() for file in built.rglob("*.*")}
    again = {path for path in kept if cache_control(path) == "no-cache"}
    assert again == {path for path in kept if not path.startswith(f"{ASSETS}/")}


def test_an_asset_has_another_name_when_its_content_is_another(tmp_path: Path) -> None:
    names = [
        {file.name for file in (build_pages(tmp_path / name) / ASSETS).iterdir()} for name in "ab"
    ]
    assert names[0] == names[1]
    assert all(re.fullmatch(r"[0-9a-f]{16}\.(?:js|css|svg)", name) for name in names[0])
