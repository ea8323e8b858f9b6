"""Purchases and customers of regions by week, in PostgreSQL. Every function runs in its caller's transaction."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

from services.customers import store_clock
from services.customers.messages import Receipt
from services.customers.regions.customers import counted, extended
from services.customers.regions.traffic import (
    RECENT_WEEKS,
    Region,
    first_week,
    this_week,
    weekly,
)
from shared.database import Connection

Cell = tuple[date, str]
"""A week, by its Monday, and a region."""


async def apply(connection: Connection, facts: Iterable[object]) -> None:
    """Count the customers of receipts in the weeks of their regions; the same receipt again changes nothing."""
    cells: dict[Cell, set[str]] = defaultdict(set)
    for fact in facts:
        if isinstance(fact, Receipt) and fact.customer_id:
            cells[this_week(store_clock.day(fact)), fact.region].add(fact.customer_id)
    if not cells:
        return
    # In order: two transactions that want the same rows must not wait for each other.
    keys = sorted(cells)
    weeks, regions = [week for week, _ in keys], [region for _, region in keys]
    await connection.execute(
        "insert into region_weeks (week, region, customers)"
        " select week, region, '' from unnest($1::date[], $2::text[]) as new (week, region)"
        " on conflict do nothing",
        weeks,
        regions,
    )
    rows = await connection.fetch(
        "select week, region, customers from region_weeks"
        " join unnest($1::date[], $2::text[]) as asked (week, region) using (week, region)"
        " order by week, region for update of region_weeks",
        weeks,
        regions,
    )
    await connection.execute(
        "update region_weeks set customers = changed.customers"
        " from unnest($1::date[], $2::text[], $3::bytea[]) as changed (week, region, customers)"
        " where region_weeks.week = changed.week and region_weeks.region = changed.region",
        weeks,
        regions,
        [extended(customers or None, cells[week, region]) for week, region, customers in rows],
    )


async def regions(connection: Connection, today: date) -> list[Region]:
    """The regions that there are stores in, or purchases, in the weeks that are looked at."""
    first, end = first_week(today), this_week(today)
    purchases: dict[str, dict[date, int]] = defaultdict(dict)
    for region, week, count in await connection.fetch(
        "select id, date_trunc('week', day)::date, sum(purchases)::bigint from sales_days"
        " where kind = 'region' and day >= $1 and day < $2 group by 1, 2",
        first,
        end,
    ):
        purchases[region][week] = count
    sketches: dict[str, dict[date, bytes]] = defaultdict(dict)
    for region, week, customers in await connection.fetch(
        "select region, week, customers from region_weeks where week >= $1 and week < $2",
        end - timedelta(weeks=2 * RECENT_WEEKS),
        end,
    ):
        sketches[region][week] = customers
    rows = await connection.fetch("select region, count(*) as stores from stores group by region")
    stores = {row["region"]: row["stores"] for row in rows}
    recent = end - timedelta(weeks=RECENT_WEEKS)
    return [
        Region(
            region,
            weekly(purchases[region], today),
            stores.get(region, 0),
            counted(one for week, one in sketches[region].items() if week >= recent),
            counted(one for week, one in sketches[region].items() if week < recent),
        )
        for region in sorted({*purchases, *stores})
    ]


async def forget(connection: Connection, before: date) -> None:
    """Forget the customers of the weeks before."""
    await connection.execute("delete from region_weeks where week < $1", before)
