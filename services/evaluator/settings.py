"""The evaluator's settings, from the environment."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """``code_key`` (hex) is the key of the codes' digests; emission has the same one.

    ``hold_seconds`` is how long a checkout holds its slots, ``batch_records`` how many carts and
    sales one transaction takes at most. ``regions_mmdb`` is a database of IP addresses (MaxMind's format).
    """

    code_key: SecretStr
    hold_seconds: int = Field(default=900, ge=1, le=86_400)
    batch_records: int = Field(default=1_000, ge=1, le=100_000)
    regions_mmdb: Path | None = None

    @property
    def digest_key(self) -> bytes:
        """The key of the codes' digests."""
        return bytes.fromhex(self.code_key.get_secret_value())

    @property
    def hold(self) -> timedelta:
        """How long a checkout holds its slots."""
        return timedelta(seconds=self.hold_seconds)
