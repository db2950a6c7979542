"""What only S3 has: versions, parts, uploads that must leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from threading import Event, get_ident
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from chalicelib.adapters.clients import Clients
from chalicelib.adapters.lists.building import SegmentBuilder
from chalicelib.adapters.lists.reader import SegmentGoneError
from chalicelib.adapters.s3 import BucketFiles, BucketSegments
from chalicelib.domain.files.reading import FileRefusedError, Tally
from chalicelib.services.file_ports import FileMissingError
from chalicelib.services.list_ports import Layer, NewSegment, Sums
from tests.contract.aws import mocked_clients, new_bucket
from tests.reference.segments import build

pytestmark = pytest.mark.slow

RANDOM = Random(17)
RECORDS = [RANDOM.randbytes(16) for _ in range(3000)]
PLAIN = [b"".join(record.hex().encode() + b"0" * 32 + b"\n" for record in RECORDS)]
NEW = NewSegment("lists/1.seg", "sha256", "k1", 1)
SEGMENT = build(RECORDS, algorithm="sha256", key_id="k1", generation=1)
PATH, ASIDE = "in/demo/customers/full/été 1+1.csv", "quarantine/demo/été 1+1.csv"


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    """S3 with parts as small as a test wants."""
    with pytest.MonkeyPatch.context() as patch, mocked_clients() as clients:
        patch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 5)
        yield clients


@pytest.fixture
def bucket(clients: Clients) -> str:
    """An empty bucket that keeps versions."""
    bucket = new_bucket(clients)
    clients.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def put(clients: Clients, bucket: str, content: bytes) -> str:
    return clients.s3.put_object(Bucket=bucket, Key=PATH, Body=content)["VersionId"]


def kept(clients: Clients, bucket: str, prefix: str) -> int:
    """All versions and markers that remain of a path."""
    found = clients.s3.list_object_versions(Bucket=bucket, Prefix=prefix)
    return len(found.get("Versions", [])) + len(found.get("DeleteMarkers", []))


def under_way(clients: Clients, bucket: str) -> int:
    return len(clients.s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []))


# --- files ---


def test_a_version_is_read_though_another_has_come(clients: Clients, bucket: str) -> None:
    first = put(clients, bucket, b"one")
    second = put(clients, bucket, b"two")
    files = BucketFiles(clients, bucket)
    assert [b"".join(files.read(PATH, version)) for version in (first, second, None)] == [
        b"one",
        b"two",
        b"two",
    ]


def test_a_version_that_is_gone_is_a_missing_file(clients: Clients, bucket: str) -> None:
    version = put(clients, bucket, b"one")
    clients.s3.delete_object(Bucket=bucket, Key=PATH, VersionId=version)
    for asked in (version, None):
        with pytest.raises(FileMissingError):
            BucketFiles(clients, bucket).read(PATH, asked)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("copied_at_once", [10, 1000, 5000])
def test_a_moved_file_is_complete_there_and_gone_here(
    clients: Clients, bucket: str, named: bool, copied_at_once: int
) -> None:
    content = RANDOM.randbytes(1003)
    version = put(clients, bucket, content)
    files = BucketFiles(clients, bucket, copied_at_once=copied_at_once)
    files.move(PATH, ASIDE, version if named else None)
    assert b"".join(files.read(ASIDE)) == content
    assert kept(clients, bucket, "in/") == 0
    files.move(PATH, ASIDE, version if named else None)
    assert b"".join(files.read(ASIDE)) == content


def test_only_the_named_version_is_moved(clients: Clients, bucket: str) -> None:
    version = put(clients, bucket, b"bad")
    put(clients, bucket, b"good")
    files = BucketFiles(clients, bucket)
    files.move(PATH, ASIDE, version)
    assert (b"".join(files.read(ASIDE)), b"".join(files.read(PATH))) == (b"bad", b"good")
    assert kept(clients, bucket, "in/") == 1


def test_a_missing_file_is_not_moved(clients: Clients, bucket: str) -> None:
    BucketFiles(clients, bucket).move(PATH, ASIDE)
    assert kept(clients, bucket, "") == 0


def test_a_file_that_could_not_be_copied_stays(clients: Clients, bucket: str) -> None:
    put(clients, bucket, bytes(100))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients.s3, "complete_multipart_upload", failing)
        with pytest.raises(ClientError):
            BucketFiles(clients, bucket, copied_at_once=40).move(PATH, ASIDE)
    assert kept(clients, bucket, "in/") == 1
    assert kept(clients, bucket, "quarantine/") == under_way(clients, bucket) == 0


class Breaking:
    """The body of an answer, that breaks after so many bytes."""

    def __init__(self, body: Any, after: int) -> None:
        self._body = body
        self._left = after

    def read(self, amount: int) -> bytes:
        if not self._left:
            raise ReadTimeoutError(endpoint_url="")
        content: bytes = self._body.read(min(amount, self._left))
        self._left -= len(content)
        return content


@pytest.fixture
def breaking(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Makes each connection break after so many bytes; returns the requested ranges."""

    def _breaking(*after: int) -> list[str]:
        ranges: list[str] = []
        breaks = iter(after)
        get_object = clients.s3.get_object

        def broken(**asked: Any) -> Any:
            answer = get_object(**asked)
            ranges.append(asked.get("Range", ""))
            at = next(breaks, None)
            return answer if at is None else {**answer, "Body": Breaking(answer["Body"], at)}

        monkeypatch.setattr(clients.s3, "get_object", broken)
        return ranges

    return _breaking


