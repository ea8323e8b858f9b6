"""The outbox: what leaves a service is written by the transaction that caused it, then relayed.

One relay at a time (an advisory lock) numbers the committed rows as it claims them, because ids can
become visible out of order, and sends them in the order of their numbers with an idempotent
producer. After an error it discards the producer and resumes at the first row that was not
acknowledged. Readers skip numbers that they have (``shared.consumer``).
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from uuid import UUID

import asyncpg
import msgspec
import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from shared import metrics
from shared.cluster import WrongClusterError, cluster_id
from shared.codec import cloud_event_headers, encode
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.events.values import Event
from shared.topics import MAX_MESSAGE_BYTES, Topic, dead_letter_name

PRODUCER_HEADER = "ts_producer"
NUMBER_HEADER = "ts_number"
_CHANNEL = "outbox"
_LOCK = 0x7111_0B0C
_STOP_SECONDS = 5
_COLUMNS = ("topic", "key", "value", "headers")
_HEADERS = msgspec.msgpack.Encoder()
_DECODE_HEADERS = msgspec.msgpack.Decoder(list[tuple[str, bytes | None]])

log = structlog.get_logger()


class MessageTooLargeError(ValueError):
    """A message is larger than what the broker takes."""


@dataclass(frozen=True)
class Message:
    """An event on its way out, or its encoded body. ``event_id`` becomes its CloudEvents id."""

    topic: Topic
    key: bytes
    event: Event | bytes
    event_id: str


async def put(
    connection: Connection, messages: Iterable[Message], source: str, now: datetime
) -> None:
    """Add the messages within the caller's transaction; they leave in this order, if it commits."""
    await _insert(
        connection,
        [
            (
                message.topic.name,
                message.key,
                message.event if isinstance(message.event, bytes) else encode(message.event),
                _HEADERS.encode(
                    cloud_event_headers(message.event_id, message.topic.event_type, source, now)
                ),
            )
            for message in messages
        ],
    )


async def put_dead_letters(connection: Connection, dead: Sequence[DeadLetter]) -> None:
    """Add the dead letters, as they came, for their topics' dead-letter topics."""
    await _insert(
        connection,
        [
            (
                dead_letter_name(letter.record.topic),
                letter.key,
                letter.value,
                _HEADERS.encode(letter.headers),
            )
            for letter in dead
        ],
    )


async def _insert(
    connection: Connection, rows: list[tuple[str, bytes | None, bytes | None, bytes]]
) -> None:
    for topic, key, value, headers in rows:
        # A message that the broker refuses for its size would break the order of those behind it.
        size = len(key or b"") + len(value or b"") + len(headers)
        if size > MAX_MESSAGE_BYTES:
            message = f"a message for {topic} has {size} bytes, over {MAX_MESSAGE_BYTES}"
            raise MessageTooLargeError(message)
    if rows:
        await connection.copy_records_to_table("outbox", records=rows, columns=_COLUMNS)
        await connection.execute("select pg_notify($1, '')", _CHANNEL)


_CLAIM = """
with claimed as (
    select id, row_number() over (order by id) as position
    from (select id from outbox where number is null order by id limit $1) as oldest
), counted as (
    update outbox_producer set last_number = last_number + (select count(*) from claimed)
    returning last_number - (select count(*) from claimed) as base
)
update outbox set number = counted.base + claimed.position
from claimed, counted where outbox.id = claimed.id
"""
_NUMBERED = """
select number, topic, key, value, headers from outbox
where number is not null order by number limit $1
"""


