"""The next purchase: trained by the real process on the real PostgreSQL, and told to CRM systems."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from deploy.local.stack import Stack
from services.customers import store as customer_store
from services.customers.feed import erasure
from services.customers.forecast import store
from services.customers.forecast.models import FEWEST_CUSTOMERS
from services.customers.forecast.outlook import Outlook
from services.customers.forecast.store import Run
from services.customers.forecast.training import Training
from services.customers.profile import add_codes, add_receipt
from shared import clock
from shared.database import connect
from shared.events.customers import Erasure
from tests.builders import cart
from tests.integration import shop
from tests.integration.customers import new_customer, reading
from tests.integration.segments import Customers, opened
from tests.unit.customers.facts import a_receipt
from tests.unit.customers.forecast import shoppers
from tests.unit.customers.segments.customers import Trip
from tests.waiting import until

pytestmark = pytest.mark.slow
DAYS = 126
NEVER_ENDS = ("sleep", "600")


@pytest.fixture
async def customers(dsn: str) -> AsyncIterator[Customers]:
    """Customers of a fresh database."""
    async with opened(dsn) as one:
        yield one


async def regulars(customers: Customers, count: int) -> None:
    """So many customers who buy often or seldom, and leave some day."""
    made = shoppers(count, DAYS, seed=8)
    for row, trips in enumerate(made.trips):
        bought = [Trip(days=DAYS - day - 0.5) for day in np.flatnonzero(trips)]
        await customers.put(f"c-{row:04}", *(bought or [Trip(days=DAYS - 1)]))


async def trained(customers: Customers, training: Training) -> Run:
    """The training that was just done."""
    run_id = await training.ask("asked")
    assert run_id is not None
    await training.run()
    async with customers.pool.acquire() as connection:
        found = await store.find(connection, run_id)
    assert found is not None
    return found


async def told(customers: Customers) -> set[str]:
    """Whose profile is to be published."""
    rows = await customers.pool.fetch("select customer_id from attention where changed")
    return {row["customer_id"] for row in rows}


async def attended(customers: Customers) -> None:
    await customers.pool.execute("delete from attention")


async def test_models_are_compared_and_the_best_foretells_of_everybody(
    dsn: str, customers: Customers
) -> None:
    await regulars(customers, FEWEST_CUSTOMERS + 20)
    await customers.put("c-nobody", Trip(days=2, returned=True))
    await customers.put("c-weekly", *(Trip(days=7 * n + 0.5) for n in range(18)))
    await attended(customers)
    training = Training(customers.pool, dsn)

    run = await trained(customers, training)

    assert (run.status, run.stage, run.done, run.basis) == ("done", "done", 1_000, "compared")
    assert {score.model for score in run.scores} == {"running-mean", "bg-nbd", "boosted"}
    assert run.model == min(run.scores, key=lambda score: score.mae).model
    assert (run.customers, run.learnt_from) == (FEWEST_CUSTOMERS + 21,) * 2
    assert run.foretold == run.changed == FEWEST_CUSTOMERS + 21
    async with customers.pool.acquire() as connection:
        found = await store.expected(connection, ["c-weekly", "c-nobody"])
        assert set(found) == {"c-weekly"}
        weekly = found["c-weekly"]
        assert (weekly.model, weekly.days) == (run.model, 14)
        assert weekly.probability > 7_000
        assert 1_000 <= weekly.expected_purchases <= 3_000
        today = clock.now().date()
        assert weekly.expected_on is not None
        assert today <= weekly.expected_on <= today + timedelta(days=9)
        soon = await store.soon(
            connection, today, today + timedelta(days=90), (today, ""), limit=500
        )
    assert weekly.expected_on in {one.expected_on for one in soon if one.customer_id == "c-weekly"}
    assert len(await told(customers)) == run.foretold


async def test_nothing_is_learnt_of_who_was_only_given_a_code(customers: Customers) -> None:
    """Codes for 350,000 left a sample in which nobody had bought anything, and nothing was foretold."""
    await customers.put("c-buyer", Trip(days=3))
    async with customers.pool.acquire() as connection, connection.transaction():
        states = await customer_store.load(connection, ["c-code", "c-both"])
        for state in states.values():
            add_codes(state, "e-1", 1)
        add_receipt(states["c-both"], a_receipt(1, customer_id="c-both"))
        await customer_store.save(connection, states, clock.now())
    async with customers.pool.acquire() as connection:
        assert await store.customers(connection) == 2
        learnt_from = await customer_store.buyers(connection, "", 10)
        assert [customer_id for customer_id, _ in learnt_from] == ["c-both", "c-buyer"]


async def test_of_whose_purchases_all_came_back_nothing_is_foretold_any_more(
    dsn: str, customers: Customers
) -> None:
    await customers.put("c-1", *(Trip(days=7 * n + 0.5) for n in range(18)))
    await customers.put("c-2", *(Trip(days=7 * n + 0.5) for n in range(18)))
    training = Training(customers.pool, dsn)
    assert (await trained(customers, training)).foretold == 2
    await customers.put("c-2", *(Trip(days=7 * n + 0.5, returned=True) for n in range(18)))
    await attended(customers)
    again = await trained(customers, training)
    assert (again.foretold, again.changed) == (1, 1)
    async with customers.pool.acquire() as connection:
        assert set(await store.expected(connection, ["c-1", "c-2"])) == {"c-1"}
    assert await told(customers) == {"c-2"}


async def test_who_is_foretold_the_same_is_not_told_again(dsn: str, customers: Customers) -> None:
    await customers.put("c-1", *(Trip(days=7 * n + 0.5) for n in range(18)))
    await customers.put("c-2", Trip(days=90))
    training = Training(customers.pool, dsn)
    first = await trained(customers, training)
    await attended(customers)
    await customers.put("c-2", Trip(days=90), Trip(days=0.1))
    await attended(customers)

    again = await trained(customers, training)

    assert first.basis == "too_few_customers"
    assert first.model == "running-mean"
    assert (again.foretold, again.changed) == (2, 1)
    assert await told(customers) == {"c-2"}


@pytest.mark.parametrize(
    ("changes", "again"),
    [
        ({}, []),
        ({"probability": 5_100}, ["c-1"]),
        ({"purchases": 1_100}, ["c-1"]),
        ({"expected_on": date(2026, 3, 6)}, ["c-1"]),
        ({"expected_on": None}, ["c-1"]),
    ],
)
async def test_whatever_changes_is_told(
    customers: Customers, changes: dict[str, Any], again: list[str]
) -> None:
    outlook = Outlook("c-1", 5_000, 1_000, date(2026, 3, 5))
    now = clock.now()
    async with customers.pool.acquire() as connection:

        async def save(one: Outlook, at: datetime) -> list[str]:
            return await store.save(
                connection, [one], model="m", days=14, now=at, told_before=now - timedelta(days=7)
            )

        assert await save(outlook, now) == ["c-1"]
        assert await save(replace(outlook, **changes), now + timedelta(days=1)) == again
        kept = (await store.expected(connection, ["c-1"]))["c-1"]
    assert kept.made_at == now + timedelta(days=1)
    assert kept.expected_on == changes.get("expected_on", outlook.expected_on)


async def test_everybody_is_told_again_after_a_week(dsn: str, customers: Customers) -> None:
    await customers.put("c-1", Trip(days=3))
    training = Training(customers.pool, dsn)
    await trained(customers, training)
    await customers.pool.execute("update forecasts set told_at = told_at - interval '8 days'")

    assert (await trained(customers, training)).changed == 1


async def test_of_whoever_has_not_bought_for_as_long_as_profiles_go_nothing_is_foretold(
    dsn: str, customers: Customers
) -> None:
    await customers.put("c-1", Trip(days=3))
    training = Training(customers.pool, dsn)
    await trained(customers, training)
    await customers.put("c-1", Trip(days=3, returned=True))
    await attended(customers)

    run = await trained(customers, training)

    assert (run.foretold, run.changed) == (0, 1)
    assert await told(customers) == {"c-1"}
    assert await customers.pool.fetchval("select count(*) from forecasts") == 0


async def test_one_trains_at_a_time(dsn: str, customers: Customers) -> None:
    await customers.put("c-1", Trip(days=3))
    training = Training(customers.pool, dsn)
    other = await connect(dsn)
    assert await store.lock(other)
    run_id = await training.ask("asked")
    assert await training.ask("schedule") is None

    await training.run()

    async with customers.pool.acquire() as connection:
        waits = await store.find(connection, str(run_id))
    assert waits is not None
    assert waits.status == "asked"
    await other.close()
    await until(lambda: _run_until_done(customers, training, str(run_id)), what="the training")


async def _run_until_done(customers: Customers, training: Training, run_id: str) -> bool:
    await training.run()
    async with customers.pool.acquire() as connection:
        found = await store.find(connection, run_id)
    return found is not None and found.status == "done"


async def test_a_training_whose_process_is_killed_has_failed_and_the_next_one_is_done(
    dsn: str, customers: Customers
) -> None:
    await regulars(customers, FEWEST_CUSTOMERS + 20)
    training = Training(customers.pool, dsn)
    run_id = await training.ask("asked")
    working = asyncio.ensure_future(training.run())
    await until(lambda: _stage(customers, str(run_id), "comparing"), what="it learns")
    await Training(customers.pool, dsn).run()  # another instance looks, and lets it work
    async with customers.pool.acquire() as connection:
        working_on = await store.find(connection, str(run_id))
    assert working_on is not None
    assert working_on.status == "running"

    working.cancel()  # as the service does when it ends
    await asyncio.gather(working, return_exceptions=True)
    await until(lambda: _failed(customers, training, str(run_id)), what="it has failed")

    assert (await trained(customers, training)).status == "done"


async def _stage(customers: Customers, run_id: str, stage: str) -> bool:
    async with customers.pool.acquire() as connection:
        found = await store.find(connection, run_id)
    return found is not None and found.stage == stage


async def _failed(customers: Customers, training: Training, run_id: str) -> bool:
    await training.run()
    async with customers.pool.acquire() as connection:
        found = await store.find(connection, run_id)
    return found is not None and found.status == "failed"


async def test_a_training_is_asked_for_once_there_are_customers_and_when_they_have_doubled(
    dsn: str, customers: Customers
) -> None:
    training = Training(customers.pool, dsn)

    async def reasons() -> list[str]:
        await training.watch()
        async with customers.pool.acquire() as connection:
            found = [run.reason for run in await store.runs(connection, 10)]
        await training.run()
        return found

    assert await reasons() == []
    await customers.put("c-1", Trip(days=3))
    await customers.put("c-2", Trip(days=3))
    assert await reasons() == ["overdue"]
    await customers.put("c-3", Trip(days=3))
    assert await reasons() == ["overdue"]
    await customers.put("c-4", Trip(days=3))
    assert await reasons() == ["more_customers", "overdue"]
    assert await reasons() == ["more_customers", "overdue"]
    await customers.pool.execute(
        "update forecast_runs set asked_at = asked_at - interval '27 hours'"
    )
    assert (await reasons())[0] == "overdue"


async def test_an_erased_customer_is_foretold_nothing(dsn: str, customers: Customers) -> None:
    await customers.put("c-1", Trip(days=3))
    await customers.put("c-2", Trip(days=3))
    training = Training(customers.pool, dsn)
    await trained(customers, training)
    asked = Erasure(erasure_id="e-1", customer_id="c-1", requested_at=datetime.now(UTC))

    async with customers.pool.acquire() as connection, connection.transaction():
        report = await erasure.erase(connection, b"k" * 32, asked, "tests", clock.now())

    assert ("forecasts", 1) in {(table.table, table.deleted) for table in report.tables}
    assert (await trained(customers, training)).foretold == 1
    async with customers.pool.acquire() as connection:
        assert set(await store.expected(connection, ["c-1", "c-2"])) == {"c-2"}


async def test_what_is_foretold_comes_with_the_published_profile_and_the_list(
    stack: Stack,
) -> None:
    [store_id] = await shop.open_store(stack)
    customer_id = new_customer()
    now = clock.now()
    async with shop.open_tills(stack) as tills:
        for days in (29, 22, 15, 8, 1):
            await tills.buy(
                cart(
                    receipt_id=f"r-{customer_id}-{days}",
                    store_id=store_id,
                    customer_id=customer_id,
                    occurred_at=now - timedelta(days=days),
                    currency=shop.CURRENCY,
                )
            )
    async with (
        shop.client(stack, "customers") as client,
        reading(stack, customer_id) as reader,
    ):

        async def foretold() -> bool:
            """Train until it is foretold of the customer: a training under way may not have met them."""
            answer = await client.post("/v1/forecast/runs")
            assert answer.status_code in (202, 409), answer.text
            if answer.status_code == 202:
                run_id = answer.json()["run_id"]
                await until(lambda: _ended(run_id), within_s=120, what="the training")
            profile = await reader.read()
            return profile is not None and profile.forecast is not None

        async def _ended(run_id: str) -> bool:
            said = (await client.get(f"/v1/forecast/runs/{run_id}")).json()
            assert said["status"] != "failed"
            return bool(said["status"] == "done")

        await until(foretold, within_s=240, what="a forecast in the profile")
        models = (await client.get("/v1/forecast")).json()
        soon = (await client.get("/v1/forecast/expected?days=91&limit=200")).json()
        profile = await reader.read()
    assert profile is not None
    assert profile.forecast is not None
    assert profile.forecast.model == models["used"]["model"]
    assert profile.forecast.probability > 0
    assert sum(day["customers"] for day in soon["by_day"]) >= len(soon["items"])
    expected_on = [str(item["expected_on"]) for item in soon["items"]]
    assert expected_on == sorted(expected_on)
