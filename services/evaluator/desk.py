"""The desk at which all tills are served: events are applied in one transaction, whoever brought them.

A Kafka batch is one turn at the desk, the HTTP requests that came meanwhile another (group commit). Locks are
taken in the order rules (shared), receipts, purchases, limits, accounts: turns wait for each other and never crosswise.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.evaluator import metrics, orders, purchases, receipt
from services.evaluator.account import Funds
from services.evaluator.accounts import Accounts
from services.evaluator.batch import Batch, Decided
from services.evaluator.cart import decode_cart
from services.evaluator.counters import Counters
from services.evaluator.facts import Facts, Gatherer, Incoming, demand, incoming
from services.evaluator.guessing import Guesses, Subject, Tally
from services.evaluator.hearing import Hearing, cart_with_codes, sender_of
from services.evaluator.orders import Confirm, Order
from services.evaluator.outgoing import SOURCE, movement_messages
from services.evaluator.promotion.period_end import come_late
from services.evaluator.promotion.ruleset import Considered, Ruleset
from services.evaluator.purchases import Histories, PaidReceipt
from services.evaluator.receipt import ConflictError, Receipt, event_key_of
from services.evaluator.record import bonuses_named
from services.evaluator.recording import decode_facts
from services.evaluator.replay import event_of
from services.evaluator.sale import decode_sale
from services.evaluator.store import accounts as account_store
from services.evaluator.store import closing as closing_store
from services.evaluator.store import guessing as guessing_store
from services.evaluator.store import ledger
from services.evaluator.store import limits as limit_store
from services.evaluator.store import purchases as purchase_store
from services.evaluator.store import recordings as recording_store
from services.evaluator.store.ledger import Seen
from shared import outbox
from shared.database import Connection, together
from shared.events.checkout import Cart, Return, Sale
from shared.topics import ATTEMPTS

_LINES_A_TURN = 200


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order, and what names it: ``sent`` is what was sent, ``order_id`` the sender's name of it."""

    order: Order
    order_id: str
    sent: bytes


Brought = Incoming | Ordered
Outcome = bytes | ConflictError
"""What the sender is told: the answer, or what is in the way (then nothing has changed)."""


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
class Desk:
    """Applies what is brought, all in the caller's transaction, one after another."""

    gatherer: Gatherer

    async def apply(self, connection: Connection, brought: Sequence[Brought]) -> list[Outcome]:
        """For each what its sender is told; the caller commits before anybody is."""
        outcomes: list[Outcome] = []
        for run in _runs(brought):
            outcomes += await self._apply(connection, run)
        refused = Counter([one.reason for one in outcomes if isinstance(one, ConflictError)])
        for reason, count in refused.items():
            metrics.REFUSED.labels(reason).inc(count)
        return outcomes

    async def _apply(self, connection: Connection, brought: Sequence[Brought]) -> list[Outcome]:
        ruleset, now = await self.gatherer.rulesets.current(connection, lock=True)
        receipts, carts = await ledger.receipts(
            connection, {_receipt_id(one) for one in brought}, _confirmed(brought)
        )
        resolved = _resolve(brought, receipts, carts, now)
        came = [one for one in resolved if isinstance(one, Incoming)]
        if not came:
            return [one for one in resolved if isinstance(one, ConflictError)]
        batch, considered = await self._load(connection, came, receipts, ruleset, now)
        turns, outcomes, rules = _Turns(), list[Outcome](), iter(considered)
        for one in resolved:
            if isinstance(one, ConflictError):
                outcomes.append(one)
                continue
            await turns.before(one)
            try:
                outcomes.append(batch.take(one, next(rules)))
            except ConflictError as error:
                outcomes.append(error)
        await _save(connection, batch)
        _count(batch)
        return outcomes

    async def _load(
        self,
        connection: Connection,
        came: Sequence[Incoming],
        receipts: dict[str, Receipt],
        ruleset: Ruleset,
        now: datetime,
    ) -> tuple[Batch, Sequence[Considered]]:
        """What the batch is decided with, and for each event what rules it may meet."""
        events = [item.event for item in came]
        facts = await self.gatherer.gather(connection, events, ruleset, now)
        named = {e.receipt_id: e for e in reversed(events) if e.intent != "return"}
        new = {i: receipt.open_receipt(e) for i, e in named.items() if i not in receipts}
        receipts |= new
        returned = [e.receipt_id for e in events if e.intent == "return"]
        paid = await purchase_store.paid_receipts(connection, returned) if returned else {}
        senders = {item.key: sender_of(cart) for item in came if (cart := cart_with_codes(item))}
        seen, tallies = await together(
            connection,
            ledger.seen([item.key for item in came]),
            guessing_store.held_against({one for each in senders.values() for one in each}),
        )
        considered = await _consider(came, facts, seen, receipts)
        hearing = _hear(came, facts, seen, senders, tallies)
        possible = [*considered, *hearing.unheard.values()]
        wanted = purchases.wanted(possible, len(returned))
        found = await purchase_store.histories(connection, wanted) if wanted else {}
        histories = Histories(found)
        for each in possible:
            histories.remind(each)
        limits = demand(receipts.values(), possible, returned, facts.ruleset)
        counters = (
            await limit_store.lock_limits(connection, limits.caps, limits.windows, _leases(events))
            if limits.caps
            else Counters({})
        )
        accounts, funds = await _accounts(connection, came, receipts, paid, considered, now)
        repriced = [e.receipt_id for e in events if e.intent == "return" and e.policy == "reprice"]
        recorded = await _recorded(connection, [receipts[i] for i in repriced if i in receipts])
        return (
            Batch(
                facts,
                seen,
                receipts,
                new.keys(),
                paid,
                histories,
                hearing,
                counters,
                accounts,
                funds,
                recorded,
            ),
            considered,
        )


