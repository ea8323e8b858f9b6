"""Related groups and regions, from receipts to the API's answer, on the real PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.customers import store as customer_store
from services.customers.cross_sell import search, store
from services.customers.cross_sell.search import Search
from services.customers.cross_sell.store import Wanted
from services.customers.messages import Receipt
from services.customers.profile import Kept, Sold
from services.customers.regions import store as region_store
from services.customers.regions.traffic import first_week
from shared import clock
from tests.integration.segments import Customers, opened

pytestmark = pytest.mark.slow
DAY = timedelta(days=1)


@pytest.fixture
async def customers(dsn: str) -> AsyncIterator[Customers]:
    """A database without any receipt."""
    async with opened(dsn) as one:
        yield one


async def buy(customers: Customers, at: datetime, *baskets: tuple[str, ...]) -> None:
    """Receipts with these groups."""
    already = await customers.pool.fetchval("select count(*) from receipts")
    kept = [
        Kept("North", "s1", False, False, [Sold(n, group) for n, group in enumerate(groups)])
        for groups in baskets
    ]
    async with customers.pool.acquire() as connection:
        await customer_store.keep_receipts(
            connection, [(f"r-{already + n}", None, at, one) for n, one in enumerate(kept)]
        )


async def related(customers: Customers, **wanted: Any) -> list[tuple[str, str, int, int]]:
    """Pairs as they are seen: from, to, together, lift."""
    async with customers.pool.acquire() as connection:
        made = await store.made(connection)
        assert made is not None
        found = await store.pairs(connection, Wanted(**wanted), made.receipts)
    return [
        (
            group,
            pair.second if group == pair.first else pair.first,
            pair.together,
            pair.lift,
        )
        for group, pair in found
    ]


async def test_pairs_are_those_of_the_last_days_and_seen_from_the_group_asked_for(
    customers: Customers,
) -> None:
    await buy(customers, customers.now - 91 * DAY, *[("tea", "soap")] * 50)
    await buy(
        customers,
        customers.now - DAY,
        *[("tea", "biscuits")] * 6,
        *[("tea", "milk")] * 5,
        *[("biscuits",)] * 4,
        *[("milk",)] * 25,
    )
    await Search(customers.pool).renew()
    # Of 40 receipts: tea 11, biscuits 10, milk 30.
    both = [("biscuits", "tea", 6, 218), ("tea", "milk", 5, 60)]
    assert await related(customers) == both
    assert await related(customers, lift=100) == both[:1]
    assert await related(customers, receipts=6) == both[:1]
    assert await related(customers, support=1_500) == both[:1]
    assert await related(customers, support=1_501) == []
    assert await related(customers, confidence=6_000) == both[:1]
    assert await related(customers, confidence=6_001) == []
    assert await related(customers, group="tea") == [("tea", "biscuits", 6, 218), both[1]]
    assert await related(customers, group="milk", order="together") == [("milk", "tea", 5, 60)]
    assert await related(customers, group="soap") == []
    async with customers.pool.acquire() as connection:
        groups = await store.groups(connection, ["I"], 10)
    assert [(one.group, one.receipts) for one in groups] == [("milk", 30), ("biscuits", 10)]
    await Search(customers.pool).renew()
    assert await related(customers) == both


async def test_of_many_receipts_some_are_looked_at(
    customers: Customers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST_RECEIPTS", 2_000)
    await buy(customers, customers.now - DAY, *[("tea", "biscuits")] * 20_000)
    await Search(customers.pool).begin()
    async with customers.pool.acquire() as connection:
        made = await store.made(connection)
    assert made is not None
    assert made.of_receipts == 20_000
    assert 500 < made.receipts < 5_000


async def test_pairs_are_looked_for_by_itself_once_there_are_enough_receipts(
    customers: Customers,
) -> None:
    await buy(customers, customers.now - DAY, *[("tea", "biscuits")] * 999)
    await Search(customers.pool).begin()
    async with customers.pool.acquire() as connection:
        assert await store.made(connection) is None
        await buy(customers, customers.now - DAY, ("tea",))
        await Search(customers.pool).begin()
        assert await store.made(connection) is not None


async def test_regions_have_purchases_by_week_and_each_customer_once(
    customers: Customers,
) -> None:
    today = clock.now().date()
    monday = first_week(today)
    at = datetime(monday.year, monday.month, monday.day, 12, tzinfo=UTC)
    receipt = Receipt(
        receipt_id="r-1",
        store_id="s1",
        terminal_id="t1",
        region="North",
        device="till",
        currency="UAH",
        occurred_at=at,
        discount=0,
        paid=100,
        lines=(),
        redemptions=(),
        customer_id="c-1",
    )
    recent = [replace_at(receipt, at + timedelta(weeks=n), f"c-{n % 2}") for n in range(8, 12)]
    late = replace_at(receipt, at + timedelta(weeks=11, days=6, hours=11, minutes=30), "c-5")
    next_week = replace_at(late, late.occurred_at, "c-6", ahead=60)
    async with customers.pool.acquire() as connection, connection.transaction():
        await region_store.apply(connection, [*recent, late, next_week])
        await region_store.apply(connection, [*recent, replace_at(receipt, at, None)])
        await connection.executemany(
            "insert into sales_days (day, kind, id, currency, purchases, paid)"
            " values ($1, $2, $3, $4, $5, 0)",
            [
                (monday - DAY, "region", "North", "UAH", 1_000),
                (monday, "region", "North", "UAH", 3),
                (monday + 6 * DAY, "region", "North", "EUR", 4),
                (monday + timedelta(weeks=12) - DAY, "region", "North", "UAH", 5),
                (monday + timedelta(weeks=12), "region", "North", "UAH", 1_000),
                (monday, "store", "s1", "UAH", 1_000),
            ],
        )
        await connection.execute(
            "insert into stores (store_id, name, region, time_zone, currency)"
            " values ('s1', 'One', 'North', 'UTC', 'UAH'), ('s2', 'Two', 'South', 'UTC', 'UAH')"
        )
        north, south = await region_store.regions(connection, today)
    assert (north.region, north.stores) == ("North", 1)
    assert list(north.weeks) == [7, *[0] * 10, 5]
    assert (north.customers, north.customers_before) == (3, 0)
    assert (south.region, south.stores, sum(south.weeks)) == ("South", 1, 0)


def replace_at(
    receipt: Receipt, at: datetime, customer_id: str | None, *, ahead: int = 0
) -> Receipt:
    """The receipt at another time, of another customer, of a store whose clock is so many minutes ahead."""
    values = {name: getattr(receipt, name) for name in receipt.__struct_fields__}
    changed = {"occurred_at": at, "customer_id": customer_id, "utc_offset_minutes": ahead}
    return Receipt(**{**values, **changed})
