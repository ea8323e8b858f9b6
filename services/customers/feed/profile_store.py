"""Customers in PostgreSQL as they are listed and exported: page by page, by id. Every function reads only."""

from collections.abc import Collection

from services.customers.profile import State, unpack
from shared.database import Connection

_BEHIND_ALL = "\x7f"  # ids are ASCII

Known = tuple[str, int, State]
"""A customer's id, the profile's version, and its state."""


async def page(
    connection: Connection, *, after: str = "", prefix: str = "", segment_id: str = "", limit: int
) -> list[str]:
    """The next ids behind ``after``: of all customers, or of a segment's; those that begin with ``prefix``."""
    if segment_id:
        rows = await connection.fetch(
            "select customer_id from memberships where segment_id = $1 and member"
            " and customer_id > $2 and starts_with(customer_id, $3) order by customer_id limit $4",
            segment_id,
            after,
            prefix,
            limit,
        )
    else:
        rows = await connection.fetch(
            'select customer_id from profiles where customer_id collate "C" > $1'
            ' and customer_id collate "C" >= $2 and customer_id collate "C" < $3'
            ' order by customer_id collate "C" limit $4',
            after,
            prefix,
            prefix + _BEHIND_ALL,
            limit,
        )
    return [row["customer_id"] for row in rows]


async def count(connection: Connection, segment_id: str = "") -> int:
    """How many customers there are, in all or in a segment."""
    if segment_id:
        sql = "select count(*) from memberships where segment_id = $1 and member"
        found: int = await connection.fetchval(sql, segment_id)
    else:
        found = await connection.fetchval("select count(*) from profiles")
    return found


async def known(connection: Connection, customer_ids: Collection[str]) -> list[Known]:
    """Those of the customers of whom there is a profile, in the order in which they are named."""
    rows = await connection.fetch(
        "select customer_id, version, state from profiles where customer_id = any($1)",
        list(customer_ids),
    )
    found = {row["customer_id"]: (row["version"], row["state"]) for row in rows}
    return [
        (one, version, unpack(state))
        for one in customer_ids
        if one in found
        for version, state in [found[one]]
    ]
