"""The statistics API on a database of its own, and the cells that it reads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypedDict, Unpack, cast

import asyncpg
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

import services.analytics
from services.analytics import http
from services.analytics.changes import Changes
from shared import clock, database
from shared.migrate import migrate
from shared.web import problems
from shared.web.auth import Verifier, sign
from tests.builders import utc
from tests.unit.web.tokens import keys

_MIGRATIONS = Path(services.analytics.__file__).parent / "migrations"
NOON = utc(2026, 12, 10, 12)


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

    async def ask(self, path: str, **parameters: str) -> dict[str, Any]:
        """The answer to a good question."""
        answer = await self.client.get(f"/v1/statistics/{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return cast("dict[str, Any]", answer.json())

    async def place(
        self, store: str = "s1", device: str = "till", region: str = "North", currency: str = "EUR"
    ) -> int:
        """The number of a place."""
        sql = "insert into places (store_id, device, region, currency) values ($1, $2, $3, $4)"
        found = await self.pool.fetchval(
            f"{sql} on conflict (store_id, device, region, currency)"
            " do update set store_id = excluded.store_id returning place_id",
            store,
            device,
            region,
            currency,
        )
        return cast("int", found)

    async def offer(self, campaign_id: str, instrument_id: str) -> int:
        """The number of an offer."""
        sql = "insert into offers (campaign_id, instrument_id) values ($1, $2)"
        found = await self.pool.fetchval(
            f"{sql} on conflict (campaign_id, instrument_id)"
            " do update set campaign_id = excluded.campaign_id returning offer_id",
            campaign_id,
            instrument_id,
        )
        return cast("int", found)

    async def sold(
        self,
        at: datetime = NOON,
        paid: int = 1_000,
        receipts: int = 1,
        **place: Unpack[Place],
    ) -> None:
        """Count receipts of ``paid`` minor units in all."""
        await self.pool.execute(
            "insert into receipt_cells (minute, place_id, receipts, total, discount, paid, bonuses)"
            " values ($1, $2, $3, $4, 0, $4, 0)",
            at,
            await self.place(**place),
            receipts,
            paid,
        )

    async def returned(
        self,
        at: datetime = NOON,
        offer: tuple[str, str] = ("c1", "i1"),
        *,
        refunded: int = 0,
        activations: int = 0,
        discount: int = 0,
        **place: Unpack[Place],
    ) -> None:
        """Count a return, and what it took back of an instrument."""
        place_id = await self.place(**place)
        await self.pool.execute(
            "insert into return_cells (minute, place_id, returns, refunded) values ($1, $2, 1, $3)",
            at,
            place_id,
            refunded,
        )
        await self.pool.execute(
            "insert into take_back_cells (minute, offer_id, place_id, returned, returned_discount,"
            " returned_bonuses, returned_unauthorised_discount) values ($1, $2, $3, $4, $5, 0, 0)",
            at,
            await self.offer(*offer),
            place_id,
            activations,
            discount,
        )

    async def used(
        self,
        at: datetime = NOON,
        offer: tuple[str, str] = ("c1", "i1"),
        *,
        carts: int = 0,
        activations: int = 0,
        discount: int = 0,
        **place: Unpack[Place],
    ) -> None:
        """Count uses of an instrument."""
        await self.pool.execute(
            "insert into instrument_cells (minute, offer_id, place_id, carts, decided, activations,"
            " discount, revenue, bonuses, unauthorised, unauthorised_discount)"
            " values ($1, $2, $3, $4, $5, $5, $6, 0, 0, 0, 0)",
            at,
            await self.offer(*offer),
            await self.place(**place),
            carts,
            activations,
            discount,
        )

    async def refused(
        self,
        reason: str,
        refusals: int,
        offer: tuple[str, str] = ("c1", "i1"),
        **place: Unpack[Place],
    ) -> None:
        """Count refusals of an instrument."""
        sql = "insert into refusal_kinds (campaign_id, instrument_id, reason) values ($1, $2, $3)"
        kind = await self.pool.fetchval(
            f"{sql} on conflict (campaign_id, instrument_id, reason)"
            " do update set reason = excluded.reason returning refusal_kind_id",
            *offer,
            reason,
        )
        await self.pool.execute(
            "insert into refusal_cells values ($1, $2, $3, $4)",
            NOON,
            kind,
            await self.place(**place),
            refusals,
        )


@asynccontextmanager
async def _client(pool: asyncpg.Pool) -> AsyncIterator[AsyncClient]:
    app = FastAPI()
    app.state.verifier = Verifier(keys().public_pem)
    problems.install(app)
    app.include_router(http.routes(pool, Changes()))
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
