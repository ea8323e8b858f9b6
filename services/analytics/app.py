"""Analytics, composed: the rollup's consumer, the relay of dead letters and reports, and HTTP."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
from fastapi import FastAPI

from services.analytics import erasing, http, pages_http
from services.analytics.changes import Changes
from services.analytics.erasing import Erasing
from services.analytics.freshness import Ends
from services.analytics.insight.customers_store import keep_merging
from services.analytics.settings import Settings
from services.analytics.store import CHANNEL
from services.analytics.stream import CONSUMER, MOST_RECORDS, TOPICS, Stream
from shared import database
from shared.backlog import Backlog
from shared.consumer import TransactionalConsumer
from shared.garbage import collect_less
from shared.outbox import Relay
from shared.supervision import TRANSIENT, supervise
from shared.web.auth import Verifier
from shared.web.service import background, create_app

_LISTENER_CHECK_SECONDS = 5.0


def rollup_consumer(kafka: str, pool: asyncpg.Pool, name: str = CONSUMER) -> TransactionalConsumer:
    """The consumer that adds every record to the statistics once."""
    return TransactionalConsumer(
        name, TOPICS, kafka, pool, Stream().apply, max_records=MOST_RECORDS
    )


def erasures_consumer(kafka: str, pool: asyncpg.Pool) -> TransactionalConsumer:
    """The consumer that notes who is to be forgotten."""
    return TransactionalConsumer(erasing.CONSUMER, erasing.TOPICS, kafka, pool, erasing.apply)


@dataclass
class Service:
    """The running parts."""

    settings: Settings
    pool: asyncpg.Pool
    changes: Changes = field(default_factory=Changes)
    ends: Ends = field(init=False)

    def __post_init__(self) -> None:
        """Begin to know where the log ends."""
        self.ends = Ends(self.settings.kafka)

    async def consume(self) -> None:
        """Add what comes to the statistics; a new consumer after each failure of a server."""
        await supervise(CONSUMER, lambda: rollup_consumer(self.settings.kafka, self.pool).run())

    async def relay(self) -> None:
        """Send the dead letters and what is said of erasures."""
        database_url = self.settings.database.get_secret_value()
        await supervise("relay", Relay(self.settings.kafka, database_url).run)

    async def watch_backlog(self) -> None:
        """Tell of what waits to be read or sent."""
        await supervise("backlog", Backlog(self.pool).run)

    async def merge_customers(self) -> None:
        """Keep the sketches of customers up to date."""
        await supervise("customers", lambda: keep_merging(self.pool))

    async def consume_erasures(self) -> None:
        """Note who is to be forgotten."""
        await supervise(
            erasing.CONSUMER, lambda: erasures_consumer(self.settings.kafka, self.pool).run()
        )

    async def erase(self) -> None:
        """Forget customers."""
        await supervise("erasure", Erasing(self.pool).run)

    async def listen(self) -> None:
        """Publish what commits, be it by this process or by another replica."""
        await supervise("listener", self._listen)

    async def _listen(self) -> None:
        connection = await database.connect(self.settings.database.get_secret_value())
        try:
            await connection.add_listener(CHANNEL, lambda *_: self.changes.publish())
            # What was committed while nobody listened.
            self.changes.publish()
            while True:
                await asyncio.sleep(_LISTENER_CHECK_SECONDS)
                await connection.fetchval("select 1")
        finally:
            await connection.close(timeout=5)

    async def ready(self) -> Sequence[str]:
        """What is missing before questions are answered."""
        try:
            await self.pool.fetchval("select 1")
        except TRANSIENT:
            return ["PostgreSQL does not answer"]
        return []


def create(settings: Settings) -> FastAPI:
    """The application; its parts start and stop with it."""
    service: Service | None = None

    async def ready() -> Sequence[str]:
        return await service.ready() if service else ["starting"]

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        nonlocal service
        async with await database.pool(settings.database.get_secret_value()) as pool:
            service = Service(settings, pool)
            app.include_router(http.routes(pool, service.changes, service.ends))
            app.include_router(pages_http.routes(settings.regions_geojson))
            collect_less()
            async with background(
                service.consume(),
                service.relay(),
                service.watch_backlog(),
                service.listen(),
                service.ends.watch(),
                service.merge_customers(),
                service.consume_erasures(),
                service.erase(),
            ):
                yield

    return create_app(
        "Tillstream analytics",
        verifier=Verifier(settings.verify_key),
        ready=ready,
        lifespan=lifespan,
        addresses=settings.addresses,
    )
