"""Dead letters, for an operator: what could not be used and why, and sending it again."""

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID, uuid5

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from deploy.local.errors import StackError
from shared.cluster import partitions_of
from shared.codec import header
from shared.outbox import NUMBER_HEADER, PRODUCER_HEADER
from shared.topics import BY_NAME, MAX_MESSAGE_BYTES

_RETRIED = "tillstream.dead-letters"
"""The consumer group whose offsets tell how far dead letters have been sent again."""
_OURS = "ts_"
_NAMESPACE = UUID("6a1f9c1e-6f0b-4c57-9d0e-3d1b5f0a7c42")
_Client = TypeVar("_Client", AIOKafkaConsumer, AIOKafkaProducer)


@dataclass(frozen=True)
class Letter:
    """A dead letter; ``retried`` once it has been sent to its topic again."""

    record: ConsumerRecord
    retried: bool

    @property
    def topic(self) -> str:
        """The topic it came from."""
        return self._header("ts_origin_topic")

    @property
    def partition(self) -> int:
        """The partition of that topic."""
        return int(self._header("ts_origin_partition"))

    @property
    def whole(self) -> bool:
        """Whether the message was kept: one that is too large is only told of."""
        return not self._header("ts_truncated")

    @property
    def origin(self) -> str:
        """Topic, partition and offset it came from."""
        return f"{self.topic}/{self.partition}@{self._header('ts_origin_offset')}"

    @property
    def reason(self) -> str:
        """A word for counting."""
        return self._header("ts_reason")

    @property
    def detail(self) -> str:
        """What is wrong with which field; no content."""
        return self._header("ts_detail")

    @property
    def event_id(self) -> str:
        """The CloudEvents id of the event."""
        return self._header("ce_id")

    def _header(self, name: str) -> str:
        return header(self.record.headers, name) or ""


async def letters(kafka: str, topic: str | None = None) -> list[Letter]:
    """The dead letters that are kept, oldest first; of all topics by default."""
    with _clear(kafka):
        partitions = await _partitions(kafka, topic)
        async with _opened(_consumer(kafka)) as consumer:
            found = [letter async for letter in _read(consumer, partitions)]
    return sorted(found, key=lambda letter: letter.record.timestamp)


async def retry(
    kafka: str,
    topic: str | None = None,
    reason: str | None = None,
    event_id: str | None = None,
) -> int:
    """Send dead letters that were not sent again yet to their topics; returns how many.

    With ``reason`` or ``event_id`` only those; the rest stay to be retried. Carts and sales keep
    their event ids, by which they are applied once. On the other topics a letter is numbered by its
    offset, as a relay numbers what it sends, and consumers skip numbers that they have: numbers
    must rise, so there is no choosing there (``StackError``).
    """
    chosen = reason is not None or event_id is not None
    if chosen and (topic is None or not BY_NAME[topic].public):
        tills = " or ".join(each.name for each in BY_NAME.values() if each.public)
        msg = f"letters can be chosen on topics of tills only: give --topic {tills}"
        raise StackError(msg)
    with _clear(kafka):
        partitions = await _partitions(kafka, topic)
        async with _opened(_consumer(kafka)) as consumer, _opened(_producer(kafka)) as producer:
            sent = 0
            async for letter in _read(consumer, partitions):
                record = letter.record
                if letter.retried or reason not in (None, letter.reason):
                    continue
                if event_id not in (None, letter.event_id):
                    continue
                if letter.whole:
                    await _send(producer, letter)
                    sent += 1
                if not chosen:
                    done = {TopicPartition(record.topic, record.partition): record.offset + 1}
                    await consumer.commit(done)
    return sent


async def _send(producer: AIOKafkaProducer, letter: Letter) -> None:
    record = letter.record
    headers = [(k, v) for k, v in record.headers if not k.startswith(_OURS)]
    if not BY_NAME[letter.topic].public:
        identity = uuid5(_NAMESPACE, f"{record.topic}/{record.partition}")
        headers += [
            (PRODUCER_HEADER, str(identity).encode()),
            (NUMBER_HEADER, b"%d" % (record.offset + 1)),
        ]
    # Where it was: numbers are compared within a partition.
    await producer.send_and_wait(
        letter.topic, record.value, key=record.key, headers=headers, partition=letter.partition
    )


@contextmanager
def _clear(kafka: str) -> Iterator[None]:
    # It logs what is said here in one line.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        yield
    except (KafkaError, OSError) as error:
        msg = f"Kafka at {kafka} does not answer as it should ({type(error).__name__}): try again"
        raise StackError(msg) from error


def _consumer(kafka: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=kafka,
        group_id=_RETRIED,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )


def _producer(kafka: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=kafka,
        enable_idempotence=True,
        max_request_size=MAX_MESSAGE_BYTES + 64 * 1024,
    )


@asynccontextmanager
async def _opened(client: _Client) -> AsyncIterator[_Client]:
    try:
        await client.start()
        yield client
    finally:
        await client.stop()  # also when its start failed


async def _partitions(kafka: str, topic: str | None) -> list[TopicPartition]:
    topics = [BY_NAME[topic]] if topic else list(BY_NAME.values())
    return await partitions_of(kafka, [each.dead_letter_name for each in topics])


async def _read(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]
) -> AsyncIterator[Letter]:
    consumer.assign(partitions)
    origins = set()
    beginnings = await consumer.beginning_offsets(partitions)
    ends = await consumer.end_offsets(partitions)
    for partition in partitions:
        retried = await consumer.committed(partition) or 0
        consumer.seek(partition, beginnings[partition])
        position = beginnings[partition]
        while position < ends[partition]:
            for record in (await consumer.getmany(partition, timeout_ms=1_000)).get(partition, ()):
                position = record.offset + 1
                letter = Letter(record, record.offset < retried)
                # A relay may send a letter twice, and two consumers may refuse one message.
                if letter.origin not in origins:
                    origins.add(letter.origin)
                    yield letter
