"""Any number of workers gives the same list, and none outlives its command, however that ends."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from typer.testing import Result

from chalicelib.domain.addresses import Address, AddressDigests, AddressError, DigestKey
from cli.hashing.blocks import BLOCK

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
KEY = DigestKey("k1", secret=bytes(range(32)))
PATIENCE = 30.0  # seconds until a condition that does not come is a failure

Tandem = Callable[..., Result]


def addresses() -> Iterator[str]:
    """Enough for four blocks; some have aliases, some are no address, some are not ASCII."""
    for number in range(24_000):
        domain = ("gmail.com", "example.fr", "Outlook.fr", "bücher.example")[number % 4]
        yield f"{'Zoé' if number % 97 == 0 else 'a.b'}+{number}@{domain if number % 31 else ''}"


@pytest.fixture(scope="module")
def table() -> bytes:
    """Rows with line breaks in a column of no interest."""
    text = io.StringIO(newline="")
    written = csv.writer(text)
    written.writerow(["note", "email"])
    written.writerows(
        [f'says "{number}",\nand more\n' * (7 + number % 3), address]
        for number, address in enumerate(addresses())
    )
    content = text.getvalue().encode()
    assert len(content) > 3 * BLOCK
    return content


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "k1.key"
    file.write_text(KEY.secret.hex())
    return file


def arguments(source: Path, key_file: Path, target: Path, *more: str) -> list[str]:
    options = ["--column", "email", "--key-file", str(key_file), "--key-id", "k1"]
    return ["hash", str(source), *options, "-o", str(target), "--canaries", "0", *more]


def test_any_number_of_jobs_gives_the_bytes_and_the_list_of_the_per_line_loop(
    table: bytes, key_file: Path, tandem: Tandem, tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_bytes(table)
    written, reported = set(), set()
    for jobs in ("1", "2", "5"):
        target = tmp_path / f"{jobs}.csv.gz"
        result = tandem(*arguments(tmp_path / "in.csv", key_file, target, "--jobs", jobs))
        assert result.exit_code == 0, result.output
        written.add(target.read_bytes())
        reported.add(result.stdout.partition("\n")[2])
    (content,) = written
    (rejected,) = reported
    assert gzip.decompress(content).decode().splitlines() == ["digest", *one_by_one()]
    assert rejected == "rejected, bad_domain: 775\n"


def one_by_one() -> Iterator[str]:
    for address in addresses():
        try:
            pair = AddressDigests.of(Address.parse(address), [KEY]).under("k1")
        except AddressError:
            continue
        yield from dict.fromkeys((pair.exact, pair.canonical))


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_wrong_line_is_named_by_its_place_in_the_whole_file(
    jobs: str, table: bytes, key_file: Path, tandem: Tandem, tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_bytes(table + b'x,"secret@example.fr"x\n')
    target = tmp_path / "out.csv"
    result = tandem(*arguments(tmp_path / "in.csv", key_file, target, "--jobs", jobs))
    assert result.exit_code == 1
    line = table.count(b"\n") + 2
    assert f"in.csv: line {line}: ',' expected after '\"'" in result.stderr
    assert "secret" not in result.output
    assert {one.name for one in tmp_path.iterdir()} == {"in.csv", "k1.key"}


# --- processes ----------------------------------------------------------------------------------


@contextmanager
def at_work(
    table: bytes, key_file: Path
) -> Iterator[tuple[subprocess.Popen[str], list[int], Callable[[], None]]]:
    """A command that has read some blocks of a pipe and waits for more, its workers, and how to
    give it the rest.
    """
    source = key_file.parent / "in.csv"
    os.mkfifo(source)
    command = [sys.executable, "-c", "from cli.main import app; app()"]
    command += arguments(source, key_file, key_file.parent / "out.csv.gz", "--jobs", "2")
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process, source.open("wb", buffering=0) as pipe:
        try:
            whole = table[: 3 * BLOCK]
            feeding = threading.Thread(target=fed, args=(pipe, whole))
            feeding.start()
            until(lambda: len(children(process.pid)) == 2)
            feeding.join(PATIENCE)

            def give_the_rest() -> None:
                fed(pipe, table[3 * BLOCK :])
                pipe.close()

            yield process, children(process.pid), give_the_rest
        finally:
            process.kill()


def fed(pipe: io.FileIO, content: bytes) -> None:
    """Write it all, or as much as is wanted."""
    left = memoryview(content)
    while left:
        try:
            left = left[pipe.write(left) :]
        except BrokenPipeError:
            return


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def has_content(file: Path) -> bool:
    return bool(file.read_bytes())


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "did not come to be"
        time.sleep(0.005)


def assert_nothing_is_left(folder: Path, workers: list[int], *, but: tuple[str, ...] = ()) -> None:
    until(lambda: not any(map(is_running, workers)))
    assert {one.name for one in folder.iterdir()} == {"in.csv", "k1.key", *but}


def test_ctrl_c_leaves_no_list_and_no_process(table: bytes, key_file: Path) -> None:
    with at_work(table, key_file) as (process, workers, _):
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to all of them
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode != 0
        assert "Traceback" not in errors
        assert_nothing_is_left(key_file.parent, workers)


def test_a_killed_worker_ends_the_command_without_a_list(table: bytes, key_file: Path) -> None:
    with at_work(table, key_file) as (process, workers, give_the_rest):
        os.kill(workers[0], signal.SIGKILL)
        until(lambda: not is_running(workers[0]))
        give_the_rest()
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 1
        assert "a worker process has ended early, exit code -9" in errors
        assert "@" not in errors
        assert_nothing_is_left(key_file.parent, workers)


def test_a_ctrl_c_is_answered_by_the_command_and_not_by_its_workers(
    table: bytes, key_file: Path
) -> None:
    with at_work(table, key_file) as (process, workers, give_the_rest):
        for worker in workers:
            until(partial(ignores_ctrl_c, worker))
            os.kill(worker, signal.SIGINT)
        give_the_rest()
        _, errors = process.communicate(timeout=PATIENCE)
        assert (process.returncode, errors) == (0, "")


def ignores_ctrl_c(pid: int) -> bool:
    (ignored,) = re.findall(
        r"^SigIgn:\t(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE
    )
    return bool(int(ignored, 16) & 1 << signal.SIGINT - 1)


def test_workers_end_with_a_command_that_is_killed(table: bytes, key_file: Path) -> None:
    with at_work(table, key_file) as (process, workers, _):
        process.kill()
        process.communicate(timeout=PATIENCE)
        assert_nothing_is_left(key_file.parent, workers, but=("out.csv.gz.part",))


def test_no_key_is_on_a_command_line(table: bytes, key_file: Path) -> None:
    with at_work(table, key_file) as (process, workers, _):
        for pid in (process.pid, *workers):
            command = Path(f"/proc/{pid}/cmdline")
            until(partial(has_content, command))  # empty while a program is loaded
            line = command.read_bytes()
            assert KEY.secret.hex().encode() not in line


def test_a_worker_starts_without_what_a_terminal_needs() -> None:
    """Half a second of imports in each worker would be paid by every list."""
    code = "import cli.hashing.worker, sys; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert {"typer", "rich", "boto3", "chalice", "idna"} & set(done.stdout.split()) == set()


def test_a_module_beside_the_addresses_is_not_imported(
    table: bytes, key_file: Path, tandem: Tandem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.csv").write_bytes(table)
    (tmp_path / "signal.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    result = tandem(*arguments(Path("in.csv"), key_file, Path("out.csv"), "--jobs", "2"))
    assert result.exit_code == 0, result.output


def test_a_worker_runs_what_its_command_runs(table: bytes, key_file: Path, tmp_path: Path) -> None:
    """And not what else is installed under the same name."""
    shutil.copytree(ROOT / "cli", tmp_path / "other/cli")
    (tmp_path / "other/chalicelib").symlink_to(ROOT / "chalicelib")
    with (tmp_path / "other/cli/hashing/worker.py").open("a") as module:
        module.write("\n\ndef work() -> None:\n    sys.exit(7)\n")
    (tmp_path / "in.csv").write_bytes(table)
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from cli.main import app; app()"
    command = [sys.executable, "-c", code, str(tmp_path / "other")]
    command += arguments(tmp_path / "in.csv", key_file, tmp_path / "out.csv", "--jobs", "2")
    done = subprocess.run(command, cwd=ROOT.parent, check=False, capture_output=True, text=True)
    assert "a worker process has ended early, exit code 7" in done.stderr
