"""Codes at the evaluator: a word that passes from one emission to the next, chunks that repeat or come late."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from services.evaluator.rulesets import Rulesets
from services.evaluator.store import reference as reference_store
from services.evaluator.store.reference import KnownCode
from shared import codes
from shared.codec import encode
from shared.database import Connection
from shared.events.promotion import Campaign
from shared.events.reference import NOBODY
from tests.builders import CODE_KEY, campaign, chunk, code, emission, instrument, utc
from tests.integration.evaluator import (
    NOW,
    Stream,
    asks,
    discounts,
    evaluator,
    learn,
    quotes_of,
    run,
)

EARLIER, LATER = utc(2026, 1, 1), utc(2026, 6, 1)
WORDS = ("WELCOME", "FRIDAY")
DIGESTS = [codes.digest(word, CODE_KEY) for word in WORDS]
HOUR = timedelta(hours=1)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """The evaluator's tables in a database of the test's own."""
    async with evaluator(dsn) as opened:
        yield opened


@pytest.fixture
async def connection(pool: asyncpg.Pool) -> AsyncIterator[Connection]:
    async with pool.acquire() as acquired:
        yield acquired


async def test_a_chunk_that_comes_again_is_counted_once(connection: Connection) -> None:
    for _ in range(2):
        await reference_store.save_codes(connection, [chunk("e-1", *WORDS), chunk("e-1", *WORDS)])
    assert await reference_store.codes_held(connection) == {"e-1": 2}


@pytest.mark.parametrize("newer_first", [False, True])
@pytest.mark.parametrize("at_once", [False, True])
async def test_a_word_used_again_belongs_to_the_emission_posted_later(
    connection: Connection, *, newer_first: bool, at_once: bool
) -> None:
    """In whatever order they are read: emissions lie on different partitions."""
    both = [
        chunk("e-1", *WORDS, posted_at=EARLIER),
        chunk("e-2", WORDS[0], posted_at=LATER, holders=("c-1",), valid_until=NOW),
    ]
    ordered = both[::-1] if newer_first else both
    for chunks in [ordered] if at_once else [[one] for one in ordered]:
        await reference_store.save_codes(connection, chunks)
    assert await reference_store.known_codes(connection, DIGESTS) == {
        DIGESTS[0]: KnownCode("e-2", "c-1", NOW),
        DIGESTS[1]: KnownCode("e-1"),
    }
    assert await reference_store.codes_held(connection) == {"e-1": 2, "e-2": 1}


async def test_each_code_of_a_chunk_has_its_own_holder_or_none(
    connection: Connection,
) -> None:
    await reference_store.save_codes(connection, [chunk("e-1", *WORDS, holders=("c-1", None))])
    assert await reference_store.known_codes(connection, DIGESTS) == {
        DIGESTS[0]: KnownCode("e-1", "c-1"),
        DIGESTS[1]: KnownCode("e-1"),
    }


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_chunk_that_is_said_again_without_an_erased_customer_takes_the_code_from_them(
    connection: Connection, *, at_once: bool
) -> None:
    """It is counted once; another emission's code of the same digest is not touched."""
    said = [
        chunk("e-1", *WORDS, holders=("c-1", "c-2")),
        chunk("e-1", *WORDS, holders=(NOBODY, "c-2")),
    ]
    stale = chunk("e-0", WORDS[1], holders=(NOBODY,), posted_at=EARLIER)
    for chunks in [[*said, stale]] if at_once else [[one] for one in (*said, stale)]:
        await reference_store.save_codes(connection, chunks)
    assert await reference_store.known_codes(connection, DIGESTS) == {
        DIGESTS[0]: KnownCode("e-1", NOBODY),
        DIGESTS[1]: KnownCode("e-1", "c-2"),
    }
    assert (await reference_store.codes_held(connection))["e-1"] == 2


async def test_a_chunk_with_a_holder_too_few_is_a_dead_letter(pool: asyncpg.Pool) -> None:
    [dead] = await learn(pool, chunk("e-1", *WORDS, holders=("c-1",)), chunk("e-2", "OTHER"))
    assert dead.reason == "invalid_field"
    async with pool.acquire() as connection:
        assert await reference_store.codes_held(connection) == {"e-2": 1}


def asking(posted: int, version: int = 1) -> Campaign:
    """A campaign that waits for so many codes of the emission e-1."""
    one = emission("e-1", kind="personal", posted_codes=posted)
    return campaign(
        instruments=[instrument(conditions=[code("e-1")])], emissions=(one,), version=version
    )


