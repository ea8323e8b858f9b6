"""Codes at the evaluator: a word that passes from one emission to the next, a chunk that repeats."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

import services.evaluator
from services.evaluator import store
from shared import codes
from shared.migrate import migrate

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
        await store.save_codes(connection, "e-1", 1, DIGESTS)
    assert await store.codes_held(connection) == {"e-1": 2}


async def test_a_word_used_again_belongs_to_the_newer_emission(
    connection: asyncpg.Connection,
) -> None:
    await store.save_codes(connection, "e-1", 1, DIGESTS)
    await store.save_codes(connection, "e-2", 1, DIGESTS[:1])
    assert await store.emissions_of(connection, DIGESTS) == {
        DIGESTS[0]: "e-2",
        DIGESTS[1]: "e-1",
    }
    assert await store.codes_held(connection) == {"e-1": 2, "e-2": 1}


async def test_a_campaigns_codes_are_complete_only_when_all_have_come(
    connection: asyncpg.Connection,
) -> None:
    before = await store.ruleset_versions(connection)
    await store.save_codes(connection, "e-1", 1, DIGESTS[:1])
    await store.codes_changed(connection)
    assert await store.ruleset_versions(connection) == (before[0], before[1] + 1)
    assert await store.codes_held(connection) == {"e-1": 1}
