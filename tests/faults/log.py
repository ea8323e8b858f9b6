"""What is on the topics, from where a run began, as a reader must read it: what comes again is skipped."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka.structs import ConsumerRecord

from deploy.log import Offsets, ends_of, read
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


async def ends(kafka: str) -> Offsets:
    """Where the topics end now."""
    return await ends_of(kafka, READ)


async def entries(kafka: str, since: Offsets) -> list[Entry]:
    """The messages since then, of each partition in their order."""
    batches = read(kafka, since, await ends(kafka))
    return [_entry(record) async for batch in batches for record in batch]


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
