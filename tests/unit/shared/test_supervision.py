"""What a task waits for, and what it does not."""

import asyncpg
import pytest
from prometheus_client import REGISTRY

from shared.supervision import named, supervise


@pytest.mark.parametrize(
    "error",
    [ConnectionRefusedError(), asyncpg.CannotConnectNowError(), asyncpg.InternalClientError()],
    ids=lambda error: type(error).__name__,
)
async def test_a_task_runs_again_after_its_server_was_away(error: Exception) -> None:
    """The last is what asyncpg says of a connection whose PostgreSQL was killed in the middle of something."""
    runs = 0

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise error

    await supervise("a task", run)
    assert runs == 2


async def test_operators_see_a_task_before_and_each_time_it_runs_again() -> None:
    def restarts() -> float | None:
        labels = {"task": "a task that is watched"}
        return REGISTRY.get_sample_value("tillstream_task_restarts_total", labels)

    seen = []

    async def run() -> None:
        seen.append(restarts())
        if len(seen) == 1:
            raise ConnectionRefusedError

    await supervise("a task that is watched", run)
    assert seen == [0, 1]


async def test_what_does_not_pass_ends_the_task() -> None:
    async def run() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await supervise("a task", run)


def test_a_log_says_what_an_error_is_and_not_what_a_customer_sent() -> None:
    sent = asyncpg.UniqueViolationError("Key (receipt_id)=(R1) already exists.")
    assert named(sent) == "UniqueViolationError"
    own = asyncpg.InternalClientError("no decoder for type OID 1187")
    assert named(own) == "InternalClientError: no decoder for type OID 1187"
