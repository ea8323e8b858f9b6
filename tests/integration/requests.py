"""Requests for personal codes, as the customers service makes them, and their answers."""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from deploy.local.stack import Stack
from shared import clock, topics
from shared.cluster import partitions_of
from shared.codec import cloud_event_headers, decode, encode
from shared.events.customers import CodeIssued, CodeRequest
from tests.integration.emission import new_id, ok, post
from tests.waiting import until


async def on_request(client: httpx.AsyncClient, **fields: Any) -> str:
    """A posted emission whose codes are only made on request; its id."""
    body = {"emission_id": new_id("e"), "name": "On request", "kind": "personal", "count": 0}
    emission_id: str = ok(await client.post("/v1/emissions", json=body | fields), 201)[
        "emission_id"
    ]
    await post(client, emission_id)
    return emission_id


def a_request(emission_id: str, **fields: Any) -> CodeRequest:
    """A request for a customer that no other test has, for an hour from now."""
    now = clock.now().replace(microsecond=0)
    known: dict[str, Any] = {
        "request_id": new_id("r"),
        "emission_id": emission_id,
        "customer_id": new_id("c"),
        "valid_until": now + timedelta(hours=1),
        "requested_at": now,
    }
    return CodeRequest(**(known | fields))


async def ask(stack: Stack, requests: Iterable[CodeRequest]) -> None:
    """Put the requests on their topic."""
    topic = topics.CODE_REQUESTS
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka) as producer:
        for one in requests:
            headers = cloud_event_headers(one.request_id, topic.event_type, "/test", clock.now())
            key = one.customer_id.encode()
            await producer.send(topic.name, encode(one), key=key, headers=headers)


async def answers(
    stack: Stack, request_ids: Collection[str], within_s: float = 60
) -> Mapping[str, CodeIssued]:
    """The answers to the requests, by id, as soon as all of them are there."""
    found: dict[str, CodeIssued] = {}
    topic = topics.CODES_ISSUED
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka, auto_offset_reset="earliest")
    async with consumer:
        consumer.assign(await partitions_of(stack.kafka, [topic.name]))

        async def complete() -> bool:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                for record in records:
                    issued = decode(CodeIssued, record.value)
                    if issued.request_id in request_ids:
                        found.setdefault(issued.request_id, issued)
            return found.keys() >= set(request_ids)

        await until(complete, within_s=within_s, what="answers to all requests")
    return found


async def issued(stack: Stack, *requests: CodeRequest) -> list[CodeIssued]:
    """Ask, and await the answers, in the order of the requests."""
    await ask(stack, requests)
    found = await answers(stack, {one.request_id for one in requests})
    return [found[one.request_id] for one in requests]


async def records_of(stack: Stack, topic: str, key: str) -> list[ConsumerRecord]:
    """Every record of the topic with the key, in order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka, auto_offset_reset="earliest")
    found = []
    async with consumer:
        partitions = await partitions_of(stack.kafka, [topic])
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            while await consumer.position(partition) < ends[partition]:
                read = await consumer.getmany(partition, timeout_ms=1000)
                found += [r for r in read.get(partition, ()) if r.key == key.encode()]
    return found
