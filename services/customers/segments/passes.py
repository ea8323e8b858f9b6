"""Going through all customers after a change, a portion at a time: it can be said how far that is, and a crash loses little.

Attention takes who buys something before those who are called.
"""

from dataclasses import dataclass

import asyncpg

from services.customers.feed.forgotten import hold_off_erasure
from services.customers.segments import pass_store
from shared import clock

PORTION = 4_000
"""Customers who are called at once; attention takes them in half a second: with fewer it would stand between two calls."""
_FEW = 2_000
"""Who is due may be so many when the next are called."""


@dataclass(frozen=True)
class Passes:
    """Calls customers, a portion at a time: attention looks at them. After a crash it goes on where it was."""

    pool: asyncpg.Pool

    async def go_on(self) -> None:
        """Call some more, unless enough are waiting."""
        now = clock.now()
        async with self.pool.acquire() as connection, connection.transaction():
            await hold_off_erasure(connection)
            found = await pass_store.open_pass(connection)
            if found is None or await pass_store.waiting(connection, now, _FEW) >= _FEW:
                return
            if found.started_at is None:
                await pass_store.begin(connection, found.pass_id, now)
            if not await pass_store.call(connection, found.pass_id, PORTION, now):
                await pass_store.finish(connection, found.pass_id, now)
