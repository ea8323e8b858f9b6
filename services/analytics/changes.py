"""Tells the listeners of this process that the statistics have changed."""

import asyncio
from collections.abc import AsyncIterator


class Changes:
    """A broadcast without content: changes that come while a listener is busy are one to it."""

    def __init__(self) -> None:
        self._version = 0
        self._changed = asyncio.Event()

    def publish(self) -> None:
        """Wake every listener. To be called once the change is committed."""
        self._version += 1
        # Each waiter holds the event of its own wait, so replacing it loses nobody.
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait(self, seen: int) -> int:
        """The version now; waits while it is ``seen``. Start with 0, go on with what it returned."""
        while self._version == seen:
            await self._changed.wait()
        return self._version

    async def __aiter__(self) -> AsyncIterator[int]:
        """The version after each change from now on, coalesced."""
        seen = self._version
        while True:
            seen = await self.wait(seen)
            yield seen
