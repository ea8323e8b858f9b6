"""Renewal: chunks of live emissions are said again long before Kafka forgets them.

``promo.codes.v1`` is kept for as long as sales may come in late, and no longer: chunks name customers, and those
who were erased since are named no more by what is said again. An evaluator that is set up anew still finds every code there.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
import structlog

from services.emission.chunks import Sayer
from services.emission.posting import SOURCE
from services.emission.store import renewal as store
from shared import clock, outbox

EVERY = timedelta(days=150)
"""Less than half as long as the topic keeps a chunk: one renewal may fail for months."""
LATE_SALES = timedelta(days=400)
"""A sale may be so old when it comes, and have a code that was valid then."""
_CHUNKS_PER_TRANSACTION = 20

log = structlog.get_logger()


@dataclass(frozen=True)
class Renewal:
    """Looks for emissions to renew every ``interval_seconds``."""

    pool: asyncpg.Pool
    sayer: Sayer
    now: Callable[[], datetime] = clock.now
    interval_seconds: float = 60.0

    async def run(self) -> None:
        """Renew until cancelled."""
        while True:
            if not await self.renew_some():
                await asyncio.sleep(self.interval_seconds)

    async def renew_some(self) -> bool:
        """Say some chunks of one emission again in one transaction; False if there is none to be renewed."""
        now = self.now()
        async with self.pool.acquire() as connection, connection.transaction():
            due = await store.next_due(connection, self.sayer.cipher, now - EVERY, now - LATE_SALES)
            if due is None:
                return False
            row, done = due
            last = min(done + _CHUNKS_PER_TRANSACTION, row.posted_chunks + row.requested_chunks)
            numbers = range(done + 1, last + 1)
            messages = await self.sayer.again(
                connection, row, numbers, f"renewed:{now.date()}", now - LATE_SALES
            )
            await outbox.put(connection, messages, SOURCE, now)
            is_whole = last == row.posted_chunks + row.requested_chunks
            await store.advance(connection, row.number, last, now if is_whole else None)
        if is_whole:
            log.info("emission renewed", emission_id=row.asked.emission_id, chunks=last)
        return True
