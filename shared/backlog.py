"""What waits in an outbox for its relay, told to operators: whoever relays may be another process."""

import asyncio
from dataclasses import dataclass

import asyncpg

from shared import metrics

_MOST_ROWS = 10_000  # counting a backlog must not be a burden of its own
_WAITING = """
select
    (select count(*) from (select from outbox limit $1) as first) as rows,
    (
        select extract(epoch from clock_timestamp() - put_at)::float8
        from outbox order by id limit 1
    ) as age_seconds
"""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Looks at the outbox every ``interval_seconds``."""

    pool: asyncpg.Pool
    interval_seconds: float = 5.0

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self.interval_seconds)

    async def look(self) -> None:
        """Set the gauges to what there is now."""
        [row] = await self.pool.fetch(_WAITING, _MOST_ROWS)
        metrics.OUTBOX_ROWS.set(row["rows"])
        metrics.OUTBOX_AGE.set(max(0.0, row["age_seconds"] or 0.0))
