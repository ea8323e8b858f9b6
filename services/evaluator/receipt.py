"""The life of a receipt: revisions of its cart, its payment (domain: "The life of a receipt").

Pure: a step takes a receipt as it is and an event, and returns the receipt as it is then, with the
answer. Only ``Counters``, a transaction's working copy, changes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import replace

from services.evaluator import answer as answering
from services.evaluator import redemption
from services.evaluator.answer import Decision, Outcome
from services.evaluator.circumstances import Circumstances
from services.evaluator.counters import Counters
from services.evaluator.promotion.decision import judge
from services.evaluator.promotion.limits import Limit
from services.evaluator.promotion.ruleset import Considered
from services.evaluator.promotion.verdict import Verdict
from services.evaluator.record import ReceiptRecorded, record_of
from services.evaluator.redemption import Key, Redemption
from shared.events.checkout import Cart, Sale

MAX_SHARES = 20_000
"""Discounts on single lines that a decision may hold: some 30 bytes each, of 4 MiB."""

Status = Literal["open", "cancelled", "paid"]


class ConflictError(ValueError):
    """An event contradicts what is known of its receipt; ``reason`` is a word for counting."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Receipt(msgspec.Struct, frozen=True):
    """A receipt as the ledger has it. ``revision`` is the highest seen of its cart (−1: none).

    ``body_digest`` tells whether a revision that comes again is the same. ``decision`` is the one
    that its redemptions come from.
    """

    receipt_id: str
    store_id: str
    terminal_id: str
    revision: int = -1
    body_digest: bytes | None = None
    status: Status = "open"
    decision: Decision | None = None
    redemptions: Mapping[Key, Redemption] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a cart changes: the receipt as it is then, and the decision to send.

    ``free`` is what was left of the limits that were asked about, if it was decided by the rules.
    """

    receipt: Receipt
    decision: Decision
    free: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a sale changes: the receipt as it is then, its record for everybody else, and ``free`` as in ``Answer``."""

    receipt: Receipt
    record: ReceiptRecorded
    free: Mapping[str, int] | None = None


def open_receipt(event: Cart | Sale) -> Receipt:
    """A receipt that is met for the first time."""
    return Receipt(event.receipt_id, event.store_id, event.terminal_id)


def answer(cart: Cart, receipt: Receipt, given: Circumstances, counters: Counters) -> Answer:
    """The answer to one revision of a cart. Raises ``ConflictError``."""
    _same_terminal(cart, receipt)
    if receipt.status == "paid":
        return Answer(receipt, _as_paid(cart, receipt, given))
    if cart.intent == "quote":
        ruling = _rule(cart, receipt, given, counters)
        return Answer(receipt, ruling.decision, ruling.free)
    if cart.revision < receipt.revision:
        return Answer(receipt, _decision(cart, given, "superseded"))
    if cart.revision == receipt.revision:
        if given.body_digest == receipt.body_digest and receipt.decision is not None:
            return Answer(receipt, receipt.decision)
        message = f"revision: {cart.revision} of this receipt was sent before with another body"
        raise ConflictError("conflicting_revision", message)
    moved = replace(receipt, revision=cart.revision, body_digest=given.body_digest)
    if cart.intent == "cancel":
        released = redemption.end_holds(receipt.redemptions, "released", counters)
        decision = _decision(cart, given, "cancelled")
        return Answer(
            replace(moved, status="cancelled", decision=decision, redemptions=released), decision
        )
    ruling = _rule(cart, receipt, given, counters)
    redemption.let_go(receipt.redemptions, counters)
    held = redemption.hold(
        cart.receipt_id, receipt.redemptions, ruling.verdict.granted, given.expires_at, counters
    )
    decided = replace(moved, status="open", decision=ruling.decision, redemptions=held)
    return Answer(decided, ruling.decision, ruling.free)


def quote(cart: Cart, receipt: Receipt, given: Circumstances, counters: Counters) -> Decision:
    """Advice: what the cart would get now. Nothing changes. Raises ``ConflictError``."""
    return _rule(cart, receipt, given, counters).decision


@dataclass(frozen=True, slots=True)
class _Ruling:
    """A verdict with the decision that says it, and what was ``free`` of the limits it asked for."""

    verdict: Verdict
    decision: Decision
    free: Mapping[str, int]


