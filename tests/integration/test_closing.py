"""Ends of periods on the real PostgreSQL: once, after kill -9, after downtime, with late sales."""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

import services.evaluator
from deploy.local.stack import Stack
from services.evaluator import checkout, reference
from services.evaluator.checkout import Checkout
from services.evaluator.closing import Closing
from services.evaluator.facts import Gatherer
from services.evaluator.promotion.period_end import GRACE
from services.evaluator.purchases import paid_receipt
from services.evaluator.rulesets import Rulesets
from services.evaluator.store import purchases as purchase_store
from shared import clock, database
from shared.codec import decode, encode
from shared.events.conditions import PurchaseCount
from shared.events.outcome import BonusEntry
from shared.events.promotion import Campaign, Consecutive, LimitRule, Repeat
from shared.migrate import migrate
from shared.topics import BONUSES, CAMPAIGNS, SALES
from tests.builders import (
    CODE_KEY,
    bonuses,
    campaign,
    compare,
    instrument,
    sale,
    sold_line,
)
from tests.integration import emission, shop
from tests.integration.shop import a_cart, open_tills
from tests.waiting import until

DAY = timedelta(days=1)
CLOCKS_DIFFER = timedelta(seconds=5)
SECOND = timedelta(seconds=1)
TWO = PurchaseCount(compare=compare(2))


@pytest.fixture
async def evaluator(dsn: str) -> AsyncIterator[asyncpg.Pool]:
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
    published = [
        decode(BonusEntry, row["value"])
        for row in await pool.fetch("select value from outbox where topic = $1", BONUSES.name)
    ]
    given = [row for row in rows if row["account"].startswith("customer/")]
    assert sorted(e.entry_id for e in published) == sorted(row["entry_id"] for row in given)
    found: dict[str, int] = {}
    for row in given:
        customer = row["account"].removeprefix("customer/")
        found[customer] = found.get(customer, 0) + row["points"]
    return found


async def test_who_has_earned_it_gets_it_once_at_the_end_of_the_period(
    evaluator: asyncpg.Pool,
) -> None:
    await publish(evaluator, twice(), 0, midnight(21))
    await bought(evaluator, "c-1", midnight(5), midnight(4))
    await bought(evaluator, "c-2", midnight(5))
    await bought(evaluator, "c-3", midnight(30), midnight(5), midnight(0))  # two outside of it
    await close_all(evaluator)
    await close_all(evaluator)
    assert await points(evaluator) == {"c-1": 50}
    entry = decode(BonusEntry, await evaluator.fetchval("select value from outbox"))
    assert (entry.period_start, entry.period_end) == (midnight(20), midnight(0))
    assert (entry.receipt_id, entry.occurred_at) == (None, midnight(0))


@pytest.mark.parametrize(("missing", "given"), [(timedelta(), {"c-1": 50}), (SECOND, {})])
async def test_a_period_waits_until_its_sales_have_been_read(
    evaluator: asyncpg.Pool, missing: timedelta, given: dict[str, int]
) -> None:
    await publish(evaluator, twice(), 0, midnight(21))
    await bought(evaluator, "c-1", midnight(5), midnight(4))
    await sales_read(evaluator, midnight(0) + GRACE + CLOCKS_DIFFER - missing)
    await close_all(evaluator)
    assert await points(evaluator) == given


async def test_a_period_that_has_not_ended_gives_nothing(evaluator: asyncpg.Pool) -> None:
    await publish(evaluator, twice(ends_at=midnight(-3)), 0, midnight(21))
    await bought(evaluator, "c-1", midnight(5), midnight(4))
    await close_all(evaluator)
    assert await points(evaluator) == {}


async def test_after_downtime_every_period_that_ended_is_closed(evaluator: asyncpg.Pool) -> None:
    """Four of five days: nobody was there when they ended."""
    await publish(evaluator, twice(processing_period=Consecutive(days=5)), 0, midnight(21))
    await bought(evaluator, "c-1", *[midnight(20) + n * DAY for n in range(5)])
    await bought(evaluator, "c-1", *[midnight(5) + n * DAY for n in range(5)])
    await bought(evaluator, "c-2", midnight(16), midnight(15))  # one in each
    await close_all(evaluator)
    assert await points(evaluator) == {"c-1": 100}


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


async def test_of_two_evaluators_one_closes_at_a_time(evaluator: asyncpg.Pool) -> None:
    everybody = {f"c-{n:02}": 50 for n in range(60)}
    for customer in everybody:
        await bought(evaluator, customer, midnight(5), midnight(4))
    await publish(evaluator, twice(), 0, midnight(21))

    async def close(closing: Closing) -> None:
        for _ in range(40):
            await closing.close_some()

    await asyncio.gather(*(close(Closing(evaluator, page=4)) for _ in range(3)))
    await close_all(evaluator)
    assert await points(evaluator) == everybody


async def sell_late(pool: asyncpg.Pool, customer: str, at: datetime, number: int = 0) -> None:
    """A sale that the tills held back, through the checkout."""
    receipt_id = f"late-{customer}-{number}"
    late = sale([sold_line()], customer_id=customer, occurred_at=at, receipt_id=receipt_id)
    headers = (("ce_id", receipt_id.encode()),)
    record = ConsumerRecord(SALES.name, 0, 0, 0, 0, b"k", encode(late), None, 0, 0, headers)
    gatherer = Gatherer(Rulesets(), CODE_KEY, timedelta(minutes=15))
    async with pool.acquire() as connection, connection.transaction():
        assert await Checkout(gatherer).apply(connection, [record]) == []


