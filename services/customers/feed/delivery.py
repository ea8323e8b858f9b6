"""One webhook: reads its topics from where PostgreSQL says, and goes on once the receiver has taken what it was sent.

One batch is under way at a time, in the order of the partitions, so what is about one customer comes in its order. After a
crash the batch is sent again: at least once, never in vain.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg
import httpx
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError
from aiokafka.structs import ConsumerRecord

from services.customers.feed import webhook_store
from services.customers.feed.cloud_events import (
    CONTENT_TYPE,
    KINDS,
    MOST_EVENTS,
    Batch,
    Move,
    batch,
)
from services.customers.feed.patience import delay_s
from services.customers.feed.receiver import Network
from services.customers.feed.sending import Outcome, open_client, send
from services.customers.feed.signing import SIGNATURE_HEADER, secret, signature
from services.customers.feed.webhook_store import Attempt, MovedError, Webhook
from services.customers.metrics import WEBHOOK_ATTEMPTS, WEBHOOK_EVENTS
from shared import clock
from shared.cluster import leave, partitions_of

_POLL_MS = 500
_FETCH_BYTES = 256 * 1024  # of a partition: a webhook's reading ahead must not take much memory
_STOP_SECONDS = 5

log = structlog.get_logger()


@dataclass(frozen=True)
class Sender:
    """Sends bodies to webhooks, signed by secrets that ``key`` makes. ``private``: networks they may be in."""

    key: bytes
    private: Sequence[Network] = ()

    async def send(
        self,
        client: httpx.AsyncClient,
        hook: Webhook,
        body: bytes,
        delivery_id: str,
        now: datetime,
    ) -> Outcome:
        """Send a body to a webhook."""
        secrets = [secret(self.key, hook.webhook_id, n) for n in hook.secret_numbers(now)]
        headers = {
            "Content-Type": CONTENT_TYPE,
            "User-Agent": "Tillstream-Webhooks/1",
            "Tillstream-Delivery": delivery_id,
            "Tillstream-Attempt": str(hook.failures + 1),
            SIGNATURE_HEADER: signature(body, secrets, int(now.timestamp())),
        }
        return await send(client, hook.url, body, headers, self.private)


@dataclass
class Delivery:
    """Delivers to a webhook until it is paused or deleted, or ``run`` is cancelled; servers' errors are raised."""

    webhook_id: str
    kafka: str
    pool: asyncpg.Pool
    sender: Sender
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _positions: dict[tuple[str, int], int] = field(default_factory=dict)
    _ends: dict[TopicPartition, int] = field(default_factory=dict)
    _waiting: list[ConsumerRecord] = field(default_factory=list)

    def look_again(self) -> None:
        """Somebody has changed the webhook: it may stand elsewhere."""
        self._changed.set()

    async def run(self) -> None:
        """Deliver."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka,
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=_FETCH_BYTES,
            fetch_max_wait_ms=_POLL_MS,
        )
        try:
            await consumer.start()
            async with open_client() as client:
                while await self._stand(consumer):
                    await self._deliver(consumer, client)
        finally:
            await leave(consumer, _STOP_SECONDS)

    async def _stand(self, consumer: AIOKafkaConsumer) -> bool:
        """Stand where PostgreSQL says; False if there is nobody to deliver to any more."""
        self._changed.clear()
        self._waiting.clear()
        async with self.pool.acquire() as connection:
            hook = await webhook_store.find(connection, self.webhook_id)
            known = await webhook_store.positions(connection, self.webhook_id)
        if hook is None or hook.paused_at is not None:
            return False
        partitions = await partitions_of(self.kafka, [KINDS[kind].name for kind in hook.topics])
        consumer.assign(partitions)
        # Before the times are looked up: what comes between is then behind the end, and is delivered.
        self._ends = await consumer.end_offsets(partitions)
        begun = await self._begun(consumer, hook, [p for p in partitions if (*p,) not in known])
        moves = await self._kept(consumer, known)
        try:
            async with self.pool.acquire() as connection, connection.transaction():
                await webhook_store.begin(connection, self.webhook_id, begun)
                lost = await webhook_store.skip(connection, self.webhook_id, moves)
        except MovedError:
            self._changed.set()  # meanwhile; so it is looked at again
            return True
        if lost:
            log.warning("a webhook has missed what its topics did not keep", events=lost)
        self._positions = {**known, **begun, **{(m.topic, m.partition): m.end for m in moves}}
        for partition in partitions:
            consumer.seek(partition, self._positions[*partition])
        return True

    async def _begun(
        self, consumer: AIOKafkaConsumer, hook: Webhook, new: Sequence[TopicPartition]
    ) -> dict[tuple[str, int], int]:
        """Where partitions are begun: at the first record from when the webhook wants to be told on."""
        if not new:
            return {}
        since_ms = max(0, int(hook.since.timestamp() * 1000))
        found = await consumer.offsets_for_times(dict.fromkeys(new, since_ms))
        return {(*one,): at.offset if (at := found[one]) else self._ends[one] for one in new}

    async def _kept(
        self, consumer: AIOKafkaConsumer, known: dict[tuple[str, int], int]
    ) -> list[Move]:
        """The moves from where the topics have nothing any more to where they have."""
        partitions = [one for one in self._ends if (*one,) in known]
        if not partitions:
            return []
        beginnings = await consumer.beginning_offsets(partitions)
        kept = {one: min(max(known[*one], beginnings[one]), self._ends[one]) for one in partitions}
        return [
            Move(one.topic, one.partition, known[*one], end)
            for one, end in kept.items()
            if end != known[*one]
        ]

    async def _deliver(self, consumer: AIOKafkaConsumer, client: httpx.AsyncClient) -> None:
        """Deliver what comes until the webhook is changed, or stands elsewhere."""
        while not self._changed.is_set():
            if not self._waiting:
                try:
                    read = await consumer.getmany(timeout_ms=_POLL_MS, max_records=MOST_EVENTS)
                except OffsetOutOfRangeError:
                    return  # the topic has let go of it meanwhile
                self._waiting = [record for records in read.values() for record in records]
            if self._waiting and not await self._attempt(consumer, client):
                return

    async def _attempt(self, consumer: AIOKafkaConsumer, client: httpx.AsyncClient) -> bool:
        """Send what waits, once it is time; False if the webhook is to be looked at again."""
        async with self.pool.acquire() as connection:
            hook = await webhook_store.find(connection, self.webhook_id)
        if hook is None or hook.paused_at is not None:
            return False
        now = clock.now()
        if hook.due_at is not None and hook.due_at > now:
            await self._rest((hook.due_at - now).total_seconds())
            return True
        made = batch(self._waiting, self._positions)
        outcome = Outcome(taken=True)
        if made.events:
            delivery_id = made.delivery_id(self.webhook_id)
            outcome = await self.sender.send(client, hook, made.body, delivery_id, now)
        behind = self._behind(consumer, made if outcome.taken else None)
        try:
            await self._note(hook, made, outcome, behind, now)
        except MovedError:
            return False
        if outcome.taken:
            self._positions |= {(one.topic, one.partition): one.end for one in made.moves}
            del self._waiting[: made.records]
        return not outcome.gone

    async def _note(
        self, hook: Webhook, made: Batch, outcome: Outcome, behind: int, now: datetime
    ) -> None:
        """Keep what became of a batch, in one transaction. Raises ``MovedError``."""
        attempt = Attempt(
            delivery_id=made.delivery_id(self.webhook_id),
            attempted_at=now,
            events=made.events,
            taken=outcome.taken,
            status=outcome.status,
            error=outcome.error,
            milliseconds=outcome.milliseconds,
        )
        async with self.pool.acquire() as connection, connection.transaction():
            if outcome.taken:
                if made.events:
                    await webhook_store.note_taken(connection, self.webhook_id, attempt, behind)
                await webhook_store.move(connection, self.webhook_id, made.moves)
            else:
                chance = random.random()  # noqa: S311 - nobody's secret
                wait_s = delay_s(hook.failures + 1, chance, outcome.asked_s)
                due_at = clock.now() + timedelta(seconds=wait_s)
                await webhook_store.note_failed(
                    connection, self.webhook_id, attempt, due_at, behind
                )
                if outcome.gone:
                    await webhook_store.pause(connection, self.webhook_id, "gone", now)
        WEBHOOK_ATTEMPTS.labels("taken" if outcome.taken else "failed").inc()
        WEBHOOK_EVENTS.inc(made.events if outcome.taken else 0)

    def _behind(self, consumer: AIOKafkaConsumer, taken: Batch | None) -> int:
        """How many records are to be delivered after what was taken."""
        positions = dict(self._positions)
        if taken is not None:
            positions |= {(one.topic, one.partition): one.end for one in taken.moves}
        ends = {one: consumer.highwater(one) or end for one, end in self._ends.items()}
        return sum(max(0, end - positions[*one]) for one, end in ends.items())

    async def _rest(self, seconds: float) -> None:
        """Wait, or until somebody has changed the webhook."""
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return
