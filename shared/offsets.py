"""Where a consumer stands, in PostgreSQL: offsets that fence, and the numbers already applied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aiokafka import TopicPartition

from shared.cluster import WrongClusterError
from shared.database import Connection


class FencedError(RuntimeError):
    """Another consumer has moved a partition's offset: this batch must not count."""


class OffsetOutsideLogError(RuntimeError):
    """The saved offset is not in the log any more (or not yet): events would be lost."""


@dataclass(frozen=True)
class Move:
    """A step of one partition: ``start`` → ``end``, and until when all has been read."""

    partition: TopicPartition
    start: int
    end: int
    read_until: datetime | None = None


_FENCE = """
update offsets set next = move.finish, read_until = greatest(offsets.read_until, move.read_until)
from unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::timestamptz[])
    as move (topic, partition, start, finish, read_until)
where offsets.consumer = $1 and offsets.topic = move.topic
    and offsets.partition = move.partition and offsets.next = move.start
"""


async def fence(connection: Connection, consumer: str, moves: Sequence[Move]) -> None:
    """Move the offsets, first thing in the transaction; ``FencedError`` if one was moved by another.

    The rows stay locked until the transaction ends, so of two consumers that believe to have the
    partition one waits here and then finds nothing to move.
    """
    tag = await connection.execute(
        _FENCE,
        consumer,
        [move.partition.topic for move in moves],
        [move.partition.partition for move in moves],
        [move.start for move in moves],
        [move.end for move in moves],
        [move.read_until for move in moves],
    )
    if int(tag.rsplit(" ", 1)[1]) != len(moves):
        raise FencedError(consumer)


_START = """
insert into offsets (consumer, topic, partition, next, cluster_id)
select $1, topic, partition, next, $2
from unnest($3::text[], $4::int[], $5::bigint[]) as fresh (topic, partition, next)
on conflict do nothing
"""
_POSITIONS = """
select topic, partition, next, cluster_id from offsets
where consumer = $1 and (topic, partition) in (select * from unnest($2::text[], $3::int[]))
"""


async def positions(
    connection: Connection,
    consumer: str,
    cluster_id: str,
    beginnings: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> dict[TopicPartition, int]:
    """The offset to read next of each partition; a new partition is begun at its first offset.

    Raises ``WrongClusterError`` and ``OffsetOutsideLogError``, each saying what to do.
    """
    topics = [partition.topic for partition in beginnings]
    numbers = [partition.partition for partition in beginnings]
    await connection.execute(
        _START, consumer, cluster_id, topics, numbers, list(beginnings.values())
    )
    found = {}
    for topic, number, following, saved_cluster in await connection.fetch(
        _POSITIONS, consumer, topics, numbers
    ):
        partition = TopicPartition(topic, number)
        if saved_cluster != cluster_id:
            message = (
                f"{consumer}: offsets of {topic} belong to Kafka cluster {saved_cluster}, this is "
                f"{cluster_id}: connect to the cluster that this database was filled from"
            )
            raise WrongClusterError(message)
        if not beginnings[partition] <= following <= ends[partition]:
            message = (
                f"{consumer}: offset {following} of {topic}/{number} is outside the log "
                f"({beginnings[partition]}–{ends[partition]}): restore the topic, or set "
                "offsets.next by hand once the loss is accepted"
            )
            raise OffsetOutsideLogError(message)
        found[partition] = following
    return found


Numbers = dict[tuple[TopicPartition, str], int]
"""The highest number applied, by partition and producer."""


async def load_numbers(
    connection: Connection, consumer: str, partitions: Sequence[TopicPartition]
) -> Numbers:
    """The highest numbers applied of each producer on the partitions."""
    rows = await connection.fetch(
        "select topic, partition, producer, number from sequences where consumer = $1"
        " and (topic, partition) in (select * from unnest($2::text[], $3::int[]))",
        consumer,
        [partition.topic for partition in partitions],
        [partition.partition for partition in partitions],
    )
    return {(TopicPartition(r[0], r[1]), str(r[2])): r[3] for r in rows}


async def save_numbers(connection: Connection, consumer: str, numbers: Numbers) -> None:
    """Save the highest numbers, in the transaction that applied their messages."""
    if not numbers:
        return
    keys = sorted(numbers)
    await connection.execute(
        "insert into sequences (consumer, topic, partition, producer, number)"
        " select $1, * from unnest($2::text[], $3::int[], $4::uuid[], $5::bigint[])"
        " on conflict (consumer, topic, partition, producer) do update set number = excluded.number",
        consumer,
        [partition.topic for partition, _ in keys],
        [partition.partition for partition, _ in keys],
        [UUID(producer) for _, producer in keys],
        [numbers[key] for key in keys],
    )
