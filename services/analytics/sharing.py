"""Answers that many ask for at a time: worked out once, and kept for a moment."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared import clock

A = TypeVar("A")
KEPT_SECONDS = 5.0


@dataclass(frozen=True)
class _Kept(Generic[A]):
    begun_at: float
    answer: "asyncio.Task[A]"


@dataclass
class Sharing(Generic[A]):
    """Who asks the same while an answer is worked out, or within ``seconds`` after it was begun, gets that one."""

    seconds: float = KEPT_SECONDS
    _kept: dict[Hashable, _Kept[A]] = field(default_factory=dict)

    async def of(self, question: Hashable, work_out: Callable[[], Awaitable[A]]) -> A:
        """The answer to the question; raises what working it out raised, for all who wait for it."""
        now = clock.monotonic()
        self._kept = {
            asked: kept for asked, kept in self._kept.items() if self._is_fresh(kept, now)
        }
        kept = self._kept.get(question)
        if kept is None:
            kept = _Kept(now, asyncio.ensure_future(work_out()))
            self._kept[question] = kept
        # Who leaves must not take it from those who wait with him.
        return await asyncio.shield(kept.answer)

    def _is_fresh(self, kept: _Kept[A], now: float) -> bool:
        if not kept.answer.done():
            return True
        failed = kept.answer.cancelled() or kept.answer.exception() is not None
        return not failed and now < kept.begun_at + self.seconds
