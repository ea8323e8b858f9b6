"""Ends of periods: kill -9 at any point loses and repeats nothing; and over the real services."""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.stack import Stack
from services.evaluator.closing import Closing
from shared import clock
from shared.codec import decode
from shared.events.outcome import BonusEntry
from shared.events.promotion import LimitRule
from shared.topics import BONUSES
from tests.integration import emission, shop
from tests.integration.periods import (
    DAY,
    bought,
    close_all,
    midnight,
    open_evaluator,
    points,
    publish,
    twice,
)
from tests.integration.shop import a_cart, open_tills
from tests.waiting import until


@pytest.fixture
async def evaluator(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """The evaluator's tables, with one store; the sales have been read until now."""
    async with open_evaluator(dsn) as pool:
        yield pool


async def start_closing(dsn: str, page: int) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.closing_process",
        str(page),
        env={**os.environ, "TILLSTREAM_DATABASE": dsn},
    )


async def end_of(process: Process) -> None:
    process.kill()
    await process.wait()


@pytest.mark.parametrize("table", ["period_rewards", "outbox", "closings"])
async def test_everybody_gets_theirs_once_after_kill_9_within_a_page(
    evaluator: asyncpg.Pool, dsn: str, table: str
) -> None:
    """Killed as it waits for a table: each is written at another point of the transaction."""
    everybody = {f"c-{n:02}": 50 for n in range(20)}
    for customer in everybody:
        await bought(evaluator, customer, midnight(5), midnight(4))
    await publish(evaluator, twice(limits=(LimitRule(redemptions=100),)), 0, midnight(21))
    closing = Closing(evaluator, page=3)
    assert await closing.close_some()
    assert len(await points(evaluator)) == 3

    async def waits() -> bool:
        query = "select exists (select from pg_locks where relation = $1::regclass and not granted)"
        return bool(await evaluator.fetchval(query, table))

    async with evaluator.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(f"lock table {table} in exclusive mode")
        process = await start_closing(dsn, page=3)
        await until(waits, what=f"closing waits for {table}")
        await end_of(process)
        await transaction.rollback()
    again = await start_closing(dsn, page=3)

    async def is_closed() -> bool:
        return bool(await evaluator.fetchval("select closed from closings"))

    await until(is_closed, what="the period is closed")
    await end_of(again)
    assert await points(evaluator) == everybody
    assert await evaluator.fetchval("select used from limits") == len(everybody)


async def test_kill_9_at_any_time_loses_and_repeats_nothing(
    evaluator: asyncpg.Pool, dsn: str
) -> None:
    everybody = {f"c-{n:03}": 50 for n in range(300)}
    for customer in everybody:
        await bought(evaluator, customer, midnight(5), midnight(4))
    await publish(evaluator, twice(), 0, midnight(21))

    async def given() -> int:
        count: int = await evaluator.fetchval("select count(*) from period_rewards")
        return count

    kills = 0
    while (before := await given()) < len(everybody):
        process = await start_closing(dsn, page=2)

        async def goes_on(least: int = min(before + 70, len(everybody))) -> bool:
            return await given() >= least

        await until(goes_on, what="closing goes on")
        await end_of(process)
        kills += 1
    assert kills > 1
    await close_all(evaluator)
    assert await points(evaluator) == everybody


async def test_bonuses_of_a_period_arrive_over_the_real_services(stack: Stack) -> None:
    """Authored, sold, closed, published; the second sale comes when the period has been closed."""
    [store_id] = await shop.open_store(stack)
    plan = emission.instrument_of() | {
        "conditions": [{"kind": "purchase_count", "compare": {"value": 2}}],
        "benefit": {"kind": "bonuses", "percent": 1_000},
        "processing_period": {"kind": "calendar", "unit": "day"},
        "trigger": "on_period_end",
    }
    campaign_id = await shop.run_campaign(stack, [plan], stores=[store_id])
    customer = emission.new_id("c")
    ledger = await asyncpg.connect(stack.database("evaluator"))

    async def is_closed() -> bool:
        query = "select period_end from closings where campaign_id = $1 and closed"
        reached = await ledger.fetchval(query, campaign_id)
        return reached is not None and reached > clock.now() - DAY

    async def entries() -> list[Any]:
        return list(await bonus_entries(stack, customer))

    try:
        async with open_tills(stack) as tills:
            at = clock.now() - 3 * DAY
            values: dict[str, Any] = {"customer_id": customer, "occurred_at": at}
            await tills.buy(a_cart(store_id, 1_000, **values))
            await until(is_closed, within_s=60, what="all days that are over are closed")
            await tills.buy(a_cart(store_id, 2_000, **values))
            [entry] = await until(entries, what="the bonuses are published")
    finally:
        await ledger.close()
    assert (entry.points, entry.campaign_id, entry.receipt_id) == (300, campaign_id, None)
    assert entry.period_start <= at < entry.period_end
    assert entry.period_end - entry.period_start <= timedelta(hours=25)


async def bonus_entries(stack: Stack, customer: str) -> list[Any]:
    """The bonuses of a customer that are published so far."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka, auto_offset_reset="earliest")
    async with consumer:
        partitions = [TopicPartition(BONUSES.name, n) for n in range(BONUSES.partitions)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found = []
        for partition in partitions:
            while await consumer.position(partition) < ends[partition]:
                batch = await consumer.getmany(partition, timeout_ms=1_000)
                found += [r for r in batch.get(partition, ()) if r.key == customer.encode()]
    return [decode(BonusEntry, record.value) for record in found]
