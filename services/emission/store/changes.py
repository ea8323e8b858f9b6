"""What was changed, by whom: written with the change itself, and never again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg
import orjson

from services.emission.history import Authored
from shared.database import Connection

Kind = Literal[
    "emission",
    "instrument",
    "campaign",
    "store",
    "group",
    "customer",
    "product",
    "user",
    "key",
    "session",
]


@dataclass(frozen=True)
class Change:
    """One change: ``actor`` did ``action`` to the thing of that kind and id.

    ``body``: what it is from then on, without codes, words, secrets and lists of customers; None where there is
    nothing to tell (a sign-in, say). Of what was ``exported`` it is how much.
    """

    actor: str
    action: str
    kind: Kind
    id: str
    body: dict[str, Any] | None = None


@dataclass(frozen=True)
class Kept:
    """A change as it was kept. ``before``: the last body before it of the same thing."""

    number: int
    at: datetime
    change: Change
    before: dict[str, Any] | None = None


async def record(connection: Connection, change: Change, now: datetime) -> None:
    """Keep the change, in the transaction that makes it."""
    await record_all(connection, [change], now)


async def record_all(connection: Connection, changes: Iterable[Change], now: datetime) -> None:
    """Keep the changes, in the transaction that makes them."""
    await connection.copy_records_to_table(
        "changes",
        records=[
            (now, one.actor, one.action, one.kind, one.id, _dumped(one.body)) for one in changes
        ],
        columns=("at", "actor", "action", "kind", "id", "body"),
    )


async def history(
    connection: Connection, kind: Kind, thing_id: str, offset: int, limit: int
) -> tuple[list[Kept], int]:
    """Changes of one thing, the newest first, numbered from 1; and how many there are."""
    total = await connection.fetchval(
        "select count(*) from changes where kind = $1 and id = $2", kind, thing_id
    )
    rows = await connection.fetch(
        """
        select c.*, (
            select b.body from changes b
            where b.kind = c.kind and b.id = c.id and b.change_id < c.change_id
                and b.body is not null and b.action <> 'exported'
            order by b.change_id desc limit 1
        ) as before
        from changes c where kind = $1 and id = $2 order by change_id desc offset $3 limit $4
        """,
        kind,
        thing_id,
        offset,
        limit,
    )
    return [_kept(row, total - offset - n, row["before"]) for n, row in enumerate(rows)], total


@dataclass(frozen=True)
class Wanted:
    """Which changes: of whom, of what, from when until (not including) when; None: of any."""

    actor: str | None = None
    kinds: Sequence[str] = ()
    id: str | None = None
    actions: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None


async def changes(
    connection: Connection, wanted: Wanted, before: int | None, limit: int
) -> list[Kept]:
    """The newest changes first, from the last before ``before``."""
    rows = await connection.fetch(
        """
        select * from changes
        where ($1::text is null or actor = $1) and ($2::text[] = '{}' or kind = any($2))
            and ($3::text is null or id = $3) and ($4::text[] = '{}' or action = any($4))
            and ($5::timestamptz is null or at >= $5) and ($6::timestamptz is null or at < $6)
            and ($7::bigint is null or change_id < $7)
        order by change_id desc limit $8
        """,
        wanted.actor,
        list(wanted.kinds),
        wanted.id,
        list(wanted.actions),
        wanted.since,
        wanted.until,
        before,
        limit,
    )
    return [_kept(row, row["change_id"], None) for row in rows]


def authored(row: asyncpg.Record) -> Authored:
    """Who wrote what a row holds."""
    return Authored(row["created_at"], row["created_by"], row["changed_at"], row["changed_by"])


def _kept(row: asyncpg.Record, number: int, before: str | None) -> Kept:
    change = Change(row["actor"], row["action"], row["kind"], row["id"], _loaded(row["body"]))
    return Kept(number, row["at"], change, _loaded(before))


def _dumped(body: dict[str, Any] | None) -> str | None:
    return None if body is None else orjson.dumps(body).decode()


def _loaded(body: str | None) -> dict[str, Any] | None:
    return None if body is None else orjson.loads(body)
