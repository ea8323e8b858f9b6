"""How fast receipts redeem on one hot limit: group commit beside one transaction per request.

``make bench-redemption``; under a minute with a PostgreSQL of its own (fsync and synchronous_commit on). The
last line printed is a JSON object. 64 callers, each waiting for its answer before it asks again, redeem on
the same limit: a sale of one line with WELCOME that is decided and committed. In turns:

- ``ours``: the service's desk by group commit, as HTTP requests come to it;
- ``per_request_tx``: the same desk, the same work, each request in a transaction of its own;
- ``hand_written_tx``: what a counter needs at least, in SQL written for it, each in a transaction of its own:
  lock the limit, count, insert the redemption and the message that leaves. It decides nothing, keeps no
  receipt, event, purchase or answer: there to know what the rest costs.

Then ten evaluator processes redeem on one limit, more than it has, until it is full: it must be exact.
"""

import asyncio
import gc
import json
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import asyncpg
import uvloop

from deploy.local import stack as local
from services.evaluator.app import ALLOCATIONS_A_COLLECTION
from services.evaluator.desk import Brought
from services.evaluator.group_commit import GroupCommit
from services.evaluator.requests import Reply, Request
from shared import clock, database
from tests.bench import counter

CALLERS = 64
TURNS = 3
SECONDS = 3.0
PROCESSES = 10
CAP_OF_TEN = 1_000
TARGET, TARGET_P99_MS = 15, 25
_PLENTY = 10**9
_WITHIN_S = 30.0
_OK = 200


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201


async def ours(pool: asyncpg.Pool) -> tuple[float, list[float]]:
    """Group commit."""
    group = GroupCommit(pool, counter.requests().apply)
    serving = asyncio.create_task(group.run())
    try:
        return await counter.load(lambda r: group.submit(r, _WITHIN_S), CALLERS, SECONDS)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def per_request(pool: asyncpg.Pool) -> tuple[float, list[float]]:
    """The same work, a transaction each."""
    requests = counter.requests()

    async def submit(request: Request[Brought]) -> Reply:
        while True:
            try:
                async with pool.acquire() as connection, connection.transaction():
                    [reply] = await requests.apply(connection, [request])
                    return reply
            except asyncpg.DeadlockDetectedError:
                continue

    return await counter.load(submit, CALLERS, SECONDS)


async def hand_written(pool: asyncpg.Pool) -> tuple[float, list[float]]:
    """The least that counts, a transaction each."""

    async def submit(request: Request[Brought]) -> Reply:
        receipt_id = uuid4().hex
        async with pool.acquire() as connection, connection.transaction():
            left = await connection.fetchval(
                "update limits set used = used + 1 where limit_id = $1 and used + held < cap"
                " returning cap - used - held",
                "hand-written",
            )
            if left is None:
                raise RuntimeError(request)
            await connection.execute(
                "insert into redemptions (redemption_id, receipt_id, campaign_id, instrument_id,"
                " status, discount, bonuses, limit_ids, limit_amounts, changed_at)"
                " values ($1, $1, 'c', 'i', 'committed', 1000, 0, '{hand-written}', '{1}',"
                " clock_timestamp())",
                receipt_id,
            )
            await connection.execute(
                "insert into outbox (messages, bytes, packed) values (1, 100, $1)", b"x" * 100
            )
        return Reply(_OK, b"")

    return await counter.load(submit, CALLERS, SECONDS)


Way = Callable[[asyncpg.Pool], Awaitable[tuple[float, list[float]]]]
WAYS: dict[str, Way] = {
    "ours": ours,
    "per_request_tx": per_request,
    "hand_written_tx": hand_written,
}


