"""Certificates like Apple's and a key like Google's, made afresh: none is in the repository.

A root, an intermediate that it signs (as Apple's WWDR), and a certificate of a pass type that the
intermediate signs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from chalicelib.wallets.signing import AppleCredentials

PASS_TYPE, TEAM = "pass.test.tandem.voucher", "TEAM123456"
ISSUER, ACCOUNT = "3388000000012345678", "wallet@tandem-test.iam.gserviceaccount.com"


@dataclass(frozen=True)
class Authority:
    """A root, what it has issued, and the key of a pass type; all PEM."""

    root: str
    intermediate: str
    certificate: str
    key: str

    @property
    def credentials(self) -> AppleCredentials:
        """What a pass is signed with."""
        return AppleCredentials.of(self.certificate, self.key, self.intermediate)


def new_key() -> rsa.RSAPrivateKey:
    """A key of 2048 bits, as Apple and Google make them."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    """A key without a password."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@cache
def authority(days: int = 365, pass_type: str = PASS_TYPE, team: str = TEAM) -> Authority:
    """An authority whose pass certificate ends in so many days, without a name that is empty."""
    root_key, middle_key, pass_key = new_key(), new_key(), new_key()
    root_name, middle_name = _name(root=True), _name(root=False)
    root = _signed(root_name, root_name, root_key, root_key, 4000, is_authority=True)
    middle = _signed(middle_name, root_name, middle_key, root_key, 4000, is_authority=True)
    named = [(NameOID.USER_ID, pass_type), (NameOID.ORGANIZATIONAL_UNIT_NAME, team)]
    subject = x509.Name(
        [
            *(x509.NameAttribute(oid, value) for oid, value in named if value),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Pass Type ID: {pass_type}"),
        ]
    )
    leaf = _signed(subject, middle_name, pass_key, middle_key, days, is_authority=False)
    first, second, third = (one.public_bytes(Encoding.PEM).decode() for one in (root, middle, leaf))
    return Authority(first, second, third, pem(pass_key))


@cache
def service_account() -> str:
    """The key of a service account, as Google gives it."""
    return json.dumps(
        {"type": "service_account", "client_email": ACCOUNT, "private_key": pem(new_key())}
    )


def _name(*, root: bool) -> x509.Name:
    text = "Test Root" if root else "Test Developer Relations"
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer_key: rsa.RSAPrivateKey,
    days: int,
    *,
    is_authority: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
