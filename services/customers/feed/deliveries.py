"""All webhooks: one process delivers at a time, a task for each that is not paused."""

import asyncio
from dataclasses import dataclass, field

import asyncpg

from services.customers.feed import webhook_store
from services.customers.feed.delivery import Delivery, Sender
from services.customers.feed.webhook_store import CHANNEL
from services.customers.metrics import WEBHOOKS
from shared import database
from shared.database import Connection

_LOCK = 0x7111_3EB0
_LOOK_SECONDS = 1.0


@dataclass
class Deliveries:
    """Delivers to every webhook. ``run`` ends only by cancellation or an error.

    A session of PostgreSQL holds the lock: who loses it stops, and another process goes on. Should both send the same
    batch, only one of them can move the position (``webhook_store.move``).
    """

    kafka: str
    database: str
    pool: asyncpg.Pool
    sender: Sender
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _running: dict[str, tuple[Delivery, "asyncio.Task[None]"]] = field(default_factory=dict)

    async def run(self) -> None:
        """Wait for the lock, then deliver."""
        connection = await database.connect(self.database)
        try:
            while not await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK):
                await asyncio.sleep(_LOOK_SECONDS)
            await connection.add_listener(CHANNEL, self._heard)
            while True:
                self._wake.clear()
                await self._look(connection)
                await self._wait()
        finally:
            tasks = [task for _, task in self._running.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._running.clear()
            await connection.close(timeout=5)

    async def _look(self, connection: Connection) -> None:
        """Begin to deliver to webhooks that are new or resumed; raises what deliveries end by."""
        wanted = await webhook_store.running(connection)
        for webhook_id, (delivery, task) in list(self._running.items()):
            if task.done():
                del self._running[webhook_id]
                task.result()
            elif webhook_id not in wanted:
                delivery.look_again()
        for webhook_id in wanted - self._running.keys():
            delivery = Delivery(webhook_id, self.kafka, self.pool, self.sender)
            task = asyncio.create_task(delivery.run())
            task.add_done_callback(lambda _: self._wake.set())
            self._running[webhook_id] = delivery, task
        for state, count in (await webhook_store.counted(connection)).items():
            WEBHOOKS.labels(state).set(count)

    def _heard(self, _: object, __: int, ___: str, webhook_id: object) -> None:
        self._wake.set()
        if running := self._running.get(str(webhook_id)):
            running[0].look_again()

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), _LOOK_SECONDS)
        except TimeoutError:
            return
