"""Drafts: of an owner and a form, encrypted."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from shared.database import Connection


@dataclass(frozen=True)
class Form:
    """Whose form it is, and which: its kind and the id of what is being written."""

    owner: str
    kind: str
    id: str


@dataclass(frozen=True)
class DraftRow:
    """A draft as it is kept."""

    form: Form
    body: bytes
    changed_at: datetime


async def keep(connection: Connection, form: Form, body: bytes, now: datetime) -> None:
    """Keep a draft in place of the form's earlier one."""
    await connection.execute(
        """
        insert into drafts (owner, kind, id, body, changed_at) values ($1, $2, $3, $4, $5)
        on conflict (owner, kind, id) do update
        set body = excluded.body, changed_at = excluded.changed_at
        """,
        form.owner,
        form.kind,
        form.id,
        body,
        now,
    )


async def forget(connection: Connection, owner: str, before: datetime, most: int) -> None:
    """Forget anybody's drafts of before, and the owner's but for the newest ones."""
    await connection.execute("delete from drafts where changed_at < $1", before)
    await connection.execute(
        """
        delete from drafts where owner = $1 and (kind, id) in (
            select kind, id from drafts where owner = $1
            order by changed_at desc, kind, id offset $2
        )
        """,
        owner,
        most,
    )


async def all_drafts(connection: Connection) -> AsyncIterator[DraftRow]:
    """Everybody's drafts, a few in memory at a time; within a transaction."""
    async for row in connection.cursor("select * from drafts"):
        yield _draft(row)


async def draft(connection: Connection, form: Form, since: datetime) -> DraftRow | None:
    """The form's draft, or None."""
    row = await connection.fetchrow(
        "select * from drafts where owner = $1 and kind = $2 and id = $3 and changed_at >= $4",
        form.owner,
        form.kind,
        form.id,
        since,
    )
    return None if row is None else _draft(row)


async def drafts(connection: Connection, owner: str, since: datetime) -> list[DraftRow]:
    """The owner's drafts, the newest first."""
    rows = await connection.fetch(
        "select * from drafts where owner = $1 and changed_at >= $2 "
        "order by changed_at desc, kind, id",
        owner,
        since,
    )
    return [_draft(row) for row in rows]


async def delete(connection: Connection, form: Form) -> bool:
    """Forget a draft; False if there is none."""
    found = await connection.fetchval(
        "delete from drafts where owner = $1 and kind = $2 and id = $3 returning true",
        form.owner,
        form.kind,
        form.id,
    )
    return bool(found)


def _draft(row: asyncpg.Record) -> DraftRow:
    form = Form(row["owner"], row["kind"], row["id"])
    return DraftRow(form, row["body"], row["changed_at"])
