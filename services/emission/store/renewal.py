"""How far emissions are renewed."""

from datetime import datetime

from services.emission.cipher import CodeCipher
from services.emission.store.emissions import EmissionRow, emission_of
from shared.database import Connection


async def next_due(
    connection: Connection, cipher: CodeCipher, said_before: datetime, ended_before: datetime
) -> tuple[EmissionRow, int] | None:
    """The emission that was not renewed for longest, since ``said_before``, locked, and how many of its chunks were.

    None if no other process leaves one. Those that ended before ``ended_before`` are of no use any more.
    """
    row = await connection.fetchrow(
        "select * from emissions where status = 'posted'"
        " and coalesce(renewed_at, posting_since) < $1"
        " and (valid_until is null or valid_until >= $2)"
        " order by coalesce(renewed_at, posting_since), number limit 1"
        " for no key update skip locked",
        said_before,
        ended_before,
    )
    return None if row is None else (emission_of(row, cipher), row["renewed_chunks"])


async def advance(
    connection: Connection, number: int, chunks: int, renewed_at: datetime | None
) -> None:
    """So many chunks of the emission are renewed; all of them were, if it is renewed."""
    await connection.execute(
        "update emissions set renewed_at = coalesce($3, renewed_at),"
        " renewed_chunks = case when $3 is null then $2 else 0 end where number = $1",
        number,
        chunks,
        renewed_at,
    )
