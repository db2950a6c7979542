"""CloudFront's function that finds pages, executed by node: it sends nobody to another site."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from local.node import make_node

pytestmark = pytest.mark.slow

ORIGIN = "https://tandem.test"
# One request a line, one answer a line. A request of CloudFront has its query as one text too.
PLAYED = """
const lines = require("fs").readFileSync(0, "utf8").trim().split("\\n");
for (const line of lines) {
  const [uri, query] = JSON.parse(line);
  const request = {method: "GET", uri, querystring: {}, headers: {}, cookies: {}};
  Object.defineProperty(request, "rawQueryString", {value: () => query ?? undefined});
  console.log(JSON.stringify(handler({version: "1.0", context: {}, viewer: {}, request})));
}
"""
Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def node() -> Path:
    return make_node()


@pytest.fixture(scope="module")
def ask(resources: dict[str, Any], node: Path) -> Ask:
    """What the deployed function answers to a path and a query."""
    code = resources["WebIndex"]["Properties"]["FunctionCode"]

    def asked(uri: str, query: str | None = None) -> dict[str, Any]:
        done = subprocess.run(
            [node, "--eval", code + PLAYED],
            input=json.dumps([uri, query]),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return asked


def _sent_to(answer: dict[str, Any]) -> str:
    assert answer["statusCode"] == 301
    return str(answer["headers"]["location"]["value"])


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("/", "/index.html"),
        ("/sponsor/", "/sponsor/index.html"),
        ("//sponsor//", "/sponsor/index.html"),
        ("/shared/api.js", "/shared/api.js"),
        ("//shared///api.js", "/shared/api.js"),
    ],
)
def test_a_folder_is_its_index_page_and_a_file_itself(ask: Ask, uri: str, found: str) -> None:
    assert ask(uri)["uri"] == found


@pytest.mark.parametrize(
    ("query", "sent_to"),
    [
        (None, "/sponsor/"),
        ("", "/sponsor/"),
        ("campaign=demo-vip&a=%2F%26&a=2", "/sponsor/?campaign=demo-vip&a=%2F%26&a=2"),
        ("next=//evil.example", "/sponsor/?next=//evil.example"),
    ],
)
def test_a_folder_without_its_slash_is_sent_to_it_with_the_query(
    ask: Ask, query: str | None, sent_to: str
) -> None:
    assert _sent_to(ask("/sponsor", query)) == sent_to


@pytest.mark.parametrize(
    "uri",
    [
        "//evil.example/x",
        "///evil.example/x",
        "//evil.example%2fx",
        "/\\evil.example/x",
        "\\/evil.example/x",
        "\\\\evil.example/x",
        "/\t/evil.example/x",
        "/\n/evil.example/x",
        "\t//evil.example/x",
        "//evil.example/x%00",
        "/%2f%2fevil.example/x",
        "/%5c%5cevil.example/x",
        "/%09/evil.example/x",
        "/.//evil.example/x",
        "/..//evil.example/x",
        "evil.example/x",
        "https://evil.example/x",
        "//evil.example/x/?",
    ],
)
def test_nobody_is_sent_to_another_site(ask: Ask, uri: str) -> None:
    answer = ask(uri)
    # The last part of a path may look like a file's name: it is looked for, on this site.
    location = _sent_to(answer) if "statusCode" in answer else str(answer["uri"])
    target = _as_browser_reads(location)
    assert urlsplit(target).netloc == urlsplit(ORIGIN).netloc


def _as_browser_reads(location: str) -> str:
    """An address as the WHATWG's rules read it: no control characters, a backslash is a slash."""
    visible = "".join(each for each in location if each > " ")
    path, question, query = visible.partition("?")
    return urljoin(f"{ORIGIN}/", path.replace("\\", "/") + question + query)


@pytest.mark.parametrize("location", ["//evil.example/x/", "/\\evil.example/", "/\t/evil.example/"])
def test_the_test_above_sees_another_site(location: str) -> None:
    assert urlsplit(_as_browser_reads(location)).netloc == "evil.example"
