"""What is on the topics, from where a run began, as a reader must read it: what comes again is skipped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from shared.cluster import partitions_of
from shared.codec import header
from shared.outbox import NUMBER_HEADER, PRODUCER_HEADER
from shared.topics import (
    ATTEMPTS,
    BONUSES,
    CARTS,
    DECISIONS,
    RECEIPTS,
    REDEMPTIONS,
    RETURNS,
    SALES,
)

OF_TILLS = (CARTS.name, SALES.name)
OUTCOMES = (
    DECISIONS.name,
    REDEMPTIONS.name,
    RECEIPTS.name,
    BONUSES.name,
    RETURNS.name,
    ATTEMPTS.name,
)
DEAD = tuple(f"{topic.name}.dlq" for topic in (CARTS, SALES, DECISIONS, RECEIPTS))
READ = (*OF_TILLS, *OUTCOMES, *DEAD)

Marks = Mapping[TopicPartition, int]


@dataclass(frozen=True)
class Entry:
    """A message: ``number`` and ``producer`` are the relay's, if it was sent by one."""

    topic: str
    at_ms: int
    event_id: str
    value: bytes
    reason: str
    producer: str
    number: int


async def ends(kafka: str) -> Marks:
    """Where the topics end now."""
    partitions = await partitions_of(kafka, READ)
    async with AIOKafkaConsumer(bootstrap_servers=kafka) as consumer:
        found: Marks = await consumer.end_offsets(partitions)
    return found


async def read(kafka: str, since: Marks) -> list[Entry]:
    """The messages since then, of each partition in their order."""
    until = await ends(kafka)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    found: list[Entry] = []
    async with consumer:
        consumer.assign(list(until))
        for partition, offset in since.items():
            consumer.seek(partition, offset)
        while [p for p in until if await consumer.position(p) < until[p]]:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += map(_entry, records)
    return found


def unseen(entries: Sequence[Entry]) -> list[Entry]:
    """Without what a relay has sent again: a number no higher than the last of its producer.

    ``entries`` are one topic's; a message sent again is on the partition that it was on before, and
    numbers rise there, so that each number counts once.
    """
    taken: set[tuple[str, int]] = set()
    kept = []
    for entry in entries:
        name = (entry.producer, entry.number)
        if entry.producer and name in taken:
            continue
        taken.add(name)
        kept.append(entry)
    return kept


def _entry(record: ConsumerRecord) -> Entry:
    return Entry(
        topic=record.topic,
        at_ms=record.timestamp,
        event_id=header(record.headers, "ce_id") or "",
        value=record.value or b"",
        reason=header(record.headers, "ts_reason") or "",
        producer=header(record.headers, PRODUCER_HEADER) or "",
        number=int(header(record.headers, NUMBER_HEADER) or 0),
    )
