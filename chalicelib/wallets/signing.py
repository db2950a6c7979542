"""Signs passes. The one module that loads `cryptography`, and the only place where the keys are.

A pass of Apple's is a zip whose `manifest.json` has the SHA-1 of every other file (Apple's format,
not a choice: what protects it is the signature) and whose `signature` is a detached PKCS #7 one of
the manifest, by the certificate of the pass type, with the time and Apple's intermediate
certificate. Whose pass it is comes from that certificate's subject.

A pass of Google's is a link with a signed token (JWT, RS256) by the key of a service account.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    PKCS7Options,
    PKCS7SignatureBuilder,
)
from cryptography.x509.oid import NameOID

from chalicelib.wallets.messages import ApplePass, GooglePass

SAVE: Final = "https://pay.google.com/gp/v/save/"
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)


class CredentialsError(Exception):
    """Nothing can be signed with what is stored; the message has none of it."""


@dataclass(frozen=True, repr=False)
class AppleCredentials:
    """What passes are signed with: PEM texts, as Apple's certificates are converted to."""

    certificate: x509.Certificate
    key: RSAPrivateKey
    intermediate: x509.Certificate

    @classmethod
    def of(cls, certificate: str, key: str, intermediate: str) -> AppleCredentials:
        """`CredentialsError` where one cannot be read, or does not belong to the others."""
        try:
            made = cls(
                x509.load_pem_x509_certificate(certificate.encode()),
                _rsa_key(key),
                x509.load_pem_x509_certificate(intermediate.encode()),
            )
        except ValueError:
            raise CredentialsError("a certificate is not PEM") from None
        if made.certificate.public_key() != made.key.public_key():
            raise CredentialsError("the key is not that of the certificate")
        try:
            made.certificate.verify_directly_issued_by(made.intermediate)
        except (InvalidSignature, TypeError, ValueError):
            raise CredentialsError("the certificate is not issued by the intermediate") from None
        _ = made.pass_type, made.team  # refuses a certificate of another kind
        return made

    @property
    def pass_type(self) -> str:
        """The identifier of the pass type, as in the certificate's subject."""
        return self._named(NameOID.USER_ID, "pass type")

    @property
    def team(self) -> str:
        """The identifier of the team, as in the certificate's subject."""
        return self._named(NameOID.ORGANIZATIONAL_UNIT_NAME, "team")

    @property
    def ends_at(self) -> datetime:
        """When the first of the two certificates ends."""
        ends = (self.certificate.not_valid_after_utc, self.intermediate.not_valid_after_utc)
        return min(ends)

    def _named(self, oid: x509.ObjectIdentifier, what: str) -> str:
        found = self.certificate.subject.get_attributes_for_oid(oid)
        if len(found) != 1:
            raise CredentialsError(f"the certificate does not name one {what}")
        return str(found[0].value)


@dataclass(frozen=True, repr=False)
class GoogleCredentials:
    """What links are signed with: the service account, and the id of the issuer it acts for."""

    issuer: str
    account: str
    key: RSAPrivateKey

    @classmethod
    def of(cls, issuer: str, account: str) -> GoogleCredentials:
        """`account` is the file of the service account's key, JSON. `CredentialsError`."""
        try:
            found = json.loads(account)
            return cls(issuer, str(found["client_email"]), _rsa_key(str(found["private_key"])))
        except (KeyError, TypeError, ValueError):
            raise CredentialsError("the account is not a service account's key in JSON") from None


def signed_link(unsigned: GooglePass, credentials: GoogleCredentials, now: datetime) -> str:
    """The link that makes the pass when it is followed."""
    class_id = f"{credentials.issuer}.{unsigned.offer_class['id']}"
    object_id = f"{credentials.issuer}.{unsigned.offer_object['id']}"
    claims = {
        "iss": credentials.account,
        "aud": "google",
        "typ": "savetowallet",
        "iat": int(now.timestamp()),
        "origins": [unsigned.origin],
        "payload": {
            "offerClasses": [{**unsigned.offer_class, "id": class_id}],
            "offerObjects": [{**unsigned.offer_object, "id": object_id, "classId": class_id}],
        },
    }
    text = b".".join(map(_base64url, (_json({"alg": "RS256", "typ": "JWT"}), _json(claims))))
    signature = credentials.key.sign(text, PKCS1v15(), hashes.SHA256())
    return SAVE + b".".join((text, _base64url(signature))).decode()


def signed_pass(unsigned: ApplePass, credentials: AppleCredentials, now: datetime) -> bytes:
    """The pass, whole. `CredentialsError` once a certificate has ended: no phone takes it then."""
    if now >= credentials.ends_at:
        raise CredentialsError("a certificate has ended")
    owned = {
        **unsigned.content,
        "passTypeIdentifier": credentials.pass_type,
        "teamIdentifier": credentials.team,
    }
    inside = {"pass.json": _json(owned), **unsigned.files}
    manifest = _json({name: _sha1(content) for name, content in inside.items()})
    signature = (
        PKCS7SignatureBuilder()
        .set_data(manifest)
        .add_signer(credentials.certificate, credentials.key, hashes.SHA256())
        .add_certificate(credentials.intermediate)
        .sign(Encoding.DER, [PKCS7Options.DetachedSignature, PKCS7Options.Binary])
    )
    return _zipped({**inside, "manifest.json": manifest, "signature": signature})


def _rsa_key(pem: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (TypeError, ValueError):
        raise CredentialsError("the key is not PEM, or has a password") from None
    if not isinstance(key, RSAPrivateKey):
        raise CredentialsError("the key is not an RSA key")
    return key


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _base64url(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")


def _sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def _zipped(files: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), content, zipfile.ZIP_DEFLATED)
    return written.getvalue()
