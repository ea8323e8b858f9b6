"""Sketches of customers, in PostgreSQL: marks are merged into them in the background.

The rollup writes what it met as marks, a row for each of its batches: to change the sketches of every place and campaign
of a batch would cost more than all else that it does. Those who ask add the marks that are left.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

import asyncpg

from services.analytics.insight.customers import Mark, extended, unpack
from shared.database import Connection

_PAUSE_SECONDS = 5.0
_MOST_BATCHES = 50
# Two that merge at once would overwrite what the other has added to a sketch.
_ALONE = "select pg_try_advisory_xact_lock(hashtext('customer_sketches'))"
_WAIT = "select pg_advisory_xact_lock(hashtext('customer_sketches'))"
_TAKE = """
delete from customer_marks where mark_id in (
    select mark_id from customer_marks order by mark_id limit $1
) returning marks
"""
_PLACES = "select place_id, device, region from places where place_id = any($1)"
_READ = """
select c.day, c.campaign_number, c.scope, s.sketch
from unnest($1::date[], $2::int[], $3::text[]) as c (day, campaign_number, scope)
left join customer_sketches s using (campaign_number, scope, day)
"""
_WRITE = """
insert into customer_sketches (day, campaign_number, scope, sketch)
select * from unnest($1::date[], $2::int[], $3::text[], $4::bytea[])
on conflict (campaign_number, scope, day) do update set sketch = excluded.sketch
"""
Cell = tuple[date, int, str]
"""Day, campaign, scope."""


def scopes(place_id: int, device: str, region: str) -> tuple[str, str, str, str]:
    """Under which scopes what is of a place is found."""
    return "all", f"device={device}", f"region={region}", f"place={place_id}"


async def keep_merging(pool: asyncpg.Pool) -> None:
    """Merge marks into sketches as they come, until cancelled."""
    while True:
        while await merge(pool):
            await asyncio.sleep(0)
        await asyncio.sleep(_PAUSE_SECONDS)


async def merge(pool: asyncpg.Pool, most: int = _MOST_BATCHES) -> int:
    """Merge the marks of at most so many batches into the sketches; of how many there were."""
    async with pool.acquire() as connection, connection.transaction():
        if not await connection.fetchval(_ALONE):
            return 0
        return await _merge(connection, most)


async def merge_all(connection: Connection) -> None:
    """Merge all marks there are, in the caller's transaction."""
    await connection.execute(_WAIT)
    while await _merge(connection, _MOST_BATCHES):
        pass


async def _merge(connection: Connection, most: int) -> int:
    batches = [row["marks"] for row in await connection.fetch(_TAKE, most)]
    marks = [mark for kept in batches for mark in unpack(kept)]
    if marks:
        await _add(connection, await _by_cell(connection, marks))
    return len(batches)


async def _by_cell(connection: Connection, marks: Sequence[Mark]) -> dict[Cell, set[int]]:
    rows = await connection.fetch(_PLACES, list({mark.place for mark in marks}))
    names = {row["place_id"]: scopes(*row) for row in rows}
    found: dict[Cell, set[int]] = defaultdict(set)
    for mark in marks:
        for scope in names[mark.place]:
            found[mark.date, mark.campaign, scope].add(mark.customer)
    return found


async def _add(connection: Connection, cells: Mapping[Cell, set[int]]) -> None:
    # In the order of the key, as it is written.
    keys = sorted(cells, key=lambda cell: (cell[1], cell[2], cell[0]))
    columns = [list(column) for column in zip(*keys, strict=True)]
    known = {tuple(row)[:3]: row["sketch"] for row in await connection.fetch(_READ, *columns)}
    sketches = [extended(known[key], cells[key]) for key in keys]
    await connection.execute(_WRITE, *columns, sketches)
