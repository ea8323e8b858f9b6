"""Erasures in PostgreSQL: who is to be forgotten, and whose hashes are put in another's place."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from services.analytics.insight.customers_store import merge_all
from shared.database import Connection
from shared.events.customers import ErasedTable

_CLOCKS_DIFFER = timedelta(seconds=5)


async def ask(connection: Connection, asked: Iterable[tuple[str, int]]) -> None:
    """Note customers to be forgotten: (erasure id, the customer's hash). Each erasure is done once."""
    await connection.executemany(
        "insert into erasures as e (erasure_id, customer) values ($1, $2)"
        " on conflict (erasure_id) do update set customer = excluded.customer"
        " where e.done_at is null",
        sorted(asked),
    )


async def ready(connection: Connection, since: Iterable[tuple[str, datetime]]) -> None:
    """Note when the evaluator had forgotten them: (erasure id, instant)."""
    await connection.executemany(
        "insert into erasures as e (erasure_id, ready_at) values ($1, $2)"
        " on conflict (erasure_id) do update set ready_at = excluded.ready_at"
        " where e.ready_at is null",
        sorted(since),
    )


async def read_until(
    connection: Connection, consumer: str, partitions: dict[str, int]
) -> datetime | None:
    """Until when the topics, which have so many partitions, have been read; None while any is unknown.

    A little earlier: the consumer's clock and the broker's may differ.
    """
    [row] = await connection.fetch(
        "select min(read_until) - $3::interval as until, count(read_until) as known from offsets"
        " where consumer = $1 and topic = any($2)",
        consumer,
        list(partitions),
        _CLOCKS_DIFFER,
    )
    return row["until"] if row["known"] == sum(partitions.values()) else None


async def due(connection: Connection, until: datetime) -> tuple[str, int] | None:
    """The oldest that is ready by then, for this transaction alone: erasure id, hash."""
    row = await connection.fetchrow(
        "select erasure_id, customer from erasures where customer is not null and done_at is null"
        " and ready_at <= $1 order by ready_at, erasure_id limit 1 for update skip locked",
        until,
    )
    return (row["erasure_id"], row["customer"]) if row else None


async def erase(connection: Connection, customer: int, other: int) -> Collection[ErasedTable]:
    """Put another hash, of nobody, in a customer's place: what arms and refunds add up to stays.

    What is in no sketch yet goes there first.
    """
    await merge_all(connection)
    participants = await connection.execute(
        "update participants set customer = $2 where customer = $1"
        " and comparison_id = any(array(select comparison_id from comparisons))"
        " and held_back = any('{false,true}')",
        customer,
        other,
    )
    refunds = await connection.execute(
        "update customer_refunds set customer = $2 where customer = $1", customer, other
    )
    return (
        ErasedTable(table="customer_refunds", anonymised=_count(refunds)),
        ErasedTable(table="participants", anonymised=_count(participants)),
    )


async def done(connection: Connection, erasure_id: str) -> datetime:
    """Keep only that it was done, and when."""
    at: datetime = await connection.fetchval(
        "update erasures set customer = null, done_at = clock_timestamp() where erasure_id = $1"
        " returning done_at",
        erasure_id,
    )
    return at


def _count(status: str) -> int:
    return int(status.rsplit(maxsplit=1)[-1])
