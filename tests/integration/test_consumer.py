"""The transactional consumer against the real Kafka and PostgreSQL."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import ConsumerRecord
from prometheus_client import REGISTRY

from deploy.local.stack import Stack
from shared import clock, outbox
from shared.applying import Apply
from shared.backlog import Backlog
from shared.cluster import WrongClusterError, records_behind
from shared.consumer import TransactionalConsumer
from shared.database import Connection
from shared.dead_letters import DeadLetter, TooManyDeadLettersError
from shared.offsets import FencedError, Move, OffsetOutsideLogError, fence
from shared.outbox import Relay
from tests.integration.conftest import NewTopicName
from tests.integration.outgoing import waiting
from tests.waiting import until


async def record_effects(
    connection: Connection, records: Sequence[ConsumerRecord]
) -> Sequence[DeadLetter]:
    """The effect of a record is a row; ``bad…`` can't be used."""
    good = [r for r in records if not r.value.startswith(b"bad")]
    await connection.executemany(
        "insert into effects values ($1)", [(r.value.decode(),) for r in good]
    )
    return [DeadLetter(r, "bad", "value: is bad") for r in records if r not in good]


def consumer(
    stack: Stack, pool: asyncpg.Pool, topic: str, apply: Apply = record_effects
) -> TransactionalConsumer:
    return TransactionalConsumer("test", [topic], stack.kafka, pool, apply, max_records=10)


