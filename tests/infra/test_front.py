"""The local front compresses and caches as CloudFront does: what is measured and seen here of the
pages is what readers get.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.pages import ASSETS
from local.front import Desk, front
from local.post_office import PostOffice
from local.serving import listening, serving

LARGE = "/* words */\n" * 200
SCRIPT = f"{ASSETS}/landing-AB12CD34.js"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    web = tmp_path / "web"
    for name, text in {
        "index.html": f"<!doctype html><!-- {LARGE} -->",
        SCRIPT: LARGE,
        "small.css": LARGE[:999],
        "edge.css": LARGE[:1000],
        "404.html": "<p>not here</p>",
    }.items():
        (web / name).parent.mkdir(parents=True, exist_ok=True)
        (web / name).write_text(text, encoding="utf-8")
    (web / "logo.png").write_bytes(b"\x89PNG" + bytes(4000))
    desk = Desk(
        web=web,
        post_office=PostOffice(tmp_path / "mail"),
        edge_headers=lambda _path, _headers: {"X-Frame-Options": "DENY"},
        status=lambda: {"words": LARGE},
        client_token="c",
    )
    with listening(None) as listener, serving(front(desk), listener):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=url, timeout=10, trust_env=False) as made:
            yield made


def asked(
    client: httpx.Client, path: str, encodings: str = "gzip", **headers: str
) -> tuple[httpx.Response, bytes]:
    """The answer, and its body as it was on the wire."""
    sent = {"Accept-Encoding": encodings, **headers}
    with client.stream("GET", path, headers=sent) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize("path", ["/", f"/{SCRIPT}", "/edge.css"])
def test_text_of_a_kilobyte_or_more_is_compressed(client: httpx.Client, path: str) -> None:
    plain, text = asked(client, path, "identity")
    answer, body = asked(client, path, "gzip, deflate, br")
    assert "Content-Encoding" not in plain.headers
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == text
    assert len(body) < len(text)


@pytest.mark.parametrize("path", ["/small.css", "/logo.png"])
def test_what_is_smaller_or_no_text_is_sent_as_it_is(client: httpx.Client, path: str) -> None:
    answer, body = asked(client, path)
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers
    assert len(body) == int(answer.headers["Content-Length"])


@pytest.mark.parametrize("encodings", ["", "identity", "deflate, br"])
def test_who_does_not_take_gzip_gets_none(client: httpx.Client, encodings: str) -> None:
    answer, body = asked(client, f"/{SCRIPT}", encodings)
    assert "Content-Encoding" not in answer.headers
    assert body.decode() == LARGE


@pytest.mark.parametrize("encodings", ["gzip", "identity"])
def test_caches_are_told_that_the_encoding_varies(client: httpx.Client, encodings: str) -> None:
    answer, _ = asked(client, f"/{SCRIPT}", encodings)
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_what_is_named_by_its_content_is_kept_for_good_and_a_page_is_asked_for_again(
    client: httpx.Client,
) -> None:
    script, _ = asked(client, f"/{SCRIPT}")
    page, _ = asked(client, "/")
    assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert page.headers["Cache-Control"] == "no-cache"
    assert script.headers["X-Frame-Options"] == page.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("encodings", ["gzip", "identity"])
def test_a_page_that_has_not_changed_is_not_sent_again(
    client: httpx.Client, encodings: str
) -> None:
    first, _ = asked(client, "/", encodings)
    again, body = asked(client, "/", encodings, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, body) == (304, b"")
    assert again.headers["ETag"].removeprefix("W/") == first.headers["ETag"].removeprefix("W/")
    assert again.headers["Cache-Control"] == "no-cache"
    other, body = asked(client, "/", encodings, **{"If-None-Match": '"another"'})
    assert (other.status_code, bool(body)) == (200, True)


def test_a_compressed_copy_has_the_weak_etag_that_cloudfront_gives_it(
    client: httpx.Client,
) -> None:
    plain, _ = asked(client, "/", "identity")
    packed, _ = asked(client, "/")
    assert packed.headers["ETag"] == f"W/{plain.headers['ETag']}"


def test_status_and_pages_that_are_not_there_are_no_assets(client: httpx.Client) -> None:
    status, _ = asked(client, "/_local/status.json")
    missing, _ = asked(client, "/nowhere.js")
    assert "Cache-Control" not in status.headers
    assert (missing.status_code, missing.headers["Cache-Control"]) == (404, "no-cache")
