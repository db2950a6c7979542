"""The zip holds what the functions load, as bytecode, and nothing else."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from infra.package import ROOT, Package, local_target, package
from infra.trimming import BOTOCORE_DATA

UNCHECKED_HASH = 0b01


def names(made: Package) -> list[str]:
    with zipfile.ZipFile(made.code) as archive:
        return archive.namelist()


def test_every_module_has_bytecode_that_is_never_checked(made: Package) -> None:
    with zipfile.ZipFile(made.code) as archive:
        found = set(archive.namelist())
        modules = [name for name in found if name.endswith(".py")]
        assert len(modules) > 100
        for name in modules:
            bytecode = importlib.util.cache_from_source(name)
            assert bytecode in found, name
            head = archive.read(bytecode)[:8]
            assert head[:4] == importlib.util.MAGIC_NUMBER
            assert int.from_bytes(head[4:8], "little") == UNCHECKED_HASH, name


def test_the_zip_holds_no_numpy_no_tests_and_no_secrets(made: Package) -> None:
    for name in names(made):
        parts = Path(name).parts
        assert not {"numpy", "tests", "local", "infra", "cli", ".chalice"} & set(parts), name
        assert not name.endswith((".key", ".dist-info/RECORD")), name


def test_botocore_knows_the_services_we_call_and_no_other(made: Package) -> None:
    services = {
        Path(name).parts[2]
        for name in names(made)
        if name.startswith("botocore/data/") and len(Path(name).parts) > 3
    }
    assert services == BOTOCORE_DATA


def test_compiled_mail_templates_are_in_the_zip(made: Package) -> None:
    assert any(name.startswith("chalicelib/mails/compiled/") for name in names(made))


def run_alone(program: str, unpacked: Path) -> subprocess.CompletedProcess[str]:
    """Run a program with what is in the zip and the standard library, and nothing else."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", program, str(unpacked)],
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_app_starts_from_the_zip_alone(unpacked: Path) -> None:
    """Without site-packages: what is missing here would be missing on Lambda."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import app, boto3;"
        "s = boto3.Session('a', 'b', region_name='eu-west-3');"
        "[s.client(n) for n in ('dynamodb', 's3', 'sesv2', 'sqs', 'ssm')];"
        "assert app.__file__.startswith(sys.argv[1])"
    )
    done = run_alone(program, unpacked)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_report_is_made_from_the_zip_alone_in_letters_of_all_languages(unpacked: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from datetime import UTC, datetime;"
        "from chalicelib.reports.charts import Curve, Curves;"
        "from chalicelib.reports.content import Figure, Report, Section, Table;"
        "from chalicelib.reports.pdf import pdf_of;"
        "from chalicelib.reports.texts import Texts;"
        "chart = Curves([Curve('x', [(0, 1), (5, 3)], band=[(0, 1, 2), (5, 2, 3)])], [(0, '0')]);"
        "section = Section('s', Table(['a', 'b'], [['c', '1']]), chart);"
        "footer = Texts('pl')('footer', brand='B');"
        "report = Report('pl', 'Ąż', 's', '#1f4e3d', [Figure('a', '1', 'b')], [section], footer);"
        "assert pdf_of(report, datetime.now(UTC)).startswith(b'%PDF-');"
        "assert 'PIL' not in sys.modules"
    )
    done = run_alone(program, unpacked)
    assert done.returncode == 0, done.stderr


def test_equal_inputs_give_equal_bytes_and_a_second_call_builds_nothing(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT / "chalicelib", source / "chalicelib")
    shutil.copy(ROOT / "app.py", source)
    builds = [tmp_path / "one", tmp_path / "two"]
    for build in builds:
        build.mkdir()
        (build / "vendor").symlink_to(ROOT / "build/vendor")
    one, two = (package(local_target(), source=source, build=build) for build in builds)
    assert one.digest == two.digest
    assert one.code.read_bytes() == two.code.read_bytes()
    assert one.template.read_bytes() == two.template.read_bytes()
    before = one.code.stat().st_mtime_ns
    assert package(local_target(), source=source, build=builds[0]) == one
    assert one.code.stat().st_mtime_ns == before
    (source / "app.py").write_text((source / "app.py").read_text() + "\n# another\n")
    assert package(local_target(), source=source, build=builds[0]).digest != one.digest