def _rule(
    event: Cart | Sale,
    receipt: Receipt,
    given: Circumstances,
    counters: Counters,
    leases: Iterable[str] = (),
) -> _Ruling:
    """What a basket gets now, its receipt's own slots and its ``leases`` counted as free; nothing changes.

    Raises ``ConflictError`` when the answer would not fit into a message: it would never be sent.
    """
    own = [r.taken for r in receipt.redemptions.values() if r.status == "held"]
    for taken in own:
        counters.move(taken, held=-1)
    asked: dict[str, int] = {}
    leased = counters.left_of(leases)

    def free(limit: Limit) -> int:
        if limit.limit_id not in asked:
            left = counters.free(limit)
            if limit.limit_id in leased:
                # A lease stays good when the cap was lowered below what is in use.
                left = max(left, 0) + leased[limit.limit_id]
            asked[limit.limit_id] = left
        return asked[limit.limit_id]

    try:
        verdict = judge(given.considered, free)
    finally:
        for taken in own:
            counters.move(taken, held=1)
    shares = sum(len(grant.lines) for grant in verdict.granted)
    if shares > MAX_SHARES:
        message = (
            f"lines: {shares} shares of benefits on lines, over {MAX_SHARES}; split the receipt"
        )
        raise ConflictError("decision_too_large", message)
    return _Ruling(verdict, decision_of(event, given, verdict), asked)


def decision_of(event: Cart | Sale, given: Circumstances, verdict: Verdict) -> Decision:
    """The decision that says the verdict; only one on a checkout holds anything."""
    holds = event.intent == "checkout"
    return _decision(event, given, "decided", verdict, given.expires_at if holds else None)


def record(
    sale: Sale,
    receipt: Receipt,
    given: Circumstances,
    counters: Counters,
    bonuses_paid: int = 0,
) -> Recorded:
    """Record a sale and commit its redemptions. Raises ``ConflictError``; then nothing has changed.

    ``bonuses_paid`` of the points that the till took are the customer's to pay with.

    A sale whose cart was never decided is decided at its own ``occurred_at`` and commits at once. What
    was given offline may be of a lease: of its store, at the sale's ``occurred_at``.
    """
    _same_terminal(sale, receipt)
    if receipt.status == "paid":
        message = "receipt_id: this receipt is already paid, by another event"
        raise ConflictError("already_paid", message)
    paid_money = sum([line.amount - line.discount for line in sale.lines]) - bonuses_paid
    decision, free = receipt.decision, None
    leases = _leases(sale, counters)
    if decision is None:
        ruling = _rule(sale, receipt, given, counters, leases.values())
        decision, free = ruling.decision, ruling.free
        before: Mapping[Key, Redemption] = {}
        rights = [redemption.granted(sale.receipt_id, grant) for grant in ruling.verdict.granted]
    else:
        before = receipt.redemptions
        # In the order in which they were decided: where slots are few, the first has them.
        applied = [(a.campaign_id, a.instrument_id) for a in decision.applied]
        rights = [before[key] for key in applied if key in before]
    # A customer who was erased since is none: nobody earns what was promised to them.
    same = sale.customer_id is not None and sale.customer_id == decision.customer_id
    decided = {
        right.key: redemption.as_earned(
            right,
            same_customer=same,
            paid=paid_money,
            due=decision.total - decision.discount,
        )
        for right in rights
    }
    is_shown_late = decision.customer_id is None and sale.customer_id is not None
    if is_shown_late and decision.outcome == "decided" and decision.blocked is None:
        decided |= _earned_late(sale, given, decided, paid_money, counters)
    settled = {
        key: r
        for key, r in redemption.commit(
            sale.receipt_id, decided, sale.given, counters, decision.occurred_at, leases
        ).items()
        if key in before or r.status != "released"  # what was never held is not released
    }
    paid = replace(
        receipt,
        revision=max(receipt.revision, sale.revision),
        status="paid",
        decision=decision,
        redemptions={**before, **settled},
    )
    return Recorded(
        paid,
        record_of(
            sale, paid.redemptions, decision=decision, given=given, bonuses_paid=bonuses_paid
        ),
        free,
    )


def _leases(sale: Sale, counters: Counters) -> dict[Key, str]:
    """The leases that a sale names and that cover it, by what was given of them."""
    found: dict[Key, str] = {}
    for benefit in sale.given:
        if benefit.lease_id is not None:
            lease = counters.lease(benefit.lease_id)
            if lease is not None and lease.covers(sale.store_id, sale.occurred_at):
                found[benefit.campaign_id, benefit.instrument_id] = lease.lease_id
    return found