def _receipt_id(one: Brought) -> str:
    return one.event.receipt_id if isinstance(one, Incoming) else one.order.receipt_id


def _leases(events: Iterable[Cart | Sale | Return]) -> set[str]:
    """The leases that sales name."""
    sales = [event for event in events if event.intent == "sale"]
    return {given.lease_id for sale in sales for given in sale.given if given.lease_id}


def _runs(brought: Sequence[Brought]) -> Iterator[Sequence[Brought]]:
    """Cut before what needs its receipt as it was saved: orders, and sales to be decided again."""
    run: list[Brought] = []
    named: set[str] = set()
    for one in brought:
        saved = isinstance(one, Ordered) or (
            one.event.intent == "return" and one.event.policy == "reprice"
        )
        if saved and _receipt_id(one) in named:
            yield run
            run, named = [], set()
        run.append(one)
        named.add(_receipt_id(one))
    if run:
        yield run


def _confirmed(brought: Iterable[Brought]) -> set[str]:
    """The receipts that are to be confirmed."""
    ordered = [one.order for one in brought if isinstance(one, Ordered)]
    return {order.receipt_id for order in ordered if isinstance(order, Confirm)}


def _resolve(
    brought: Sequence[Brought],
    receipts: Mapping[str, Receipt],
    carts: Mapping[str, bytes],
    now: datetime,
) -> list[Incoming | ConflictError]:
    """The events that orders stand for; ``carts`` are the bodies of those that are confirmed, by receipt."""
    resolved: list[Incoming | ConflictError] = []
    for one in brought:
        try:
            resolved.append(
                one if isinstance(one, Incoming) else _event_of(one, receipts, carts, now)
            )
        except ConflictError as error:
            resolved.append(error)
    return resolved


def _event_of(
    one: Ordered, receipts: Mapping[str, Receipt], carts: Mapping[str, bytes], now: datetime
) -> Incoming:
    known = receipts.get(one.order.receipt_id)
    if known is None:
        message = "receipt_id: no receipt is known by it; send its cart first"
        raise ConflictError("unknown_receipt", message)
    if isinstance(one.order, Confirm):
        body = orders.sale_of(one.order, known, carts.get(known.receipt_id, b"{}"), now)
        sale = decode_sale(body)
        # A till's orders may all say the same, nothing: what tells them apart is the receipt.
        name = f"confirm/{known.receipt_id}/{one.order_id}"
        return incoming(sale, name, body, sent=one.sent, waiting=True, confirms=True)
    body = orders.cancel_of(known, now)
    # A receipt may be checked out again after it was cancelled, and cancelled again.
    name = f"cancel/{known.receipt_id}/{known.revision}/{one.order_id}"
    return incoming(decode_cart(body), name, body, sent=one.sent, waiting=True)


async def _consider(
    came: Sequence[Incoming],
    facts: Facts,
    seen: Mapping[bytes, Seen],
    receipts: Mapping[str, Receipt],
) -> list[Considered]:
    """For each event the rules it may meet: nothing, if it needs none or will be refused."""
    nothing, turns = facts.consider_nothing(), _Turns()
    considered = []
    named: set[str] = set()
    for item in came:
        await turns.before(item)
        event = item.event
        # What comes before it in the batch may decide its receipt anew, for somebody else.
        first = event.receipt_id not in named
        named.add(event.receipt_id)
        if (
            event.intent == "return"
            or (event.intent == "sale" and first and _is_decided(item, receipts))
            or item.key in seen
            or facts.objection(event) is not None
        ):
            considered.append(nothing)
        else:
            considered.append(facts.consider(event))
    return considered


