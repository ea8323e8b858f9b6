"""Trying a definition before it is saved: how many customers it is met by, and a few of them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

import asyncpg

from services.customers.forecast.store import Expect
from services.customers.profile import seconds, unpack
from services.customers.segments import preview_store, store
from services.customers.segments.assessment import Rules
from services.customers.segments.definition import Definition
from services.customers.segments.estimate import Estimate
from services.customers.segments.evaluation import compiled
from shared import clock
from shared.events.customers import Forecast

EXACT_MOST = 10_000
"""Of so many customers all are looked at, of more a sample of that size."""
SECONDS = 3.0
"""Looking ends then, at whomever it has come to."""
_PORTION = 250
_EXAMPLES = 5
_SEED = 7


@dataclass(frozen=True)
class Found:
    """What was found: how many, and some of them."""

    estimate: Estimate
    examples: tuple[str, ...]


@dataclass
class Preview:
    """Tries definitions, one at a time: it takes a core."""

    pool: asyncpg.Pool
    expect: Expect
    exact_most: int = EXACT_MOST
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def of(self, definition: Definition, now: datetime) -> Found:
        """Whom the definition is met by."""
        async with self._turn:
            return await self._of(definition, now)

    async def _of(self, definition: Definition, now: datetime) -> Found:
        ends = clock.monotonic() + SECONDS
        async with self.pool.acquire() as connection:
            rules = Rules(fifths=await store.fifths(connection))
            customers = await preview_store.customers(connection)
            chosen = await preview_store.some(connection, customers, self.exact_most)
        # In any order but theirs: a part of the first ones would be the oldest customers.
        Random(_SEED).shuffle(chosen)  # noqa: S311 - a sample
        check = compiled(definition)
        looked_at = 0
        matching: list[str] = []

        def match(portion: Sequence[tuple[str, bytes]], expected: Mapping[str, Forecast]) -> None:
            at = seconds(now)
            for customer_id, packed in portion:
                view = rules.view(unpack(packed), expected.get(customer_id), at)
                if check(view, at)[0]:
                    matching.append(customer_id)

        while looked_at < len(chosen) and clock.monotonic() < ends:
            portion = chosen[looked_at : looked_at + _PORTION]
            async with self.pool.acquire() as connection:
                expected = await self.expect(connection, [one for one, _ in portion])
            await asyncio.to_thread(match, portion, expected)
            looked_at += len(portion)
        estimate = Estimate(len(matching), looked_at, max(customers, looked_at))
        return Found(estimate, tuple(sorted(matching[:_EXAMPLES])))
