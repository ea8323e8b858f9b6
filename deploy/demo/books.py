"""What the services have: evaluator's ledger, analytics' rollups, the dashboard's API."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from deploy.demo.authoring import Api
from deploy.demo.topics import Key
from deploy.log import ends_of
from shared.topics import DECISIONS, RECEIPTS, RETURNS

_MOST_ROWS = 1_000


@dataclass
class Counted:
    """What every book counts: receipts paid, discounts in cents, bonuses in points.

    Instruments count redemptions that were committed, ``returned`` are those that returns released.
    """

    receipts: int = 0
    discount: int = 0
    bonuses: int = 0
    unauthorised: int = 0
    campaigns: int = 0
    returns: int = 0
    refunded: int = 0
    discount_back: int = 0
    bonuses_back: int = 0
    activations: Counter[Key] = field(default_factory=Counter)
    discounts: Counter[Key] = field(default_factory=Counter)
    returned: Counter[Key] = field(default_factory=Counter)


@dataclass
class Statistics(Counted):
    """Rollups, or what the dashboard's API answers from them. ``paid`` in cents.

    ``standing`` are the activations that are left.
    """

    paid: int = 0
    standing: Counter[Key] = field(default_factory=Counter)


@dataclass
class Ledger(Counted):
    """Evaluator's tables. ``cap``, ``cap_used``, ``cap_held`` are WELCOME's counter.

    ``slots`` and ``held_slots`` count the redemptions that say they take a slot of it.
    """

    decided: int = 0
    held: int = 0
    cap: int = 0
    cap_used: int = 0
    cap_held: int = 0
    slots: int = 0
    held_slots: int = 0


async def ledger(database: str, limit_id: str) -> Ledger:
    """Read evaluator's database; ``limit_id`` is WELCOME's counter."""
    connection = await asyncpg.connect(database)
    try:
        totals = await connection.fetchrow(
            """
            select
                (select count(*) from receipts where decided_by is not null) as decided,
                (select count(*) from receipts where status = 'paid') as receipts,
                (select count(*) from campaigns
                    where convert_from(definition, 'UTF8')::json ->> 'status' = 'running') as campaigns,
                (select coalesce(sum(points), 0) from bonus_entries
                    where points > 0 and entry_id like 'b-%')::bigint as bonuses,
                (select count(*) from checkout_events where kind = 'return') as returns,
                (select coalesce(sum(refund), 0) from returned_lines)::bigint as refunded,
                coalesce(sum(discount) filter
                    (where status in ('committed', 'returned', 'unauthorised')), 0)::bigint as discount,
                coalesce(sum(returned), 0)::bigint as discount_back,
                coalesce(sum(bonuses_returned), 0)::bigint as bonuses_back,
                count(*) filter (where status = 'held') as held,
                count(*) filter (where status = 'unauthorised') as unauthorised,
                count(*) filter (where status = 'committed' and $1 = any(limit_ids)) as slots,
                count(*) filter (where status = 'held' and $1 = any(limit_ids)) as held_slots
            from redemptions
            """,
            limit_id,
        )
        limit = await connection.fetchrow(
            "select cap, used as cap_used, held as cap_held from limits where limit_id = $1",
            limit_id,
        )
        rows = await connection.fetch(
            """
            select campaign_id, instrument_id, count(*) as activations, sum(discount)::bigint as discount,
                count(*) filter (where status = 'returned') as returned
            from redemptions where status in ('committed', 'returned') group by 1, 2
            """
        )
    finally:
        await connection.close()
    return Ledger(
        **dict(totals or {}),
        **dict(limit or {}),
        activations=_by_instrument(rows, "activations"),
        discounts=_by_instrument(rows, "discount"),
        returned=_by_instrument(rows, "returned"),
    )


async def rollups(database: str) -> Statistics:
    """Read analytics' tables."""
    connection = await asyncpg.connect(database)
    try:
        totals = await connection.fetchrow(
            """
            select coalesce(sum(receipts), 0)::bigint as receipts, coalesce(sum(paid), 0)::bigint as paid,
                coalesce(sum(discount), 0)::bigint as discount,
                coalesce(sum(bonuses), 0)::bigint as bonuses,
                (select coalesce(sum(unauthorised), 0)::bigint from instrument_minutes) as unauthorised,
                (select coalesce(sum(returns), 0)::bigint from return_minutes) as returns,
                (select coalesce(sum(refunded), 0)::bigint from return_minutes) as refunded,
                (select coalesce(sum(returned_discount), 0)::bigint from take_back_minutes)
                    as discount_back,
                (select coalesce(sum(returned_bonuses), 0)::bigint from take_back_minutes)
                    as bonuses_back,
                (select count(*) from campaigns where status = 'running') as campaigns
            from receipt_minutes
            """
        )
        rows = await connection.fetch(
            """
            select campaign_id, instrument_id, sum(activations)::bigint as activations,
                sum(discount)::bigint as discount
            from instrument_minutes group by 1, 2
            """
        )
        taken = await connection.fetch(
            """
            select campaign_id, instrument_id, sum(returned)::bigint as returned
            from take_back_minutes group by 1, 2
            """
        )
    finally:
        await connection.close()
    activations, returned = _by_instrument(rows, "activations"), _by_instrument(taken, "returned")
    return Statistics(
        **dict(totals or {}),
        activations=activations,
        discounts=_by_instrument(rows, "discount"),
        returned=returned,
        standing=activations - returned,
    )


