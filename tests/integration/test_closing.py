"""Ends of periods on the real PostgreSQL: once, after downtime, with late sales, limits and pauses."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest
from aiokafka.structs import ConsumerRecord

from services.evaluator.checkout import Checkout
from services.evaluator.closing import Closing
from services.evaluator.facts import Gatherer
from services.evaluator.promotion.period_end import GRACE
from services.evaluator.rulesets import Rulesets
from shared.codec import decode, encode
from shared.events.outcome import BonusEntry
from shared.events.promotion import Consecutive, LimitRule, Repeat
from shared.topics import SALES
from tests.builders import CODE_KEY, sale, sold_line
from tests.integration.outgoing import waiting
from tests.integration.periods import (
    DAY,
    bought,
    close_all,
    midnight,
    open_evaluator,
    points,
    publish,
    sales_read,
    twice,
)

CLOCKS_DIFFER = timedelta(seconds=5)
SECOND = timedelta(seconds=1)


@pytest.fixture
async def evaluator(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """The evaluator's tables, with one store; the sales have been read until now."""
    async with open_evaluator(dsn) as pool:
        yield pool


async def test_who_has_earned_it_gets_it_once_at_the_end_of_the_period(
    evaluator: asyncpg.Pool,
) -> None:
    await publish(evaluator, twice(), 0, midnight(21))
    await bought(evaluator, "c-1", midnight(5), midnight(4))
    await bought(evaluator, "c-2", midnight(5))
    await bought(evaluator, "c-3", midnight(30), midnight(5), midnight(0))  # two outside of it
    await close_all(evaluator)
    await close_all(evaluator)
    assert await points(evaluator) == {"c-1": 50}
    entry = decode(BonusEntry, (await waiting(evaluator))[0] or b"")
    assert (entry.period_start, entry.period_end) == (midnight(20), midnight(0))
    assert (entry.receipt_id, entry.occurred_at) == (None, midnight(0))


@pytest.mark.parametrize(("missing", "given"), [(timedelta(), {"c-1": 50}), (SECOND, {})])
async def test_a_period_waits_until_its_sales_have_been_read(
    evaluator: asyncpg.Pool, missing: timedelta, given: dict[str, int]
) -> None:
    await publish(evaluator, twice(), 0, midnight(21))
    await bought(evaluator, "c-1", midnight(5), midnight(4))
    await sales_read(evaluator, midnight(0) + GRACE + CLOCKS_DIFFER - missing)
    await close_all(evaluator)
    assert await points(evaluator) == given


async def test_a_period_that_has_not_ended_gives_nothing(evaluator: asyncpg.Pool) -> None:
    await publish(evaluator, twice(ends_at=midnight(-3)), 0, midnight(21))
    await bought(evaluator, "c-1", midnight(5), midnight(4))
    await close_all(evaluator)
    assert await points(evaluator) == {}


async def test_after_downtime_every_period_that_ended_is_closed(evaluator: asyncpg.Pool) -> None:
    """Four of five days: nobody was there when they ended."""
    await publish(evaluator, twice(processing_period=Consecutive(days=5)), 0, midnight(21))
    await bought(evaluator, "c-1", *[midnight(20) + n * DAY for n in range(5)])
    await bought(evaluator, "c-1", *[midnight(5) + n * DAY for n in range(5)])
    await bought(evaluator, "c-2", midnight(16), midnight(15))  # one in each
    await close_all(evaluator)
    assert await points(evaluator) == {"c-1": 100}


async def test_of_two_evaluators_one_closes_at_a_time(evaluator: asyncpg.Pool) -> None:
    everybody = {f"c-{n:02}": 50 for n in range(60)}
    for customer in everybody:
        await bought(evaluator, customer, midnight(5), midnight(4))
    await publish(evaluator, twice(), 0, midnight(21))

    async def close(closing: Closing) -> None:
        for _ in range(40):
            await closing.close_some()

    await asyncio.gather(*(close(Closing(evaluator, page=4)) for _ in range(3)))
    await close_all(evaluator)
    assert await points(evaluator) == everybody


async def sell_late(pool: asyncpg.Pool, customer: str, at: datetime, number: int = 0) -> None:
    """A sale that the tills held back, through the checkout."""
    receipt_id = f"late-{customer}-{number}"
    late = sale([sold_line()], customer_id=customer, occurred_at=at, receipt_id=receipt_id)
    headers = (("ce_id", receipt_id.encode()),)
    record = ConsumerRecord(SALES.name, 0, 0, 0, 0, b"k", encode(late), None, 0, 0, headers)
    gatherer = Gatherer(Rulesets(), CODE_KEY, timedelta(minutes=15))
    async with pool.acquire() as connection, connection.transaction():
        assert await Checkout(gatherer).apply(connection, [record]) == []


