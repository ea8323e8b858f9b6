"""The statistics API on a database of its own, and the cells that it reads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypedDict, Unpack, cast

import asyncpg
from aiokafka.structs import ConsumerRecord
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

import services.analytics
from services.analytics import cells, http
from services.analytics.changes import Changes
from services.analytics.messages import minute_of
from services.analytics.rollup import (
    InstrumentSums,
    ReceiptSums,
    ReturnSums,
    Rollup,
    TakeBackSums,
)
from services.analytics.store import RollupStore
from services.analytics.stream import Stream
from shared import clock, database
from shared.migrate import migrate
from shared.web import problems
from shared.web.auth import Verifier, sign
from tests.builders import utc
from tests.unit.web.tokens import keys

_MIGRATIONS = Path(services.analytics.__file__).parent / "migrations"
NOON = utc(2026, 12, 10, 12)
DAY = {"from": "2026-12-10T00:00:00Z", "to": "2026-12-11T00:00:00Z"}


class Place(TypedDict, total=False):
    """Where something was counted, if not in the usual place."""

    store: str
    device: str
    region: str
    currency: str


class Api:
    """Asks the statistics API and writes the cells that it reads."""

    def __init__(self, client: AsyncClient, pool: asyncpg.Pool) -> None:
        self.client = client
        self.pool = pool

    async def apply(self, *batches: ConsumerRecord | list[ConsumerRecord]) -> None:
        """Count records as the rollup does; one by itself is a batch."""
        stream = Stream()
        for one in batches:
            records = one if isinstance(one, list) else [one]
            async with self.pool.acquire() as connection, connection.transaction():
                assert await stream.apply(connection, records) == []

    async def ask(self, path: str, **parameters: str) -> dict[str, Any]:
        """The answer to a good question."""
        answer = await self.client.get(f"/v1/statistics/{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return cast("dict[str, Any]", answer.json())

    async def sold(
        self,
        at: datetime = NOON,
        paid: int = 1_000,
        receipts: int = 1,
        *,
        promo: int = 0,
        **place: Unpack[Place],
    ) -> None:
        """Count receipts of ``paid`` minor units in all; ``promo`` of it with a promotion, on one receipt."""
        sums = ReceiptSums(receipts, paid, 0, paid, 0, promo > 0, promo)
        await self.count(Rollup(receipts={(minute_of(at), of(**place)): sums}))

    async def returned(
        self,
        at: datetime = NOON,
        offer: tuple[str, ...] = ("c1", "i1"),
        *,
        refunded: int = 0,
        activations: int = 0,
        discount: int = 0,
        **place: Unpack[Place],
    ) -> None:
        """Count a return, and what it took back of an instrument."""
        minute, where = minute_of(at), of(**place)
        taken = TakeBackSums(activations, discount, 0, 0)
        rollup = Rollup(
            returns={(minute, where): ReturnSums(1, refunded)},
            take_backs={(minute, where, offer_of(offer)): taken},
        )
        await self.count(rollup)

    async def used(
        self,
        at: datetime = NOON,
        offer: tuple[str, ...] = ("c1", "i1"),
        *,
        carts: int = 0,
        activations: int = 0,
        discount: int = 0,
        **place: Unpack[Place],
    ) -> None:
        """Count uses of an instrument (campaign, instrument, and the code's emission if there is one)."""
        sums = InstrumentSums(carts, activations, activations, discount)
        cell = (minute_of(at), of(**place), offer_of(offer))
        await self.count(Rollup(instruments={cell: sums}))

    async def refused(
        self,
        reason: str,
        refusals: int,
        offer: tuple[str, str] = ("c1", "i1"),
        **place: Unpack[Place],
    ) -> None:
        """Count refusals of an instrument."""
        cell = (minute_of(NOON), of(**place), (*offer, reason))
        await self.count(Rollup(refusals={cell: refusals}))

    async def count(self, rollup: Rollup) -> None:
        """Add the sums, as the rollup does."""
        async with self.pool.acquire() as connection, connection.transaction():
            await RollupStore().add(connection, rollup)


def of(
    store: str = "s1", device: str = "till", region: str = "North", currency: str = "EUR"
) -> cells.Place:
    """A place; the usual one unless said otherwise."""
    return (store, device, region, currency)


def offer_of(names: tuple[str, ...]) -> cells.Offer:
    """An offer, without a code unless one is named."""
    campaign_id, instrument_id, emission_id = (*names, "")[:3]
    return (campaign_id, instrument_id, emission_id)


@asynccontextmanager
async def _client(pool: asyncpg.Pool) -> AsyncIterator[AsyncClient]:
    app = FastAPI()
    app.state.verifier = Verifier(keys().public_pem)
    problems.install(app)
    app.include_router(http.routes(pool, Changes(), kept_seconds=0))
    token = sign(
        keys().private_pem, "marketer", ["statistics:read"], timedelta(hours=1), clock.now()
    )
    async with AsyncClient(
        transport=ASGITransport(app),
        base_url="http://analytics",
        headers={"Authorization": f"Bearer {token}"},
    ) as client:
        yield client


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[Api]:
    """The API over the tables of analytics, which are made."""
    async with await database.pool(dsn) as pool:
        async with pool.acquire() as connection:
            await migrate(connection, [_MIGRATIONS])
        async with _client(pool) as client:
            yield Api(client, pool)
