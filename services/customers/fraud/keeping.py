"""What is done again and again: rules and what is usual are read, the score learns, blocks end, old conduct is forgotten."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg
import structlog

from services.customers import metrics
from services.customers.feed.forgotten import hold_off_erasure
from services.customers.fraud import alerting, announcing, judging, model
from services.customers.fraud.conduct import KEPT_DAYS
from services.customers.fraud.judging import Act
from services.customers.fraud.rules import SEVERITIES
from services.customers.fraud.store import alerts as alert_store
from services.customers.fraud.store import blocks as block_store
from services.customers.fraud.store import conduct as conduct_store
from services.customers.fraud.stream import Watch
from shared import clock
from shared.database import Connection

USUAL_EVERY = timedelta(minutes=1)
LEARN_EVERY = timedelta(days=1)
"""At the latest: suspects come without anybody saying anything."""
KEPT = timedelta(days=400)
"""As long as receipts are kept, alerts are."""
_PRESENTED = timedelta(days=3)
_AT_ONCE = 500
_KINDS = ("customer", "device", "cashier")

log = structlog.get_logger()


@dataclass
class Keeping:
    """Keeps a watch up to date; every process its own."""

    pool: asyncpg.Pool
    watch: Watch
    _usual_at: datetime | None = None
    _learnt_at: datetime | None = None
    _learnt: tuple[int, datetime | None] = (0, None)
    _learning: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self) -> None:
        """What is done every few seconds."""
        now = clock.now()
        async with self.pool.acquire() as connection:
            await self.watch.load(connection)
            if self._usual_at is None or now >= self._usual_at + USUAL_EVERY:
                await self.watch.load_chain(connection)
                self._usual_at = now
            await self._end_blocks(connection, now)
            await self._tell(connection, now)
            await self._show(connection)
        await self.learn(now)

    async def learn(self, now: datetime) -> None:
        """Learn anew, if people have said something since, or a day has passed."""
        async with self._learning:
            async with self.pool.acquire() as connection:
                said = await alert_store.labels_said(connection)
                is_due = self._learnt_at is None or now >= self._learnt_at + LEARN_EVERY
                if said == self._learnt and not is_due:
                    return
                packed = await alert_store.samples(connection)
            # Beside the loop: it takes a second, and batches come meanwhile.
            self.watch.model = await asyncio.to_thread(
                lambda: model.learn(alert_store.unpacked(packed))
            )
            self._learnt, self._learnt_at = said, now
        learnt = self.watch.model
        metrics.SCORE_LABELS.labels("confirmed").set(learnt.confirmed if learnt else 0)
        metrics.SCORE_LABELS.labels("dismissed").set(learnt.dismissed if learnt else 0)

    async def forget(self) -> None:
        """What is done at night: what is too old goes."""
        now = clock.now()
        async with self.pool.acquire() as connection:
            before = now - timedelta(days=KEPT_DAYS + 1)
            rows = await conduct_store.forget(connection, before, now - _PRESENTED)
            rows += await alert_store.forget(connection, now - KEPT)
        log.info("old conduct and alerts forgotten", rows=rows)

    async def _end_blocks(self, connection: Connection, now: datetime) -> None:
        async with connection.transaction():
            await hold_off_erasure(connection)
            for block in await block_store.over(connection, now, _AT_ONCE):
                await judging.lift(connection, block, Act(None, now))

    async def _tell(self, connection: Connection, now: datetime) -> None:
        """Tell of alerts that have changed, but were told of a moment before."""
        async with connection.transaction():
            await hold_off_erasure(connection)
            before = now - alerting.PUBLISH_EVERY
            changed = await alert_store.untold(connection, before, _AT_ONCE)
            await announcing.tell(connection, changed, now)

    async def _show(self, connection: Connection) -> None:
        severities = await alert_store.open_by_severity(connection)
        for severity in SEVERITIES:
            metrics.ALERTS_OPEN.labels(severity).set(severities.get(severity, 0))
        kinds = await block_store.count_by_kind(connection)
        for kind in _KINDS:
            metrics.BLOCKS.labels(kind).set(kinds.get(kind, 0))
