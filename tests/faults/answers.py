"""What tills hear: decisions on their carts, and receipts of what they sold."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord

from deploy.log import Offsets
from shared.cluster import leave
from shared.codec import decode
from shared.events.outcome import Decision, Receipt
from shared.topics import DECISIONS, RECEIPTS

_STOP_SECONDS = 10


@dataclass
class Answers:
    """Decisions by receipt and revision, and the receipts that were recorded."""

    decisions: dict[tuple[str, int], Decision] = field(default_factory=dict)
    recorded: set[str] = field(default_factory=set)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def read(self, consumer: AIOKafkaConsumer) -> None:
        """Take in what comes, until cancelled."""
        while True:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    self._take(record)
                async with self._came:
                    self._came.notify_all()

    def _take(self, record: ConsumerRecord) -> None:
        if record.topic == RECEIPTS.name:
            receipt = decode(Receipt, record.value, ignore_unknown=True)
            self.recorded.add(receipt.receipt_id)
        else:
            decision = decode(Decision, record.value, ignore_unknown=True)
            self.decisions.setdefault((decision.receipt_id, decision.revision), decision)

    async def decision(self, receipt_id: str, revision: int, within_s: float) -> Decision | None:
        """The first answer to that revision; None if there is none in time."""
        name = (receipt_id, revision)
        try:
            async with self._came:
                await asyncio.wait_for(
                    self._came.wait_for(lambda: name in self.decisions), within_s
                )
        except TimeoutError:
            return None
        return self.decisions[name]

    async def receipt(self, receipt_id: str, within_s: float) -> bool:
        """Whether its sale is recorded, in time."""
        try:
            async with self._came:
                await asyncio.wait_for(
                    self._came.wait_for(lambda: receipt_id in self.recorded), within_s
                )
        except TimeoutError:
            return False
        return True


@asynccontextmanager
async def listening(kafka: str, since: Offsets) -> AsyncIterator[Answers]:
    """Answers that came since then."""
    answers = Answers()
    wanted = {p: n for p, n in since.items() if p.topic in (DECISIONS.name, RECEIPTS.name)}
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, fetch_max_wait_ms=50)
    await consumer.start()
    consumer.assign(list(wanted))
    for partition, offset in wanted.items():
        consumer.seek(partition, offset)
    reading = asyncio.create_task(answers.read(consumer))
    try:
        yield answers
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await leave(consumer, _STOP_SECONDS)
