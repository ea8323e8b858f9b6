"""Group commit: requests that come while a transaction is open form the next one (decision 3).

What a transaction costs – round trips, locks on hot rows, an fsync – is paid once for all of a group. Nobody
is answered before the commit.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import asyncpg

from shared.database import Connection
from shared.supervision import TRANSIENT

R = TypeVar("R")
A = TypeVar("A")

_ATTEMPTS = 5
_MOST = 500


class GroupCommit(Generic[R, A]):
    """Applies requests, as many as have come by then in one transaction; ``run`` does the work.

    ``apply`` answers the requests of a group, in their order, through the connection; it never commits.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        apply: Callable[[Connection, Sequence[R]], Awaitable[Sequence[A]]],
        most: int = _MOST,
    ) -> None:
        self._pool = pool
        self._apply = apply
        self._most = most
        self._waiting: deque[tuple[R, asyncio.Future[A]]] = deque()
        self._come = asyncio.Event()

    async def submit(self, request: R, within_s: float) -> A:
        """The answer, once it is committed. Raises ``TimeoutError``; the request may be applied yet.

        Raises what stopped the transaction, too: then it was not applied, or nobody knows.
        """
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer))
        self._come.set()
        return await asyncio.wait_for(answer, within_s)

    async def run(self) -> None:
        """Apply what comes until cancelled."""
        while True:
            await self._come.wait()
            group = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            if not self._waiting:
                self._come.clear()
            # Whoever does not wait any more may have been answered before; its retry says so.
            group = [(request, answer) for request, answer in group if not answer.done()]
            if group:
                await self._serve(group)

    async def _serve(self, group: Sequence[tuple[R, asyncio.Future[A]]]) -> None:
        try:
            answers = await self._transact([request for request, _ in group])
        except TRANSIENT as error:
            _fail(group, error)
        except Exception as error:  # noqa: BLE001 - it is the callers', and the next group's turn
            if len(group) == 1:
                _fail(group, error)
            else:
                # One that cannot be applied must not take the others with it.
                for one in group:
                    await self._serve([one])
        else:
            for (_, waiting), answer in zip(group, answers, strict=True):
                if not waiting.done():
                    waiting.set_result(answer)

    async def _transact(self, requests: Sequence[R]) -> Sequence[A]:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with self._pool.acquire() as connection, connection.transaction():
                    return await self._apply(connection, requests)
            except (asyncpg.DeadlockDetectedError, asyncpg.UniqueViolationError):
                # Two evaluators met at the same rows: the one who waits finds them there next time.
                if attempt == _ATTEMPTS:
                    raise
        message = "unreachable"
        raise AssertionError(message)


def _fail(group: Sequence[tuple[R, asyncio.Future[A]]], error: Exception) -> None:
    for _, waiting in group:
        if not waiting.done():
            waiting.set_exception(error)
