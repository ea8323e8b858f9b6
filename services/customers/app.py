"""The customers service, composed."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from fastapi import FastAPI

from services.customers import agents, http, pages_http, reference
from services.customers.attention import Attention
from services.customers.cross_sell import http as cross_sell_http
from services.customers.feed import erasure_http, reports, webhook_http
from services.customers.feed.deliveries import Deliveries
from services.customers.feed.delivery import Sender
from services.customers.feed.reading import Reading
from services.customers.feed.receiver import networks
from services.customers.forecast import http as forecast_http
from services.customers.forecast.store import expected
from services.customers.forecast.training import Training
from services.customers.fraud import http as fraud_http
from services.customers.fraud.store.blocks import blocked_among
from services.customers.log import Log
from services.customers.offers import http as offers_http
from services.customers.offers.planning import Planning
from services.customers.offers.view import Knowledge
from services.customers.regions import http as regions_http
from services.customers.segments import catalogue
from services.customers.segments import http as segments_http
from services.customers.segments import store as segment_store
from services.customers.segments.builtin import builtins
from services.customers.segments.membership import Memberships
from services.customers.settings import Settings
from services.customers.stream import CONSUMER
from shared import clock, database
from shared.backlog import Backlog
from shared.consumer import TransactionalConsumer
from shared.garbage import collect_less
from shared.outbox import Relay
from shared.supervision import TRANSIENT, supervise
from shared.web.auth import Verifier
from shared.web.service import background, create_app

KNOWLEDGE = Knowledge(segment_store.segments_of, expected, blocked_among)


def log_of(
    kafka: str, pool: asyncpg.Pool, key: bytes, training: Training, name: str = CONSUMER
) -> Log:
    """The log, with all that is done of it: ``key`` is of the hashes of those who were erased."""
    attention = Attention(pool, Memberships().evaluate, expected)
    return agents.facts(kafka, pool, attention, Planning(pool, KNOWLEDGE), training, key, name)


@dataclass
class Service:
    """The running parts."""

    settings: Settings
    pool: asyncpg.Pool

    async def consume(self) -> None:
        """Apply what customers do, and look at them; a new app after each failure of a server."""
        kafka, key = self.settings.kafka, self.settings.key
        await supervise(CONSUMER, lambda: log_of(kafka, self.pool, key, self.training).run())

    @property
    def training(self) -> Training:
        """Has the models of the next purchase trained."""
        database_url = self.settings.database.get_secret_value()
        return Training(self.pool, database_url, self.settings.forecast_at)

    async def read_reference(self) -> None:
        """Keep what stores there are, and what campaigns give."""
        kafka, name = self.settings.kafka, reference.CONSUMER
        topics, apply = reference.TOPICS, reference.apply
        await supervise(
            name, lambda: TransactionalConsumer(name, topics, kafka, self.pool, apply).run()
        )

    async def read_reports(self) -> None:
        """Keep what the services report of erasures."""
        kafka, name = self.settings.kafka, reports.CONSUMER
        topics, apply = reports.TOPICS, reports.apply
        await supervise(
            name, lambda: TransactionalConsumer(name, topics, kafka, self.pool, apply).run()
        )

    @property
    def sender(self) -> Sender:
        """Sends to webhooks."""
        return Sender(self.settings.key, networks(self.settings.webhook_networks))

    async def deliver(self) -> None:
        """Deliver to webhooks."""
        kafka, database_url = self.settings.kafka, self.settings.database.get_secret_value()
        await supervise(
            "webhooks", lambda: Deliveries(kafka, database_url, self.pool, self.sender).run()
        )

    async def relay(self) -> None:
        """Send what was put into the outbox."""
        database_url = self.settings.database.get_secret_value()
        await supervise("relay", Relay(self.settings.kafka, database_url).run)

    async def watch_backlog(self) -> None:
        """Tell of what waits to be read or sent."""
        await supervise("backlog", Backlog(self.pool).run)

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
            async with pool.acquire() as connection, connection.transaction():
                await catalogue.seed(connection, builtins(), clock.now())
            app.include_router(pages_http.routes())
            app.include_router(segments_http.routes(pool, expected))
            app.include_router(http.routes(Reading(pool, expected)))
            app.include_router(cross_sell_http.routes(pool))
            app.include_router(regions_http.routes(pool))
            app.include_router(erasure_http.routes(pool, settings.key))
            app.include_router(offers_http.routes(pool, KNOWLEDGE))
            app.include_router(fraud_http.routes(pool))
            app.include_router(forecast_http.routes(service.training))
            app.include_router(webhook_http.routes(pool, service.sender))
            collect_less()
            async with background(
                service.consume(),
                service.relay(),
                service.watch_backlog(),
                service.read_reports(),
                service.read_reference(),
                service.deliver(),
            ):
                yield

    return create_app(
        "Tillstream customers",
        verifier=Verifier(settings.verify_key),
        ready=ready,
        lifespan=lifespan,
        addresses=settings.addresses,
    )
