"""What compacted topics say no more is forgotten: customers, and who is in which segment."""

from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest
from aiokafka.structs import ConsumerRecord

from services.evaluator import reference
from services.evaluator.store import reference as reference_store
from services.evaluator.store.reference import KnownCustomer
from shared.codec import encode
from shared.dead_letters import DeadLetter
from shared.events.reference import Customer, SegmentChange
from shared.events.values import Event
from shared.topics import CUSTOMERS, SEGMENTS, STORES, Topic
from tests.integration.evaluator import NOW, evaluator


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    async with evaluator(dsn) as opened:
        yield opened


async def say(pool: asyncpg.Pool, *said: tuple[Topic, str, Event | None]) -> Sequence[DeadLetter]:
    """What topics say of keys, in this order; None: no value."""
    records = [
        ConsumerRecord(
            topic.name, 0, n, n, 0, key.encode(), encode(one) if one else None, None, 0, 0, ()
        )
        for n, (topic, key, one) in enumerate(said)
    ]
    async with pool.acquire() as connection, connection.transaction():
        return await reference.apply(connection, records)


def customer(name: str = "a") -> tuple[Topic, str, Event]:
    return CUSTOMERS, name, Customer(customer_id=name, groups=("gold",), birthday="12-05")


def entered(name: str = "a", segment_id: str = "s") -> tuple[Topic, str, Event]:
    change = SegmentChange(customer_id=name, segment_id=segment_id, member=True, changed_at=NOW)
    return SEGMENTS, f"{name}:{segment_id}", change


async def known(pool: asyncpg.Pool, *names: str) -> dict[str, KnownCustomer]:
    async with pool.acquire() as connection:
        return await reference_store.known_customers(connection, names)


async def test_a_customer_and_a_segment_without_a_value_are_forgotten(pool: asyncpg.Pool) -> None:
    everything = [customer(), customer("b"), entered(), entered("b"), entered("a", "t")]
    gone = [(CUSTOMERS, "a", None), (SEGMENTS, "a:s", None), (SEGMENTS, "never:there", None)]
    assert await say(pool, *everything) == []
    assert await say(pool, *gone) == []
    of_others = KnownCustomer(frozenset({"gold"}), frozenset({"s"}), "12-05")
    left = {"a": KnownCustomer(segments=frozenset({"t"})), "b": of_others}
    assert await known(pool, "a", "b") == left
    assert await pool.fetchval("select count(*) from customer_segments") == 2


async def test_the_last_of_a_batch_counts(pool: asyncpg.Pool) -> None:
    gone = [(CUSTOMERS, "a", None), (SEGMENTS, "a:s", None)]
    assert await say(pool, customer(), entered(), *gone) == []
    assert await known(pool, "a") == {"a": KnownCustomer()}
    assert await say(pool, *gone, customer(), entered()) == []
    assert (await known(pool, "a"))["a"].segments == {"s"}
    assert (await known(pool, "a"))["a"].groups == {"gold"}


async def test_ids_may_have_colons(pool: asyncpg.Pool) -> None:
    await say(pool, entered("a:b", "c:d"), entered("a", "z"))
    await say(pool, (SEGMENTS, "a:b:c:d", None))
    assert await pool.fetchval("select customer_id from customer_segments") == "a"


async def test_a_store_without_a_value_is_a_dead_letter(pool: asyncpg.Pool) -> None:
    [dead] = await say(pool, (STORES, "store-1", None))
    assert dead.record.topic == STORES.name
