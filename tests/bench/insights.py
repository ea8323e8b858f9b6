"""What marketers learn of the cells of ``tests.bench.cells``: days of campaigns, customers, baskets, terms.

Made of the levels by the database, as far as they can be; customers and product groups are spread evenly.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import asyncpg
import numpy as np

from services.analytics.insight.customers import extended
from services.analytics.insight.store import InsightStore
from services.analytics.messages import Campaign, Condition, Instrument, Limit
from services.analytics.rollup import Rollup
from services.analytics.store import RollupStore
from tests.bench.cells import CAMPAIGNS, Say

_GROUPS = 30
_CUSTOMERS = 20_000
_TEMPLATES = 20
_BUYERS = {"all": 3_000, "wide": 300, "place": 20}

_DAYS = """
insert into campaign_days
    (day, campaign_id, place_id, receipts, units, discount, revenue, returned_discount, refunded)
select (l.at at time zone 'UTC')::date, o.campaign_id, l.place_id, sum(l.activations),
    sum(l.activations) * 3000, sum(l.discount), sum(l.revenue), 0, 0
from instrument_levels l join offers o using (offer_id) join places p using (place_id)
where l.hours = 24 and o.campaign_id <> '' and (p.store_id <> '' or p.device || p.region = '')
group by 1, 2, 3
"""
_PARTICIPANTS = """
with added as (
    insert into comparisons (campaign_id, currency)
    select distinct campaign_id, 'UAH' from offers where campaign_id <> '' returning comparison_id
)
insert into participants (comparison_id, held_back, customer, receipts, revenue)
select comparison_id, n % 10 = 0, n, 1 + n % 5, 5000 + n * 7919 % 90000
from added, generate_series(1, $1) n
"""
_ARMS = """
insert into arms (comparison_id, held_back, customers, receipts, revenue, squares)
select comparison_id, held_back, count(*), sum(receipts), sum(revenue), sum(revenue::numeric * revenue)
from participants group by 1, 2
"""
_BASKETS = """
insert into basket_days (day, campaign_id, instrument_id, emission_id, currency, "group",
    lines, quantity, amount, discount, covered, cost)
select day, campaign_id, instrument_id, emission_id, 'UAH', 'group-' || g,
    5, 9000, 90000, 9000, 81000, 50000
from generate_series($1::date, $2::date, interval '1 day') day, offers, generate_series(1, $3) g
where campaign_id <> ''
"""
_NUMBERS = """
insert into campaign_numbers (campaign_id)
select '' union select campaign_id from offers where campaign_id <> '' returning campaign_number, campaign_id
"""


async def fill(connection: asyncpg.Connection, now: datetime, *, days: int, say: Say) -> None:
    """Fill the empty tables beside the cells, whose levels are there."""
    first, last = (now - timedelta(days=days - 1)).date(), now.date()
    await _add_terms(connection, now, days)
    await connection.execute(_DAYS, timeout=3_600)
    await connection.execute(_PARTICIPANTS, _CUSTOMERS, timeout=3_600)
    await connection.execute(_ARMS, timeout=3_600)
    await connection.execute(_BASKETS, first, last, _GROUPS, timeout=3_600)
    count = await _add_sketches(connection, first, days)
    say(f"days, participants, baskets and {count:,} sketches of customers")


async def _add_terms(connection: asyncpg.Connection, now: datetime, days: int) -> None:
    """Running campaigns with control groups, codes with caps, and budgets."""
    rollup, store = Rollup(), RollupStore()
    for number in range(1, CAMPAIGNS + 1):
        instruments = tuple(
            Instrument(
                f"instrument-{number}-{i}",
                f"Instrument {i} of {number}",
                (Condition("promo_code", emission_id=f"emission-{number}", cap=10**8),) * (i == 1),
                max_redemptions=10**8,
            )
            for i in (1, 2, 3)
        )
        campaign = Campaign(
            campaign_id=f"campaign-{number}",
            version=1,
            name=f"Campaign {number}",
            status="running",
            time_zone="Europe/Kyiv",
            starts_at=now - timedelta(days=days),
            ends_at=now + timedelta(days=30),
            instruments=instruments,
            control_group=1_000,
            limits=(Limit(money=10**12),),
        )
        rollup.campaigns[campaign.campaign_id] = campaign
        rollup.insight.campaigns[campaign.campaign_id] = campaign
    async with connection.transaction():
        await store.add(connection, rollup)
        await InsightStore(store.places).add(connection, rollup.insight)


async def _add_sketches(connection: asyncpg.Connection, first: date, days: int) -> int:
    """Of each day and campaign everywhere, by device and by region; of all receipts by place, too."""
    numbers = {
        row["campaign_id"]: row["campaign_number"] for row in await connection.fetch(_NUMBERS)
    }
    places = await connection.fetch("select place_id, store_id, device, region from places")
    wide = {f"device={row['device']}" for row in places if row["store_id"]}
    wide |= {f"region={row['region']}" for row in places if row["store_id"]}
    templates = {size: list(_templates(count)) for size, count in _BUYERS.items()}
    scopes = [("all", "all"), *((scope, "wide") for scope in sorted(wide))]
    single = [(f"place={row['place_id']}", "place") for row in places if row["store_id"]]
    rows = [
        (first + timedelta(days=day), number, scope, templates[size][(day + number) % _TEMPLATES])
        for day in range(days)
        for campaign, number in numbers.items()
        for scope, size in (scopes if campaign else scopes + single)
    ]
    columns = ("day", "campaign_number", "scope", "sketch")
    await connection.copy_records_to_table(
        "customer_sketches", records=rows, columns=columns, timeout=3_600
    )
    return len(rows)


def _templates(count: int) -> Iterator[bytes]:
    chance = np.random.default_rng(count)
    for _ in range(_TEMPLATES):
        yield extended(None, chance.integers(0, 2**60, count).tolist())
