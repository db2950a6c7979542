"""The brand of a campaign: its name and colours, its shop, its pictures, and who it is by law.

A picture is named as a file beside the campaign file. Its bytes are stored when the file is put in
force, under a name made of their own digest: `Picture` says which. What a picture may be is in
`pictures.py`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chalicelib.domain.campaign.fields import ONE_LINE, FileModel, HttpsUrl, OneLine, Slug

PostalAddress = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        pattern=ONE_LINE,
        description="an address on one line, without < or >",
    ),
]

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,59}"

LogoFile = Annotated[
    str,
    Field(
        pattern=_NAME + r"\.(svg|png)$",
        description="the name of an SVG or PNG file beside this one, like logo.svg",
    ),
]

PngFile = Annotated[
    str,
    Field(
        pattern=_NAME + r"\.png$",
        description="the name of a PNG file beside this one, like logo.png",
    ),
]

PhotoFile = Annotated[
    str,
    Field(
        pattern=_NAME + r"\.(jpg|png)$",
        description="the name of a JPEG or PNG file beside this one, like picture.jpg",
    ),
]


class Legal(FileModel):
    """The company behind the brand, as the law has it named: under every page and mail."""

    name: OneLine
    address: PostalAddress
    registration: OneLine | None = None


class Brand(FileModel):
    """Whose programme it is, and the address for questions about it.

    `mail_logo`: mail programs show no SVG. `support_url`: where the brand itself says that this
    programme is its own.
    """

    id: Slug
    name: OneLine
    colour: Annotated[
        str, Field(pattern=r"^#[0-9a-fA-F]{6}$", description='a colour in quotes, like "#1f4e3d"')
    ] = "#1f4e3d"
    contact: Annotated[
        str,
        Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254, description="an e-mail address"),
    ]
    logo: LogoFile | None = None
    mail_logo: PngFile | None = None
    picture: PhotoFile | None = None
    shop_url: HttpsUrl | None = None
    support_url: HttpsUrl | None = None
    legal: Legal | None = None

    @property
    def logo_for_mails(self) -> str | None:
        """The file of the logo that mails carry: a PNG, or none."""
        if self.mail_logo or self.logo is None:
            return self.mail_logo
        return self.logo if self.logo.endswith(".png") else None


# The fields that name a file, and the most bytes it may have. A mail carries its logo with it, and
# all of a mail is to stay below 60 KB.
PICTURE_BYTES = {"logo": 60_000, "mail_logo": 16_000, "picture": 300_000}


class Picture(FileModel):
    """A file that a campaign names, as it is stored: found by the SHA-256 of its bytes."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    kind: Annotated[str, Field(pattern=r"^(svg|png|jpg)$")]
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]

    def path(self, campaign: str) -> str:
        """Where it is in the bucket, and below the pages' address."""
        return f"pictures/{campaign}/{self.sha256[:32]}.{self.kind}"


CONTENT_TYPES = {"svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg"}
