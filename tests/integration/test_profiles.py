"""Profiles: from a till's sale to the topic that a CRM reads, on real Kafka and PostgreSQL."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.stack import Stack
from deploy.verification import profiles as verification
from services import customers
from services.customers import profile
from shared import clock
from shared.events.checkout import Return
from shared.events.outcome import Receipt, RecordedLine, Returned, ReturnedLine
from shared.events.values import Currency
from shared.migrate import migrate
from shared.topics import RECEIPTS, RETURNS, terminal_key
from tests.builders import cart, line
from tests.integration import shop
from tests.integration.customers import new_customer, profile_with
from tests.integration.test_rollup import send_numbered
from tests.unit.customers.facts import NOON
from tests.waiting import until

pytestmark = pytest.mark.slow


async def test_what_a_customer_buys_and_brings_back_is_in_the_published_profile(
    stack: Stack,
) -> None:
    [store_id] = await shop.open_store(stack)
    customer_id = new_customer()
    now = clock.now()
    first = cart(
        [
            line(1, sku="milk", group="dairy", quantity=2_000, price=4_000, amount=8_000),
            line(2, sku="bread", group="bakery", amount=2_500),
        ],
        receipt_id=f"r-{customer_id}-1",
        store_id=store_id,
        customer_id=customer_id,
        occurred_at=now - timedelta(hours=30),
        currency=shop.CURRENCY,
    )
    second = first.model_copy(
        update={"receipt_id": f"r-{customer_id}-2", "occurred_at": now - timedelta(hours=3)}
    )
    async with shop.open_tills(stack) as tills:
        await tills.buy(first)
        await tills.buy(second)
        profile = await profile_with(stack, customer_id, purchases=2)
        [spending] = profile.spending
        assert (spending.purchases, spending.paid, spending.refunded) == (2, 21_000, 0)
        favourites = [(f.group, f.purchases, f.quantity, f.paid) for f in profile.favourites]
        assert favourites == [("dairy", 2, 4_000, 16_000), ("bakery", 2, 2_000, 5_000)]
        assert [(s.store_id, s.purchases) for s in profile.stores] == [(store_id, 2)]
        assert profile.last_purchase_at == second.occurred_at.replace(microsecond=0)
        back = Return(
            intent="return",
            receipt_id=second.receipt_id,
            store_id=store_id,
            terminal_id=second.terminal_id,
            occurred_at=clock.now(),
        )
        await tills.send(back)
        profile = await profile_with(stack, customer_id, purchases=1, returns=1)
        [spending] = profile.spending
        assert (spending.purchases, spending.paid, spending.refunded) == (1, 21_000, 10_500)
        assert profile.last_purchase_at == first.occurred_at.replace(microsecond=0)
        assert [f.purchases for f in profile.favourites] == [1, 1]
        assert sum(profile.hours) == sum(profile.weekdays) == 1


@pytest.fixture
async def tables(pool: asyncpg.Pool) -> asyncpg.Pool:
    """The pool of a database with the tables of customers."""
    async with pool.acquire() as connection:
        await migrate(connection, [Path(customers.__file__).parent / "migrations"])
    return pool


KEY = "11" * 32


@asynccontextmanager
async def process(stack: Stack, dsn: str, name: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The log in a process of its own; killed at the end."""
    environment = {**os.environ, "TILLSTREAM_KAFKA": stack.kafka, "TILLSTREAM_DATABASE": dsn}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.customers_process", name, KEY, env=environment
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


def bought(store_id: str, number: int) -> Receipt:
    """Receipt ``number`` of 10.00, of one of forty customers, at one of four tills."""
    return Receipt(
        receipt_id=f"{store_id}-{number}",
        store_id=store_id,
        terminal_id=f"till-{number % 4}",
        region="Nowhere",
        channel="till",
        device="till",
        customer_id=f"{store_id}-c{number % 40}",
        occurred_at=NOON + timedelta(minutes=number),
        recorded_at=NOON + timedelta(minutes=number),
        currency=Currency("UAH"),
        total=1_000,
        discount=0,
        paid=1_000,
        bonuses=0,
        lines=(RecordedLine(line=1, sku="a", group="g", quantity=1_000, amount=1_000, discount=0),),
        redemptions=(),
    )


