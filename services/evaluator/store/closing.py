"""Ends of periods: how far they are closed, what was given, and purchases that came too late."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.evaluator.bonuses import PeriodReward
from services.evaluator.promotion.history import Purchase
from services.evaluator.promotion.period import Window
from services.evaluator.purchases import decode_counting
from services.evaluator.redemption import Key
from shared.codec import decode
from shared.database import Connection
from shared.events.promotion import Campaign

_LOCK = 0x7111_C105


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an instrument's periods are closed: all before this one, and this one if ``closed``.

    Else of its customers those up to ``last_customer``, in the database's order.
    """

    start: datetime
    end: datetime
    last_customer: str
    closed: bool


async def take_turn(connection: Connection) -> bool:
    """Whether this transaction may close periods: one at a time does."""
    taken: bool = await connection.fetchval("select pg_try_advisory_xact_lock($1)", _LOCK)
    return taken


async def campaigns_since(
    connection: Connection, version: int
) -> dict[str, tuple[Campaign | None, datetime | None]]:
    """The campaigns newer than ``version``, and since when they have not been running.

    None in place of one that gives nothing at the end of a period.
    """
    rows = await connection.fetch(
        "select campaign_id, stopped_at,"
        " case when position('\"on_period_end\"'::bytea in definition) > 0 then definition end"
        " as definition from campaigns where version > $1",
        version,
    )
    return {
        row["campaign_id"]: (
            decode(Campaign, row["definition"], ignore_unknown=True) if row["definition"] else None,
            row["stopped_at"],
        )
        for row in rows
    }


async def progress(connection: Connection, keys: Collection[Key]) -> dict[Key, Progress]:
    """How far the periods of these instruments are closed; of those not begun there is nothing."""
    rows = await connection.fetch(
        "select campaign_id, instrument_id, period_start, period_end, last_customer, closed"
        " from closings where (campaign_id, instrument_id) in"
        " (select * from unnest($1::text[], $2::text[]))",
        [campaign_id for campaign_id, _ in keys],
        [instrument_id for _, instrument_id in keys],
    )
    return {
        (row["campaign_id"], row["instrument_id"]): Progress(
            row["period_start"], row["period_end"], row["last_customer"], row["closed"]
        )
        for row in rows
    }


async def save_progress(connection: Connection, key: Key, reached: Progress) -> None:
    """Note how far an instrument's periods are closed."""
    await connection.execute(
        "insert into closings"
        " (campaign_id, instrument_id, period_start, period_end, last_customer, closed)"
        " values ($1, $2, $3, $4, $5, $6) on conflict (campaign_id, instrument_id) do update set"
        " period_start = excluded.period_start, period_end = excluded.period_end,"
        " last_customer = excluded.last_customer, closed = excluded.closed",
        *key,
        reached.start,
        reached.end,
        reached.last_customer,
        reached.closed,
    )


async def buyers_after(
    connection: Connection, customer_id: str, window: Window, most: int
) -> list[str]:
    """The next customers who bought something in the period, in the database's order."""
    rows = await connection.fetch(
        "select distinct customer_id from purchases where customer_id > $1"
        " and occurred_at >= $2 and occurred_at < $3 order by customer_id limit $4",
        customer_id,
        window.start,
        window.end,
        most,
    )
    return [row["customer_id"] for row in rows]


async def purchases_within(
    connection: Connection, customer_ids: Sequence[str], window: Window
) -> dict[str, list[Purchase]]:
    """What these customers bought in the period, as ``history.ordered``, less what came back."""
    found: dict[str, list[Purchase]] = {customer_id: [] for customer_id in customer_ids}
    for row in await connection.fetch(
        "select customer_id, receipt_id, occurred_at, coalesce(remaining, lines) as lines"
        " from purchases where customer_id = any($1) and occurred_at >= $2 and occurred_at < $3"
        ' order by occurred_at, receipt_id collate "C"',
        customer_ids,
        window.start,
        window.end,
    ):
        purchase = Purchase(row["receipt_id"], row["occurred_at"], decode_counting(row["lines"]))
        found[row["customer_id"]].append(purchase)
    return found


async def points_given(
    connection: Connection, key: Key, start: datetime, customer_ids: Sequence[str]
) -> dict[str, int]:
    """The points that these customers have been given for the period, if any."""
    rows = await connection.fetch(
        "select customer_id, points from period_rewards where campaign_id = $1"
        " and instrument_id = $2 and period_start = $3 and customer_id = any($4)",
        *key,
        start,
        customer_ids,
    )
    return {row["customer_id"]: row["points"] for row in rows}


async def save_rewards(
    connection: Connection, rewards: Sequence[PeriodReward], at: datetime
) -> None:
    """Add what is given to what was given; limits are taken with the first of it."""
    await connection.executemany(
        "insert into period_rewards (campaign_id, instrument_id, period_start, customer_id, points,"
        " limit_ids, limit_amounts, changed_at) values ($1, $2, $3, $4, $5, $6, $7, $8)"
        " on conflict (campaign_id, instrument_id, period_start, customer_id) do update"
        " set points = period_rewards.points + excluded.points, changed_at = excluded.changed_at",
        [
            (
                r.campaign_id,
                r.instrument_id,
                r.start,
                r.customer_id,
                r.points,
                [one.limit_id for one in r.taken],
                [one.amount for one in r.taken],
                at,
            )
            for r in rewards
        ],
    )


async def note_late(connection: Connection, late: Sequence[tuple[str, str, datetime]]) -> None:
    """Have customers looked at again: (receipt id, customer id, time) of each late purchase.

    A receipt is paid once: nobody waits here for a row of another's.
    """
    if late:
        await connection.execute(
            "insert into late_purchases (receipt_id, customer_id, occurred_at)"
            " select * from unnest($1::text[], $2::text[], $3::timestamptz[])"
            " on conflict do nothing",
            [receipt_id for receipt_id, _, _ in late],
            [customer_id for _, customer_id, _ in late],
            [occurred_at for _, _, occurred_at in late],
        )


async def take_late(connection: Connection, most: int) -> Mapping[datetime, set[str]]:
    """Take customers to look at again off the list, by the times of their late purchases."""
    rows = await connection.fetch(
        "delete from late_purchases where receipt_id in"
        " (select receipt_id from late_purchases order by receipt_id limit $1)"
        " returning customer_id, occurred_at",
        most,
    )
    found: dict[datetime, set[str]] = {}
    for row in rows:
        found.setdefault(row["occurred_at"], set()).add(row["customer_id"])
    return found