async def test_a_sale_that_comes_late_brings_what_is_missing_once(evaluator: asyncpg.Pool) -> None:
    await publish(evaluator, twice(repeat=Repeat()), 0, midnight(21))
    await bought(evaluator, "c-1", midnight(5), midnight(4))
    await bought(evaluator, "c-2", midnight(5))
    await close_all(evaluator)
    assert await points(evaluator) == {"c-1": 50}
    await sell_late(evaluator, "c-2", midnight(3))
    await sell_late(evaluator, "c-1", midnight(3))
    await close_all(evaluator)
    assert await points(evaluator) == {"c-1": 50, "c-2": 50}
    await sell_late(evaluator, "c-1", midnight(2), 1)
    await close_all(evaluator)
    await close_all(evaluator)
    assert await points(evaluator) == {"c-1": 100, "c-2": 50}


async def test_a_late_sale_of_a_period_that_is_still_to_be_closed_waits_for_it(
    evaluator: asyncpg.Pool,
) -> None:
    await publish(evaluator, twice(ends_at=midnight(-3)), 0, midnight(21))
    await bought(evaluator, "c-1", midnight(5))
    await sell_late(evaluator, "c-1", midnight(4))
    await close_all(evaluator)
    assert await points(evaluator) == {}
    await publish(evaluator, twice(ends_at=midnight(0)), 1, midnight(0))
    await close_all(evaluator)
    assert await points(evaluator) == {"c-1": 50}


async def test_a_late_sale_does_not_take_a_second_slot(evaluator: asyncpg.Pool) -> None:
    limits = (LimitRule(redemptions=1),)
    await publish(evaluator, twice(limits=limits, repeat=Repeat()), 0, midnight(21))
    await bought(evaluator, "c-1", midnight(5), midnight(4), midnight(3))
    await close_all(evaluator)
    await sell_late(evaluator, "c-1", midnight(2))
    await sell_late(evaluator, "c-2", midnight(2))
    await sell_late(evaluator, "c-2", midnight(1), 1)
    await close_all(evaluator)
    assert await points(evaluator) == {"c-1": 100}
    assert await evaluator.fetchval("select used from limits") == 1


async def test_a_return_after_closing_takes_nothing_back(evaluator: asyncpg.Pool) -> None:
    await publish(evaluator, twice(), 0, midnight(21))
    await bought(evaluator, "c-1", midnight(5), midnight(4))
    await close_all(evaluator)
    await evaluator.execute("update purchases set remaining = $1", msgspec.msgpack.encode([[]]))
    await sell_late(evaluator, "c-1", midnight(3))
    await close_all(evaluator)
    assert await points(evaluator) == {"c-1": 50}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (LimitRule(redemptions=3), ["c-0", "c-1", "c-2"]),
        (LimitRule(redemptions=1, per=("customer",)), [f"c-{n}" for n in range(6)]),
        (LimitRule(redemptions=4, per=("day",)), ["c-0", "c-1", "c-2", "c-3"]),
    ],
)
@pytest.mark.parametrize("page", [1, 2, 500])
async def test_slots_are_taken_in_the_order_of_customers_until_there_are_none(
    evaluator: asyncpg.Pool, rule: LimitRule, expected: Sequence[str], page: int
) -> None:
    for n in reversed(range(6)):
        await bought(evaluator, f"c-{n}", midnight(5), midnight(4))
    await publish(evaluator, twice(limits=(rule,)), 0, midnight(21))
    await close_all(evaluator, page=page)
    assert sorted(await points(evaluator)) == expected


@pytest.mark.parametrize("status", ["paused", "finished"])
@pytest.mark.parametrize(
    ("stopped", "given"),
    [(midnight(0), {"c-1": 50}), (midnight(0) - SECOND, {}), (midnight(-3), {"c-1": 50})],
)
async def test_a_stopped_campaign_owes_the_periods_that_ended_before(
    evaluator: asyncpg.Pool, status: Any, stopped: datetime, given: dict[str, int]
) -> None:
    await bought(evaluator, "c-1", midnight(5), midnight(4))
    await publish(evaluator, twice(), 0, midnight(21))
    await publish(evaluator, twice(status=status), 1, stopped)
    await close_all(evaluator)
    assert await points(evaluator) == given


async def test_a_period_that_ends_during_a_pause_waits_until_the_campaign_runs_again(
    evaluator: asyncpg.Pool,
) -> None:
    await bought(evaluator, "c-1", midnight(5), midnight(4))
    await publish(evaluator, twice(), 0, midnight(21))
    await publish(evaluator, twice(status="paused"), 1, midnight(2))
    # An edit during the pause does not make it a later one.
    await publish(evaluator, twice(status="paused", name="Edited"), 2, midnight(-3))
    closing = Closing(evaluator)
    assert not await closing.close_some()
    assert await points(evaluator) == {}
    await publish(evaluator, twice(), 3, midnight(-3))
    while await closing.close_some():
        pass
    assert await points(evaluator) == {"c-1": 50}


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
