"""Waiting for a condition instead of sleeping."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared import clock

T = TypeVar("T")


async def until(
    condition: Callable[[], Awaitable[T]], *, within_s: float = 30, what: str = "the condition"
) -> T:
    """The first truthy value of ``condition``; fails, naming ``what``, if there is none in time."""
    deadline = clock.monotonic() + within_s
    while True:
        value = await condition()
        if value:
            return value
        if clock.monotonic() > deadline:
            message = f"{what} did not come true within {within_s} s; last: {value!r}"
            raise AssertionError(message)
        await asyncio.sleep(0.02)
