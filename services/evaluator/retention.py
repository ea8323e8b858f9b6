"""Forgets receipts that may no longer be returned, what was decided then, and old failed codes.

A few at a time.
"""

import asyncio
from dataclasses import dataclass

import asyncpg

from services.evaluator.purchases import forgotten_before
from services.evaluator.store import blocks as block_store
from services.evaluator.store import guessing as guessing_store
from services.evaluator.store import idempotency, ledger
from services.evaluator.store import leases as lease_store
from services.evaluator.store import purchases as purchase_store

_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Retention:
    """Looks for receipts to forget every ``interval_seconds``."""

    pool: asyncpg.Pool
    interval_seconds: float = 60.0

    async def run(self) -> None:
        """Forget until cancelled."""
        while True:
            if await self.forget_some() < _MOST:
                await asyncio.sleep(self.interval_seconds)

    async def forget_some(self) -> int:
        """Forget the oldest of what is too old; how much there was of what there was most of."""
        async with self.pool.acquire() as connection, connection.transaction():
            now = await ledger.now(connection)
            before = forgotten_before(now)
            return max(
                await idempotency.forget(connection, now, _MOST),
                await purchase_store.forget(connection, before, _MOST),
                await ledger.forget_applied(connection, before, _MOST),
                await guessing_store.forget(connection, now, _MOST),
                await lease_store.forget(connection, before, _MOST),
                await block_store.forget(connection, before, _MOST),
            )
