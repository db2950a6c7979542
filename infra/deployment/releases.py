"""Releases: what was deployed, kept in the bucket of deployments so that it can be deployed again.

    tandem-deploy-{account}-{region}/
        {stack}/{digest}/template.json  deployment.zip  layer-*.zip  pages.zip  stored.json
        {stack}/releases.json           the digests that were deployed, the newest last

A release is named by the digest of its contents, so the same tree is uploaded once.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from cli.errors import CommandError
from infra.deployment.stack import Template
from infra.deployment.stored import Shape

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# What names a zip beside the template, and by which property.
UPLOADED: Final = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
}
ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Release:
    """A release that is in the bucket."""

    digest: str
    template: Template
    pages: bytes


class Releases:
    """The releases of one stack."""

    def __init__(self, s3: S3Client, bucket: str, stack: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._stack = stack

    def require_bucket(self, region: str) -> None:
        """Make the bucket, private and versioned, if it is not there."""
        try:
            self._s3.head_bucket(Bucket=self._bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
                raise CommandError(
                    f"the bucket {self._bucket} is not ours: {error.response['Error']['Code']}"
                ) from error
        else:
            return
        if region == "us-east-1":  # the only one that must not be named
            self._s3.create_bucket(Bucket=self._bucket)
        else:
            self._s3.create_bucket(
                Bucket=self._bucket,
                CreateBucketConfiguration={"LocationConstraint": region},  # type: ignore[typeddict-item]
            )
        self._s3.put_public_access_block(
            Bucket=self._bucket,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
        )
        self._s3.put_bucket_versioning(
            Bucket=self._bucket, VersioningConfiguration={"Status": "Enabled"}
        )

    @staticmethod
    def template_of(package: Path) -> Template:
        """The template of a package, a folder with it and the zips."""
        found: Template = json.loads((package / "template.json").read_text(encoding="utf-8"))
        return found

    def add(self, package: Path, pages: Path, shapes: Mapping[str, Shape]) -> Release:
        """Upload a package, the built pages and the shapes of what the release stores."""
        template = self.template_of(package)
        contents = {
            **{name: (package / name).read_bytes() for name in _zips_of(template)},
            "pages.zip": _zipped(pages),
            "stored.json": json.dumps(shapes, sort_keys=True).encode(),
        }
        digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode())
        for name in sorted(contents):
            digest.update(hashlib.sha256(contents[name]).digest())
        release = digest.hexdigest()[:16]
        for resource in template["Resources"].values():
            if resource["Type"] in UPLOADED:
                uri = UPLOADED[resource["Type"]]
                name = PurePosixPath(resource["Properties"][uri]).name
                place = {"Bucket": self._bucket, "Key": self._key(release, name)}
                resource["Properties"][uri] = place
        template["Outputs"]["Release"] = {"Value": release}
        for name, content in contents.items():
            self._s3.put_object(Bucket=self._bucket, Key=self._key(release, name), Body=content)
        text = json.dumps(template).encode()
        self._s3.put_object(Bucket=self._bucket, Key=self._key(release, "template.json"), Body=text)
        return Release(release, template, contents["pages.zip"])

    def get(self, release: str) -> Release:
        """A release that was added before. Raises CommandError when it is gone."""
        try:
            template = self._read(self._key(release, "template.json"))
            pages = self._read(self._key(release, "pages.zip"))
        except ClientError as error:
            raise CommandError(
                f"the release {release} is not in {self._bucket} any more"
            ) from error
        return Release(release, json.loads(template), pages)

    def shapes(self, release: str) -> Mapping[str, Shape] | None:
        """What a release stores; None for one that was deployed before that was kept."""
        try:
            found: Mapping[str, Shape] = json.loads(self._read(self._key(release, "stored.json")))
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            return None
        return found

    def put_template(self, release: Release, template: Template) -> dict[str, str]:
        """Upload a template with the stack's names; returns where CloudFormation finds it."""
        key = self._key(release.digest, "deployed.json")
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=json.dumps(template).encode())
        return {"TemplateURL": f"{self._s3.meta.endpoint_url}/{self._bucket}/{key}"}

    def note(self, release: Release) -> None:
        """Keep that a release was deployed."""
        history = [one for one in self.history() if one != release.digest]
        text = json.dumps([*history, release.digest])
        self._s3.put_object(Bucket=self._bucket, Key=self._history, Body=text.encode())

    def history(self) -> list[str]:
        """What was deployed, the newest last."""
        try:
            found: list[str] = json.loads(self._read(self._history))
        except ClientError as error:
            # A stack of an earlier version was deployed without this bucket.
            if error.response["Error"]["Code"] not in {"NoSuchKey", "NoSuchBucket"}:
                raise
            return []
        return found

    @property
    def _history(self) -> str:
        return f"{self._stack}/releases.json"

    def _key(self, release: str, name: str) -> str:
        return f"{self._stack}/{release}/{name}"

    def _read(self, key: str) -> bytes:
        return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()


def _zips_of(template: Template) -> set[str]:
    """The zips beside the template that it names."""
    return {
        PurePosixPath(resource["Properties"][UPLOADED[resource["Type"]]]).name
        for resource in template["Resources"].values()
        if resource["Type"] in UPLOADED
    }


def unzipped(pages: bytes) -> Iterable[tuple[str, bytes]]:
    """The pages of a release, by their paths."""
    with zipfile.ZipFile(io.BytesIO(pages)) as archive:
        for name in archive.namelist():
            yield name, archive.read(name)


def _zipped(folder: Path) -> bytes:
    """The same bytes for the same files."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), ZIP_TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
    return written.getvalue()