def test_a_broken_connection_is_resumed_where_it_broke(
    clients: Clients, bucket: str, breaking: Callable[..., list[str]]
) -> None:
    content = RANDOM.randbytes(5000)
    version = put(clients, bucket, content)
    ranges = breaking(1000, 0, 0, 500)
    assert b"".join(BucketFiles(clients, bucket).read(PATH, version)) == content
    assert ranges == ["", "bytes=1000-", "bytes=1000-", "bytes=1000-", "bytes=1500-"]


def test_a_connection_that_breaks_after_the_last_byte_loses_nothing(
    clients: Clients, bucket: str, breaking: Callable[..., list[str]]
) -> None:
    put(clients, bucket, bytes(5000))
    ranges = breaking(5000)
    assert b"".join(BucketFiles(clients, bucket).read(PATH)) == bytes(5000)
    assert ranges == [""]


def test_a_connection_that_keeps_breaking_is_an_error_and_no_end(
    clients: Clients, bucket: str, breaking: Callable[..., list[str]]
) -> None:
    put(clients, bucket, bytes(5000))
    breaking(*[1000] + [0] * 6)
    chunks = BucketFiles(clients, bucket).read(PATH)
    assert next(chunks) == bytes(1000)
    for _ in range(2):
        with pytest.raises(ReadTimeoutError):
            next(chunks)
    assert b"".join(chunks) == bytes(4000)


def test_a_file_replaced_while_it_is_read_is_an_error(
    clients: Clients, bucket: str, breaking: Callable[..., list[str]]
) -> None:
    put(clients, bucket, bytes(5000))
    breaking(1000)
    chunks = BucketFiles(clients, bucket).read(PATH)
    assert next(chunks) == bytes(1000)
    put(clients, bucket, b"x" * 5000)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        next(chunks)


@pytest.mark.parametrize(("conflicts", "written"), [(1, True), (2, True), (3, None)])
def test_a_file_written_once_meets_another_writer_and_tries_again(
    clients: Clients,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
    conflicts: int,
    written: bool | None,
) -> None:
    put_object = clients.s3.put_object
    met: list[Any] = []

    def contested(**arguments: Any) -> Any:
        if len(met) < conflicts:
            met.append(arguments)
            raise ClientError({"Error": {"Code": "ConditionalRequestConflict"}}, "PutObject")
        return put_object(**arguments)

    monkeypatch.setattr(clients.s3, "put_object", contested)
    files = BucketFiles(clients, bucket)
    if written is None:
        with pytest.raises(ClientError, match="ConditionalRequestConflict"):
            files.write_once(PATH, b"one")
    else:
        assert files.write_once(PATH, b"one") is written
        assert b"".join(files.read(PATH)) == b"one"


def test_a_file_that_may_not_be_written_is_tried_once(
    clients: Clients, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Any] = []

    def denied(**arguments: Any) -> Any:
        tried.append(arguments)
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")

    monkeypatch.setattr(clients.s3, "put_object", denied)
    with pytest.raises(ClientError, match="AccessDenied"):
        BucketFiles(clients, bucket).write_once(PATH, b"one")
    assert len(tried) == 1


