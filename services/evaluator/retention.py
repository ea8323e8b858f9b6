"""Forgets receipts that may no longer be returned, and what was decided then, a few at a time."""

import asyncio
from dataclasses import dataclass

import asyncpg

from services.evaluator.purchases import forgotten_before
from services.evaluator.store import idempotency, ledger
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
        """Forget the oldest receipts and events that are too old; how many there were of the more."""
        async with self.pool.acquire() as connection, connection.transaction():
            now = await ledger.now(connection)
            before = forgotten_before(now)
            return max(
                await idempotency.forget(connection, now, _MOST),
                await purchase_store.forget(connection, before, _MOST),
                await ledger.forget_applied(connection, before, _MOST),
            )
