"""What makes the start of a function cheap, whatever it imports.

A dataclass writes its methods as text when its class is made, and has it compiled: two thirds of
the time it takes to import this package. In the zip a file beside this module has the code of each
such text, by its digest; like bytecode it is of one version of Python. Without the file, as in a
working copy, or for a text that is not in it, all is as usual.

Importing makes nothing but objects that stay. The collector, which Python has look for garbage
after every 700 or 2,000 of them, would look a hundred times and find none.

Neighbour: `infra/record_generated.py` writes the file.
"""

from __future__ import annotations

import builtins
import dataclasses
import gc
import marshal
import sys
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

FILE: Final = f"generated.{sys.implementation.cache_tag}.marshal"
# More than are made by a start, and some megabytes of garbage at most.
OBJECTS_A_COLLECTION: Final = 100_000


def prepare() -> None:
    """To be called before anything else of this package is imported."""
    gc.set_threshold(OBJECTS_A_COLLECTION, *gc.get_threshold()[1:])
    try:
        content = Path(__file__).with_name(FILE).read_bytes()
    except FileNotFoundError:
        return
    # Of the zip, as is the code that reads it: nobody can change the one and not the other.
    kept: dict[bytes, bytes] = marshal.loads(content)  # nosec B302

    def run(text: Any, *namespaces: Any, **named: Any) -> None:
        code = kept.get(key_of(text)) if isinstance(text, str) else None
        builtins.exec(marshal.loads(code) if code else text, *namespaces, **named)  # nosec B302

    # Dataclasses look it up among their own names first. If a later version of theirs writes other
    # texts, gives something else to run or runs nothing by that name, all is as usual again.
    vars(dataclasses)["exec"] = run


def key_of(text: str) -> bytes:
    """Under which a text's code is kept."""
    return blake2b(text.encode(), digest_size=16).digest()
