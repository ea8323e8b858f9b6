"""An evaluator on a database of the test's own, without Kafka: streams are cut as the test says."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka.structs import ConsumerRecord

import services.evaluator
from services.evaluator import reference, vigilance
from services.evaluator.checkout import Checkout
from services.evaluator.facts import Gatherer
from services.evaluator.group_commit import GroupCommit
from services.evaluator.known import Known
from services.evaluator.quoting import Quotes
from services.evaluator.rulesets import Rulesets
from services.evaluator.vigilance import Vigilance
from shared import clock, database
from shared.codec import decode, encode
from shared.dead_letters import DeadLetter
from shared.events.checkout import Cart, Return, ReturnedLine, Sale
from shared.events.conditions import Condition
from shared.events.outcome import Decision
from shared.events.promotion import Instrument
from shared.events.reference import CodeChunk, Customer, SegmentChange, Store
from shared.events.values import Currency, Event
from shared.migrate import migrate
from shared.topics import CAMPAIGNS, CARTS, CODES, CUSTOMERS, DECISIONS, SALES, SEGMENTS, STORES
from tests.builders import CODE_KEY, campaign, cart, instrument, line, sale, sold_line
from tests.integration.outgoing import waiting

_EVENT = count()
NOW = clock.now().replace(microsecond=0)
TOPICS = {
    Cart: CARTS,
    Sale: SALES,
    Return: SALES,
    Store: STORES,
    Customer: CUSTOMERS,
    SegmentChange: SEGMENTS,
    CodeChunk: CODES,
}


@asynccontextmanager
async def evaluator(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """The evaluator's tables, with one store."""
    async with await database.pool(dsn) as pool:
        async with pool.acquire() as connection:
            await migrate(connection, [Path(services.evaluator.__file__).parent / "migrations"])
        await learn(
            pool,
            Store(
                store_id="store-1",
                name="One",
                region="West",
                time_zone="UTC",
                currency=Currency("EUR"),
            ),
        )
        yield pool


def record(topic: str, event: Event, number: int, event_id: str = "") -> ConsumerRecord:
    """An event as the broker has it."""
    headers = (("ce_id", (event_id or f"event-{next(_EVENT)}").encode()),)
    return ConsumerRecord(topic, 0, number, number, 0, b"k", encode(event), None, 0, 0, headers)


async def learn(pool: asyncpg.Pool, *events: Event) -> Sequence[DeadLetter]:
    """The evaluator reads reference data."""
    records = [record(TOPICS[type(event)].name, event, n) for n, event in enumerate(events)]
    async with pool.acquire() as connection, connection.transaction():
        return await reference.apply(connection, records)


async def promise(pool: asyncpg.Pool, *conditions: Condition, **values: Any) -> None:
    """10% off for who meets the conditions."""
    await run(pool, [instrument(conditions=conditions)], **values)


async def run(pool: asyncpg.Pool, instruments: Sequence[Instrument], **values: Any) -> None:
    """A campaign of the last and next two months."""
    month = timedelta(days=60)
    running = campaign(
        instruments=instruments,
        **{"starts_at": NOW - month, "ends_at": NOW + month, "time_zone": "UTC", **values},
    )
    async with pool.acquire() as connection, connection.transaction():
        assert await reference.apply(connection, [record(CAMPAIGNS.name, running, 1)]) == []


class Stream:
    """Tills' events in the order in which the broker gets them."""

    def __init__(self, *events: Cart | Sale | Return) -> None:
        self.records = [
            record(TOPICS[type(event)].name, event, n) for n, event in enumerate(events)
        ]

    async def into(self, pool: asyncpg.Pool, size: int | None = None) -> list[DeadLetter]:
        """Apply it in batches of this size, by an evaluator that was started for it."""
        evaluator = Checkout(Gatherer(Rulesets(), CODE_KEY, timedelta(minutes=15)))
        size = size or len(self.records)
        dead: list[DeadLetter] = []
        for start in range(0, len(self.records), size):
            async with pool.acquire() as connection, connection.transaction():
                batch = self.records[start : start + size]
                dead += await evaluator.apply(connection, batch)
        return dead


async def quotes_of(pool: asyncpg.Pool, *, answered: bool = True) -> Quotes:
    """Quotes by an evaluator that was just started, and has been ``answered`` by PostgreSQL once."""
    known = Known(pool, Rulesets())
    if answered:
        await known.refresh()
    watch = Vigilance(known.tallies, GroupCommit(pool, vigilance.save))
    return Quotes(known, watch, CODE_KEY, timedelta(minutes=15))


def days_ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def bought(number: int, at: datetime, *, amount: int = 1_000, **values: Any) -> Sale:
    """A receipt of C1, one line of two pieces."""
    sold = sold_line(quantity=2_000, amount=amount)
    defaults = {"receipt_id": f"bought-{number}", "customer_id": "C1"}
    return sale([sold], occurred_at=at, **{**defaults, **values})


def asks(number: int = 1, **values: Any) -> Cart:
    """A cart of C1, now, of 10.00."""
    defaults = {"receipt_id": f"cart-{number}", "customer_id": "C1", "occurred_at": NOW}
    return cart([line()], **{**defaults, **values})


def returns(number: int, quantity: int = 2_000, **values: Any) -> Return:
    """A line of a receipt comes back, in another store's terms: at another terminal."""
    fields: dict[str, Any] = {
        "intent": "return",
        "receipt_id": f"bought-{number}",
        "store_id": "store-1",
        "terminal_id": "desk",
        "occurred_at": NOW,
        "lines": (ReturnedLine(line=1, quantity=quantity),),
    }
    return Return.model_validate({**fields, **values})


async def discounts(pool: asyncpg.Pool) -> dict[str, int]:
    """What each cart was given, by receipt; its last decision counts."""
    bodies = await waiting(pool, DECISIONS)
    decisions = [decode(Decision, body or b"", ignore_unknown=True) for body in bodies]
    return {decision.receipt_id: decision.discount for decision in decisions}


async def returned(pool: asyncpg.Pool) -> list[tuple[str, int, int, int]]:
    """What came back: receipt, line, quantity, refund."""
    rows = await pool.fetch(
        "select receipt_id, line, quantity, refund from returned_lines order by 1, 2"
    )
    return [tuple(row.values()) for row in rows]
