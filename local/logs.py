"""`make logs`: follows the log groups of the running local stack with the stock `aws logs tail`.

That command is in version 2 of the AWS command line, which is a system package (apt, brew) and on
no package index. Where only version 1 is found, or none, the same lines are read with the same
call, FilterLogEvents, and printed in the same way. Both read through the front, which adds the ids
that the emulator leaves out.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import boto3

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

SINCE_S: Final = 600
PAUSE_S: Final = 2


def main() -> int:
    """Follow until stopped; the exit status."""
    port = os.environ.get("TANDEM_PORT", "8400")
    front = f"http://127.0.0.1:{port}/_local"
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{front}/status.json", timeout=5) as answer:
            status = json.load(answer)
    except (urllib.error.URLError, ValueError):
        status = {}
    if not status.get("ready"):
        missing = (
            f"no local stack on port {port}: start it with: make demo; "
            "for another port set TANDEM_PORT"
        )
        print(f"tandem: {status.get('ended', missing)}", file=sys.stderr)
        return 1
    logs = boto3.Session(
        aws_access_key_id=status["access_key_id"],
        aws_secret_access_key=status["secret_access_key"],
        region_name=status["region"],
    ).client("logs", endpoint_url=f"{front}/logs/")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    program = _version_2()
    try:
        if program is None:
            print(
                "aws version 2 is not here (apt install awscli, brew install awscli): reading "
                "the same lines without it",
                file=sys.stderr,
            )
            _follow(logs, groups)
        else:
            _tail(program, groups, status, f"{front}/logs/")
    except KeyboardInterrupt:
        return 0
    return 0


def _version_2() -> str | None:
    """The path of an `aws` that has `logs tail`."""
    for directory in os.get_exec_path():
        program = shutil.which("aws", path=directory)
        if program is not None:
            answer = subprocess.run(
                [program, "--version"], capture_output=True, text=True, check=False
            )
            if answer.stdout.startswith("aws-cli/2"):
                return program
    return None


def _tail(program: str, groups: list[str], status: dict[str, str], endpoint: str) -> None:
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": status["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": status["secret_access_key"],
        "AWS_REGION": status["region"],
        "PYTHONUNBUFFERED": "1",
    }
    running = [
        subprocess.Popen(
            [
                program,
                "logs",
                "tail",
                group,
                "--follow",
                "--since",
                f"{SINCE_S}s",
                "--endpoint-url",
                endpoint,
            ],
            env=environment,
        )
        for group in groups
    ]
    try:
        for each in running:
            each.wait()
    finally:
        for each in running:
            each.terminate()


def _follow(logs: CloudWatchLogsClient, groups: list[str]) -> None:
    since = dict.fromkeys(groups, int((time.time() - SINCE_S) * 1000))
    seen: set[str] = set()
    while True:
        for group in groups:
            for page in logs.get_paginator("filter_log_events").paginate(
                logGroupName=group, startTime=since[group]
            ):
                for event in page["events"]:
                    if event["eventId"] not in seen:
                        seen.add(event["eventId"])
                        since[group] = max(since[group], event["timestamp"])
                        at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                        print(f"{at.isoformat()} {group} {event['message'].rstrip()}", flush=True)
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    raise SystemExit(main())
