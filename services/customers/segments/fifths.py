"""Finding the fifths of all customers anew: nightly, and as soon as there are enough customers for the first time."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import structlog

from services.customers import store as customer_store
from services.customers.profile import seconds, unpack
from services.customers.segments import catalogue, fifths_store, pass_store, store
from services.customers.segments.builtin import Builtin, buyers
from services.customers.segments.fifths_store import Kept
from services.customers.segments.naming import segment_id_of
from services.customers.segments.rfm import FEWEST
from services.customers.segments.survey import REGULAR_DAYS, REGULAR_RECEIPTS, Survey
from shared import clock
from shared.database import Connection

NIGHTLY = "10 2 * * *"
_PORTION = 500
_MOST_GROUPS = 3

log = structlog.get_logger()


@dataclass(frozen=True)
class Fifths:
    """Finds where recency, frequency and monetary value are divided; all customers are evaluated by that then."""

    pool: asyncpg.Pool

    async def begin(self) -> None:
        """Find them if that has never been done, and there are enough customers."""
        async with self.pool.acquire() as connection:
            if await fifths_store.latest(connection) is not None:
                return
            enough = await fifths_store.customers(connection, FEWEST) >= FEWEST
        if enough:
            await self.renew()

    async def renew(self) -> None:
        """Find them anew, from everybody who has bought something; if there are too few, nothing changes."""
        now = clock.now()
        survey = await self._survey(now)
        found = survey.population.fifths()
        if found is None:
            return
        kept = Kept(now, len(survey.population.days), found)
        async with self.pool.acquire() as connection, connection.transaction():
            before = await fifths_store.latest(connection)
            await fifths_store.save(connection, kept)
            if before is None:
                await _seed_buyers(connection, survey, now)
            if before is None or before.fifths != found:
                await store.revise(connection)
                await pass_store.ask(connection, "rfm", now)
        log.info("RFM fifths found", customers=kept.customers)

    async def _survey(self, now: datetime) -> Survey:
        survey, after = Survey(), ""
        while True:
            async with self.pool.acquire() as connection:
                packed = await customer_store.buyers(connection, after, _PORTION)
            if not packed:
                return survey
            after = packed[-1][0]
            states = [state for _, state in packed]
            # Beside the loop: what comes meanwhile is not to wait for it.
            await asyncio.to_thread(_add, survey, states, seconds(now))


def _add(survey: Survey, packed: list[bytes], now: int) -> None:
    survey.add((unpack(state) for state in packed), now)


async def _seed_buyers(connection: Connection, survey: Survey, now: datetime) -> None:
    """The third segment of the source, for the groups that most customers buy: the first time only."""
    for group in survey.favourites(_MOST_GROUPS):
        definition = buyers(group, receipts=REGULAR_RECEIPTS, days=REGULAR_DAYS)
        new = Builtin(segment_id_of("buyers", group), f"Buyers of {group}"[:200], definition)
        await catalogue.seed(connection, [new], now, builtin=False)
