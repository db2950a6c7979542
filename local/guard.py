"""Runs a command in its own process group and ends the whole group when its own parent is gone.

The parent holds the other end of standard input: however the parent ends, even killed, the pipe
closes, and everything the command started (the emulator starts a process for each function) ends
at once: nothing it holds is kept anyway. Standard library only; started as a script, as the leader
of a new session: guard.py COMMAND...
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def main(command: list[str]) -> None:
    """Run `command` until it ends or standard input does; then nothing of the group is left."""
    # Ignored by a handler, which a child does not inherit, so that the group ends through here.
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, lambda *_: None)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    print(f"guard: ended with status {child.wait()}", flush=True)
    os.killpg(0, signal.SIGKILL)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
