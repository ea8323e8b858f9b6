"""How fast carts become decisions through Kafka with the real service, beside a bare echo.

``make bench-decisions``; takes under a minute with a Kafka and a PostgreSQL of its own. The last line
printed is a JSON object. Carts of 20 lines (``tests.bench.carts``) that meet some twenty instruments
of 100 campaigns are published first; then, in turns, the evaluator as it is run in production and a
loop that reads the same carts and sends as many bytes back work them off. A rate is of messages in
the topic of answers, by their timestamps from the first to the last.
"""

import asyncio
import itertools
import json
import logging
import os
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pydantic_extra_types.currency_code import ISO4217

from deploy.local import stack as local
from deploy.local.ports import HOST, other
from deploy.local.services import answers, environment
from deploy.local.stack import Stack
from services.evaluator.promotion.ruleset import Ruleset
from shared import clock, codes, topics
from shared.codec import cloud_event_headers, encode
from shared.events.checkout import Cart
from shared.events.reference import CodeChunk, Customer, SegmentChange, Store
from shared.events.values import Event
from shared.topics import Topic
from tests.bench.campaigns import bodies
from tests.bench.carts import Chain, chain

CAMPAIGNS = 100
CARTS = 50_000
TURNS = 3
SECONDS = 6.0
TARGET = 0.12
_POLL_SECONDS = 0.05
_WITHIN_SECONDS = 60
_ECHO = "bench.echo"


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201


