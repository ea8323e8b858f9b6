"""The limits' counters: locked by their rows, rolling ones with their uses by time; and their leases."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import asyncpg

from services.evaluator.counters import Counter, Counters, rolling_days
from services.evaluator.store import leases as lease_store
from shared.database import Connection

Windows = Mapping[str, tuple[datetime, datetime]]
"""Of rolling limits, by id: the earliest and the latest instant after which uses are asked for."""

_NEVER = datetime.max.replace(tzinfo=UTC)
_USES_ARE_KEPT = timedelta(days=400 + 366 + 2)
"""The oldest event, the longest window, and the clocks' changes."""


async def lock_limits(
    connection: Connection,
    caps: Mapping[str, int | None],
    windows: Windows | None = None,
    lease_ids: Collection[str] = (),
) -> Counters:
    """Create what is missing and lock all, in the order of ids, so that no two wait crosswise.

    With them come those of the leases that are of these limits: a limit's row is their lock, too.

    ``caps`` gives a limit's cap, or None for one that must be there already. A rolling limit without
    a window can be moved, but what is free of it is not known.
    """
    ids = sorted(caps)
    rows = await connection.fetch(
        "insert into limits (limit_id, cap) select id, coalesce(cap, 0)"
        " from unnest($1::text[], $2::bigint[]) as wanted (id, cap) order by id"
        # A cap is at least 1: 0 stands for one that is not known here and stays as it is.
        " on conflict (limit_id) do update set cap = coalesce(nullif(excluded.cap, 0), limits.cap)"
        " returning limit_id, cap, held, used, leased",
        ids,
        [caps[i] for i in ids],
    )
    leases = await lease_store.leases_of(connection, lease_ids, ids) if lease_ids else {}
    return Counters(await _counters(connection, rows, windows or {}), leases)


async def read_limits(
    connection: Connection, limit_ids: Collection[str], windows: Windows | None = None
) -> Counters:
    """The counters as they are, unlocked: good for advice only."""
    rows = await connection.fetch(
        "select limit_id, cap, held, used, leased from limits where limit_id = any($1)",
        list(limit_ids),
    )
    return Counters(await _counters(connection, rows, windows or {}))


async def _counters(
    connection: Connection, rows: Sequence[asyncpg.Record], windows: Windows
) -> dict[str, Counter]:
    counters = {
        row["limit_id"]: Counter(row["cap"], row["held"], row["used"], leased=row["leased"])
        for row in rows
    }
    rolling = [limit_id for limit_id in counters if rolling_days(limit_id)]
    if rolling:
        await _load_uses(connection, {i: counters[i] for i in rolling}, windows)
    return counters


# Minutes up to the end of the last window's first day, whole days after it.
_USES = """
with asked as (
    select id, earliest, latest, date_trunc('day', latest, 'UTC') + interval '1 day' as midnight
    from unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) as asked (id, earliest, latest)
)
select id, case when used_at <= latest then used_at end as minute, sum(amount)::bigint as amount
from asked join limit_uses on limit_id = id and used_at > earliest and used_at <= midnight
group by 1, 2
union all
select id, null, sum(amount)::bigint
from asked join limit_days on limit_id = id and day >= midnight group by 1
"""


async def _load_uses(
    connection: Connection, counters: Mapping[str, Counter], windows: Windows
) -> None:
    """Uses that leave a window within the batch apart, those after all of them as one sum."""
    for limit_id, counter in counters.items():
        counter.known_since = windows[limit_id][0] if limit_id in windows else _NEVER
    ids = sorted(counters.keys() & windows.keys())
    if not ids:
        return
    for row in await connection.fetch(
        _USES, ids, [windows[i][0] for i in ids], [windows[i][1] for i in ids]
    ):
        counter = counters[row["id"]]
        if row["minute"] is None:
            counter.recent += row["amount"]
        else:
            counter.uses[row["minute"]] = row["amount"]


async def save_limits(connection: Connection, counters: Counters) -> None:
    """Save the counters and leases that changed; the limits' rows are locked."""
    ids = sorted(counters.changed)
    if ids:
        await connection.execute(
            "update limits set held = new.held, used = new.used, leased = new.leased"
            " from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])"
            " as new (id, held, used, leased) where limit_id = new.id",
            ids,
            [counters[i].held for i in ids],
            [counters[i].used for i in ids],
            [counters[i].leased for i in ids],
        )
    if counters.granted:
        await lease_store.add(connection, [*counters.granted.values()])
    if counters.drawn:
        await lease_store.save(connection, [*counters.drawn.values()])
    moved = {key: amount for key, amount in sorted(counters.moved.items()) if amount}
    if moved:
        days: dict[tuple[str, datetime], int] = {}
        for (limit_id, minute), amount in moved.items():
            key = limit_id, day_of(minute)
            days[key] = days.get(key, 0) + amount
        await _add(connection, "limit_uses", "used_at", moved)
        await _add(connection, "limit_days", "day", {k: n for k, n in days.items() if n})


async def _add(
    connection: Connection,
    table: Literal["limit_uses", "limit_days"],
    time: Literal["used_at", "day"],
    amounts: Mapping[tuple[str, datetime], int],
) -> None:
    more = {key: amount for key, amount in amounts.items() if amount > 0}
    less = {key: -amount for key, amount in amounts.items() if amount < 0}
    if more:
        await connection.execute(
            f"insert into {table} (limit_id, {time}, amount)"  # noqa: S608 - no value from outside
            " select * from unnest($1::text[], $2::timestamptz[], $3::bigint[])"
            f" on conflict (limit_id, {time}) do update"
            f" set amount = {table}.amount + excluded.amount",
            *_columns(more),
        )
    if less:
        # What is given back was taken: there is a row, unless no window counts it any more.
        await connection.execute(
            f"update {table} set amount = {table}.amount - back.amount"  # noqa: S608 - as above
            " from unnest($1::text[], $2::timestamptz[], $3::bigint[]) as back (id, at, amount)"
            f" where limit_id = back.id and {time} = back.at",
            *_columns(less),
        )


def _columns(
    amounts: Mapping[tuple[str, datetime], int],
) -> tuple[list[str], list[datetime], list[int]]:
    return (
        [limit_id for limit_id, _ in amounts],
        [at for _, at in amounts],
        list(amounts.values()),
    )


def day_of(minute: datetime) -> datetime:
    """The UTC day that a minute is added up in: after its midnight, up to and with the next."""
    inside = minute - timedelta(microseconds=1)
    return inside.replace(hour=0, minute=0, second=0, microsecond=0)


async def forget_uses(connection: Connection, now: datetime, most: int) -> int:
    """Remove the oldest uses that no event can ask for any more; returns how many minutes."""
    await connection.execute(
        "delete from limit_days where (limit_id, day) in"
        " (select limit_id, day from limit_days where day < $1 order by day limit $2)",
        now - _USES_ARE_KEPT,
        most,
    )
    removed = await connection.execute(
        "delete from limit_uses where (limit_id, used_at) in"
        " (select limit_id, used_at from limit_uses where used_at < $1 order by used_at limit $2)",
        now - _USES_ARE_KEPT,
        most,
    )
    return int(removed.rsplit(" ", 1)[1])
