"""Carts and sales from Kafka: a batch is one transaction of the redemption counter (group commit)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiokafka.structs import ConsumerRecord

from services.evaluator import bonuses, outgoing, receipt
from services.evaluator.bonuses import Entry
from services.evaluator.counters import Counters
from services.evaluator.facts import Facts, Gatherer, Incoming, incoming, limits_of
from services.evaluator.receipt import ConflictError, Receipt
from services.evaluator.redemption import Redemption
from services.evaluator.store import ledger
from services.evaluator.store.ledger import Seen
from shared import outbox
from shared.codec import InvalidMessageError, decode, encode, header
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.events.checkout import Cart, Sale
from shared.outbox import Message
from shared.topics import CARTS, DECISIONS, SALES, terminal_key

CONSUMER = "evaluator.checkout"
TOPICS = (CARTS.name, SALES.name)
SOURCE = "tillstream/evaluator"
_LONGEST_EVENT_ID = 200


@dataclass
class Batch:
    """The work of one transaction: what was loaded, changed by each event in turn."""

    facts: Facts
    seen: dict[bytes, Seen]
    receipts: dict[str, Receipt]
    counters: Counters
    messages: list[Message] = field(default_factory=list)
    events: list[tuple[bytes, bytes, str, bytes | None, datetime]] = field(default_factory=list)
    changed: dict[str, Receipt] = field(default_factory=dict)
    redemptions: dict[str, tuple[str, Redemption]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)

    def take(self, came: Incoming) -> None:
        """Apply one event. Raises ``ConflictError``; then nothing has changed."""
        before = self.seen.get(came.key)
        if before is not None:
            self._again(came, before)
            return
        event = came.event
        self.facts.check(event)
        known = self.receipts[event.receipt_id]
        given = self.facts.circumstances(came)
        answered: bytes | None = None
        if isinstance(event, Cart):
            answer = receipt.answer(event, known, given, self.counters)
            answered = encode(answer.decision)
            key = terminal_key(event.store_id, event.terminal_id)
            self.messages.append(Message(DECISIONS, key, answered, answer.decision.decision_id))
            after = answer.receipt
        else:
            recorded = receipt.record(event, known, given, self.counters)
            self.messages.append(outgoing.receipt_message(recorded.record))
            after = recorded.receipt
        self.seen[came.key] = Seen(came.body_digest, answered)
        self.events.append((came.key, came.body_digest, event.receipt_id, answered, self.facts.now))
        self._change(known, after)

    def _again(self, came: Incoming, before: Seen) -> None:
        """The same event twice: one effect, the same answer; another body is a conflict."""
        if before.body_digest != came.body_digest:
            message = "ce_id: this event was sent before with another body"
            raise ConflictError("conflicting_event", message)
        if before.decision is not None:
            event = came.event
            key = terminal_key(event.store_id, event.terminal_id)
            decision_id = receipt.decision_id(came.key)
            self.messages.append(Message(DECISIONS, key, before.decision, decision_id))

    def _change(self, before: Receipt, after: Receipt) -> None:
        if after is before:
            return
        self.receipts[after.receipt_id] = self.changed[after.receipt_id] = after
        moved = outgoing.changed(before, after)
        # A cancel has a decision of its own, but its redemptions come from the one before.
        decision = (before if after.status == "cancelled" else after).decision
        if decision is None:
            return
        for redemption in moved:
            self.redemptions[redemption.redemption_id] = (after.receipt_id, redemption)
        self.messages += outgoing.redemption_messages(decision, moved, self.facts.now)
        if after.status == "paid" and decision.customer_id is not None:
            self.entries += bonuses.accrue(decision.customer_id, moved)
            self.messages += outgoing.bonus_messages(decision, moved, self.facts.now)


@dataclass(frozen=True, slots=True)
class Checkout:
    """Applies batches of ``checkout.carts.v1`` and ``checkout.sales.v1``."""

    gatherer: Gatherer

    async def apply(
        self, connection: Connection, records: Sequence[ConsumerRecord]
    ) -> Sequence[DeadLetter]:
        """Decide the carts and record the sales, all in the caller's transaction."""
        came, dead = _read(records)
        if not came:
            return dead
        batch = await self._load(connection, [incoming for _, incoming in came])
        for record, event in came:
            # A batch of thousand-line carts takes seconds: heartbeats and probes must get through.
            await asyncio.sleep(0)
            try:
                batch.take(event)
            except ConflictError as error:
                dead.append(DeadLetter(record, error.reason, str(error)))
        await _save(connection, batch)
        return dead

    async def _load(self, connection: Connection, came: Sequence[Incoming]) -> Batch:
        events = [item.event for item in came]
        facts = await self.gatherer.gather(connection, events, lock=True)
        terminals = {e.receipt_id: (e.store_id, e.terminal_id) for e in reversed(events)}
        await ledger.claim_receipts(connection, terminals)
        receipts = await ledger.receipts(connection, terminals.keys())
        caps = limits_of(list(receipts.values()))
        for event in events:
            if isinstance(event, Cart) or receipts[event.receipt_id].decision is None:
                caps |= facts.caps(event)
        return Batch(
            facts=facts,
            seen=await ledger.seen(connection, [item.key for item in came]),
            receipts=receipts,
            counters=await ledger.lock_limits(connection, caps) if caps else Counters({}),
        )


async def _save(connection: Connection, batch: Batch) -> None:
    now = batch.facts.now
    await ledger.save_receipts(connection, batch.changed.values(), now)
    await ledger.drop_claims(connection, sorted(batch.receipts.keys() - batch.changed.keys()))
    await ledger.save_redemptions(connection, list(batch.redemptions.values()), now)
    await ledger.save_limits(connection, batch.counters)
    await ledger.save_bonuses(connection, batch.entries, now)
    await ledger.save_seen(connection, batch.events)
    await outbox.put(connection, batch.messages, SOURCE, now)


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
            event: Cart | Sale = (
                decode(Cart, body) if record.topic == CARTS.name else decode(Sale, body)
            )
        except InvalidMessageError as error:
            dead.append(DeadLetter(record, error.reason, str(error)))
            continue
        came.append((record, incoming(event, event_id, body)))
    return came, dead
