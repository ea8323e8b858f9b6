"""What a till orders of a receipt by its id alone: to confirm what was decided, or to cancel it. Pure.

An order becomes the event that the till could have sent itself: a sale to the letter of the decision,
or a cart of the next revision that cancels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from services.evaluator.answer import Applied
from services.evaluator.receipt import ConflictError, Receipt
from shared.events.checkout import Confirmation, GivenBenefit


@dataclass(frozen=True, slots=True)
class Confirm:
    """The receipt is paid as it was decided."""

    receipt_id: str
    confirmation: Confirmation


@dataclass(frozen=True, slots=True)
class Cancel:
    """The receipt will not be paid: what it holds is free."""

    receipt_id: str


Order = Confirm | Cancel


def sale_of(confirm: Confirm, receipt: Receipt, cart: bytes, now: datetime) -> bytes:
    """The body of the sale that an order confirms; ``cart`` is the body that was decided.

    Raises ``ConflictError`` if nothing that was decided can be confirmed.
    """
    decision = receipt.decision
    if receipt.status == "cancelled" or decision is None:
        message = "receipt_id: the receipt was cancelled; send its cart again, as a higher revision"
        raise ConflictError("cancelled", message)
    body: dict[str, Any] = orjson.loads(cart)
    for word in ("intent", "payment_methods", "price_groups", "pay_bonuses"):
        body.pop(word, None)
    asked = confirm.confirmation
    discounts = {line.line: line.discount for line in decision.lines}
    for line in body["lines"]:
        # It is a sale's if that came without a cart.
        line.pop("discount", None)
        if discounts[line["line"]]:
            line["discount"] = discounts[line["line"]]
    body["decision_id"] = decision.decision_id
    body["occurred_at"] = asked.occurred_at or now
    body["given"] = [_given(applied, asked.gifts) for applied in decision.applied]
    body["payments"] = [payment.model_dump() for payment in asked.payments]
    body["cash_rounding"] = asked.cash_rounding
    if asked.customer_id is not None:
        body["customer_id"] = asked.customer_id
    return orjson.dumps(body)


def cancel_of(receipt: Receipt, now: datetime) -> bytes:
    """The body of the cart that cancels a receipt. Raises ``ConflictError`` once it is paid."""
    if receipt.status == "paid" or receipt.decision is None:
        message = "receipt_id: the receipt is paid; send a return"
        raise ConflictError("already_paid", message)
    return orjson.dumps(
        {
            "receipt_id": receipt.receipt_id,
            "revision": receipt.revision + 1,
            "store_id": receipt.store_id,
            "terminal_id": receipt.terminal_id,
            "occurred_at": now,
            "currency": receipt.decision.currency,
            "intent": "cancel",
        }
    )


def _given(applied: Applied, stated: Sequence[GivenBenefit] | None) -> dict[str, Any]:
    """A benefit as it was given: of its gifts those stated, or else as many as there were to take."""
    gifts = [
        {"sku": gift.sku, "quantity": gift.quantity} for gift in applied.gifts[: applied.choose]
    ]
    if stated is not None:
        key = applied.campaign_id, applied.instrument_id
        gifts = [
            {"sku": gift.sku, "quantity": gift.quantity}
            for benefit in stated
            if (benefit.campaign_id, benefit.instrument_id) == key
            for gift in benefit.gifts
        ]
    return {
        "campaign_id": applied.campaign_id,
        "instrument_id": applied.instrument_id,
        "discount": applied.discount,
        "gifts": gifts,
    }
