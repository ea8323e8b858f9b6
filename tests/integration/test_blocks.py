"""Blocks on the real PostgreSQL: read, kept, honoured by carts, sales and quotes, lifted."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
from aiokafka.structs import ConsumerRecord

from deploy.local.stack import Stack
from services.evaluator import reference
from services.evaluator.guessing import Caller, subjects_of
from services.evaluator.promotion.blocks import Span
from services.evaluator.recording import decode_facts
from services.evaluator.replay import RulesetHistory, compare
from services.evaluator.retention import Retention
from services.evaluator.store import blocks as block_store
from services.evaluator.store import recordings
from shared import clock
from shared.codec import cloud_event_headers, decode, encode
from shared.dead_letters import DeadLetter
from shared.events.customers import Block
from shared.events.outcome import Decision, Receipt
from shared.topics import BLOCKS, DECISIONS, RECEIPTS
from tests.builders import code, emission, given, instrument, sold_line
from tests.integration import emission as authoring
from tests.integration import periods, shop
from tests.integration.evaluator import (
    NOW,
    Stream,
    asks,
    bought,
    evaluator,
    promise,
    quotes_of,
    run,
)
from tests.integration.outgoing import waiting
from tests.integration.periods import DAY, midnight, publish, twice

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """The evaluator's tables, with one store, where everybody gets 10%."""
    async with evaluator(dsn) as opened:
        await promise(opened)
        yield opened


def block(kind: str = "customer", subject: str = "C1", **values: Any) -> Block:
    fields = {"blocked": True, "changed_at": NOW - HOUR, **values}
    return Block.model_validate({"subject_kind": kind, "subject": subject, **fields})


async def say(pool: asyncpg.Pool, *states: Block | str) -> list[DeadLetter]:
    """What the topic says: states, or a key without a value."""
    records = [
        ConsumerRecord(
            BLOCKS.name,
            0,
            n,
            n,
            0,
            (one if isinstance(one, str) else f"{one.subject_kind}:{one.subject}").encode(),
            None if isinstance(one, str) else encode(one),
            None,
            0,
            0,
            (),
        )
        for n, one in enumerate(states)
    ]
    async with pool.acquire() as connection, connection.transaction():
        return [*await reference.apply(connection, records)]


async def decisions(pool: asyncpg.Pool) -> dict[str, tuple[int, str | None]]:
    """The discount of each cart, and whose block it met."""
    found = [decode(Decision, body or b"") for body in await waiting(pool, DECISIONS)]
    return {one.receipt_id: (one.discount, one.blocked) for one in found}


async def spans(pool: asyncpg.Pool) -> dict[tuple[str, str], Span]:
    async with pool.acquire() as connection:
        found = (await block_store.all_blocks(connection)).spans
    return {(subject.kind, subject.name): span for subject, span in found.items()}


async def test_carts_of_who_is_blocked_get_nothing_and_others_all_that_they_got(
    pool: asyncpg.Pool,
) -> None:
    await say(pool, block(), block("device", "d-1"), block("cashier", "store-1:anna"))
    carts = [
        asks(1),
        asks(2, customer_id="C2", device_id="d-1"),
        asks(3, customer_id="C2", cashier_id="anna"),
        asks(4, customer_id="C2", cashier_id="bert", device_id="d-2"),
        asks(5, occurred_at=NOW - HOUR - SECOND),
    ]
    assert await Stream(*carts).into(pool) == []
    assert await decisions(pool) == {
        "cart-1": (0, "customer"),
        "cart-2": (0, "device"),
        "cart-3": (0, "cashier"),
        "cart-4": (100, None),
        "cart-5": (100, None),
    }
    assert await pool.fetchval("select count(*) from redemptions") == 2


