"""What certificates are made of: limits' counters beside what the ledger takes of them, and each use.

Sums are worked out set by set, uses are streamed: a limit may have a million. Whoever compares several
answers asks for them in one repeatable-read transaction.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import asyncpg
import msgspec
from msgspec.structs import replace

from services.evaluator.certificate import (
    LeaseStanding,
    Standing,
    Sums,
    Use,
    drawn,
    highest_cap,
    owner,
)
from services.evaluator.counters import rolling_days
from services.evaluator.lease import Lease
from services.evaluator.purchases import forgotten_before
from services.evaluator.redemption import Change
from services.evaluator.store.ledger import lease_of
from shared.codec import decode
from shared.database import Connection
from shared.events.promotion import Campaign

_PREFETCH = 2_000
_HISTORY = msgspec.msgpack.Decoder(tuple[Change, ...])
_USED = "(status = 'committed' or (status = 'returned' and keeps_slot))"
_TAKES = f"(status = 'held' or {_USED})"

# The minutes of rolling limits end as ``counters.minute_of`` says; a window is of 24-hour days. A
# redemption is used at the end of its window: ``since`` is the beginning.
_DAYS = "make_interval(hours => 24 * substring({id} from '@([0-9]+)d$')::int)"
_IN_WINDOW = (
    "since is not null and date_trunc('minute', since + interval '1 minute' - interval '1 microsecond')"
    f" + 2 * {_DAYS} > {{now}}"
)
_TAKEN = f"""
select id as limit_id,
    coalesce(sum(amount) filter (where status = 'held'), 0) as held,
    coalesce(sum(amount) filter (where {_USED}), 0) as used,
    coalesce(sum(amount) filter (where {_USED} and {_IN_WINDOW.format(id="id", now="$1")}), 0) as in_window,
    0 as leased
from redemptions, unnest(limit_ids, limit_amounts) as of (id, amount)
where {_TAKES} {{only}} group by 1
union all
select id, 0, sum(amount), 0, 0
from period_rewards, unnest(limit_ids, limit_amounts) as of (id, amount)
where true {{only}} group by 1
union all
select limit_id, 0, 0, 0, sum(amount - used) from leases where status = 'active' {{of_limits}} group by 1
"""  # noqa: S608 - built from constants
_STANDINGS = f"""
with taken as (
    select limit_id, sum(held)::bigint as held, sum(used)::bigint as used,
        sum(in_window)::bigint as in_window, sum(leased)::bigint as leased
    from ({_TAKEN}) as one group by 1
), noted as (
    select limit_id, sum(amount)::bigint as noted, coalesce(sum(amount) filter (
        where used_at + {_DAYS.format(id="limit_id")} > $1), 0)::bigint as in_window
    from limit_uses where true {{of_limits}} group by 1
)
select limit_id, l.cap, coalesce(l.held, 0) as held, coalesce(l.used, 0) as used,
    coalesce(l.leased, 0) as leased, coalesce(t.held, 0) as taken_held,
    coalesce(t.used, 0) as taken_used, coalesce(t.leased, 0) as taken_leased,
    limit_id ~ '@[0-9]+d$' as rolling, coalesce(n.noted, 0) as noted,
    coalesce(n.in_window, 0) as in_window, coalesce(t.in_window, 0) as taken_in_window
from limits l full join taken t using (limit_id) left join noted n using (limit_id)
{{where}} order by limit_id
"""  # noqa: S608
_ALL = _STANDINGS.format(only="", of_limits="", where="")
_COUNTED = f"""
select limit_id, cap, held, leased, used,
    held as taken_held, leased as taken_leased, used as taken_used,
    limit_id ~ '@[0-9]+d$' as rolling, used as noted, in_window, in_window as taken_in_window
