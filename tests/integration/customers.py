"""Customers for tests: what the service publishes of them, and what it keeps."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer

from deploy.local.stack import Stack
from shared.cluster import partitions_of
from shared.codec import decode
from shared.events.customers import Profile
from shared.topics import PROFILES
from tests.waiting import until


def new_customer() -> str:
    """An id that nobody has."""
    return f"c-{uuid4().hex[:12]}"


async def published(stack: Stack, customer_id: str) -> Profile | None:
    """The latest profile of a customer on the topic."""
    latest: bytes | None = None
    partitions = await partitions_of(stack.kafka, [PROFILES.name])
    async with AIOKafkaConsumer(bootstrap_servers=stack.kafka) as consumer:
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(one) < end for one, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    if record.key == customer_id.encode():
                        latest = record.value
    return None if latest is None else decode(Profile, latest, ignore_unknown=True)


async def profile_with(stack: Stack, customer_id: str, **expected: object) -> Profile:
    """The customer's published profile, once it says what is expected."""

    async def as_expected() -> Profile | None:
        profile = await published(stack, customer_id)
        said = profile and {name: getattr(profile, name) for name in expected}
        return profile if said == expected else None

    found = await until(as_expected, what=f"a profile with {expected}")
    assert found is not None
    return found


@asynccontextmanager
async def database(stack: Stack) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection to the service's database."""
    connection = await asyncpg.connect(stack.database("customers"))
    try:
        yield connection
    finally:
        await connection.close()
