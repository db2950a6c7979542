"""Runs in the process of an execution: imports the handler, hands it events, measures each.

Only the standard library and the unpacked zip are here. Events come as lines on stdin, what was
measured leaves as lines on the descriptor in argv; stdout is the function's own.
"""

import json
import os
import sys
import threading
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

HANDLER, DESCRIPTOR, *PATHS = sys.argv[1:]
CALL, THREAD = "X-Bench-Call", "X-Bench-Thread"

sys.path[:0] = PATHS
_slept = 0.0
_clock_time = datetime.min.replace(tzinfo=UTC)  # of the clock of the stores, which does not run


def _sleep(seconds: float) -> None:
    """Nobody waits here: what would have been waited is added up."""
    global _slept
    _slept += seconds


def _now() -> datetime:
    return _clock_time


def _mark(request, event_name, **_):  # type: ignore[no-untyped-def]
    """Say which call it is, and whether the function waits for it alone."""
    request.headers[CALL] = event_name.partition(".")[2]
    at_main = threading.current_thread() is threading.main_thread()
    request.headers[THREAD] = "main" if at_main else "reader"


def _peak_kb() -> int:
    """The most that was resident of this program, without that of the process it was forked off."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def main() -> None:
    """Start, then an event after the other, until stdin ends."""
    global _clock_time
    reports = os.fdopen(int(DESCRIPTOR), "w", encoding="utf-8")

    def report(**measured: object) -> None:
        print(json.dumps(measured), file=reports, flush=True)

    began = time.process_time()
    module, name = HANDLER.rsplit(".", 1)
    handler = getattr(import_module(module), name)
    started = time.process_time() - began

    import botocore.handlers

    from chalicelib import bootstrap

    botocore.handlers.BUILTIN_HANDLERS.append(("before-send", _mark))
    vars(time)["sleep"] = _sleep
    bootstrap.now = _now
    report(cpu_s=started, peak_kb=_peak_kb())
    for line in sys.stdin:
        asked = json.loads(line)
        _clock_time = datetime.fromisoformat(asked["now"])
        slept, began = _slept, time.process_time()
        try:
            answer, error = handler(asked["event"], None), None
        except Exception as raised:
            answer, error = None, type(raised).__name__
        cpu_s = time.process_time() - began
        report(cpu_s=cpu_s, slept_s=_slept - slept, peak_kb=_peak_kb(), answer=answer, error=error)


main()
