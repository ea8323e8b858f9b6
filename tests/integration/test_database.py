"""Several queries at once, on the real PostgreSQL."""

from pathlib import Path
from typing import Any

import asyncpg
from prometheus_client import REGISTRY

import services.evaluator
from shared import database
from shared.database import Query, together
from shared.migrate import migrate


def query(sql: str, *values: object) -> Query[list[tuple[Any, ...]]]:
    return Query(sql, values, lambda rows: [tuple(row) for row in rows])


NUMBERS = "select n, n * $2::bigint from unnest($1::bigint[]) as n order by n"
WORDS = "select word from unnest($1::text[]) as word"


async def test_each_query_finds_what_it_finds_alone(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    numbers, words = query(NUMBERS, [2, 1], 10), query(WORDS, ["a", None])
    assert await together(connection, numbers, words) == ([(1, 10), (2, 20)], [("a",), (None,)])
    assert await together(connection, words, numbers) == (
        await words.of(connection),
        await numbers.of(connection),
    )
    await connection.close()


async def test_a_query_without_values_is_not_asked(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    words, broken = query(WORDS, ["a"]), query("this is not SQL", [], "")
    assert await together(connection, broken, words) == ([], [("a",)])
    assert await together(connection, broken, broken) == ([], [])
    await connection.close()


async def test_arrays_are_read_by_a_connection_that_has_not_met_them(dsn: str) -> None:
    # asyncpg learns of types as it meets them, on each connection for itself.
    connection = await asyncpg.connect(dsn)
    empty = ", ".join(f"'{{}}'::{one}" for one in database.ARRAYS)
    arrays = query(f"select $1, {empty}", "a")
    assert await together(connection, arrays, query(WORDS, [])) == (
        [("a", *[[]] * len(database.ARRAYS))],
        [],
    )
    await connection.close()


async def test_all_arrays_that_tables_have_are_known(dsn: str) -> None:
    """One that is not would be read by some connections, and fail on the others until they met it."""
    connection = await asyncpg.connect(dsn)
    await migrate(connection, [Path(services.evaluator.__file__).parent / "migrations"])
    rows = await connection.fetch(
        "select distinct format_type(atttypid, null) as type from pg_attribute"
        " join pg_class on pg_class.oid = attrelid join pg_type on pg_type.oid = atttypid"
        " where relnamespace = 'public'::regnamespace and relkind = 'r' and typcategory = 'A'"
    )
    assert {row["type"] for row in rows} == {*database.ARRAYS}
    await connection.close()


async def test_operators_see_how_many_connections_of_a_pool_are_busy(dsn: str) -> None:
    def connections(state: str) -> float | None:
        labels = {"pool": "watched", "state": state}
        return REGISTRY.get_sample_value("tillstream_pool_connections", labels)

    async with await database.pool(dsn, size=3, name="watched") as pool:
        assert REGISTRY.get_sample_value("tillstream_pool_size", {"pool": "watched"}) == 3
        async with pool.acquire(), pool.acquire():
            assert (connections("busy"), connections("idle")) == (2, 0)
        assert (connections("busy"), connections("idle")) == (0, 2)
