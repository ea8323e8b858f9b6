"""Forgets customers: statistics know them by hashes, and another one, of nobody, takes the place of theirs.

It is done once the evaluator has, and what that had said of them before has been counted: else it would come back.
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
from aiokafka.structs import ConsumerRecord

from services.analytics import stream
from services.analytics.insight import erasure_store
from services.analytics.insight.folding import customer_of
from shared import outbox
from shared.codec import InvalidMessageError, decode
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.events.customers import Erased, Erasure
from shared.outbox import Message
from shared.topics import BY_NAME, DECISIONS, ERASED, ERASURES, RECEIPTS, RETURNS, dead_letter_name

CONSUMER = "analytics.erasures"
TOPICS = (ERASURES.name, ERASED.name)
SOURCE = "tillstream/analytics"
AGES_OUT = tuple(dead_letter_name(topic.name) for topic in (DECISIONS, RECEIPTS, RETURNS))
"""Topics of ours that may still hold the id until their retention ends: what could not be counted."""

_NAMING_CUSTOMERS = {topic.name: topic.partitions for topic in (RECEIPTS, RETURNS)}


async def apply(connection: Connection, records: Sequence[ConsumerRecord]) -> Sequence[DeadLetter]:
    """Note who is to be forgotten, and whom the evaluator has forgotten, in the caller's transaction."""
    asked, ready, dead = {}, {}, []
    for record in records:
        try:
            event = decode(BY_NAME[record.topic].event, record.value or b"", ignore_unknown=True)
        except InvalidMessageError as error:
            dead.append(DeadLetter(record, error.reason, str(error)))
            continue
        if isinstance(event, Erasure):
            asked[event.erasure_id] = customer_of(event.customer_id)
        elif isinstance(event, Erased) and event.service == "evaluator":
            ready[event.erasure_id] = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    await erasure_store.ask(connection, asked.items())
    await erasure_store.ready(connection, ready.items())
    return dead


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
        """Erase the customer who was asked for first, if all that names them is counted; whether there was one."""
        async with self.pool.acquire() as connection, connection.transaction():
            until = await erasure_store.read_until(connection, stream.CONSUMER, _NAMING_CUSTOMERS)
            found = await erasure_store.due(connection, until) if until else None
            if found is None:
                return False
            erasure_id, customer = found
            nobody = int.from_bytes(secrets.token_bytes(8), signed=True)
            tables = await erasure_store.erase(connection, customer, nobody)
            now = await erasure_store.done(connection, erasure_id)
            report = Erased(
                erasure_id=erasure_id,
                service="analytics",
                tables=tuple(tables),
                ages_out=AGES_OUT,
                erased_at=now,
            )
            key, event_id = erasure_id.encode(), f"{erasure_id}/analytics"
            await outbox.put(connection, [Message(ERASED, key, report, event_id)], SOURCE, now)
            return True
