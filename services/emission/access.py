"""API keys and the tokens that they are exchanged for."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from services.emission.keys import ID_BYTES, SECRET_BYTES, ApiKey, KeyExchange, NewKey
from services.emission.store import changes
from services.emission.store import keys as store
from services.emission.store.changes import Change
from services.emission.views import KeyMade, Token
from shared import clock
from shared.web.auth import LIFETIME, sign, unauthenticated
from shared.web.problems import FieldMessage


@dataclass
class Access:
    """Makes, ends and exchanges keys; ``signing_key`` is the Ed25519 private key (PEM)."""

    pool: asyncpg.Pool
    signing_key: str = field(repr=False)
    now: Callable[[], datetime] = clock.now

    async def make(self, new: NewKey, actor: str) -> KeyMade:
        """A new key; nobody can read its secret again."""
        key = ApiKey(secrets.token_hex(ID_BYTES), secrets.token_urlsafe(SECRET_BYTES))
        scopes = sorted(set(new.scopes))
        body = {"name": new.name, "scopes": scopes}
        async with self.pool.acquire() as connection, connection.transaction():
            await store.add_key(connection, key, new.name, scopes)
            change = Change(actor, "created", "key", key.key_id, body)
            await changes.record(connection, change, self.now())
        return KeyMade(key_id=key.key_id, api_key=key.text, name=new.name, scopes=scopes)

    async def revoke(self, key_id: str, actor: str) -> bool:
        """End a key; False if there is none."""
        async with self.pool.acquire() as connection, connection.transaction():
            if not await store.revoke_key(connection, key_id):
                return False
            change = Change(actor, "revoked", "key", key_id)
            await changes.record(connection, change, self.now())
            return True

    async def exchange(self, given: KeyExchange) -> Token:
        """A token for a key, valid for an hour even if the key is revoked meanwhile.

        Raises ``Problem`` (401), the same whatever is wrong with the key.
        """
        key = ApiKey.parse(given.api_key)
        stored = None
        if key is not None:
            async with self.pool.acquire() as connection:
                stored = await store.secret_of(connection, key.key_id)
        if key is None or not key.matches(stored[0] if stored else None) or stored is None:
            fault = FieldMessage(field="api_key", message="not a valid key")
            raise unauthenticated("api_key: not a valid key", [fault])
        now = self.now()
        row = stored[1]
        token = sign(self.signing_key, f"key:{row.key_id}", row.scopes, LIFETIME, now)
        return Token(token=token, expires_at=now + LIFETIME, scopes=list(row.scopes))
