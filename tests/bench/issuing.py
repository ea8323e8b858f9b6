"""How fast requests for personal codes are answered, from the first one sent to the last answer acknowledged.

    python -m tests.bench.issuing [requests]

Runs Kafka, PostgreSQL and emission of its own. Once with codes that end together, once with codes each of which
ends at an instant of its own and so has a chunk of its own. The last line is JSON: requests_per_s, apart_per_s.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

from deploy.local import stack as local
from deploy.local.stack import Stack
from shared import clock
from tests.integration.emission import author
from tests.integration.requests import a_request, ask, on_request

_POLL_SECONDS = 0.05


async def answer(stack: Stack, count: int, ends: Callable[[int], datetime]) -> float:
    """Seconds until ``count`` requests are answered, and none of the answers is left in the outbox."""
    async with author(stack) as client:
        emission_id = await on_request(client)
    requests = [a_request(emission_id, valid_until=ends(n)) for n in range(count)]
    connection = await asyncpg.connect(stack.database("emission"))
    started = clock.monotonic()
    await ask(stack, requests)
    while await _waiting(connection, emission_id, count):
        await asyncio.sleep(_POLL_SECONDS)
    seconds = clock.monotonic() - started
    await connection.close()
    return seconds


async def _waiting(
    connection: "asyncpg.Connection[asyncpg.Record]", emission_id: str, count: int
) -> bool:
    return bool(
        await connection.fetchval(
            "select requested_codes < $2 or exists(select from outbox)"
            " from emissions where emission_id = $1",
            emission_id,
            count,
        )
    )


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    later = clock.now() + timedelta(days=7)
    with tempfile.TemporaryDirectory(prefix="tillstream-bench-") as directory:
        state = Path(directory)
        try:
            stack = local.up(state, ["kafka", "postgres", "emission"])
            together = asyncio.run(answer(stack, count, lambda _: later))
            apart = asyncio.run(answer(stack, count, lambda n: later + timedelta(seconds=n)))
        finally:
            local.down(state, delete=True)
    figures = {
        "requests": count,
        "requests_per_s": round(count / together),
        "apart_per_s": round(count / apart),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
