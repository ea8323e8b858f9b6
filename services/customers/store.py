"""Profiles, receipts and attention in PostgreSQL. What takes a connection runs in its caller's transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg
from msgspec import msgpack

from services.customers.messages import Returned
from services.customers.profile import Kept, State, pack, unpack, unpack_kept
from shared.database import Connection
from shared.events.customers import ErasedTable


class Due(NamedTuple):
    """A customer to be looked at: the profile as it was read, whether it has changed, and how often that was asked for."""

    customer_id: str
    version: int
    changed: bool
    state: State
    asked: int = 1


_HASHED = 1 << 20
_RETURNED = msgpack.Decoder(Returned).decode


async def load(connection: Connection, customer_ids: Collection[str]) -> dict[str, State]:
    """The states of the customers, locked until the transaction ends; of new ones they are empty."""
    states = await _locked(connection, customer_ids)
    if new := sorted({*customer_ids} - {*states}):
        # A row to lock: another process may meet the same new customer just now.
        await connection.execute(
            "insert into profiles (customer_id, version, state, bought)"
            " select customer_id, 0, $2, false from unnest($1::text[]) as new (customer_id)"
            " on conflict do nothing",
            new,
            pack(State()),
        )
        states |= await _locked(connection, new)
    return states


async def _locked(connection: Connection, customer_ids: Collection[str]) -> dict[str, State]:
    rows = await connection.fetch(
        # In order: two processes that want the same customers must not wait for each other.
        "select customer_id, state from profiles where customer_id = any($1)"
        " order by customer_id for update",
        list(customer_ids),
    )
    return {row["customer_id"]: unpack(row["state"]) for row in rows}


async def buyers(
    connection: Connection, after: str, most: int, share: float = 1.0
) -> list[tuple[str, bytes]]:
    """The next customers by id who have bought something, with their packed states.

    ``share``: of about so many of all, always the same ones.
    """
    rows = await connection.fetch(
        "select customer_id, state from profiles where customer_id > $1 and bought"
        " and (hashtextextended(customer_id, 0) & $3) < $4 order by customer_id limit $2",
        after,
        most,
        _HASHED - 1,
        round(_HASHED * min(share, 1.0)),
    )
    return [(row["customer_id"], row["state"]) for row in rows]


async def save(
    connection: Connection,
    states: Mapping[str, State],
    due_at: datetime,
    *,
    in_background: Collection[str] = frozenset(),
) -> None:
    """Save states that were loaded, each a version later, and have their customers looked at; some not at once."""
    customer_ids = sorted(states)
    await connection.execute(
        "update profiles set version = version + 1, state = changed.state, bought = changed.bought"
        " from unnest($1::text[], $2::bytea[], $3::bool[]) as changed (customer_id, state, bought)"
        " where profiles.customer_id = changed.customer_id",
        customer_ids,
        [pack(states[customer_id]) for customer_id in customer_ids],
        [states[customer_id].purchases > 0 for customer_id in customer_ids],
    )
    at_once = {*customer_ids} - {*in_background}
    await attend(connection, at_once, due_at, changed=True, urgent=True)
    await attend(connection, in_background, due_at, changed=True)


async def attend(
    connection: Connection,
    customer_ids: Collection[str],
    due_at: datetime,
    *,
    changed: bool,
    urgent: bool = False,
) -> None:
    """Have customers looked at, at ``due_at`` or sooner; ``changed``: and their profiles published.

    ``urgent``: before all who are not. A change that concerns many must not keep waiting who buys something just now.
    """
    if not customer_ids:
        return
    await connection.execute(
        "insert into attention (customer_id, due_at, changed, urgent)"
        " select customer_id, $2, $3, $4 from unnest($1::text[]) as wanted (customer_id)"
        " on conflict (customer_id) do update"
        " set due_at = least(attention.due_at, excluded.due_at),"
        " changed = attention.changed or excluded.changed, asked = attention.asked + 1,"
        " urgent = attention.urgent or excluded.urgent",
        sorted(set(customer_ids)),
        due_at,
        changed,
        urgent,
    )


async def longest_due(pool: asyncpg.Pool) -> datetime | None:
    """When the customer was to be looked at who is due first; None if nobody ever is."""
    first: datetime | None = await pool.fetchval(
        "select least((select min(due_at) from attention where urgent),"
        " (select min(due_at) from attention where not urgent))"
    )
    return first


async def due(connection: Connection, now: datetime, most: int) -> list[Due]:
    """Customers who are to be looked at, urgent ones and the longest due first.

    No row is locked, for receipts would wait.
    """
    rows = await connection.fetch(
        "select customer_id, asked, changed, coalesce(version, 0) as version, state"
        " from ("
        "  (select * from attention where urgent and due_at <= $1 order by due_at limit $2)"
        "  union all"
        "  (select * from attention where not urgent and due_at <= $1 order by due_at limit $2)"
        "  limit $2"
        " ) as first"
        " left join profiles using (customer_id)",
        now,
        most,
    )
    return [
        Due(row["customer_id"], row["version"], row["changed"], _state(row["state"]), row["asked"])
        for row in rows
    ]


async def looked_at(
    connection: Connection, seen: Sequence[Due], again: Mapping[str, datetime]
) -> None:
    """Take customers off the list, but for those who were put on it since it was read; ``again``: until then."""
    ordered = sorted(seen, key=lambda one: one.customer_id)
    # Locked in the order in which others put customers there: else the two would wait for each other.
    await connection.execute(
        "with locked as ("
        "  select customer_id, asked from attention where customer_id = any($1::text[])"
        "  order by customer_id for update"
        ")"
        " delete from attention using locked, unnest($1::text[], $2::int[]) as seen (customer_id, asked)"
        " where attention.customer_id = locked.customer_id and locked.customer_id = seen.customer_id"
        " and locked.asked = seen.asked",
        [one.customer_id for one in ordered],
        [one.asked for one in ordered],
    )
    await connection.execute(
        "insert into attention (customer_id, due_at, changed, urgent)"
        " select customer_id, due_at, false, true from unnest($1::text[], $2::timestamptz[]) as later (customer_id, due_at)"
        " on conflict do nothing",
        sorted(again),
        [again[customer_id] for customer_id in sorted(again)],
    )


def _state(packed: bytes | None) -> State:
    return State() if packed is None else unpack(packed)


async def keep_receipts(
    connection: Connection, receipts: Sequence[tuple[str, str | None, datetime, Kept]]
) -> set[str]:
    """Keep receipts (id, customer, time and what is needed of them); returns the ids that are new."""
    ids, customers, times, kept = zip(*receipts, strict=True)
    rows = await connection.fetch(
        "insert into receipts (receipt_id, customer_id, occurred_at, body)"
        " select * from unnest($1::text[], $2::text[], $3::timestamptz[], $4::bytea[])"
        " on conflict do nothing returning receipt_id",
        ids,
        customers,
        times,
        [pack(one) for one in kept],
    )
    return {row["receipt_id"] for row in rows}


async def kept_receipts(connection: Connection, receipt_ids: Collection[str]) -> dict[str, Kept]:
    """What is kept of those receipts that are known."""
    rows = await connection.fetch(
        "select receipt_id, body from receipts where receipt_id = any($1)", list(receipt_ids)
    )
    return {row["receipt_id"]: unpack_kept(row["body"]) for row in rows}


async def park_returns(connection: Connection, returns: Sequence[Returned]) -> None:
    """Keep returns that came before their receipt."""
    await connection.copy_records_to_table(
        "early_returns",
        records=[
            (r.return_id, r.receipt_id, r.customer_id, r.occurred_at, msgpack.encode(r))
            for r in returns
        ],
        columns=("return_id", "receipt_id", "customer_id", "occurred_at", "body"),
    )


async def take_parked(connection: Connection, receipt_ids: Collection[str]) -> list[Returned]:
    """The returns that waited for these receipts; they wait no longer."""
    rows = await connection.fetch(
        "delete from early_returns where receipt_id = any($1) returning body", list(receipt_ids)
    )
    return [_RETURNED(row["body"]) for row in rows]


async def forget_receipts(connection: Connection, before: datetime) -> int:
    """Delete receipts and returns from before that time; returns how many."""
    deleted = 0
    for table in ("receipts", "early_returns"):
        tag = await connection.execute(f"delete from {table} where occurred_at < $1", before)  # noqa: S608 - our own names
        deleted += int(tag.rsplit(" ", 1)[1])
    return deleted


async def erase(connection: Connection, customer_id: str) -> list[ErasedTable]:
    """Forget a customer's profile; receipts stay without the id, for what is bought together."""
    erased = []
    for table in ("profiles", "early_returns", "attention"):
        tag = await connection.execute(f"delete from {table} where customer_id = $1", customer_id)  # noqa: S608 - our own names
        erased.append(ErasedTable(table=table, deleted=int(tag.rsplit(" ", 1)[1])))
    tag = await connection.execute(
        "update receipts set customer_id = null where customer_id = $1", customer_id
    )
    erased.append(ErasedTable(table="receipts", anonymised=int(tag.rsplit(" ", 1)[1])))
    return erased
