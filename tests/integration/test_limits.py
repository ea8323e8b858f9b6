"""Limits on the real PostgreSQL: money, per customer, code, store and day, of the last N days."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka.structs import ConsumerRecord

import services.evaluator
from deploy.local.stack import Stack
from services.evaluator.checkout import Checkout
from services.evaluator.expiry import Expiry
from services.evaluator.facts import Gatherer
from services.evaluator.rulesets import Rulesets
from services.evaluator.store import limits as limit_store
from services.evaluator.store import reference as reference_store
from shared import clock, database
from shared.codec import decode, encode
from shared.events.checkout import Cart, Sale
from shared.events.outcome import Decision
from shared.events.promotion import Calendar, Instrument, LimitRule, Rolling
from shared.migrate import migrate
from shared.topics import CARTS, DECISIONS, SALES
from tests.builders import (
    CODE_KEY,
    campaign,
    cart,
    chunk,
    code,
    given,
    instrument,
    line,
    sale,
    sold_line,
)
from tests.integration import emission, shop
from tests.integration.outgoing import waiting
from tests.integration.periods import sales_read
from tests.integration.shop import a_cart, open_tills

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
_NOW = clock.now()
NOON = _NOW.replace(hour=12, minute=0, second=0, microsecond=0) - DAY
"""Of yesterday, UTC: the same throughout."""

Evaluator = Callable[[Instrument], AbstractAsyncContextManager[asyncpg.Pool]]


@pytest.fixture
def evaluator(dsn: str) -> Evaluator:
    """The evaluator's tables with two stores, the words ONE and TWO, and a campaign of a year."""

    @asynccontextmanager
    async def of(one: Instrument) -> AsyncIterator[asyncpg.Pool]:
        async with await database.pool(dsn) as pool, pool.acquire() as connection:
            await migrate(connection, [Path(services.evaluator.__file__).parent / "migrations"])
            await connection.execute(
                "insert into stores select name, 'West', 'EUR', 'UTC'"
                " from unnest(array['store-1', 'store-2']) as name"
            )
            await reference_store.save_codes(connection, [chunk("WORDS", "ONE", "TWO")])
            plan = campaign(
                instruments=[one],
                starts_at=NOON - 200 * DAY,
                ends_at=NOON + 200 * DAY,
                time_zone="Africa/Lagos",  # an hour ahead of UTC, all year
            )
            await reference_store.save_campaigns(connection, {plan.campaign_id: (0, encode(plan))})
            yield pool

    return of


def record(event: Cart | Sale, number: int = 0) -> ConsumerRecord:
    topic = CARTS.name if isinstance(event, Cart) else SALES.name
    headers = (("ce_id", f"{event.receipt_id}-{event.revision}".encode()),)
    body = encode(event)
    return ConsumerRecord(topic, 0, number, number, 0, b"k", body, None, 0, 0, headers)


async def apply(pool: asyncpg.Pool, *events: Cart | Sale) -> None:
    """One batch, by an evaluator of its own."""
    records = [record(event, n) for n, event in enumerate(events)]
    gatherer = Gatherer(Rulesets(), CODE_KEY, timedelta(minutes=15))
    async with pool.acquire() as connection, connection.transaction():
        assert await Checkout(gatherer).apply(connection, records) == []


async def decided(pool: asyncpg.Pool) -> dict[str, int]:
    """The discount decided for each receipt."""
    decisions = [decode(Decision, body or b"") for body in await waiting(pool, DECISIONS)]
    return {decision.receipt_id: decision.discount for decision in decisions}


async def committed(pool: asyncpg.Pool) -> dict[str, int]:
    """The discount committed for each receipt."""
    rows = await pool.fetch(
        "select receipt_id, discount from redemptions where status = 'committed'"
    )
    return {row["receipt_id"]: row["discount"] for row in rows}


def asks(receipt_id: str, amount: int = 10_000, **values: Any) -> Cart:
    fields = {"receipt_id": receipt_id, "occurred_at": NOON} | values
    return cart([line(amount=amount)], **fields)


def sells(receipt_id: str, discount: int = 1_000, **values: Any) -> Sale:
    sold = sold_line(amount=10_000, discount=discount)
    fields = {"receipt_id": receipt_id, "occurred_at": NOON} | values
    return sale([sold], [given(discount=discount)], **fields)


