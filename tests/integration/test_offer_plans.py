"""Planning of offers through its days: asked for in time, sent in time, over in time, within every bound."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from services.customers.messages import CodeIssued
from services.customers.offers.answers import Trial
from services.customers.offers.sales import Cell, Sold
from services.customers.offers.store import candidates, policies
from services.customers.offers.store import sales as sales_store
from services.customers.offers.trial import tried
from tests.integration.offer_plans import Desk, at, desk_at, forecast
from tests.unit.customers.offers.examples import BACKINGS, DAY, NOON, backing, policy
from tests.unit.customers.offers.test_sales import receipt, returned

NIGHT = {"starts": "21:00", "ends": "09:00"}


@pytest.fixture
async def desk(dsn: str) -> AsyncIterator[Desk]:
    async with desk_at(dsn) as opened:
        yield opened


async def test_a_code_is_asked_for_at_once_and_sent_as_soon_as_it_is_there(desk: Desk) -> None:
    await desk.customers("a")
    await desk.start(policy())
    await desk.plan(NOON)
    [request] = await desk.requests()
    assert (request.customer_id, request.emission_id) == ("a", "e5")
    assert request.valid_until == at(18, 0)
    assert await desk.told() == []
    await desk.answer(NOON)
    await desk.plan(NOON)
    [offer] = await desk.told()
    assert (offer.status, offer.code, offer.step) == ("offered", f"CODE-{offer.offer_id}", 1)
    assert await desk.requests() == [request]


async def test_by_night_nothing_is_sent_and_in_the_morning_it_is_decided_anew(desk: Desk) -> None:
    await desk.customers("a", "b")
    await desk.start(policy(quiet_hours=NIGHT, when={"days_since_purchase": {"at_least": 5}}))
    await desk.plan(at(10, 22))
    assert await desk.states("a", "b") == [("win-back", 1, "planned")] * 2
    await desk.plan(at(11, 8, 49))
    assert await desk.requests() == []
    bought = receipt(receipt_id="r-b", customer_id="b", occurred_at=at(11, 0), lines=())
    await desk.profile("b", bought)
    await desk.plan(at(11, 8, 50))
    assert [one.customer_id for one in await desk.requests()] == ["a"]
    assert await desk.states("b") == []
    await desk.answer(at(11, 8, 51))
    await desk.plan(at(11, 8, 59))
    assert await desk.told() == []
    await desk.plan(at(11, 9))
    [offer] = await desk.told()
    assert (offer.customer_id, offer.send_at) == ("a", at(11, 9))


async def test_unused_the_discount_rises_step_by_step_and_ends(desk: Desk) -> None:
    await desk.customers("a")
    await desk.start(policy(wait_days=2))
    for now in (NOON, at(18, 0), at(20, 0), at(28, 0)):
        await desk.plan(now)
        await desk.answer(now)
        await desk.plan(now)
    told = [(one.step, one.status, one.changed_at) for one in await desk.told()]
    assert told == [
        (1, "offered", NOON),
        (1, "expired", at(18, 0)),
        (2, "offered", at(20, 0)),
        (2, "expired", at(28, 0)),
    ]
    assert [one.discount for one in await desk.offers("a")] == [500, 1_000]
    await desk.consider("a", at=at(28, 1))
    await desk.plan(at(28, 1))
    assert len(await desk.offers("a")) == 2


async def test_a_raise_that_is_planned_follows_the_policy_as_it_is_by_then(desk: Desk) -> None:
    await desk.customers("a")
    both = policy(wait_days=2)
    await desk.start(both)
    await desk.plan(NOON)
    await desk.answer(NOON)
    await desk.plan(NOON)
    await desk.plan(at(18, 0))
    assert await desk.states("a") == [("win-back", 1, "expired"), ("win-back", 2, "planned")]
    await desk.edit(both.model_copy(update={"steps": both.steps[:1]}))
    await desk.plan(at(20, 0))
    [_, second] = await desk.offers("a")
    assert (second.status, second.why, second.open) == ("withdrawn", "no_such_step", False)
    assert len(await desk.requests()) == 1


async def test_what_is_paused_sends_nothing_more_but_what_was_sent_goes_on(desk: Desk) -> None:
    await desk.customers("a", "b")
    await desk.start(policy())
    await desk.plan(NOON)
    first, second = await desk.requests()
    await desk.apply(
        CodeIssued(first.request_id, "e5", first.customer_id, first.valid_until, NOON, "CODE")
    )
    await desk.plan(NOON)
    await desk.pause("win-back")
    await desk.answer(NOON)
    await desk.plan(NOON + DAY)
    assert await desk.states(first.customer_id) == [("win-back", 1, "offered")]
    assert await desk.states(second.customer_id) == [("win-back", 1, "withdrawn")]
    await desk.plan(at(18, 0))
    assert [one.status for one in await desk.told()] == ["offered", "expired"]


async def test_the_budget_holds_however_many_are_met_at_once(desk: Desk) -> None:
    everybody = [f"c-{n}" for n in range(250)]
    await desk.customers(*everybody)
    # 5% of 400.00 are 20.00 for each.
    await desk.start(
        policy(budget={"codes": 7}),
        policy(
            policy_id="money", reason="money", steps=({"emission_id": "e10", "discount": 1_000},)
        ).model_copy(update={"budget": policy(budget={"cost": 10_000}).budget}),
    )
    for now in (NOON, NOON + timedelta(minutes=1), NOON + DAY):
        await desk.consider(*everybody, at=now)
        await desk.plan(now)
    asked = [one.emission_id for one in await desk.requests()]
    assert (asked.count("e5"), asked.count("e10")) == (7, 2)


async def test_what_is_refused_or_not_used_gives_its_part_of_the_budget_back(desk: Desk) -> None:
    await desk.customers("a", "b")
    await desk.start(
        policy(budget={"codes": 1, "cost": 2_000}, steps=({"emission_id": "e5", "discount": 500},))
    )
    await desk.plan(NOON)
    [request] = await desk.requests()
    await desk.apply(
        CodeIssued(request.request_id, "e5", request.customer_id, NOON, NOON, refused="not_posted")
    )
    other = {"a": "b", "b": "a"}[request.customer_id]
    await desk.consider("a", "b", at=NOON)
    await desk.plan(NOON)
    assert [one.customer_id for one in await desk.requests()] == [request.customer_id, other]
    async with desk.pool.acquire() as connection:
        [tally] = (await policies.tallies(connection, ["win-back"])).values()
    assert (tally.codes, tally.refused, tally.likely) == (1, 1, 2_000)


async def test_of_two_policies_the_one_with_priority_uses_up_the_cap(desk: Desk) -> None:
    await desk.customers("a")
    step = {"emission_id": "e10", "discount": 1_000}
    first = policy(policy_id="z-first", reason="first", steps=(step,), priority=5)
    async with desk.pool.acquire() as connection:
        await connection.execute("update offer_cap set offers = 1, days = 7")
    await desk.start(policy(), first)
    await desk.plan(NOON)
    assert await desk.states("a") == [("z-first", 1, "requested")]
    await desk.consider("a", at=NOON + 7 * DAY)
    await desk.plan(NOON + 7 * DAY)
    assert ("win-back", 1, "requested") in await desk.states("a")


async def test_days_that_pass_are_enough_for_an_offer(desk: Desk) -> None:
    await desk.customers("a", bought_at=at(1))
    await desk.customers("b", bought_at=at(2))
    await desk.start(policy(when={"days_since_purchase": {"at_least": 10}}))
    await desk.plan(at(10))
    assert await desk.requests() == []
    await desk.plan(at(11))
    assert [one.customer_id for one in await desk.requests()] == ["a"]
    await desk.plan(at(11, 20))
    await desk.plan(at(12))
    assert [one.customer_id for one in await desk.requests()] == ["a", "b"]


async def test_everybody_is_passed_over_once_however_many_they_are(desk: Desk) -> None:
    everybody = {f"c-{n:04}" for n in range(450)}
    await desk.customers(*everybody)
    await desk.start(policy())
    await desk.plan(NOON)
    asked = [one.customer_id for one in await desk.requests()]
    assert len(asked) == len(everybody)
    assert {*asked} == everybody


async def test_segments_forecast_and_blocks_are_asked_for(desk: Desk) -> None:
    await desk.customers("a", "b", "c", "d")
    for one in "abc":
        desk.segments[one] = frozenset({"regulars"})
    desk.forecasts = {"a": forecast(), "b": forecast(probability=8_999), "c": forecast()}
    desk.blocked = {"c"}
    await desk.start(
        policy(who={"all_of": ("regulars",)}, when={"probability": {"at_least": 9_000}})
    )
    await desk.plan(NOON)
    assert [one.customer_id for one in await desk.requests()] == ["a"]


async def test_offers_go_with_the_sales_of_the_customers_own_store(desk: Desk) -> None:
    await desk.customers("a")
    week = [NOON.date() - n * DAY for n in range(8)]
    sold = {Cell(day, "store", "s-1", "UAH"): Sold(9, 900) for day in week}
    ago = {Cell(day - 364 * DAY, "store", "s-1", "UAH"): Sold(10, 500) for day in week}
    other = {Cell(day, "store", "s-2", "UAH"): Sold(1_000, 1) for day in week}
    foreign = {Cell(day, "store", "s-1", "EUR"): Sold(0, 10**6) for day in week}
    async with desk.pool.acquire() as connection:
        await sales_store.add(connection, sold | ago | other | foreign)
    rule: dict[str, object] = {"of": "store", "days": 7, "against": "year_ago"}
    each: tuple[tuple[str, dict[str, object]], ...] = (
        ("at-90", {"below": 9_000}),
        ("below-90", {"below": 9_001}),
        ("paid", {"at_least": 18_000, "measure": "paid"}),
    )
    await desk.start(
        *[
            policy(policy_id=name, reason=name, pause_days=0, sales=(rule | bounds,), steps=(step,))
            for (name, bounds), step in zip(
                each,
                (
                    {"emission_id": "e1", "discount": 500},
                    {"emission_id": "e5", "discount": 500},
                    {"emission_id": "e10", "discount": 1_000},
                ),
                strict=True,
            )
        ]
    )
    await desk.back(BACKINGS | {"e1": [backing("e1", 500)]})
    await desk.plan(NOON)
    assert await desk.states("a") == [("below-90", 1, "requested"), ("paid", 1, "requested")]


async def test_receipts_are_what_sales_are_counted_of(desk: Desk) -> None:
    await desk.apply(receipt(), receipt(receipt_id="r2"), returned())
    await desk.apply(receipt(receipt_id="r3", customer_id="a"))
    rows = await desk.pool.fetch("select kind, id, purchases, paid from sales_days order by kind")
    assert [tuple(row) for row in rows] == [
        ("chain", "", 2, 18_000),
        ("group", "dairy", 3, 21_000),
        ("region", "North", 2, 18_000),
        ("store", "s-1", 2, 18_000),
    ]


async def test_two_offers_for_one_reason_are_refused_by_the_database_itself(desk: Desk) -> None:
    await desk.customers("a")
    await desk.start(policy())
    await desk.plan(NOON)
    with pytest.raises(asyncpg.UniqueViolationError):
        await desk.pool.execute(
            "insert into offers select 'o-2', series_id, policy_id, version, customer_id, reason, step,"
            " 'other', discount, cost, currency, zone, status, send_at, valid_until, due_at, changed_at,"
            " open, measured, raised_from, code, receipt_id, given, why from offers"
        )


async def test_while_no_policy_runs_nobody_is_considered(desk: Desk) -> None:
    await desk.customers("a")
    await desk.consider("a", at=NOON)
    assert await desk.pool.fetchval("select count(*) from offer_candidates") == 0
    await desk.plan(NOON)
    assert await desk.pool.fetchval("select done and day = $1 from offer_scan", NOON.date())


async def test_who_has_bought_is_considered_before_those_who_were_only_given_codes(
    desk: Desk,
) -> None:
    await desk.customers("y", "z")
    for one in ("a", "b"):
        await desk.profile(one)
    async with desk.pool.acquire() as connection, connection.transaction():
        await candidates.scan_again(connection, NOON.date())
        found = [await candidates.scanned(connection, NOON.date(), 3) for _ in range(3)]
    assert found == [["y", "z", "a"], ["b"], []]


async def test_a_dry_run_says_whom_it_would_reach_and_why_not_others(desk: Desk) -> None:
    await desk.customers("a", "b")

    async def run(**fields: Any) -> Trial:
        return await tried(desk.pool, desk.knowledge, policy(**fields), NOON)

    of_all = await run()
    assert (of_all.customers, of_all.checked, of_all.reached) == (2, 2, 2)
    assert (of_all.cost, of_all.skipped) == (2 * 2_000, ())
    half = await run(control_share=5_000)
    assert half.reached == 2
    assert half.cost == (2 - half.held_back) * 2_000
    none = await run(when={"purchases": {"at_least": 2}})
    assert (none.reached, [(one.reason, one.customers) for one in none.skipped]) == (
        0,
        [("purchases", 2)],
    )
    assert (await run(budget={"codes": 1})).reached == 1
    assert await desk.pool.fetchval("select count(*) from offers") == 0
