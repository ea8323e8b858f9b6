"""Tasks that wait for a server to come back instead of ending the service."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import structlog
from aiokafka.errors import (
    ConsumerStoppedError,
    IllegalStateError,
    KafkaError,
    KafkaTimeoutError,
    NoBrokersAvailable,
)

from shared import clock
from shared.metrics import TASK_RESTARTS

_STEADY_SECONDS = 30.0

log = structlog.get_logger()

TRANSIENT = (
    OSError,
    KafkaError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    # A connection that the server's end has left in the middle of something, met at its next use.
    asyncpg.InternalClientError,
)
"""What passes when a server comes back."""

_AWAY = (KafkaTimeoutError, NoBrokersAvailable, ConsumerStoppedError, IllegalStateError)
"""Kafka's errors while it is away that aiokafka does not call retriable."""


def named(error: Exception) -> str:
    """What a log says of an error: its type, since a message may repeat what a customer sent.

    asyncpg's errors about itself do not, and may be a mistake of ours that never passes: they are said in full.
    """
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, asyncpg.InternalClientError) else name


def _passes(error: Exception) -> bool:
    """Whether waiting helps: not against a message or a statement that can never be used."""
    if isinstance(error, ValueError):  # asyncpg.DataError is an InterfaceError, too
        return False
    return not isinstance(error, KafkaError) or error.retriable or isinstance(error, _AWAY)


async def supervise(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Run again after a server was away, waiting longer each time; anything else is raised.

    What ends by itself is not run again.
    """
    restarts = TASK_RESTARTS.labels(name)  # there before the first: a rise from nothing is not seen
    delay = 0.2
    while True:
        started = clock.monotonic()
        try:
            await run()
        except TRANSIENT as error:
            if not _passes(error):
                raise
            if clock.monotonic() - started > _STEADY_SECONDS:
                delay = 0.2
            restarts.inc()
            log.warning("waiting for a server", task=name, error=named(error), delay=delay)
            await asyncio.sleep(delay)
            delay = min(delay * 2, 5.0)
        else:
            return
