"""What the Kafka cluster says of itself, of its topics, and of a consumer's lag; leaving it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient


class WrongClusterError(RuntimeError):
    """What is saved in the database belongs to another Kafka cluster."""


async def leave(client: AIOKafkaConsumer | AIOKafkaProducer, within_seconds: float) -> None:
    """Stop a client, or let it be after that time: a broker that is gone would never let it finish.

    aiokafka's ``stop`` may raise ``CancelledError`` though nobody was cancelled (a fetch of its own that waits
    to be tried again): passed on, it would end our task silently, for good. Its other errors do not matter.
    """
    stopping = asyncio.gather(client.stop(), return_exceptions=True)
    try:
        await asyncio.wait({stopping}, timeout=within_seconds)
    finally:
        stopping.cancel()


@asynccontextmanager
async def _admin(kafka: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def cluster_id(kafka: str) -> str:
    """The id of the Kafka cluster at these bootstrap servers."""
    async with _admin(kafka) as admin:
        return str((await admin.describe_cluster())["cluster_id"])


async def partitions_of(kafka: str, topics: Sequence[str]) -> list[TopicPartition]:
    """Every partition of the topics that exist, in order.

    ``AIOKafkaConsumer.partitions_for_topic`` knows only topics that the consumer has subscribed to
    or been assigned, and says None of others.
    """
    async with _admin(kafka) as admin:
        described = await admin.describe_topics(list(topics))
    return sorted(
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        for partition in topic["partitions"]
    )


async def records_behind(
    kafka: str, pool: asyncpg.Pool, consumer: str, topics: Sequence[str]
) -> dict[str, int]:
    """How many records of each topic the consumer group has not applied yet."""
    partitions = await partitions_of(kafka, topics)
    async with AIOKafkaConsumer(bootstrap_servers=kafka) as client:
        ends = await client.end_offsets(partitions)
        beginnings = await client.beginning_offsets(partitions)
    rows = await pool.fetch(
        "select topic, partition, next from offsets where consumer = $1", consumer
    )
    saved = {TopicPartition(row["topic"], row["partition"]): row["next"] for row in rows}
    behind = dict.fromkeys(topics, 0)
    for partition, end in ends.items():
        behind[partition.topic] += end - saved.get(partition, beginnings[partition])
    return behind