from limits left join lateral (
    select coalesce(sum(amount), 0)::bigint as in_window from limit_uses u
    where u.limit_id = limits.limit_id and used_at + {_DAYS.format(id="limits.limit_id")} > $1
) as uses on true
where limit_id = any($2) order by limit_id
"""  # noqa: S608
# ``first`` limits each part by itself: of a page no more is sorted than what comes before its end.
_USES = f"""
(select redemption_id as use_id, 'redemption' as kind, m.status,
    limit_amounts[array_position(limit_ids, $1)] as amount,
    campaign_id, instrument_id, receipt_id, r.status as receipt_status, keeps_slot, taken_at, history
from redemptions m left join receipts r using (receipt_id)
where $1 = any(limit_ids) and limit_amounts[array_position(limit_ids, $1)] > 0
    and {_TAKES.replace("status", "m.status")} {{of_owner}} {{within}}
order by taken_at, redemption_id {{first}})
union all
(select 'p-' || substr(md5(concat_ws('/', campaign_id, instrument_id, period_start, customer_id)), 1, 24),
    'reward', 'committed', limit_amounts[array_position(limit_ids, $1)],
    campaign_id, instrument_id, null, null, false, changed_at, null
from period_rewards where $1 = any(limit_ids) {{of_owner}} order by changed_at, 1 {{first}})
order by taken_at, use_id {{page}}
"""  # noqa: S608


async def limit_ids(connection: Connection, after: str, most: int, search: str) -> list[str]:
    """Limits in the order of their ids, those that hold ``search``."""
    rows = await connection.fetch(
        "select limit_id from limits where limit_id > $1 and strpos(limit_id, $3) > 0"
        " order by limit_id limit $2",
        after,
        most,
        search,
    )
    return [row["limit_id"] for row in rows]


async def standings(
    connection: Connection, limit_ids: Sequence[str], now: datetime
) -> list[Standing]:
    """These limits, their counters and what the ledger takes of them; of those unknown to both nothing."""
    owners = [owner(limit_id) for limit_id in limit_ids]
    arguments: list[object] = [now, list(limit_ids)]
    only = "and id = any($2)"
    for column, ids in zip(
        ("campaign_id", "instrument_id"), zip(*owners, strict=True), strict=True
    ):
        if None not in ids:  # else redemptions of all of them may take of it
            arguments.append(list(ids))
            only += f" and {column} = any(${len(arguments)})"
    query = _STANDINGS.format(
        only=only, of_limits="and limit_id = any($2)", where="where limit_id = any($2)"
    )
    rows = await connection.fetch(query, *arguments)
    return [await _with_highest_cap(connection, _standing(row)) for row in rows]


async def counted(
    connection: Connection, limit_ids: Sequence[str], now: datetime
) -> list[Standing]:
    """These limits as their counters have them; the ledger is taken to say the same."""
    rows = await connection.fetch(_COUNTED, now, list(limit_ids))
    return [_standing(row) for row in rows]


async def all_standings(connection: Connection, now: datetime) -> AsyncIterator[Standing]:
    """Every limit that has a counter or that something takes of; needs a transaction around it."""
    async for row in connection.cursor(_ALL, now, prefetch=_PREFETCH):
        yield await _with_highest_cap(connection, _standing(row))


async def _with_highest_cap(connection: Connection, standing: Standing) -> Standing:
    """The limit; if more is in use than its cap allows, with the highest cap that it ever had."""
    campaign_id, _ = owner(standing.limit_id)
    if campaign_id is None or not standing.exceeds:
        return standing
    rows = await connection.fetch(
        "select definition from campaign_versions where campaign_id = $1", campaign_id
    )
    versions = [decode(Campaign, row["definition"], ignore_unknown=True) for row in rows]
    return replace(standing, highest_cap=highest_cap(standing.limit_id, versions))


def _standing(row: asyncpg.Record) -> Standing:
    rolling: bool = row["rolling"]
    return Standing(
        limit_id=row["limit_id"],
        cap=row["cap"],
        counted=Sums(row["held"], row["leased"], row["used"]),
        taken=Sums(row["taken_held"], row["taken_leased"], row["taken_used"]),
        in_window=row["in_window"] if rolling else None,
        noted=row["noted"] if rolling else None,
        taken_in_window=row["taken_in_window"] if rolling else None,
    )


async def uses(
    connection: Connection,
    limit_id: str,
    now: datetime,
    *,
    skip: int = 0,
    most: int | None = None,
) -> AsyncIterator[Use]:
    """What takes of a limit now, in the order in which it was taken; needs a transaction around it.

    Of a rolling limit that is what was used within the window that ends now, and what is held.
    """
    arguments: list[object] = [limit_id]
    of_owner = within = ""
    for column, name in zip(("campaign_id", "instrument_id"), owner(limit_id), strict=True):
        if name is not None:
            arguments.append(name)
            of_owner += f" and {column} = ${len(arguments)}"
    if rolling_days(limit_id) is not None:
        arguments.append(now)
        in_window = _IN_WINDOW.format(id="$1", now=f"${len(arguments)}")
        within = f" and (m.status = 'held' or {in_window})"
    first = "" if most is None else f"limit {skip + most:d}"
    page = "" if most is None else f"limit {most:d} offset {skip:d}"
    query = _USES.format(of_owner=of_owner, within=within, first=first, page=page)
    async for row in connection.cursor(query, *arguments, prefetch=_PREFETCH):
        yield _use(row)


async def leases(connection: Connection, limit_id: str) -> list[Lease]:
    """What stores have leased of a limit and not used up, in the order in which it was granted."""
    rows = await connection.fetch(
        f"select {', '.join(Lease.__struct_fields__)} from leases"  # noqa: S608 - no value from outside
        " where limit_id = $1 and status = 'active' and amount > used order by granted_at, lease_id",
        limit_id,
    )
    return [Lease(**row) for row in rows]


async def all_leases(connection: Connection, now: datetime) -> list[LeaseStanding]:
    """Every lease, and those that are named but not there; needs a transaction around it."""
    rows = await connection.fetch("select lease_id, limit_id, used from leases")
    kept = {row["lease_id"]: row for row in rows}
    sums = dict.fromkeys(kept, 0)
    async for row in connection.cursor(_DRAWN, prefetch=_PREFETCH):
        lease_id = lease_of(row["details"])
        if lease_id in kept:
            limit_id = kept[lease_id]["limit_id"]
            if limit_id in row["limit_ids"]:
                sums[lease_id] += drawn(limit_id, row["discount"], row["mismatch"])
        elif lease_id is not None and row["taken_at"] >= forgotten_before(now):
            sums[lease_id] = sums.get(lease_id, 0) + 1
    return [
        LeaseStanding(lease_id=i, used=kept[i]["used"] if i in kept else None, drawn=total)
        for i, total in sorted(sums.items())
    ]


_DRAWN = """
select details, limit_ids, discount, mismatch, taken_at from redemptions
where details is not null and status in ('committed', 'returned')
"""


def _use(row: asyncpg.Record) -> Use:
    fields = dict(row)
    history = fields.pop("history")
    return Use(**fields, history=_HISTORY.decode(history) if history else ())


async def count_redemptions(connection: Connection) -> int:
    """How many redemptions the ledger has."""
    return int(await connection.fetchval("select count(*) from redemptions"))


async def all_redemptions(connection: Connection) -> AsyncIterator[Use]:
    """Every redemption, whatever it takes; needs a transaction around it."""
    async for row in connection.cursor(_REDEMPTIONS, prefetch=_PREFETCH):
        yield _use(row)


_REDEMPTIONS = """
select redemption_id as use_id, 'redemption' as kind, m.status, 1 as amount,
    campaign_id, instrument_id, receipt_id, r.status as receipt_status, keeps_slot, taken_at, history
from redemptions m left join receipts r using (receipt_id)
"""
