"""What waits in an outbox, as tests look at it."""

import asyncpg

from shared import outbox
from shared.topics import Topic


async def waiting(pool: asyncpg.Pool, topic: Topic | None = None) -> list[bytes | None]:
    """The bodies of the messages that have not left, in order; of one topic, or of all."""
    rows = await pool.fetch("select packed from outbox order by id")
    return [
        value
        for row in rows
        for name, _, value, _ in outbox.unpack(row["packed"])
        if topic is None or name == topic.name
    ]
