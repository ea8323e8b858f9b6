"""Who was erased: what is known of them from before must not come back.

Facts of the time before an erasure are read after it: from tills that were offline, or when profiles are made again
from the log. And what was read before it may be written after it, by a transaction under way. So whoever writes by
customer id holds erasures off, and drops what is older than the customer's erasure.
"""

from collections.abc import Iterable
from datetime import datetime

from services.customers.feed.pseudonym import pseudonym
from shared.database import Connection

_LOCK = 0x7111_E4A5


async def hold_off_erasure(connection: Connection) -> None:
    """Have erasures wait until the caller's transaction ends; its first statement, before anything is read."""
    await connection.execute("select pg_advisory_xact_lock_shared($1)", _LOCK)


async def be_alone(connection: Connection) -> None:
    """Wait until nobody writes by customer id, and keep it so until the caller's transaction ends."""
    await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)


async def forgotten_among(
    connection: Connection, key: bytes, customer_ids: Iterable[str]
) -> dict[str, datetime]:
    """Those of the customers who were erased, and when last; holds further erasures off, as above."""
    await hold_off_erasure(connection)
    by_subject = {pseudonym(key, customer_id): customer_id for customer_id in customer_ids}
    rows = await connection.fetch(
        "select subject, max(requested_at) as erased_at from erasures"
        " where subject = any($1::bytea[]) group by subject",
        list(by_subject),
    )
    return {by_subject[row["subject"]]: row["erased_at"] for row in rows}
