"""Applying batches: their effects, offsets and dead letters in one PostgreSQL transaction, each record once.

How the records are read is a consumer's business: ``shared.consumer`` has aiokafka read them, a Faust agent
may as well.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg
import structlog
from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from shared import metrics
from shared.database import Connection
from shared.dead_letters import DeadLetter, Run
from shared.offsets import Move, Numbers, fence, load_numbers, positions, save_numbers
from shared.outbox import NUMBER_HEADER, put_dead_letters
from shared.topics import TOPICS

Apply = Callable[[Connection, Sequence[ConsumerRecord]], Awaitable[Sequence[DeadLetter]]]
"""Applies records through the connection (never committing); returns those that can't be used."""

Batch = Mapping[TopicPartition, Sequence[ConsumerRecord]]

_PUBLIC = frozenset(topic.name for topic in TOPICS if topic.public)
_DEADLOCK_ATTEMPTS = 5
_RELAY_HEADERS = 2

log = structlog.get_logger()


@dataclass
class Applier:
    """What the consumer ``name`` has applied of each of its partitions (``next``), and how it applies more."""

    name: str
    pool: asyncpg.Pool
    apply: Apply
    next: dict[TopicPartition, int] = field(default_factory=dict)
    _numbers: Numbers = field(default_factory=dict)
    _run_of_dead_letters: Run = field(default_factory=Run)

    async def stand(
        self,
        cluster_id: str,
        beginnings: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
    ) -> dict[TopicPartition, int]:
        """Take partitions over: the offset that is to be read next of each, as PostgreSQL says.

        Raises ``WrongClusterError`` and ``OffsetOutsideLogError``.
        """
        async with self.pool.acquire() as connection:
            found = await positions(connection, self.name, cluster_id, beginnings, ends)
            self._numbers |= await load_numbers(connection, self.name, list(beginnings))
        self.next |= found
        return found

    def forget(self, partitions: set[TopicPartition]) -> None:
        """Give partitions up."""
        self.next = {p: n for p, n in self.next.items() if p not in partitions}
        self._numbers = {k: n for k, n in self._numbers.items() if k[0] not in partitions}

    async def transact(self, moves: Sequence[Move], batch: Batch) -> None:
        """Apply a batch and move its partitions; raises ``FencedError`` if another consumer has moved one."""
        records, numbers = self._unseen(batch)
        for attempt in range(1, _DEADLOCK_ATTEMPTS + 1):
            try:
                async with self.pool.acquire() as connection, connection.transaction():
                    await fence(connection, self.name, moves)
                    dead = await self.apply(connection, records) if records else ()
                    following_run = self._run_of_dead_letters.after(records, dead)
                    await put_dead_letters(connection, dead)
                    await save_numbers(connection, self.name, numbers)
                break
            except (asyncpg.DeadlockDetectedError, asyncpg.UniqueViolationError):
                # Two consumers met at the same rows: the one who waits finds them there next time.
                if attempt == _DEADLOCK_ATTEMPTS:
                    raise
        self._run_of_dead_letters = following_run
        self._numbers |= numbers
        self.next |= {move.partition: move.end for move in moves}
        self._count(records, dead)

    def _unseen(self, batch: Batch) -> tuple[list[ConsumerRecord], Numbers]:
        """The records that were not applied before, and the highest numbers among them."""
        records: list[ConsumerRecord] = []
        numbers: Numbers = {}
        for partition, read in batch.items():
            if partition.topic in _PUBLIC:  # not from a relay, whatever the headers say
                records += read
                continue
            for record in read:
                producer, number = _origin(record)
                if producer is not None:
                    key = (partition, producer)
                    if number <= numbers.get(key, self._numbers.get(key, 0)):
                        metrics.REPEATED.labels(self.name).inc()
                        continue
                    numbers[key] = number
                records.append(record)
        return records, numbers

    def _count(self, records: Sequence[ConsumerRecord], dead: Sequence[DeadLetter]) -> None:
        by_topic: dict[str, int] = {}
        for record in records:
            by_topic[record.topic] = by_topic.get(record.topic, 0) + 1
        for topic, count in by_topic.items():
            metrics.RECORDS.labels(self.name, topic).inc(count)
        for letter in dead:
            metrics.DEAD_LETTERS.labels(letter.record.topic, letter.reason).inc()
            log.warning(
                "dead letter",
                topic=letter.record.topic,
                partition=letter.record.partition,
                offset=letter.record.offset,
                reason=letter.reason,
            )


def show(name: str, topics: Sequence[str]) -> None:
    """Have a consumer's counters there before anything is counted: a rise from nothing is not seen."""
    for counter in (metrics.FENCED, metrics.REPEATED, metrics.BATCH_SECONDS):
        counter.labels(name)
    for topic in topics:
        metrics.RECORDS.labels(name, topic)


def _origin(record: ConsumerRecord) -> tuple[str | None, int]:
    """The relay's producer id and number, its two last headers, if a relay sent the record."""
    headers = record.headers
    if len(headers) < _RELAY_HEADERS or headers[-1][0] != NUMBER_HEADER:
        return None, 0
    return headers[-2][1].decode(), int(headers[-1][1])
