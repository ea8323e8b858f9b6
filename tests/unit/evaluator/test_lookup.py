"""Facts are looked up for many at once, and nobody waits for a PostgreSQL that is away."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import asyncpg
import pytest

from services.evaluator import lookup
from services.evaluator.lookup import AwayError, Lookup, Source, all_learnt
from services.evaluator.memory import Memory
from shared.database import Connection


@dataclass
class Postgres:
    """Stands in for a pool and for its connections; answers once it is ``there``."""

    there: asyncio.Event = field(default_factory=asyncio.Event)
    refuses: bool = False
    statements: list[set[str]] = field(default_factory=list)
    terminated: int = 0

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["Postgres"]:
        if self.refuses:
            raise ConnectionRefusedError
        yield self

    def terminate(self) -> None:
        self.terminated += 1

    async def lengths(self, _: Connection, words: Collection[str]) -> dict[str, int]:
        """The facts of these tests: how long each word is, which is nothing for some."""
        self.statements.append(set(words))
        await self.there.wait()
        return {word: len(word) for word in words if word != "nothing"}


@pytest.fixture
def postgres() -> Postgres:
    """One that answers."""
    stand_in = Postgres()
    stand_in.there.set()
    return stand_in


def a_lookup(postgres: Postgres) -> tuple[Source, Lookup[str, int]]:
    source = Source(cast("asyncpg.Pool", postgres))
    return source, Lookup(source, Memory(100, 60.0, 60.0), postgres.lengths)


async def test_what_is_fresh_needs_no_statement(postgres: Postgres) -> None:
    _, words = a_lookup(postgres)
    await all_learnt(words.learn(["one", "nothing"]))
    assert words.learn(["one", "nothing"]) is None
    assert (words.memory.get("one"), words.memory.get("nothing")) == (3, None)
    assert postgres.statements == [{"one", "nothing"}]


async def test_what_many_miss_meanwhile_is_looked_up_by_one_statement(postgres: Postgres) -> None:
    _, words = a_lookup(postgres)
    postgres.there.clear()

    async def ask(word: str) -> int | None:
        await all_learnt(words.learn([word]))
        return words.memory.get(word)

    first = asyncio.create_task(ask("first"))
    while not postgres.statements:
        await asyncio.sleep(0)
    others = [asyncio.create_task(ask(f"word-{n}")) for n in range(20)]
    await asyncio.sleep(0)
    postgres.there.set()
    assert await first == 5
    assert set(await asyncio.gather(*others)) == {6, 7}
    assert [len(asked) for asked in postgres.statements] == [1, 20]


async def test_one_that_no_longer_waits_takes_nothing_from_the_others(postgres: Postgres) -> None:
    _, words = a_lookup(postgres)
    postgres.there.clear()
    gone, stays = (asyncio.ensure_future(all_learnt(words.learn(["one"]))) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    postgres.there.set()
    await stays
    assert words.memory.get("one") == 3


async def test_a_postgresql_that_is_silent_or_refuses_is_away(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "ANSWERS_WITHIN_S", 0.01)
    for silent in (True, False):
        source, words = a_lookup(postgres)
        if silent:
            postgres.there.clear()
        else:
            postgres.refuses = True
        await all_learnt(words.learn(["one"]))
        assert source.away
        assert "one" not in words.memory
    assert postgres.terminated == 1, "the statement's end is not waited for"


async def test_while_it_is_away_nobody_waits_and_a_probe_finds_it_again(postgres: Postgres) -> None:
    source, words = a_lookup(postgres)
    await all_learnt(words.learn(["one"]))
    postgres.refuses = True
    with pytest.raises(AwayError):
        await source.probe(_nothing)
    assert words.learn(["one", "two"]) is None
    assert words.memory.get("one") == 3
    postgres.refuses = False
    await source.probe(_nothing)
    assert not source.away
    await all_learnt(words.learn(["two"]))
    assert words.memory.get("two") == 3


async def test_what_is_wrong_with_a_statement_is_told_to_all_who_wait(postgres: Postgres) -> None:
    async def broken(_: Connection, __: Collection[str]) -> dict[str, int]:
        raise asyncpg.UndefinedTableError

    source = Source(cast("asyncpg.Pool", postgres))
    words: Lookup[str, int] = Lookup(source, Memory(100, 60.0, 60.0), broken)
    waiting = [words.learn(["one"]), words.learn(["two"])]
    found = await asyncio.gather(*map(all_learnt, waiting), return_exceptions=True)
    assert [type(error) for error in found] == [asyncpg.UndefinedTableError] * 2
    assert not source.away


async def _nothing(_: Any) -> None:
    return
