"""Erases customers who are to be forgotten, one after another: each in one transaction, with its report.

What was on its way when it was asked is waited for, so that it is erased with the rest.
"""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import asyncpg
import structlog

from services.evaluator import checkout, outgoing
from services.evaluator.erasure import AGES_OUT
from services.evaluator.store import accounts as account_store
from services.evaluator.store import blocks as block_store
from services.evaluator.store import erasure as erasure_store
from services.evaluator.store import ledger
from services.evaluator.store.erasure import Asked, Tally
from shared import outbox
from shared.database import Connection
from shared.events.customers import Erased
from shared.events.reference import NOBODY
from shared.outbox import Message
from shared.topics import ERASED

_REWARD = re.compile(r"p-[0-9a-f]{24}")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Erasing:
    """Looks for customers to be forgotten every ``interval_seconds``."""

    pool: asyncpg.Pool
    interval_seconds: float = 1.0

    async def run(self) -> None:
        """Erase until cancelled."""
        while True:
            if not await self.erase_one():
                await asyncio.sleep(self.interval_seconds)

    async def erase_one(self) -> bool:
        """Erase the customer who was asked for first, if all that came before is read; whether there was one."""
        async with self.pool.acquire() as connection:
            try:
                async with connection.transaction():
                    until = await checkout.read_until(connection)
                    asked = await erasure_store.due(connection, until) if until else None
                    if asked is not None:
                        await erase(connection, asked)
                    return asked is not None
            except asyncpg.DeadlockDetectedError:
                # Somebody had what this waited for, and waited: the next time it is free.
                log.info("erasure put off")
                return False


async def erase(connection: Connection, asked: Asked) -> None:
    """Erase all that the ledger has under the customer's id, in the caller's transaction, and report it."""
    customer_id, name, tally = asked.customer_id, f"erased-{uuid4().hex}", Tally()
    began = await ledger.now(connection)
    was_blocked = await erasure_store.erase_what_is_known(connection, customer_id, tally)
    await erasure_store.erase_events(connection, customer_id, began, tally)
    limit_ids = await erasure_store.limits_of(connection, customer_id)
    redemptions = await erasure_store.taking(connection, limit_ids)
    answered = await erasure_store.answered(connection, customer_id)
    await erasure_store.stop_deciding(connection)
    if was_blocked:
        await block_store.changed(connection)
    now = await ledger.now(connection)
    recent = await erasure_store.erase_recent_events(connection, customer_id, now, tally)
    await erasure_store.erase_limits(connection, customer_id, name, redemptions, recent, tally)
    await erasure_store.erase_rewards(connection, customer_id, name, tally)
    await erasure_store.erase_purchases(connection, customer_id, tally)
    await _erase_points(connection, customer_id, now, tally)
    await erasure_store.erase_answers(connection, customer_id, answered, began, tally)
    await erasure_store.done(connection, asked.erasure_id, now)
    report = Erased(
        erasure_id=asked.erasure_id,
        service="evaluator",
        tables=tally.tables,
        ages_out=AGES_OUT,
        erased_at=now,
    )
    key, event_id = asked.erasure_id.encode(), f"{asked.erasure_id}/evaluator"
    await outbox.put(connection, [Message(ERASED, key, report, event_id)], outgoing.SOURCE, now)


async def _erase_points(
    connection: Connection, customer_id: str, now: datetime, tally: Tally
) -> None:
    """Points that nobody can pay with any more go back to their campaigns."""
    named = await erasure_store.entries_named_after(connection, customer_id)
    await erasure_store.erase_points(connection, customer_id, _new_names(named), tally)
    accounts = await account_store.lock_accounts(connection, [NOBODY], now)
    accounts.forfeit(NOBODY)
    await account_store.save_accounts(connection, accounts)
    movements = outgoing.movement_messages(accounts.movements)
    await outbox.put(connection, movements, outgoing.SOURCE, now)


def _new_names(named: Iterable[str]) -> dict[str, str]:
    """New names for what was named after a customer; what belongs together stays so."""
    rewards: dict[str, str] = {}
    return {
        one: _REWARD.sub(lambda found: rewards.setdefault(found[0], f"p-{uuid4().hex[:24]}"), one)
        for one in named
    }
