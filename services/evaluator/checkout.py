"""Carts, sales and returns from Kafka: a batch is one transaction of the redemption counter.

(Group commit.) However a stream is cut into batches, the same is decided: what an event changes, the
next one of its batch sees.
"""

import asyncio
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Literal

import msgspec
from aiokafka.structs import ConsumerRecord

from services.evaluator import bonuses, outgoing, purchases, receipt, recording, returns
from services.evaluator.answer import encode as encode_decision
from services.evaluator.bonuses import Entry
from services.evaluator.cart import decode_cart
from services.evaluator.counters import Counters
from services.evaluator.facts import Facts, Gatherer, Incoming, demand, incoming
from services.evaluator.promotion.period_end import come_late
from services.evaluator.promotion.ruleset import Considered
from services.evaluator.purchases import Histories, PaidReceipt
from services.evaluator.receipt import ConflictError, Receipt
from services.evaluator.redemption import Redemption
from services.evaluator.store import closing as closing_store
from services.evaluator.store import ledger
from services.evaluator.store import limits as limit_store
from services.evaluator.store import purchases as purchase_store
from services.evaluator.store.ledger import Applied, Seen
from shared import outbox
from shared.codec import InvalidMessageError, decode, header
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.events.checkout import Cart, Return, Sale
from shared.outbox import Message
from shared.topics import CARTS, DECISIONS, SALES, terminal_key

CONSUMER = "evaluator.checkout"
TOPICS = (CARTS.name, SALES.name)
SOURCE = "tillstream/evaluator"
_LONGEST_EVENT_ID = 200
_LINES_A_TURN = 200


