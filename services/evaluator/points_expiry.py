"""Bonus points that were not spent in time expire: they go back to the campaign that gave them.

Whoever touches an account settles it; this looks for accounts that nobody touches, by the arbiter's
clock. A page of them is one transaction: points expire once, however many evaluators look.
"""

import asyncio
from dataclasses import dataclass

import asyncpg

from services.evaluator import outgoing
from services.evaluator.store import accounts as account_store
from services.evaluator.store import ledger
from shared import outbox

_PAGE = 500


@dataclass(frozen=True, slots=True)
class PointsExpiry:
    """Looks for lots that are over every ``interval_seconds``, ``page`` of them at once."""

    pool: asyncpg.Pool
    interval_seconds: float = 1.0
    page: int = _PAGE

    async def run(self) -> None:
        """Let points expire until cancelled."""
        while True:
            if not await self.expire_some():
                await asyncio.sleep(self.interval_seconds)

    async def expire_some(self) -> int:
        """Settle the accounts of the oldest lots that are over; returns how many accounts had some."""
        async with self.pool.acquire() as connection, connection.transaction():
            now = await ledger.now(connection)
            customers = await account_store.expiring(connection, now, self.page)
            if customers:
                accounts = await account_store.lock_accounts(connection, customers, now)
                await account_store.save_accounts(connection, accounts)
                messages = outgoing.movement_messages(accounts.movements)
                await outbox.put(connection, messages, outgoing.SOURCE, now)
            return len(customers)
