"""The outbox: what leaves a service is written by the transaction that caused it, then relayed.

A row holds many messages of one transaction, packed: what a row costs is paid once for all of them.
One relay at a time (an advisory lock) numbers the committed rows as it claims them, because ids can
become visible out of order: a row gets the number of its first message and thereby those of the
others. It sends them in the order of their numbers with an idempotent producer. After an error it
discards the producer and resumes at the first row that was not acknowledged as a whole. Readers
skip numbers that they have (``shared.consumer``).
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from uuid import UUID

import asyncpg
import cramjam
import msgspec
import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from shared import database, metrics
from shared.cluster import WrongClusterError, cluster_id, leave
from shared.codec import cloud_event_headers, encode
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.events.values import Event
from shared.topics import MAX_MESSAGE_BYTES, Topic, dead_letter_name

PRODUCER_HEADER = "ts_producer"
NUMBER_HEADER = "ts_number"
REPEATS_HEADER = "ts_repeats"
# A trigger notifies it.
_CHANNEL = "outbox"
_LOCK = 0x7111_0B0C
_STOP_SECONDS = 5
_COLUMNS = ("messages", "bytes", "packed")
# Before compression: hundreds of messages, and a window ends about where it should.
_ROW_BYTES = 256 * 1024
_OF_EACH = ("ce_id", "ce_type")

_Headers = list[tuple[str, bytes | None]]
Outgoing = tuple[str, bytes | None, bytes | None, _Headers]
"""Topic, key, value and headers of a message."""

_PACK = msgspec.msgpack.Encoder()
# The headers that all messages of a row have, then the messages with the headers of their own.
_UNPACK = msgspec.msgpack.Decoder(tuple[_Headers, list[Outgoing]])

log = structlog.get_logger()


class MessageTooLargeError(ValueError):
    """A message is larger than what the broker takes."""


@dataclass(frozen=True)
class Message:
    """An event on its way out, or its encoded body. ``event_id`` becomes its CloudEvents id.

    ``repeats``: it has been said before and is said again to whoever missed it; readers that count skip it.
    """

    topic: Topic
    key: bytes
    event: Event | bytes
    event_id: str
    repeats: bool = False

    @property
    def body(self) -> bytes:
        """The event, encoded."""
        return self.event if isinstance(self.event, bytes) else encode(self.event)


@dataclass(frozen=True)
class Tombstone:
    """A message without a value: a compacted topic is to forget the key."""

    topic: Topic
    key: bytes
    event_id: str
    body: None = None
    repeats: bool = False


async def put(
    connection: Connection, messages: Iterable[Message | Tombstone], source: str, now: datetime
) -> None:
    """Add the messages within the caller's transaction; they leave in this order, if it commits."""
    common: _Headers = [h for h in cloud_event_headers("", "", source, now) if h[0] not in _OF_EACH]
    outgoing: Iterable[Outgoing] = (
        (
            message.topic.name,
            message.key,
            message.body,
            [
                ("ce_id", message.event_id.encode()),
                ("ce_type", message.topic.event_type.encode()),
                *([(REPEATS_HEADER, b"1")] if message.repeats else []),
            ],
        )
        for message in messages
    )
    await _insert(connection, outgoing, common)


async def put_dead_letters(connection: Connection, dead: Sequence[DeadLetter]) -> None:
    """Add the dead letters, as they came, for their topics' dead-letter topics."""
    outgoing: Iterable[Outgoing] = (
        (dead_letter_name(letter.record.topic), letter.key, letter.value, letter.headers)
        for letter in dead
    )
    await _insert(connection, outgoing, [])


async def _insert(connection: Connection, outgoing: Iterable[Outgoing], common: _Headers) -> None:
    rows = list(pack(outgoing, common))
    if rows:
        await connection.copy_records_to_table("outbox", records=rows, columns=_COLUMNS)


def pack(outgoing: Iterable[Outgoing], common: _Headers) -> Iterator[tuple[int, int, bytes]]:
    """The messages as rows: how many each holds, their bytes, and them, packed. All get the ``common`` headers, too.

    Raises ``MessageTooLargeError``: a message that the broker refuses for its size would break the
    order of those behind it.
    """
    size_of_common = _size_of(common)
    row: list[Outgoing] = []
    row_size = 0
    for message in outgoing:
        topic, key, value, headers = message
        size = len(key or b"") + len(value or b"") + _size_of(headers) + size_of_common
        if size > MAX_MESSAGE_BYTES:
            error = f"a message for {topic} has {size} bytes, over {MAX_MESSAGE_BYTES}"
            raise MessageTooLargeError(error)
        if row and row_size + size > _ROW_BYTES:
            yield _row(row, common)
            row, row_size = [], 0
        row.append(message)
        row_size += size
    if row:
        yield _row(row, common)