async def test_concurrent_tills_never_overspend_a_budget(evaluator: Evaluator) -> None:
    """Forty transactions at once; receipts of many sizes, some paid, some cancelled."""
    async with evaluator(instrument(limits=(LimitRule(money=20_000),))) as pool:

        async def serve(number: int) -> None:
            name, amount = f"r-{number:02}", 5_000 + 700 * (number % 7)
            await apply(pool, asks(name, amount))
            if number % 3 == 0:
                await apply(pool, asks(name, amount, intent="cancel", revision=1))
            elif number % 3 == 1:
                discount = (await decided(pool))[name]
                sold = sold_line(amount=amount, discount=discount)
                benefits = [given(discount=discount)] if discount else []
                await apply(pool, sale([sold], benefits, receipt_id=name, occurred_at=NOON))

        await asyncio.gather(*(serve(n) for n in range(40)))
        await apply(pool, *(asks(f"rest-{n:02}", 5_000) for n in range(40)))
        limit = await pool.fetchrow("select held, used from limits")
        rows = await pool.fetch("select status, discount from redemptions")
    taken = {
        status: sum(row["discount"] for row in rows if row["status"] == status)
        for status in ("held", "committed", "unauthorised")
    }
    assert limit is not None
    assert (taken["held"], taken["committed"]) == (limit["held"], limit["used"])
    assert limit["held"] + limit["used"] <= 20_000
    assert limit["held"] + limit["used"] > 20_000 - 500, "there was more to be had"
    assert taken["unauthorised"] == 0


async def test_a_budget_is_used_by_what_was_really_given(evaluator: Evaluator) -> None:
    async with evaluator(instrument(limits=(LimitRule(money=2_000),))) as pool:
        await apply(pool, asks("r-1"), asks("r-2"), asks("r-3"))
        await apply(pool, sells("r-1", 400))
        [limit] = await pool.fetch("select held, used from limits")
        assert tuple(limit) == (1_000, 400)
        await apply(pool, asks("r-4", 6_010), asks("r-5", 6_000))
        assert await decided(pool) == {
            "r-1": 1_000,
            "r-2": 1_000,
            "r-3": 0,
            "r-4": 0,  # 6.01 of 6.00: whole or not at all
            "r-5": 600,
        }
        amounts = await pool.fetch("select limit_amounts from redemptions order by receipt_id")
    assert [row["limit_amounts"] for row in amounts] == [[400], [1_000], [600]]


@pytest.mark.parametrize(
    ("per", "second", "gets"),
    [
        ((), {"customer_id": "c-2"}, False),
        (("customer",), {"customer_id": "c-1"}, False),
        (("customer",), {"customer_id": "c-2"}, True),
        (("store",), {"customer_id": "c-2"}, False),
        (("store",), {"customer_id": "c-1", "store_id": "store-2"}, True),
        (("day",), {"occurred_at": NOON - 13 * HOUR + HOUR}, False),
        # Midnight in Lagos comes before that of UTC.
        (("day",), {"occurred_at": NOON - 14 * HOUR}, True),
        (("code",), {"codes": ("one",)}, False),
        (("code",), {"codes": ("TWO",)}, True),
        (("customer", "day"), {"customer_id": "c-1"}, False),
        (("customer", "day"), {"customer_id": "c-1", "occurred_at": NOON - DAY}, True),
        (("customer", "day"), {"customer_id": "c-2"}, True),
    ],
)
async def test_a_limit_counts_apart_for_each_that_it_is_per(
    evaluator: Evaluator, per: Sequence[Any], second: dict[str, Any], gets: bool
) -> None:
    rule = LimitRule(redemptions=1, per=tuple(per))
    first: dict[str, Any] = {"customer_id": "c-1", "codes": ("ONE",)}
    async with evaluator(instrument(conditions=[code("WORDS")], limits=(rule,))) as pool:
        await apply(pool, asks("r-1", **first), asks("r-2", **(first | second)))
        assert await decided(pool) == {"r-1": 1_000, "r-2": 1_000 if gets else 0}


_FIRST = (NOON - 40 * DAY).replace(day=1)
_MONDAY = NOON - 20 * DAY - (NOON - 20 * DAY).weekday() * DAY


@pytest.mark.parametrize(
    ("unit", "first", "later", "gets"),
    [
        ("day", NOON - 2 * DAY, 11 * HOUR - timedelta(seconds=1), False),
        ("day", NOON - 2 * DAY, 11 * HOUR, True),
        ("week", _MONDAY, 6 * DAY + 11 * HOUR - timedelta(seconds=1), False),
        ("week", _MONDAY, 6 * DAY + 11 * HOUR, True),
        ("month", _FIRST, 27 * DAY, False),
        ("month", _FIRST, 31 * DAY, True),
        ("month", _FIRST, -13 * HOUR, False),
        ("month", _FIRST, -14 * HOUR, True),
    ],
)
async def test_a_calendar_period_has_a_counter_of_its_own(
    evaluator: Evaluator, unit: Any, first: datetime, later: timedelta, gets: bool
) -> None:
    period = Calendar(unit=unit)
    async with evaluator(instrument(max_redemptions=1, processing_period=period)) as pool:
        await apply(pool, asks("r-1", occurred_at=first), asks("r-2", occurred_at=first + later))
        assert await decided(pool) == {"r-1": 1_000, "r-2": 1_000 if gets else 0}


ROLLING = instrument(max_redemptions=2, processing_period=Rolling(days=10))


