"""What is on the topics, read from the beginning after the replay: Kafka's side of the table.

A relay may send a message twice: everything is counted by its id.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.demo.receipts import Decision
from shared.topics import BONUSES, CAMPAIGNS, CARTS, DECISIONS, RECEIPTS, REDEMPTIONS, SALES

Key = tuple[str, str]
"""Campaign id, instrument id."""
_POLL_MS = 1_000


class _Receipt(msgspec.Struct):
    receipt_id: str
    discount: int
    paid: int


class _Redemption(msgspec.Struct):
    redemption_id: str
    status: str
    campaign_id: str
    instrument_id: str
    discount: int


class _Bonus(msgspec.Struct):
    entry_id: str
    points: int


class _Campaign(msgspec.Struct):
    campaign_id: str
    status: str


@dataclass
class Logged:
    """Sums of what was logged; money in cents. Instruments count committed redemptions."""

    campaigns: int = 0
    carts: int = 0
    sales: int = 0
    decisions: int = 0
    decided_discount: int = 0
    receipts: int = 0
    paid: int = 0
    discount: int = 0
    bonuses: int = 0
    unauthorised: int = 0
    dead_letters: int = 0
    activations: Counter[Key] = field(default_factory=Counter)
    discounts: Counter[Key] = field(default_factory=Counter)


async def read(kafka: str) -> Logged:
    """Everything on the topics, from their beginning to their end as of now."""
    logged = Logged()
    discounts = await decided(_values(kafka, DECISIONS.name))
    logged.decisions, logged.decided_discount = len(discounts), sum(discounts.values())
    await _read_receipts(kafka, logged)
    await _read_redemptions(kafka, logged)
    decoder = msgspec.json.Decoder(_Bonus)
    entries = [decoder.decode(value) async for value in _values(kafka, BONUSES.name)]
    logged.bonuses = sum({entry.entry_id: entry.points for entry in entries}.values())
    campaigns = msgspec.json.Decoder(_Campaign)
    states = [campaigns.decode(value) async for value in _values(kafka, CAMPAIGNS.name)]
    latest = {state.campaign_id: state.status for state in states}
    logged.campaigns = sum(status == "running" for status in latest.values())
    logged.carts = sum((await ends_of(kafka, [CARTS.name])).values())
    logged.sales = sum((await ends_of(kafka, [SALES.name])).values())
    for topic in (CARTS, SALES):
        logged.dead_letters += sum((await ends_of(kafka, [topic.dead_letter_name])).values())
    return logged


async def ends_of(kafka: str, topics: Sequence[str]) -> dict[tuple[str, int], int]:
    """The end offset of every partition of the topics."""
    async with _reader(kafka, topics) as consumer:
        ends = await consumer.end_offsets(_partitions(consumer, topics))
    return {(one.topic, one.partition): end for one, end in ends.items()}


def _reader(kafka: str, topics: Sequence[str]) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        *topics,
        bootstrap_servers=kafka,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )


def _partitions(consumer: AIOKafkaConsumer, topics: Sequence[str]) -> list[TopicPartition]:
    return [
        TopicPartition(topic, number)
        for topic in topics
        for number in sorted(consumer.partitions_for_topic(topic) or ())
    ]


async def _values(kafka: str, topic: str) -> AsyncIterator[bytes]:
    async with _reader(kafka, [topic]) as consumer:
        partitions = _partitions(consumer, [topic])
        ends = await consumer.end_offsets(partitions)
        while [one for one in partitions if await consumer.position(one) < ends[one]]:
            for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                for record in records:
                    if record.value is not None:
                        yield record.value


async def decided(values: AsyncIterator[bytes]) -> dict[str, int]:
    """The discount in cents of each decision, by its id: a cart that is decided twice has two."""
    decoder = msgspec.json.Decoder(Decision)
    discounts: dict[str, int] = {}
    async for value in values:
        decision = decoder.decode(value)
        if decision.outcome == "decided":
            discounts[decision.decision_id] = sum(line.discount for line in decision.lines)
    return discounts


async def _read_receipts(kafka: str, logged: Logged) -> None:
    decoder = msgspec.json.Decoder(_Receipt)
    receipts: dict[str, _Receipt] = {}
    async for value in _values(kafka, RECEIPTS.name):
        receipt = decoder.decode(value)
        receipts[receipt.receipt_id] = receipt
    logged.receipts = len(receipts)
    logged.paid = sum(receipt.paid for receipt in receipts.values())
    logged.discount = sum(receipt.discount for receipt in receipts.values())


async def _read_redemptions(kafka: str, logged: Logged) -> None:
    """A redemption's events are on one partition, in order: the last is its state."""
    decoder = msgspec.json.Decoder(_Redemption)
    states: dict[str, _Redemption] = {}
    async for value in _values(kafka, REDEMPTIONS.name):
        redemption = decoder.decode(value)
        states[redemption.redemption_id] = redemption
    for one in states.values():
        if one.status == "committed":
            logged.activations[one.campaign_id, one.instrument_id] += 1
            logged.discounts[one.campaign_id, one.instrument_id] += one.discount
        elif one.status == "unauthorised":
            logged.unauthorised += 1
