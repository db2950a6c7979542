"""What a page has the browser ask for at once: CloudFront's function, run by node, and ours."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from infra.pages import build_pages
from infra.preloads import METADATA, link_header, preloads_of
from local.node import make_node

pytestmark = pytest.mark.slow

PLAYED = """
const lines = require("fs").readFileSync(0, "utf8").trim().split("\\n");
for (const line of lines) {
  const { querystring, headers, metadata } = JSON.parse(line);
  const request = { method: "GET", uri: "/index.html", querystring, headers, cookies: {} };
  const given = metadata ? { "x-amz-meta-preloads": { value: metadata } } : {};
  const response = { statusCode: 200, headers: given };
  const event = { version: "1.0", context: {}, viewer: {}, request, response };
  console.log(JSON.stringify(handler(event)));
}
"""
META = "campaign fr=/assets/aa.json en=/assets/bb.json"
CASES = [
    (META, "", ""),
    (META, "campaign=demo-vip", "fr-FR,fr;q=0.9,en;q=0.8"),
    (META, "campaign=demo-vip&lang=en", "fr"),
    (META, "campaign=demo-vip&lang=de", "de-DE,EN;q=0.5"),
    (META, "campaign=demo-vip", "de, pl ;q=0.1"),
    (META, "", "fr;q=0.3, en;q=0.9"),
    (META, "", "fr;q=0.9,en-GB ; q=0.91"),
    (META, "", "fr;q=0, en;q=0.001"),
    (META, "", "fr;q=0"),
    (META, "", "fr;q=0.5,en;q=0.5"),
    (META, "", "fr;q=two,,;q=1,en;q=-1,*,en;q=0.2"),
    (META, "", "fra, en-"),
    (META, "", "fr;q=1.5, en;q=0."),
    (META, "", "fr;level=1;q=0.2, en;q=0.1"),
    (META, "", "\u0001;;;=,\u00e9n, en"),
    (META, "campaign=%3E%3B%20rel%3Dpreconnect", "en"),
    (META, "campaign=" + "a" * 60, "en"),
    (META, "campaign=Demo", "constructor,en"),
    ("fr=/assets/aa.json en=/assets/bb.json", "campaign=demo-vip", "en"),
    ("campaign", "campaign=demo-vip", "en"),
    (None, "campaign=demo-vip", "en"),
]


@pytest.fixture(scope="module")
def node() -> Path:
    return make_node()


def played(code: str, node: Path) -> list[dict[str, Any]]:
    asked = [
        {
            "querystring": {name: {"value": value} for name, value in parse_qsl(query)},
            "headers": {"accept-language": {"value": accepted}} if accepted else {},
            "metadata": metadata,
        }
        for metadata, query, accepted in CASES
    ]
    done = subprocess.run(
        [node, "--eval", code + PLAYED],
        input="\n".join(map(json.dumps, asked)),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_function_and_the_front_name_the_same(resources: dict[str, Any], node: Path) -> None:
    answers = played(resources["WebPreloads"]["Properties"]["FunctionCode"], node)
    for (metadata, query, accepted), answer in zip(CASES, answers, strict=True):
        link = answer["headers"].get("link", {}).get("value")
        headers = {"accept-language": accepted} if accepted else {}
        assert link == link_header(metadata, query, headers), (query, accepted)
        assert "x-amz-meta-preloads" not in answer["headers"]


def test_the_language_that_the_reader_wants_most_is_named() -> None:
    header = link_header(META, "", {"accept-language": "fr;q=0.3, en;q=0.9"})
    assert header == "</assets/bb.json>; rel=preload; as=fetch; crossorigin"


def test_the_readers_language_and_the_campaign_are_named_and_nothing_else_gets_in() -> None:
    one = "<{}>; rel=preload; as=fetch; crossorigin"
    both = ", ".join(map(one.format, ("/assets/bb.json", "/v1/campaigns/demo-vip")))
    assert link_header(META, "campaign=demo-vip&lang=en", {}) == both
    evil = link_header(META, "campaign=%3E%3B%20rel%3Dpreconnect", {"accept-language": "en"})
    assert evil == one.format("/assets/bb.json")


def test_it_is_attached_to_pages_and_knows_the_metadata(resources: dict[str, Any]) -> None:
    config = resources["Distribution"]["Properties"]["DistributionConfig"]
    attached = config["DefaultCacheBehavior"]["FunctionAssociations"]
    named = {one["EventType"]: one["FunctionARN"]["Fn::GetAtt"][0] for one in attached}
    assert named == {"viewer-request": "WebIndex", "viewer-response": "WebPreloads"}
    code = resources["WebPreloads"]["Properties"]["FunctionCode"]
    assert f"x-amz-meta-{METADATA}" in code
    assert len(code) < 10_000  # CloudFront takes no longer one


def test_every_page_names_its_own_texts_and_its_campaign_where_it_shows_one(tmp_path: Path) -> None:
    built = build_pages(tmp_path / "web")
    for page in built.rglob("*.html"):
        preloads = preloads_of(page.read_text("utf-8"))
        assert preloads
        words = preloads.split(" ")
        assert (words[0] == "campaign") is ("dashboard" not in str(page.relative_to(built)))
        for word in words:
            if "=" in word:
                assert (built / word.partition("=")[2].lstrip("/")).is_file()
    assert preloads_of("<!doctype html><p>plain</p>") is None