async def publish(pool: asyncpg.Pool, state: Campaign, offset: int) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await reference_store.save_campaigns(
            connection, {state.campaign_id: (offset, encode(state))}
        )


async def held_by(rulesets: Rulesets, pool: asyncpg.Pool) -> int:
    """How many codes of e-1 an evaluator knows of that has been running all along."""
    async with pool.acquire() as connection, connection.transaction():
        ruleset, _ = await rulesets.current(connection, lock=True)
    return ruleset._held.get("e-1", 0)


@pytest.mark.parametrize("campaign_first", [False, True])
async def test_a_campaign_has_its_codes_in_whatever_order_they_come(
    pool: asyncpg.Pool, *, campaign_first: bool
) -> None:
    rulesets = Rulesets()
    assert await held_by(rulesets, pool) == 0
    if campaign_first:
        await publish(pool, asking(2), 1)
        await learn(pool, chunk("e-1", "A"))
        assert await held_by(rulesets, pool) == 1
        await learn(pool, chunk("e-1", "B", chunk=2))
    else:
        await learn(pool, chunk("e-1", "A"), chunk("e-1", "B", chunk=2))
        await publish(pool, asking(2), 1)
    assert await held_by(rulesets, pool) == 2


async def test_codes_that_no_campaign_waits_for_change_nothing_until_one_does(
    pool: asyncpg.Pool,
) -> None:
    """Thousands a minute are issued one by one: carts must not read all emissions anew for each."""
    rulesets = Rulesets()
    await learn(pool, chunk("e-1", "A"))
    await publish(pool, asking(1), 1)
    assert await held_by(rulesets, pool) == 1
    before = rulesets.latest
    for n in range(2, 5):
        await learn(pool, chunk("e-1", f"LATE-{n}", chunk=n))
    assert await held_by(rulesets, pool) == 1
    assert rulesets.latest is before
    await publish(pool, asking(4, version=2), 2)
    assert await held_by(rulesets, pool) == 4, "an edited campaign may name those issued since"
    await publish(pool, asking(5, version=3), 3)
    await learn(pool, chunk("e-1", "LATE-5", chunk=5))
    assert await held_by(rulesets, pool) == 5


async def test_codes_and_a_campaign_that_cross_each_other_miss_nothing(pool: asyncpg.Pool) -> None:
    """They are on different topics, so that two evaluators may read them at the same time."""
    rulesets = Rulesets()
    await learn(pool, chunk("e-1", "A"))
    state = asking(2)
    async with pool.acquire() as one:
        transaction = one.transaction()
        await transaction.start()
        await reference_store.save_campaigns(one, {"campaign-1": (1, encode(state))})
        crossing = asyncio.create_task(learn(pool, chunk("e-1", "B", chunk=2)))
        await _waits_for_a_lock(one)
        await transaction.commit()
    assert await held_by(rulesets, pool) in {1, 2}
    await crossing
    assert await held_by(rulesets, pool) == 2


async def _waits_for_a_lock(connection: Connection) -> None:
    while not await connection.fetchval("select count(*) from pg_locks where not granted"):
        await asyncio.sleep(0.01)


async def test_a_code_that_was_issued_late_serves_until_its_own_end(pool: asyncpg.Pool) -> None:
    await learn(pool, chunk("e-1", "FIRST", posted_at=EARLIER))
    await run(
        pool,
        [instrument(conditions=[code("e-1", own=True)])],
        emissions=(emission("e-1", kind="personal", single_use=True),),
    )
    fresh = chunk("e-1", "MINE", chunk=2, posted_at=EARLIER, holders=("C1",), valid_until=NOW)
    await learn(pool, fresh)
    just_before = NOW - timedelta(microseconds=1)
    quoted = await (await quotes_of(pool)).quote(asks(3, codes=("mine",), occurred_at=just_before))
    dead = await Stream(
        asks(1, codes=("mine",), occurred_at=NOW),
        asks(2, codes=("mine",), occurred_at=just_before),
    ).into(pool)
    assert dead == []
    assert await discounts(pool) == {"cart-1": 0, "cart-2": 100}
    assert quoted.discount == 100
    over = await (await quotes_of(pool)).quote(asks(4, codes=("mine",), occurred_at=NOW + HOUR))
    assert [unused.reason for unused in over.unused_codes] == ["code_not_valid"]
