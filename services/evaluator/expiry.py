"""Frees holds that are over, once the sales have been read past their end; forgets old uses.

Lag must never take a slot from a punctual sale: a sale that the broker had before the hold's end is
applied before the hold is freed.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from msgspec.structs import replace

from services.evaluator import checkout, metrics, outgoing, receipt, redemption
from services.evaluator.facts import demand
from services.evaluator.receipt import Receipt
from services.evaluator.redemption import Redemption
from services.evaluator.store import accounts as account_store
from services.evaluator.store import ledger
from services.evaluator.store import limits as limit_store
from shared import outbox
from shared.database import Connection
from shared.outbox import Message

_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Expiry:
    """Looks for holds that are over every ``interval_seconds``."""

    pool: asyncpg.Pool
    interval_seconds: float = 1.0

    async def run(self) -> None:
        """Free holds until cancelled."""
        while True:
            freed, forgotten = await self.free_some(), await self.forget_some()
            if max(freed, await self.free_points(), forgotten) < _MOST:
                await asyncio.sleep(self.interval_seconds)

    async def free_some(self) -> int:
        """Free the oldest holds that are over; returns how many receipts had some."""
        async with self.pool.acquire() as connection, connection.transaction():
            until = await checkout.sales_read_until(connection)
            if until is None:
                return 0
            receipt_ids = await ledger.expired_receipts(connection, until, _MOST)
            if receipt_ids:
                await _free(connection, receipt_ids, until)
            return len(receipt_ids)

    async def free_points(self) -> int:
        """Free the oldest points whose hold is over; returns of how many receipts."""
        async with self.pool.acquire() as connection, connection.transaction():
            until = await checkout.sales_read_until(connection)
            if until is None:
                return 0
            receipt_ids = await account_store.held_over(connection, until, _MOST)
            if receipt_ids:
                await ledger.receipts(connection, receipt_ids)  # their rows lock the payments
                now = await ledger.now(connection)
                accounts = await account_store.lock_accounts(
                    connection, (), now, receipt_ids=receipt_ids
                )
                for payment in list(accounts.payments.values()):
                    if payment.expires_at is not None and payment.expires_at < until:
                        accounts.release(payment.receipt_id, "expired")
                await account_store.save_accounts(connection, accounts)
                messages = outgoing.movement_messages(accounts.movements)
                await outbox.put(connection, messages, outgoing.SOURCE, now)
            return len(receipt_ids)

    async def forget_some(self) -> int:
        """Remove the oldest uses that no rolling limit counts any more; returns how many."""
        async with self.pool.acquire() as connection:
            now = await ledger.now(connection)
            return await limit_store.forget_uses(connection, now, _MOST)


async def _free(connection: Connection, receipt_ids: list[str], until: datetime) -> None:
    now = await ledger.now(connection)
    # Locked in the order that the checkout locks: receipts, then limits.
    found, _ = await ledger.receipts(connection, receipt_ids)
    over = [known for known in found.values() if _is_over(known, until)]
    if not over:
        return
    limits = demand(over, ())
    counters = await limit_store.lock_limits(connection, limits.caps, limits.windows)
    freed: list[tuple[str, Redemption]] = []
    messages: list[Message] = []
    for known in over:
        after = receipt.expire(known, counters)
        history = redemption.noted(known.redemptions, after.redemptions, now, None)
        after = replace(after, redemptions=history)
        moved = outgoing.changed(known, after)
        freed += [(known.receipt_id, one) for one in moved]
        if known.decision is not None:
            messages += outgoing.redemption_messages(known.decision, moved, now)
    await ledger.save_redemptions(connection, freed, now)
    await limit_store.save_limits(connection, counters)
    await outbox.put(connection, messages, outgoing.SOURCE, now)
    metrics.count_redemptions(one for _, one in freed)


def _is_over(known: Receipt, until: datetime) -> bool:
    """A revision may have held its slots anew since they were found."""
    holds = [r.expires_at for r in known.redemptions.values() if r.status == "held"]
    return bool(holds) and all(end is not None and end < until for end in holds)
