"""The customers' log: Faust reads, PostgreSQL says from where; on the real Kafka and PostgreSQL."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import ConsumerRecord

from deploy.local.stack import Stack
from services.customers.log import Chore, Log
from shared.cluster import WrongClusterError
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.offsets import FencedError, OffsetOutsideLogError
from shared.outbox import NUMBER_HEADER, PRODUCER_HEADER
from tests.integration.conftest import NewTopicName
from tests.integration.test_consumer import _count_is, effects, names, record_effects, send
from tests.waiting import until

pytestmark = pytest.mark.slow


def log_of(stack: Stack, pool: asyncpg.Pool, topic: str, **values: object) -> Log:
    arguments = {"name": "test", "apply": record_effects, **values}
    return Log(topics=[topic], kafka=stack.kafka, pool=pool, **arguments)  # type: ignore[arg-type]


@asynccontextmanager
async def running(log: Log) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(log.run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, FencedError):
            await task


@asynccontextmanager
async def kept_up(make: Callable[[], Log]) -> AsyncIterator[None]:
    """A log that is started anew, as a service is, if another instance has moved a partition while it had a batch of it."""

    async def run() -> None:
        while True:
            with contextlib.suppress(FencedError):
                await make().run()

    task = asyncio.create_task(run())
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_every_record_has_its_effect_once_also_after_a_restart_whatever_kafka_says(
    stack: Stack, pool: asyncpg.Pool, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    topic = await new_topic(3)
    expected = names(100)
    await send(producer, topic, expected[:50])
    async with running(log_of(stack, pool, topic)):
        await until(lambda: _count_is(pool, 50), what="50 effects")
    async with AIOKafkaConsumer(bootstrap_servers=stack.kafka, group_id="test") as other:
        other.assign([TopicPartition(topic, 0)])
        assert await other.committed(TopicPartition(topic, 0)) is None
        await other.commit({TopicPartition(topic, 0): 3})
    await send(producer, topic, expected[50:])
    async with running(log_of(stack, pool, topic)):
        await until(lambda: _count_is(pool, 100), what="100 effects")
    assert await effects(pool) == expected


async def test_a_batch_is_applied_as_a_whole_once_postgresql_is_back(
    stack: Stack, pool: asyncpg.Pool, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    topic = await new_topic(1)
    await send(producer, topic, names(5))
    failures = 0

    async def fails_first(
        connection: Connection, records: Sequence[ConsumerRecord]
    ) -> Sequence[DeadLetter]:
        nonlocal failures
        await record_effects(connection, records)
        if failures < 2:
            failures += 1
            raise ConnectionResetError
        return ()

    async with running(log_of(stack, pool, topic, apply=fails_first)):
        await until(lambda: _count_is(pool, 5), what="5 effects")
        await send(producer, topic, ["event-last"])
        await until(lambda: _count_is(pool, 6), what="6 effects")
    assert failures == 2
    assert await effects(pool) == [*names(5), "event-last"]


async def test_two_instances_share_the_partitions_and_lose_and_repeat_nothing(
    stack: Stack, pool: asyncpg.Pool, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    """One joins while the other is at work, and leaves again."""
    topic = await new_topic(4)
    expected = names(300)
    await send(producer, topic, expected[:100])
    async with kept_up(lambda: log_of(stack, pool, topic)):
        await until(lambda: _count_is(pool, 100), what="100 effects")
        async with kept_up(lambda: log_of(stack, pool, topic)):
            await send(producer, topic, expected[100:200])
            await until(lambda: _count_is(pool, 200), what="200 effects", within_s=60)
        await send(producer, topic, expected[200:])
        await until(lambda: _count_is(pool, 300), what="300 effects", within_s=60)
    assert await effects(pool) == expected


async def test_a_log_whose_partition_another_has_moved_ends(
    stack: Stack, pool: asyncpg.Pool, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    """It has no business there; its supervisor starts it anew, from where PostgreSQL says."""
    topic = await new_topic(1)
    await send(producer, topic, names(3))
    async with running(log_of(stack, pool, topic)) as task:
        await until(lambda: _count_is(pool, 3), what="3 effects")
        await pool.execute("update offsets set next = 5 where topic = $1", topic)
        await send(producer, topic, ["theirs-1", "theirs-2", "ours"])
        with pytest.raises(FencedError):
            await asyncio.wait_for(asyncio.shield(task), 30)
    async with running(log_of(stack, pool, topic)):
        await until(lambda: _count_is(pool, 4), what="4 effects")
    assert await effects(pool) == [*names(3), "ours"]


async def test_what_the_relay_sends_twice_is_applied_once(
    stack: Stack, pool: asyncpg.Pool, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    topic = await new_topic(1)
    relay = str(uuid4()).encode()

    async def sent(number: int) -> None:
        headers = [(PRODUCER_HEADER, relay), (NUMBER_HEADER, b"%d" % number)]
        await producer.send_and_wait(topic, b"event-%d" % number, headers=headers)

    for number in (1, 2, 1, 2, 3):
        await sent(number)
    async with running(log_of(stack, pool, topic)):
        await until(lambda: _count_is(pool, 3), what="3 effects")
    for number in (3, 4):
        await sent(number)
    async with running(log_of(stack, pool, topic)):
        await until(lambda: _count_is(pool, 4), what="4 effects")
    assert await effects(pool) == [f"event-{number}" for number in (1, 2, 3, 4)]


async def test_what_can_not_be_used_is_a_dead_letter_and_does_not_stop_the_rest(
    stack: Stack, pool: asyncpg.Pool, new_topic: NewTopicName, producer: AIOKafkaProducer
) -> None:
    topic = await new_topic(1)
    await send(producer, topic, ["a", "bad-1", "b"])
    async with running(log_of(stack, pool, topic)):
        await until(lambda: _count_is(pool, 2), what="2 effects")
    assert await effects(pool) == ["a", "b"]
    assert await pool.fetchval("select sum(messages) from outbox") == 1


@pytest.mark.parametrize(
    ("cluster", "following", "error", "match"),
    [
        ("another", 0, WrongClusterError, "connect to the cluster"),
        (None, 1000, OffsetOutsideLogError, "outside the log"),
    ],
)
async def test_a_log_that_would_lose_or_mix_up_events_ends_with_a_clear_error(
    stack: Stack,
    pool: asyncpg.Pool,
    new_topic: NewTopicName,
    producer: AIOKafkaProducer,
    cluster: str | None,
    following: int,
    error: type[Exception],
    match: str,
) -> None:
    topic = await new_topic(1)
    await send(producer, topic, names(2))
    async with running(log_of(stack, pool, topic)):
        await until(lambda: _count_is(pool, 2), what="2 effects")
    await pool.execute(
        "update offsets set next = $2, cluster_id = coalesce($3, cluster_id) where topic = $1",
        topic,
        following,
        cluster,
    )
    with pytest.raises(error, match=match):
        await asyncio.wait_for(log_of(stack, pool, topic).run(), 60)


async def test_chores_are_done_beside_it_and_their_mistakes_end_it(
    stack: Stack, pool: asyncpg.Pool, new_topic: NewTopicName
) -> None:
    topic = await new_topic(1)
    done = 0

    async def chore() -> None:
        nonlocal done
        done += 1
        if done == 2:
            raise ConnectionResetError  # a server is away: next time it may be there
        if done == 4:
            message = "a mistake of ours"
            raise LookupError(message)

    log = log_of(stack, pool, topic, chores=[Chore(chore, every=0.05)])
    with pytest.raises(LookupError, match="of ours"):
        await asyncio.wait_for(log.run(), 60)
    assert done == 4
