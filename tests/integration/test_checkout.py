"""The redemption counter on the real PostgreSQL: two evaluators, any batches, the end of holds."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from aiokafka.structs import ConsumerRecord

import services.evaluator
from services.evaluator import checkout
from services.evaluator.checkout import Checkout
from services.evaluator.expiry import Expiry
from services.evaluator.facts import Gatherer
from services.evaluator.rulesets import Rulesets
from services.evaluator.store import reference as reference_store
from shared import clock, database
from shared.codec import encode
from shared.dead_letters import DeadLetter
from shared.events.checkout import Cart, Sale
from shared.migrate import migrate
from shared.topics import CARTS, SALES
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

CAP = 2


@pytest.fixture
async def ledger(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """The evaluator's tables: one store, and 10% with WELCOME for the first two receipts."""
    async with await database.pool(dsn) as pool:
        async with pool.acquire() as connection:
            await migrate(connection, [Path(services.evaluator.__file__).parent / "migrations"])
            await connection.execute("insert into stores values ('store-1', 'West', 'EUR', 'UTC')")
            now = clock.now()
            await reference_store.save_codes(connection, [chunk("WELCOME", "WELCOME")])
            running = campaign(
                instruments=[instrument(conditions=[code("WELCOME", cap=CAP)])],
                starts_at=now - timedelta(days=1),
                ends_at=now + timedelta(days=1),
            )
            await reference_store.save_campaigns(
                connection, {running.campaign_id: (0, encode(running))}
            )
        yield pool


def evaluator() -> Checkout:
    """An evaluator's checkout, with a ruleset of its own in memory."""
    return Checkout(Gatherer(Rulesets(), CODE_KEY, timedelta(minutes=15)))


def records(*events: Cart | Sale, at: int = 0) -> list[ConsumerRecord]:
    """The events as the broker has them, a millisecond apart."""
    found = []
    for n, event in enumerate(events):
        topic = CARTS.name if isinstance(event, Cart) else SALES.name
        headers = (("ce_id", f"{topic}-{event.receipt_id}-{event.revision}".encode()),)
        body = encode(event)
        found.append(ConsumerRecord(topic, 0, at + n, at + n, 0, b"k", body, None, 0, 0, headers))
    return found


def welcome(number: int = 1, **values: object) -> Cart:
    defaults = {"receipt_id": f"receipt-{number}", "occurred_at": clock.now()}
    return cart([line(amount=10_000)], codes=["WELCOME"], **{**defaults, **values})


def paid(number: int = 1, **values: object) -> Sale:
    defaults = {"receipt_id": f"receipt-{number}", "occurred_at": clock.now()}
    sold = sold_line(amount=10_000, discount=1_000)
    return sale([sold], [given(discount=1_000)], codes=["WELCOME"], **{**defaults, **values})


async def apply(pool: asyncpg.Pool, batch: Sequence[ConsumerRecord]) -> Sequence[DeadLetter]:
    async with pool.acquire() as connection, connection.transaction():
        return await evaluator().apply(connection, batch)


async def state(pool: asyncpg.Pool) -> tuple[int, int, list[tuple[str, str]]]:
    """(held, used, redemptions' receipts and statuses)."""
    limit = await pool.fetchrow("select held, used from limits")
    rows = await pool.fetch("select receipt_id, status from redemptions order by receipt_id")
    held, used = (limit["held"], limit["used"]) if limit else (0, 0)
    return held, used, [(row["receipt_id"], row["status"]) for row in rows]


async def apply_until_unique(
    ledger: asyncpg.Pool, came: Sequence[ConsumerRecord]
) -> Sequence[DeadLetter]:
    """As the consumer does it: who waits for another finds what that one did at the next attempt."""
    try:
        return await apply(ledger, came)
    except asyncpg.UniqueViolationError:
        return await apply(ledger, came)


