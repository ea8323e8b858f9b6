"""The log, read by a Faust app from where PostgreSQL says, and applied batch by batch.

Faust commits what it has acknowledged, not what took effect (its issue 606), and loses counts of its tables when it
is killed: 241 of 200,000 events at best. So it hosts the agent, timers and crontab, and nothing more: what it takes
for "committed" is what PostgreSQL has, and nothing is committed to Kafka.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

import asyncpg
import faust
import structlog
from aiokafka import TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from shared import clock, metrics
from shared.applying import Applier, Apply, show
from shared.cluster import cluster_id
from shared.offsets import Move
from shared.supervision import TRANSIENT, named
from shared.watchdog import Watchdog

MOST_RECORDS = 1_000
MOST_POLLED = 4_000
"""What Faust reads ahead: with less, it stands while a batch is applied."""
MOST_BYTES = 2 << 20
"""Of one transaction, if more than a record is needed for it: a chunk names a thousand customers, a receipt one."""
_WITHIN_SECONDS = 0.1
_MOST_GATHERED = 8
"""Of what came within a tenth of a second each."""
_BEHIND_SECONDS = 1.0
_FULL_WITHIN_SECONDS = 0.3
_RETRY_SECONDS = 0.5
_WATCH_SECONDS = 5.0
_STOP_SECONDS = 10.0
_SESSION_SECONDS = 6.0
_HEARTBEAT_SECONDS = 1.5

log = structlog.get_logger()


class GapError(RuntimeError):
    """Faust has skipped records: what is missing must be read again."""


@dataclass(frozen=True)
class Chore:
    """What is done ``every`` so many seconds, or ``at`` the times of a crontab (UTC); it commits its own work.

    ``behind``: how many seconds pass at least while what is applied was written more than a second ago.
    """

    run: Callable[[], Awaitable[None]]
    every: float | None = None
    at: str = ""
    behind: float = 0.0


@dataclass
class Log:
    """Reads ``topics`` as consumer group ``name``, applies them, and does the chores meanwhile.

    ``run`` ends only by cancellation or an error: a wrong cluster, an offset outside the log, another consumer that
    has the partition, too many dead letters, records that Faust has skipped, no progress. PostgreSQL may go away
    and come back.
    """

    name: str
    topics: Sequence[str]
    kafka: str
    pool: asyncpg.Pool
    apply: Apply
    chores: Sequence[Chore] = ()
    watchdog: Watchdog = field(default_factory=Watchdog)
    _applier: Applier = field(init=False)
    _cluster_id: str = ""
    _generation: int = -1
    _behind: bool = False
    _failed: "asyncio.Future[None]" = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is applied yet."""
        self._applier = Applier(self.name, self.pool, self.apply)

    async def run(self) -> None:
        """Read until cancelled."""
        show(self.name, self.topics)
        self._cluster_id = await cluster_id(self.kafka)
        self._applier.forget({*self._applier.next})
        self._failed = asyncio.get_running_loop().create_future()
        app = self._app()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(_stop, app)
            await app.start()
            stopped = asyncio.ensure_future(app.wait_until_stopped())
            stack.callback(stopped.cancel)
            await asyncio.wait((stopped, self._failed), return_when=asyncio.FIRST_COMPLETED)
        if self._failed.done():
            self._failed.result()
        raise app.crash_reason or RuntimeError("the Faust app has stopped")

    def _app(self) -> faust.App:
        app = faust.App(
            self.name,
            broker=f"kafka://{self.kafka}",
            store="memory://",
            key_serializer="raw",
            value_serializer="raw",
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            consumer_auto_offset_reset="earliest",
            broker_max_poll_records=MOST_POLLED,
            broker_session_timeout=_SESSION_SECONDS,
            broker_heartbeat_interval=_HEARTBEAT_SECONDS,
            stream_buffer_maxsize=2 * MOST_POLLED,
        )
        app.transport = transport = _Transport(app.conf.broker_consumer, app)
        transport.stand = self._stand
        facts = app.topic(*self.topics, key_type=bytes, value_type=bytes)
        app.agent(facts, name=f"{self.name}.facts", concurrency=1)(self._facts)
        app.timer(interval=_WATCH_SECONDS)(self._guarded(partial(self._watch, app)))
        for chore in self.chores:
            made = app.timer(chore.every) if chore.every is not None else app.crontab(chore.at)
            made(self._guarded(self._sparing(chore) if chore.behind else chore.run))
        return app

    async def _facts(self, stream: Any) -> None:  # Faust's own type lacks take_events
        """The agent. While PostgreSQL works on a batch, the next ones are gathered."""
        gathered: asyncio.Queue[list[Any]] = asyncio.Queue(_MOST_GATHERED)
        applying = asyncio.create_task(self._apply_all(gathered))
        try:
            async for events in stream.take_events(MOST_RECORDS, within=_WITHIN_SECONDS):
                if self._failed.done():
                    return
                await gathered.put([event.message for event in events])
        finally:
            applying.cancel()
            await asyncio.gather(applying, return_exceptions=True)

    async def _apply_all(self, gathered: "asyncio.Queue[list[Any]]") -> None:
        try:
            while True:
                messages = await self._batch_of(gathered)
                for portion in portions(messages):
                    await self._applied(portion)
                self._behind = False
        except Exception as error:  # noqa: BLE001 - raised by run: Faust would log it and read on
            self._fail(error)

    async def _batch_of(self, gathered: "asyncio.Queue[list[Any]]") -> list[Any]:
        """What is gathered, as far as one batch goes. While behind, a full one is worth waiting for.

        The same stores and goods come again in it, and are written once.
        """
        messages = await gathered.get()
        self._behind = _age_seconds(messages[-1]) > _BEHIND_SECONDS
        while len(messages) < MOST_RECORDS:
            if gathered.empty() and not self._behind:
                break
            try:
                messages += await asyncio.wait_for(gathered.get(), _FULL_WITHIN_SECONDS)
            except TimeoutError:
                break
        return messages

    async def _applied(self, messages: Sequence[Any]) -> None:
        """Apply messages, waiting for PostgreSQL if need be."""
        while True:
            batch, moves = self._batch(messages)
            if not moves:
                return
            try:
                started = clock.monotonic()
                await self._applier.transact(moves, batch)
            except TRANSIENT as error:
                if isinstance(error, ValueError):  # asyncpg.DataError is an InterfaceError, too
                    raise
                metrics.TASK_RESTARTS.labels(self.name).inc()
                log.warning("waiting for a server", task=self.name, error=named(error))
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                metrics.BATCH_SECONDS.labels(self.name).observe(clock.monotonic() - started)
                return

    def _batch(self, messages: Sequence[Any]) -> tuple[dict[TopicPartition, list[Any]], list[Move]]:
        """Messages by partition and how far they go. Raises ``GapError``.

        What was read before the partitions were given out anew is read again; what is applied already is skipped.
        """
        batch: dict[TopicPartition, list[Any]] = {}
        for message in messages:
            partition = TopicPartition(message.topic, message.partition)
            following = self._applier.next.get(partition)
            if message.generation_id != self._generation or following is None:
                continue
            read = batch.setdefault(partition, [])
            expected = read[-1].offset + 1 if read else following
            if message.offset > expected:
                text = f"{self.name}: {message.topic}/{message.partition} goes from {expected} to {message.offset}"
                raise GapError(text)
            if message.offset == expected:
                read.append(message)
        moves = [
            Move(partition, read[0].offset, read[-1].offset + 1, _instant(read[-1].timestamp))
            for partition, read in sorted(batch.items())
            if read
        ]
        return {partition: read for partition, read in batch.items() if read}, moves

    async def _stand(self, consumer: driver.Consumer) -> Mapping[TP, int]:
        """Where Faust is to read on: its own idea of that is what was acknowledged."""
        assigned = [TopicPartition(*tp) for tp in sorted(consumer.assignment())]
        generation = consumer.app.consumer_generation_id
        try:
            beginnings = await consumer.earliest_offsets(*assigned) if assigned else {}
            ends = await consumer.highwaters(*assigned) if assigned else {}
            self._applier.forget({*self._applier.next} - {*assigned})
            found = await self._applier.stand(self._cluster_id, beginnings, ends)
        except Exception as error:
            self._fail(error)
            raise
        self._generation = generation
        standing = {TP(*partition): offset for partition, offset in found.items()}
        for tp, offset in standing.items():
            await consumer.seek(tp, offset)
        return standing

    def _fail(self, error: Exception) -> None:
        if not self._failed.done():
            self._failed.set_exception(error)

    def _sparing(self, chore: Chore) -> Callable[[], Awaitable[None]]:
        """The chore, that lets the log go first while it is behind."""
        ran_at = -chore.behind

        async def sparing() -> None:
            nonlocal ran_at
            if not self._behind or clock.monotonic() - ran_at >= chore.behind:
                await chore.run()
                ran_at = clock.monotonic()

        return sparing

    def _guarded(self, run: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """The chore, as Faust calls it: a server that is away is met again next time, all else is raised by run."""

        async def guarded() -> None:
            try:
                await run()
            except asyncpg.DeadlockDetectedError:
                log.warning("a chore met others at the same rows: next time", task=self.name)
            except TRANSIENT as error:
                if isinstance(error, ValueError):
                    self._fail(error)
                else:
                    log.warning("waiting for a server", task=self.name, error=named(error))
            except Exception as error:  # noqa: BLE001 - raised by run
                self._fail(error)

        return guarded

    async def _watch(self, app: faust.App) -> None:
        """Tell how far behind we are, and whether anything moves."""
        standing = dict(self._applier.next)
        ends = await app.consumer.highwaters(*(TP(*one) for one in standing)) if standing else {}
        lag: dict[str, int] = dict.fromkeys(self.topics, 0)
        for partition, end in ends.items():
            lag[partition[0]] += max(0, end - standing[TopicPartition(*partition)])
        for topic, records in lag.items():
            metrics.LAG.labels(self.name, topic).set(records)
        self.watchdog = self.watchdog.observe(
            sum(standing.values()), sum(lag.values()), clock.monotonic()
        )


class _Consumer(driver.Consumer):
    """Faust's consumer, with PostgreSQL's idea of what is committed."""

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek to where PostgreSQL says; Faust calls it whenever partitions are given out."""
        transport = cast(_Transport, self.transport)
        return await transport.stand(self)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:  # noqa: ARG002 - Faust's signature
        return True  # offsets are in PostgreSQL

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: Faust would warn that nothing is committed; whether anything moves our watchdog sees."""


class _Transport(driver.Transport):
    Consumer = _Consumer
    stand: Callable[[driver.Consumer], Awaitable[Mapping[TP, int]]]


def portions(messages: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Messages as they came, in portions of ``MOST_BYTES`` or of one message."""
    start = size = 0
    for at, message in enumerate(messages):
        size += len(message.value or b"")
        if size > MOST_BYTES and at > start:
            yield messages[start:at]
            start, size = at, len(message.value or b"")
    if start < len(messages):
        yield messages[start:]


async def _stop(app: faust.App) -> None:
    """Stop it, or let it be after a while: with its broker gone it would wait for ever."""
    stopping = asyncio.ensure_future(app.stop())
    await asyncio.wait({stopping}, timeout=_STOP_SECONDS)
    stopping.cancel()


def _age_seconds(message: Any) -> float:
    return clock.now().timestamp() - (message.timestamp or 0.0)


def _instant(at: float | None) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if at else None
