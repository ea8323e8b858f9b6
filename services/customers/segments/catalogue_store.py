"""The segments that there are, and what they were, in PostgreSQL. Every function runs in its caller's transaction."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import asyncpg

from services.customers.segments.definition import Definition
from shared.codec import decode, encode
from shared.database import Connection


class Row(NamedTuple):
    """A segment. ``called`` of ``to_call`` customers were called since its last change; ``to_call`` none: all were looked at."""

    segment_id: str
    name: str
    builtin: bool
    definition: Definition
    version: int
    archived: bool
    members: int
    changed_at: datetime
    changed_by: str
    called: int
    to_call: int | None


class Change(NamedTuple):
    """What a segment was from then on."""

    version: int
    action: str
    name: str
    definition: Definition
    changed_at: datetime
    changed_by: str


class Day(NamedTuple):
    """How many entered a segment on a day (UTC), and how many left it."""

    segment_id: str
    day: date
    entered: int
    gone: int


class Wanted(NamedTuple):
    """Which part of the list: all ``words`` are in the name or id; archived ones, others, or both."""

    words: Sequence[str] = ()
    archived: bool | None = None
    sort: str = ""
    offset: int = 0
    limit: int = 100


ORDERS = {"name": "lower(name)", "members": "members", "changed_at": "changed_at"}
"""How the list may be sorted."""

_ROW = """
select segment_id, name, builtin, definition, version, archived, members, changed_at, changed_by,
    coalesce(done, 0) as called,
    case when finished_at is null and passes.pass_id is not null
        then greatest(total, (select count(*) from profiles)) end as to_call
from segments left join passes using (pass_id)
"""


async def find(connection: Connection, segment_id: str) -> Row | None:
    """The segment with that id."""
    row = await connection.fetchrow(f"{_ROW} where segment_id = $1", segment_id)
    return None if row is None else _row(row)


async def page(connection: Connection, wanted: Wanted) -> tuple[list[Row], int]:
    """A page of the list, and how many there are on all pages."""
    name = wanted.sort.removeprefix("-")
    turned = "desc" if wanted.sort.startswith("-") else "asc"
    order = f"{ORDERS[name]} {turned}, " if name else ""
    where = (
        "lower(segment_id || ' ' || name) like all($1::text[])"
        " and ($2::boolean is null or archived = $2)"
    )
    values = [[f"%{_escaped(word)}%" for word in wanted.words], wanted.archived]
    total = await connection.fetchval(f"select count(*) from segments where {where}", *values)  # noqa: S608 - ours
    rows = await connection.fetch(
        f"{_ROW} where {where} order by {order}segment_id {turned} offset $3 limit $4",
        *values,
        wanted.offset,
        wanted.limit,
    )
    return [_row(row) for row in rows], total


async def lock(connection: Connection, segment_id: str) -> None:
    """Let nobody else change the segment, nor any other with that id come to be, until the transaction ends."""
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended('segments:' || $1, 0))", segment_id
    )


async def active(connection: Connection) -> int:
    """How many segments are not archived."""
    count: int = await connection.fetchval("select count(*) from segments where not archived")
    return count


async def save(connection: Connection, row: Row, action: str, pass_id: int | None) -> None:
    """Save a segment as it is from now on, and what was done; ``pass_id``: who is in it is found by that pass."""
    columns = (
        row.segment_id,
        row.version,
        row.name,
        encode(row.definition).decode(),
        row.changed_at,
        row.changed_by,
    )
    await connection.execute(
        "insert into segments (segment_id, version, name, definition, changed_at, changed_by,"
        " builtin, archived, pass_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        " on conflict (segment_id) do update set version = $2, name = $3, definition = $4,"
        " changed_at = $5, changed_by = $6, archived = $8,"
        " pass_id = coalesce($9, segments.pass_id)",
        *columns,
        row.builtin,
        row.archived,
        pass_id,
    )
    await connection.execute(
        "insert into segment_changes (segment_id, version, name, definition, changed_at, changed_by,"
        " action) values ($1, $2, $3, $4, $5, $6, $7)",
        *columns,
        action,
    )


async def known(connection: Connection, segment_ids: Collection[str]) -> set[str]:
    """Those of the ids that are segments, archived or not."""
    rows = await connection.fetch(
        "select segment_id from segments where segment_id = any($1)", list(segment_ids)
    )
    return {row["segment_id"] for row in rows}


async def history(
    connection: Connection, segment_id: str, offset: int, limit: int
) -> tuple[list[Change], int]:
    """What was done to a segment, the newest first, and how much that is in all."""
    total = await connection.fetchval(
        "select count(*) from segment_changes where segment_id = $1", segment_id
    )
    rows = await connection.fetch(
        "select version, action, name, definition, changed_at, changed_by from segment_changes"
        " where segment_id = $1 order by version desc offset $2 limit $3",
        segment_id,
        offset,
        limit,
    )
    return [_change(row) for row in rows], total


async def days(connection: Connection, segment_ids: Collection[str], since: date) -> list[Day]:
    """How many entered and left on each day from ``since`` on; days without either are left out."""
    rows = await connection.fetch(
        "select segment_id, day, entered, gone from segment_days"
        " where segment_id = any($1) and day >= $2 order by segment_id, day",
        list(segment_ids),
        since,
    )
    return [Day(*row) for row in rows]


def _row(row: asyncpg.Record) -> Row:
    values: dict[str, Any] = dict(row)
    return Row(**{**values, "definition": _definition(values["definition"])})


def _change(row: asyncpg.Record) -> Change:
    values: dict[str, Any] = dict(row)
    return Change(**{**values, "definition": _definition(values["definition"])})


def _definition(stored: str) -> Definition:
    return decode(Definition, stored.encode(), ignore_unknown=True)


def _escaped(word: str) -> str:
    """The word without what a pattern would take for something else."""
    return word.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