def _hear(
    came: Sequence[Incoming],
    facts: Facts,
    seen: Mapping[bytes, Seen],
    senders: Mapping[bytes, tuple[Subject, ...]],
    tallies: dict[Subject, Tally],
) -> Hearing:
    """Whose codes are listened to, of the ``senders`` of carts with codes."""
    carts = {
        item.key: cart
        for item in came
        if (cart := cart_with_codes(item))
        and item.key not in seen
        and facts.objection(cart) is None
    }
    if not carts:
        return Hearing()
    hearing = Hearing(Guesses(tallies), {key: senders[key] for key in carts})
    hearing.consider(carts, facts)
    return hearing


def _is_decided(came: Incoming, receipts: Mapping[str, Receipt]) -> bool:
    """Whether a sale gets what its cart got; a card that is shown with payment is decided on."""
    decision = receipts[came.event.receipt_id].decision
    return decision is not None and (
        decision.customer_id is not None or getattr(came.event, "customer_id", None) is None
    )


async def _accounts(
    connection: Connection,
    came: Sequence[Incoming],
    receipts: Mapping[str, Receipt],
    paid: Mapping[str, PaidReceipt],
    considered: Sequence[Considered],
    now: datetime,
) -> tuple[Accounts, Mapping[str, Funds]]:
    """The accounts that may change, locked; and what the other customers have, to be told.

    Of those who only earn it does not matter what they have.
    """
    changing: set[str] = set()
    counted: set[str] = set()
    earned: list[str] = []
    returned = {item.event.receipt_id for item in came if item.event.intent == "return"}
    for item, rules in zip(came, considered, strict=True):
        event = item.event
        known = receipts.get(event.receipt_id)
        if event.intent == "return":
            if event.receipt_id in paid and (customer := paid[event.receipt_id].customer_id):
                changing.add(customer)
                counted.add(customer)
            earned += [r.redemption_id for r in known.redemptions.values()] if known else []
        elif event.customer_id is None:
            continue
        elif event.intent == "sale":
            decided = known.redemptions.values() if known else ()
            if rules.candidates or any(r.bonuses for r in decided) or bonuses_named(event):
                changing.add(event.customer_id)
            if bonuses_named(event) or event.receipt_id in returned:
                counted.add(event.customer_id)
        else:
            counted.add(event.customer_id)
            if event.pay_bonuses:
                changing.add(event.customer_id)
    # Only receipts that were there before can have a payment.
    paying = [receipt_id for receipt_id, known in receipts.items() if known.revision >= 0]
    accounts = await account_store.lock_accounts(
        connection,
        changing,
        now,
        receipt_ids=paying,
        redemption_ids=earned,
        earning=changing - counted,
    )
    told = {customer for customer in counted if customer not in accounts}
    funds = await account_store.funds_of(connection, told, now) if told else {}
    return accounts, funds


async def _recorded(connection: Connection, receipts: Sequence[Receipt]) -> dict[str, Decided]:
    """What receipts were decided by, to be decided again."""
    found = {}
    for known in receipts:
        if known.decision is None:
            continue
        key = event_key_of(known.decision.decision_id)
        recorded = await recording_store.recording(connection, key)
        if recorded is not None:
            facts = decode_facts(recorded.facts)
            campaigns = await recording_store.campaigns_as_of(
                connection, {key[0] for key in known.redemptions}, facts.ruleset_version
            )
            rules = Ruleset.empty().with_campaigns(campaigns, facts.ruleset_version)
            found[known.receipt_id] = Decided(event_of(recorded), facts, rules)
    return found


def _count(batch: Batch) -> None:
    """Tell operators what a batch did; each series once, however large the batch."""
    for kind, count in Counter([one.kind for one in batch.applied]).items():
        metrics.EVENTS.labels(kind).inc(count)
    metrics.count_redemptions(one for _, one in batch.redemptions.values())
    for subject, count in Counter(batch.withheld).items():
        metrics.WITHHELD.labels(subject).inc(count)
    metrics.LOCKED_OUT.inc(sum([message.topic is ATTEMPTS for message in batch.messages]))


async def _save(connection: Connection, batch: Batch) -> None:
    now = batch.facts.now
    changed = batch.changed
    await ledger.add_receipts(connection, [r for i, r in changed.items() if i in batch.new], now)
    known = [r for i, r in changed.items() if i not in batch.new]
    await ledger.save_receipts(connection, known, now)
    await ledger.save_redemptions(connection, [*batch.redemptions.values()], now, batch.new)
    await limit_store.save_limits(connection, batch.counters)
    await account_store.save_accounts(connection, batch.accounts)
    await purchase_store.save(connection, batch.sold)
    sold = [(paid.receipt_id, paid.customer_id, paid.occurred_at) for paid in batch.sold]
    await closing_store.note_late(connection, come_late(sold, now))
    await purchase_store.save_returned(connection, batch.returned.values())
    await ledger.save_applied(connection, batch.applied)
    messages = [*batch.messages, *movement_messages(batch.accounts.movements)]
    await outbox.put(connection, messages, SOURCE, now)
    if batch.hearing.guesses.blamed:
        await guessing_store.add(connection, batch.hearing.guesses.blamed, now)
