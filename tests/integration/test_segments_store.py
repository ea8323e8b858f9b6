"""Who is in which segment: entering and leaving, as things happen and as time passes, on the real PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, timedelta

import pytest

from services.customers import store as customer_store
from services.customers.segments import catalogue, catalogue_store, fifths_store, store
from services.customers.segments.builtin import builtins
from services.customers.segments.catalogue import NoSuchSegmentError, RefusedError
from services.customers.segments.definition import RFM_CLASSES
from services.customers.segments.fifths import Fifths
from services.customers.segments.passes import PORTION, Passes
from services.customers.segments.preview import Preview
from services.customers.segments.rfm import FEWEST
from tests.integration.segments import (
    BY,
    Customers,
    bought,
    defined,
    no_forecasts,
    opened,
)
from tests.unit.customers.segments.customers import Trip
from tests.waiting import until

pytestmark = pytest.mark.slow
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
async def customers(dsn: str) -> AsyncIterator[Customers]:
    """Customers of a fresh database, without any segment."""
    async with opened(dsn) as one:
        yield one


async def row(customers: Customers, segment_id: str) -> catalogue_store.Row:
    async with customers.pool.acquire() as connection:
        found = await catalogue_store.find(connection, segment_id)
    assert found is not None
    return found


async def test_a_customer_enters_by_what_he_does_and_leaves_when_the_window_has_passed(
    customers: Customers,
) -> None:
    await customers.add("lately", bought(">=", 2, days=7))
    await customers.put("c-1", Trip(days=6), Trip(days=1))
    await customers.put("c-2", Trip(days=8), Trip(days=1))
    await customers.look()
    assert await customers.members("lately") == ["c-1"]
    await customers.look(later=DAY - 2 * SECOND)
    assert await customers.members("lately") == ["c-1"]
    await customers.look(later=DAY)
    assert await customers.members("lately") == []
    entered, left = await customers.said()
    assert (entered.customer_id, entered.segment_id) == ("c-1", "lately")
    assert (entered.member, entered.changed_at) == (True, customers.now)
    assert (left.member, left.changed_at) == (False, customers.now + DAY)
    assert (await row(customers, "lately")).members == 0
    async with customers.pool.acquire() as connection:
        days = await catalogue_store.days(connection, ["lately"], customers.now.date())
    counted = Counter[tuple[str, str]]()
    for day in days:
        counted[str(day.day), "entered"] += day.entered
        counted[str(day.day), "gone"] += day.gone
    today, tomorrow = (str((customers.now.astimezone(UTC) + n * DAY).date()) for n in (0, 1))
    assert +counted == {(today, "entered"): 1, (tomorrow, "gone"): 1}


async def test_nothing_is_said_again_of_what_has_not_changed(customers: Customers) -> None:
    await customers.add("lately", bought(">=", 1, days=7))
    for _ in range(2):
        await customers.put("c-1", Trip(days=6))
        await customers.look()
    assert len(await customers.said()) == 1


async def test_the_later_change_has_the_later_time_even_if_the_clock_went_back(
    customers: Customers,
) -> None:
    await customers.add("some", bought(">=", 1))
    await customers.put("c-1", Trip(days=1))
    await customers.look()
    customers.now -= timedelta(hours=1)
    await customers.put("c-1")
    await customers.look()
    customers.now -= timedelta(hours=1)
    await customers.put("c-1", Trip(days=1))
    await customers.look()
    said = await customers.said()
    assert [change.member for change in said] == [True, False, True]
    times = [change.changed_at for change in said]
    assert times == sorted(set(times))


async def test_a_changed_definition_is_applied_to_all_customers_and_an_archived_one_to_none(
    customers: Customers,
) -> None:
    await customers.add("lately", bought(">=", 2, days=7))
    for n in range(3):
        await customers.put(f"c-{n}", *[Trip(days=1)] * n)
    await customers.look()
    await customers.pass_through()
    assert await customers.members("lately") == ["c-2"]
    await customers.edit("lately", bought(">=", 1, days=7))
    changed = await row(customers, "lately")
    assert (changed.version, changed.called, changed.to_call) == (2, 0, 3)
    await customers.pass_through()
    assert await customers.members("lately") == ["c-1", "c-2"]
    assert (await row(customers, "lately")).to_call is None
    await customers.archive("lately")
    await customers.pass_through()
    assert await customers.members("lately") == []
    assert (await row(customers, "lately")).members == 0
    await customers.archive("lately", archived=False)
    await customers.pass_through()
    assert await customers.members("lately") == ["c-1", "c-2"]
    async with customers.pool.acquire() as connection:
        history, total = await catalogue_store.history(connection, "lately", 0, 10)
    actions = [(one.version, one.action, one.changed_by) for one in history]
    assert total == 4
    assert actions == [
        (4, "restored", BY),
        (3, "archived", BY),
        (2, "changed", BY),
        (1, "added", BY),
    ]
    assert history[-1].definition == defined(bought(">=", 2, days=7))


async def test_a_pass_goes_on_where_it_was_and_waits_while_many_are_due(
    customers: Customers,
) -> None:
    rows = [(f"c-{n:05}", 1, b"") for n in range(PORTION + 1)]
    await customers.put("c-template", Trip(days=1))
    state = await customers.pool.fetchval("select state from profiles")
    await customers.pool.executemany(
        "insert into profiles (customer_id, version, state) values ($1, $2, $3)",
        [(customer_id, version, state) for customer_id, version, _ in rows],
    )
    await customers.look()
    await customers.add("all", bought(">=", 1))
    await Passes(customers.pool).go_on()
    called = await row(customers, "all")
    assert (called.called, called.to_call) == (PORTION, PORTION + 2)
    await Passes(customers.pool).go_on()  # another process; those called are still to be looked at
    assert (await row(customers, "all")).called == PORTION
    assert await customers.pass_through() == 2
    assert (await row(customers, "all")).members == PORTION + 2
    query = "select count(*) from memberships where segment_id = 'all' and member"
    assert await customers.pool.fetchval(query) == PORTION + 2


async def test_changes_while_a_pass_goes_on_have_one_of_their_own(customers: Customers) -> None:
    await customers.put("c-1", Trip(days=1))
    await customers.look()
    await customers.add("first", bought(">=", 1))
    await Passes(customers.pool).go_on()
    await customers.add("second", bought(">=", 1))
    await customers.add("third", bought(">=", 1))
    passes = [(await row(customers, one)) for one in ("first", "second", "third")]
    assert [one.called for one in passes] == [1, 0, 0]
    assert await customers.pool.fetchval("select count(*) from passes") == 2
    await customers.pass_through()
    assert await customers.members("third") == ["c-1"]


async def test_who_is_being_looked_at_by_the_old_rules_is_looked_at_again(
    customers: Customers,
) -> None:
    await customers.put("c-1", Trip(days=1))
    async with customers.pool.acquire() as connection:
        async with connection.transaction():
            seen = await customer_store.due(connection, customers.now, 10)
            await customers.add("some", bought(">=", 1))
            calling = asyncio.create_task(Passes(customers.pool).go_on())

            async def has_turn() -> bool:
                waits = "select exists(select from pg_locks where not granted)"
                return calling.done() or bool(await connection.fetchval(waits))

            await until(has_turn, what="the pass calls the customer")
            await customer_store.looked_at(connection, seen, {})
        await calling
    assert await customers.pool.fetchval("select count(*) from attention") == 1


async def test_what_is_refused(customers: Customers) -> None:
    async with customers.pool.acquire() as connection:
        await catalogue.seed(connection, builtins(), customers.now)
    one = await customers.add("mine", bought(">=", 1))
    assert await customers.add("mine", bought(">=", 1)) == one
    with pytest.raises(RefusedError, match="another segment"):
        await customers.add("mine", bought(">=", 2))
    with pytest.raises(RefusedError, match="from the start"):
        await customers.archive("rare-promo-users")
    with pytest.raises(NoSuchSegmentError):
        await customers.archive("nothing")
    await customers.archive("mine")
    with pytest.raises(RefusedError, match="archived"):
        await customers.edit("mine", bought(">=", 3))


async def test_thresholds_of_what_is_there_from_the_start_stay_as_they_were_set(
    customers: Customers,
) -> None:
    for _ in range(2):
        async with customers.pool.acquire() as connection:
            await catalogue.seed(connection, builtins(), customers.now)
        await customers.edit("frequent-promo-users", bought(">=", 5, days=30))
    found = await row(customers, "frequent-promo-users")
    assert (found.version, found.builtin) == (2, True)
    assert found.definition == defined(bought(">=", 5, days=30))


async def test_the_list_is_searched_sorted_and_counted(customers: Customers) -> None:
    for segment_id in ("tea_buyers", "teaXbuyers", "milk-buyers"):
        await customers.add(segment_id, bought(">=", 1))
    await customers.archive("milk-buyers")

    async def listed(**wanted: object) -> tuple[list[str], int]:
        async with customers.pool.acquire() as connection:
            rows, total = await catalogue_store.page(
                connection,
                catalogue_store.Wanted(**wanted),  # type: ignore[arg-type]
            )
        return [one.segment_id for one in rows], total

    assert await listed(words=["BUYERS", "tea_"]) == (["tea_buyers"], 1)
    assert await listed(archived=True) == (["milk-buyers"], 1)
    assert await listed(archived=False, limit=1) == (["teaXbuyers"], 2)
    assert (await listed(sort="-name"))[0] == ["tea_buyers", "teaXbuyers", "milk-buyers"]
    assert (await listed(offset=1))[0] == ["teaXbuyers", "tea_buyers"]


async def test_an_erased_customer_is_in_no_segment_and_its_keys_are_known(
    customers: Customers,
) -> None:
    await customers.add("all", bought(">=", 1))
    await customers.add("lately", bought(">=", 1, days=2))
    await customers.put("c-1", Trip(days=1))
    await customers.put("c-2", Trip(days=1))
    await customers.look()
    await customers.look(later=DAY)
    async with customers.pool.acquire() as connection:
        assert await store.segments_known(connection, "c-1") == ["all", "lately"]
        assert await store.segments_of(connection, ["c-1", "c-9"]) == {"c-1": frozenset({"all"})}
        [of_one] = await store.of_customer(connection, "c-1")
        assert (of_one.segment_id, of_one.name, of_one.since) == ("all", "Name", customers.now)
        erased = {one.table: one.deleted for one in await store.erase(connection, "c-1")}
    assert erased == {"memberships": 2, "rfm_scores": 0}
    assert await customers.members("all") == ["c-2"]
    assert (await row(customers, "all")).members == 1
    assert (await row(customers, "lately")).members == 0


async def test_fifths_are_found_as_soon_as_there_are_enough_customers_and_all_get_their_class(
    customers: Customers,
) -> None:
    async with customers.pool.acquire() as connection:
        await catalogue.seed(connection, builtins(), customers.now)
    tea = (("tea", 1_000, 100),)
    for n in range(FEWEST - 1):
        trips = [Trip(days=2 * n + 1, paid=100 * (n + 1), goods=tea)] * (1 + n % 5)
        await customers.put(f"c-{n:03}", *trips)
    await customers.look()
    fifths = Fifths(customers.pool)
    await fifths.begin()
    async with customers.pool.acquire() as connection:
        assert await fifths_store.latest(connection) is None
    await customers.put("c-last", *[Trip(days=0.5, paid=1_000_000)] * 9)
    await customers.look()
    await fifths.begin()
    async with customers.pool.acquire() as connection:
        kept = await fifths_store.latest(connection)
        assert kept is not None
        assert (kept.customers, list(kept.fifths.days)) == (FEWEST, [37, 77, 117, 157])
        assert "buyers-tea" in await store.definitions(connection)
    await customers.pass_through()
    by_class = [await customers.members(f"rfm-{one}") for one in RFM_CLASSES]
    assert sorted(one for members in by_class for one in members) == [
        *(f"c-{n:03}" for n in range(FEWEST - 1)),
        "c-last",
    ]
    assert "c-last" in await customers.members("rfm-champions")
    assert "c-098" in await customers.members("rfm-cannot-lose")
    async with customers.pool.acquire() as connection:
        grid = await fifths_store.grid(connection)
    assert sum(count for *_, count in grid) == FEWEST
    said = {one.customer_id for one in await customers.said() if one.segment_id.startswith("rfm-")}
    assert len(said) == FEWEST


async def test_a_preview_counts_all_customers_or_estimates_from_some(
    customers: Customers,
) -> None:
    for n in range(60):
        await customers.put(f"c-{n:02}", *[Trip(days=1)] * (n % 3))
    definition = defined(bought(">=", 2, days=7))
    all_of_them = await Preview(customers.pool, no_forecasts).of(definition, customers.now)
    assert (all_of_them.estimate.matching, all_of_them.estimate.exact) == (20, True)
    assert len(all_of_them.examples) == 5
    assert set(all_of_them.examples) <= {f"c-{n:02}" for n in range(2, 60, 3)}
