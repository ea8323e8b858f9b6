"""The transactional consumer: a batch, its effects and its offsets in one PostgreSQL transaction.

Effects are exactly-once whatever Kafka's committed offsets say: a partition is read from the offset
in PostgreSQL, and the first statement of every transaction moves that offset or fails.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, NoOffsetForPartitionError
from aiokafka.structs import ConsumerRecord

from shared import clock, metrics
from shared.applying import Applier, Apply, show
from shared.cluster import cluster_id, leave
from shared.offsets import FencedError, Move
from shared.watchdog import Watchdog

Batch = dict[TopicPartition, list[ConsumerRecord]]

Ends = dict[TopicPartition, int]

_IDLE_SECONDS = 1.0
_POLL_MS = 200
_WATCH_SECONDS = 5.0
_STOP_SECONDS = 10
_SLICE_RECORDS = 100
_NOWHERE = -1  # no number of seeks: what was read must be read again

log = structlog.get_logger()


@dataclass
class TransactionalConsumer:
    """Reads ``topics`` in consumer group ``name``; ``run`` ends only by cancellation or an error.

    Raises what breaks it: a wrong cluster, an offset outside the log, too many dead letters,
    ``StalledError`` by the watchdog, a lost PostgreSQL or Kafka.
    """

    name: str
    topics: Sequence[str]
    kafka: str
    pool: asyncpg.Pool
    apply: Apply
    max_records: int = 1000
    watchdog: Watchdog = field(default_factory=Watchdog)
    _applier: Applier = field(init=False)
    _failure: BaseException | None = None
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    _idle_since: float = 0.0
    _cluster_id: str = ""
    _seeks: int = 0

    def __post_init__(self) -> None:
        """Nothing is applied yet."""
        self._applier = Applier(self.name, self.pool, self.apply)

    async def run(self) -> None:
        """Consume until cancelled."""
        self._failure = None
        self._applier.forget({*self._applier.next})
        show(self.name, self.topics)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka,
            group_id=self.name,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",  # tills may use transactions
            max_partition_fetch_bytes=4 * 1024 * 1024,
            fetch_max_wait_ms=100,
            # Short: a consumer that was killed blocks its partitions for so long.
            session_timeout_ms=6_000,
            heartbeat_interval_ms=1_500,
        )
        consumer.subscribe(list(self.topics), listener=_Rebalance(self, consumer))
        self._cluster_id = await cluster_id(self.kafka)
        tasks: list[asyncio.Task[None]] = []
        try:
            await consumer.start()
            tasks += map(asyncio.create_task, (self._watch(consumer), self._consume(consumer)))
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await leave(consumer, _STOP_SECONDS)

    async def _consume(self, consumer: AIOKafkaConsumer) -> None:
        reading = asyncio.create_task(self._read(consumer))
        try:
            while True:
                seeks, batch, ends = await reading
                # The next batch is read while PostgreSQL works on this one.
                reading = asyncio.create_task(self._read(consumer))
                if not await self._step(consumer, batch, ends, seeks):
                    reading.cancel()
                    await asyncio.gather(reading, return_exceptions=True)
                    await self._stand(consumer)
                    reading = asyncio.create_task(self._read(consumer))
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self, consumer: AIOKafkaConsumer) -> tuple[int, Batch, Ends]:
        """The number of seeks so far, the next batch, and where each partition stands behind it.

        That is not always behind the last record: markers of transactions take offsets, too.
        """
        if self._failure is not None:
            raise self._failure
        seeks = self._seeks
        try:
            batch = await self._slices(consumer)
            ends = {
                partition: await consumer.position(partition)
                for partition in consumer.assignment() & self._applier.next.keys()
            }
        except (NoOffsetForPartitionError, IllegalStateError):
            # aiokafka asks Kafka for a committed offset while the listener is still seeking; a
            # partition may be taken away at any moment. What was read by then is read again.
            return _NOWHERE, {}, {}
        return seeks, batch, ends

    async def _slices(self, consumer: AIOKafkaConsumer) -> Batch:
        """Up to ``max_records``, a slice at a time.

        Parsing thousands of records holds the event loop for tens of milliseconds. In one piece it
        would all be done while PostgreSQL begins the transaction, and none while it works.
        """
        batch: Batch = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_SLICE_RECORDS)
        count = taken = sum(map(len, batch.values()))
        while taken and count < self.max_records:
            await asyncio.sleep(0)
            size = min(_SLICE_RECORDS, self.max_records - count)
            more = await consumer.getmany(timeout_ms=0, max_records=size)
            for partition, records in more.items():
                batch.setdefault(partition, []).extend(records)
            taken = sum(map(len, more.values()))
            count += taken
        return batch

    async def _stand(self, consumer: AIOKafkaConsumer) -> None:
        """Read on from where PostgreSQL says: what was read and not applied is read again."""
        async with self._busy:
            for partition, following in self._applier.next.items():
                consumer.seek(partition, following)

    async def _step(self, consumer: AIOKafkaConsumer, batch: Batch, ends: Ends, seeks: int) -> bool:
        """Apply a batch; False if it was dropped, and with it what has been read behind it."""
        async with self._busy:
            if seeks != self._seeks:
                # It was read while the consumer was being moved: from before or from after, there
                # is no telling. Or it could not be read to its end.
                return False
            batch = {p: records for p, records in batch.items() if p in self._applier.next}
            idle = not batch and clock.monotonic() - self._idle_since > _IDLE_SECONDS
            moves = self._moves(consumer, batch, ends) if batch or idle else []
            if not moves:
                return True
            started = self._idle_since = clock.monotonic()
            try:
                await self._applier.transact(moves, batch)
            except FencedError:
                metrics.FENCED.labels(self.name).inc()
                log.warning("fenced: another consumer has the partition", consumer=self.name)
                await self.seek(consumer, sorted(consumer.assignment()))
                return False
            if batch:
                metrics.BATCH_SECONDS.labels(self.name).observe(clock.monotonic() - started)
            return True

    def _moves(self, consumer: AIOKafkaConsumer, batch: Batch, ends: Ends) -> list[Move]:
        """The step of every partition; one without records only tells until when it was read."""
        moves = []
        for partition, start in sorted(self._applier.next.items()):
            records = batch.get(partition)
            end = max(start, ends.get(partition, start))
            polled_ms = None
            if consumer.highwater(partition) == end:
                polled_ms = consumer.last_poll_timestamp(partition)
            elif records:
                polled_ms = records[-1].timestamp
            read_until = None if not polled_ms else datetime.fromtimestamp(polled_ms / 1000, UTC)
            if end > start or read_until is not None:
                moves.append(Move(partition, start, end, read_until))
        return moves

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        watchdog = self.watchdog
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            standing = dict(self._applier.next)
            ends = await consumer.end_offsets(list(standing)) if standing else {}
            lag: dict[str, int] = dict.fromkeys(self.topics, 0)
            for partition, end in ends.items():
                lag[partition.topic] += max(0, end - standing[partition])
            for topic, records in lag.items():
                metrics.LAG.labels(self.name, topic).set(records)
            watchdog = watchdog.observe(
                sum(standing.values()), sum(lag.values()), clock.monotonic()
            )

    async def forget(self, partitions: set[TopicPartition]) -> None:
        """Give partitions up, after the transaction under way."""
        async with self._busy:
            self._seeks += 1
            self._applier.forget(partitions)

    async def assign(self, consumer: AIOKafkaConsumer, partitions: set[TopicPartition]) -> None:
        """Take partitions over; what fails is raised by ``run``."""
        async with self._busy:
            try:
                await self.seek(consumer, sorted(partitions))
            except Exception as error:  # noqa: BLE001 - raised by run, in the consumer's own task
                self._failure = error

    async def seek(self, consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> None:
        """Stand where PostgreSQL says; what was read beyond that is dropped."""
        if not partitions:
            return
        beginnings = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        found = await self._applier.stand(self._cluster_id, beginnings, ends)
        self._seeks += 1
        for partition, offset in found.items():
            consumer.seek(partition, offset)


class _Rebalance(ConsumerRebalanceListener):  # type: ignore[misc]
    """aiokafka logs and drops what a listener raises, so failures are kept for the consumer."""

    def __init__(self, owner: TransactionalConsumer, consumer: AIOKafkaConsumer) -> None:
        self._owner = owner
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Let the transaction under way end, then forget the partitions."""
        await self._owner.forget(revoked)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Stand where PostgreSQL says."""
        await self._owner.assign(self._consumer, assigned)