async def test_what_is_held_when_the_block_comes_is_still_committed(pool: asyncpg.Pool) -> None:
    sale = bought(1, NOW).model_copy(
        update={
            "receipt_id": "cart-1",
            "lines": (sold_line(discount=100),),
            "given": (given(discount=100),),
        }
    )
    offline = sale.model_copy(update={"receipt_id": "cart-2"})
    await Stream(asks(1)).into(pool)
    await say(pool, block())
    await Stream(sale, offline).into(pool)
    rows = await pool.fetch("select receipt_id, status from redemptions order by 1")
    assert [tuple(row) for row in rows] == [("cart-1", "committed"), ("cart-2", "unauthorised")]
    bodies = await waiting(pool, RECEIPTS)
    receipts = [decode(Receipt, body or b"") for body in bodies]
    assert [r.redemptions[0].status for r in receipts] == ["committed", "unauthorised"]


async def test_a_block_ends_by_itself_is_lifted_or_taken_back(pool: asyncpg.Pool) -> None:
    ended = block(until=NOW)
    await say(pool, ended, block("device", "d-1"), block("device", "d-2"))
    await say(pool, block("device", "d-1", blocked=False), "device:d-2")
    carts = [asks(1), asks(2, device_id="d-1"), asks(3, device_id="d-2")]
    await Stream(*carts, asks(4, occurred_at=NOW - SECOND)).into(pool)
    found = await decisions(pool)
    assert {name: whose for name, (_, whose) in found.items()} == {
        "cart-1": None,
        "cart-2": None,
        "cart-3": None,
        "cart-4": "customer",
    }
    assert set(await spans(pool)) == {("customer", "C1")}


async def test_an_evaluator_that_runs_learns_of_changes(pool: asyncpg.Pool) -> None:
    quotes = await quotes_of(pool)
    assert (await quotes.quote(asks(1))).discount == 100
    await say(pool, block())
    await quotes.known.refresh()
    found = await quotes.quote(asks(1))
    assert (found.discount, found.blocked) == (0, "customer")
    await say(pool, "customer:C1")
    await quotes.known.refresh()
    assert (await quotes.quote(asks(1))).discount == 100


async def test_a_page_is_told_no_more_than_of_somebody_who_gets_nothing(
    pool: asyncpg.Pool,
) -> None:
    await say(pool, block())
    quotes = await quotes_of(pool)
    asked = asks(1, codes=("NOSUCH", "OTHER"))
    found = await quotes.quote_discreetly(asked, "203.0.113.7")
    assert (found.discount, found.blocked, found.near_misses) == (0, None, ())
    assert [unused.reason for unused in found.unused_codes] == ["not_applied"] * 2
    caller = Caller(anonymous=True)
    who = subjects_of("store-1", asked.terminal_id, "C1", asked.channel, caller)
    assert quotes.known.tallies.memory.found(who) == {}, "what was not looked at is no guess"
    await quotes.quote_discreetly(asks(2, codes=("NOSUCH",), customer_id="C2"), None)
    assert quotes.known.tallies.memory.found(who) != {}


async def test_a_block_that_is_said_anew_has_lasted_since_it_was_said_first(
    pool: asyncpg.Pool,
) -> None:
    key = ("customer", "C1")
    await say(pool, block(changed_at=NOW - 3 * HOUR, until=NOW - 2 * HOUR))
    await say(pool, block(changed_at=NOW - 2 * HOUR, until=NOW + HOUR))
    assert (await spans(pool))[key] == Span(NOW - 3 * HOUR, NOW + HOUR), "without a gap"
    await say(pool, block(changed_at=NOW + 2 * HOUR))
    assert (await spans(pool))[key] == Span(NOW + 2 * HOUR, None), "another one"
    for stale in (block(changed_at=NOW, until=NOW), block(blocked=False, changed_at=NOW)):
        await say(pool, stale)
        assert (await spans(pool))[key] == Span(NOW + 2 * HOUR, None), "what is older is nothing"


