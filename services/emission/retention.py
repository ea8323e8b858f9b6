"""Forgets answers that nobody asks for again, and who was erased long ago, a few at a time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.emission import erasure
from services.emission.requests import KEPT_FOR
from services.emission.store import erasures as erasure_store
from services.emission.store import requests as store
from shared import clock

_MOST = 1_000


@dataclass(frozen=True)
class Retention:
    """Looks for what to forget every ``interval_seconds``."""

    pool: asyncpg.Pool
    now: Callable[[], datetime] = clock.now
    interval_seconds: float = 60.0

    async def run(self) -> None:
        """Forget until cancelled."""
        while True:
            if await self.forget_some() < _MOST:
                await asyncio.sleep(self.interval_seconds)

    async def forget_some(self) -> int:
        """Forget the oldest of what is too old; how much there was of what there was most of."""
        now = self.now()
        async with self.pool.acquire() as connection:
            return max(
                await store.forget_answers(connection, now - KEPT_FOR, _MOST),
                await erasure_store.forget(connection, now - erasure.KEPT_FOR, _MOST),
            )
