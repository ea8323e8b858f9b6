"""Erasures and their reports in PostgreSQL. Every function runs in its caller's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from shared.codec import decode, encode
from shared.database import Connection
from shared.events.customers import Erased


@dataclass(frozen=True)
class Asked:
    """An erasure that was asked for, and what has been reported of it so far."""

    erasure_id: str
    requested_at: datetime
    requested_by: str
    reports: tuple[Erased, ...]


async def note(
    connection: Connection, erasure_id: str, subject: bytes, requested_at: datetime, by: str
) -> None:
    """Keep that a customer was erased, known by the hash of the id."""
    await connection.execute(
        "insert into erasures (erasure_id, subject, requested_at, requested_by)"
        " values ($1, $2, $3, $4)",
        erasure_id,
        subject,
        requested_at,
        by,
    )


async def report(connection: Connection, reports: Iterable[Erased]) -> None:
    """Keep reports, each once; one of an erasure that is not known is of another database."""
    rows = [(one.erasure_id, one.service, one.erased_at, encode(one)) for one in reports]
    await connection.executemany(
        "insert into erasure_reports (erasure_id, service, erased_at, body)"
        " select $1, $2, $3, $4 where exists (select from erasures where erasure_id = $1)"
        " on conflict (erasure_id, service) do nothing",
        rows,
    )


_ASKED = """
select
    erasure_id, requested_at, requested_by,
    array(
        select body from erasure_reports as one where one.erasure_id = erasures.erasure_id
        order by erased_at, service
    ) as reports
from erasures
"""


async def find(connection: Connection, erasure_id: str) -> Asked | None:
    """The erasure with that id."""
    row = await connection.fetchrow(f"{_ASKED} where erasure_id = $1", erasure_id)
    return None if row is None else _asked(row)


async def latest(
    connection: Connection, *, subject: bytes | None, after: str, limit: int
) -> Sequence[Asked]:
    """Erasures, the latest first, of one customer or of all; those behind ``after`` (an id), if it is given."""
    rows = await connection.fetch(
        f"{_ASKED} where ($1::bytea is null or subject = $1) and ($2 = '' or (requested_at, erasure_id)"  # noqa: S608 - no values
        " < (select requested_at, erasure_id from erasures where erasure_id = $2))"
        " order by requested_at desc, erasure_id desc limit $3",
        subject,
        after,
        limit,
    )
    return [_asked(row) for row in rows]


def _asked(row: asyncpg.Record) -> Asked:
    reports = tuple(decode(Erased, body, ignore_unknown=True) for body in row["reports"])
    return Asked(row["erasure_id"], row["requested_at"], row["requested_by"], reports)
