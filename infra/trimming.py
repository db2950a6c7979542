"""Takes out of installed packages what no function loads, so that starting costs less.

Of botocore's service descriptions only those stay that the functions call, without their texts: a
client reads all of its service's description when it is made, and that of every region. Refuses
nothing: what was trimmed and is needed shows in the tests that run from the zip alone.

Neighbour: package.py, which installs.
"""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any, Final

from chalicelib.domain.locales import LOCALES
from infra.postprocess.layers import LISTS

# What botocore must know of: the services the functions call, and what every client loads.
BOTOCORE_DATA: Final = frozenset(
    {"dynamodb", "events", "lambda", "s3", "sesv2", "sqs", "ssm", "sts"}
)
# By what they are called among the endpoints of regions.
_ENDPOINTS: Final = (BOTOCORE_DATA - {"sesv2"}) | {"email"}
_TEXTS: Final = frozenset({"documentation", "documentationUrl"})
# Of Babel's data, what our languages need: they themselves, what they build on, and the English of
# the mails (mails/formats.py).
LOCALE_DATA: Final = frozenset({*LOCALES, "root", "en_001", "en_GB"})
# Of Babel and python-barcode, what works on catalogues and draws pictures: no function does.
NEEDLESS: Final = ("babel/messages", "barcode/fonts")
REPORT_FONTS: Final = ("SourceSansPro-Regular.ttf", "SourceSansPro-Semibold.ttf")
# Of what reads fonts, what makes others of them.
FONT_TOOLS_NEEDLESS: Final = ("mtiLib", "t1Lib", "ufoLib")
# Of numpy, what is loaded for nothing that the list builder does: by its place below numpy/.
NUMPY_NEEDLESS: Final = (
    "_core/include", "_core/lib", "_pyinstaller", "distutils", "doc", "f2py", "fft", "ma",
    "polynomial", "random", "testing",
)  # fmt: skip


def trim(vendor: Path) -> None:
    """Of what every function has."""
    data = vendor / "botocore/data"
    for entry in data.iterdir():
        if entry.is_dir() and entry.name not in BOTOCORE_DATA:
            shutil.rmtree(entry)
    for needless in data.rglob("examples-1.json"):
        needless.unlink()
    for described in data.rglob("service-2.json.gz"):
        content = json.dumps(_without_texts(json.loads(gzip.decompress(described.read_bytes()))))
        described.write_bytes(gzip.compress(content.encode(), mtime=0))
    endpoints = data / "endpoints.json"
    endpoints.write_text(json.dumps(_of_our_services(json.loads(endpoints.read_text()))))
    for entry in (vendor / "babel/locale-data").glob("*.dat"):
        if entry.stem not in LOCALE_DATA:
            entry.unlink()
    unused = [vendor / name for name in NEEDLESS]
    for needless in (vendor / "bin", vendor / "boto3/data", vendor / "boto3/examples", *unused):
        shutil.rmtree(needless, ignore_errors=True)
    (vendor / "boto3/data").mkdir()
    _trim_report(vendor)
    _trim_any(vendor)


def _trim_report(vendor: Path) -> None:
    """Of what makes PDFs: two fonts of many; no pictures; and fontTools without what is compiled,
    which is there as Python too.
    """
    for font in (vendor / "font_source_sans_pro/files").glob("*.?tf"):
        if font.name not in REPORT_FONTS:
            font.unlink()
    for picture in ("PIL", "pillow.libs"):
        shutil.rmtree(vendor / picture, ignore_errors=True)
    for part in FONT_TOOLS_NEEDLESS:
        shutil.rmtree(vendor / "fontTools" / part, ignore_errors=True)
    for compiled in sorted((vendor / "fontTools").rglob("*")):
        if compiled.suffix in {".so", ".c"}:
            compiled.unlink()


def trim_layer(name: str, installed: Path) -> None:
    """Of what a layer holds."""
    if name == LISTS:
        _trim_numpy(installed)
    shutil.rmtree(installed / "bin", ignore_errors=True)
    _trim_any(installed)


def _trim_numpy(installed: Path) -> None:
    """Of numpy what building a list does not load; its libraries stay whole."""
    for needless in NUMPY_NEEDLESS:
        shutil.rmtree(installed / "numpy" / needless, ignore_errors=True)
    for module in sorted((installed / "numpy").rglob("*_tests.*.so")):
        module.unlink()


def _trim_any(installed: Path) -> None:
    for path in sorted(installed.rglob("*"), reverse=True):
        if path.is_dir() and (path.name in {"tests", "__pycache__"} or path.suffix == ".dist-info"):
            shutil.rmtree(path)
        elif path.is_file() and path.suffix in {".pxd", ".pyi", ".pyx", ".typed"}:
            path.unlink()


def _without_texts(part: Any) -> Any:
    """A description with empty texts: botocore asks for some of them by name."""
    if isinstance(part, dict):
        return {
            name: "" if name in _TEXTS and isinstance(value, str) else _without_texts(value)
            for name, value in part.items()
        }
    return [_without_texts(each) for each in part] if isinstance(part, list) else part


def _of_our_services(endpoints: Any) -> Any:
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {
            name: about for name, about in services.items() if name in _ENDPOINTS
        }
    return endpoints
