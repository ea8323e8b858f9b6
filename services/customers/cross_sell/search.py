"""Looking for groups that are bought together: nightly, for the first time as soon as there are enough receipts, and when asked."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import structlog

from services.customers.cross_sell import store
from services.customers.cross_sell.pairs import Baskets
from services.customers.cross_sell.store import Made
from services.customers.profile import unpack_kept
from shared import clock

NIGHTLY = "50 2 * * *"
DAYS = 90
MOST_RECEIPTS = 200_000
"""Of more, as many are looked at, chosen at random."""
_ENOUGH = 1_000

log = structlog.get_logger()


@dataclass(frozen=True)
class Search:
    """Looks for pairs of groups among the receipts of the last ``DAYS``."""

    pool: asyncpg.Pool

    async def begin(self) -> None:
        """Look for them if that has never been done, and there are enough receipts."""
        async with self.pool.acquire() as connection:
            if await store.made(connection) is not None:
                return
            enough = await store.there_are(connection, _ENOUGH)
        if enough:
            await self.renew()

    async def renew(self) -> None:
        """Look for them anew."""
        now = clock.now()
        since = now - timedelta(days=DAYS)
        baskets = Baskets()
        async with self.pool.acquire() as connection, connection.transaction():
            of_receipts = await store.count(connection, since)
            async for bodies in store.bodies(connection, since, of_receipts, MOST_RECEIPTS):
                # Beside the loop: what comes meanwhile is not to wait for it.
                await asyncio.to_thread(_add, baskets, bodies)
        found = await asyncio.to_thread(baskets.pairs)
        made = Made(now, since, baskets.receipts, max(of_receipts, baskets.receipts))
        async with self.pool.acquire() as connection, connection.transaction():
            await store.save(connection, made, baskets.of_groups(), found)
        log.info("related groups found", receipts=baskets.receipts, pairs=len(found))


def _add(baskets: Baskets, bodies: Sequence[bytes]) -> None:
    for body in bodies:
        baskets.add(sold.group for sold in unpack_kept(body).lines)