async def test_a_sale_that_comes_late_brings_what_is_missing_once(evaluator: asyncpg.Pool) -> None:
    await publish(evaluator, twice(repeat=Repeat()), 0, midnight(21))
    await bought(evaluator, "c-1", midnight(5), midnight(4))
    await bought(evaluator, "c-2", midnight(5))
    await close_all(evaluator)
    assert await points(evaluator) == {"c-1": 50}
    await sell_late(evaluator, "c-2", midnight(3))
    await sell_late(evaluator, "c-1", midnight(3))
    await close_all(evaluator)
    assert await points(evaluator) == {"c-1": 50, "c-2": 50}
    await sell_late(evaluator, "c-1", midnight(2), 1)
    await close_all(evaluator)
    await close_all(evaluator)
    assert await points(evaluator) == {"c-1": 100, "c-2": 50}


async def test_a_late_sale_of_a_period_that_is_still_to_be_closed_waits_for_it(
    evaluator: asyncpg.Pool,
) -> None:
    await publish(evaluator, twice(ends_at=midnight(-3)), 0, midnight(21))
    await bought(evaluator, "c-1", midnight(5))
    await sell_late(evaluator, "c-1", midnight(4))
    await close_all(evaluator)
    assert await points(evaluator) == {}
    await publish(evaluator, twice(ends_at=midnight(0)), 1, midnight(0))
    await close_all(evaluator)
    assert await points(evaluator) == {"c-1": 50}


async def test_a_late_sale_does_not_take_a_second_slot(evaluator: asyncpg.Pool) -> None:
    limits = (LimitRule(redemptions=1),)
    await publish(evaluator, twice(limits=limits, repeat=Repeat()), 0, midnight(21))
    await bought(evaluator, "c-1", midnight(5), midnight(4), midnight(3))
    await close_all(evaluator)
    await sell_late(evaluator, "c-1", midnight(2))
    await sell_late(evaluator, "c-2", midnight(2))
    await sell_late(evaluator, "c-2", midnight(1), 1)
    await close_all(evaluator)
    assert await points(evaluator) == {"c-1": 100}
    assert await evaluator.fetchval("select used from limits") == 1


async def test_a_return_after_closing_takes_nothing_back(evaluator: asyncpg.Pool) -> None:
    await publish(evaluator, twice(), 0, midnight(21))
    await bought(evaluator, "c-1", midnight(5), midnight(4))
    await close_all(evaluator)
    await evaluator.execute("update purchases set remaining = $1", msgspec.msgpack.encode([[]]))
    await sell_late(evaluator, "c-1", midnight(3))
    await close_all(evaluator)
    assert await points(evaluator) == {"c-1": 50}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (LimitRule(redemptions=3), ["c-0", "c-1", "c-2"]),
        (LimitRule(redemptions=1, per=("customer",)), [f"c-{n}" for n in range(6)]),
        (LimitRule(redemptions=4, per=("day",)), ["c-0", "c-1", "c-2", "c-3"]),
    ],
)
@pytest.mark.parametrize("page", [1, 2, 500])
async def test_slots_are_taken_in_the_order_of_customers_until_there_are_none(
    evaluator: asyncpg.Pool, rule: LimitRule, expected: Sequence[str], page: int
) -> None:
    for n in reversed(range(6)):
        await bought(evaluator, f"c-{n}", midnight(5), midnight(4))
    await publish(evaluator, twice(limits=(rule,)), 0, midnight(21))
    await close_all(evaluator, page=page)
    assert sorted(await points(evaluator)) == expected


@pytest.mark.parametrize("status", ["paused", "finished"])
@pytest.mark.parametrize(
    ("stopped", "given"),
    [(midnight(0), {"c-1": 50}), (midnight(0) - SECOND, {}), (midnight(-3), {"c-1": 50})],
)
async def test_a_stopped_campaign_owes_the_periods_that_ended_before(
    evaluator: asyncpg.Pool, status: Any, stopped: datetime, given: dict[str, int]
) -> None:
    await bought(evaluator, "c-1", midnight(5), midnight(4))
    await publish(evaluator, twice(), 0, midnight(21))
    await publish(evaluator, twice(status=status), 1, stopped)
    await close_all(evaluator)
    assert await points(evaluator) == given


async def test_a_period_that_ends_during_a_pause_waits_until_the_campaign_runs_again(
    evaluator: asyncpg.Pool,
) -> None:
    await bought(evaluator, "c-1", midnight(5), midnight(4))
    await publish(evaluator, twice(), 0, midnight(21))
    await publish(evaluator, twice(status="paused"), 1, midnight(2))
    # An edit during the pause does not make it a later one.
    await publish(evaluator, twice(status="paused", name="Edited"), 2, midnight(-3))
    closing = Closing(evaluator)
    assert not await closing.close_some()
    assert await points(evaluator) == {}
    await publish(evaluator, twice(), 3, midnight(-3))
    while await closing.close_some():
        pass
    assert await points(evaluator) == {"c-1": 50}
