"""Connections to PostgreSQL."""

from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from typing import TypeAlias

    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = asyncpg.Connection | PoolConnectionProxy
else:
    Connection = object


# A plan that is kept is kept as the tables were: one made while they were empty reads all of them, at
# every turn, until PostgreSQL happens to analyse them (decision 12).
_SETTINGS = {"plan_cache_mode": "force_custom_plan"}


async def pool(dsn: str, *, size: int = 8) -> asyncpg.Pool:
    """A pool of up to ``size`` connections; dead ones are replaced as they are found."""
    return await asyncpg.create_pool(
        dsn, min_size=1, max_size=size, command_timeout=60, server_settings=_SETTINGS
    )


async def pool_of_readers(dsn: str, *, size: int = 8) -> asyncpg.Pool:
    """A pool for single statements that only read.

    They leave nothing behind on a connection that would have to be reset: each costs one way to
    PostgreSQL and back instead of two.
    """
    return await asyncpg.create_pool(
        dsn, min_size=1, max_size=size, reset=_as_it_is, server_settings=_SETTINGS
    )


async def _as_it_is(_: Connection) -> None:
    return
