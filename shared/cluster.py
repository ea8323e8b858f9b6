"""What the Kafka cluster says of itself and of a consumer's lag."""

from collections.abc import Sequence

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient


async def cluster_id(kafka: str) -> str:
    """The id of the Kafka cluster at these bootstrap servers."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        return str((await admin.describe_cluster())["cluster_id"])
    finally:
        await admin.close()


async def records_behind(
    kafka: str, pool: asyncpg.Pool, consumer: str, topics: Sequence[str]
) -> dict[str, int]:
    """How many records of each topic the consumer group has not applied yet."""
    client = AIOKafkaConsumer(bootstrap_servers=kafka)
    await client.start()
    try:
        partitions = [
            TopicPartition(topic, number)
            for topic in topics
            for number in await _partitions(client, topic)
        ]
        ends = await client.end_offsets(partitions)
        beginnings = await client.beginning_offsets(partitions)
    finally:
        await client.stop()
    rows = await pool.fetch(
        "select topic, partition, next from offsets where consumer = $1", consumer
    )
    saved = {TopicPartition(row["topic"], row["partition"]): row["next"] for row in rows}
    behind = dict.fromkeys(topics, 0)
    for partition, end in ends.items():
        behind[partition.topic] += end - saved.get(partition, beginnings[partition])
    return behind


async def _partitions(client: AIOKafkaConsumer, topic: str) -> list[int]:
    await client.topics()
    return sorted(client.partitions_for_topic(topic) or ())
