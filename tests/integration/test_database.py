"""Several queries at once, on the real PostgreSQL."""

from typing import Any

import asyncpg

from shared.database import Query, together


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
    arrays = query("select array[$1], array[1::bigint], now() is not null", "a")
    assert await together(connection, arrays, query(WORDS, [])) == ([(["a"], [1], True)], [])
    await connection.close()
