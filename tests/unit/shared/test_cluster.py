"""Leaving the cluster, whatever becomes of it."""

import asyncio
from typing import cast

import pytest
from aiokafka import AIOKafkaConsumer

from shared.cluster import leave


class _Client:
    """Its ``stop`` ends by an error, or never."""

    def __init__(self, error: BaseException | None) -> None:
        self._error = error
        self.given_up = False

    async def stop(self) -> None:
        if self._error is not None:
            raise self._error
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up = True


@pytest.mark.parametrize("error", [asyncio.CancelledError(), OSError("gone")])
async def test_what_a_client_raises_as_it_stops_does_not_matter(error: BaseException) -> None:
    """A consumer that loses Kafka while a fetch waits to be tried again stops as if cancelled."""
    await leave(cast("AIOKafkaConsumer", _Client(error)), 5)


async def test_a_client_that_does_not_stop_is_let_be() -> None:
    client = _Client(None)
    await leave(cast("AIOKafkaConsumer", client), 0.01)
    await asyncio.sleep(0)
    assert client.given_up
