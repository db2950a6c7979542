"""Pictures of campaigns: CloudFront reads them, and nothing else of the bucket; the local front
serves them as CloudFront does.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from infra.package import Package
from local.front import Desk, front
from local.post_office import PostOffice


def resources(made: Package) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(made.template.read_text(encoding="utf-8"))["Resources"]
    return found


def test_cloudfront_may_read_pictures_and_nothing_else_of_the_bucket(made: Package) -> None:
    policy = resources(made)["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    [allowed] = [one for one in policy if one["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert allowed["Action"] == "s3:GetObject"
    assert allowed["Resource"] == {"Fn::Sub": "${Bucket.Arn}/pictures/*"}
    assert "${Distribution}" in json.dumps(allowed["Condition"])


def test_the_distribution_asks_the_bucket_for_pictures_alone(made: Package) -> None:
    config = resources(made)["Distribution"]["Properties"]["DistributionConfig"]
    behaviours = {one["PathPattern"]: one for one in config["CacheBehaviors"]}
    pictures = behaviours["/pictures/*"]
    assert pictures["TargetOriginId"] == "pictures"
    assert pictures["AllowedMethods"] == ["GET", "HEAD"]
    assert pictures["ResponseHeadersPolicyId"] == {"Ref": "OtherHeaders"}  # scripts stay out
    others = [one["TargetOriginId"] for path, one in behaviours.items() if path != "/pictures/*"]
    assert "pictures" not in [*others, config["DefaultCacheBehavior"]["TargetOriginId"]]


def test_the_front_serves_a_stored_picture_with_its_type_and_the_pages_headers(
    tmp_path: Path,
) -> None:
    stored = {"pictures/demo/abc.svg": (b"<svg/>", "image/svg+xml")}
    desk = Desk(
        web=tmp_path,
        post_office=PostOffice(tmp_path / "mail"),
        edge_headers=lambda _path, _headers: {"X-Content-Type-Options": "nosniff"},
        status=dict,
        client_token="c",
        picture=stored.get,
    )

    async def got(path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=front(desk))
        async with httpx.AsyncClient(transport=transport, base_url="http://front") as client:
            return await client.get(path)

    with ThreadPoolExecutor(1) as thread:  # a browser's loop may run in this one
        found, missing = thread.map(
            lambda path: asyncio.run(got(path)),
            ("/pictures/demo/abc.svg", "/pictures/demo/none.svg"),
        )
    assert (found.status_code, found.content) == (200, b"<svg/>")
    assert found.headers["content-type"] == "image/svg+xml"
    assert found.headers["x-content-type-options"] == "nosniff"
    assert missing.status_code == 403
    desk.post_office.close()
