"""SpamAssassin takes no mail for spam: its own rules, without a network. Skipped where it is not
installed (`apt install spamassassin`).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from chalicelib.domain.locales import LOCALES
from local.mails import demo_mails, message_of
from tests.mails.samples import rendered

SPAMASSASSIN = shutil.which("spamassassin")


@pytest.mark.slow
@pytest.mark.skipif(SPAMASSASSIN is None, reason="spamassassin is not installed")
def test_no_mail_has_a_point_for_spam(tmp_path: Path) -> None:
    box = tmp_path / "all.mbox"
    names = []
    with box.open("wb") as written:
        for shown in demo_mails():
            for locale in LOCALES:
                message = message_of(shown, rendered(shown.mail, locale))
                written.write(b"From x@y Fri Nov 27 09:00:00 2026\n")
                written.write(message.replace(b"\r\n", b"\n") + b"\n")
                names.append(f"{shown.name} {locale}")
    done = subprocess.run(
        [str(SPAMASSASSIN), "-L", "--mbox", str(box)],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    scores = re.findall(r"^X-Spam-Status: \w+, score=(-?[\d.]+)", done.stdout, re.MULTILINE)
    assert len(scores) == len(names)
    assert [pair for pair in zip(names, scores, strict=True) if float(pair[1]) > 0] == []
