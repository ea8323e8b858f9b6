"""What is left of a customer: rows that have the id anywhere, and what compacted topics say of it last."""

import asyncpg
from aiokafka import AIOKafkaConsumer

from deploy.local.stack import Stack
from shared.cluster import partitions_of
from shared.database import Connection
from shared.topics import Topic
from tests.waiting import until

_TABLES = """
select quote_ident(table_schema) || '.' || quote_ident(table_name) as name
from information_schema.tables
where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'
order by 1
"""


async def in_tables(stack: Stack, service: str, customer_id: str) -> dict[str, int]:
    """In how many rows of which table of a service the id is: in any column, also within bytes, once all was sent."""
    connection = await asyncpg.connect(stack.database(service))
    try:

        async def all_is_sent() -> bool:
            return not await connection.fetchval("select exists(select from outbox)")

        await until(all_is_sent, what="an empty outbox")
        return await in_database(connection, customer_id)
    finally:
        await connection.close()


async def in_database(connection: Connection, customer_id: str) -> dict[str, int]:
    """In how many rows of which of its tables the id is, in any column, also within bytes (not if they are compressed)."""
    found = {}
    for row in await connection.fetch(_TABLES):
        # A row as text has bytes in hex.
        count = await connection.fetchval(
            f"select count(*) from {row['name']} as one"  # noqa: S608 - names of our own
            " where strpos(one::text, $1) > 0 or strpos(one::text, $2) > 0",
            customer_id,
            customer_id.encode().hex(),
        )
        if count:
            found[row["name"].removeprefix("public.")] = count
    return found


async def latest(stack: Stack, topic: Topic) -> dict[bytes, bytes | None]:
    """What the topic says last of each key; None is a tombstone."""
    found: dict[bytes, bytes | None] = {}
    partitions = await partitions_of(stack.kafka, [topic.name])
    async with AIOKafkaConsumer(bootstrap_servers=stack.kafka) as consumer:
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(one) < end for one, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found |= {record.key: record.value for record in records}
    return found
