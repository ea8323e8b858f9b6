"""Databases and topics of a test's own, on the run's real servers."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

import services.emission
import shared
from deploy.local.stack import Stack
from shared import database
from shared.migrate import migrate
from tests.integration.emission import author

_PLUMBING = Path(shared.__file__).parent / "migrations"

NewTopicName = Callable[[int], Awaitable[str]]


@pytest.fixture
async def dsn(stack: Stack) -> AsyncIterator[str]:
    """The DSN of a fresh database with the plumbing's tables and a table for effects."""
    name = f"test_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(stack.postgres)
    await admin.execute(f"create database {name}")
    url = stack.postgres.rsplit("/", 1)[0] + f"/{name}"
    connection = await asyncpg.connect(url)
    await migrate(connection, [_PLUMBING])
    await connection.execute("create table effects (body text not null)")
    await connection.close()
    yield url
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """A pool on the test's own database."""
    async with await database.pool(dsn) as opened:
        yield opened


@pytest.fixture
async def emission_tables(pool: asyncpg.Pool) -> asyncpg.Pool:
    """A pool on emission's tables, in a database of the test's own: nothing reads or sends there."""
    async with pool.acquire() as connection:
        await migrate(connection, [Path(services.emission.__file__).parent / "migrations"])
    return pool


@pytest.fixture
async def new_topic(stack: Stack) -> AsyncIterator[NewTopicName]:
    """Makes topics with random names and as many partitions as asked for."""
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka)
    await admin.start()

    async def create(partitions: int) -> str:
        name = f"test-{secrets.token_hex(4)}"
        await admin.create_topics(
            [NewTopic(topic, partitions, 1) for topic in (name, f"{name}.dlq")]
        )
        return name

    yield create
    await admin.close()


@pytest.fixture
async def producer(stack: Stack) -> AsyncIterator[AIOKafkaProducer]:
    """A plain producer."""
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka) as opened:
        yield opened


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A client of emission, as an author with every scope."""
    async with author(stack) as one:
        yield one
