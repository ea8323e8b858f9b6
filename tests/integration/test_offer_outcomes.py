"""What becomes of offers: who bought in their days, what was used and returned, what is forgotten."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.customers.messages import Redemption, ReturnedRedemption
from services.customers.offers.plan import held_back
from services.customers.offers.store import policies, records
from shared.events.customers import ErasedTable
from tests.integration.offer_plans import Desk, at, desk_at
from tests.unit.customers.offers.examples import DAY, NOON, policy
from tests.unit.customers.offers.test_sales import receipt, returned


@pytest.fixture
async def desk(dsn: str) -> AsyncIterator[Desk]:
    async with desk_at(dsn) as opened:
        yield opened


async def test_the_control_group_waits_as_long_and_both_arms_are_counted_alike(desk: Desk) -> None:
    everybody = [f"c-{n}" for n in range(40)]
    held = [one for one in everybody if held_back("win-back", one, 5_000)]
    treated = [one for one in everybody if one not in held]
    await desk.customers(*everybody)
    await desk.start(policy(control_share=5_000, pause_days=0))
    await desk.plan(NOON)
    assert {one.customer_id for one in await desk.requests()} == {*treated}
    assert await desk.states(*held) == [("win-back", 1, "held_back")] * len(held)
    windows = await desk.pool.fetch(
        "select step, starts_at, ends_at, held_back, count(*) as n from offer_windows"
        " group by 1, 2, 3, 4 order by 1, 4"
    )
    assert [tuple(row) for row in windows] == [
        (step, starts, ends, control, len(held if control else treated))
        for step, starts, ends in (
            (0, NOON, at(26, 0)),
            (1, NOON, at(18, 0)),
            (2, at(18, 0), at(26, 0)),
        )
        for control in (False, True)
    ]
    await desk.consider(*everybody, at=at(25))
    await desk.plan(at(25))
    assert await desk.states(held[0]) == [("win-back", 1, "held_back")]
    # The second time nothing more is counted: whether there is one is decided by what the first did.
    await desk.plan(at(26, 1))
    await desk.consider(*held, at=at(26, 1))
    await desk.plan(at(26, 1))
    assert await desk.states(held[0]) == [("win-back", 1, "held_back")] * 2
    assert await desk.pool.fetchval("select count(*) from offer_windows") == 3 * len(everybody)


async def bought(desk: Desk, customer_id: str) -> list[tuple[int, int, int, bool]]:
    """Step, purchases, money and whether a code was used, of a customer's days."""
    rows = await desk.pool.fetch(
        "select step, purchases, paid, used from offer_windows where customer_id = $1 order by step",
        customer_id,
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


async def test_purchases_count_in_the_days_of_a_step_and_returns_take_them_back(desk: Desk) -> None:
    await desk.customers("a")
    await desk.start(policy())
    await desk.plan(NOON)
    before = receipt(receipt_id="r0", customer_id="a", occurred_at=NOON - timedelta(seconds=1))
    first = receipt(receipt_id="r1", customer_id="a", occurred_at=NOON)
    second = receipt(receipt_id="r2", customer_id="a", occurred_at=at(18, 0))
    foreign = receipt(receipt_id="r3", customer_id="a", occurred_at=at(19), currency="EUR")
    after = receipt(receipt_id="r4", customer_id="a", occurred_at=at(26, 0))
    back = returned(
        receipt_id="r2", customer_id="a", sold_at=at(18, 0), complete=False, refund=1_000
    )
    await desk.apply(back, before, first, second, foreign, after)
    assert await bought(desk, "a") == [
        (0, 3, 17_000, False),
        (1, 1, 9_000, False),
        (2, 2, 8_000, False),
    ]
    await desk.apply(returned(receipt_id="r1", customer_id="a", sold_at=NOON))
    assert await bought(desk, "a") == [(0, 2, 8_000, False), (1, 0, 0, False), (2, 2, 8_000, False)]


async def test_a_used_code_is_told_of_and_a_return_gives_it_back_whichever_comes_first(
    desk: Desk,
) -> None:
    await desk.customers("a", "b")
    await desk.start(policy())
    await desk.plan(NOON)
    await desk.answer(NOON)
    await desk.plan(NOON)
    for one, backwards in (("a", False), ("b", True)):
        uses = (Redemption("c", "i", "committed", 1_500, 0, "e5"),)
        sale = receipt(receipt_id=f"r-{one}", customer_id=one, occurred_at=at(11), redemptions=uses)
        gives_back = (ReturnedRedemption("c", "i", "returned", True, 1_500, 0, "e5"),)
        back = returned(
            receipt_id=f"r-{one}", customer_id=one, sold_at=at(11), redemptions=gives_back
        )
        for fact in (back, sale) if backwards else (sale, back):
            await desk.apply(fact, at=at(12))
        assert await desk.states(one) == [("win-back", 1, "offered")]
        assert await bought(desk, one) == [(0, 0, 0, False), (1, 0, 0, False), (2, 0, 0, False)]
    told = [(one.customer_id, one.status) for one in await desk.told()]
    assert told[2:] == [("a", "used"), ("a", "offered")]
    await desk.apply(
        receipt(receipt_id="r2", customer_id="a", occurred_at=at(13), redemptions=uses), at=at(13)
    )
    assert await bought(desk, "a") == [(0, 1, 9_000, True), (1, 1, 9_000, True), (2, 0, 0, False)]
    async with desk.pool.acquire() as connection:
        [tally] = (await policies.tallies(connection, ["win-back"])).values()
    assert (tally.offered, tally.used, tally.likely, tally.given) == (2, 1, 2_000, 1_500)


async def test_codes_are_cleared_a_week_after_their_end_and_offers_after_a_year(desk: Desk) -> None:
    await desk.customers("a")
    await desk.start(policy(steps=({"emission_id": "e5", "discount": 500},)))
    for now in (NOON, NOON, at(18, 0)):
        await desk.plan(now)
        await desk.answer(now)

    async def forget(days: int) -> tuple[int, int]:
        async with desk.pool.acquire() as connection, connection.transaction():
            return await records.forget(connection, at(18, 0) + days * DAY)

    await desk.plan(at(18, 0))
    assert await forget(7) == (0, 0)
    assert await forget(8) == (1, 0)
    assert (await desk.offers("a"))[0].code is None
    assert await forget(400) == (0, 0)
    assert await forget(401) == (0, 1)


async def test_who_is_erased_is_in_no_row_but_in_the_sums(desk: Desk) -> None:
    await desk.customers("a", "b")
    await desk.start(policy())
    await desk.plan(NOON)
    await desk.consider("a", at=NOON)
    async with desk.pool.acquire() as connection, connection.transaction():
        found = await records.erase(connection, "a")
        [tally] = (await policies.tallies(connection, ["win-back"])).values()
    assert found == [
        ErasedTable(table="offers", deleted=1),
        ErasedTable(table="offer_candidates", deleted=1),
        ErasedTable(table="early_releases", deleted=0),
        ErasedTable(table="offer_windows", anonymised=3),
    ]
    assert (tally.codes, tally.likely) == (2, 2_000)
    names = await desk.pool.fetch("select distinct customer_id from offer_windows order by 1")
    assert [row[0].split("-")[0] for row in names] == ["b", "nobody"]
    # Their code comes all the same: nobody is told of it.
    await desk.answer(NOON)
    await desk.plan(NOON)
    assert [one.customer_id for one in await desk.told()] == ["b"]
