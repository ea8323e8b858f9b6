"""The latest activations: in the order of their commits, none missed, none twice."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest

from services.analytics import store
from services.analytics.changes import Changes
from services.analytics.dimensions import Selection
from services.analytics.feed import Feed, Mark
from services.analytics.figures import Activation
from services.analytics.rollup import Activation as Counted
from services.analytics.rollup import Rollup
from services.analytics.store import RollupStore
from shared.database import Connection
from tests.integration.statistics import NOON, Api, of, offer_of, opened
from tests.waiting import until

EVERYTHING = Selection()
_WAITING = """
select count(*) from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock'
"""


def counted(discount: int, store_id: str = "s1", offer: tuple[str, ...] = ("c1", "i1")) -> Counted:
    return Counted(NOON, of(store=store_id), offer_of(offer), discount, 0, 1_000)


async def add(connection: Connection, *activations: Counted) -> None:
    await RollupStore().add(connection, Rollup(activations=list(activations)))


class Till:
    """Adds activations and tells who follows."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.changes = Changes()

    async def activate(self, *activations: Counted) -> None:
        await self.api.count(Rollup(activations=list(activations)))
        self.changes.publish()

    def feed(self) -> Feed:
        return Feed(self.changes, self.api.pool, least_pause_seconds=0)


@pytest.fixture
async def till(dsn: str) -> AsyncIterator[Till]:
    async with opened(dsn) as api:
        yield Till(api)


async def following(
    updates: AsyncGenerator[Sequence[Activation] | Mark | None], count: int
) -> list[int]:
    """The discounts of as many activations."""
    found: list[int] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            several = await anext(updates)
            assert several != "gap"
            found += [one.discount for one in several or () if not isinstance(one, str)]
    return found


async def test_the_latest_come_first_with_names_and_what_was_paid(till: Till) -> None:
    await till.api.pool.execute(
        "insert into stores values ('s1', 'Main street', 'North', 'UTC', 'EUR')"
    )
    await till.activate(counted(1), counted(2, offer=("c1", "i1", "welcome")))
    answer = await till.api.ask("activations")
    first: dict[str, Any] = answer["rows"][0]
    assert [row["discount"] for row in answer["rows"]] == [2, 1]
    assert (first["store"], first["campaign"], first["emission_id"]) == (
        "Main street",
        "c1",
        "welcome",
    )
    assert (first["paid"], first["device"], first["at"]) == (1_000, "till", "2026-12-10T12:00:00Z")
    assert not [name for name in first if "customer" in name]


async def test_filters_choose_activations(till: Till) -> None:
    other = counted(2, store_id="s2", offer=("c2", "i2", "e2"))
    await till.activate(counted(1), other)
    for filters in ({"store_id": "s2"}, {"campaign_id": "c2"}, {"emission_id": "e2"}):
        answer = await till.api.ask("activations", **filters)
        assert [row["discount"] for row in answer["rows"]] == [2]


async def test_a_viewer_gets_the_latest_in_their_order_and_then_each_that_follows(
    till: Till,
) -> None:
    await till.activate(counted(1), counted(2), counted(3))
    async with aclosing(till.feed().follow(EVERYTHING, None, 2)) as updates:
        assert await following(updates, 2) == [2, 3]
        await till.activate(counted(4))
        assert await following(updates, 1) == [4]


async def test_who_comes_back_misses_none_and_gets_none_twice(till: Till) -> None:
    await till.activate(*map(counted, range(1, 1_301)))
    async with aclosing(till.feed().follow(EVERYTHING, 7, 50)) as updates:
        assert await following(updates, 1_293) == list(range(8, 1_301))
        await till.activate(counted(1_301))
        assert await following(updates, 1) == [1_301]


async def test_who_comes_back_to_a_selection_misses_none_of_it(till: Till) -> None:
    every_third = [counted(n, store_id=f"s{n % 3}") for n in range(2_400)]
    await till.activate(*every_third)
    selection = Selection(store_id="s1")
    async with aclosing(till.feed().follow(selection, 1, 50)) as updates:
        assert await following(updates, 800) == list(range(1, 2_400, 3))
        await till.activate(counted(5_000, store_id="s2"), counted(5_001, store_id="s1"))
        assert await following(updates, 1) == [5_001]


async def test_viewers_share_what_is_read_whatever_they_follow(till: Till) -> None:
    feed = till.feed()
    async with (
        aclosing(feed.follow(EVERYTHING, None, 10)) as all_,
        aclosing(feed.follow(Selection(store_id="s2"), None, 10)) as one,
    ):
        await till.activate(counted(1))
        assert await following(all_, 1) == [1]
        await till.activate(counted(2, store_id="s2"), counted(3))
        assert await following(one, 1) == [2]
        assert await following(all_, 2) == [2, 3]


async def test_a_viewer_is_told_when_all_that_was_there_has_come(till: Till) -> None:
    async with aclosing(till.feed().follow(EVERYTHING, None, 10)) as updates:
        assert await anext(updates) == "ready"
    await till.activate(counted(1), counted(2))
    async with aclosing(till.feed().follow(EVERYTHING, 1, 10)) as updates:
        assert await following(updates, 1) == [2]
        assert await anext(updates) == "ready"


async def test_who_has_seen_more_than_there_is_begins_anew(till: Till) -> None:
    await till.activate(counted(1))
    async with aclosing(till.feed().follow(EVERYTHING, 99, 10)) as updates:
        assert await following(updates, 1) == [1]


async def test_only_so_many_are_kept_and_who_missed_some_is_told(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_ACTIVATIONS", 10)
    for n in range(1, 41):
        await till.activate(counted(n))
    kept = await till.api.pool.fetch("select discount from activations order by activation_id")
    assert [row["discount"] for row in kept] == list(range(31, 41))
    async with aclosing(till.feed().follow(EVERYTHING, 20, 50)) as updates:
        assert await anext(updates) == "gap"
        assert await following(updates, 10) == list(range(31, 41))
    async with aclosing(till.feed().follow(EVERYTHING, 30, 50)) as updates:
        assert await following(updates, 10) == list(range(31, 41))


async def test_none_is_kept_for_longer_than_a_day(till: Till) -> None:
    await till.activate(counted(1))
    await till.api.pool.execute(
        "update activations set counted_at = counted_at - $1::interval", timedelta(days=1)
    )
    await till.activate(counted(2))
    assert [row["discount"] for row in (await till.api.ask("activations"))["rows"]] == [2]


async def test_who_sees_an_activation_could_have_seen_all_before_it(till: Till) -> None:
    """Another writer waits for its ids until the first one's are committed."""
    pool = till.api.pool
    await till.activate(counted(0))  # so that nobody waits for a new place or offer

    async def second() -> None:
        async with pool.acquire() as connection, connection.transaction():
            await add(connection, counted(2))

    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await add(connection, counted(1))
        writing = asyncio.create_task(second())
        await until(lambda: pool.fetchval(_WAITING), what="a writer that waits")
        assert await pool.fetchval("select count(*) from activations") == 1
        await transaction.commit()
    await writing
    rows = await pool.fetch("select activation_id, discount from activations order by 1")
    assert [tuple(row) for row in rows] == [(1, 0), (2, 1), (3, 2)]


async def test_ids_of_a_batch_that_was_rolled_back_are_given_again(till: Till) -> None:
    async with till.api.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await add(connection, counted(1))
        await transaction.rollback()
    await till.activate(counted(2))
    assert [row["id"] for row in (await till.api.ask("activations"))["rows"]] == [1]
