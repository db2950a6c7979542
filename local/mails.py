"""`python -m local.mails`: every mail of the demo campaign in every language, into build/mails/.

For those who change a word or a layout: `index.html` shows them side by side, in the light and in
the dark, on a phone and on a desk. Each is also there as the message that is sent (`.eml`) and as
its text. Nothing is sent, and no stack is needed.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from chalicelib.domain.benefits import MoneyOff
from chalicelib.domain.campaign.file import Campaign
from chalicelib.domain.campaign.templates import Use
from chalicelib.domain.locales import LOCALES
from chalicelib.mails import (
    AnyMail,
    CampaignTexts,
    ConfirmedMail,
    EndsSoonMail,
    InvitationMail,
    Logo,
    PrivacyMail,
    Rendered,
    ReplacedMail,
    RevokedMail,
    RewardMail,
    SignInMail,
    SignUpMail,
    VoucherMail,
    render,
)
from chalicelib.mails.message import compose
from chalicelib.services.mails.campaign_texts import campaign_texts
from cli.campaign_check import read_campaign
from local.demo.lists import CAMPAIGN_FILE

ROOT: Final = Path(__file__).resolve().parent.parent
TARGET: Final = ROOT / "build/mails"
ORIGIN: Final = "https://programme.demo.test"
STOP: Final = f"{ORIGIN}/v1/unsubscribe/3v9cJ0xkq2Yp7dLm/page"
NOT_COMPILED: Final = TARGET / "no-such-directory"


_HEAD: Final = """<!doctype html><meta charset="utf-8"><title>Mails</title><style>
div { white-space: nowrap; overflow-x: auto }
iframe { border: 1px solid #999; margin-right: 8px }
</style>
"""


@dataclass(frozen=True)
class Shown:
    """A mail under the name it is shown by."""

    name: str
    mail: AnyMail


def demo_texts() -> CampaignTexts:
    """The demo campaign's, with words in every language: the file itself has two."""
    campaign = read_campaign(CAMPAIGN_FILE)
    picture, file = campaign.picture(campaign.brand.logo_for_mails), campaign.brand.logo_for_mails
    if picture is None or file is None or campaign.privacy is None:
        raise LookupError("the demo campaign has a logo and a notice")
    png = (CAMPAIGN_FILE.parent / file).read_bytes()
    logo = Logo(png=png, width=picture.width, height=picture.height)
    texts = campaign_texts(campaign, ORIGIN, logo)
    if texts.notice is None:
        raise LookupError("the demo campaign says who is responsible")
    authority = _everywhere(campaign, campaign.privacy.authority)
    return replace(
        texts,
        locales=LOCALES,
        title=_everywhere(campaign, campaign.title),
        notice=replace(texts.notice, authority=authority),
    )


def _everywhere(campaign: Campaign, texts: Mapping[str, str]) -> dict[str, str]:
    return {locale: campaign.text(dict(texts), locale) for locale in LOCALES}


def demo_mails() -> Iterator[Shown]:
    """Every mail that there is, in each of its forms."""
    campaign, texts = read_campaign(CAMPAIGN_FILE), demo_texts()
    common: dict[str, Any] = {"campaign": texts, "first_name": "Paul", "unsubscribe_link": STOP}
    to_sponsor = common | {"first_name": "Jeanne"}
    asked: dict[str, Any] = {"campaign": texts, "first_name": None, "unsubscribe_link": STOP}
    stop = f"{ORIGIN}/sign-in-stop/?campaign=demo-vip#token=9hD2sVb6QeXk1nRt"
    link = f"{ORIGIN}/referee/?campaign=demo-vip#token=Jc7Yw0ZpLr4mB8uGqE5o"
    offer: dict[str, Any] = {"sponsor_name": "Jeanne", "link": link, "closes_on": date(2026, 12, 1)}
    uses: dict[str, Use | None] = {name: one.use for name, one in campaign.templates.items()}
    ends = date(2026, 12, 31)
    voucher: dict[str, Any] = {
        "code": "WE-7K2M-9QXP-4TBN-23", "benefit": MoneyOff(1000, "EUR"), "currency": "EUR",
        "minimum_basket_minor": 4000, "valid_until": ends, "rung": None,
        "use": uses["welcome"], "next_minor": 500,
    }  # fmt: skip
    further = voucher | {"benefit": MoneyOff(750, "EUR"), "rung": 2, "use": uses["third-order"]}
    reward = voucher | {
        "code": "TY-4HXN-P2WD-8KQ7-R5", "benefit": MoneyOff(1500, "EUR"), "rung": 1,
        "minimum_basket_minor": None, "use": uses["thank-you"], "next_minor": None,
    }  # fmt: skip
    yield Shown("sign-in", SignInMail(
        **to_sponsor, link=f"{ORIGIN}/sponsor/?campaign=demo-vip#token=Qm3xT8bN6vRz",
        expires_minutes=30, stop_link=stop,
    ))  # fmt: skip
    yield Shown("invitation", InvitationMail(**common, **offer))
    yield Shown("sign-up", SignUpMail(**asked, **offer))
    yield Shown("confirmed", ConfirmedMail(**common, waits=MoneyOff(1000, "EUR")))
    yield Shown("voucher", VoucherMail(**common, **voucher))
    yield Shown("further-voucher", VoucherMail(**common, **further))
    yield Shown("reward", RewardMail(**to_sponsor, **reward))
    yield Shown("further-reward", RewardMail(**to_sponsor, **reward | {"rung": 2}))
    yield Shown("replaced", ReplacedMail(**common, **voucher, is_sponsors=False))
    yield Shown("revoked", RevokedMail(**common, benefit=MoneyOff(500, "EUR"), is_sponsors=False))
    yield Shown("revoked-sponsor", RevokedMail(
        **to_sponsor, benefit=MoneyOff(1500, "EUR"), is_sponsors=True
    ))  # fmt: skip
    yield Shown("ends-soon", EndsSoonMail(**common, **voucher))
    privacy: dict[str, Any] = {
        "link": f"{ORIGIN}/privacy/?campaign=demo-vip#token=x",
        "expires_hours": 24,
    }
    for is_erasure, name in ((False, "data-file"), (True, "data-erasure")):
        yield Shown(name, PrivacyMail(**asked, **privacy, is_erasure=is_erasure, stop_link=stop))


def message_of(shown: Shown, rendered: Rendered) -> bytes:
    """The mail as it would be sent."""
    made = compose(
        rendered,
        sender="parrainage@demo.test",
        sender_name=shown.mail.campaign.brand_name,
        recipient="paul@newcomers.test",
        mail_id=f"{shown.name}-{rendered.locale}",
        date=datetime(2026, 11, 27, 9, tzinfo=UTC),
        unsubscribe_url=STOP.removesuffix("/page"),
        reply_to=shown.mail.campaign.contact,
    )
    return bytes(made)


def page_of(rendered: Rendered) -> str:
    """The HTML with its pictures in it, as a browser can show it."""
    page = rendered.html
    for picture in rendered.pictures:
        shown = base64.b64encode(picture.png).decode()
        page = page.replace(f"cid:{picture.cid}", f"data:image/png;base64,{shown}")
    return page


def write_all(target: Path = TARGET) -> list[Path]:
    """Every preview; the paths of the pages."""
    pages = []
    for shown in demo_mails():
        for locale in LOCALES:
            rendered = render(shown.mail, locale, compiled=NOT_COMPILED)
            stem = target / locale / shown.name
            stem.parent.mkdir(parents=True, exist_ok=True)
            stem.with_suffix(".html").write_text(page_of(rendered), encoding="utf-8")
            stem.with_suffix(".txt").write_text(rendered.text, encoding="utf-8")
            stem.with_suffix(".eml").write_bytes(message_of(shown, rendered))
            pages.append(stem.with_suffix(".html"))
    (target / "index.html").write_text(_index(target, pages), encoding="utf-8")
    return pages


def _index(target: Path, pages: list[Path]) -> str:
    rows = []
    for page in pages:
        path = html.escape(page.relative_to(target).as_posix())
        frames = "".join(
            f'<iframe src="{path}" width="{width}" height="900" style="color-scheme:{scheme}" '
            f'title="{path}, {scheme}, {width}"></iframe>'
            for scheme in ("light", "dark")
            for width in (360, 700)
        )
        links = " · ".join(
            f'<a href="{path.removesuffix(".html")}.{kind}">{kind}</a>'
            for kind in ("html", "txt", "eml")
        )
        rows.append(f"<h2>{path}</h2><p>{links}</p><div>{frames}</div>")
    return _HEAD + "\n".join(rows)


def main() -> int:
    """Write the previews and say where they are."""
    pages = write_all()
    print(f"{len(pages)} mails: {TARGET / 'index.html'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
