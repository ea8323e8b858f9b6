"""Passes through all customers, in PostgreSQL. Every function runs in its caller's transaction.

What customers are evaluated by has changed, so all of them are looked at again: a pass has them called one portion after
another. A change joins the pass that has not begun yet; there are at most two open ones.
"""

from datetime import datetime
from typing import NamedTuple

from services.customers import store as customer_store
from shared.database import Connection


class Pass(NamedTuple):
    """A pass: ``done`` of ``total`` customers have been called; ``finished_at`` when the last was looked at."""

    pass_id: int
    reason: str
    created_at: datetime
    started_at: datetime | None
    done: int
    total: int
    finished_at: datetime | None


_COLUMNS = "pass_id, reason, created_at, started_at, done, total, finished_at"


async def ask(connection: Connection, reason: str, now: datetime) -> int:
    """Have every customer looked at again; returns the number of the pass."""
    waiting = await connection.fetchval(
        "select pass_id from passes where finished_at is null and started_at is null"
        " order by pass_id limit 1 for update"
    )
    if waiting is None:
        waiting = await connection.fetchval(
            "insert into passes (reason, created_at) values ($1, $2) returning pass_id",
            reason,
            now,
        )
    number: int = waiting
    return number


async def open_pass(connection: Connection) -> Pass | None:
    """The pass to go on with, locked; none if another process goes on with it, or there is none."""
    row = await connection.fetchrow(
        f"select {_COLUMNS} from passes where finished_at is null"  # noqa: S608 - our own names
        " order by pass_id limit 1 for update skip locked"
    )
    return None if row is None else Pass(*row)


async def begin(connection: Connection, number: int, now: datetime) -> None:
    """Count whom there is to call."""
    await connection.execute(
        "update passes set started_at = $2, total = (select count(*) from profiles)"
        " where pass_id = $1",
        number,
        now,
    )


async def call(connection: Connection, number: int, most: int, now: datetime) -> int:
    """Have the next customers looked at; returns how many."""
    rows = await connection.fetch(
        "select customer_id from profiles"
        " where customer_id > (select cursor from passes where pass_id = $1)"
        " order by customer_id limit $2",
        number,
        most,
    )
    if rows:
        called = [row["customer_id"] for row in rows]
        await customer_store.attend(connection, called, now, changed=False)
        await connection.execute(
            "update passes set cursor = $2, done = done + $3, put_at = $4,"
            " total = greatest(total, done + $3) where pass_id = $1",
            number,
            called[-1],
            len(called),
            now,
        )
    return len(rows)


async def finish(connection: Connection, number: int, now: datetime) -> bool:
    """End a pass, unless some whom it called are still to be looked at; whether it ended."""
    ended = await connection.fetchval(
        "update passes set finished_at = $2, total = done, cursor = '' where pass_id = $1"
        " and not exists (select from attention where due_at <= coalesce(put_at, $2))"
        " returning true",
        number,
        now,
    )
    return ended is not None


async def waiting(connection: Connection, now: datetime, most: int) -> int:
    """How many customers are due, up to ``most``."""
    count: int = await connection.fetchval(
        "select count(*) from (select from attention where due_at <= $1 limit $2) as counted",
        now,
        most,
    )
    return count
