"""Topics as they stand, read beside the services: where they begin and end, and what is between."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from shared.cluster import partitions_of
from shared.outbox import NUMBER_HEADER, PRODUCER_HEADER

Offsets = Mapping[TopicPartition, int]
_POLL_MS = 1_000
_MOST_RECORDS = 5_000
_MOST_BYTES = 8 * 1024 * 1024


@dataclass
class Repeats:
    """Tells records that a relay has sent before, as every reader must: by the highest number of its producer there."""

    _highest: dict[tuple[str, int, bytes], int] = field(default_factory=dict)

    def has(self, record: ConsumerRecord) -> bool:
        """Whether the record is a repeat; records of a partition come in its order."""
        headers = dict(record.headers)
        producer, number = headers.get(PRODUCER_HEADER), headers.get(NUMBER_HEADER)
        if producer is None or number is None:
            return False
        place = (record.topic, record.partition, producer)
        if int(number) <= self._highest.get(place, 0):
            return True
        self._highest[place] = int(number)
        return False


async def beginnings_of(kafka: str, topics: Sequence[str]) -> Offsets:
    """The first offset that is kept of every partition of the topics."""
    partitions = await partitions_of(kafka, topics)
    async with AIOKafkaConsumer(bootstrap_servers=kafka) as consumer:
        first: Offsets = await consumer.beginning_offsets(partitions)
    return first


async def ends_of(kafka: str, topics: Sequence[str]) -> Offsets:
    """The end offset of every partition of the topics."""
    partitions = await partitions_of(kafka, topics)
    async with AIOKafkaConsumer(bootstrap_servers=kafka) as consumer:
        last: Offsets = await consumer.end_offsets(partitions)
    return last


async def read(kafka: str, since: Offsets, until: Offsets) -> AsyncIterator[list[ConsumerRecord]]:
    """The records from ``since`` up to ``until``, which has its partitions; in batches, each partition in order."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=_MOST_BYTES,
    )
    rest = [one for one, end in until.items() if since.get(one, 0) < end]
    async with consumer:
        consumer.assign(rest)
        for one in rest:
            consumer.seek(one, since.get(one, 0))
        while rest:
            found = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_MOST_RECORDS)
            for one, records in found.items():
                yield [record for record in records if record.offset < until[one]]
            rest = [one for one in rest if await consumer.position(one) < until[one]]