async def test_uses_slide_out_of_a_rolling_limit_one_by_one(evaluator: Evaluator) -> None:
    async with evaluator(ROLLING) as pool:
        for days in (-60, -55, -51, -50, -49, -45, -40, -39):
            name = f"r{days}"
            await apply(pool, sells(name, occurred_at=NOON + days * DAY))
        assert await committed(pool) == dict.fromkeys(
            ["r-60", "r-55", "r-50", "r-45", "r-40"], 1_000
        )


async def test_late_events_cannot_fill_a_window_beyond_its_cap(evaluator: Evaluator) -> None:
    async with evaluator(ROLLING) as pool:
        for days in (-20, -15, -17, -24, -9):
            await apply(pool, sells(f"r{days}", occurred_at=NOON + days * DAY))
        assert sorted(await committed(pool)) == ["r-15", "r-20", "r-9"]


async def test_each_cart_of_a_batch_has_its_own_window(evaluator: Evaluator) -> None:
    """Those of one batch are as exact as if each had come alone."""
    hours = [0, 3, 239, 240, 241, 243, 244, 480, 479, 484, 700]
    times = {f"r-{h:03}": NOON - 100 * DAY + timedelta(hours=h) for h in hours}
    events = [sells(name, occurred_at=at) for name, at in times.items()]
    async with evaluator(ROLLING) as pool:
        found = []
        for size in (1, 2, 5, len(events)):
            await pool.execute(
                "truncate receipts, redemptions, limits, limit_uses, limit_days,"
                " checkout_events, purchases, outbox cascade"
            )
            for start in range(0, len(events), size):
                await apply(pool, *events[start : start + size])
            found.append(sorted(await committed(pool)))
    assert found == [found[0]] * 4
    let_in = [times[name] for name in found[0]]
    assert max(sum(end - 10 * DAY < at <= end for at in let_in) for end in let_in) == 2
    assert len(let_in) > 4


async def test_holds_count_in_a_rolling_limit_and_expired_ones_need_room(
    evaluator: Evaluator,
) -> None:
    async with evaluator(ROLLING) as pool:
        await apply(pool, asks("r-1"), asks("r-2"), asks("r-3"))
        assert await decided(pool) == {"r-1": 1_000, "r-2": 1_000, "r-3": 0}
        await apply(pool, asks("r-1", intent="cancel", revision=1))
        await apply(pool, asks("r-3", revision=1))
        assert (await decided(pool))["r-3"] == 1_000
        await apply(pool, sells("r-2"), sells("r-3"))
        assert sorted(await committed(pool)) == ["r-2", "r-3"]
        rows = await pool.fetch("select used_at, amount from limit_uses")
        assert [tuple(row) for row in rows] == [(NOON, 2)]


async def test_holds_that_are_over_free_their_amounts(evaluator: Evaluator) -> None:
    limits = (LimitRule(money=1_500), LimitRule(redemptions=1, per=("customer",)))
    one = instrument(limits=limits, processing_period=Rolling(days=10))
    async with evaluator(one) as pool:
        await apply(pool, asks("r-1", customer_id="c-1"))
        held = await pool.fetch("select held from limits order by held")
        assert [row["held"] for row in held] == [1, 1_000]
        await pool.execute("update redemptions set expires_at = now() - interval '1 minute'")
        await sales_read(pool, clock.now() + DAY)
        assert await Expiry(pool).free_some() == 1
        assert await pool.fetchval("select max(held) from limits") == 0
        await apply(pool, asks("r-2", 15_000, customer_id="c-1"))
        assert (await decided(pool))["r-2"] == 1_500


async def test_uses_that_no_event_can_ask_for_are_forgotten(evaluator: Evaluator) -> None:
    async with evaluator(ROLLING) as pool:
        ages = [100, 767, 769, 800, 900]
        await pool.executemany(
            "insert into limit_uses values ('c/i@10d', $1, 1)", [(_NOW - n * DAY,) for n in ages]
        )
        async with pool.acquire() as connection:
            assert await limit_store.forget_uses(connection, _NOW, 2) == 2
            assert await limit_store.forget_uses(connection, _NOW, 2) == 1
            assert await limit_store.forget_uses(connection, _NOW, 2) == 0
        left = await pool.fetch("select used_at from limit_uses order by used_at desc")
        assert [(_NOW - row["used_at"]).days for row in left] == [100, 767]


async def test_a_budget_holds_over_the_real_services(stack: Stack) -> None:
    """Authored, announced, counted: sixty tills at once, and room for exactly eleven of 30.00."""
    [store_id] = await shop.open_store(stack)
    plan = emission.instrument_of() | {"limits": [{"money": 33_333}]}
    await shop.run_campaign(stack, [plan], stores=[store_id])
    async with open_tills(stack) as tills:
        decisions = await asyncio.gather(
            *(tills.buy(a_cart(store_id, 30_000, number=n)) for n in range(60))
        )
    assert sorted(d.discount for d in decisions if d.discount) == [3_000] * 11
    refused = {(x.reason, x.condition) for d in decisions for x in d.not_applied}
    assert refused == {("limit_reached", "limit.money")}
