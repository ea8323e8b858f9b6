"""What tests of the ends of periods share: the evaluator's tables, what is in them, what comes of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka.structs import ConsumerRecord

import services.evaluator
from services.evaluator import checkout, reference
from services.evaluator.closing import Closing
from services.evaluator.purchases import paid_receipt
from services.evaluator.store import purchases as purchase_store
from shared import clock, database
from shared.codec import decode, encode
from shared.events.conditions import PurchaseCount
from shared.events.outcome import BonusEntry
from shared.events.promotion import Campaign
from shared.migrate import migrate
from shared.topics import BONUSES, CAMPAIGNS, SALES
from tests.builders import bonuses, campaign, compare, instrument, sale, sold_line
from tests.integration.outgoing import waiting

DAY = timedelta(days=1)
TWO = PurchaseCount(compare=compare(2))


@asynccontextmanager
async def open_evaluator(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """The evaluator's tables, with one store; the sales have been read until now."""
    async with await database.pool(dsn) as pool:
        async with pool.acquire() as connection:
            await migrate(connection, [Path(services.evaluator.__file__).parent / "migrations"])
        await pool.execute("insert into stores values ('store-1', 'West', 'EUR', 'UTC')")
        await sales_read(pool, clock.now() + DAY)
        yield pool


async def sales_read(pool: asyncpg.Pool, read_until: datetime) -> None:
    await pool.execute(
        "insert into offsets (consumer, topic, partition, next, cluster_id, read_until)"
        " select $1, $2, n, 0, 'test', $4 from generate_series(0, $3 - 1) as n"
        " on conflict (consumer, topic, partition) do update set read_until = $4",
        checkout.CONSUMER,
        SALES.name,
        SALES.partitions,
        read_until,
    )


_NOW = clock.now()


def midnight(days_ago: int) -> datetime:
    """So many days before yesterday began: the same instants throughout, and all is over."""
    return _NOW.replace(hour=0, minute=0, second=0, microsecond=0) - (1 + days_ago) * DAY


def twice(**values: Any) -> Campaign:
    """Two purchases in a campaign of twenty days that ended when yesterday began: 50 points."""
    of_campaign: dict[str, Any] = {
        "starts_at": midnight(20),
        "ends_at": midnight(0),
        "time_zone": "UTC",
    }
    for field in ("starts_at", "ends_at", "status"):
        if field in values:
            of_campaign[field] = values.pop(field)
    one: dict[str, Any] = {"trigger": "on_period_end", "conditions": [TWO]}
    one |= {"benefit": bonuses(fixed=50)} | values
    return campaign(instruments=[instrument(**one)], **of_campaign)


async def publish(pool: asyncpg.Pool, state: Campaign, offset: int, at: datetime) -> None:
    """The state arrives as the evaluator reads it from the topic."""
    stamp = int(at.timestamp() * 1000)
    body = encode(state)
    record = ConsumerRecord(CAMPAIGNS.name, 0, offset, stamp, 0, b"k", body, None, 0, 0, ())
    async with pool.acquire() as connection, connection.transaction():
        assert await reference.apply(connection, [record]) == []


async def bought(pool: asyncpg.Pool, customer: str, *times: datetime) -> None:
    paid = [
        paid_receipt(sale([sold_line()], customer_id=customer, occurred_at=at, receipt_id=name))
        for at in times
        for name in [f"{customer}-{at.isoformat()}".replace("+", "_")]
    ]
    async with pool.acquire() as connection:
        await purchase_store.save(connection, paid)


async def close_all(pool: asyncpg.Pool, **options: Any) -> None:
    closing = Closing(pool, **options)
    while await closing.close_some():
        pass


async def points(pool: asyncpg.Pool) -> dict[str, int]:
    """What customers have, by the ledger; its entries balance and are all published, once each."""
    rows = await pool.fetch("select entry_id, account, points from bonus_entries")
    assert sum(row["points"] for row in rows) == 0
    published = [decode(BonusEntry, body or b"") for body in await waiting(pool, BONUSES)]
    given = [row for row in rows if row["account"].startswith("customer/")]
    assert sorted(e.entry_id for e in published) == sorted(row["entry_id"] for row in given)
    found: dict[str, int] = {}
    for row in given:
        customer = row["account"].removeprefix("customer/")
        found[customer] = found.get(customer, 0) + row["points"]
    return found
