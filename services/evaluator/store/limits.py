"""The limits' counters: locked by their rows, rolling ones with their uses by time."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import asyncpg

from services.evaluator.counters import Counter, Counters, rolling_days
from shared.database import Connection

Windows = Mapping[str, tuple[datetime, datetime]]
"""Of rolling limits, by id: the earliest and the latest instant after which uses are asked for."""

_EVER = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
_USES_ARE_KEPT = timedelta(days=400 + 366 + 2)
"""The oldest event, the longest window, and the clocks' changes."""


async def lock_limits(
    connection: Connection, caps: Mapping[str, int | None], windows: Windows | None = None
) -> Counters:
    """Create what is missing and lock all, in the order of ids, so that no two wait crosswise.

    ``caps`` gives a limit's cap, or None for one that must be there already. Of rolling limits
    without a window all uses are loaded.
    """
    ids = sorted(caps)
    rows = await connection.fetch(
        "insert into limits (limit_id, cap) select id, coalesce(cap, 0)"
        " from unnest($1::text[], $2::bigint[]) as wanted (id, cap) order by id"
        # A cap is at least 1: 0 stands for one that is not known here and stays as it is.
        " on conflict (limit_id) do update set cap = coalesce(nullif(excluded.cap, 0), limits.cap)"
        " returning limit_id, cap, held, used",
        ids,
        [caps[i] for i in ids],
    )
    return await _counters(connection, rows, windows or {})


async def read_limits(
    connection: Connection, limit_ids: Collection[str], windows: Windows | None = None
) -> Counters:
    """The counters as they are, unlocked: good for advice only."""
    rows = await connection.fetch(
        "select limit_id, cap, held, used from limits where limit_id = any($1)", list(limit_ids)
    )
    return await _counters(connection, rows, windows or {})


async def _counters(
    connection: Connection, rows: Sequence[asyncpg.Record], windows: Windows
) -> Counters:
    counters = {row["limit_id"]: Counter(row["cap"], row["held"], row["used"]) for row in rows}
    rolling = [limit_id for limit_id in counters if rolling_days(limit_id)]
    if rolling:
        await _load_uses(connection, {i: counters[i] for i in rolling}, windows)
    return Counters(counters)


async def _load_uses(
    connection: Connection, counters: Mapping[str, Counter], windows: Windows
) -> None:
    """Uses that leave a window within the batch apart, those after all of them as one sum."""
    ids = list(counters)
    spans = [windows.get(limit_id, _EVER) for limit_id in ids]
    for limit_id, (earliest, _) in zip(ids, spans, strict=True):
        counters[limit_id].known_since = earliest
    for row in await connection.fetch(
        "select id, case when used_at <= latest then used_at end as minute,"
        " sum(amount)::bigint as amount"
        " from unnest($1::text[], $2::timestamptz[], $3::timestamptz[])"
        " as asked (id, earliest, latest)"
        " join limit_uses on limit_id = id and used_at > earliest group by 1, 2",
        ids,
        [earliest for earliest, _ in spans],
        [latest for _, latest in spans],
    ):
        counter = counters[row["id"]]
        if row["minute"] is None:
            counter.recent = row["amount"]
        else:
            counter.uses[row["minute"]] = row["amount"]


async def save_limits(connection: Connection, counters: Counters) -> None:
    """Save the counters that changed; their rows are locked."""
    ids = sorted(counters.changed)
    if ids:
        await connection.execute(
            "update limits set held = new.held, used = new.used"
            " from unnest($1::text[], $2::bigint[], $3::bigint[]) as new (id, held, used)"
            " where limit_id = new.id",
            ids,
            [counters[i].held for i in ids],
            [counters[i].used for i in ids],
        )
    moved = [(limit_id, at, n) for (limit_id, at), n in sorted(counters.moved.items()) if n]
    if moved:
        await connection.execute(
            "insert into limit_uses (limit_id, used_at, amount)"
            " select * from unnest($1::text[], $2::timestamptz[], $3::bigint[])"
            " on conflict (limit_id, used_at) do update"
            " set amount = limit_uses.amount + excluded.amount",
            [limit_id for limit_id, _, _ in moved],
            [at for _, at, _ in moved],
            [n for _, _, n in moved],
        )


async def forget_uses(connection: Connection, now: datetime, most: int) -> int:
    """Remove the oldest uses that no event can ask for any more; returns how many."""
    removed = await connection.execute(
        "delete from limit_uses where (limit_id, used_at) in"
        " (select limit_id, used_at from limit_uses where used_at < $1 order by used_at limit $2)",
        now - _USES_ARE_KEPT,
        most,
    )
    return int(removed.rsplit(" ", 1)[1])