@dataclass
class Relay:
    """Sends the outbox of one database. ``run`` ends only by cancellation or an error."""

    kafka: str
    database: str
    window: int = 2_000
    idle_seconds: float = 1.0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Wait for the lock, then relay; Kafka's errors are retried, PostgreSQL's are raised."""
        connection = await asyncpg.connect(self.database)
        try:
            await connection.add_listener(_CHANNEL, lambda *_: self._wake.set())
            # The session holds the lock: whoever loses its connection has lost its turn to claim.
            while not await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK):
                await asyncio.sleep(self.idle_seconds)
            producer_id = await self._identity(connection)
            while True:
                try:
                    await self._relay(connection, producer_id)
                except KafkaError as error:
                    metrics.RELAY_RESTARTS.inc()
                    log.warning("relay discards its producer", error=type(error).__name__)
                    await asyncio.sleep(self.idle_seconds)
        finally:
            await connection.close(timeout=5)

    async def _identity(self, connection: asyncpg.Connection) -> UUID:
        """The producer's id; raises ``WrongClusterError`` if it has sent to another cluster."""
        cluster = await cluster_id(self.kafka)
        [row] = await connection.fetch(
            "update outbox_producer set cluster_id = coalesce(cluster_id, $1)"
            " returning producer, cluster_id",
            cluster,
        )
        if row["cluster_id"] != cluster:
            message = (
                f"this outbox was sent to Kafka cluster {row['cluster_id']}, this is {cluster}: "
                "connect to the cluster that this database belongs to"
            )
            raise WrongClusterError(message)
        producer_id: UUID = row["producer"]
        return producer_id

    async def _relay(self, connection: Connection, producer_id: UUID) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.kafka,
            enable_idempotence=True,
            acks="all",
            max_batch_size=1024 * 1024,
            max_request_size=MAX_MESSAGE_BYTES + 64 * 1024,
        )
        try:
            await producer.start()
            while True:
                self._wake.clear()
                # First what an earlier producer left unacknowledged, then what is new.
                rows = await connection.fetch(_NUMBERED, self.window)
                if not rows:
                    await connection.execute(_CLAIM, self.window)
                    rows = await connection.fetch(_NUMBERED, self.window)
                if rows:
                    await self._send(connection, producer, producer_id, rows)
                else:
                    await self._wait()
        finally:
            # Stopping flushes, and a broker that is gone would never let it finish.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(producer.stop(), _STOP_SECONDS)

    async def _send(
        self,
        connection: Connection,
        producer: AIOKafkaProducer,
        producer_id: UUID,
        rows: Sequence[asyncpg.Record],
    ) -> None:
        producer_header = (PRODUCER_HEADER, str(producer_id).encode())
        partitioned: dict[TopicPartition, list[_Record]] = {}
        for number, topic, key, value, headers in rows:
            partitions = await producer.partitions_for(topic)
            all_headers = [
                *_DECODE_HEADERS.decode(headers),
                producer_header,
                (NUMBER_HEADER, b"%d" % number),
            ]
            partition = TopicPartition(topic, _partition_of(key, len(partitions)))
            partitioned.setdefault(partition, []).append((key, value, all_headers))
        sending = (_send_in_order(producer, *one) for one in partitioned.items())
        failures = [f for f in await asyncio.gather(*sending, return_exceptions=True) if f]
        if failures:
            raise failures[0]
        await connection.execute("delete from outbox where number <= $1", rows[-1]["number"])
        for topic, count in Counter(row["topic"] for row in rows).items():
            metrics.SENT.labels(topic).inc(count)

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), self.idle_seconds)
        except TimeoutError:
            return


_Record = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]
_PARTITIONER = DefaultPartitioner()


@lru_cache(maxsize=100_000)
def _partition_of(key: bytes | None, partitions: int) -> int:
    """Where Kafka's clients in other languages would put the key, too; without one always the same."""
    numbers = list(range(partitions))
    partition: int = _PARTITIONER(key or b"", numbers, numbers)
    return partition


async def _send_in_order(
    producer: AIOKafkaProducer, partition: TopicPartition, records: Sequence[_Record]
) -> None:
    """Send records of one partition, a batch once the one before it is acknowledged.

    Else a batch that fails might be overtaken by the next, and its numbers skipped by readers. In
    batches, because a future for each record costs more than all the rest of sending it.
    """
    batch = producer.create_batch()
    for key, value, headers in records:
        record = {"key": key, "value": value, "timestamp": None, "headers": headers}
        if batch.append(**record) is None:  # it is full; the first record always fits
            await _submit(producer, batch, partition)
            batch = producer.create_batch()
            batch.append(**record)
    await _submit(producer, batch, partition)


async def _submit(
    producer: AIOKafkaProducer, batch: BatchBuilder, partition: TopicPartition
) -> None:
    """Send a batch and wait until it is acknowledged."""
    sent = await producer.send_batch(batch, partition.topic, partition=partition.partition)
    await sent
