"""Keys for tests, made when first asked for."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from shared.web.auth import Verifier

NOW = datetime(2026, 12, 5, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Keys:
    """A pair of Ed25519 keys, PEM."""

    private_pem: str
    public_pem: str


@cache
def keys(name: str = "ours") -> Keys:
    """The pair of that name, the same for the whole run."""
    del name
    private = Ed25519PrivateKey.generate()
    return Keys(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
    )


def verifier() -> Verifier:
    """Verifies tokens of ``keys()`` at ``NOW``."""
    return Verifier(keys().public_pem, now=lambda: NOW)
