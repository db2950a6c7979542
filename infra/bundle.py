"""Makes one script of a page's modules: a visit costs a request a file, and a page had twenty.

    import { byId as id } from "../shared/elements.js";     const { byId: id } = m3;
    export function show() {}                               function show() {}  …  return { show };

Each module becomes a function of its own, called once, after those it imports. Pure: files in, text
out. It knows the forms of import and export that `web/` uses; any other one is refused by
name, as is a circle, so nothing is left out silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from posixpath import dirname, join, normpath

_IMPORT = re.compile(r'^import (?:\{([^{}]*)\} from )?"(\.{1,2}/[^"]+|/[^"]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function\*?|const|class) ([\w$]+)", re.MULTILINE)
_OTHER = re.compile(
    r"^(?:import|export)\b.*|\bimport\.meta\b|\bimport\(\s*[\"'`/.].*", re.MULTILINE
)
_NAME = re.compile(r"([\w$]+)(?: as ([\w$]+))?")
# Where types are named, and nothing is done.
_COMMENT = re.compile(r"/\*\*.*?\*/|^ *//[^\n]*", re.MULTILINE | re.DOTALL)


class BundleError(ValueError):
    """A module that cannot be put into one script; the message names its file and what is in it."""


def bundle(modules: Mapping[str, str], entries: Sequence[str]) -> str:
    """One script that does what the modules `entries` do, in that sequence. `modules` are texts by
    their paths in `web/`.
    """
    names: dict[str, str] = {}
    for path in entries:
        _add(modules, normpath(path.lstrip("/")), names, ())
    return "".join(_parts(modules, names))


def _add(
    modules: Mapping[str, str], path: str, names: dict[str, str], importers: tuple[str, ...]
) -> None:
    """Name a module, after those that it imports."""
    if path in importers:
        raise BundleError(f"{path} imports itself, by way of {importers[-1]}")
    if path in names:
        return
    if path not in modules:
        raise BundleError(f"{importers[-1] if importers else 'a page'} imports {path}, not there")
    for found in _IMPORT.finditer(modules[path]):
        _add(modules, _resolved(path, found[2]), names, (*importers, path))
    names[path] = f"m{len(names)}"


def _parts(modules: Mapping[str, str], names: Mapping[str, str]) -> Iterator[str]:
    for path, name in names.items():
        body, exported = _body(path, modules[path], names)
        yield f"const {name} = (() => {{\n{body}\nreturn {{ {', '.join(exported)} }};\n}})();\n"


def _body(path: str, text: str, names: Mapping[str, str]) -> tuple[str, list[str]]:
    def imported(found: re.Match[str]) -> str:
        if found[1] is None:
            return ""
        bound = ", ".join(
            f"{name}: {other}" if other else name for name, other in _NAME.findall(found[1])
        )
        return f"const {{ {bound} }} = {names[_resolved(path, found[2])]};"

    body = _IMPORT.sub(imported, text)
    exported = [found[2] for found in _EXPORT.finditer(body)]
    body = _EXPORT.sub(r"\1 \2", body)
    if other := _OTHER.search(_COMMENT.sub("", body)):
        raise BundleError(f"{path}: cannot be bundled: {other[0].strip()}")
    return body.strip(), exported


def _resolved(importer: str, named: str) -> str:
    base = "" if named.startswith("/") else dirname(importer)
    return normpath(join(base, named.lstrip("/") if named.startswith("/") else named))
