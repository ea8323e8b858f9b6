"""The outbox and its relay against the real Kafka and PostgreSQL."""

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord

from deploy.local.stack import Stack
from shared import outbox
from shared.cluster import WrongClusterError
from shared.database import Connection
from shared.events.reference import Customer
from shared.outbox import Message, MessageTooLargeError, Relay
from shared.topics import MAX_MESSAGE_BYTES, Topic
from tests.integration.conftest import NewTopicName
from tests.integration.test_consumer import running
from tests.waiting import until

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def topic_named(name: str) -> Topic:
    return Topic(name, Customer, "tillstream.test.v1", "customer_id", "A test's own.")


async def put(connection: Connection, topic: str, *ids: str) -> None:
    messages = [Message(topic_named(topic), b"k", Customer(customer_id=i), event_id=i) for i in ids]
    await outbox.put(connection, messages, "tillstream/test", NOW)


async def read(stack: Stack, topic: str, count: int) -> list[ConsumerRecord]:
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=stack.kafka, auto_offset_reset="earliest"
    ) as reader:
        return [await asyncio.wait_for(reader.getone(), 20) for _ in range(count)]


def ids_of(records: list[ConsumerRecord]) -> list[str]:
    return [dict(record.headers)["ce_id"].decode() for record in records]


def numbers_of(records: list[ConsumerRecord]) -> list[int]:
    return [int(dict(record.headers)[outbox.NUMBER_HEADER]) for record in records]


async def test_what_is_committed_leaves_in_order_with_cloudevents_attributes(
    stack: Stack, pool: asyncpg.Pool, dsn: str, new_topic: NewTopicName
) -> None:
    topic = await new_topic(1)
    async with pool.acquire() as connection, connection.transaction():
        await put(connection, topic, "a", "b", "c")
    async with running(Relay(stack.kafka, dsn)):
        records = await read(stack, topic, 3)
    headers = dict(records[0].headers)
    assert ids_of(records) == ["a", "b", "c"]
    assert numbers_of(records) == [1, 2, 3]
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_type"] == b"tillstream.test.v1"
    assert headers["ce_source"] == b"tillstream/test"
    assert headers["ce_time"] == NOW.isoformat().encode()
    assert records[0].value == b'{"customer_id":"a","groups":[]}'


async def test_what_is_rolled_back_never_leaves(
    stack: Stack, pool: asyncpg.Pool, dsn: str, new_topic: NewTopicName
) -> None:
    topic = await new_topic(1)
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await put(connection, topic, "never")
        await transaction.rollback()
    async with pool.acquire() as connection, connection.transaction():
        await put(connection, topic, "sent")
    async with running(Relay(stack.kafka, dsn)):
        assert ids_of(await read(stack, topic, 1)) == ["sent"]


async def test_a_row_that_becomes_visible_late_gets_a_later_number_and_is_not_skipped(
    stack: Stack, pool: asyncpg.Pool, dsn: str, new_topic: NewTopicName
) -> None:
    topic = await new_topic(1)
    async with (
        running(Relay(stack.kafka, dsn)),
        pool.acquire() as slow,
        pool.acquire() as quick,
    ):
        late = slow.transaction()
        await late.start()
        await put(slow, topic, "lower-id")
        async with quick.transaction():
            await put(quick, topic, "higher-id")
        await read(stack, topic, 1)
        await late.commit()
        records = await read(stack, topic, 2)
    assert ids_of(records) == ["higher-id", "lower-id"]
    assert numbers_of(records) == [1, 2]


async def test_rows_without_acknowledgement_are_sent_again_with_their_numbers(
    stack: Stack, pool: asyncpg.Pool, dsn: str, new_topic: NewTopicName
) -> None:
    """A relay that died between sending and deleting: its successor repeats, readers skip."""
    topic = await new_topic(1)
    await put_alone(pool, topic, "a", "b")
    async with pool.acquire() as connection:
        kept = await connection.fetch("select topic, key, value, headers from outbox order by id")
    async with running(Relay(stack.kafka, dsn)):
        await read(stack, topic, 2)
        await until(lambda: _is_empty(pool))
    await pool.executemany(
        "insert into outbox (number, topic, key, value, headers) values ($1, $2, $3, $4, $5)",
        [(number, *row) for number, row in enumerate(kept, start=1)],
    )
    await put_alone(pool, topic, "c")
    async with running(Relay(stack.kafka, dsn)):
        records = await read(stack, topic, 5)
    assert ids_of(records) == ["a", "b", "a", "b", "c"]
    assert numbers_of(records) == [1, 2, 1, 2, 3]


async def put_alone(pool: asyncpg.Pool, topic: str, *ids: str) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await put(connection, topic, *ids)


async def _is_empty(pool: asyncpg.Pool) -> bool:
    return not await pool.fetchval("select count(*) from outbox")


async def test_one_relay_at_a_time_and_another_takes_over(
    stack: Stack, pool: asyncpg.Pool, dsn: str, new_topic: NewTopicName
) -> None:
    topic = await new_topic(1)
    second = Relay(stack.kafka, dsn, idle_seconds=0.1)
    async with running(second):
        async with running(Relay(stack.kafka, dsn, idle_seconds=0.1)):
            await put_alone(pool, topic, *(f"a{n}" for n in range(50)))
            await until(lambda: _is_empty(pool), what="the first relay has sent all")
        await put_alone(pool, topic, *(f"b{n}" for n in range(50)))
        records = await read(stack, topic, 100)
    assert numbers_of(records) == list(range(1, 101))


async def test_a_message_too_large_for_the_broker_is_refused_by_the_transaction(
    pool: asyncpg.Pool,
) -> None:
    large = Message(topic_named("t"), b"k", b"x" * (MAX_MESSAGE_BYTES + 1), "large")
    with pytest.raises(MessageTooLargeError):
        async with pool.acquire() as connection:
            await outbox.put(connection, [large], "tillstream/test", NOW)


async def test_a_relay_does_not_send_to_another_cluster_than_before(
    stack: Stack, pool: asyncpg.Pool, dsn: str
) -> None:
    await pool.execute("update outbox_producer set cluster_id = 'another'")
    with pytest.raises(WrongClusterError, match="was sent to Kafka cluster another"):
        await Relay(stack.kafka, dsn).run()
