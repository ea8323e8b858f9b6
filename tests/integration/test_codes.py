"""Codes at the evaluator: a word that passes from one emission to the next, a chunk that repeats."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

import services.evaluator
from services.evaluator.store import reference as reference_store
from services.evaluator.store.reference import KnownCode
from shared import codes
from shared.migrate import migrate
from tests.builders import utc

EARLIER, LATER = utc(2026, 1, 1), utc(2026, 6, 1)
DIGESTS = [codes.digest(word, b"k" * 32) for word in ("WELCOME", "FRIDAY")]


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """The evaluator's tables in a database of the test's own."""
    opened = await asyncpg.connect(dsn)
    await migrate(opened, [Path(services.evaluator.__file__).parent / "migrations"])
    yield opened
    await opened.close()


async def test_a_chunk_that_comes_again_is_counted_once(connection: asyncpg.Connection) -> None:
    for _ in range(2):
        await reference_store.save_codes(connection, "e-1", EARLIER, 1, DIGESTS)
    assert await reference_store.codes_held(connection) == {"e-1": 2}


@pytest.mark.parametrize("newer_first", [False, True])
async def test_a_word_used_again_belongs_to_the_emission_posted_later(
    connection: asyncpg.Connection, *, newer_first: bool
) -> None:
    """In whatever order they are read: emissions lie on different partitions."""
    both = [("e-1", EARLIER, DIGESTS), ("e-2", LATER, DIGESTS[:1])]
    for emission_id, posted_at, digests in reversed(both) if newer_first else both:
        await reference_store.save_codes(connection, emission_id, posted_at, 1, digests)
    assert await reference_store.known_codes(connection, DIGESTS) == {
        DIGESTS[0]: KnownCode("e-2"),
        DIGESTS[1]: KnownCode("e-1"),
    }
    assert await reference_store.codes_held(connection) == {"e-1": 2, "e-2": 1}


async def test_a_campaigns_codes_are_complete_only_when_all_have_come(
    connection: asyncpg.Connection,
) -> None:
    before, _ = await reference_store.ruleset_versions(connection, lock=False)
    await reference_store.save_codes(connection, "e-1", EARLIER, 1, DIGESTS[:1])
    await reference_store.codes_changed(connection)
    after, _ = await reference_store.ruleset_versions(connection, lock=True)
    assert after == (before[0], before[1] + 1)
    assert await reference_store.codes_held(connection) == {"e-1": 1}


async def test_each_code_of_a_chunk_has_its_own_holder_or_none(
    connection: asyncpg.Connection,
) -> None:
    holders = ["c-1", None]
    await reference_store.save_codes(connection, "e-1", EARLIER, 1, DIGESTS, holders)
    assert await reference_store.known_codes(connection, DIGESTS) == {
        DIGESTS[0]: KnownCode("e-1", "c-1"),
        DIGESTS[1]: KnownCode("e-1"),
    }