async def test_the_last_of_a_batch_counts_and_a_key_of_nothing_is_a_dead_letter(
    pool: asyncpg.Pool,
) -> None:
    dead = await say(pool, block(), "customer:C1", block("device", "d-1"), "nonsense", "x:y")
    assert [one.reason for one in dead] == ["invalid_field"] * 2
    assert set(await spans(pool)) == {("device", "d-1")}
    await say(pool, "device:d-1", block("device", "d-1"))
    assert set(await spans(pool)) == {("device", "d-1")}


async def test_the_decisions_are_made_again_to_the_byte(pool: asyncpg.Pool) -> None:
    await say(pool, block())
    await Stream(asks(1, codes=("NOSUCH",)), asks(2, customer_id="C2")).into(pool)
    await say(pool, "customer:C1")
    async with pool.acquire() as connection, connection.transaction():
        rulesets = RulesetHistory(connection)
        told = [
            compare(recorded, await rulesets.at(facts.ruleset_version), facts)
            async for recorded in recordings.recordings(connection, NOW - DAY, NOW + DAY)
            for facts in (decode_facts(recorded.facts),)
        ]
    assert told == [None, None]


async def test_who_is_blocked_is_of_neither_arm_of_a_campaign(dsn: str) -> None:
    async with evaluator(dsn) as pool:
        one = [instrument(conditions=[code("welcome")])]
        await run(pool, one, emissions=[emission("welcome", posted_codes=0)], control_group=1)
        await say(pool, block())
        await Stream(bought(1, NOW), bought(2, NOW, customer_id="C2")).into(pool)
        await Stream(asks(3), asks(4, customer_id="C2")).into(pool)
        await say(pool, "customer:C1")
        decided = [bought(n, NOW, receipt_id=f"cart-{n}") for n in (3, 4)]
        await Stream(*decided, bought(5, NOW)).into(pool)
        receipts = [decode(Receipt, body or b"") for body in await waiting(pool, RECEIPTS)]
    assert [len(one.exposed) for one in receipts] == [0, 1, 0, 1, 1]


@pytest.mark.parametrize(
    ("until", "points"), [(None, {}), (midnight(0) + SECOND, {}), (midnight(0), {"C1": 50})]
)
async def test_nothing_is_earned_by_who_is_blocked_as_a_period_ends(
    dsn: str, until: datetime | None, points: dict[str, int]
) -> None:
    async with periods.open_evaluator(dsn) as pool:
        await publish(pool, twice(), 0, midnight(20))
        await periods.bought(pool, "C1", midnight(5), midnight(6))
        await say(pool, block(changed_at=midnight(10), until=until))
        await periods.close_all(pool)
        assert await periods.points(pool) == points


async def test_blocks_that_no_event_can_meet_any_more_are_forgotten(pool: asyncpg.Pool) -> None:
    long_ago = NOW - timedelta(days=500)
    await say(pool, block(changed_at=long_ago, until=long_ago), block("device", "d-1"))
    await Retention(pool).forget_some()
    assert set(await spans(pool)) == {("device", "d-1")}


async def test_from_the_topic_to_the_till_it_takes_no_two_seconds(stack: Stack) -> None:
    [store_id] = await shop.open_store(stack)
    await shop.run_campaign(stack, [authoring.instrument_of()], stores=[store_id])
    customer_id = authoring.new_id("c")
    async with shop.open_tills(stack) as tills:

        async def told() -> tuple[int, str | None]:
            found = await tills.ask(shop.a_cart(store_id, 40_000, customer_id=customer_id))
            return found.discount, found.blocked

        async def publish(state: Block | None) -> float:
            headers = cloud_event_headers(authoring.new_id("b"), BLOCKS.event_type, "test", NOW)
            key, body = f"customer:{customer_id}".encode(), encode(state) if state else None
            await tills.producer.send_and_wait(BLOCKS.name, body, key=key, headers=headers)
            return clock.monotonic()

        assert await told() == (4_000, None)
        began = await publish(block(subject=customer_id))
        while await told() != (0, "customer"):
            assert clock.monotonic() < began + 2
        began = await publish(None)
        while await told() != (4_000, None):
            assert clock.monotonic() < began + 2
