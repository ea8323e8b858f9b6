"""Reading topics from their beginning, beside the services."""

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition


def reader(kafka: str, *topics: str) -> AIOKafkaConsumer:
    """A consumer of no group, that begins at the beginning."""
    return AIOKafkaConsumer(
        *topics,
        bootstrap_servers=kafka,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )


def partitions_of(consumer: AIOKafkaConsumer, topics: Sequence[str]) -> list[TopicPartition]:
    """The partitions of topics that it reads."""
    return [
        TopicPartition(topic, number)
        for topic in topics
        for number in sorted(consumer.partitions_for_topic(topic) or ())
    ]


async def ends_of(kafka: str, topics: Sequence[str]) -> dict[tuple[str, int], int]:
    """The end offset of every partition of the topics."""
    async with reader(kafka, *topics) as consumer:
        ends = await consumer.end_offsets(partitions_of(consumer, topics))
    return {(one.topic, one.partition): end for one, end in ends.items()}
