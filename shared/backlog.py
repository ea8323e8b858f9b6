"""What waits to be read or to be sent, told to operators by PostgreSQL: whoever does it may be another process.

Nor does it matter to it whether Kafka answers: what operators must see most is how long it has not.
"""

import asyncio
from dataclasses import dataclass

import asyncpg

from shared import metrics

_MOST_ROWS = 10_000  # counting a backlog must not be a burden of its own
_OUTBOX = """
select
    (select count(*) from (select from outbox limit $1) as first) as rows,
    (
        select extract(epoch from clock_timestamp() - put_at)::float8
        from outbox order by id limit 1
    ) as age_seconds
"""
_READ = """
select consumer, topic, extract(epoch from min(read_until))::float8 as read_until
from offsets group by consumer, topic having bool_and(read_until is not null)
"""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Looks at a service's database every ``interval_seconds``."""

    pool: asyncpg.Pool
    interval_seconds: float = 2.0

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self.interval_seconds)

    async def look(self) -> None:
        """Set the gauges to what there is now."""
        async with self.pool.acquire() as connection:
            [waiting] = await connection.fetch(_OUTBOX, _MOST_ROWS)
            read = await connection.fetch(_READ)
        metrics.OUTBOX_ROWS.set(waiting["rows"])
        metrics.OUTBOX_AGE.set(max(0.0, waiting["age_seconds"] or 0.0))
        for row in read:
            shown = metrics.READ_UNTIL.labels(row["consumer"], row["topic"])
            shown.set(row["read_until"])
