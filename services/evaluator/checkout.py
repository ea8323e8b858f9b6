"""Carts, sales and returns from Kafka: a batch is one transaction of the redemption counter.

(Group commit.) However a stream is cut into batches, the same is decided: what an event changes, the
next one of its batch sees.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from aiokafka.structs import ConsumerRecord

from services.evaluator.cart import decode_cart
from services.evaluator.desk import Desk
from services.evaluator.facts import Gatherer, Incoming, incoming
from services.evaluator.receipt import ConflictError
from services.evaluator.sale import decode_sale
from services.evaluator.store import ledger
from shared.codec import InvalidMessageError, decode, header
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.events.checkout import Cart, Return, Sale
from shared.topics import CARTS, SALES

CONSUMER = "evaluator.checkout"
TOPICS = (CARTS.name, SALES.name)
_LONGEST_EVENT_ID = 200


async def sales_read_until(connection: Connection) -> datetime | None:
    """Until when all sales have been read; None while that is unknown (``ledger.sales_read_until``)."""
    return await ledger.sales_read_until(connection, CONSUMER, SALES.name, SALES.partitions)


async def read_until(connection: Connection) -> datetime | None:
    """Until when all carts, sales and returns have been read; None while that is unknown."""
    carts = await ledger.sales_read_until(connection, CONSUMER, CARTS.name, CARTS.partitions)
    sales = await sales_read_until(connection)
    return min(carts, sales) if carts and sales else None


@dataclass(frozen=True, slots=True)
class Checkout:
    """Applies batches of ``checkout.carts.v1`` and ``checkout.sales.v1``."""

    gatherer: Gatherer

    async def apply(
        self, connection: Connection, records: Sequence[ConsumerRecord]
    ) -> Sequence[DeadLetter]:
        """Decide the carts, record sales and returns, all in the caller's transaction."""
        came, dead = _read(records)
        if came:
            events = [incoming for _, incoming in came]
            outcomes = await Desk(self.gatherer).apply(connection, events)
            dead += [
                DeadLetter(record, outcome.reason, str(outcome))
                for (record, _), outcome in zip(came, outcomes, strict=True)
                if isinstance(outcome, ConflictError)
            ]
        return dead


def _read(
    records: Sequence[ConsumerRecord],
) -> tuple[list[tuple[ConsumerRecord, Incoming]], list[DeadLetter]]:
    """The events in the order in which the broker got them, whatever the batches they come in.

    Both topics have the broker's time. At the same millisecond carts go first: a sale follows its cart.
    """
    came, dead = [], []
    for record in sorted(records, key=lambda r: (r.timestamp, r.topic != CARTS.name)):
        event_id = header(record.headers, "ce_id")
        if not event_id or len(event_id) > _LONGEST_EVENT_ID:
            detail = f"header ce_id: 1 to {_LONGEST_EVENT_ID} characters that name the event"
            dead.append(DeadLetter(record, "missing_event_id", detail))
            continue
        body = record.value or b""
        try:
            event = _decode(record.topic, body)
        except InvalidMessageError as error:
            dead.append(DeadLetter(record, error.reason, str(error)))
            continue
        came.append((record, incoming(event, event_id, body)))
    return came, dead


class _Intent(msgspec.Struct):
    """What tells a return from a sale."""

    intent: object = None


_INTENT = msgspec.json.Decoder(_Intent)


def _decode(topic: str, body: bytes) -> Cart | Sale | Return:
    """The event in a body. Raises ``InvalidMessageError``."""
    if topic == CARTS.name:
        return decode_cart(body)
    try:
        is_return = _INTENT.decode(body).intent == "return"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return decode(Sale, body)  # whose error names what is wrong
    return decode(Return, body) if is_return else decode_sale(body)
