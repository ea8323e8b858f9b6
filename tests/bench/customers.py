"""How fast a worker of the customers service is, beside a bare Faust agent on the same topic, on real receipts.

``make bench-customers``; takes a minute or two with a Kafka and a PostgreSQL of its own. The last line printed is a JSON
object. Both read the same topic, in turns, each in a process of its own; the service is the whole of it, as the stack
runs it: profiles, segments, offers, alerts, and everything that it publishes meanwhile.
"""

import asyncio
import json
import logging
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg

from deploy.local import services
from deploy.local import stack as local
from deploy.local.stack import Stack
from services.customers.stream import CONSUMER
from shared import clock, topics
from tests.bench.receipts import copies, last_receipts
from tests.bench.rollup import printed, publish, say

RECEIPTS = 30_000
COPIES = 2
TURNS = 3
BARE_SECONDS = 2.5
TARGET_OF_BARE = 0.4
_TOPIC = topics.RECEIPTS.name
_POLL_SECONDS = 0.02
_SAMPLES = 4
_WITHIN_SECONDS = 120
_FOLDED = """
offsets, sequences, profiles, receipts, early_returns, attention, outbox
"""


async def begin_anew(database: asyncpg.Connection) -> None:
    """As if nothing had been read yet; what people have made, such as segments, stays."""
    await database.execute(f"truncate {_FOLDED}")


@dataclass(frozen=True)
class Turn:
    """Receipts per second until all are in the profiles; how long it took from then on until everybody was looked at.

    ``memory``: held by the process after each quarter of the receipts (MiB): it should not rise with them.
    """

    applied: float
    looked_at_s: float
    memory: list[float]


async def turn_of_the_service(stack: Stack, database: asyncpg.Connection, count: int) -> Turn:
    """Have all receipts applied by a new process."""
    await begin_anew(database)
    environment = services.environment(
        "customers",
        stack.secrets,
        kafka=stack.kafka,
        admin=stack.postgres,
        ports={"customers": 0},
        inherited=os.environ,
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.customers", env=environment
    )
    try:
        applied, memory = await _rate(database, process, count)
        return Turn(applied, await _until_looked_at(database, process), memory)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


def resident_mib(pid: int) -> float:
    """How much memory a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def _rate(
    database: asyncpg.Connection, process: asyncio.subprocess.Process, count: int
) -> tuple[float, list[float]]:
    """Receipts per second, and the memory held after each quarter of them."""
    memory: list[float] = []
    deadline = clock.monotonic() + _WITHIN_SECONDS
    seen: list[tuple[float, int]] = []
    while not seen or seen[-1][1] < count:
        done = await database.fetchval(
            "select sum(next)::bigint from offsets where consumer = $1 and topic = $2",
            CONSUMER,
            _TOPIC,
        )
        if done and (not seen or done > seen[-1][1]):
            seen.append((clock.monotonic(), done))
            if done >= count * (len(memory) + 1) / _SAMPLES:
                memory.append(resident_mib(process.pid))
        _still_running(process, deadline)
        await asyncio.sleep(_POLL_SECONDS)
    (begun, first), (ended, last) = seen[0], seen[-1]
    return (last - first) / (ended - begun), memory


async def _until_looked_at(
    database: asyncpg.Connection, process: asyncio.subprocess.Process
) -> float:
    """How long the rest takes, once all receipts are applied."""
    started = clock.monotonic()
    while await database.fetchval("select exists (select from attention where due_at <= now())"):
        _still_running(process, started + _WITHIN_SECONDS)
        await asyncio.sleep(_POLL_SECONDS)
    return clock.monotonic() - started


def _still_running(process: asyncio.subprocess.Process, deadline: float) -> None:
    if process.returncode is not None or clock.monotonic() > deadline:
        message = "the customers service has ended, or stands still"
        raise RuntimeError(message)


async def measure(stack: Stack) -> dict[str, Any]:
    """The medians of all turns."""
    count, size = await publish(stack.kafka, copies(last_receipts(RECEIPTS), COPIES))
    say(f"{count} receipts of {size:.0f} bytes in {_TOPIC}")
    # As the owner of the tables: only it may empty them.
    database = await asyncpg.connect(stack.postgres.rsplit("/", 1)[0] + "/customers")
    bare: list[float] = []
    turns: list[Turn] = []
    try:
        for turn in range(1, TURNS + 1):
            arguments = (stack.kafka, _TOPIC, str(BARE_SECONDS), f"bare-{uuid4().hex[:8]}")
            bare.append(await printed("tests.bench.faust_take_process", *arguments))
            turns.append(await turn_of_the_service(stack, database, count))
            say(f"turn {turn} of {TURNS}: bare {bare[-1]:,.0f}/s; {shown(turns[-1])}")
    finally:
        await database.close()
    applied = statistics.median(one.applied for one in turns)
    return {
        "customers_per_s": round(applied),
        "bare_faust_per_s": round(statistics.median(bare)),
        "of_bare": round(applied / statistics.median(bare), 3),
        "looked_at_after_s": round(statistics.median(one.looked_at_s for one in turns), 2),
        "memory_mib": [round(mib) for mib in turns[-1].memory],
    }


def shown(turn: Turn) -> str:
    """A turn, in words."""
    memory = ", ".join(f"{mib:.0f}" for mib in turn.memory)
    return (
        f"customers {turn.applied:,.0f}/s, everybody looked at {turn.looked_at_s:.1f} s later,"
        f" memory by quarters {memory} MiB"
    )


async def main() -> None:
    """Start the servers, measure, and say what was found."""
    started = clock.monotonic()
    logging.disable(logging.WARNING)  # a new topic's first answers: no leader yet, try again
    with tempfile.TemporaryDirectory(prefix="tillstream-bench-") as directory:
        state = Path(directory)
        try:
            stack = await asyncio.to_thread(local.up, state, ("kafka", "postgres"))
            found = await measure(stack)
        finally:
            await asyncio.to_thread(local.down, state, delete=True)
    reached = found["of_bare"] >= TARGET_OF_BARE
    say(
        f"{'reached' if reached else 'NOT reached'}: {TARGET_OF_BARE} of a bare Faust agent;"
        f" took {clock.monotonic() - started:.0f} s"
    )
    say(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
