"""Answers to requests that named an Idempotency-Key, kept for a day."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.database import Connection

KEPT = timedelta(hours=24)


class Kept(NamedTuple):
    """What a request was answered with; ``request_digest`` tells whether another one is the same."""

    key: bytes
    request_digest: bytes
    status: int
    body: bytes
    created_at: datetime


async def answers(connection: Connection, keys: Collection[bytes]) -> dict[bytes, Kept]:
    """What requests with these keys were answered with."""
    rows = await connection.fetch(
        "select key, request_digest, status, body, created_at from idempotency_keys"
        " where key = any($1) and created_at > clock_timestamp() - $2::interval",
        list(keys),
        KEPT,
    )
    return {row["key"]: Kept(*row) for row in rows}


async def save(connection: Connection, kept: Sequence[Kept]) -> None:
    """Keep answers. Raises ``asyncpg.UniqueViolationError`` if another evaluator was quicker."""
    await connection.execute(
        "delete from idempotency_keys where key = any($1)"
        " and created_at <= clock_timestamp() - $2::interval",
        [one.key for one in kept],
        KEPT,
    )
    await connection.copy_records_to_table("idempotency_keys", records=kept, columns=Kept._fields)


async def forget(connection: Connection, now: datetime, most: int) -> int:
    """Delete answers that are a day old; how many."""
    done: str = await connection.execute(
        "delete from idempotency_keys where key in"
        " (select key from idempotency_keys where created_at <= $1 limit $2)",
        now - KEPT,
        most,
    )
    return int(done.rsplit(maxsplit=1)[-1])
