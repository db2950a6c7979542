"""Writes the file that `chalicelib/starting.py` reads: code of what dataclasses generate.

    python -B -I -S infra/record_generated.py TREE PACKAGES

TREE is what the zip is made of. All its modules are imported by the Python that will run them, with
PACKAGES in place of its own: the same ones, for this machine. Whatever text is compiled meanwhile
is kept. The file is the same for the same tree.
"""

from __future__ import annotations

import builtins
import dataclasses
import marshal
import pkgutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

# What needs packages that only a layer has.
LEFT_OUT = (
    "chalicelib.adapters.lists.building",
    "chalicelib.adapters.pgp",
    "chalicelib.wallets.signing",
)


def main(tree: str, packages: str) -> None:
    """Import everything, write the file."""
    sys.path[:0] = [packages, tree]
    texts: set[str] = set()

    def note(text: str, *namespaces: Any) -> None:
        texts.add(text)
        builtins.exec(text, *namespaces)  # nosec B102: what dataclasses do themselves

    vars(dataclasses)["exec"] = note
    import_module("app")
    package = import_module("chalicelib")
    for module in pkgutil.walk_packages(package.__path__, "chalicelib."):
        if not module.name.startswith(LEFT_OUT):
            import_module(module.name)
    starting = import_module("chalicelib.starting")
    # The second form of marshal has no references, which depend on what else is in memory.
    kept = {
        starting.key_of(text): marshal.dumps(compile(text, "<string>", "exec"), 2)
        for text in sorted(texts)
    }
    Path(tree, "chalicelib", starting.FILE).write_bytes(marshal.dumps(kept, 2))


if __name__ == "__main__":
    main(*sys.argv[1:])
