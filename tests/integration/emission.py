"""What tests of emission share: an author, bodies, and what was published."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer

from deploy.local.stack import Stack
from shared import clock, topics
from shared.cluster import partitions_of
from shared.codec import decode, header
from shared.web.auth import SCOPES, sign
from tests.waiting import until


@asynccontextmanager
async def author(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A client of emission with every scope."""
    token = sign(stack.secrets.signing_key, "author", SCOPES, timedelta(hours=1), clock.now())
    async with httpx.AsyncClient(
        base_url=stack.url("emission"),
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
        trust_env=False,
    ) as one:
        yield one


def new_id(noun: str) -> str:
    """An id that no other test has."""
    return f"{noun}-{uuid4().hex[:10]}"


async def published(stack: Stack, topic: topics.Topic, key: str) -> list[tuple[str, Any]]:
    """Event ids and events of ``key``, oldest first, once the outbox is empty."""
    connection = await asyncpg.connect(stack.database("emission"))
    try:

        async def is_empty() -> bool:
            return not await connection.fetchval("select exists(select from outbox)")

        await until(is_empty)
    finally:
        await connection.close()
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = await partitions_of(stack.kafka, [topic.name])
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found = []
        for partition in partitions:
            while await consumer.position(partition) < ends[partition]:
                for record in (await consumer.getmany(partition, timeout_ms=1000)).get(
                    partition, []
                ):
                    if record.key == key.encode():
                        event = decode(topic.event, record.value)
                        found.append((header(record.headers, "ce_id") or "", event))
        return found
    finally:
        await consumer.stop()


def ok(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    """The answer's body, which must have this status."""
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


def faulty_fields(answer: httpx.Response, status: int) -> list[str]:
    """The fields that a problem document names."""
    document = ok(answer, status)
    assert answer.headers["content-type"] == "application/problem+json"
    return [error["field"] for error in document["errors"]]


async def post(client: httpx.AsyncClient, emission_id: str) -> None:
    """Post an emission and wait until it is."""
    ok(await client.post(f"/v1/emissions/{emission_id}/post"), 202)

    async def posted() -> bool:
        return bool(ok(await client.get(f"/v1/emissions/{emission_id}"))["status"] == "posted")

    await until(posted, within_s=90)


def mass(word: str, **fields: Any) -> dict[str, Any]:
    """A mass emission of the word."""
    return {"emission_id": new_id("e"), "name": word, "kind": "mass", "word": word} | fields


def new_word() -> str:
    """A word that no other test has."""
    return f"WELCOME{uuid4().hex[:8]}"


def a_store(**fields: Any) -> dict[str, Any]:
    """A store."""
    known = {"name": "First", "region": "North", "time_zone": "Europe/Kyiv", "currency": "UAH"}
    return {"store_id": new_id("s")} | known | fields


def a_product(**fields: Any) -> dict[str, Any]:
    """A product that costs 23.50."""
    known = {"name": "Bounty 57 g", "group": "sweets", "brand": "Bounty"}
    return {"sku": new_id("p"), "cost": 2350, "currency": "UAH"} | known | fields


def instrument_of(emission_id: str | None = None, percent: int = 1000) -> dict[str, Any]:
    """10% off receipts of 300.00, for codes of the emission if there is one."""
    conditions: list[dict[str, Any]] = [
        {"kind": "receipt_total", "compare": {"op": ">=", "value": 30_000}}
    ]
    if emission_id is not None:
        conditions.append({"kind": "promo_code", "emission_id": emission_id, "cap": 1000})
    return {
        "instrument_id": new_id("i"),
        "name": "10% off the receipt",
        "conditions": conditions,
        "benefit": {"kind": "percent_off", "percent": percent},
    }


def plan_of(*instruments: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A December campaign of the instruments, which is not over for long."""
    return {
        "campaign_id": new_id("c"),
        "name": "December",
        "comment": "first line\nsecond line",
        "time_zone": "Europe/Kyiv",
        "first_day": "2096-12-05",
        "last_day": "2096-12-31",
        "instruments": [one["instrument_id"] for one in instruments],
    } | fields