def brought_back(receipt: Receipt) -> Returned:
    """All of it, a day later."""
    return Returned(
        return_id=f"back-{receipt.receipt_id}",
        receipt_id=receipt.receipt_id,
        store_id=receipt.store_id,
        terminal_id=receipt.terminal_id,
        sold_in=receipt.store_id,
        region=receipt.region,
        device="till",
        customer_id=receipt.customer_id,
        sold_at=receipt.occurred_at,
        occurred_at=receipt.occurred_at + timedelta(days=1),
        recorded_at=receipt.recorded_at,
        currency=receipt.currency,
        complete=True,
        refund=receipt.paid,
        money=receipt.paid,
        bonuses=0,
        lines=(ReturnedLine(line=1, quantity=1_000, refund=1_000),),
        redemptions=(),
    )


async def send(producer: AIOKafkaProducer, relay: str, receipts: Iterator[Receipt]) -> None:
    """Receipts as the evaluator's relay sends them: every fifth twice; every tenth comes back, some before it was sold."""
    for number, receipt in enumerate(receipts, start=1):
        key = terminal_key(receipt.store_id, receipt.terminal_id)
        if number % 20 == 0:
            await send_numbered(producer, relay, RETURNS, key, brought_back(receipt), number)
        for _ in range(2 if number % 5 == 0 else 1):
            await send_numbered(producer, relay, RECEIPTS, key, receipt, number)
        if number % 20 == 10:
            await send_numbered(producer, relay, RETURNS, key, brought_back(receipt), number)
    await producer.flush()


async def purchases_of(pool: asyncpg.Pool, store_id: str) -> Counter[str]:
    rows = await pool.fetch(
        "select customer_id, state from profiles where starts_with(customer_id, $1)", store_id
    )
    return Counter({row["customer_id"]: profile.unpack(row["state"]).purchases for row in rows})


async def test_profiles_are_what_the_log_says_after_the_process_was_killed_in_mid_stream(
    stack: Stack, dsn: str, tables: asyncpg.Pool, producer: AIOKafkaProducer
) -> None:
    store_id, name, count = f"store-{uuid4().hex}", f"test-{uuid4()}", 6_000
    sold = [bought(store_id, number) for number in range(1, count + 1)]
    await send(producer, str(uuid4()), iter(sold[: count // 2]))
    killed_at = []
    for least in (1, count // 4):
        async with process(stack, dsn, name) as child:

            async def some(least: int = least) -> bool:
                return (await purchases_of(tables, store_id)).total() >= least

            await until(some, what=f"{least} purchases", within_s=60)
            child.kill()
            await child.wait()
        killed_at.append((await purchases_of(tables, store_id)).total())
    expected = Counter(one.customer_id for one in sold)
    expected.subtract(one.customer_id for one in sold[9::10])
    assert killed_at[-1] < expected.total()
    await send(producer, str(uuid4()), iter(sold[count // 2 :]))
    async with process(stack, dsn, name):

        async def all_there() -> bool:
            return await purchases_of(tables, store_id) == expected

        await until(all_there, what="all purchases but those brought back", within_s=60)
    found = await verification.verify(
        dsn, stack.kafka, bytes.fromhex(KEY), lambda *_: None, consumer=name
    )
    assert found.customers >= len(expected)
    assert found.events > count
    assert found.differences == {}


async def test_a_profile_that_was_tampered_with_is_found(
    stack: Stack, dsn: str, tables: asyncpg.Pool, producer: AIOKafkaProducer
) -> None:
    store_id, name = f"store-{uuid4().hex}", f"test-{uuid4()}"
    await send(producer, str(uuid4()), (bought(store_id, number) for number in range(1, 100)))
    async with process(stack, dsn, name):

        async def there() -> bool:
            return (await purchases_of(tables, store_id)).total() == 90

        await until(there, what="90 purchases", within_s=60)
    victim = f"{store_id}-c1"
    state = profile.unpack(
        await tables.fetchval("select state from profiles where customer_id = $1", victim)
    )
    state.visits[0].paid += 1
    await tables.execute(
        "update profiles set state = $2 where customer_id = $1", victim, profile.pack(state)
    )
    gone = f"{store_id}-c2"
    await tables.execute("delete from profiles where customer_id = $1", gone)
    found = await verification.verify(
        dsn, stack.kafka, bytes.fromhex(KEY), lambda *_: None, consumer=name
    )
    assert found.differences.keys() == {victim, gone}
    assert found.differences[victim] == ["visits"]
