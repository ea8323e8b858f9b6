"""The way from the tills to Kafka: messages come twice, late and out of order, as the seed says."""

import asyncio
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared import clock
from shared.codec import cloud_event_headers
from shared.events.checkout import Return
from shared.topics import terminal_key
from tests.faults import errands
from tests.faults.book import Book, Sent

_AGAIN_SECONDS = 0.3
_RETURN_TYPE = "tillstream.checkout.return.v1"


@dataclass
class Network:
    """Sends the tills' events; a till that gets no acknowledgement sends the same again."""

    producer: AIOKafkaProducer
    book: Book
    seed: int
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    async def send(self, sent: Sent) -> None:
        """Send an event once more. Returns at once if it is late, else when Kafka has it."""
        fate = errands.fate(self.seed, sent.event_id, sent.attempts)
        if sent.attempts:
            self.book.counts["sent again"] += 1
        sent.attempts += 1
        self.book.counts["duplicated"] += len(fate.delays) - 1
        self.book.counts["delayed"] += sum(delay > 0 for delay in fate.delays)
        for delay in fate.delays:
            if delay:
                task = asyncio.create_task(self._later(sent, delay))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            else:
                await self.deliver(sent)

    async def _later(self, sent: Sent, delay: float) -> None:
        await asyncio.sleep(delay)
        await self.deliver(sent)

    async def deliver(self, sent: Sent) -> None:
        """Until Kafka has acknowledged it."""
        event = sent.event
        kind = _RETURN_TYPE if isinstance(event, Return) else sent.topic.event_type
        source = f"{event.store_id}/{event.terminal_id}"
        headers = cloud_event_headers(sent.event_id, kind, source, clock.now())
        key = terminal_key(event.store_id, event.terminal_id)
        while True:
            try:
                await self.producer.send_and_wait(
                    sent.topic.name, sent.body, key=key, headers=headers
                )
            except KafkaError:
                self.book.counts["not acknowledged"] += 1
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                sent.acknowledged = True
                return

    async def quiet(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way)


def producer(kafka: str) -> AIOKafkaProducer:
    """A producer as simple tills have it: what is not acknowledged in time is sent again.

    It is not idempotent, so that its own retries bring real duplicates.
    """
    return AIOKafkaProducer(
        bootstrap_servers=kafka,
        acks="all",
        linger_ms=2,
        request_timeout_ms=4_000,
        retry_backoff_ms=100,
    )
