"""How fast the rollup is: beside a bare consumer and beside a Faust table, on real receipts.

``make bench-rollup``; takes under a minute with a Kafka and a PostgreSQL of its own. The last line
printed is a JSON object. All three read the same topic, in turns, each in a process of its own.
"""

import asyncio
import json
import logging
import os
import statistics
import sys
import tempfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaProducer

from deploy.local import stack as local
from deploy.local.stack import Stack
from shared import clock, topics
from shared.codec import cloud_event_headers, encode
from shared.events.outcome import Receipt
from shared.outbox import NUMBER_HEADER, PRODUCER_HEADER
from tests.bench.receipts import copies, key_of, last_receipts

RECEIPTS = 30_000
COPIES = 4
TURNS = 3
BARE_SECONDS = 1.0
ROLLUP_SECONDS = 2.5
FAUST_SECONDS = 1.5
TARGET_OF_BARE = 0.3
TARGET_OF_FAUST = 12
_POLL_SECONDS = 0.02
_BATCH_BYTES = 512 * 1024
_TOPIC = topics.RECEIPTS
_WITHIN_SECONDS = 60


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201


async def publish(kafka: str, receipts: Iterable[Receipt]) -> tuple[int, float]:
    """Write the receipts with the headers that the relay gives them; (number, mean body bytes)."""
    relay, now = str(uuid4()).encode(), clock.now()
    number, size = 0, 0
    async with AIOKafkaProducer(
        bootstrap_servers=kafka, max_batch_size=_BATCH_BYTES, max_request_size=2 * _BATCH_BYTES
    ) as producer:
        batches = {n: producer.create_batch() for n in range(_TOPIC.partitions)}
        for receipt in receipts:
            number += 1
            key, value = key_of(receipt), encode(receipt)
            size += len(value)
            headers = [
                *cloud_event_headers(receipt.receipt_id, _TOPIC.event_type, "evaluator", now),
                (PRODUCER_HEADER, relay),
                (NUMBER_HEADER, b"%d" % number),
            ]
            partition = zlib.crc32(key) % _TOPIC.partitions
            arguments = {"key": key, "value": value, "timestamp": None, "headers": headers}
            if batches[partition].append(**arguments) is None:
                await producer.send_batch(batches[partition], _TOPIC.name, partition=partition)
                batches[partition] = producer.create_batch()
                batches[partition].append(**arguments)
        for partition, batch in batches.items():
            await producer.send_batch(batch, _TOPIC.name, partition=partition)
        await producer.flush()
    return number, size / number


async def printed(module: str, *arguments: str) -> float:
    """The number that a process prints as its last line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _WITHIN_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return float(output.decode().split()[-1])


async def rollup_rate(stack: Stack, database: asyncpg.Connection, count: int) -> float:
    """Events per second that our consumer commits, as its saved offsets tell, from empty tables."""
    await database.execute(
        "truncate receipt_cells, instrument_cells, refusal_cells, receipt_levels, instrument_levels"
    )
    name = f"bench-{uuid4().hex[:8]}"
    environment = {
        **os.environ,
        "TILLSTREAM_KAFKA": stack.kafka,
        "TILLSTREAM_DATABASE": stack.database("analytics"),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.rollup_process", name, env=environment
    )
    try:
        return await _committed_per_second(process, database, name, count)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _committed_per_second(
    process: asyncio.subprocess.Process, database: asyncpg.Connection, name: str, count: int
) -> float:
    deadline = clock.monotonic() + _WITHIN_SECONDS
    seen: list[tuple[float, int]] = []
    while not seen or (seen[-1][1] < count and seen[-1][0] - seen[0][0] < ROLLUP_SECONDS):
        done = await database.fetchval(
            "select sum(next)::bigint from offsets where consumer = $1 and topic = $2",
            name,
            _TOPIC.name,
        )
        if done and (not seen or done > seen[-1][1]):
            seen.append((clock.monotonic(), done))
        if process.returncode is not None or clock.monotonic() > deadline:
            message = f"the rollup ended or stands still after {seen[-1:]}"
            raise RuntimeError(message)
        await asyncio.sleep(_POLL_SECONDS)
    (begun, first), (ended, last) = seen[0], seen[-1]
    return (last - first) / (ended - begun)


async def density(database: asyncpg.Connection) -> float:
    """Receipts per cell, in what the last turn has counted."""
    return float(
        await database.fetchval("select sum(receipts)::numeric / count(*) from receipt_minutes")
    )


async def measure(stack: Stack, receipts: Sequence[Receipt]) -> dict[str, float]:
    """The medians of all turns, and what the events are like."""
    count, size = await publish(stack.kafka, copies(list(receipts), COPIES))
    say(f"{count} receipts of {size:.0f} bytes in {_TOPIC.name}")
    # As the owner of the tables: only it may empty them.
    database = await asyncpg.connect(stack.postgres.rsplit("/", 1)[0] + "/analytics")
    rates: dict[str, list[float]] = {"bare": [], "rollup": [], "faust_table": []}
    try:
        for turn in range(1, TURNS + 1):
            arguments = (stack.kafka, _TOPIC.name)
            rates["bare"].append(
                await printed("tests.bench.bare_process", *arguments, str(BARE_SECONDS))
            )
            rates["rollup"].append(await rollup_rate(stack, database, count))
            rates["faust_table"].append(
                await printed(
                    "tests.bench.faust_process", *arguments, str(FAUST_SECONDS), f"turn-{turn}"
                )
            )
            shown = ", ".join(f"{name} {values[-1]:,.0f}/s" for name, values in rates.items())
            say(f"turn {turn} of {TURNS}: {shown}")
        cells = await density(database)
    finally:
        await database.close()
    per_s = {name: statistics.median(values) for name, values in rates.items()}
    return {
        **{f"{name}_per_s": round(value) for name, value in per_s.items()},
        "rollup_of_bare": round(per_s["rollup"] / per_s["bare"], 3),
        "rollup_of_faust_table": round(per_s["rollup"] / per_s["faust_table"], 1),
        "event_bytes": round(size),
        "events_per_cell": round(cells, 3),
    }


async def main() -> None:
    """Start the servers while the receipts are made, measure, and say what was found."""
    started = clock.monotonic()
    logging.disable(logging.WARNING)  # a new topic's first answers: no leader yet, try again
    with tempfile.TemporaryDirectory(prefix="tillstream-bench-") as directory:
        state = Path(directory)
        try:
            stack, receipts = await asyncio.gather(
                asyncio.to_thread(local.up, state, ("kafka", "postgres")),
                asyncio.to_thread(last_receipts, RECEIPTS),
            )
            say(f"servers and receipts ready after {clock.monotonic() - started:.0f} s")
            found = await measure(stack, receipts)
        finally:
            await asyncio.to_thread(local.down, state, delete=True)
    reached = (
        found["rollup_of_bare"] >= TARGET_OF_BARE
        and found["rollup_of_faust_table"] >= TARGET_OF_FAUST
    )
    say(
        f"{'reached' if reached else 'NOT reached'}: {TARGET_OF_BARE} of the bare loop and"
        f" {TARGET_OF_FAUST} × the Faust table; took {clock.monotonic() - started:.0f} s"
    )
    say(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
