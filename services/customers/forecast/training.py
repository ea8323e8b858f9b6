"""When models are trained: nightly, when asked to, and as soon as there is much more to learn from."""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg
import structlog

from services.customers.forecast import store
from services.customers.forecast.figures import ratio_of
from services.customers.forecast.store import Run
from services.customers.metrics import (
    FORECAST_ERROR_RATIO,
    FORECAST_SECONDS,
    FORECAST_TRAINED_AT,
)
from shared import clock

NIGHTLY = "0 3 * * *"
_OVERDUE = timedelta(hours=26)
_AGAIN = timedelta(hours=1)
_GROWN = 2
_COMMAND = (sys.executable, "-m", "services.customers.forecast.worker")

log = structlog.get_logger()


@dataclass(frozen=True)
class Training:
    """Has trainings done, each in a process of its own: one at a time, whatever the number of instances.

    ``at`` is when (crontab, UTC).
    """

    pool: asyncpg.Pool
    database: str
    at: str = NIGHTLY
    command: Sequence[str] = _COMMAND

    async def ask(self, reason: str) -> str | None:
        """Ask for a training; its id, or None if one waits or is under way."""
        run_id = uuid4().hex
        async with self.pool.acquire() as connection, connection.transaction():
            if await store.open_runs(connection):
                return None
            asked = await store.ask(connection, run_id, reason, clock.now())
        return run_id if asked else None

    async def nightly(self) -> None:
        """Ask for the training of the night."""
        await self.ask("schedule")

    async def watch(self) -> None:
        """Ask for a training that is overdue, or pays: there are twice as many customers as it was learnt from."""
        now = clock.now()
        async with self.pool.acquire() as connection:
            last = await store.latest_done(connection)
            asked = await store.asked_between(connection)
            customers = await store.customers(connection)
        _show(last, asked)
        tried = asked is not None and asked[1] > now - _AGAIN
        if last is None or last.asked_at < now - _OVERDUE:
            if customers and not tried:
                await self.ask("overdue")
        elif customers >= _GROWN * max(last.customers, 1):
            await self.ask("more_customers")

    async def run(self) -> None:
        """Do what was asked for, if nobody does; what was left undone has failed."""
        async with self.pool.acquire() as connection, connection.transaction():
            found = await store.open_runs(connection)
            if not found or not await store.give_up(connection, clock.now()):
                return
        if "asked" in found:
            await self._work()

    async def _work(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *self.command,
            stdin=asyncio.subprocess.PIPE,
            # Of our settings it needs to know where the data are, and no secret but that.
            env={
                **{name: value for name, value in os.environ.items() if not _ours(name)},
                "TILLSTREAM_DATABASE": self.database,
            },
        )
        try:
            code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
        log.info("training has ended", code=code)


def _show(last: Run | None, asked: tuple[datetime, datetime] | None) -> None:
    """Tell of the last training, as the database has it: every instance says the same."""
    if last is not None and last.started_at and last.finished_at:
        FORECAST_TRAINED_AT.set(last.finished_at.timestamp())
        FORECAST_SECONDS.set((last.finished_at - last.started_at).total_seconds())
        FORECAST_ERROR_RATIO.set(ratio_of(last.scores, last.model))
    elif asked is not None:
        FORECAST_TRAINED_AT.set(asked[0].timestamp())


def _ours(name: str) -> bool:
    return name.startswith("TILLSTREAM_")
