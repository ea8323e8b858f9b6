"""Customers to try a definition with, from PostgreSQL."""

from shared.database import Connection

_ALL = 100.0


async def customers(connection: Connection) -> int:
    """How many customers there are."""
    count: int = await connection.fetchval("select count(*) from profiles where version > 0")
    return count


async def some(connection: Connection, of: int, most: int) -> list[tuple[str, bytes]]:
    """All customers with their packed states; if they are more than ``most``, those of pages chosen at random."""
    share = _ALL if of <= most else _ALL * most / of
    rows = await connection.fetch(
        "select customer_id, state from profiles tablesample system ($1) where version > 0",
        share,
    )
    return [(row["customer_id"], row["state"]) for row in rows]
