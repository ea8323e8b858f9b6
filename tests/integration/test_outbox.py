"""The outbox and its relay against the real Kafka and PostgreSQL."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import ConsumerRecord
from prometheus_client import REGISTRY

from deploy.local.stack import Stack
from shared import outbox
from shared.backlog import Backlog
from shared.cluster import WrongClusterError
from shared.database import Connection
from shared.dead_letters import DeadLetter
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
    [kept] = await pool.fetch("select messages, bytes, packed from outbox")
    async with running(Relay(stack.kafka, dsn)):
        await read(stack, topic, 2)
        await until(lambda: _is_empty(pool))
    await pool.execute(
        "insert into outbox (number, messages, bytes, packed) values (1, $1, $2, $3)", *kept
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


@pytest.mark.parametrize("acknowledged", [1, 3])
async def test_a_row_interrupted_between_its_batches_is_sent_again_with_the_same_numbers(
    stack: Stack,
    pool: asyncpg.Pool,
    dsn: str,
    new_topic: NewTopicName,
    monkeypatch: pytest.MonkeyPatch,
    acknowledged: int,
) -> None:
    topic = await new_topic(1)
    ids = [f"event-{n:03}" for n in range(200)]
    await put_alone(pool, topic, *ids)
    assert await pool.fetchval("select count(*) from outbox") == 1
    submit, submitted, stuck = outbox._submit, 0, asyncio.Event()

    async def submit_some(*args: Any) -> None:
        nonlocal submitted
        if submitted == acknowledged:
            stuck.set()
            await asyncio.Event().wait()
        submitted += 1
        await submit(*args)

    monkeypatch.setattr(outbox, "_submit", submit_some)
    async with running(Relay(stack.kafka, dsn, batch_bytes=4_096)):
        await asyncio.wait_for(stuck.wait(), 20)
    monkeypatch.undo()
    left = await end_of(stack, topic)
    assert 0 < left < len(ids)
    await put_alone(pool, topic, "later")
    async with running(Relay(stack.kafka, dsn, batch_bytes=4_096)):
        records = await read(stack, topic, left + len(ids) + 1)
    assert ids_of(records) == [*ids[:left], *ids, "later"]
    assert numbers_of(records) == [*range(1, left + 1), *range(1, len(ids) + 2)]


async def end_of(stack: Stack, topic: str) -> int:
    """How many records have come to the topic's one partition."""
    async with AIOKafkaConsumer(bootstrap_servers=stack.kafka) as reader:
        [end] = (await reader.end_offsets([TopicPartition(topic, 0)])).values()
    return int(end)


async def test_messages_of_several_topics_and_rows_have_the_numbers_of_their_order(
    stack: Stack, pool: asyncpg.Pool, dsn: str, new_topic: NewTopicName
) -> None:
    """Small windows: neither the end of a row nor that of a window may cost or repeat a number."""
    one, other = await new_topic(1), await new_topic(1)
    messages = [
        Message(topic_named((one, other)[n % 2]), b"k", b"%d" % n * 1_000, f"{n:04}")
        for n in range(1_000)
    ]
    for start, end in ((0, 10), (10, 500), (500, 1_000)):
        async with pool.acquire() as connection, connection.transaction():
            await outbox.put(connection, messages[start:end], "tillstream/test", NOW)
    rows: int = await pool.fetchval("select count(*) from outbox")
    assert 3 < rows < 20
    async with running(Relay(stack.kafka, dsn, window_rows=3, window_bytes=300_000)):
        found = [await read(stack, topic, 500) for topic in (one, other)]
        await until(lambda: _is_empty(pool))
    for first, records in enumerate(found):
        assert ids_of(records) == [f"{n:04}" for n in range(first, 1_000, 2)]
        assert numbers_of(records) == list(range(first + 1, 1_001, 2))


async def test_a_claim_of_nothing_writes_nothing(
    stack: Stack, pool: asyncpg.Pool, dsn: str
) -> None:
    """Every relay looks once a second, and after all that it has sent."""
    relay, version = Relay(stack.kafka, dsn), "select ctid::text from outbox_producer"
    before = await pool.fetchval(version)
    async with pool.acquire() as connection:
        assert await relay._rows(connection, outbox._CLAIM) == []
    assert await pool.fetchval(version) == before


async def test_a_message_as_large_as_may_be_leaves_between_small_ones(
    stack: Stack, pool: asyncpg.Pool, dsn: str
) -> None:
    large = secrets.token_bytes(MAX_MESSAGE_BYTES - 1_000)
    topic = f"test-{secrets.token_hex(4)}"
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka)
    await admin.start()
    config = topic_named(topic).topic_config
    await admin.create_topics([NewTopic(topic, 1, 1, topic_configs=config)])
    await admin.close()
    bodies = [b"before", large, b"after"]
    messages = [Message(topic_named(topic), b"k", body, str(len(body))) for body in bodies]
    async with pool.acquire() as connection, connection.transaction():
        await outbox.put(connection, messages, "tillstream/test", NOW)
    async with running(Relay(stack.kafka, dsn)):
        records = await read(stack, topic, 3)
    assert [record.value for record in records] == bodies
    assert numbers_of(records) == [1, 2, 3]


async def test_dead_letters_keep_what_they_had_also_nothing(
    stack: Stack, pool: asyncpg.Pool, dsn: str, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    topic = await new_topic(1)
    await producer.send_and_wait(topic, b"no key", headers=[("x", b"1"), ("x", b"2")])
    await producer.send_and_wait(topic, key=b"no value")
    dead = [DeadLetter(record, "bad", "is bad") for record in await read(stack, topic, 2)]
    async with pool.acquire() as connection, connection.transaction():
        await outbox.put_dead_letters(connection, dead)
    async with running(Relay(stack.kafka, dsn)):
        records = await read(stack, f"{topic}.dlq", 2)
    assert [(r.key, r.value) for r in records] == [(None, b"no key"), (b"no value", None)]
    assert [value for name, value in records[0].headers if name == "x"] == [b"1", b"2"]
    assert [name for name, _ in records[1].headers][-2:] == [
        outbox.PRODUCER_HEADER,
        outbox.NUMBER_HEADER,
    ]
    assert numbers_of(records) == [1, 2]


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


async def test_operators_see_what_waits_and_for_how_long(
    pool: asyncpg.Pool, stack: Stack, dsn: str, new_topic: NewTopicName
) -> None:
    topic = await new_topic(1)

    async def shown() -> tuple[float | None, float | None]:
        await Backlog(pool).look()
        names = ("tillstream_outbox_rows", "tillstream_outbox_age_seconds")
        rows, age = (REGISTRY.get_sample_value(name) for name in names)
        return rows, age

    assert await shown() == (0, 0)
    for name in ("a", "b"):
        async with pool.acquire() as connection, connection.transaction():
            await put(connection, topic, name)
    await pool.execute("update outbox set put_at = put_at - interval '1 hour' where id = 1")
    rows, age = await shown()
    assert rows == 2
    assert age == pytest.approx(3600, abs=60)
    async with running(Relay(stack.kafka, dsn)):
        await read(stack, topic, 2)
        await until(lambda: _is((0, 0), shown), what="an empty outbox")


async def _is(wanted: object, found: Callable[[], Awaitable[object]]) -> bool:
    return await found() == wanted
