"""`python -m chalicelib.mails.compile [--check]`: compile the mail templates to Python,
and the catalogues of their words to what gettext reads.

Otherwise the first mail of every cold start would have to parse them. The result is in `compiled/`,
is never committed, and is used by `render` if it exists; after changing one, run this again
or delete the directory. `--check` changes nothing and exits with 1 when the directory is out of
date.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from chalicelib.domain.locales import LOCALES
from chalicelib.mails.catalogues import COMPILED_DOMAINS, compile_catalogue, compiled_file
from chalicelib.mails.render import COMPILED, source_environment


def compile_into(target: Path) -> None:
    """Fill `target` with a module for each template and a file for each catalogue; raises for one
    with an error.
    """
    source_environment().compile_templates(target, zip=None, ignore_errors=False)
    for domain in COMPILED_DOMAINS:
        for locale in LOCALES:
            content = compile_catalogue(locale, domain)
            compiled_file(target, locale, domain).write_bytes(content)


def is_current(compiled: Path) -> bool:
    """True when `compiled` is exactly what the templates compile to."""
    with tempfile.TemporaryDirectory() as scratch:
        compile_into(Path(scratch))
        return _modules(Path(scratch)) == _modules(compiled)


def _modules(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.glob("*.*")}


def main(arguments: Sequence[str] | None = None, *, compiled: Path = COMPILED) -> int:
    """Compile or check; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m chalicelib.mails.compile", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only check whether it is up to date")
    if parser.parse_args(arguments).check:
        if is_current(compiled):
            return 0
        print("mail templates: compiled/ is out of date; run python -m chalicelib.mails.compile")
        return 1
    shutil.rmtree(compiled, ignore_errors=True)
    compile_into(compiled)
    print(f"mail templates: {len(_modules(compiled))} compiled")
    return 0


if __name__ == "__main__":
    sys.exit(main())
