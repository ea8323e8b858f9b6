"""Leases. The row of a lease's limit is its lock."""

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec.structs import astuple

from services.evaluator.lease import Lease, Status
from shared.database import Connection

_FIELDS = ", ".join(Lease.__struct_fields__)


async def leases_of(
    connection: Connection, lease_ids: Collection[str], limit_ids: Collection[str]
) -> dict[str, Lease]:
    """Those of the leases that are of these limits, whose rows are locked."""
    rows = await connection.fetch(
        f"select {_FIELDS} from leases where lease_id = any($1) and limit_id = any($2)",  # noqa: S608 - no value
        list(lease_ids),
        list(limit_ids),
    )
    return {row["lease_id"]: Lease(**row) for row in rows}


async def limits_of(connection: Connection, lease_ids: Collection[str]) -> dict[str, str]:
    """The limits that leases are of, by the leases' ids; a lease's never changes."""
    rows = await connection.fetch(
        "select lease_id, limit_id from leases where lease_id = any($1)", list(lease_ids)
    )
    return {row["lease_id"]: row["limit_id"] for row in rows}


async def add(connection: Connection, granted: Sequence[Lease]) -> None:
    """Add leases. Raises ``asyncpg.UniqueViolationError`` if another evaluator was quicker with an id."""
    await connection.copy_records_to_table(
        "leases", records=[astuple(lease) for lease in granted], columns=Lease.__struct_fields__
    )


async def save(connection: Connection, changed: Sequence[Lease]) -> None:
    """Save how leases are used, and that they have ended; their limits' rows are locked."""
    await connection.execute(
        "update leases set used = new.used, status = new.status, ended_at = new.ended_at"
        " from unnest($1::text[], $2::bigint[], $3::text[], $4::timestamptz[])"
        " as new (id, used, status, ended_at) where lease_id = new.id",
        [lease.lease_id for lease in changed],
        [lease.used for lease in changed],
        [lease.status for lease in changed],
        [lease.ended_at for lease in changed],
    )


async def listed(
    connection: Connection,
    store_id: str | None,
    status: Status | None,
    now: datetime,
    after: str | None,
    most: int,
) -> list[Lease]:
    """Leases (of a store, in a state) in the order of their ends, those behind ``after``, at most so many."""
    over = None if status is None else {"active": False, "expired": True}.get(status)
    rows = await connection.fetch(
        f"select {_FIELDS} from leases"  # noqa: S608 - no value
        " where ($1::text is null or store_id = $1) and ($2::text is null or status = $2)"
        " and ($3::bool is null or (expires_at <= $4) = $3)"
        " and ($5::text is null or (expires_at, lease_id) >"
        " (select expires_at, lease_id from leases where lease_id = $5))"
        " order by expires_at, lease_id limit $6",
        store_id,
        "active" if over else status,
        over,
        now,
        after,
        most,
    )
    return [Lease(**row) for row in rows]


async def overdue(connection: Connection, now: datetime) -> int:
    """How many leases are past their end and have not been returned."""
    count: int = await connection.fetchval(
        "select count(*) from leases where status = 'active' and expires_at <= $1", now
    )
    return count


async def forget(connection: Connection, before: datetime, most: int) -> int:
    """Delete leases that ended before then; how many."""
    done: str = await connection.execute(
        "delete from leases where lease_id in (select lease_id from leases"
        " where status <> 'active' and ended_at < $1 limit $2)",
        before,
        most,
    )
    return int(done.rsplit(maxsplit=1)[-1])
