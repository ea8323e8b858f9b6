"""The rollup on its real path: Kafka, the consumer, PostgreSQL."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

import services.analytics
from deploy.local.stack import Stack
from services.analytics.app import rollup_consumer
from services.analytics.store import PLACES, Numbering
from services.analytics.stream import Stream
from shared.consumer import TransactionalConsumer
from shared.events.outcome import (
    Receipt,
    ReceiptRedemption,
    RecordedLine,
    Returned,
    ReturnedRedemption,
)
from shared.events.reference import Store
from shared.events.values import Currency, Event
from shared.migrate import migrate
from shared.outbox import NUMBER_HEADER, PRODUCER_HEADER, Relay
from shared.topics import CAMPAIGNS, RECEIPTS, RETURNS, STORES, Topic, terminal_key
from tests import builders
from tests.waiting import until

NOON = datetime(2026, 12, 10, 12, 0, tzinfo=UTC)
_MIGRATIONS = Path(services.analytics.__file__).parent / "migrations"


@pytest.fixture
async def tables(pool: asyncpg.Pool) -> asyncpg.Pool:
    """The pool of a database with the tables of analytics."""
    async with pool.acquire() as connection:
        await migrate(connection, [_MIGRATIONS])
    return pool


def receipt(store_id: str, number: int) -> Receipt:
    """Receipt ``number`` of 10.00 + number cents, one cent off; two a second, at four tills."""
    total = 1_000 + number
    return Receipt(
        receipt_id=f"receipt-{number}",
        store_id=store_id,
        terminal_id=f"till-{number % 4}",
        region="North",
        channel="till",
        device="till",
        occurred_at=NOON + timedelta(milliseconds=500 * number),
        recorded_at=NOON,
        currency=Currency("EUR"),
        total=total,
        discount=1,
        paid=total - 1,
        bonuses=2,
        lines=(RecordedLine(line=1, sku="a", quantity=1_000, amount=total, discount=1),),
        redemptions=(
            ReceiptRedemption(
                redemption_id=f"redemption-{number}",
                campaign_id="campaign-1",
                instrument_id=f"instrument-{number % 3}",
                status="committed",
                discount=1,
                bonuses=2,
            ),
        ),
    )


def returned(store_id: str, number: int) -> Returned:
    """All of receipt ``number`` comes back in another store an hour after it was sold."""
    sold = receipt(store_id, number)
    return Returned(
        return_id=f"return-{number}",
        receipt_id=sold.receipt_id,
        store_id=f"{store_id}-other",
        terminal_id=sold.terminal_id,
        sold_in=store_id,
        region=sold.region,
        device=sold.device,
        sold_at=sold.occurred_at,
        occurred_at=sold.occurred_at + timedelta(hours=1),
        recorded_at=NOON,
        currency=sold.currency,
        complete=True,
        refund=sold.paid,
        money=sold.paid,
        bonuses=0,
        bonuses_taken_back=sold.bonuses,
        lines=(),
        redemptions=tuple(
            ReturnedRedemption(
                redemption_id=redemption.redemption_id,
                campaign_id=redemption.campaign_id,
                instrument_id=redemption.instrument_id,
                status="returned",
                released=True,
                discount=redemption.discount,
                bonuses=redemption.bonuses,
            )
            for redemption in sold.redemptions
        ),
    )


async def send(
    producer: AIOKafkaProducer, relay: str, store_id: str, numbers: Sequence[int]
) -> None:
    """The receipts as the evaluator's relay sends them, in the order given."""
    for number in numbers:
        event = receipt(store_id, number)
        key = terminal_key(store_id, event.terminal_id)
        await send_numbered(producer, relay, RECEIPTS, key, event, number)
    await producer.flush()


async def send_returns(
    producer: AIOKafkaProducer, relay: str, store_id: str, numbers: Sequence[int]
) -> None:
    """The returns of those receipts, in the order given."""
    for number in numbers:
        event = returned(store_id, number)
        key = terminal_key(event.store_id, event.terminal_id)
        await send_numbered(producer, relay, RETURNS, key, event, number)
    await producer.flush()


async def send_numbered(
    producer: AIOKafkaProducer, relay: str, topic: Topic, key: bytes, event: Event, number: int
) -> None:
    """An event as a relay sends it; the caller flushes."""
    await producer.send(
        topic.name,
        event.model_dump_json().encode(),
        key=key,
        headers=[(PRODUCER_HEADER, relay.encode()), (NUMBER_HEADER, b"%d" % number)],
    )


