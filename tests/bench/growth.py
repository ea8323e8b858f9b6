"""Whether a redemption costs more when there are ten million of them.

``make bench-growth``; some ten minutes and 15 GiB with a PostgreSQL of its own. The last line printed is a JSON
object. The tables are filled by COPY with what so many redemptions leave behind – receipts, events with bodies
of the usual length, redemptions, purchases, ledger entries – on the very limit that is redeemed on. At each
size callers redeem on it by group commit. What a redemption costs is the processor time of the evaluator and
of PostgreSQL's processes, which other work on the machine changes little, and the rate; memory is that of the
evaluator's process.
"""

import asyncio
import gc
import json
import os
import resource
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path

import asyncpg
import uvloop
from rich.progress import Progress

from deploy.local import stack as local
from services.evaluator.app import ALLOCATIONS_A_COLLECTION
from services.evaluator.group_commit import GroupCommit
from shared import clock, database
from tests.bench import counter

SIZES = (10_000, 1_000_000, 10_000_000)
CALLERS = 64
TURNS = 3
SECONDS = 3.0
_CHUNK = 20_000
_PLENTY = 10**9
_WITHIN_S = 30.0
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201


async def fill(pool: asyncpg.Pool, first: int, last: int, now: datetime) -> None:
    """What redemptions number ``first`` to ``last`` − 1 have left behind, over the last 300 days."""
    template = counter.redemption_body("till-0")
    with Progress(transient=True) as progress:
        task = progress.add_task(f"filling to {last:,}", total=last - first)
        for start in range(first, last, _CHUNK):
            end = min(start + _CHUNK, last)
            await asyncio.gather(
                *(
                    _copy(pool, table, columns, rows)
                    for table, columns, rows in _rows(start, end, template, now)
                )
            )
            progress.advance(task, end - start)
    async with pool.acquire() as connection:
        await connection.execute(
            "update limits set used = $2 where limit_id = $1", counter.LIMIT, last
        )


async def _copy(
    pool: asyncpg.Pool, table: str, columns: tuple[str, ...], rows: Iterator[tuple[object, ...]]
) -> None:
    async with pool.acquire() as connection:
        await connection.copy_records_to_table(table, records=rows, columns=columns)


def _rows(
    start: int, end: int, body: bytes, now: datetime
) -> Iterator[tuple[str, tuple[str, ...], Iterator[tuple[object, ...]]]]:
    """Table, columns and rows, for each table."""
    numbers = range(start, end)
    keys = [blake2b(b"%d" % n, digest_size=16).digest() for n in numbers]
    times = [now - timedelta(days=300) + timedelta(seconds=2.5 * n) for n in numbers]
    digest = bytes(16)
    yield (
        "receipts",
        ("receipt_id", "store_id", "terminal_id", "revision", "status", "decided_by", "updated_at"),
        (
            (f"r-{n}", "store-1", f"till-{n % 500}", 0, "paid", key, at)
            for n, key, at in zip(numbers, keys, times, strict=True)
        ),
    )
    yield (
        "checkout_events",
        ("event_key", "body_digest", "receipt_id", "kind", "body", "decision", "received_at"),
        (
            (key, digest, f"r-{n}", "sale", body, body, at)
            for n, key, at in zip(numbers, keys, times, strict=True)
        ),
    )
    yield (
        "redemptions",
        (
            "redemption_id",
            "receipt_id",
            "campaign_id",
            "instrument_id",
            "status",
            "discount",
            "bonuses",
            "limit_ids",
            "limit_amounts",
            "changed_at",
        ),
        (
            (
                f"r-{key.hex()[:24]}",
                f"r-{n}",
                "campaign-1",
                "instrument-1",
                "committed",
                1_000,
                0,
                [counter.LIMIT],
                [1],
                at,
            )
            for n, key, at in zip(numbers, keys, times, strict=True)
        ),
    )
    yield (
        "purchases",
        ("receipt_id", "customer_id", "occurred_at", "lines", "counts"),
        (
            (f"r-{n}", f"C{n % 300_000}", at, digest * 4, True)
            for n, at in zip(numbers, times, strict=True)
        ),
    )


@asynccontextmanager
async def desk(pool: asyncpg.Pool) -> AsyncIterator[counter.Submit]:
    """The service's desk, by group commit."""
    group = GroupCommit(pool, counter.requests().apply)
    serving = asyncio.create_task(group.run())
    try:
        yield lambda request: group.submit(request, _WITHIN_S)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def measure(pool: asyncpg.Pool, postgres: int) -> dict[str, float]:
    """The medians of all turns: processor time for a redemption (µs), redemptions per second, memory."""
    turns: list[tuple[float, float, float]] = []
    async with desk(pool) as submit:
        await counter.load(submit, CALLERS, 1.0)
        for _ in range(TURNS):
            own, theirs = _own_seconds(), _tree_seconds(postgres)
            rate, latencies = await counter.load(submit, CALLERS, SECONDS)
            count = len(latencies)
            turns.append(
                (
                    (_own_seconds() - own) / count * 1e6,
                    (_tree_seconds(postgres) - theirs) / count * 1e6,
                    rate,
                )
            )
    own_us, postgres_us, rate = (statistics.median(values) for values in zip(*turns, strict=True))
    return {
        "evaluator_us": round(own_us),
        "postgres_us": round(postgres_us),
        "per_s": round(rate),
        "evaluator_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _own_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _tree_seconds(pid: int) -> float:
    """Processor seconds of a process and its children, the ended ones included."""
    found = 0.0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:  # it has just ended
            continue
        number, fields = int(text.split(" ", 1)[0]), text.rpartition(")")[2].split()
        if number == pid:
            found += sum(map(int, fields[11:15]))
        elif int(fields[1]) == pid:
            found += sum(map(int, fields[11:13]))
    return found / _TICKS_A_SECOND


async def main(sizes: Sequence[int]) -> None:
    """Start PostgreSQL, fill, measure, and say what was found."""
    started, now = clock.monotonic(), clock.now()
    gc.set_threshold(ALLOCATIONS_A_COLLECTION)
    found: dict[int, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="tillstream-bench-") as directory:
        state = Path(directory)
        try:
            stack = await asyncio.to_thread(local.up, state, ("postgres",))
            async with await database.pool(stack.database("evaluator"), size=8) as pool:
                async with pool.acquire() as connection:
                    await counter.open_limit(connection, _PLENTY)
                before = 0
                for size in sizes:
                    await fill(pool, before, size, now)
                    await pool.execute("analyze receipts, checkout_events, redemptions, purchases")
                    found[size] = await measure(pool, stack.pid("postgres"))
                    before = size
                    say(f"{size:>10,} redemptions: {found[size]}")
        finally:
            await asyncio.to_thread(local.down, state, delete=True)
    first, last = found[sizes[0]], found[sizes[-1]]
    say(f"took {clock.monotonic() - started:.0f} s")
    say(
        json.dumps(
            {
                **{
                    f"{name}_at_{size}": v
                    for size, each in found.items()
                    for name, v in each.items()
                },
                "cost_growth": round(
                    (last["evaluator_us"] + last["postgres_us"])
                    / (first["evaluator_us"] + first["postgres_us"]),
                    2,
                ),
                "memory_growth": round(last["evaluator_mib"] / first["evaluator_mib"], 2),
            }
        )
    )


if __name__ == "__main__":
    uvloop.run(main([int(size) for size in sys.argv[1:]] or SIZES))
