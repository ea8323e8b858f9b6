"""API keys: digests of their secrets and what they may do."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from services.emission.keys import ApiKey
from shared.database import Connection
from shared.web.auth import SCOPES, Scope


@dataclass(frozen=True)
class KeyRow:
    """A key as it is kept: without its secret."""

    key_id: str
    name: str
    scopes: tuple[Scope, ...]
    revoked: bool


async def add_key(connection: Connection, key: ApiKey, name: str, scopes: Sequence[Scope]) -> None:
    """Keep a new key."""
    await connection.execute(
        "insert into api_keys (key_id, name, secret_sha256, scopes) values ($1, $2, $3, $4)",
        key.key_id,
        name,
        key.digest,
        list(scopes),
    )


async def ensure_bootstrap_key(connection: Connection, key: ApiKey) -> None:
    """The environment's key has all scopes, and earlier ones of the environment have ended."""
    await connection.execute(
        "update api_keys set revoked_at = coalesce(revoked_at, now()) where bootstrap and key_id <> $1",
        key.key_id,
    )
    await connection.execute(
        """
        insert into api_keys (key_id, name, secret_sha256, scopes, bootstrap)
        values ($1, 'bootstrap', $2, $3, true)
        on conflict (key_id) do update set secret_sha256 = excluded.secret_sha256,
            scopes = excluded.scopes, bootstrap = true, revoked_at = null
        """,
        key.key_id,
        key.digest,
        sorted(SCOPES),
    )


async def secret_of(connection: Connection, key_id: str) -> tuple[bytes, KeyRow] | None:
    """The digest of the key's secret, and the key; None if there is none or it was revoked."""
    row = await connection.fetchrow(
        "select * from api_keys where key_id = $1 and revoked_at is null", key_id
    )
    return None if row is None else (row["secret_sha256"], _key(row))


async def keys(connection: Connection, after: str, limit: int) -> list[KeyRow]:
    """Keys by id, from the first after ``after``."""
    rows = await connection.fetch(
        "select * from api_keys where key_id > $1 order by key_id limit $2", after, limit
    )
    return [_key(row) for row in rows]


async def revoke_key(connection: Connection, key_id: str) -> bool:
    """End the key; False if there is none."""
    found = await connection.fetchval(
        "update api_keys set revoked_at = coalesce(revoked_at, now()) where key_id = $1 returning true",
        key_id,
    )
    return bool(found)


def _key(row: asyncpg.Record) -> KeyRow:
    return KeyRow(row["key_id"], row["name"], tuple(row["scopes"]), row["revoked_at"] is not None)
