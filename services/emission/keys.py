"""API keys: ``ts_<id>_<secret>``. Only a digest of the secret is kept. Pure."""

import hmac
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated

from pydantic import Field

from shared.events.values import Event, Text
from shared.web.auth import Scope

SECRET_BYTES = 32
ID_BYTES = 6
_KEY = re.compile(r"ts_([A-Za-z0-9-]{1,40})_([A-Za-z0-9_-]{16,200})")
# What an operator may have chosen for the bootstrap key: a secret without an id.
_BARE = re.compile(r"ts_([A-Za-z0-9_-]{32,200})")


class NewKey(Event):
    """A key to be made: for whom and for what."""

    name: Text
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=20)]


class KeyExchange(Event):
    """A key to be exchanged for a token."""

    api_key: Annotated[str, Field(min_length=1, max_length=300)]


@dataclass(frozen=True)
class ApiKey:
    """A key as its holder has it; the secret is never logged."""

    key_id: str
    secret: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "ApiKey | None":
        """The key in ``text``, or None when it has not the form of one."""
        match = _KEY.fullmatch(text)
        if match:
            return cls(match[1], match[2])
        bare = _BARE.fullmatch(text)
        return cls(f"bare-{sha256(bare[1].encode()).hexdigest()[:12]}", bare[1]) if bare else None

    @property
    def text(self) -> str:
        """A key of ours as it is shown, once."""
        return f"ts_{self.key_id}_{self.secret}"

    @property
    def digest(self) -> bytes:
        """What is stored of the secret."""
        return sha256(self.secret.encode()).digest()

    def matches(self, stored: bytes | None) -> bool:
        """Whether ``stored`` is this secret's digest, in a time that says nothing about it."""
        return hmac.compare_digest(self.digest, stored or bytes(32))