def unpack(packed: bytes) -> list[Outgoing]:
    """The messages of a row, in their order, with all their headers but the relay's."""
    common, outgoing = _UNPACK.decode(bytes(cramjam.lz4.decompress_block(packed)))
    return [(topic, key, value, [*own, *common]) for topic, key, value, own in outgoing]


def _row(outgoing: list[Outgoing], common: _Headers) -> tuple[int, int, bytes]:
    encoded = _PACK.encode((common, outgoing))
    # JSON and headers repeat themselves: a fraction of them is written, logged and read again.
    return len(outgoing), len(encoded), bytes(cramjam.lz4.compress_block(encoded))


def _size_of(headers: _Headers) -> int:
    return sum(len(name) + len(value or b"") for name, value in headers)


# A row is taken as a whole, so the last one may go beyond the bytes that are asked for.
_CLAIM = """
with oldest as (
    select id, messages, sum(bytes) over (order by id) - bytes as before
    from (
        select id, messages, bytes from outbox where number is null order by id limit $1
    ) as first
), claimed as (
    select id, messages, sum(messages) over (order by id) as running from oldest where before < $2
), counted as (
    update outbox_producer set last_number = last_number + (select sum(messages) from claimed)
    where exists (select from claimed)
    returning last_number - (select sum(messages) from claimed) as base
)
update outbox set number = counted.base + claimed.running - claimed.messages + 1
from claimed, counted where outbox.id = claimed.id
returning number, packed
"""
_NUMBERED = """
select number, packed from (
    select number, packed, sum(bytes) over (order by number) - bytes as before
    from (
        select number, bytes, packed from outbox
        where number is not null order by number limit $1
    ) as oldest
) as measured
where before < $2
"""


@dataclass
class Relay:
    """Sends the outbox of one database. ``run`` ends only by cancellation or an error."""

    kafka: str
    database: str
    window_rows: int = 2_000
    window_bytes: int = 8 * 1024 * 1024
    batch_bytes: int = 1024 * 1024
    idle_seconds: float = 1.0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Wait for the lock, then relay; Kafka's errors are retried, PostgreSQL's are raised."""
        connection = await database.connect(self.database)
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
            max_batch_size=self.batch_bytes,
            max_request_size=MAX_MESSAGE_BYTES + 64 * 1024,
        )
        try:
            await producer.start()
            # First what an earlier producer left unacknowledged, then what is new.
            while rows := await self._rows(connection, _NUMBERED):
                await self._send(connection, producer, producer_id, rows)
            while True:
                self._wake.clear()
                rows = await self._rows(connection, _CLAIM)
                if rows:
                    await self._send(connection, producer, producer_id, rows)
                else:
                    await self._wait()
        finally:
            await leave(producer, _STOP_SECONDS)

    async def _rows(self, connection: Connection, sql: str) -> list[asyncpg.Record]:
        """A window of rows, in the order of their numbers."""
        rows = await connection.fetch(sql, self.window_rows, self.window_bytes)
        return sorted(rows, key=itemgetter("number"))

    async def _send(
        self,
        connection: Connection,
        producer: AIOKafkaProducer,
        producer_id: UUID,
        rows: Sequence[asyncpg.Record],
    ) -> None:
        producer_header = (PRODUCER_HEADER, str(producer_id).encode())
        queues: dict[tuple[str, bytes | None], list[_Record]] = {}
        partitioned: dict[TopicPartition, list[_Record]] = {}
        for first, packed in rows:
            for number, (topic, key, value, headers) in enumerate(unpack(packed), start=first):
                queue = queues.get((topic, key))
                if queue is None:
                    partitions = await producer.partitions_for(topic)
                    partition = TopicPartition(topic, _partition_of(key, len(partitions)))
                    queue = partitioned.setdefault(partition, [])
                    queues[topic, key] = queue
                headers.append(producer_header)
                headers.append((NUMBER_HEADER, b"%d" % number))
                queue.append((key, value, headers))
        sending = (_send_in_order(producer, *one) for one in partitioned.items())
        failures = [f for f in await asyncio.gather(*sending, return_exceptions=True) if f]
        if failures:
            raise failures[0]
        await connection.execute("delete from outbox where number <= $1", rows[-1]["number"])
        for partition, records in partitioned.items():
            metrics.SENT.labels(partition.topic).inc(len(records))

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), self.idle_seconds)
        except TimeoutError:
            return


_Record = tuple[bytes | None, bytes | None, _Headers]
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
