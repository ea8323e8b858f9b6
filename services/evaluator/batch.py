"""The work of one transaction of the redemption counter: what was loaded, changed by each event in turn.

However a stream is cut into batches, the same is decided: what an event changes, the next one of its
batch sees. Nothing here reads or writes: ``desk`` loads before and saves after.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from services.evaluator import bonuses, outgoing, purchases, receipt, recording, redemption
from services.evaluator.account import Funds, Lot
from services.evaluator.accounts import Accounts
from services.evaluator.answer import Decision
from services.evaluator.answer import encode as encode_decision
from services.evaluator.counters import Counters
from services.evaluator.facts import Facts, Incoming
from services.evaluator.hearing import Hearing
from services.evaluator.payment import Points, payable
from services.evaluator.promotion.blocks import SubjectKind
from services.evaluator.promotion.exposure import NOT_EXPOSED
from services.evaluator.promotion.ruleset import Considered, Ruleset
from services.evaluator.purchases import Histories, PaidReceipt
from services.evaluator.receipt import ConflictError, Receipt
from services.evaluator.record import bonuses_named
from services.evaluator.redemption import Redemption
from services.evaluator.reversal import Repriced, Reversal, remaining_of, reprice, reverse
from services.evaluator.store.ledger import Applied, Seen
from shared.events.checkout import Cart, Return, Sale
from shared.outbox import Message
from shared.topics import DECISIONS, terminal_key

Kind = Literal["cart", "sale", "return"]


@dataclass(frozen=True, slots=True)
class Decided:
    """What a receipt was decided by: its event, the facts, and the rules of then for what was given."""

    event: Cart | Sale
    facts: recording.Facts
    ruleset: Ruleset


@dataclass
class Batch:
    """What one transaction works on.

    ``new`` are the receipts that were not known, ``paid`` those that returns of the batch may refer to,
    ``recorded`` (by receipt id) what those were decided by whose rest is to be decided again. ``accounts``
    are locked, ``funds`` are those of others: they are told, not changed. ``withheld``: whose block each cart or
    sale met that got nothing for it.
    """

    facts: Facts
    seen: dict[bytes, Seen]
    receipts: dict[str, Receipt]
    new: AbstractSet[str]
    paid: dict[str, PaidReceipt]
    histories: Histories
    hearing: Hearing
    counters: Counters
    accounts: Accounts
    funds: Mapping[str, Funds]
    recorded: Mapping[str, Decided] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    applied: list[Applied] = field(default_factory=list)
    changed: dict[str, Receipt] = field(default_factory=dict)
    redemptions: dict[str, tuple[str, Redemption]] = field(default_factory=dict)
    sold: list[PaidReceipt] = field(default_factory=list)
    returned: dict[str, PaidReceipt] = field(default_factory=dict)
    withheld: list[SubjectKind] = field(default_factory=list)

    def take(self, came: Incoming, considered: Considered) -> bytes:
        """Apply one event; returns what its sender is told. Raises ``ConflictError``; then nothing has changed."""
        before = self.seen.get(came.key)
        if before is not None:
            return self._again(came, before)
        event = came.event
        objection = self.facts.objection(event)
        if objection is not None:
            raise objection
        considered = self.hearing.considered(came, considered, self.facts)
        self.histories.remind(considered)
        match event.intent:
            case "sale":
                return self._record(event, came, considered)
            case "return":
                return self._take_back(event, came)
            case _:
                return self._answer(event, came, considered)

    def _note(
        self,
        came: Incoming,
        kind: Kind,
        decision: bytes | None = None,
        facts: recording.Facts | None = None,
        answer: bytes | None = None,
        *,
        customer_id: str | None,
        told_customer_id: str | None = None,
    ) -> None:
        """Note an event with what was decided of it; the same again will be told by it."""
        kept = answer if came.waiting else None
        if told_customer_id == customer_id:
            told_customer_id = None
        self.seen[came.key] = Seen(came.body_digest, answer or decision)
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
                kept,
                customer_id or "",
                told_customer_id,
            )
        )

    def _answer(self, cart: Cart, came: Incoming, considered: Considered) -> bytes:
        known = self.receipts[cart.receipt_id]
        given = self.facts.circumstances(cart, came, considered, self._points(cart))
        answer = receipt.answer(cart, known, given, self.counters)
        self._hold_points(cart, known, answer.receipt)
        answered = encode_decision(answer.decision)
        key = terminal_key(cart.store_id, cart.terminal_id)
        name = answer.decision.decision_id
        # The same revision by another event has the same decision.
        repeats = answer.decision is known.decision
        self.messages.append(Message(DECISIONS, key, answered, name, repeats=repeats))
        facts = None if answer.free is None else recording.facts_of(given, answer.free)
        whose, told = cart.customer_id, answer.decision.customer_id
        self._note(came, "cart", answered, facts, customer_id=whose, told_customer_id=told)
        if facts and facts.blocked:
            self.withheld.append(facts.blocked)
        self.messages += self.hearing.note(cart, came.key, answer, self.facts)
        self._change(known, answer.receipt, came.key)
        return answered

    def _record(self, sale: Sale, came: Incoming, considered: Considered) -> bytes:
        known = self.receipts[sale.receipt_id]
        decision = known.decision
        at = decision.occurred_at if decision else sale.occurred_at
        blocked = decision.blocked if decision else considered.reading.basket.blocked
        # Who gets nothing anyway is no measure of what a campaign does.
        exposure = NOT_EXPOSED if blocked else self.facts.exposure(sale, at)
        given = self.facts.circumstances(sale, came, considered, exposure=exposure)
        if came.confirms and known.status != "paid":
            self._refuse_what_is_gone(known)
        points = self._payable(sale)
        recorded = receipt.record(sale, known, given, self.counters, points)
        if sale.customer_id is not None and points:
            at = sale.occurred_at
            self.accounts.spend(sale.receipt_id, sale.customer_id, sale.store_id, points, at)
        else:
            self.accounts.release(sale.receipt_id)
        message = outgoing.receipt_message(recorded.record)
        answer = message.body
        self.messages.append(message)
        if recorded.free is None or recorded.receipt.decision is None:
            self._note(came, "sale", answer=answer, customer_id=sale.customer_id)
        else:
            facts = recording.facts_of(given, recorded.free)
            decided = encode_decision(recorded.receipt.decision)
            self._note(came, "sale", decided, facts, answer, customer_id=sale.customer_id)
            if facts.blocked:
                self.withheld.append(facts.blocked)
        self._change(known, recorded.receipt, came.key, sale.customer_id)
        paid = purchases.paid_receipt(sale)
        self.paid[sale.receipt_id] = paid
        self.sold.append(paid)
        self.histories.put(paid)
        return answer

    def _refuse_what_is_gone(self, known: Receipt) -> None:
        """A confirmation promises what was decided; a sale only states what was given."""
        gone = receipt.holds_over(known, self.counters)
        if gone:
            campaign_id, instrument_id = gone[0]
            message = (
                f"receipt_id: the hold is over and {campaign_id}/{instrument_id} is used up; send the cart"
                " again, as a higher revision"
            )
            raise ConflictError("hold_expired", message)

    def _take_back(self, event: Return, came: Incoming) -> bytes:
        paid = self.paid.get(event.receipt_id)
        known = self.receipts.get(event.receipt_id)
        if paid is None or known is None or known.decision is None:
            message = "receipt_id: no paid receipt is known by it; its sale may still be on its way"
            raise ConflictError("unknown_receipt", message)
        reversal = reverse(event, known, paid, self.counters, self._repriced(event, known, paid))
        self.paid[event.receipt_id] = self.returned[event.receipt_id] = reversal.paid
        self.histories.put(reversal.paid)
        points = self._move_points(event, came, known, paid, reversal)
        sent = outgoing.returned_message(
            event, reversal, known.decision, came.key, points, self.facts.now
        )
        answer = sent.body
        self.messages.append(sent)
        self._note(came, "return", answer=answer, customer_id=paid.customer_id)
        self._change(known, reversal.receipt, came.key)
        return answer

    def _repriced(self, event: Return, known: Receipt, paid: PaidReceipt) -> Repriced | None:
        """What the rest costs, decided again; None if the return is not to be worked out so."""
        recorded = self.recorded.get(known.receipt_id)
        if event.policy != "reprice" or recorded is None:
            return None
        rest = remaining_of(event, paid)
        if not rest:
            return None
        facts = recorded.facts
        ruleset = recorded.ruleset.with_codes(facts.held)
        basket = recording.basket_of(recorded.event, facts)
        return reprice(ruleset, basket, rest, known, facts.purchases, facts.free)

    def _again(self, came: Incoming, before: Seen) -> bytes:
        """The same event twice: one effect, the same answer; another body is a conflict."""
        if before.body_digest != came.body_digest:
            message = "ce_id: this event was sent before with another body"
            raise ConflictError("conflicting_event", message)
        event = came.event
        answer = before.answer or b""
        if not came.waiting and answer and event.intent not in ("sale", "return"):
            key = terminal_key(event.store_id, event.terminal_id)
            name = receipt.decision_id(came.key)
            self.messages.append(Message(DECISIONS, key, answer, name, repeats=True))
        return answer

    def _change(
        self, before: Receipt, after: Receipt, event_key: bytes, customer_id: str | None = None
    ) -> None:
        if after is before:
            return
        now = self.facts.now
        after = replace(
            after,
            redemptions=redemption.noted(before.redemptions, after.redemptions, now, event_key),
        )
        self.receipts[after.receipt_id] = self.changed[after.receipt_id] = after
        moved = outgoing.changed(before, after)
        # A cancel has a decision of its own, but its redemptions come from the one before.
        decision = (before if after.status == "cancelled" else after).decision
        if decision is None:
            return
        for one in moved:
            self.redemptions[one.redemption_id] = (after.receipt_id, one)
        self.messages += outgoing.redemption_messages(decision, moved, now, customer_id)
        if before.status != "paid" and after.status == "paid" and customer_id is not None:
            for one in bonuses.accruals(moved):
                name, span = (
                    bonuses.accrual_id(one.redemption_id),
                    bonuses.span(decision.occurred_at, *one.lifetime),
                )
                lot = Lot(name, one.campaign_id, one.bonuses, *span)
                self.accounts.accrue(
                    customer_id, lot, _cause_of(decision, one, decision.occurred_at)
                )

    def _points(self, cart: Cart) -> Points | None:
        """What the customer has, what this receipt holds of it counted as free."""
        customer_id = cart.customer_id
        if customer_id is None:
            return None
        share = self.facts.places[cart.store_id].bonus_share
        if customer_id in self.accounts:
            return self.accounts.points(customer_id, cart.receipt_id, share)
        funds = self.funds[customer_id]
        return Points(funds.balance, funds.available, share)

    def _hold_points(self, cart: Cart, before: Receipt, after: Receipt) -> None:
        """Hold the points that a decided checkout says are held, in place of those held before."""
        decision = after.decision
        if after is before or decision is None:
            return
        if cart.customer_id is not None and decision.bonuses_held and decision.expires_at:
            self.accounts.hold(
                cart.receipt_id,
                cart.customer_id,
                cart.store_id,
                decision.bonuses_held,
                decision.expires_at,
            )
        else:
            self.accounts.release(cart.receipt_id)

    def _payable(self, sale: Sale) -> int:
        """How many of the points that a till took as payment may pay."""
        named = bonuses_named(sale)
        if not named or sale.customer_id is None:
            return 0
        to_pay = sum([line.amount - line.discount for line in sale.lines])
        available = self.accounts.available(sale.customer_id, sale.receipt_id)
        share = self.facts.places[sale.store_id].bonus_share
        # What is held was promised, also when the share was lowered meanwhile.
        held = self.accounts.held(sale.customer_id, sale.receipt_id)
        return min(named, to_pay, max(held, payable(available, share, to_pay)))

    def _move_points(
        self, event: Return, came: Incoming, known: Receipt, paid: PaidReceipt, done: Reversal
    ) -> tuple[int, int]:
        """Refund what was paid with points, take back what the sale had earned: how many of each."""
        decision, return_id = known.decision, outgoing.return_id(came.key)
        taken_back = 0
        if paid.customer_id is not None and decision is not None:
            for change in done.taken_back:
                if change.bonuses and change.redemption.status != "unauthorised":
                    cause = _cause_of(decision, change.redemption, event.occurred_at)
                    name = change.redemption.redemption_id
                    taken_back += self.accounts.take_back(
                        paid.customer_id, name, change.bonuses, return_id, cause
                    )
        so_far = sum([back.refund for back in done.paid.returned.values()])
        whole = sum([line.paid for line in paid.sold])
        refunded = self.accounts.refund(
            event.receipt_id, so_far, whole, return_id, event.occurred_at, most=done.refund
        )
        return refunded, taken_back


def _cause_of(decision: Decision, redemption: Redemption, at: datetime) -> bonuses.Cause:
    """What a redemption's points move for, and when."""
    return bonuses.Cause(
        occurred_at=at,
        redemption_id=redemption.redemption_id,
        campaign_id=redemption.campaign_id,
        instrument_id=redemption.instrument_id,
        receipt_id=decision.receipt_id,
    )