@dataclass(frozen=True)
class Bench:
    """The servers, and a look at what topics hold."""

    stack: Stack
    watcher: AIOKafkaConsumer

    async def ends(self, topic: str) -> dict[TopicPartition, int]:
        """How many messages there are in each partition."""
        partitions = [TopicPartition(topic, n) for n in range(topics.CARTS.partitions)]
        found: dict[TopicPartition, int] = await self.watcher.end_offsets(partitions)
        return found

    async def rate(self, topic: str, *arguments: str, **variables: str) -> float:
        """Messages per second that a process sends to the topic, as their timestamps tell.

        It runs for ``SECONDS`` from the first one seen, or until all carts are answered.
        """
        begun = await self.ends(topic)
        before, deadline = sum(begun.values()), clock.monotonic() + _WITHIN_SECONDS
        first_seen: float | None = None
        async with running(*arguments, **variables) as process:
            while first_seen is None or clock.monotonic() - first_seen < SECONDS:
                new = sum((await self.ends(topic)).values()) - before
                if new >= CARTS:
                    break
                if new and first_seen is None:
                    first_seen = clock.monotonic()
                if process.returncode is not None or clock.monotonic() > deadline:
                    message = f"{topic}: the process ended or stands still after {new}"
                    raise RuntimeError(message)
                await asyncio.sleep(_POLL_SECONDS)
        times = await self._timestamps(begun, await self.ends(topic))
        return (len(times) - 1) * 1_000 / (max(times) - min(times))

    async def _timestamps(
        self, begun: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> list[int]:
        """When the messages in between were sent (milliseconds)."""
        times: list[int] = []
        for partition, start in begun.items():
            self.watcher.assign([partition])
            self.watcher.seek(partition, start)
            while await self.watcher.position(partition) < ends[partition]:
                for records in (await self.watcher.getmany(timeout_ms=1_000)).values():
                    times += [record.timestamp for record in records]
        return times


@asynccontextmanager
async def running(*arguments: str, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python process that is ended with the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, env={**os.environ, **variables}
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def publish(kafka: str, topic: Topic, events: Sequence[tuple[str, Event | bytes]]) -> int:
    """Write events, by key; returns the bytes of their bodies."""
    now, size = clock.now(), 0
    async with AIOKafkaProducer(
        bootstrap_servers=kafka, linger_ms=5, max_batch_size=256 * 1024
    ) as producer:
        for key, event in events:
            body = event if isinstance(event, bytes) else encode(event)
            size += len(body)
            headers = cloud_event_headers(str(uuid4()), topic.event_type, "bench", now)
            await producer.send(topic.name, body, key=key.encode(), headers=headers)
        await producer.flush()
    return size


async def publish_rules(stack: Stack, of: Chain, campaigns: Iterable[bytes]) -> None:
    """What the carts are decided by: stores, customers, segments, codes, campaigns (as messages)."""
    facts, now, key = of.facts, clock.now(), bytes.fromhex(stack.secrets.code_key)
    stores = [
        Store(
            store_id=store_id,
            name=store_id,
            region=place.region,
            time_zone=place.time_zone,
            currency=ISO4217(place.currency),
            location=place.location,
        )
        for store_id, place in facts.places.items()
    ]
    known = facts.customers.items()
    customers = [
        Customer(customer_id=name, groups=tuple(sorted(who.groups)), birthday=who.birthday)
        for name, who in known
    ]
    segments = [
        SegmentChange(customer_id=name, segment_id=segment, member=True, changed_at=now)
        for name, who in known
        for segment in sorted(who.segments)
    ]
    chunks = [
        CodeChunk(
            emission_id=code.emission_id,
            kind="mass",
            chunk=1,
            posted_at=now,
            digests=codes.pack([codes.digest(word.decode(), key)]),
        )
        for word, code in facts.codes.items()
    ]
    kafka = stack.kafka
    await publish(kafka, topics.STORES, [(one.store_id, one) for one in stores])
    await publish(kafka, topics.CUSTOMERS, [(one.customer_id, one) for one in customers])
    await publish(kafka, topics.SEGMENTS, [(one.customer_id, one) for one in segments])
    await publish(kafka, topics.CODES, [(one.emission_id, one) for one in chunks])
    keyed = [(f"campaign-{n}", body) for n, body in enumerate(campaigns)]
    await publish(kafka, topics.CAMPAIGNS, keyed)


async def publish_carts(stack: Stack, carts: Sequence[Cart], count: int) -> int:
    """Receipts of their own, each like one of ``carts``; returns the bytes of one, on average."""
    now = clock.now()
    receipts = [
        cart.model_copy(update={"receipt_id": f"r-{n}", "occurred_at": now})
        for n, cart in zip(range(count), itertools.cycle(carts), strict=False)
    ]
    keyed = [(f"{cart.store_id}:{cart.terminal_id}", cart) for cart in receipts]
    return await publish(stack.kafka, topics.CARTS, keyed) // count


async def measure(bench: Bench, url: str, variables: Mapping[str, str]) -> dict[str, float]:
    """The medians of all turns."""
    stack = bench.stack
    of = chain(CAMPAIGNS, CAMPAIGNS, Ruleset.empty())
    await publish_rules(stack, of, bodies(CAMPAIGNS))
    async with running("services.evaluator", **variables):
        while not await answers(url, variables["TILLSTREAM_INSTANCE"]):
            await asyncio.sleep(_POLL_SECONDS)
    cart_bytes = await publish_carts(stack, of.carts, CARTS)
    say(f"{CARTS} carts of {cart_bytes} bytes, {CAMPAIGNS} campaigns")
    rates: dict[str, list[float]] = {"decisions": [], "echo": []}
    decision_bytes = 0
    for turn in range(1, TURNS + 1):
        name = topics.DECISIONS.name
        rates["decisions"].append(await bench.rate(name, "services.evaluator", **variables))
        decision_bytes = decision_bytes or await mean_bytes(stack)
        arguments = (stack.kafka, topics.CARTS.name, _ECHO, str(decision_bytes))
        rates["echo"].append(await bench.rate(_ECHO, "tests.bench.echo_process", *arguments))
        shown = ", ".join(f"{name} {values[-1]:,.0f}/s" for name, values in rates.items())
        say(f"turn {turn} of {TURNS}: {shown}")
    per_s = {name: statistics.median(values) for name, values in rates.items()}
    return {
        **{f"{name}_per_s": round(value) for name, value in per_s.items()},
        "decisions_of_echo": round(per_s["decisions"] / per_s["echo"], 3),
        "cart_bytes": cart_bytes,
        "decision_bytes": decision_bytes,
        **await described(stack),
    }


async def mean_bytes(stack: Stack) -> int:
    """The mean length of a decision."""
    database = await asyncpg.connect(stack.database("evaluator"))
    try:
        return int(
            await database.fetchval("select avg(length(decision))::bigint from checkout_events")
        )
    finally:
        await database.close()


async def described(stack: Stack) -> dict[str, float]:
    """What the decisions are like: instruments considered and applied per cart."""
    database = await asyncpg.connect(stack.database("evaluator"))
    try:
        [row] = await database.fetch(
            "select avg(jsonb_array_length(coalesce(d -> 'applied', '[]')))::float as applied,"
            " avg(jsonb_array_length(coalesce(d -> 'not_applied', '[]')))::float as refused"
            " from (select convert_from(decision, 'utf8')::jsonb as d from checkout_events"
            " limit 1000) as decided"
        )
        return {"applied": round(row["applied"], 1), "not_applied": round(row["refused"], 1)}
    finally:
        await database.close()


async def main() -> None:
    """Start the servers, measure, and say what was found."""
    started = clock.monotonic()
    logging.disable(logging.WARNING)  # a new topic's first answers: no leader yet, try again
    with tempfile.TemporaryDirectory(prefix="tillstream-bench-") as directory:
        state = Path(directory)
        try:
            stack = await asyncio.to_thread(local.up, state, ("kafka", "postgres"))
            say(f"servers ready after {clock.monotonic() - started:.0f} s")
            found = await _measure(stack)
        finally:
            await asyncio.to_thread(local.down, state, delete=True)
    reached = found["decisions_of_echo"] >= TARGET
    say(
        f"{'reached' if reached else 'NOT reached'}: {TARGET} of the echo;"
        f" took {clock.monotonic() - started:.0f} s"
    )
    say(json.dumps(found))


async def _measure(stack: Stack) -> dict[str, float]:
    port = other()
    variables = environment(
        "evaluator",
        stack.secrets,
        kafka=stack.kafka,
        admin=stack.postgres,
        ports={"evaluator": port},
        inherited=os.environ,
    )
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(_ECHO, topics.CARTS.partitions, 1)])
    finally:
        await admin.close()
    async with AIOKafkaConsumer(bootstrap_servers=stack.kafka) as watcher:
        return await measure(Bench(stack, watcher), f"http://{HOST}:{port}", variables)


if __name__ == "__main__":
    asyncio.run(main())
