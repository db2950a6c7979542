"""What every bucket does, in memory and on S3."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.adapters.s3 import BucketFiles
from chalicelib.services.file_ports import EARLIEST, FileMissingError, Files
from tests.contract.aws import new_bucket
from tests.contract.conftest import BOTH
from tests.fakes.ports import MemoryFiles

PATH = "out/demo-vip/vouchers/00000001.csv.gz"


@pytest.fixture(params=BOTH)
def files(request: pytest.FixtureRequest) -> Files:
    """The bucket, empty."""
    if request.param == "memory":
        return MemoryFiles()
    clients = request.getfixturevalue("clients")
    return BucketFiles(clients, new_bucket(clients))


def read(files: Files, path: str = PATH) -> bytes:
    return b"".join(files.read(path))


def test_a_file_comes_back_whole_whatever_the_chunks(files: Files) -> None:
    content = bytes(range(256)) * 5000
    files.write(PATH, content)
    assert read(files) == content


def test_an_empty_file_is_a_file(files: Files) -> None:
    files.write(PATH, b"")
    assert read(files) == b""


def test_a_missing_file_is_reported_when_it_is_opened(files: Files) -> None:
    with pytest.raises(FileMissingError):
        files.read(PATH)


def test_a_write_replaces_an_existing_file(files: Files) -> None:
    files.write(PATH, b"one")
    files.write(PATH, b"two", content_type="application/json")
    assert read(files) == b"two"


def test_a_removed_file_is_not_there_and_may_be_removed_again(files: Files) -> None:
    files.write(PATH, b"one")
    for _ in range(2):
        files.remove(PATH)
        assert files.paths("out/") == []
        with pytest.raises(FileMissingError):
            files.read(PATH)


def test_law_5_a_file_written_once_never_changes(files: Files) -> None:
    assert files.write_once(PATH, b"one")
    assert not files.write_once(PATH, b"two")
    assert read(files) == b"one"


def test_names_with_spaces_and_accents_are_names(files: Files) -> None:
    path = "in/demo-vip/orders/été 1+1.csv"
    files.write(path, b"x")
    assert read(files, path) == b"x"


def put(files: Files, path: str, content: bytes) -> str:
    """Store a file as the client does; returns its version."""
    if isinstance(files, MemoryFiles):
        return files.put(path, content)
    assert isinstance(files, BucketFiles)
    answer = files._clients.s3.put_object(Bucket=files._bucket, Key=path, Body=content)
    return answer["VersionId"]


DROPPED = "in/demo-vip/customers/full/next.csv"
ASIDE = "quarantine/demo-vip/customers/full/next.csv"


def test_a_version_is_readable_after_the_file_was_replaced(files: Files) -> None:
    first, second = put(files, DROPPED, b"one"), put(files, DROPPED, b"two")
    assert b"".join(files.read(DROPPED, first)) == b"one"
    assert b"".join(files.read(DROPPED, second)) == b"two"
    assert read(files, DROPPED) == b"two"


def test_a_moved_version_is_nowhere_else(files: Files) -> None:
    version = put(files, DROPPED, b"jeanne@example.fr")
    files.move(DROPPED, ASIDE, version)
    assert read(files, ASIDE) == b"jeanne@example.fr"
    for gone in (version, None):
        with pytest.raises(FileMissingError):
            files.read(DROPPED, gone)
    files.move(DROPPED, ASIDE, version)  # again: nothing is left to do
    assert read(files, ASIDE) == b"jeanne@example.fr"


def test_the_newer_version_stays_when_an_older_one_is_moved(files: Files) -> None:
    version = put(files, DROPPED, b"jeanne@example.fr")
    put(files, DROPPED, b"digest")
    files.move(DROPPED, ASIDE, version)
    assert read(files, DROPPED) == b"digest"
    assert read(files, ASIDE) == b"jeanne@example.fr"


def test_a_version_that_is_not_there_is_missing(files: Files) -> None:
    version = put(files, DROPPED, b"one")
    files.move(DROPPED, ASIDE, version)
    with pytest.raises(FileMissingError):
        files.read(DROPPED, version)
    files.move("in/demo-vip/nothing.csv", ASIDE)
    assert read(files, ASIDE) == b"one"


def test_the_versions_of_a_file_are_listed_newest_first(files: Files) -> None:
    first, second = put(files, DROPPED, b"one"), put(files, DROPPED, b"two")
    put(files, f"{DROPPED}.gz", b"another")
    assert files.versions(DROPPED) == [second, first]
    assert files.versions("in/demo-vip/nothing.csv") == []


def test_many_files_are_read_at_once_in_the_order_they_are_asked_for(files: Files) -> None:
    contents = {f"journal/{number}.jsonl": f"{number}".encode() for number in range(20)}
    for path, content in contents.items():
        files.write(path, content)
    asked = [*reversed(contents), "journal/missing.jsonl"]
    assert list(files.read_all(asked)) == [*reversed(contents.values()), None]
    assert list(files.read_all([])) == []


def test_the_files_under_a_folder_are_in_the_order_of_their_names(files: Files) -> None:
    names = ["2026-03-02/00000001-a", "2026-03-02/00000002-b", "2026-03-10/00000003-c"]
    for name in reversed(names):
        files.write(f"out/demo/journal/{name}", b"x")
    files.write("out/demo/reports/2026-03-02.json", b"x")
    assert files.paths("out/demo/journal/") == [f"out/demo/journal/{name}" for name in names]
    assert files.paths("out/other/journal/") == []


def test_the_files_written_since_a_moment_are_found_each_version_of_them(files: Files) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    first, second = put(files, DROPPED, b"one"), put(files, DROPPED, b"two")
    put(files, "in/other/orders/a.csv", b"x")
    found = files.written_since("in/demo-vip/", long_ago)
    assert {one.version for one in found} == {first, second}
    assert [b"".join(files.read(one.path, first)) for one in found if one.version == first] == [
        b"one"
    ]
    assert found == sorted(found)
    assert files.written_since("in/demo-vip/", found[-1].at + timedelta(seconds=1)) == []


def test_an_erased_version_is_gone_and_the_others_stay(files: Files) -> None:
    first, second = put(files, DROPPED, b"one"), put(files, DROPPED, b"two")
    [old] = [one for one in files.written_since("in/", EARLIEST) if one.version == first]
    for _ in range(2):  # it may be erased again
        files.erase(old)
        assert [one.version for one in files.written_since("in/", EARLIEST)] == [second]
        assert read(files, DROPPED) == b"two"
    [last] = files.written_since("in/", EARLIEST)
    files.erase(last)
    assert files.written_since("in/", EARLIEST) == []
    assert files.paths("in/") == []


def test_a_file_that_was_written_by_us_is_erased(files: Files) -> None:
    files.write(PATH, b"one")
    for written in files.written_since("out/", EARLIEST):
        files.erase(written)
    assert files.paths("out/") == []
