"""Erased customers: everything of theirs, and what is known of who was erased."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from shared.database import Connection
from shared.events.reference import NOBODY

_ERASING = 0x7111_5E0A


@dataclass(frozen=True)
class Kept:
    """An erasure that was done: whose, as a keyed digest, and the report, encoded."""

    erasure_id: str
    customer: bytes
    requested_at: datetime
    report: bytes
    erased_at: datetime


async def lock_erasing(connection: Connection) -> None:
    """Nobody writes down customers meanwhile; what was written is waited for."""
    await connection.execute("select pg_advisory_xact_lock($1)", _ERASING)


async def hold_off_erasing(connection: Connection) -> None:
    """Nobody is erased until the transaction ends: else it might write down again who was erased meanwhile."""
    await connection.execute("select pg_advisory_xact_lock_shared($1)", _ERASING)


async def kept(connection: Connection, erasure_id: str) -> Kept | None:
    """The erasure, if it was done before."""
    row = await connection.fetchrow(
        "select erasure_id, customer, requested_at, report, erased_at from erasures"
        " where erasure_id = $1",
        erasure_id,
    )
    return None if row is None else Kept(*row)


async def keep(connection: Connection, done: Kept) -> None:
    """Keep an erasure."""
    await connection.execute(
        "insert into erasures (erasure_id, customer, requested_at, report, erased_at)"
        " values ($1, $2, $3, $4, $5)",
        done.erasure_id,
        done.customer,
        done.requested_at,
        done.report,
        done.erased_at,
    )


async def erased_among(
    connection: Connection, customers: Collection[bytes]
) -> dict[bytes, datetime]:
    """Those of the customers that were erased, and when that was asked for last."""
    rows = await connection.fetch(
        "select customer, max(requested_at) as requested_at from erasures"
        " where customer = any($1) group by customer",
        list(customers),
    )
    return {row["customer"]: row["requested_at"] for row in rows}


async def forget(connection: Connection, before: datetime, most: int) -> int:
    """Forget the oldest erasures of before; how many they were, ``most`` at once."""
    return int(
        await connection.fetchval(
            """
            with old as (
                delete from erasures where erasure_id in (
                    select erasure_id from erasures where erased_at < $1 order by erased_at limit $2
                ) returning 1
            )
            select count(*) from old
            """,
            before,
            most,
        )
    )


async def delete_customer(connection: Connection, customer_id: str) -> dict[str, int]:
    """Delete what is only about the customer; how many rows by table."""
    row = await connection.fetchrow(
        """
        with g as (delete from group_members where customer_id = $1 returning 1),
            b as (delete from birthdays where customer_id = $1 returning 1),
            r as (delete from code_requests where customer_id = $1 returning 1)
        select (select count(*) from g) as group_members, (select count(*) from b) as birthdays,
            (select count(*) from r) as code_requests
        """,
        customer_id,
    )
    return dict(row or {})


async def emissions_of(connection: Connection, customer_id: str) -> list[int]:
    """The numbers of the emissions that have codes of the customer's.

    Holders of batches are read to the end: 80 ms for a million, and customers are seldom erased. An index on them
    (GIN) took as long again to write as the batches themselves, and 80 bytes for each.
    """
    rows = await connection.fetch(
        "select emission from code_holders where customers @> array[$1]"
        " union select emission from requested_codes where customer_id = $1",
        customer_id,
    )
    return [row["emission"] for row in rows]


async def unbind(
    connection: Connection, customer_id: str, emissions: Collection[int]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Have nobody hold the customer's codes of these emissions, which are all that have any.

    (emission, chunk) of those of batches, and of each one on request.
    """
    posted = await connection.fetch(
        "update code_holders set customers = array_replace(customers, $1, $2)"
        " where emission = any($3) and customers @> array[$1] returning emission, chunk",
        customer_id,
        NOBODY,
        list(emissions),
    )
    requested = await connection.fetch(
        "update requested_codes set customer_id = $2 where customer_id = $1"
        " returning emission, chunk",
        customer_id,
        NOBODY,
    )
    return [(r["emission"], r["chunk"]) for r in posted], [
        (r["emission"], r["chunk"]) for r in requested
    ]


async def set_holders_sha256(connection: Connection, emission: int, sha256: bytes) -> None:
    """What the emission's customers are known by, one of them being nobody now."""
    await connection.execute(
        "update emissions set holders_sha256 = $2 where number = $1", emission, sha256
    )
