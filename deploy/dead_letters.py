"""Dead letters, for an operator: what could not be used and why, and sending it again."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import ConsumerRecord

from shared.cluster import partitions_of
from shared.codec import header
from shared.topics import BY_NAME, MAX_MESSAGE_BYTES

_RETRIED = "tillstream.dead-letters"
"""The consumer group whose offsets tell how far dead letters have been sent again."""
_OURS = "ts_"


@dataclass(frozen=True)
class Letter:
    """A dead letter; ``retried`` once it has been sent to its topic again."""

    record: ConsumerRecord
    retried: bool

    @property
    def topic(self) -> str:
        """The topic it came from."""
        return self._header("ts_origin_topic")

    @property
    def origin(self) -> str:
        """Topic, partition and offset it came from."""
        partition = self._header("ts_origin_partition")
        return f"{self.topic}/{partition}@{self._header('ts_origin_offset')}"

    @property
    def reason(self) -> str:
        """A word for counting."""
        return self._header("ts_reason")

    @property
    def detail(self) -> str:
        """What is wrong with which field; no content."""
        return self._header("ts_detail")

    @property
    def event_id(self) -> str:
        """The CloudEvents id of the event."""
        return self._header("ce_id")

    def _header(self, name: str) -> str:
        return header(self.record.headers, name) or ""


async def letters(kafka: str, topic: str | None = None) -> list[Letter]:
    """The dead letters that are kept, oldest first of each topic; of all topics by default."""
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka,
        group_id=_RETRIED,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    ) as consumer:
        return [letter async for letter in _read(consumer, await _partitions(kafka, topic))]


async def retry(kafka: str, topic: str | None = None, reason: str | None = None) -> int:
    """Send dead letters that were not sent again yet to their topics; returns how many.

    They keep their event ids, so what was applied meanwhile is applied once. With ``reason`` only
    those; the rest stay to be retried.
    """
    async with (
        AIOKafkaConsumer(
            bootstrap_servers=kafka,
            group_id=_RETRIED,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        ) as consumer,
        AIOKafkaProducer(
            bootstrap_servers=kafka, enable_idempotence=True, max_request_size=MAX_MESSAGE_BYTES
        ) as producer,
    ):
        sent = 0
        ends: dict[TopicPartition, int] = {}
        async for letter in _read(consumer, await _partitions(kafka, topic)):
            record = letter.record
            if not letter.retried and reason in (None, letter.reason):
                own = [(k, v) for k, v in record.headers if not k.startswith(_OURS)]
                await producer.send_and_wait(
                    letter.topic, record.value, key=record.key, headers=own
                )
                sent += 1
            ends[TopicPartition(record.topic, record.partition)] = record.offset + 1
        if ends and reason is None:
            await consumer.commit(ends)
        return sent


async def _partitions(kafka: str, topic: str | None) -> list[TopicPartition]:
    topics = [BY_NAME[topic]] if topic else list(BY_NAME.values())
    return await partitions_of(kafka, [each.dead_letter_name for each in topics])


async def _read(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]
) -> AsyncIterator[Letter]:
    consumer.assign(partitions)
    beginnings = await consumer.beginning_offsets(partitions)
    ends = await consumer.end_offsets(partitions)
    for partition in partitions:
        retried = await consumer.committed(partition) or 0
        consumer.seek(partition, beginnings[partition])
        position = beginnings[partition]
        while position < ends[partition]:
            for record in (await consumer.getmany(partition, timeout_ms=1_000)).get(partition, ()):
                yield Letter(record, record.offset < retried)
                position = record.offset + 1
