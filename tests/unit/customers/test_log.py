"""What of the messages that Faust hands over is applied."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import TopicPartition

from services.customers.log import MOST_BYTES, MOST_RECORDS, Chore, GapError, Log, portions
from shared import clock

PARTITION = TopicPartition("t", 0)


@dataclass(frozen=True)
class Message:
    offset: int
    partition: int = 0
    generation_id: int = 7
    topic: str = "t"
    timestamp: float = 1.5
    value: bytes | None = None


def log_at(**following: int) -> Log:
    log = Log("test", ["t"], "nowhere", None, None)  # type: ignore[arg-type]  # nothing is connected
    log._generation = 7
    log._applier.next |= {TopicPartition("t", int(n[1:])): at for n, at in following.items()}
    return log


def test_messages_go_to_their_partition_in_order() -> None:
    batch, moves = log_at(p0=3, p1=0)._batch([Message(3), Message(0, 1), Message(4)])
    assert {p.partition: [m.offset for m in read] for p, read in batch.items()} == {
        0: [3, 4],
        1: [0],
    }
    assert [(m.partition.partition, m.start, m.end) for m in moves] == [(0, 3, 5), (1, 0, 1)]


def test_what_is_applied_already_is_skipped() -> None:
    batch, [move] = log_at(p0=3)._batch([Message(1), Message(2), Message(3), Message(3)])
    assert [m.offset for m in batch[PARTITION]] == [3]
    assert (move.start, move.end) == (3, 4)
    assert log_at(p0=3)._batch([Message(2)]) == ({}, [])


def test_what_was_read_before_the_partitions_were_given_out_anew_is_dropped() -> None:
    assert log_at(p0=3)._batch([Message(3, generation_id=6)]) == ({}, [])


def test_another_instances_partition_is_dropped() -> None:
    assert log_at(p0=3)._batch([Message(3, partition=1)]) == ({}, [])


@pytest.mark.parametrize("offsets", [[5], [3, 5]])
def test_a_gap_is_no_batch(offsets: list[int]) -> None:
    """Faust has skipped records; to go on would lose them."""
    with pytest.raises(GapError, match="t/0 goes from"):
        log_at(p0=3)._batch([Message(offset) for offset in offsets])


def test_what_concerns_many_customers_is_applied_in_portions() -> None:
    """A transaction over hundreds of thousands of code holders would keep every receipt waiting."""
    sizes = [10, MOST_BYTES - 10, 1, MOST_BYTES + 5, 0, 7]
    messages = [Message(n, value=b"." * size) for n, size in enumerate(sizes)]
    found = [[one.offset for one in portion] for portion in portions(messages)]
    assert found == [[0, 1], [2], [3], [4, 5]]
    assert list(portions([])) == []


async def test_a_batch_is_what_was_gathered() -> None:
    log, gathered, now = log_at(), asyncio.Queue[list[Any]](), clock.now().timestamp()
    for offset in range(3):
        gathered.put_nowait([Message(offset, timestamp=now)])
    assert [one.offset for one in await log._batch_of(gathered)] == [0, 1, 2]
    assert not log._behind


async def test_behind_the_log_a_full_batch_is_waited_for() -> None:
    log, gathered, early = log_at(), asyncio.Queue[list[Any]](), clock.now().timestamp() - 2
    gathered.put_nowait([Message(0, timestamp=early)])
    batch = asyncio.create_task(log._batch_of(gathered))
    await asyncio.sleep(0)
    gathered.put_nowait([Message(n, timestamp=early) for n in range(1, MOST_RECORDS)])
    gathered.put_nowait([Message(MOST_RECORDS, timestamp=early)])
    assert len(await batch) == MOST_RECORDS
    assert log._behind
    assert len(await log._batch_of(gathered)) == 1


async def test_a_chore_that_spares_the_log_is_seldom_done_while_that_is_behind() -> None:
    log, done = log_at(), 0

    async def run() -> None:
        nonlocal done
        done += 1

    spared = log._sparing(Chore(run, every=0.1, behind=3600.0))
    log._behind = True
    await spared()
    await spared()
    assert done == 1
    log._behind = False
    await spared()
    assert done == 2
