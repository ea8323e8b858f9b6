"""Profiles as they are now, read for whoever asks: as they are published, without waiting for that."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.customers.feed import profile_store
from services.customers.feed.profile_store import Known
from services.customers.forecast.store import Expect
from services.customers.segments import store as segment_store
from services.customers.segments.rfm import rfm_class
from services.customers.summary import summarise
from shared import clock
from shared.database import Connection
from shared.events.customers import Profile, Rfm

_EXPORTED_AT_ONCE = 250


@dataclass(frozen=True)
class Reading:
    """Reads profiles with segments, fifths and forecasts."""

    pool: asyncpg.Pool
    expect: Expect

    async def profiles(
        self, connection: Connection, customer_ids: Sequence[str], now: datetime
    ) -> list[Profile]:
        """The profiles of those customers of whom there are any, in the order in which they are named."""
        known = await profile_store.known(connection, customer_ids)
        return await self.summarised(connection, known, now)

    async def export(self, segment_id: str = "") -> AsyncIterator[list[Profile]]:
        """The profiles of all customers, or of a segment's, in portions: so many are in memory at a time.

        Each is as of when it is read; no transaction is held open, which would keep PostgreSQL from tidying up.
        """
        after = ""
        while True:
            async with self.pool.acquire() as connection:
                ids = await profile_store.page(
                    connection, after=after, segment_id=segment_id, limit=_EXPORTED_AT_ONCE
                )
                profiles = await self.profiles(connection, ids, clock.now())
            if not ids:
                return
            yield profiles  # whoever takes his time over it holds no connection
            after = ids[-1]

    async def summarised(
        self, connection: Connection, known: Sequence[Known], now: datetime
    ) -> list[Profile]:
        """The profiles of customers whose states are known."""
        ids = [customer_id for customer_id, _, _ in known]
        segments = await segment_store.segments_of(connection, ids)
        scores = await segment_store.scores(connection, ids)
        forecasts = await self.expect(connection, ids)

        def summarised() -> list[Profile]:
            return [
                summarise(
                    customer_id,
                    version,
                    state,
                    now,
                    segments=segments.get(customer_id, ()),
                    rfm=_rfm(scores.get(customer_id)),
                    forecast=forecasts.get(customer_id),
                )
                for customer_id, version, state in known
            ]

        # A thousand visits each would hold up everything else for a second.
        return await asyncio.to_thread(summarised)


def _rfm(fifths: tuple[int, int, int] | None) -> Rfm | None:
    if fifths is None:
        return None
    recency, frequency, monetary = fifths
    return Rfm(
        recency=recency,
        frequency=frequency,
        monetary=monetary,
        rfm_class=rfm_class(recency, frequency, monetary),
    )