def _earned_late(
    sale: Sale,
    given: Circumstances,
    decided: Mapping[Key, Redemption],
    paid: int,
    counters: Counters,
) -> dict[Key, Redemption]:
    """What a card that is shown after the decision earns: bonuses, and nothing else.

    What the receipt was decided to get counts as free, and what else is no bonus takes nothing: no
    less is due, and no more, than without the card.
    """
    own: dict[str, int] = {}
    for one in [one for right in decided.values() for one in right.taken]:
        own[one.limit_id] = own.get(one.limit_id, 0) + one.amount
    considered = given.considered
    while True:
        verdict = judge(considered, lambda x: counters.free(x) + own.get(x.limit_id, 0))
        fresh = {(g.campaign_id, g.instrument_id): g for g in verdict.granted}
        fresh = {key: grant for key, grant in fresh.items() if key not in decided}
        others = {key for key, grant in fresh.items() if grant.discount or grant.gifts}
        if not others:
            break
        left = [c for c in considered.candidates if c.ids not in others]
        considered = Considered(considered.ruleset, considered.reading, left)
    due = verdict.total - verdict.discount
    rights = [redemption.granted(sale.receipt_id, grant) for grant in fresh.values()]
    return {
        right.key: redemption.as_earned(right, same_customer=True, paid=paid, due=due)
        for right in rights
    }


def holds_over(receipt: Receipt, counters: Counters) -> list[Key]:
    """What was decided, is no longer held, and cannot be had any more; nothing changes."""
    applied = receipt.decision.applied if receipt.decision else ()
    gone: list[Key] = []
    taken: list[Redemption] = []
    for key in [(a.campaign_id, a.instrument_id) for a in applied]:
        r = receipt.redemptions.get(key)
        if r is None or r.status == "held":
            continue
        if counters.has_room(r.taken, r.since):
            counters.move(r.taken, held=1)
            taken.append(r)
        else:
            gone.append(key)
    for r in taken:
        counters.move(r.taken, held=-1)
    return gone


def expire(receipt: Receipt, counters: Counters) -> Receipt:
    """The receipt when its hold is over: its slots are free again."""
    return replace(
        receipt, redemptions=redemption.end_holds(receipt.redemptions, "expired", counters)
    )


def decision_id(event_key: bytes) -> str:
    """The id of the decision on an event: a retry gets the same, and it leads back to the event."""
    return "d-" + event_key.hex()


def event_key_of(decision: str) -> bytes:
    """The key of the event that a decision (its id) answers. Raises ``ValueError`` for other ids."""
    return bytes.fromhex(decision.removeprefix("d-"))


def _same_terminal(event: Cart | Sale, receipt: Receipt) -> None:
    if (event.store_id, event.terminal_id) != (receipt.store_id, receipt.terminal_id):
        message = "receipt_id: belongs to another store or terminal"
        raise ConflictError("conflicting_receipt", message)


def _decision(
    event: Cart | Sale,
    given: Circumstances,
    outcome: Outcome,
    verdict: Verdict | None = None,
    expires_at: datetime | None = None,
) -> Decision:
    """The decision as it is sent."""
    rules = given.considered
    return answering.of(
        event,
        verdict,
        decision_id=decision_id(given.event_key),
        outcome=outcome,
        region=given.region,
        device=given.device,
        decided_at=given.now,
        expires_at=expires_at,
        ruleset_version=rules.ruleset.version,
        ruleset_hash=rules.ruleset.hash,
        unknown_codes=rules.reading.basket.unknown_codes,
        foreign_codes=rules.reading.basket.foreign_codes,
        points=given.points if verdict else None,
        blocked=rules.reading.basket.blocked if verdict else None,
        address=given.address,
        names_emissions=given.names_emissions,
        names_senders=given.names_senders,
    )


def _as_paid(cart: Cart, receipt: Receipt, given: Circumstances) -> Decision:
    """The answer to a cart that comes after its sale: what it was paid with, nothing held."""
    fresh = _decision(cart, given, "paid")
    if receipt.decision is None:
        return fresh
    return replace(
        receipt.decision,
        decision_id=fresh.decision_id,
        revision=cart.revision,
        intent=cart.intent,
        outcome="paid",
        expires_at=None,
        decided_at=given.now,
        bonuses_payable=0,
        bonuses_held=0,
    )
