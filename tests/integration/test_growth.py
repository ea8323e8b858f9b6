"""What an event costs does not depend on how much is kept: nothing that grows is read as a whole."""

from datetime import timedelta

import asyncpg

from services.evaluator.checkout import Checkout
from services.evaluator.facts import Gatherer
from services.evaluator.rulesets import Rulesets
from shared.events.checkout import Cart, Return, Sale
from shared.events.promotion import LimitRule
from tests.builders import CODE_KEY, bonuses, instrument
from tests.integration.evaluator import NOW, Stream, asks, bought, evaluator, returns, run

FEW, MANY = 10, 3_000


async def test_statements_that_were_planned_when_all_was_empty_find_their_rows_by_index(
    dsn: str,
) -> None:
    # Nobody analyses the tables meanwhile: PostgreSQL does so by itself only once a minute.
    async with evaluator(dsn) as pool:
        limits = (LimitRule(per=("customer",), redemptions=2),)
        await run(pool, [instrument(benefit=bonuses(fixed=5), limits=limits)])
        await Stream(*(_asks(n) for n in range(FEW))).into(pool, size=1)
        await Stream(*(_buys(n) for n in range(FEW))).into(pool, size=1)
        more = range(FEW, MANY)
        await Stream(*(_asks(n) for n in more), *(_buys(n) for n in more)).into(pool)
        assert await _rows_read_whole(pool, _asks(MANY)) == {}
        assert await _rows_read_whole(pool, _buys(MANY)) == {}
        assert await _rows_read_whole(pool, returns(MANY - 1, receipt_id=f"cart-{MANY - 1}")) == {}


async def test_who_has_saved_for_years_earns_no_slower(dsn: str) -> None:
    async with evaluator(dsn) as pool:
        await run(pool, [instrument(benefit=bonuses(fixed=5))])
        await Stream(*(bought(n, NOW, customer_id="C1") for n in range(MANY // 10))).into(pool)
        await pool.execute("analyze bonus_lots")
        sale = bought(MANY, NOW, customer_id="C1")
        rows = await _rows(pool, sale, "idx_tup_fetch + seq_tup_read")
    assert rows.get("bonus_lots", 0) < FEW


def _asks(number: int) -> Cart:
    return asks(number, customer_id=f"C{number}")


def _buys(number: int) -> Sale:
    return bought(number, NOW, customer_id=f"C{number}", receipt_id=f"cart-{number}")


async def _rows_read_whole(pool: asyncpg.Pool, event: Cart | Return | Sale) -> dict[str, int]:
    """By table, the rows that were read from its beginning to its end; of the tables that grow."""
    rows = await _rows(pool, event, "seq_tup_read")
    return {table: count for table, count in rows.items() if count > MANY // 10}


async def _rows(pool: asyncpg.Pool, event: Cart | Return | Sale, counted: str) -> dict[str, int]:
    """By table, the rows that were read to apply the event."""
    checkout = Checkout(Gatherer(Rulesets(), CODE_KEY, timedelta(minutes=15)))
    async with pool.acquire() as connection, connection.transaction():
        assert await checkout.apply(connection, Stream(event).records) == []
        rows = await connection.fetch(
            f"select relname, {counted} as rows from pg_stat_xact_user_tables"  # noqa: S608
        )
    return {row["relname"]: row["rows"] or 0 for row in rows}
