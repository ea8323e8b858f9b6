"""Tallies of failed codes on the real PostgreSQL: no count is lost, what does not matter is forgotten."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import asyncpg
import pytest

import services.evaluator
from services.evaluator.guessing import DAY, MINUTE, POLICY, REMEMBERED, Subject, Tally
from services.evaluator.store import guessing as guessing_store
from shared import clock, codes, database
from shared.migrate import migrate
from tests.builders import CODE_KEY

NOW = clock.now()
STORE = Subject("till", "store", "store-1")
TERMINAL = Subject("till", "terminal", "store-1:till-1")
MOST = POLICY["terminal"].failures


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """The evaluator's tables in a database of the test's own."""
    async with await database.pool(dsn) as opened:
        async with opened.acquire() as connection:
            await migrate(connection, [Path(services.evaluator.__file__).parent / "migrations"])
        yield opened


def words(count: int, start: int = 0) -> list[bytes]:
    return [codes.digest(f"GUESS{n}", CODE_KEY) for n in range(start, start + count)]


async def fail(
    pool: asyncpg.Pool, failed: Sequence[bytes], *subjects: Subject, at: int = 0
) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await guessing_store.add(connection, dict.fromkeys(subjects, failed), NOW + at * MINUTE)


async def tallies(pool: asyncpg.Pool, *subjects: Subject) -> dict[Subject, Tally]:
    async with pool.acquire() as connection:
        return await guessing_store.tallies(connection, subjects)


async def test_tallies_are_kept_apart_by_realm_kind_and_name(pool: asyncpg.Pool) -> None:
    await fail(pool, words(2), STORE, TERMINAL)
    await fail(pool, words(1, 2), STORE, at=1)
    found = await tallies(pool, STORE, TERMINAL, Subject("anonymous", "store", "store-1"))
    assert {one: len(tally.failed) for one, tally in found.items()} == {STORE: 3, TERMINAL: 2}
    assert {tally.since for tally in found.values()} == {NOW}


async def test_enough_failures_lock_out_and_the_lock_out_is_there_for_the_next(
    pool: asyncpg.Pool,
) -> None:
    await fail(pool, words(MOST - 1), TERMINAL)
    await fail(pool, words(1), TERMINAL)
    assert not (await tallies(pool, TERMINAL))[TERMINAL].is_locked(NOW)
    await fail(pool, words(1, MOST), TERMINAL)
    tally = (await tallies(pool, TERMINAL))[TERMINAL]
    assert tally == Tally((), None, 1, NOW + POLICY["terminal"].lockout)


async def test_batches_at_the_same_time_lose_no_count(pool: asyncpg.Pool) -> None:
    """Each with codes of its own, and subjects in an order of its own."""
    batches = 12
    await asyncio.gather(
        *[
            fail(pool, words(1, n), *([STORE, TERMINAL] if n % 2 else [TERMINAL, STORE]))
            for n in range(batches)
        ]
    )
    found = await tallies(pool, STORE, TERMINAL)
    assert [len(tally.failed) for tally in found.values()] == [batches, batches]


async def test_what_does_not_matter_any_more_is_forgotten(pool: asyncpg.Pool) -> None:
    await fail(pool, words(1), STORE)
    await fail(pool, words(MOST), TERMINAL)
    async with pool.acquire() as connection:
        window, lockout = POLICY["store"].window, POLICY["terminal"].lockout
        assert await guessing_store.forget(connection, NOW + window - MINUTE, 10) == 0
        assert await guessing_store.forget(connection, NOW + window, 10) == 1
        assert await guessing_store.forget(connection, NOW + DAY, 10) == 0
        assert await guessing_store.forget(connection, NOW + lockout + REMEMBERED, 10) == 1
