"""Facts looked up in PostgreSQL for many at once, and what happens while it is away."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping
from typing import Any, Generic, TypeVar

import asyncpg
import structlog

from services.evaluator.memory import Memory
from shared import clock
from shared.database import Connection
from shared.supervision import TRANSIENT, named

ANSWERS_WITHIN_S = 0.3
"""A PostgreSQL that takes longer is away: a till does not wait for it."""
_STEPS = 6

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")

log = structlog.get_logger()


class AwayError(Exception):
    """PostgreSQL does not answer."""


class Source:
    """PostgreSQL, asked for no longer than ``ANSWERS_WITHIN_S``.

    Once it has not answered it is ``away``, and only ``probe`` finds out that it is back: nobody else
    waits for it meanwhile.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.away = False

    async def read(self, load: Callable[[Connection], Awaitable[T]]) -> T:
        """What ``load`` reads. Raises ``AwayError``."""
        if self.away:
            raise AwayError
        return await self.probe(load)

    async def probe(
        self, load: Callable[[Connection], Awaitable[T]], within_s: float | None = None
    ) -> T:
        """What ``load`` reads, tried also while it is away. Raises ``AwayError``."""
        try:
            found = await _within(within_s or ANSWERS_WITHIN_S, self._load(load))
        except TRANSIENT as error:
            if isinstance(error, ValueError):  # a wrong argument: asyncpg.DataError
                raise
            if not self.away:
                log.warning("quotes go on without PostgreSQL", error=named(error))
            self.away = True
            raise AwayError from error
        if self.away:
            log.info("quotes have PostgreSQL again")
        self.away = False
        return found

    async def _load(self, load: Callable[[Connection], Awaitable[T]]) -> T:
        async with self._pool.acquire() as connection:
            try:
                return await load(connection)
            except BaseException:
                # Who gives the connection back waits for the statement's end, which may not come.
                connection.terminate()
                raise


async def _within(seconds: float, reading: Coroutine[Any, Any, T]) -> T:
    """What it returns. Raises ``TimeoutError`` if it takes longer.

    The time is counted in steps, each of which begins when the last one is over: while this process is
    busy, an answer that has long come is not taken for none.
    """
    task = asyncio.create_task(reading)
    try:
        for _ in range(_STEPS):
            done, _ = await asyncio.wait({task}, timeout=seconds / _STEPS)
            if done:
                return task.result()
    finally:
        task.cancel()
    raise TimeoutError


class Lookup(Generic[K, V]):
    """One kind of facts: remembered, and looked up in groups.

    What is missing while a statement is on its way is looked up by the next one, all together: many
    quotes at once cost a few statements.
    """

    def __init__(
        self,
        source: Source,
        memory: Memory[K, V],
        load: Callable[[Connection, Collection[K]], Awaitable[Mapping[K, V]]],
    ) -> None:
        self._source = source
        self._load = load
        self._next: tuple[set[K], asyncio.Future[None]] | None = None
        self._working: asyncio.Task[None] | None = None
        self.memory = memory

    def learn(self, keys: Iterable[K]) -> Awaitable[None] | None:
        """Look up what is not fresh of ``keys``; None if there is nothing to wait for.

        While PostgreSQL is away there is not: memory has what it has.
        """
        if self._source.away:
            return None
        missing = self.memory.missing(keys, clock.monotonic())
        if not missing:
            return None
        if self._next is None:
            self._next = set(), asyncio.get_running_loop().create_future()
        asked, done = self._next
        asked.update(missing)
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        # One that no longer waits must not take the answer from the others.
        return asyncio.shield(done)

    async def _work(self) -> None:
        while self._next is not None:
            (asked, done), self._next = self._next, None
            try:
                await self._look_up(asked)
            except Exception as error:  # noqa: BLE001 - raised where it is waited for
                done.set_exception(error)
            else:
                done.set_result(None)
        self._working = None

    async def _look_up(self, asked: Collection[K]) -> None:
        now = clock.monotonic()
        try:
            found = await self._source.read(lambda connection: self._load(connection, asked))
        except AwayError:
            return
        self.memory.put(asked, found, now)


async def all_learnt(*waiting: Awaitable[None] | None) -> None:
    """Wait for these; they are on their way already, side by side."""
    for one in waiting:
        if one is not None:
            await one
