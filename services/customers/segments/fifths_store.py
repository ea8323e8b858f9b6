"""The fifths of all customers, and a way through their profiles, in PostgreSQL."""

from datetime import datetime
from typing import NamedTuple

from services.customers.segments.rfm import Fifths
from shared.database import Connection

_KEPT = 400


class Kept(NamedTuple):
    """Fifths as they were found at a time, of so many customers."""

    made_at: datetime
    customers: int
    fifths: Fifths


async def latest(connection: Connection) -> Kept | None:
    """The fifths that count."""
    row = await connection.fetchrow(
        "select made_at, customers, days, purchases, paid from rfm_fifths"
        " order by made_at desc limit 1"
    )
    if row is None:
        return None
    fifths = Fifths.stored(row["days"], row["purchases"], row["paid"])
    return Kept(row["made_at"], row["customers"], fifths)


async def save(connection: Connection, kept: Kept) -> None:
    """Keep fifths; those of long ago are forgotten."""
    fifths = kept.fifths
    await connection.execute(
        "insert into rfm_fifths (made_at, customers, days, purchases, paid)"
        " values ($1, $2, $3, $4, $5) on conflict do nothing",
        kept.made_at,
        kept.customers,
        list(fifths.days),
        list(fifths.purchases),
        fifths.stored_paid,
    )
    await connection.execute(
        "delete from rfm_fifths where made_at <"
        " (select min(made_at) from (select made_at from rfm_fifths order by made_at desc limit $1) as kept)",
        _KEPT,
    )


async def customers(connection: Connection, most: int) -> int:
    """How many customers have bought something, up to ``most``."""
    count: int = await connection.fetchval(
        "select count(*) from (select from profiles where bought limit $1) as counted", most
    )
    return count


async def grid(connection: Connection) -> list[tuple[int, int, int, int]]:
    """How many customers have which recency, frequency and monetary value."""
    rows = await connection.fetch(
        "select recency, frequency, monetary, count(*) from rfm_scores group by 1, 2, 3"
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]
