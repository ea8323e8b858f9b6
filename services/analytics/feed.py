"""The latest activations one by one, and how they are followed: nothing is missed, nothing comes twice.

Their ids rise in the order of the commits: who has seen one has seen, or could have, all before it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Literal

import asyncpg

from services.analytics.changes import Changes
from services.analytics.dimensions import Selection
from services.analytics.figures import Activation
from shared.database import Connection

_TAIL = 2_000
_PAGE = 500
_LEAST_PAUSE_SECONDS = 0.25
_FILTERS = {
    "campaign_id": "o.campaign_id",
    "instrument_id": "o.instrument_id",
    "emission_id": "o.emission_id",
    "store_id": "p.store_id",
    "device": "p.device",
    "region": "p.region",
}
_SELECT = """
select a.activation_id as id, a.occurred_at as at, a.counted_at,
    o.campaign_id, coalesce(c.name, o.campaign_id) as campaign,
    o.instrument_id, coalesce(i.name, o.instrument_id) as instrument, o.emission_id,
    p.store_id, coalesce(s.name, p.store_id) as store, p.device, p.region, p.currency,
    a.discount, a.bonuses, a.paid
from activations a join offers o using (offer_id) join places p using (place_id)
    left join campaigns c on c.campaign_id = o.campaign_id
    left join instruments i
        on i.campaign_id = o.campaign_id and i.instrument_id = o.instrument_id
    left join stores s on s.store_id = p.store_id
where a.activation_id > $1
"""


async def latest(
    connection: Connection, selection: Selection, limit: int, after: int = 0
) -> list[Activation]:
    """The latest of those behind ``after``, latest first."""
    return await _activations(connection, selection, after, "desc", limit)


async def following(
    connection: Connection, selection: Selection, after: int, limit: int = _PAGE
) -> list[Activation]:
    """The first of those behind ``after``, in their order."""
    return await _activations(connection, selection, after, "asc", limit)


async def _activations(
    connection: Connection, selection: Selection, after: int, order: str, limit: int
) -> list[Activation]:
    wanted = selection.of(_FILTERS)
    filters = [f"and {_FILTERS[name]} = ${n}" for n, name in enumerate(wanted, 3)]
    rows = await connection.fetch(
        f"{_SELECT} {' '.join(filters)} order by activation_id {order} limit $2",
        after,
        limit,
        *wanted.values(),
    )
    return [Activation.model_construct(**row) for row in rows]


def selects(selection: Selection, activation: Activation) -> bool:
    """Whether the selection has the activation."""
    return all(getattr(activation, name) == v for name, v in selection.of(_FILTERS).items())


Mark = Literal["gap", "ready"]
"""Some of what followed is no longer kept; all that there was has been told."""


@dataclass
class Feed:
    """Follows the activations for all viewers of this process: what is new is read once."""

    changes: Changes
    pool: asyncpg.Pool
    least_pause_seconds: float = _LEAST_PAUSE_SECONDS
    tick_seconds: float = 15.0
    _tail: deque[Activation] = field(default_factory=lambda: deque(maxlen=_TAIL))
    _version: int = -1
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def follow(
        self, selection: Selection, seen: int | None, limit: int
    ) -> AsyncGenerator[Sequence[Activation] | Mark | None]:
        """The latest ``limit`` (or what comes behind ``seen``), then those that follow, in their order.

        ``ready`` is between the two; None comes after a while without any.
        """
        version = await self.changes.wait(-1)
        async with self.pool.acquire() as connection:
            newest, oldest = await _bounds(connection)
            if seen is None or seen > newest:
                first = (await latest(connection, selection, limit))[::-1]
                seen = max(newest, *(one.id for one in first[-1:]), 0)
            else:
                first = []
        if first:
            yield first
        elif seen + 1 < oldest:
            yield "gap"
        ready = False
        while True:
            async for found, looked_at in self._after(selection, seen, version):
                seen = looked_at
                if found:
                    yield found
            if not ready:
                yield "ready"
                ready = True
            try:
                version = await asyncio.wait_for(self.changes.wait(version), self.tick_seconds)
            except TimeoutError:
                yield None
                continue
            await asyncio.sleep(self.least_pause_seconds)

    async def _after(
        self, selection: Selection, seen: int, version: int
    ) -> AsyncGenerator[tuple[list[Activation], int]]:
        """What follows, in pages, each with the id until which it has been looked at."""
        tail = await self._tail_at(version)
        if tail and seen >= tail[0].id - 1:
            fresh = takewhile(lambda one: one.id > seen, reversed(tail))
            yield [one for one in fresh if selects(selection, one)][::-1], max(seen, tail[-1].id)
            return
        async with self.pool.acquire() as connection:
            newest, _ = await _bounds(connection)
            while page := await following(connection, selection, seen):
                seen = page[-1].id
                yield page, seen
        yield [], max(seen, newest)

    async def _tail_at(self, version: int) -> deque[Activation]:
        """The latest activations, read if something has changed since."""
        async with self._reading:
            if self._version < version:
                known = self._tail[-1].id if self._tail else 0
                async with self.pool.acquire() as connection:
                    fresh = await latest(connection, Selection(), _TAIL, known)
                # If there are more than it holds, all that it had leaves with those between.
                self._tail.extend(reversed(fresh))
                self._version = version
            return self._tail


async def _bounds(connection: Connection) -> tuple[int, int]:
    """The newest id, and the oldest that is kept."""
    row = await connection.fetchrow(
        "select latest, coalesce((select min(activation_id) from activations), latest + 1)"
        " from activation_ids"
    )
    assert row is not None  # noqa: S101 - the table has one row
    return row[0], row[1]
