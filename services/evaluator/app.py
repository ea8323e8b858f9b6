"""The evaluator, composed: two consumers, the relay, what time ends, and HTTP."""

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
from fastapi import FastAPI

from services.evaluator import (
    backtest_http,
    certificate_http,
    checkout,
    lease_http,
    quote_http,
    reference,
    trial_http,
    vigilance,
)
from services.evaluator.backtest_http import Backtests
from services.evaluator.checkout import Checkout
from services.evaluator.checkout_http import Checkouts
from services.evaluator.closing import Closing
from services.evaluator.desk import Brought, Desk
from services.evaluator.erasing import Erasing
from services.evaluator.expiry import Expiry
from services.evaluator.facts import Gatherer
from services.evaluator.group_commit import GroupCommit
from services.evaluator.known import Known
from services.evaluator.lease_http import Leases
from services.evaluator.leasing import Ask, Leasing, Overdue
from services.evaluator.points_expiry import PointsExpiry
from services.evaluator.quoting import Quotes
from services.evaluator.regions import Regions
from services.evaluator.requests import Reply, Request, Requests
from services.evaluator.retention import Retention
from services.evaluator.rulesets import Rulesets
from services.evaluator.settings import Settings
from services.evaluator.vigilance import Noted, Vigilance
from shared import database
from shared.backlog import Backlog
from shared.cluster import records_behind
from shared.consumer import TransactionalConsumer
from shared.outbox import Relay
from shared.supervision import supervise
from shared.web import plain
from shared.web.auth import Verifier
from shared.web.service import background, create_app

_POLL_SECONDS = 0.2
ALLOCATIONS_A_COLLECTION = 500_000
"""A batch is some 100,000 objects, all alive until its end: looking for garbage among them every 700
of them, as Python does, took a quarter of the time of a decision."""


@dataclass
class Service:
    """The running parts. Checkouts begin once the reference data has been read to its end.

    All decide by the same ``rulesets``: a change is compiled once, and kept once.
    """

    settings: Settings
    pool: asyncpg.Pool
    rulesets: Rulesets
    known: Known
    informed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def gatherer(self) -> Gatherer:
        """What gathers facts, for carts and sales wherever they come from."""
        return Gatherer(self.rulesets, self.settings.digest_key, self.settings.hold)

    def failures(self) -> GroupCommit[Noted, None]:
        """What quotes add to what is held against guessers, a group at a time."""
        return GroupCommit(self.pool, vigilance.save)

    def quotes(self, failures: GroupCommit[Noted, None]) -> Quotes:
        """Quotes from what is known."""
        watch = Vigilance(self.known.tallies, failures)
        return Quotes(self.known, watch, self.settings.digest_key, self.settings.hold)

    async def consume_reference(self) -> None:
        """Read campaigns, codes, stores, and what is known of customers."""
        await supervise(reference.CONSUMER, self._reference().run)

    def _reference(self) -> TransactionalConsumer:
        return TransactionalConsumer(
            reference.CONSUMER,
            reference.TOPICS,
            self.settings.kafka,
            self.pool,
            reference.apply,
            max_records=500,
        )

    async def consume_checkouts(self) -> None:
        """Decide carts and record sales, once what they are decided by is there."""
        await supervise("reference data", self._wait_until_informed)
        await supervise(checkout.CONSUMER, self._checkouts().run)

    def _checkouts(self) -> TransactionalConsumer:
        return TransactionalConsumer(
            checkout.CONSUMER,
            checkout.TOPICS,
            self.settings.kafka,
            self.pool,
            Checkout(self.gatherer).apply,
            max_records=self.settings.batch_records,
        )

    async def _wait_until_informed(self) -> None:
        while any((await self._behind()).values()):
            await asyncio.sleep(_POLL_SECONDS)
        self.informed.set()

    async def _behind(self) -> dict[str, int]:
        return await records_behind(
            self.settings.kafka, self.pool, reference.CONSUMER, reference.TOPICS
        )

    def requests(self) -> GroupCommit[Request[Brought], Reply]:
        """What tills ask for over HTTP, a group at a time."""
        return GroupCommit(self.pool, Requests(Desk(self.gatherer)).apply)

    def leasing(self) -> GroupCommit[Request[Ask], Reply]:
        """What stores ask for before they lose the network."""
        return GroupCommit(self.pool, Requests(Leasing(self.rulesets)).apply)

    async def watch_leases(self) -> None:
        """Tell of leases that are past their end."""
        await supervise("leases", Overdue(self.pool).run)

    async def relay(self) -> None:
        """Send what leaves the service."""
        database_url = self.settings.database.get_secret_value()
        await supervise("relay", Relay(self.settings.kafka, database_url).run)

    async def watch_backlog(self) -> None:
        """Tell of what waits to be read or sent."""
        await supervise("backlog", Backlog(self.pool).run)

    async def expire(self) -> None:
        """Free holds that are over."""
        await supervise("expiry", Expiry(self.pool).run)

    async def close_periods(self) -> None:
        """Give what was earned in periods that are over."""
        await supervise("closing", Closing(self.pool).run)

    async def expire_points(self) -> None:
        """Let bonus points expire that were not spent in time."""
        await supervise("expiry of points", PointsExpiry(self.pool).run)

    async def erase(self) -> None:
        """Erase customers who are to be forgotten."""
        await supervise("erasure", Erasing(self.pool).run)

    async def forget(self) -> None:
        """Forget receipts that may no longer be returned."""
        await supervise("retention", Retention(self.pool).run)

    async def ready(self) -> Sequence[str]:
        """What is missing before carts are answered.

        PostgreSQL is, until the reference data has been read; later quotes go on without it, and must
        be sent here.
        """
        if self.informed.is_set() and self.known.ruleset:
            return []
        away = self.known.source.away
        return ["PostgreSQL does not answer" if away else "reference data is still being read"]


def create(settings: Settings) -> FastAPI:
    """The application; its parts start and stop with it."""
    service: Service | None = None
    regions = Regions.read(settings.digest_key, settings.regions_mmdb)

    async def ready() -> Sequence[str]:
        return await service.ready() if service else ["starting"]

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        nonlocal service
        gc.set_threshold(ALLOCATIONS_A_COLLECTION)
        database_url = settings.database.get_secret_value()
        async with (
            await database.pool(database_url) as pool,
            await database.pool(database_url, name="quotes") as readers,
        ):
            rulesets = Rulesets()
            service = Service(settings, pool, rulesets, Known(readers, rulesets))
            backtests = Backtests(pool, database_url)
            requests, leasing = service.requests(), service.leasing()
            failures = service.failures()
            quotes = service.quotes(failures)
            asked = [quote_http.route(quotes, regions), *Checkouts(requests, regions).routes()]
            plain.add(app, asked)
            app.include_router(backtest_http.routes(backtests))
            app.include_router(trial_http.routes(readers, quotes))
            app.include_router(lease_http.routes(Leases(pool, leasing)))
            app.include_router(certificate_http.routes(pool))
            async with background(
                service.known.watch(),
                service.consume_reference(),
                service.consume_checkouts(),
                requests.run(),
                leasing.run(),
                service.watch_leases(),
                failures.run(),
                service.relay(),
                service.watch_backlog(),
                service.expire(),
                service.close_periods(),
                service.expire_points(),
                service.erase(),
                service.forget(),
                backtests.tend(),
            ):
                yield

    return create_app(
        "Tillstream evaluator",
        verifier=Verifier(settings.verify_key),
        ready=ready,
        lifespan=lifespan,
        addresses=settings.addresses,
    )
