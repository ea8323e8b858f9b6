"""Returns on the real PostgreSQL: once each, never too much, and progress is taken back."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared.events.conditions import (
    PurchaseSum,
)
from shared.topics import SALES
from tests.builders import compare
from tests.integration.evaluator import (
    Stream,
    asks,
    bought,
    days_ago,
    discounts,
    evaluator,
    promise,
    record,
    returned,
    returns,
)


@pytest.fixture
async def ledger(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """The evaluator's tables, with one store."""
    async with evaluator(dsn) as pool:
        yield pool


async def test_a_return_takes_back_progress_and_says_what_is_refunded(
    ledger: asyncpg.Pool,
) -> None:
    await promise(ledger, PurchaseSum(compare=compare(1_500)))
    sold = bought(1, days_ago(1), amount=2_001)
    await Stream(sold, asks(1), returns(1, 1_000), asks(2)).into(ledger, 2)
    assert await discounts(ledger) == {"cart-1": 100, "cart-2": 0}
    assert await returned(ledger) == [("bought-1", 1, 1_000, 1_001)]
    await Stream(returns(1, lines=())).into(ledger)  # all that is left
    assert await returned(ledger) == [("bought-1", 1, 2_000, 2_001)]


async def test_a_return_that_comes_twice_takes_back_once(ledger: asyncpg.Pool) -> None:
    await Stream(bought(1, days_ago(1))).into(ledger)
    one = record(SALES.name, returns(1, 1_000), 7, "the-return")
    stream = Stream()
    stream.records = [one, one]
    assert await stream.into(ledger, 1) == []
    assert await returned(ledger) == [("bought-1", 1, 1_000, 500)]
    stream.records = [record(SALES.name, returns(1, 2_000), 8, "the-return")]
    [letter] = await stream.into(ledger)
    assert letter.reason == "conflicting_event"


async def _returned(pool: asyncpg.Pool) -> list[tuple[str, int, int, int]]:
    rows = await pool.fetch(
        "select receipt_id, line, quantity, refund from returned_lines order by 1, 2"
    )
    return [tuple(row.values()) for row in rows]


@pytest.mark.parametrize("size", [1, 2])
async def test_a_return_that_overtook_its_sale_is_a_dead_letter_and_counts_when_sent_again(
    ledger: asyncpg.Pool, size: int
) -> None:
    """It may have been sold on another partition; ``tillstream dead-letters retry``."""
    early = returns(1)
    [letter] = await Stream(early, bought(1, days_ago(1))).into(ledger, size)
    assert (letter.reason, letter.detail.split(":")[0]) == ("unknown_receipt", "receipt_id")
    again = Stream()
    again.records = [letter.record]
    assert await again.into(ledger) == []
    assert await returned(ledger) == [("bought-1", 1, 2_000, 1_000)]


async def test_a_return_of_a_cart_that_was_never_paid_is_refused(ledger: asyncpg.Pool) -> None:
    [letter] = await Stream(asks(1), returns(1, receipt_id="cart-1")).into(ledger)
    assert letter.reason == "unknown_receipt"
