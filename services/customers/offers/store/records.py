"""Offers: each one a row, changed with the tally of its policy's step."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from services.customers.offers.life import Record, tallied
from services.customers.offers.plan import Earlier
from services.customers.offers.store import policies
from shared.database import Connection
from shared.events.customers import ErasedTable

CODES_KEPT = timedelta(days=7)
"""Behind the end of an offer."""
RECORDS_KEPT = timedelta(days=400)
_NAMES = tuple(one.name for one in fields(Record))
_COLUMNS = ", ".join(_NAMES)
_TYPES = {
    "version": "int",
    "step": "int",
    "discount": "bigint",
    "cost": "bigint",
    "given": "bigint",
    "send_at": "timestamptz",
    "valid_until": "timestamptz",
    "due_at": "timestamptz",
    "changed_at": "timestamptz",
    "raised_from": "timestamptz",
    "open": "boolean",
    "measured": "boolean",
}
_ARRAYS = ", ".join(f"${n}::{_TYPES.get(name, 'text')}[]" for n, name in enumerate(_NAMES, start=1))
_NEW = ", ".join(f"{name} = excluded.{name}" for name in _NAMES if name != "offer_id")
_SAVE = (
    f"insert into offers ({_COLUMNS}) select * from unnest({_ARRAYS})"  # noqa: S608 - our own names
    f" on conflict (offer_id) do update set {_NEW}"
)

Change = tuple[Record | None, Record]
"""An offer before and after."""


def _record(row: Any) -> Record:
    return Record(**row)


async def save(connection: Connection, changes: Sequence[Change]) -> None:
    """Save offers as they are now, and what that makes of the tallies of their steps."""
    changed = [(before, after) for before, after in changes if before != after]
    if not changed:
        return
    # Those that end first: the next one for the same reason may be opened with them.
    rows = sorted((after for _, after in changed), key=lambda one: (one.open, one.offer_id))
    await connection.execute(_SAVE, *[[getattr(row, name) for row in rows] for name in _NAMES])
    await policies.tally(connection, tallied(changed).items())


async def remove(connection: Connection, records: Iterable[Record]) -> None:
    """Delete planned offers that come to nothing: nobody has heard of them."""
    ids = [one.offer_id for one in records]
    if ids:
        await connection.execute("delete from offers where offer_id = any($1)", ids)


async def due(connection: Connection, now: datetime, most: int) -> list[Record]:
    """Offers with which something is to be done, the longest due first; locked."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from offers where due_at <= $1"  # noqa: S608 - our own names
        " order by due_at, offer_id limit $2 for update skip locked",
        now,
        most,
    )
    return [_record(row) for row in rows]


async def concerned(
    connection: Connection,
    offer_ids: Collection[str],
    uses: Collection[tuple[str, str]],
    returns: Collection[tuple[str, str]],
) -> dict[str, Record]:
    """Offers by id, those whose code a (customer, emission) may have used, those that a (customer, receipt) has used; locked."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from offers where offer_id = any($1)"  # noqa: S608 - our own names
        " or (status in ('offered', 'expired') and (customer_id, emission_id) in"
        " (select * from unnest($2::text[], $3::text[])))"
        " or (status = 'used' and (customer_id, receipt_id) in"
        " (select * from unnest($4::text[], $5::text[])))"
        # In order: two processes that want the same offers must not wait for each other.
        " order by offer_id for update",
        sorted(offer_ids),
        [customer_id for customer_id, _ in sorted(uses)],
        [emission_id for _, emission_id in sorted(uses)],
        [customer_id for customer_id, _ in sorted(returns)],
        [receipt_id for _, receipt_id in sorted(returns)],
    )
    return {row["offer_id"]: _record(row) for row in rows}


async def earlier(
    connection: Connection, customer_ids: Collection[str], since: datetime
) -> dict[str, list[Earlier]]:
    """Offers of customers that are open or were not over at ``since``, but for those that came to nothing."""
    rows = await connection.fetch(
        "select customer_id, offer_id, policy_id, reason, emission_id, send_at, valid_until, open"
        " from offers where customer_id = any($1) and status <> 'withdrawn'"
        " and (open or valid_until > $2) order by offer_id",
        list(customer_ids),
        since,
    )
    found: dict[str, list[Earlier]] = {}
    for row in rows:
        found.setdefault(row["customer_id"], []).append(Earlier(*row[1:]))
    return found


async def of_policy(
    connection: Connection,
    policy_id: str,
    status: str | None,
    after: str | None,
    most: int,
) -> list[Record]:
    """Offers of a policy, the latest first; ``after``: those behind that one."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from offers where policy_id = $1 and ($2::text is null or status = $2)"  # noqa: S608
        " and ($3::text is null"
        " or (send_at, offer_id) < (select send_at, offer_id from offers where offer_id = $3))"
        " order by send_at desc, offer_id desc limit $4",
        policy_id,
        status,
        after,
        most,
    )
    return [_record(row) for row in rows]


async def of_customer(connection: Connection, customer_id: str, most: int) -> list[Record]:
    """Offers of a customer, the latest first."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from offers where customer_id = $1"  # noqa: S608 - our own names
        " order by send_at desc, offer_id desc limit $2",
        customer_id,
        most,
    )
    return [_record(row) for row in rows]


async def forget(connection: Connection, now: datetime) -> tuple[int, int]:
    """Clear codes that are over, delete offers that are long over; how many of each."""
    codes = await connection.execute(
        "update offers set code = null where code is not null and valid_until < $1",
        now - CODES_KEPT,
    )
    rows = await connection.execute(
        "delete from offers where changed_at < $1 and not open", now - RECORDS_KEPT
    )
    await connection.execute(
        "delete from early_releases where released_at < $1", now - RECORDS_KEPT
    )
    return int(codes.rsplit(" ", 1)[1]), int(rows.rsplit(" ", 1)[1])


async def erase(connection: Connection, customer_id: str) -> list[ErasedTable]:
    """Forget a customer's offers; what the arms of a policy bought stays counted, without the id."""
    await connection.execute(
        # What they may still cost is not kept for them.
        "update policy_steps as kept set likely = likely - gone.cost from ("
        " select policy_id, step, sum(cost) as cost from offers where customer_id = $1"
        " and status in ('requested', 'issued', 'offered') group by policy_id, step"
        ") as gone where kept.policy_id = gone.policy_id and kept.step = gone.step",
        customer_id,
    )
    erased = []
    for table in ("offers", "offer_candidates", "early_releases"):
        tag = await connection.execute(f"delete from {table} where customer_id = $1", customer_id)  # noqa: S608 - our own names
        erased.append(ErasedTable(table=table, deleted=int(tag.rsplit(" ", 1)[1])))
    tag = await connection.execute(
        # One made-up id for all: the windows of a customer and policy belong together.
        "update offer_windows set customer_id = made.up"
        " from (select 'nobody-' || gen_random_uuid()::text as up) as made where customer_id = $1",
        customer_id,
    )
    erased.append(ErasedTable(table="offer_windows", anonymised=int(tag.rsplit(" ", 1)[1])))
    return erased
