"""A customer is forgotten: conduct, alerts, suspicions and blocks that name them; what people said stays, without the name."""

from collections.abc import Sequence

from shared.database import Connection
from shared.events.customers import ErasedTable

_TABLES = ("conduct", "alerts", "suspects", "blocks")


async def erase(connection: Connection, customer_id: str) -> Sequence[ErasedTable]:
    """Delete the rows of a customer; how many of each table."""
    erased = []
    for table in _TABLES:
        status = await connection.execute(
            f"delete from {table} where kind = 'customer' and subject = $1",  # noqa: S608 - constants
            customer_id,
        )
        erased.append(ErasedTable(table=table, deleted=int(status.rpartition(" ")[2])))
    return erased
