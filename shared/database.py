"""Connections to PostgreSQL, and what it is asked over them."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import asyncpg

from shared import metrics

if TYPE_CHECKING:
    from typing import TypeAlias

    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = asyncpg.Connection | PoolConnectionProxy
else:
    Connection = object

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
T = TypeVar("T")

# A plan that is kept is kept as the tables were: one made while they were empty reads all of them, at
# every turn, until PostgreSQL happens to analyse them (decision 12).
_SETTINGS = {"plan_cache_mode": "force_custom_plan"}
ARRAYS = ("text[]", "bigint[]", "interval[]")
"""The types of arrays that tables have. asyncpg learns of them from a statement's own columns, on each connection,
not from those of records within it: what it has not met it cannot read there."""
_MET = ", ".join(f"null::{one}" for one in ARRAYS)
_PARAMETER = re.compile(r"\$(\d+)")


async def connect(dsn: str) -> asyncpg.Connection:
    """A connection of one's own."""
    return await asyncpg.connect(dsn, server_settings=_SETTINGS)


async def pool(dsn: str, *, size: int = 8, name: str = "main") -> asyncpg.Pool:
    """A pool of up to ``size`` connections; dead ones are replaced as they are found. Metrics call it ``name``.

    A connection must be given back as it was taken: without ``set``, ``listen`` or a lock of the session.
    Nobody resets it, which would be one more way to PostgreSQL and back for each use.
    """
    opened = await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size,
        command_timeout=60,
        reset=_as_it_is,
        server_settings=_SETTINGS,
    )
    connections = metrics.POOL_CONNECTIONS
    connections.labels(name, "idle").set_function(opened.get_idle_size)
    connections.labels(name, "busy").set_function(
        lambda: opened.get_size() - opened.get_idle_size()
    )
    metrics.POOL_SIZE.labels(name).set(size)
    return opened


async def _as_it_is(_: Connection) -> None:
    return


@dataclass(frozen=True, slots=True)
class Query(Generic[T]):
    """Something to read: ``values`` are the parameters ``$1``, ``$2`` … of ``sql``.

    ``read`` makes of its rows what is meant; it finds their columns by position.
    """

    sql: str
    values: tuple[object, ...]
    read: Callable[[Iterable[Any]], T]

    async def of(self, connection: Connection) -> T:
        """What there is."""
        return self.read(await connection.fetch(self.sql, *self.values))


@overload
async def together(connection: Connection, a: Query[A], b: Query[B], /) -> tuple[A, B]: ...
@overload
async def together(
    connection: Connection, a: Query[A], b: Query[B], c: Query[C], /
) -> tuple[A, B, C]: ...
async def together(connection: Connection, /, *queries: Query[Any]) -> tuple[Any, ...]:
    """What there is of each, as of one moment, in one way to PostgreSQL and back.

    A query whose values are all empty finds nothing and is not asked.
    """
    selects: list[str] = []
    values: list[object] = []
    for query in queries:
        if any(query.values):
            sql = _after(len(values), query.sql)
            selects.append(f"array(select row(one.*) from ({sql}) as one)")  # noqa: S608 - no values
            values += query.values
    found: Iterator[Any] = iter(())
    if selects:
        sql = f"select {', '.join(selects)}, {_MET}"
        found = iter(await connection.fetchrow(sql, *values) or ())
    return tuple([query.read(next(found) if any(query.values) else ()) for query in queries])


@lru_cache
def _after(count: int, sql: str) -> str:
    """The statement with its parameters behind so many others."""
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + count}", sql)