@pytest.mark.parametrize("sale_first", [False, True])
async def test_two_evaluators_that_meet_a_receipt_at_once_keep_one_state(
    ledger: asyncpg.Pool, *, sale_first: bool
) -> None:
    """After a rebalance a cart and its sale may be with different evaluators."""
    first, second = (paid(), welcome()) if sale_first else (welcome(), paid())
    async with ledger.acquire() as one:
        slow = one.transaction()
        await slow.start()
        await evaluator().apply(one, records(first))
        other = asyncio.create_task(apply_until_unique(ledger, records(second)))
        await asyncio.wait([other], timeout=0.3)
        assert not other.done()  # it waits for the first
        await slow.commit()
        assert await other == []
    assert await state(ledger) == (0, 1, [("receipt-1", "committed")])


async def test_one_receipt_id_from_two_tills_is_a_conflict_whoever_comes_first(
    ledger: asyncpg.Pool,
) -> None:
    await apply(ledger, records(welcome()))
    [letter] = await apply(ledger, records(welcome(terminal_id="till-2", revision=1), at=5))
    assert letter.reason == "conflicting_receipt"
    assert await state(ledger) == (1, 0, [("receipt-1", "held")])


async def test_however_a_stream_is_cut_into_batches_the_ledger_is_the_same(
    ledger: asyncpg.Pool,
) -> None:
    """Lag decides how much a batch holds; it must not decide who gets what."""
    stream = records(
        welcome(1),
        paid(1),
        cart([], intent="cancel", receipt_id="receipt-1", revision=1, occurred_at=clock.now()),
        welcome(2),
        welcome(3),
        cart([], intent="cancel", receipt_id="receipt-2", revision=1, occurred_at=clock.now()),
        paid(3),
        paid(4),
        welcome(4),
    )
    expected = None
    for size in (1, 2, 3, len(stream)):
        await ledger.execute(
            "truncate receipts, redemptions, limits, checkout_events, purchases, outbox cascade"
        )
        for start in range(0, len(stream), size):
            await apply(ledger, stream[start : start + size])
        found = await state(ledger)
        expected = expected or found
        assert found == expected, f"batches of {size}"
    assert expected == (
        0,
        2,
        [
            ("receipt-1", "committed"),
            ("receipt-2", "released"),
            ("receipt-3", "unauthorised"),  # decided while the cap was full
            ("receipt-4", "committed"),
        ],
    )


async def test_quotes_and_refused_events_leave_no_receipt(ledger: asyncpg.Pool) -> None:
    nowhere = welcome(2, store_id="nowhere")
    await apply(ledger, records(welcome(1, intent="quote"), nowhere))
    assert await ledger.fetchval("select count(*) from receipts") == 0


async def test_a_hold_ends_only_once_every_partition_of_the_sales_was_read_past_its_end(
    ledger: asyncpg.Pool,
) -> None:
    """Lag never takes a slot from a punctual sale."""
    await apply(ledger, records(welcome()))
    await ledger.execute("update redemptions set expires_at = now() - interval '1 minute'")
    await ledger.execute(
        "insert into offsets (consumer, topic, partition, next, cluster_id, read_until)"
        " select $1, $2, n, 0, 'c', now() from generate_series(0, $3::int - 1) as n",
        checkout.CONSUMER,
        SALES.name,
        SALES.partitions,
    )
    await ledger.execute(
        "update offsets set read_until = now() - interval '2 minutes' where partition = 1"
    )
    expiry = Expiry(ledger)
    assert await expiry.free_some() == 0
    assert await state(ledger) == (1, 0, [("receipt-1", "held")])
    await ledger.execute("update offsets set read_until = now()")
    assert await expiry.free_some() == 1
    assert await state(ledger) == (0, 0, [("receipt-1", "expired")])


async def test_a_hold_does_not_end_early_by_a_clock_that_is_ahead(ledger: asyncpg.Pool) -> None:
    """The stamps come from a consumer's machine; the arbiter's clock has the last word."""
    await apply(ledger, records(welcome()))
    await ledger.execute(
        "insert into offsets (consumer, topic, partition, next, cluster_id, read_until)"
        " select $1, $2, n, 0, 'c', now() + interval '1 hour'"
        " from generate_series(0, $3::int - 1) as n",
        checkout.CONSUMER,
        SALES.name,
        SALES.partitions,
    )
    assert await Expiry(ledger).free_some() == 0