@asynccontextmanager
async def running(task_of: TransactionalConsumer | Relay) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(task_of.run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def effects(pool: asyncpg.Pool) -> list[str]:
    return [row["body"] for row in await pool.fetch("select body from effects order by body")]


def names(count: int) -> list[str]:
    return [f"event-{number:04d}" for number in range(count)]


async def send(producer: AIOKafkaProducer, topic: str, bodies: list[str]) -> None:
    for body in bodies:
        await producer.send(topic, body.encode(), key=body.encode())
    await producer.flush()


async def test_every_record_has_its_effect_once_also_after_a_restart(
    stack: Stack, pool: asyncpg.Pool, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    topic = await new_topic(3)
    expected = names(100)
    await send(producer, topic, expected[:50])
    async with running(consumer(stack, pool, topic)):
        await until(lambda: _count_is(pool, 50), what="50 effects")
    await send(producer, topic, expected[50:])
    async with running(consumer(stack, pool, topic)):
        await until(lambda: _count_is(pool, 100), what="100 effects")
    assert await effects(pool) == expected


async def _count_is(pool: asyncpg.Pool, count: int) -> bool:
    return bool(await pool.fetchval("select count(*) from effects") >= count)


async def test_a_partition_is_read_from_the_offset_in_postgres_whatever_kafka_says(
    stack: Stack, pool: asyncpg.Pool, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    topic = await new_topic(1)
    await send(producer, topic, names(10))
    async with running(consumer(stack, pool, topic)):
        await until(lambda: _count_is(pool, 10))
    async with AIOKafkaConsumer(bootstrap_servers=stack.kafka, group_id="test") as other:
        other.assign([TopicPartition(topic, 0)])
        await other.commit({TopicPartition(topic, 0): 3})
    await send(producer, topic, ["event-last"])
    async with running(consumer(stack, pool, topic)):
        await until(lambda: _count_is(pool, 11))
    assert await effects(pool) == [*names(10), "event-last"]


async def test_an_effect_without_its_offset_is_rolled_back(
    stack: Stack, pool: asyncpg.Pool, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    """Half a batch applied before an error leaves nothing, and is applied again."""
    topic = await new_topic(1)
    await send(producer, topic, names(5))
    failures = 0

    async def fails_first(
        connection: Connection, records: Sequence[ConsumerRecord]
    ) -> Sequence[DeadLetter]:
        nonlocal failures
        await record_effects(connection, records)
        if not failures:
            failures += 1
            raise ConnectionResetError
        return ()

    reader = consumer(stack, pool, topic, fails_first)
    with pytest.raises(ConnectionResetError):
        await reader.run()
    assert await effects(pool) == []
    async with running(reader):
        await until(lambda: _count_is(pool, 5))
    assert await effects(pool) == names(5)


async def test_the_fence_lets_one_of_two_consumers_move_an_offset(
    pool: asyncpg.Pool, new_topic: NewTopicName
) -> None:
    await pool.execute(
        "insert into offsets (consumer, topic, partition, next, cluster_id)"
        " values ('test', 'a', 0, 5, 'x')"
    )
    move = Move(TopicPartition("a", 0), 5, 8)
    async with pool.acquire() as first, pool.acquire() as second:
        winner = first.transaction()
        await winner.start()
        await fence(first, "test", [move])
        loser = asyncio.create_task(_fence_alone(second, move))
        await until(lambda: _waits_for_a_lock(pool), what="the second consumer waits")
        await winner.commit()
        with pytest.raises(FencedError):
            await loser
    assert await pool.fetchval("select next from offsets") == 8


async def _fence_alone(connection: Connection, move: Move) -> None:
    async with connection.transaction():
        await fence(connection, "test", [move])


async def _waits_for_a_lock(pool: asyncpg.Pool) -> bool:
    query = (
        "select count(*) from pg_stat_activity"
        " where wait_event_type = 'Lock' and datname = current_database()"
    )
    return bool(await pool.fetchval(query))


async def test_a_fenced_consumer_drops_its_buffer_and_stands_where_postgres_says(
    stack: Stack, pool: asyncpg.Pool, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    topic = await new_topic(1)
    await send(producer, topic, names(3))
    async with running(consumer(stack, pool, topic)):
        await until(lambda: _count_is(pool, 3))
        # As if another consumer had applied the next two.
        await pool.execute("update offsets set next = 5 where topic = $1", topic)
        await send(producer, topic, ["theirs-1", "theirs-2", "ours"])
        await until(lambda: _count_is(pool, 4))
    assert await effects(pool) == [*names(3), "ours"]


async def test_what_the_relay_sends_twice_is_applied_once(
    stack: Stack, pool: asyncpg.Pool, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    topic = await new_topic(1)
    one, other = str(uuid4()).encode(), str(uuid4()).encode()
    sent = [
        (one, 1, "a"),
        (one, 2, "b"),
        (one, 1, "a"),
        (one, 2, "b"),
        (other, 1, "c"),
        (one, 3, "d"),
    ]
    for sender, number, body in sent:
        headers = [(outbox.PRODUCER_HEADER, sender), (outbox.NUMBER_HEADER, str(number).encode())]
        await producer.send(topic, body.encode(), headers=headers)
    await producer.flush()
    async with running(consumer(stack, pool, topic)):
        await until(lambda: _count_is(pool, 4))
    again = [(outbox.PRODUCER_HEADER, one), (outbox.NUMBER_HEADER, b"3")]
    await producer.send_and_wait(topic, b"d", headers=again)
    await producer.send_and_wait(topic, b"last")
    async with running(consumer(stack, pool, topic)):
        await until(lambda: _count_is(pool, 5))
    assert await effects(pool) == ["a", "b", "c", "d", "last"]


async def test_offsets_of_another_cluster_stop_the_consumer(
    stack: Stack, pool: asyncpg.Pool, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    topic = await new_topic(1)
    await pool.execute(
        "insert into offsets (consumer, topic, partition, next, cluster_id)"
        " values ('test', $1, 0, 0, 'another')",
        topic,
    )
    with pytest.raises(WrongClusterError, match="connect to the cluster"):
        await consumer(stack, pool, topic).run()


async def test_an_offset_outside_the_log_stops_the_consumer(
    stack: Stack, pool: asyncpg.Pool, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    topic = await new_topic(1)
    await send(producer, topic, names(2))
    async with running(consumer(stack, pool, topic)):
        await until(lambda: _count_is(pool, 2))
    await pool.execute("update offsets set next = 1000 where topic = $1", topic)
    with pytest.raises(OffsetOutsideLogError, match="outside the log"):
        await consumer(stack, pool, topic).run()


async def test_a_message_that_cannot_be_used_goes_to_the_dead_letters_with_its_origin(
    stack: Stack, pool: asyncpg.Pool, dsn: str, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    topic = await new_topic(1)
    await send(producer, topic, ["a", "bad-1", "b"])
    async with running(consumer(stack, pool, topic)), running(Relay(stack.kafka, dsn)):
        await until(lambda: _count_is(pool, 2))
        async with AIOKafkaConsumer(
            f"{topic}.dlq", bootstrap_servers=stack.kafka, auto_offset_reset="earliest"
        ) as dead:
            record = await asyncio.wait_for(dead.getone(), 20)
    headers = dict(record.headers)
    assert record.value == b"bad-1"
    assert headers["ts_reason"] == b"bad"
    assert headers["ts_detail"] == b"value: is bad"
    assert headers["ts_origin_topic"] == topic.encode()
    assert (headers["ts_origin_partition"], headers["ts_origin_offset"]) == (b"0", b"1")
    assert await effects(pool) == ["a", "b"]


async def test_nothing_but_dead_letters_from_several_sources_stops_the_consumer_with_nothing_lost(
    stack: Stack, pool: asyncpg.Pool, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    topic = await new_topic(1)
    await send(producer, topic, [f"bad-{number}" for number in range(300)])
    with pytest.raises(TooManyDeadLettersError):
        await consumer(stack, pool, topic).run()
    read = await pool.fetchval("select next from offsets where topic = $1", topic)
    assert read == len(await waiting(pool))
    assert read < 200


async def test_two_consumers_share_the_partitions_and_apply_each_record_once(
    stack: Stack, pool: asyncpg.Pool, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    topic = await new_topic(4)
    expected = names(400)
    applied: dict[str, int] = {}

    def counting(name: str) -> Apply:
        async def apply(
            connection: Connection, records: Sequence[ConsumerRecord]
        ) -> Sequence[DeadLetter]:
            applied[name] = applied.get(name, 0) + len(records)
            return await record_effects(connection, records)

        return apply

    async def both_have_work() -> bool:
        await send(producer, topic, ["more-0", "more-1", "more-2", "more-3"])
        return len(applied) == len(("first", "second"))

    async with running(consumer(stack, pool, topic, counting("first"))):
        await send(producer, topic, expected[:200])
        async with running(consumer(stack, pool, topic, counting("second"))):
            await send(producer, topic, expected[200:])
            await until(both_have_work, what="both consumers have partitions")
            await until(lambda: _count_is(pool, 400))
    found = await effects(pool)
    assert [body for body in found if body.startswith("event")] == expected


async def test_what_a_consumer_has_not_applied_yet_is_known(
    stack: Stack, pool: asyncpg.Pool, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    topic = await new_topic(3)
    await send(producer, topic, names(20))
    assert await records_behind(stack.kafka, pool, "test", [topic]) == {topic: 20}
    async with running(consumer(stack, pool, topic)):
        await until(lambda: _count_is(pool, 20))
    await send(producer, topic, ["one-more"])
    assert await records_behind(stack.kafka, pool, "test", [topic]) == {topic: 1}


async def test_operators_see_until_when_a_topic_has_been_applied(
    stack: Stack, pool: asyncpg.Pool, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    """It follows the clock while nothing comes, and stands while something is being applied."""
    topic = await new_topic(2)
    came, go_on = asyncio.Event(), asyncio.Event()

    async def apply(
        connection: Connection, records: Sequence[ConsumerRecord]
    ) -> Sequence[DeadLetter]:
        came.set()
        await go_on.wait()
        return await record_effects(connection, records)

    async def read_until() -> float:
        await Backlog(pool).look()
        labels = {"consumer": "test", "topic": topic}
        shown = REGISTRY.get_sample_value("tillstream_read_until_timestamp_seconds", labels)
        return shown or 0.0

    async def is_later() -> bool:
        return await read_until() > at

    at = clock.now().timestamp()
    async with running(consumer(stack, pool, topic, apply)):
        await until(is_later, what="a later time, though nothing came")
        await send(producer, topic, ["one"])
        await asyncio.wait_for(came.wait(), 20)
        at = clock.now().timestamp()
        assert await read_until() < at
        go_on.set()
        await until(is_later, what="a later time, once it is applied")
