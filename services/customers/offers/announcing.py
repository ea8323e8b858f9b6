"""What leaves by the outbox: offers for the CRM, requests for codes."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from services.customers.metrics import OFFERS
from services.customers.offers import life
from services.customers.offers.life import Record
from shared import topics
from shared.database import Connection
from shared.outbox import Message, put

SOURCE = "/customers"


async def tell(
    connection: Connection, changes: Sequence[tuple[Record | None, Record]], now: datetime
) -> None:
    """Tell of offers that stand otherwise than before, and ask for the codes of those that were just requested."""
    changed = [
        after for before, after in changes if before is None or before.status != after.status
    ]
    await put(connection, _messages(changed, now), SOURCE, now)
    for one in changed:
        OFFERS.labels(one.status).inc()


def _messages(changed: Iterable[Record], now: datetime) -> Iterable[Message]:
    for record in changed:
        key = record.customer_id.encode()
        if record.status == "requested":
            yield Message(topics.CODE_REQUESTS, key, life.request(record, now), record.offer_id)
        offer = life.told(record)
        if offer is not None:
            event_id = f"{record.offer_id}-{record.status}-{record.changed_at.timestamp():.6f}"
            yield Message(topics.OFFERS, key, offer, event_id)
