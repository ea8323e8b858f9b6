"""How far each source of statistics has been counted: offsets in PostgreSQL beside the ends of the log."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.analytics.figures import Freshness, Source
from services.analytics.stream import CONSUMER, TOPICS
from shared import clock
from shared.database import Connection
from shared.supervision import supervise

_EVERY_SECONDS = 2.0
_KEPT_SECONDS = 1.0
_OFFSETS = """
select now() as as_of, topic, partition, next, read_until
from (select) once left join offsets on consumer = $1 order by topic, partition
"""


@dataclass
class Fresh:
    """The freshness now, for all who watch: read once a second at most."""

    pool: asyncpg.Pool
    ends: "Ends"
    _latest: Freshness | None = None
    _read_at: float = 0.0
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def now(self) -> Freshness:
        """As of a second ago or later."""
        async with self._reading:
            if self._latest is None or clock.monotonic() - self._read_at > _KEPT_SECONDS:
                async with self.pool.acquire() as connection:
                    self._latest = await freshness(connection, self.ends.known)
                self._read_at = clock.monotonic()
            return self._latest


@dataclass
class Ends:
    """Where the log of each partition ends, as Kafka said a moment ago; nothing while it is silent."""

    kafka: str = ""
    known: Mapping[TopicPartition, int] = field(default_factory=dict)

    async def watch(self) -> None:
        """Ask again and again."""
        await supervise("ends of the log", self._watch)

    async def _watch(self) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka)
        await consumer.start()
        try:
            consumer.subscribe(list(TOPICS))
            while True:
                partitions = [
                    TopicPartition(topic, number)
                    for topic in TOPICS
                    for number in consumer.partitions_for_topic(topic) or ()
                ]
                self.known = await consumer.end_offsets(partitions)
                await asyncio.sleep(_EVERY_SECONDS)
        finally:
            self.known = {}
            await consumer.stop()


async def freshness(connection: Connection, ends: Mapping[TopicPartition, int]) -> Freshness:
    """The instant of this reading, and until when what is in the log is counted.

    By the clocks of the servers. ``counted_until`` is None before all has been read once.
    """
    rows = await connection.fetch(_OFFSETS, CONSUMER)
    sources: dict[str, list[Source]] = {}
    for row in rows:
        if row["topic"] is not None:
            end = ends.get(TopicPartition(row["topic"], row["partition"]))
            behind = None if end is None else max(0, end - row["next"])
            one = Source(topic=row["topic"], read_until=row["read_until"], records_behind=behind)
            sources.setdefault(one.topic, []).append(one)
    whole = tuple(_whole(topic, parts) for topic, parts in sources.items())
    until = [one.read_until for one in whole]
    known = [instant for instant in until if instant is not None]
    return Freshness(
        as_of=rows[0]["as_of"],
        counted_until=min(known) if known and len(known) == len(until) else None,
        sources=whole,
    )


def _whole(topic: str, parts: list[Source]) -> Source:
    """A topic's partitions as one: none of them is counted further than the last."""
    instants = [one.read_until for one in parts if one.read_until is not None]
    behind = [one.records_behind for one in parts if one.records_behind is not None]
    return Source(
        topic=topic,
        read_until=min(instants) if len(instants) == len(parts) else None,
        records_behind=sum(behind) if len(behind) == len(parts) else None,
    )
