"""`python -m local`: runs a stack until it is stopped; with `--play` the demo's story first.

Whatever goes wrong in starting or running it ends in one line and status 1. TANDEM_PORT and
TANDEM_AWS_PORT choose the ports of the front and of the emulator.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from infra.package import PackageError
from local.demo import lists
from local.errors import StackError
from local.quarter import CAMPAIGN
from local.quarter.history import History
from local.running import Stack
from local.stack import running_stack
from local.story import play

DEFAULT_PORT: Final = 8400
STARTED: Final = time.monotonic()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a stack until it is stopped; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local")
    parser.add_argument("--play", action="store_true", help="play the demo's story first")
    parser.add_argument("--once", action="store_true", help="end after the story")
    parser.add_argument("--directory", type=Path, help="where its files are")
    options = parser.parse_args(arguments)
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _stop)
    try:
        with running_stack(
            port=_port("TANDEM_PORT") or DEFAULT_PORT,
            aws_port=_port("TANDEM_AWS_PORT"),
            directory=options.directory,
            limited=not options.once,
            say=_say,
        ) as stack:
            held = True
            if options.play:
                held = play(stack, history=History(stack))
            if options.once:
                return 0 if held else 1
            _stay_up(stack, CAMPAIGN if options.play and held else lists.CAMPAIGN)
    except (StackError, PackageError) as error:
        print(f"tandem: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped")
        return 0
    return 0


def _stay_up(stack: Stack, campaign: str) -> None:
    marketing, client = stack.deployment.accounts["marketing"], stack.deployment.client
    print(
        f"\n  pages      {stack.url}/\n"
        f"  dashboard  {stack.url}/dashboard/?campaign={campaign}\n"
        f"             sign in as {marketing.name} with {marketing.password}\n"
        f"  mailbox    {stack.url}/_local/mailbox\n  status     {stack.url}/_local/status.json\n"
        f"  AWS        {stack.endpoint}   bucket {stack.bucket}\n"
        f"  client     AWS_ACCESS_KEY_ID={client.access_key_id} "
        f"AWS_SECRET_ACCESS_KEY={client.secret_access_key}\n"
        "             signs /v1/client/… and reads and writes its part of the bucket\n\n"
        "  Ctrl-C ends it.",
        flush=True,
    )
    while (end := stack.emulator.end(within_s=60)) is None:
        pass
    raise StackError(end)


def _say(text: str) -> None:
    print(f"{time.monotonic() - STARTED:4.0f} s  {text}", flush=True)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _port(variable: str) -> int | None:
    text = os.environ.get(variable, "")
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise StackError(f"{variable} is not a port: {text}")
    return int(text)


if __name__ == "__main__":
    raise SystemExit(main())
