"""Customers for tests: what the service publishes of them, and what it keeps."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.partitioner import DefaultPartitioner

from deploy.local.stack import Stack
from shared import clock
from shared.cluster import partitions_of
from shared.codec import decode
from shared.events.customers import Profile
from shared.topics import PROFILES
from tests.waiting import until

_RECENT = timedelta(minutes=5)


def new_customer() -> str:
    """An id that nobody has."""
    return f"c-{uuid4().hex[:12]}"


@dataclass
class Reader:
    """Reads a customer's profile on the topic, once and on: the topic has all customers of all tests."""

    consumer: AIOKafkaConsumer
    partitions: list[TopicPartition]
    key: bytes
    latest: bytes | None = None

    async def read(self) -> Profile | None:
        """The latest profile of all that is on the topic now."""
        ends = await self.consumer.end_offsets(self.partitions)
        while any([await self.consumer.position(one) < end for one, end in ends.items()]):
            for records in (await self.consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    if record.key == self.key:
                        self.latest = record.value
        if self.latest is None:
            return None
        return decode(Profile, self.latest, ignore_unknown=True)


@asynccontextmanager
async def reading(stack: Stack, customer_id: str) -> AsyncIterator[Reader]:
    """A reader of what was published in the last minutes, of the customer's partition.

    A run has hundreds of thousands of profiles.
    """
    every = await partitions_of(stack.kafka, [PROFILES.name])
    numbers = [partition.partition for partition in every]
    key = customer_id.encode()
    partitions = [TopicPartition(PROFILES.name, DefaultPartitioner()(key, numbers, numbers))]
    since_ms = int((clock.now() - _RECENT).timestamp() * 1_000)
    async with AIOKafkaConsumer(bootstrap_servers=stack.kafka) as consumer:
        consumer.assign(partitions)
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, since_ms))
        for partition, at in found.items():
            if at is None:
                await consumer.seek_to_end(partition)
            else:
                consumer.seek(partition, at.offset)
        yield Reader(consumer, partitions, key)


async def profile_with(stack: Stack, customer_id: str, **expected: object) -> Profile:
    """The customer's published profile, once it says what is expected."""
    async with reading(stack, customer_id) as reader:

        async def as_expected() -> Profile | None:
            profile = await reader.read()
            said = profile and {name: getattr(profile, name) for name in expected}
            return profile if said == expected else None

        found = await until(as_expected, within_s=60, what=f"a profile with {expected}")
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
