"""Reference data: campaigns, codes, stores, and what is known of customers."""

from collections.abc import Sequence
from datetime import UTC, datetime

from aiokafka.structs import ConsumerRecord

from services.evaluator.store import reference as reference_store
from shared import codes
from shared.codec import InvalidMessageError, decode
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.events.promotion import Campaign
from shared.events.reference import CodeChunk, Customer, SegmentChange, Store
from shared.events.values import Event
from shared.topics import BY_NAME, CAMPAIGNS, CODES, CUSTOMERS, SEGMENTS, STORES

CONSUMER = "evaluator.reference"
TOPICS = (STORES.name, CUSTOMERS.name, SEGMENTS.name, CODES.name, CAMPAIGNS.name)


async def apply(connection: Connection, records: Sequence[ConsumerRecord]) -> Sequence[DeadLetter]:
    """Save what the records say, in the caller's transaction."""
    came: dict[type[Event], list[tuple[ConsumerRecord, Event]]] = {}
    dead = []
    for record in records:
        model = BY_NAME[record.topic].event
        try:
            event = decode(model, record.value or b"", ignore_unknown=True)
            if isinstance(event, CodeChunk):
                _check_chunk(event)
        except (InvalidMessageError, ValueError) as error:
            reason = error.reason if isinstance(error, InvalidMessageError) else "invalid_field"
            dead.append(DeadLetter(record, reason, str(error)))
            continue
        came.setdefault(model, []).append((record, event))
    await _save(connection, came)
    return dead


async def _save(
    connection: Connection, came: dict[type[Event], list[tuple[ConsumerRecord, Event]]]
) -> None:
    stores = [event for _, event in came.get(Store, ()) if isinstance(event, Store)]
    if stores:
        await reference_store.save_stores(connection, stores)
    customers = [event for _, event in came.get(Customer, ()) if isinstance(event, Customer)]
    if customers:
        await reference_store.save_customers(connection, customers)
    changes = [
        event for _, event in came.get(SegmentChange, ()) if isinstance(event, SegmentChange)
    ]
    if changes:
        await reference_store.save_segments(connection, changes)
    chunks = [event for _, event in came.get(CodeChunk, ()) if isinstance(event, CodeChunk)]
    awaited = await reference_store.save_codes(connection, chunks) if chunks else []
    campaigns = {
        event.campaign_id: (record.offset, record.value or b"")
        for record, event in came.get(Campaign, ())
        if isinstance(event, Campaign)
    }
    if campaigns:
        await reference_store.save_campaigns(connection, campaigns)
        stops = {
            event.campaign_id: None
            if event.status == "running"
            else datetime.fromtimestamp(record.timestamp / 1000, UTC)
            for record, event in came[Campaign]
            if isinstance(event, Campaign)
        }
        await reference_store.save_stops(connection, stops)
    if awaited:
        await reference_store.codes_changed(connection, awaited)


def _check_chunk(chunk: CodeChunk) -> None:
    """Raises ``ValueError`` unless it holds whole digests, and a holder for each or none at all."""
    digests = codes.unpack(chunk.digests)
    if chunk.holders and len(chunk.holders) != len(digests):
        message = f"holders: {len(chunk.holders)} for {len(digests)} digests; one each, or none"
        raise ValueError(message)
