"""What a step of a receipt sends: its answer, its record, and the redemptions that changed."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b

import msgspec

from services.evaluator.answer import Decision, Gift
from services.evaluator.bonuses import Movement
from services.evaluator.guessing import Lockout
from services.evaluator.receipt import Receipt
from services.evaluator.record import ReceiptRecorded
from services.evaluator.redemption import Redemption
from services.evaluator.reversal import Reversal
from shared.codec import encode
from shared.events.checkout import Return
from shared.events.outcome import (
    CodeAttempt,
    RedemptionStatus,
    Returned,
    ReturnedLine,
    ReturnedRedemption,
)
from shared.events.values import Currency, Device
from shared.outbox import Message
from shared.topics import ATTEMPTS, BONUSES, RECEIPTS, REDEMPTIONS, RETURNS, terminal_key

SOURCE = "tillstream/evaluator"
_ENCODE = msgspec.json.Encoder().encode


class RedemptionChanged(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """``shared.events.outcome.Redemption``, field by field, made for speed (see ``answer``)."""

    redemption_id: str
    status: RedemptionStatus
    campaign_id: str
    instrument_id: str
    receipt_id: str
    decision_id: str | None = None
    store_id: str
    terminal_id: str
    region: str
    device: Device
    customer_id: str | None = None
    occurred_at: datetime
    changed_at: datetime
    currency: str
    discount: int
    bonuses: int
    gifts: tuple[Gift, ...] = ()
    mismatch: int = 0
    gifts_mismatch: tuple[Gift, ...] = ()
    discount_returned: int = 0


def changed(before: Receipt, after: Receipt) -> list[Redemption]:
    """The redemptions that a step changed, by campaign and instrument."""
    return [
        redemption
        for key, redemption in sorted(after.redemptions.items())
        if before.redemptions.get(key) != redemption
    ]


def receipt_message(record: ReceiptRecorded) -> Message:
    """A paid receipt for everybody else."""
    key = terminal_key(record.store_id, record.terminal_id)
    return Message(RECEIPTS, key, _ENCODE(record), f"s-{record.receipt_id}")


def redemption_messages(
    decision: Decision,
    redemptions: list[Redemption],
    now: datetime,
    customer_id: str | None = None,
) -> list[Message]:
    """An event for each change; ``decision`` is the one that the redemptions come from.

    ``customer_id`` is a customer who became known after it.
    """
    customer_id = decision.customer_id or customer_id
    return [
        Message(
            REDEMPTIONS,
            terminal_key(decision.store_id, decision.terminal_id),
            _ENCODE(_event(r, decision, customer_id, now)),
            _change_id(r, decision, now),
        )
        for r in redemptions
    ]


def return_id(event_key: bytes) -> str:
    """What a return is called."""
    return f"t-{event_key.hex()}"


def returned_message(
    event: Return,
    reversal: Reversal,
    decision: Decision,
    event_key: bytes,
    points: tuple[int, int],
    now: datetime,
) -> Message:
    """A return for everybody else; ``decision`` is the one that the sale was paid by.

    ``points``: how many are refunded that the sale was paid with, how many are taken back that it earned.
    """
    refunded, taken_back = points
    returned = Returned(
        return_id=return_id(event_key),
        receipt_id=event.receipt_id,
        store_id=event.store_id,
        terminal_id=event.terminal_id,
        sold_in=reversal.receipt.store_id,
        region=decision.region,
        device=decision.device,
        customer_id=reversal.paid.customer_id,
        sold_at=reversal.paid.occurred_at,
        occurred_at=event.occurred_at,
        recorded_at=now,
        currency=Currency(decision.currency),
        complete=reversal.complete,
        refund=reversal.refund,
        money=reversal.refund - refunded,
        bonuses=refunded,
        withheld=reversal.withheld,
        bonuses_taken_back=taken_back,
        cashier_id=event.cashier_id,
        lines=tuple(
            ReturnedLine(line=line, quantity=quantity, refund=reversal.refunds[line])
            for line, quantity in sorted(reversal.quantities.items())
        ),
        redemptions=tuple(
            ReturnedRedemption(
                redemption_id=change.redemption.redemption_id,
                campaign_id=change.redemption.campaign_id,
                instrument_id=change.redemption.instrument_id,
                status=change.redemption.status,  # type: ignore[arg-type]  # one that was in force
                released=change.released,
                discount=change.discount,
                bonuses=change.bonuses,
                emission_id=change.redemption.emission_id,
            )
            for change in reversal.taken_back
        ),
    )
    key = terminal_key(event.store_id, event.terminal_id)
    return Message(RETURNS, key, encode(returned), returned.return_id)


def _event(
    r: Redemption, decision: Decision, customer_id: str | None, now: datetime
) -> RedemptionChanged:
    return RedemptionChanged(
        redemption_id=r.redemption_id,
        status=r.status,
        campaign_id=r.campaign_id,
        instrument_id=r.instrument_id,
        receipt_id=decision.receipt_id,
        decision_id=decision.decision_id,
        store_id=decision.store_id,
        terminal_id=decision.terminal_id,
        region=decision.region,
        device=decision.device,
        customer_id=customer_id,
        occurred_at=decision.occurred_at,
        changed_at=now,
        currency=decision.currency,
        discount=r.discount,
        bonuses=r.bonuses,
        gifts=tuple([Gift(gift.sku, gift.quantity, gift.value) for gift in r.gifts]),
        mismatch=r.mismatch,
        gifts_mismatch=tuple([Gift(gift.sku, gift.quantity) for gift in r.gifts_beyond]),
        discount_returned=r.returned,
    )


def attempt_message(decision: Decision, codes: int, lockout: Lockout) -> Message:
    """That so many codes were not listened to; ``decision`` is the one that was made without them."""
    attempt = CodeAttempt(
        attempt_id="a-" + decision.decision_id.removeprefix("d-"),
        who=lockout.subject.who,
        subject=lockout.subject.name,
        store_id=decision.store_id,
        terminal_id=decision.terminal_id,
        receipt_id=decision.receipt_id,
        customer_id=decision.customer_id,
        codes=codes,
        locked_until=lockout.until,
        occurred_at=decision.occurred_at,
        recorded_at=decision.decided_at,
    )
    key = terminal_key(decision.store_id, decision.terminal_id)
    return Message(ATTEMPTS, key, attempt, attempt.attempt_id)


def movement_messages(movements: Iterable[Movement]) -> list[Message]:
    """An event for each movement of customers' points."""
    return [
        Message(BONUSES, entry.customer_id.encode(), entry, entry.entry_id)
        for entry, _ in movements
    ]


def _change_id(redemption: Redemption, decision: Decision, now: datetime) -> str:
    change = f"{redemption.redemption_id}/{redemption.status}/{redemption.returned}"
    name = f"{change}/{decision.decision_id}/{now.isoformat()}"
    return "e-" + blake2b(name.encode(), digest_size=12).hexdigest()
