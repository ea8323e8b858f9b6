"""Reference data: campaigns, codes, stores, what is known of customers, from whom promotions are withheld, and who is to be forgotten."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiokafka.structs import ConsumerRecord

from services.evaluator.promotion.blocks import Subject
from services.evaluator.store import blocks as block_store
from services.evaluator.store import erasure as erasure_store
from services.evaluator.store import reference as reference_store
from shared import codes
from shared.codec import InvalidMessageError, decode
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.events.customers import Block, Erasure
from shared.events.promotion import Campaign
from shared.events.reference import CodeChunk, Customer, SegmentChange, Store
from shared.events.values import Event
from shared.topics import (
    BLOCKS,
    BY_NAME,
    CAMPAIGNS,
    CODES,
    CUSTOMERS,
    ERASURES,
    SEGMENTS,
    STORES,
)

CONSUMER = "evaluator.reference"
_TOPICS = (STORES, CUSTOMERS, SEGMENTS, CODES, CAMPAIGNS, BLOCKS, ERASURES)
TOPICS = tuple([topic.name for topic in _TOPICS])
_FORGETTABLE = {CUSTOMERS.name, SEGMENTS.name, BLOCKS.name}
"""Topics on which a key without a value means that what it is about is to be forgotten."""


async def apply(connection: Connection, records: Sequence[ConsumerRecord]) -> Sequence[DeadLetter]:
    """Save what the records say, in the caller's transaction."""
    came = _Came()
    dead = []
    for record in records:
        try:
            if record.value is None and record.topic in _FORGETTABLE:
                came.forget(record.topic, (record.key or b"").decode())
            else:
                model = BY_NAME[record.topic].event
                came.take(record, decode(model, record.value or b"", ignore_unknown=True))
        except (InvalidMessageError, ValueError) as error:
            reason = error.reason if isinstance(error, InvalidMessageError) else "invalid_field"
            dead.append(DeadLetter(record, reason, str(error)))
    await came.save(connection)
    return dead


@dataclass
class _Came:
    """What a batch says, the last of each: None, that it is to be forgotten.

    Of segments all changes are kept, since the latest is told by its time, by key; ``left`` are keys that were
    forgotten before those.
    """

    stores: list[Store] = field(default_factory=list)
    customers: dict[str, Customer | None] = field(default_factory=dict)
    segments: dict[str, list[SegmentChange]] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    chunks: list[CodeChunk] = field(default_factory=list)
    campaigns: list[tuple[ConsumerRecord, Campaign]] = field(default_factory=list)
    blocks: dict[Subject, Block | None] = field(default_factory=dict)
    erasures: list[tuple[str, str, datetime]] = field(default_factory=list)

    def take(self, record: ConsumerRecord, event: Event) -> None:
        """Note an event. Raises ``ValueError`` for one that contradicts itself."""
        match event:
            case Store():
                self.stores.append(event)
            case Customer():
                self.customers[event.customer_id] = event
            case SegmentChange():
                key = f"{event.customer_id}:{event.segment_id}"
                self.segments.setdefault(key, []).append(event)
            case CodeChunk():
                _check_chunk(event)
                self.chunks.append(event)
            case Campaign():
                self.campaigns.append((record, event))
            case Block():
                self.blocks[Subject(event.subject_kind, event.subject)] = event
            case Erasure():
                self.erasures.append((event.erasure_id, event.customer_id, _instant_of(record)))

    def forget(self, topic: str, key: str) -> None:
        """Note that what the key is about is to be forgotten. Raises ``ValueError`` for a key of nothing."""
        if topic == CUSTOMERS.name:
            self.customers[key] = None
        elif topic == SEGMENTS.name:
            self.segments.pop(key, None)
            self.left.add(key)
        else:
            self.blocks[_subject(key)] = None

    async def save(self, connection: Connection) -> None:
        """Save all of it; what carts wait for, the rules' row, goes last."""
        if self.stores:
            await reference_store.save_stores(connection, self.stores)
        if self.erasures:
            await erasure_store.ask(connection, self.erasures)
        if self.customers:
            await reference_store.save_customers(connection, self.customers)
        if self.left:
            await reference_store.forget_segments(connection, self.left)
        if self.segments:
            changes = [change for some in self.segments.values() for change in some]
            await reference_store.save_segments(connection, changes)
        awaited = await reference_store.save_codes(connection, self.chunks) if self.chunks else []
        if self.campaigns:
            await _save_campaigns(connection, self.campaigns)
        if awaited:
            await reference_store.codes_changed(connection, awaited)
        if self.blocks:
            await block_store.save(connection, self.blocks)


async def _save_campaigns(
    connection: Connection, came: Iterable[tuple[ConsumerRecord, Campaign]]
) -> None:
    states = {one.campaign_id: (record, one) for record, one in came}
    await reference_store.save_campaigns(
        connection, {name: (r.offset, r.value or b"") for name, (r, _) in states.items()}
    )
    stops = {
        name: None if one.status == "running" else _instant_of(record)
        for name, (record, one) in states.items()
    }
    await reference_store.save_stops(connection, stops)


def _instant_of(record: ConsumerRecord) -> datetime:
    return datetime.fromtimestamp(record.timestamp / 1000, UTC)


def _subject(key: str) -> Subject:
    kind, _, name = key.partition(":")
    match kind:
        case "customer" | "device" | "cashier":
            return Subject(kind, name)
        case _:
            message = "key: customer, device or cashier, a colon, and which"
            raise ValueError(message)


def _check_chunk(chunk: CodeChunk) -> None:
    """Raises ``ValueError`` unless it holds whole digests, and a holder for each or none at all."""
    digests = codes.unpack(chunk.digests)
    if chunk.holders and len(chunk.holders) != len(digests):
        message = f"holders: {len(chunk.holders)} for {len(digests)} digests; one each, or none"
        raise ValueError(message)