def test_no_more_files_are_read_at_once_than_there_are_connections(
    clients: Clients, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_asked, readers, get_object = Event(), set[int](), clients.s3.get_object
    files = BucketFiles(clients, bucket)
    names = [f"journal/{number}.jsonl" for number in range(20)]
    for name in names:
        files.write(name, name.encode())

    def each() -> Iterator[str]:
        yield from names
        all_asked.set()

    def held(**asked: Any) -> Any:
        readers.add(get_ident())
        assert all_asked.wait(30)
        return get_object(**asked)

    monkeypatch.setattr(clients.s3, "get_object", held)
    assert list(files.read_all(each())) == [name.encode() for name in names]
    connections = vars(clients.s3.meta.config)["max_pool_connections"]
    assert 1 < len(readers) <= connections


# --- segments ---


def failing(**_: object) -> None:
    raise ClientError({"Error": {"Code": "InternalError"}}, "Any")


@pytest.mark.parametrize(
    "part", [100, 16_064, 24_010, 48_000, 48_020, 48_064 + 12, 48_064 + 20, 1 << 20]
)
def test_a_segment_in_parts_is_the_plain_one(clients: Clients, bucket: str, part: int) -> None:
    segments = BucketSegments(clients, bucket, part=part)
    builder = SegmentBuilder(segments)
    with builder.gather(PLAIN, Tally()) as gathered:
        stored = builder.build(NEW, [Layer("full", gathered)])
    size = len(SEGMENT.content)
    assert segments.fetch(NEW.path, 0, size, stored.etag) == SEGMENT.content
    head = clients.s3.head_object(Bucket=bucket, Key=NEW.path)
    assert ("-" in head["ETag"]) == (part < size - 64)
    assert under_way(clients, bucket) == 0


@pytest.mark.parametrize("part", [20_000, 1 << 20], ids=["in parts", "at once"])
def test_of_a_segment_that_is_stored_nothing_is_given_up(
    clients: Clients, bucket: str, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up: list[object] = []
    monkeypatch.setattr(
        clients.s3, "abort_multipart_upload", lambda **asked: given_up.append(asked)
    )
    builder = SegmentBuilder(BucketSegments(clients, bucket, part=part))
    with builder.gather(PLAIN, Tally()) as gathered:
        builder.build(NEW, [Layer("full", gathered)])
    assert given_up == []


def test_law_3_no_range_is_read_of_a_segment_that_has_been_replaced(
    clients: Clients, bucket: str
) -> None:
    segments = BucketSegments(clients, bucket)
    etag = segments.put(NEW.path, b"the list")
    assert segments.fetch(NEW.path, 4, 8, etag) == b"list"
    segments.put(NEW.path, b"the next")
    with pytest.raises(SegmentGoneError):
        segments.fetch(NEW.path, 4, 8, etag)


def test_the_header_comes_last_and_nothing_is_seen_before(clients: Clients, bucket: str) -> None:
    numbers: list[int] = []
    upload_part = clients.s3.upload_part

    def noted(**asked: object) -> object:
        numbers.append(int(str(asked["PartNumber"])))
        assert kept(clients, bucket, "") == 0
        return upload_part(**asked)  # type: ignore[arg-type]

    def judge(_: Sums) -> None:
        assert numbers
        assert kept(clients, bucket, "") == 0

    builder = SegmentBuilder(BucketSegments(clients, bucket, part=20_000))
    with builder.gather(PLAIN, Tally()) as gathered, pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients.s3, "upload_part", noted)
        builder.build(NEW, [Layer("full", gathered)], judge=judge)
    assert numbers == [2, 3, 1]


@pytest.mark.parametrize("step", ["judge", "upload_part", "complete_multipart_upload"])
def test_a_build_that_fails_leaves_nothing_behind(clients: Clients, bucket: str, step: str) -> None:
    def judge(_: Sums) -> None:
        if step == "judge":
            assert under_way(clients, bucket) == 1
            raise FileRefusedError("shrink_beyond_limit")

    builder = SegmentBuilder(BucketSegments(clients, bucket, part=20_000))
    with pytest.MonkeyPatch.context() as patch, builder.gather(PLAIN, Tally()) as gathered:
        if step != "judge":
            patch.setattr(clients.s3, step, failing)
        with pytest.raises((FileRefusedError, ClientError)):
            builder.build(NEW, [Layer("full", gathered)], judge=judge)
    assert kept(clients, bucket, "") == under_way(clients, bucket) == 0


def test_why_a_build_failed_is_seen_though_its_parts_cannot_be_given_up(
    clients: Clients, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(_: Sums) -> None:
        raise FileRefusedError("shrink_beyond_limit")

    builder = SegmentBuilder(BucketSegments(clients, bucket, part=20_000))
    monkeypatch.setattr(clients.s3, "abort_multipart_upload", failing)
    with builder.gather(PLAIN, Tally()) as gathered, pytest.raises(FileRefusedError):
        builder.build(NEW, [Layer("full", gathered)], judge=judge)


def test_what_is_built_upon_a_segment_on_s3_reads_it_in_ranges(
    clients: Clients, bucket: str
) -> None:
    ranges: list[str] = []
    get_object = clients.s3.get_object

    def noted(**asked: object) -> object:
        ranges.append(str(asked["Range"]))
        return get_object(**asked)  # type: ignore[arg-type]

    builder = SegmentBuilder(BucketSegments(clients, bucket, part=20_000), window=16_000)
    with (
        builder.gather(PLAIN, Tally()) as gathered,
        builder.gather([RANDOM.randbytes(32).hex().encode()], Tally()) as more,
        pytest.MonkeyPatch.context() as patch,
    ):
        first = NewSegment("lists/0.seg", "sha256", "k1", 0)
        base = builder.build(first, [Layer("full", gathered)])
        patch.setattr(clients.s3, "get_object", noted)
        assert builder.build(NEW, [Layer("full", base), Layer("add", more)]).rows == 3001
    assert ranges == ["bytes=0-63", "bytes=64-16063", "bytes=16064-32063", "bytes=32064-48063"]