async def measure(dsn: str) -> dict[str, float]:
    """The medians of all turns; the latencies are ours."""
    rates: dict[str, list[float]] = {name: [] for name in WAYS}
    p99s: list[float] = []
    async with await database.pool(dsn, size=CALLERS) as pool:
        await pool.execute("insert into limits (limit_id, cap) values ('hand-written', 1000000000)")
        for turn in range(1, TURNS + 1):
            for name, way in WAYS.items():
                rate, latencies = await way(pool)
                rates[name].append(rate)
                if name == "ours":
                    p99s.append(statistics.quantiles(latencies, n=100)[98] * 1_000)
            shown = ", ".join(f"{name} {each[-1]:,.0f}/s" for name, each in rates.items())
            say(f"turn {turn} of {TURNS}: {shown}; p99 of ours {p99s[-1]:.1f} ms")
    found = {f"{name}_per_s": round(statistics.median(each)) for name, each in rates.items()}
    return {
        **found,
        "p99_ms": round(statistics.median(p99s), 1),
        "ours_of_per_request": round(found["ours_per_s"] / found["per_request_tx_per_s"], 1),
        "ours_of_hand_written": round(found["ours_per_s"] / found["hand_written_tx_per_s"], 1),
    }


async def ten_on_one(dsn: str) -> int:
    """How many redemptions are committed when ten evaluators redeem more than the limit has."""
    connection = await asyncpg.connect(dsn)
    try:
        for table in ("limits", "redemptions"):  # the limit begins anew
            await connection.execute(f"delete from {table}")  # noqa: S608
        await counter.open_limit(connection, CAP_OF_TEN)
        each = 2 * CAP_OF_TEN // PROCESSES
        processes = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.bench.redemption_process", dsn, str(n), str(each)
            )
            for n in range(PROCESSES)
        ]
        ended = await asyncio.gather(*(process.wait() for process in processes))
        if any(ended):
            message = f"processes ended with {ended}"
            raise RuntimeError(message)
        row = await connection.fetchrow(
            "select (select used from limits where limit_id = $1) as used, count(*) as committed"
            " from redemptions where status = 'committed'",
            counter.LIMIT,
        )
    finally:
        await connection.close()
    if row is None or row["used"] != row["committed"]:
        message = f"the counter and the ledger differ: {row}"
        raise RuntimeError(message)
    return int(row["used"])


async def main() -> None:
    """Start PostgreSQL, measure, and say what was found."""
    started = clock.monotonic()
    gc.set_threshold(ALLOCATIONS_A_COLLECTION)
    with tempfile.TemporaryDirectory(prefix="tillstream-bench-") as directory:
        state = Path(directory)
        try:
            stack = await asyncio.to_thread(local.up, state, ("postgres",))
            dsn = stack.database("evaluator")
            async with await database.pool(dsn, size=1) as pool:
                settings = await pool.fetchrow(
                    "select current_setting('fsync') as fsync,"
                    " current_setting('synchronous_commit') as synchronous_commit"
                )
                async with pool.acquire() as connection:
                    await counter.open_limit(connection, _PLENTY)
            found: dict[str, float | str] = {**await measure(dsn), **dict(settings or {})}
            found["ten_processes_committed"] = await ten_on_one(dsn)
            found["ten_processes_cap"] = CAP_OF_TEN
        finally:
            await asyncio.to_thread(local.down, state, delete=True)
    fast = float(found["ours_of_per_request"]) >= TARGET
    quick = float(found["p99_ms"]) < TARGET_P99_MS
    exact = found["ten_processes_committed"] == CAP_OF_TEN
    say(
        f"{'reached' if fast else 'NOT reached'}: {TARGET} times one transaction per request;"
        f" {'reached' if quick else 'NOT reached'}: p99 under {TARGET_P99_MS} ms;"
        f" ten processes on one limit: {'exact' if exact else 'NOT EXACT'};"
        f" took {clock.monotonic() - started:.0f} s"
    )
    say(json.dumps(found))
    if not exact:
        raise SystemExit(1)


if __name__ == "__main__":
    uvloop.run(main())
