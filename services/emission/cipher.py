"""Codes at rest: encrypted a chunk at a time, each bound to its place, for export only."""

import secrets
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_KEY_BYTES = 32


@dataclass(frozen=True)
class CodeCipher:
    """AES-256-GCM; a ciphertext moved to another emission or chunk does not decrypt."""

    aead: AESGCM

    @classmethod
    def of(cls, key: str) -> "CodeCipher":
        """From 32 bytes in URL-safe base64 (a Fernet key is that); raises ``ValueError``."""
        raw = urlsafe_b64decode(key)
        if len(raw) != _KEY_BYTES:
            message = "the code cipher key must be 32 bytes in URL-safe base64"
            raise ValueError(message)
        return cls(AESGCM(raw))

    def encrypt(self, codes: Sequence[str], emission_id: str, chunk: int) -> bytes:
        """The codes of a chunk, encrypted."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self.aead.encrypt(
            nonce, "\n".join(codes).encode(), _place(emission_id, chunk)
        )

    def decrypt(self, ciphertext: bytes, emission_id: str, chunk: int) -> list[str]:
        """The codes of a chunk; raises ``cryptography.exceptions.InvalidTag`` for another's."""
        nonce, body = ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:]
        return self.aead.decrypt(nonce, body, _place(emission_id, chunk)).decode().split("\n")


def _place(emission_id: str, chunk: int) -> bytes:
    return f"{emission_id}:{chunk}".encode()