async def dashboard(api: Api) -> Statistics:
    """Ask the API that the dashboard asks, over all time."""
    totals = (await api.call("GET", "/v1/statistics/totals"))["totals"]
    answer = await api.call("GET", f"/v1/statistics/instruments?limit={_MOST_ROWS}")
    choices = await api.call("GET", "/v1/statistics/choices")
    receipts, instruments = totals["receipts"], totals["instruments"]
    return Statistics(
        receipts=receipts["receipts"],
        paid=receipts["paid"],
        discount=receipts["discount"],
        bonuses=receipts["bonuses"],
        unauthorised=instruments["unauthorised"],
        returns=receipts["returns"],
        refunded=receipts["refunded"],
        discount_back=instruments["returned_discount"],
        bonuses_back=instruments["returned_bonuses"],
        campaigns=sum(one["status"] == "running" for one in choices["campaigns"]),
        activations=_by_instrument(answer["rows"], "gross_activations"),
        discounts=_by_instrument(answer["rows"], "discount"),
        returned=_by_instrument(answer["rows"], "returned"),
        standing=_by_instrument(answer["rows"], "activations"),
    )


async def has_sent_all(database: str) -> bool:
    """Whether a service's outbox is empty: all that it said is on the topics."""
    connection = await asyncpg.connect(database)
    try:
        return not await connection.fetchval("select exists (select from outbox)")
    finally:
        await connection.close()


async def has_read_all(database: str, kafka: str, topics: list[str]) -> bool:
    """Whether a service has applied everything that is on the topics now."""
    ends = await ends_of(kafka, topics)
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch("select topic, partition, next from offsets")
    finally:
        await connection.close()
    read = {(row["topic"], row["partition"]): row["next"] for row in rows}
    return all(read.get(partition, 0) >= end for partition, end in ends.items())


async def counted_all(
    evaluator: str, analytics: str, kafka: str, *, sales: int, returns: int
) -> bool:
    """Whether every sale and return is recorded and sent on, and analytics has read what was sent."""
    connection = await asyncpg.connect(evaluator)
    try:
        recorded = await connection.fetchval("select count(*) from receipts where status = 'paid'")
        returned = await connection.fetchval(
            "select count(*) from checkout_events where kind = 'return'"
        )
    finally:
        await connection.close()
    return (
        recorded >= sales
        and returned >= returns
        and await has_sent_all(evaluator)
        and await has_read_all(analytics, kafka, [DECISIONS.name, RECEIPTS.name, RETURNS.name])
    )


def _by_instrument(rows: list[Any], figure: str) -> Counter[Key]:
    return Counter(
        {(row["campaign_id"], row["instrument_id"]): row[figure] for row in rows if row[figure]}
    )
