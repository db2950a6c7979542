"""Puts the pages of a release where CloudFront reads them."""

from __future__ import annotations

import mimetypes
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from infra.deployment.releases import Release, unzipped
from infra.pages import ASSETS, SIGN_IN, sign_in_settings
from infra.preloads import METADATA, preloads_of

if TYPE_CHECKING:
    import boto3


def cache_control(path: str) -> str:
    """How long a browser may keep a file: what is named by its content, for good."""
    is_asset = path.startswith(f"{ASSETS}/")
    return "public, max-age=31536000, immutable" if is_asset else "no-cache"


def publish(session: boto3.Session, release: Release, outputs: Mapping[str, str]) -> None:
    """Upload all pages, scripts before the pages that name them; then remove what is too much."""
    s3, bucket = session.client("s3"), outputs["WebBucketName"]
    pages = dict(unzipped(release.pages))
    if settings := sign_in_settings(outputs):
        pages[SIGN_IN] = settings
    for path in sorted(pages, key=lambda path: (path.endswith(".html"), path)):
        preloads = preloads_of(pages[path].decode()) if path.endswith(".html") else None
        s3.put_object(
            Bucket=bucket,
            Key=path,
            Body=pages[path],
            Metadata={METADATA: preloads} if preloads else {},
            ContentType=mimetypes.guess_type(path)[0] or "application/octet-stream",
            CacheControl=cache_control(path),
        )
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", []):
            if found["Key"] not in pages:
                s3.delete_object(Bucket=bucket, Key=found["Key"])
    session.client("cloudfront").create_invalidation(
        DistributionId=outputs["DistributionId"],
        InvalidationBatch={
            "Paths": {"Quantity": 1, "Items": ["/*"]},
            "CallerReference": str(time.time_ns()),
        },
    )
