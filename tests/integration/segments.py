"""Segments over a database of the test's own: customers are put there as states, and looked at by the real code."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

import services.customers
from services.customers import store as customer_store
from services.customers.attention import Attention
from services.customers.profile import pack, seconds
from services.customers.segments import catalogue, store
from services.customers.segments.catalogue_store import Row
from services.customers.segments.definition import Definition
from services.customers.segments.membership import Memberships
from services.customers.segments.passes import Passes
from shared import clock, database
from shared.codec import decode
from shared.database import Connection
from shared.events.customers import Forecast
from shared.events.reference import SegmentChange
from shared.migrate import migrate
from shared.topics import SEGMENTS
from tests.integration import outgoing
from tests.unit.customers.segments.customers import NOW as TRIPS_END
from tests.unit.customers.segments.customers import Trip, state_of

_MIGRATIONS = Path(services.customers.__file__).parent / "migrations"
BY = "user:olha"


async def no_forecasts(*_: object) -> Mapping[str, Forecast]:
    """Nothing is forecast."""
    return {}


@dataclass
class Customers:
    """The customers of a database; ``now`` is what their trips are reckoned from."""

    pool: asyncpg.Pool
    now: datetime

    async def put(self, customer_id: str, *trips: Trip) -> None:
        """A customer with just these purchases, who is to be looked at."""
        state = state_of(trips)
        for visit in state.visits:
            visit.at += seconds(self.now) - TRIPS_END
        for name in ("first_at", "latest_at"):
            at = getattr(state, name)
            setattr(state, name, at and at + seconds(self.now) - TRIPS_END)
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "insert into profiles (customer_id, version, state, bought) values ($1, 1, $2, $3)"
                " on conflict (customer_id) do update set version = profiles.version + 1,"
                " state = excluded.state, bought = excluded.bought",
                customer_id,
                pack(state),
                state.purchases > 0,
            )
            await customer_store.attend(connection, [customer_id], self.now, changed=True)

    async def look(self, later: timedelta = timedelta()) -> None:
        """Look at everybody who is due by then."""
        attention = Attention(self.pool, Memberships().evaluate, no_forecasts)
        while await attention.look_at_some(self.now + later):
            pass

    async def pass_through(self, most: int = 1_000) -> int:
        """Go on with passes, looking at those who are called, until all is done; returns after how many turns."""
        for turn in range(most):
            await Passes(self.pool).go_on()
            if not await self.pool.fetchval(
                "select exists(select from passes where finished_at is null)"
            ):
                return turn
            attention = Attention(self.pool, Memberships().evaluate, no_forecasts)
            while await attention.look_at_some(clock.now()):
                pass
        message = "the passes do not end"
        raise AssertionError(message)

    async def add(self, segment_id: str, *conditions: dict[str, Any]) -> Row:
        """Add a segment."""
        return (await self._in(catalogue.add, segment_id, conditions))[0]  # type: ignore[no-any-return]

    async def edit(self, segment_id: str, *conditions: dict[str, Any]) -> Row:
        """Change a segment."""
        return await self._in(catalogue.edit, segment_id, conditions)  # type: ignore[no-any-return]

    async def archive(self, segment_id: str, *, archived: bool = True) -> Row:
        """Archive a segment, or restore it."""
        async with self.pool.acquire() as connection, connection.transaction():
            return await catalogue.archive(
                connection, segment_id, archived=archived, by=BY, now=self.now
            )

    async def _in(self, do: Any, segment_id: str, conditions: Iterable[dict[str, Any]]) -> Any:
        definition = defined(*conditions)
        async with self.pool.acquire() as connection, connection.transaction():
            return await do(connection, segment_id, "Name", definition, by=BY, now=self.now)

    async def members(self, segment_id: str) -> list[str]:
        """Who is in a segment."""
        async with self.pool.acquire() as connection:
            found = await store.members(connection, segment_id, "", 1_000)
        return [one.customer_id for one in found]

    async def said(self) -> list[SegmentChange]:
        """What was said on the topic, in order."""
        bodies = await outgoing.waiting(self.pool, SEGMENTS)
        return [decode(SegmentChange, body) for body in bodies if body]


def defined(*conditions: dict[str, Any]) -> Definition:
    """A definition of these conditions."""
    return Definition.model_validate({"conditions": list(conditions)}, strict=False)


def bought(op: str, value: int, days: int | None = None) -> dict[str, Any]:
    """So many purchases, in a window or of all time."""
    return {"kind": "purchases", "compare": {"op": op, "value": value}, "days": days}


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[Customers]:
    """Customers of a fresh database."""
    connection: Connection = await asyncpg.connect(dsn)
    await migrate(connection, [_MIGRATIONS])
    await connection.close()
    async with await database.pool(dsn) as pool:
        yield Customers(pool, clock.now())
