"""Looking at customers: their segments now, and their profile for everybody else.

Who did something is looked at as soon as may be, and so is, in its time, whoever changes by time alone: a visit leaves a
window, a month without purchase is full. One process looks at a time; what a customer does meanwhile has
him looked at again.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.customers import store
from services.customers.feed.forgotten import hold_off_erasure
from services.customers.forecast.store import Expect
from services.customers.metrics import LOOKED_AT, OVERDUE
from services.customers.offers.store.candidates import consider
from services.customers.store import Due
from services.customers.summary import summarise
from shared import clock, topics
from shared.database import Connection
from shared.events.customers import Forecast, Rfm
from shared.outbox import Message, put

SOURCE = "/customers"
MOST = 100
"""Customers of one transaction: receipts that come meanwhile wait for its end."""
_MOMENT_SECONDS = 0.25
_LOCK = 0x7111_A77E


@dataclass(frozen=True)
class Finding:
    """What was found of a customer: in which segments they are, which of that is new, and until when it holds."""

    segments: frozenset[str] = frozenset()
    rfm: Rfm | None = None
    changed: bool = False
    until: datetime | None = None


Evaluate = Callable[
    [Connection, Sequence[Due], Mapping[str, Forecast], datetime],
    Awaitable[Mapping[str, Finding]],
]


@dataclass(frozen=True)
class Attention:
    """Looks at whoever is due. ``evaluate`` says what is found of customers, ``expect`` what is forecast of them."""

    pool: asyncpg.Pool
    evaluate: Evaluate
    expect: Expect

    async def look(self) -> None:
        """Look at who is due, for a moment: applying what comes goes on beside it, and comes first."""
        started, now = clock.monotonic(), clock.now()
        longest = await store.longest_due(self.pool)
        OVERDUE.set(max(0.0, (now - longest).total_seconds()) if longest else 0.0)
        while clock.monotonic() - started < _MOMENT_SECONDS:
            if not await self.look_at_some(clock.now()):
                return

    async def look_at_some(self, now: datetime) -> bool:
        """Look at some; whether there may be more."""
        async with self.pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval("select pg_try_advisory_xact_lock($1)", _LOCK):
                return False
            await hold_off_erasure(connection)  # what is read now is published below
            seen = await store.due(connection, now, MOST)
            if not seen:
                return False
            forecasts = await self.expect(connection, [one.customer_id for one in seen])
            found = await self.evaluate(connection, seen, forecasts, now)
            await put(connection, _published(seen, found, forecasts, now), SOURCE, now)
            again = {
                customer_id: finding.until
                for customer_id, finding in sorted(found.items())
                if finding.until is not None
            }
            await store.looked_at(connection, seen, again)
            await consider(connection, [one.customer_id for one in seen], now)
        LOOKED_AT.inc(len(seen))
        return len(seen) == MOST


def _published(
    seen: Sequence[Due],
    found: Mapping[str, Finding],
    forecasts: Mapping[str, Forecast],
    now: datetime,
) -> list[Message]:
    """The profiles that have changed."""
    messages = []
    for customer_id, version, changed, state, _ in seen:
        finding = found.get(customer_id, Finding())
        if version and (changed or finding.changed):
            profile = summarise(
                customer_id,
                version,
                state,
                now,
                segments=finding.segments,
                rfm=finding.rfm,
                forecast=forecasts.get(customer_id),
            )
            event_id = f"p-{customer_id}-{version}-{now.timestamp():.6f}"
            messages.append(Message(topics.PROFILES, customer_id.encode(), profile, event_id))
    return messages