def expected(count: int) -> tuple[int, ...]:
    """Receipts, total, discount, paid, bonuses of receipts 1 to ``count``."""
    total = 1_000 * count + count * (count + 1) // 2
    return (count, total, count, total - count, 2 * count)


async def totals(pool: asyncpg.Pool, store_id: str) -> tuple[int, ...]:
    row = await pool.fetchrow(
        "select sum(receipts)::bigint, sum(total)::bigint, sum(discount)::bigint,"
        " sum(paid)::bigint, sum(bonuses)::bigint from receipt_minutes where store_id = $1",
        store_id,
    )
    assert row is not None
    return tuple(value or 0 for value in row)


async def of_instruments(pool: asyncpg.Pool, store_id: str) -> tuple[int, ...]:
    row = await pool.fetchrow(
        "select sum(activations)::bigint, sum(discount)::bigint, sum(revenue)::bigint,"
        " sum(bonuses)::bigint from instrument_minutes where store_id = $1",
        store_id,
    )
    assert row is not None
    return tuple(value or 0 for value in row)


async def of_returns(pool: asyncpg.Pool, store_id: str) -> tuple[int, ...]:
    """Returns, what was refunded, activations returned, and what was taken back of them."""
    row = await pool.fetchrow(
        "select r.*, i.* from (select sum(returns)::bigint, sum(refunded)::bigint"
        " from return_minutes where store_id = $1) r, (select sum(returned)::bigint,"
        " sum(returned_discount)::bigint, sum(returned_bonuses)::bigint"
        " from take_back_minutes where store_id = $1) i",
        store_id,
    )
    assert row is not None
    return tuple(value or 0 for value in row)


async def counted(pool: asyncpg.Pool, store_id: str, count: int) -> None:
    """Wait until as many receipts of the store are counted."""

    async def enough() -> bool:
        return (await totals(pool, store_id))[0] >= count

    await until(enough, within_s=120, what=f"{count} receipts counted")


