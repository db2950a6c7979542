"""Puts the pages of a release where CloudFront reads them."""

from __future__ import annotations

import mimetypes
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from infra.deployment.releases import Release, unzipped
from infra.pages import ASSETS, SIGN_IN, sign_in_settings
from infra.preloads import METADATA, preloads_of

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_s3.type_defs import TaggingTypeDef

REPLACED: Final[TaggingTypeDef] = {"TagSet": [{"Key": "tandem", "Value": "replaced"}]}


def cache_control(path: str) -> str:
    """How long a browser may keep a file: what is named by its content, for good."""
    is_asset = path.startswith(f"{ASSETS}/")
    return "public, max-age=31536000, immutable" if is_asset else "no-cache"


def publish(session: boto3.Session, release: Release, outputs: Mapping[str, str]) -> None:
    """Upload all pages, scripts before the pages that name them; then remove what is too much. What
    pages name by its content is only marked, and ends within two days (infra/resources.yaml): a
    page of the release before may be open, or kept by the API for a minute, and still ask for it.
    """
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
            if found["Key"] in pages:
                continue
            if found["Key"].startswith(f"{ASSETS}/"):
                s3.put_object_tagging(Bucket=bucket, Key=found["Key"], Tagging=REPLACED)
            else:
                s3.delete_object(Bucket=bucket, Key=found["Key"])
    session.client("cloudfront").create_invalidation(
        DistributionId=outputs["DistributionId"],
        InvalidationBatch={
            "Paths": {"Quantity": 1, "Items": ["/*"]},
            "CallerReference": str(time.time_ns()),
        },
    )