@dataclass
class Batch:
    """The work of one transaction: what was loaded, changed by each event in turn.

    ``new`` are the receipts that were not known, ``paid`` those that returns of the batch may refer to.
    """

    facts: Facts
    seen: dict[bytes, Seen]
    receipts: dict[str, Receipt]
    new: AbstractSet[str]
    paid: dict[str, PaidReceipt]
    histories: Histories
    counters: Counters
    messages: list[Message] = field(default_factory=list)
    applied: list[Applied] = field(default_factory=list)
    changed: dict[str, Receipt] = field(default_factory=dict)
    redemptions: dict[str, tuple[str, Redemption]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    sold: list[PaidReceipt] = field(default_factory=list)
    returned: dict[str, PaidReceipt] = field(default_factory=dict)

    def take(self, came: Incoming, considered: Considered) -> None:
        """Apply one event. Raises ``ConflictError``; then nothing has changed."""
        before = self.seen.get(came.key)
        if before is not None:
            self._again(came, before)
            return
        event = came.event
        objection = self.facts.objection(event)
        if objection is not None:
            raise objection
        self.histories.remind(considered)
        match event:
            case Sale():
                self._record(event, came, considered)
            case Return():
                self._take_back(event, came)
            case cart:  # the contract's model or ``cart.PlainCart``
                self._answer(cart, came, considered)

    def _note(
        self,
        came: Incoming,
        kind: Literal["cart", "sale", "return"],
        decision: bytes | None = None,
        facts: recording.Facts | None = None,
    ) -> None:
        """Note an event with what was decided of it; the same again will be told by it."""
        self.seen[came.key] = Seen(came.body_digest, decision)
        self.applied.append(
            Applied(
                came.key,
                came.body_digest,
                came.event.receipt_id,
                kind,
                came.body,
                self.facts.now,
                decision,
                recording.encode_facts(facts) if facts else None,
            )
        )

    def _answer(self, cart: Cart, came: Incoming, considered: Considered) -> None:
        known = self.receipts[cart.receipt_id]
        given = self.facts.circumstances(cart, came, considered)
        answer = receipt.answer(cart, known, given, self.counters)
        answered = encode_decision(answer.decision)
        key = terminal_key(cart.store_id, cart.terminal_id)
        self.messages.append(Message(DECISIONS, key, answered, answer.decision.decision_id))
        facts = None if answer.free is None else recording.facts_of(given, answer.free)
        self._note(came, "cart", answered, facts)
        self._change(known, answer.receipt)

    def _record(self, sale: Sale, came: Incoming, considered: Considered) -> None:
        known = self.receipts[sale.receipt_id]
        given = self.facts.circumstances(sale, came, considered)
        recorded = receipt.record(sale, known, given, self.counters)
        self.messages.append(outgoing.receipt_message(recorded.record))
        if recorded.free is None or recorded.receipt.decision is None:
            self._note(came, "sale")
        else:
            facts = recording.facts_of(given, recorded.free)
            self._note(came, "sale", encode_decision(recorded.receipt.decision), facts)
        self._change(known, recorded.receipt)
        paid = purchases.paid_receipt(sale)
        self.paid[sale.receipt_id] = paid
        self.sold.append(paid)
        self.histories.put(paid)

    def _take_back(self, event: Return, came: Incoming) -> None:
        paid = self.paid.get(event.receipt_id)
        if paid is None:
            message = "receipt_id: no paid receipt is known by it; its sale may still be on its way"
            raise ConflictError("unknown_receipt", message)
        after = paid.after(returns.take_back(paid.sold, paid.returned, event.lines))
        self.paid[event.receipt_id] = self.returned[event.receipt_id] = after
        self.histories.put(after)
        self._note(came, "return")

    def _again(self, came: Incoming, before: Seen) -> None:
        """The same event twice: one effect, the same answer; another body is a conflict."""
        if before.body_digest != came.body_digest:
            message = "ce_id: this event was sent before with another body"
            raise ConflictError("conflicting_event", message)
        event = came.event
        if before.decision is not None and not isinstance(event, Sale | Return):
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


@dataclass(slots=True)
class _Turns:
    """Lets others have a turn, every so many lines.

    A batch of thousand-line carts takes seconds: heartbeats and probes must get through.
    """

    lines: int = 0

    async def before(self, came: Incoming) -> None:
        self.lines += len(came.event.lines)
        if self.lines >= _LINES_A_TURN:
            self.lines = 0
            await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Checkout:
    """Applies batches of ``checkout.carts.v1`` and ``checkout.sales.v1``."""

    gatherer: Gatherer

    async def apply(
        self, connection: Connection, records: Sequence[ConsumerRecord]
    ) -> Sequence[DeadLetter]:
        """Decide the carts, record sales and returns, all in the caller's transaction."""
        came, dead = _read(records)
        if not came:
            return dead
        batch, considered = await self._load(connection, [incoming for _, incoming in came])
        turns = _Turns()
        for (record, event), rules in zip(came, considered, strict=True):
            await turns.before(event)
            try:
                batch.take(event, rules)
            except ConflictError as error:
                dead.append(DeadLetter(record, error.reason, str(error)))
        await _save(connection, batch)
        return dead

    async def _load(
        self, connection: Connection, came: Sequence[Incoming]
    ) -> tuple[Batch, Sequence[Considered]]:
        """What the batch is decided with, and for each event what rules it may meet.

        Locks are taken in the order receipts, purchases, limits.
        """
        events = [item.event for item in came]
        facts = await self.gatherer.gather(connection, events, lock=True)
        named = {e.receipt_id: e for e in reversed(events) if not isinstance(e, Return)}
        receipts = await ledger.receipts(connection, named.keys()) if named else {}
        new = {i: receipt.open_receipt(e) for i, e in named.items() if i not in receipts}
        receipts |= new
        returned = [e.receipt_id for e in events if isinstance(e, Return)]
        paid = await purchase_store.paid_receipts(connection, returned) if returned else {}
        seen = await ledger.seen(connection, [item.key for item in came])
        considered = await _consider(came, facts, seen, receipts)
        wanted = purchases.wanted(considered, len(returned))
        found = await purchase_store.histories(connection, wanted) if wanted else {}
        histories = Histories(found)
        for each in considered:
            histories.remind(each)
        limits = demand(receipts.values(), considered)
        counters = (
            await limit_store.lock_limits(connection, limits.caps, limits.windows)
            if limits.caps
            else Counters({})
        )
        return Batch(facts, seen, receipts, new.keys(), paid, histories, counters), considered


async def _consider(
    came: Sequence[Incoming],
    facts: Facts,
    seen: Mapping[bytes, Seen],
    receipts: Mapping[str, Receipt],
) -> list[Considered]:
    """For each event the rules it may meet: nothing, if it needs none or will be refused."""
    nothing, turns = facts.consider_nothing(), _Turns()
    considered = []
    for item in came:
        await turns.before(item)
        event = item.event
        if (
            isinstance(event, Return)
            # It gets what its cart got.
            or (isinstance(event, Sale) and receipts[event.receipt_id].decision is not None)
            or item.key in seen
            or facts.objection(event) is not None
        ):
            considered.append(nothing)
        else:
            considered.append(facts.consider(event))
    return considered


async def _save(connection: Connection, batch: Batch) -> None:
    now = batch.facts.now
    changed = batch.changed
    await ledger.add_receipts(connection, [r for i, r in changed.items() if i in batch.new], now)
    known = [r for i, r in changed.items() if i not in batch.new]
    await ledger.save_receipts(connection, known, now)
    await ledger.save_redemptions(connection, [*batch.redemptions.values()], now, batch.new)
    await limit_store.save_limits(connection, batch.counters)
    await ledger.save_bonuses(connection, batch.entries, now)
    await purchase_store.save(connection, batch.sold)
    sold = [(paid.receipt_id, paid.customer_id, paid.occurred_at) for paid in batch.sold]
    await closing_store.note_late(connection, come_late(sold, now))
    await purchase_store.save_returned(connection, batch.returned.values())
    await ledger.save_applied(connection, batch.applied)
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
    return decode(Return, body) if is_return else decode(Sale, body)