@asynccontextmanager
async def running(part: TransactionalConsumer | Relay) -> AsyncIterator[None]:
    task = asyncio.create_task(part.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def process(stack: Stack, dsn: str, name: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The consumer in a process of its own; killed at the end."""
    environment = {**os.environ, "TILLSTREAM_KAFKA": stack.kafka, "TILLSTREAM_DATABASE": dsn}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.rollup_process", name, env=environment
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


@pytest.mark.slow
async def test_totals_are_exact_after_the_process_was_killed_in_mid_stream(
    stack: Stack, dsn: str, tables: asyncpg.Pool, producer: AIOKafkaProducer
) -> None:
    store_id, relay, name = f"store-{uuid4()}", str(uuid4()), f"test-{uuid4()}"
    count = 20_000
    await send(producer, relay, store_id, range(1, count // 2 + 1))
    async with process(stack, dsn, name) as child:
        sending = asyncio.create_task(
            send(producer, relay, store_id, range(count // 2 + 1, count + 1))
        )
        await counted(tables, store_id, 1)
        child.kill()
        await child.wait()
        await sending
    assert (await totals(tables, store_id))[0] < count
    async with process(stack, dsn, name):
        await counted(tables, store_id, count)
    assert await totals(tables, store_id) == expected(count)
    receipts, _, discount, paid, bonuses = expected(count)
    assert await of_instruments(tables, store_id) == (receipts, discount, paid, bonuses)


async def test_what_the_relay_sends_twice_counts_once(
    stack: Stack, tables: asyncpg.Pool, producer: AIOKafkaProducer
) -> None:
    store_id, relay, name = f"store-{uuid4()}", str(uuid4()), f"test-{uuid4()}"
    await send(producer, relay, store_id, [*range(1, 101), *range(51, 101)])
    async with running(rollup_consumer(stack.kafka, tables, name)):
        await counted(tables, store_id, 100)
    # What comes twice after a restart is known from the database.
    await send(producer, relay, store_id, [*range(81, 101), 101])
    async with running(rollup_consumer(stack.kafka, tables, name)):
        await counted(tables, store_id, 101)
    assert await totals(tables, store_id) == expected(101)


async def test_returns_count_once_also_before_their_sales(
    stack: Stack, tables: asyncpg.Pool, producer: AIOKafkaProducer
) -> None:
    store_id, relay, name = f"store-{uuid4()}", str(uuid4()), f"test-{uuid4()}"
    paid = sum(receipt(store_id, number).paid for number in range(1, 41))

    await send_returns(producer, relay, store_id, [*range(1, 31), *range(11, 31)])
    async with running(rollup_consumer(stack.kafka, tables, name)):
        await until(lambda: _has_returns(tables, store_id, 30), what="30 returns")
    await send(producer, relay, store_id, range(1, 101))
    await send_returns(producer, relay, store_id, range(21, 41))
    async with running(rollup_consumer(stack.kafka, tables, name)):
        await counted(tables, store_id, 100)
        await until(lambda: _has_returns(tables, store_id, 40), what="40 returns")
    assert await of_returns(tables, store_id) == (40, paid, 40, 40, 80)
    assert await totals(tables, store_id) == expected(100)
    receipts, _, discount, paid, bonuses = expected(100)
    assert await of_instruments(tables, store_id) == (receipts, discount, paid, bonuses)


async def _has_returns(pool: asyncpg.Pool, store_id: str, count: int) -> bool:
    return (await of_returns(pool, store_id))[0] >= count


async def test_a_message_that_cannot_be_used_goes_to_the_dead_letters_and_the_rest_goes_on(
    stack: Stack, dsn: str, tables: asyncpg.Pool, producer: AIOKafkaProducer
) -> None:
    store_id, relay, name = f"store-{uuid4()}", str(uuid4()), f"test-{uuid4()}"
    key = terminal_key(store_id, "till-0")
    await send(producer, relay, store_id, range(1, 51))
    await producer.send_and_wait(RECEIPTS.name, b'{"store_id": 1}', key=key)
    await send(producer, relay, store_id, range(51, 101))
    async with (
        running(rollup_consumer(stack.kafka, tables, name)),
        running(Relay(stack.kafka, dsn)),
    ):
        await counted(tables, store_id, 100)
        letter = await dead_letter(stack.kafka, key)
    assert await totals(tables, store_id) == expected(100)
    headers = dict(letter.headers)
    assert letter.value == b'{"store_id": 1}'
    assert headers["ts_reason"] == b"invalid_field"
    assert headers["ts_origin_topic"] == RECEIPTS.name.encode()


async def dead_letter(kafka: str, key: bytes) -> ConsumerRecord:
    """The first dead letter with that key."""
    async with AIOKafkaConsumer(
        RECEIPTS.dead_letter_name, bootstrap_servers=kafka, auto_offset_reset="earliest"
    ) as consumer:
        async with asyncio.timeout(30):
            async for record in consumer:
                if record.key == key:
                    return record
    message = "no dead letter"
    raise AssertionError(message)


def record(topic: str, event: Event) -> ConsumerRecord:
    body = event.model_dump_json().encode()
    return ConsumerRecord(topic, 0, 0, 0, 0, b"key", body, None, 0, len(body), ())


async def test_a_number_of_a_transaction_that_rolled_back_is_not_remembered(
    tables: asyncpg.Pool,
) -> None:
    places, key = Numbering(PLACES), ("store-1", "till", "North", "EUR")
    async with tables.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await places.of(connection, [key])
        await transaction.rollback()
        for _ in range(2):
            async with connection.transaction():
                number = (await places.of(connection, [key]))[key]
        assert await connection.fetchval("select place_id from places") == number


async def test_two_writers_of_the_same_new_place_agree_on_its_number(tables: asyncpg.Pool) -> None:
    async def add(total: int) -> None:
        for _ in range(20):
            batch = [record(RECEIPTS.name, receipt(f"store-{n}", total)) for n in range(5)]
            async with tables.acquire() as connection, connection.transaction():
                await Stream().apply(connection, batch)

    await asyncio.gather(add(1), add(2), add(3))
    stores = "select count(*) from places where store_id <> ''"
    assert await tables.fetchval(stores) == 5
    assert await tables.fetchval("select sum(receipts) from receipt_minutes") == 300


async def test_names_are_those_of_the_latest_state(tables: asyncpg.Pool) -> None:
    stream = Stream()
    for version, name in ((1, "first"), (3, "third"), (2, "second")):
        campaign = builders.campaign(
            version=version, name=name, instruments=[builders.instrument(name=f"{name} rule")]
        )
        store = Store(
            store_id="store-1",
            name=f"shop {version}",
            region="North",
            time_zone="Europe/Vienna",
            currency=Currency("EUR"),
        )
        async with tables.acquire() as connection, connection.transaction():
            await stream.apply(
                connection, [record(CAMPAIGNS.name, campaign), record(STORES.name, store)]
            )
    assert await tables.fetchval("select name from campaigns") == "third"
    assert await tables.fetchval("select name from instruments") == "third rule"
    assert await tables.fetchval("select name from stores") == "shop 2"
