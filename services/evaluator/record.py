"""A paid receipt as everybody else gets it: clean, once, with its redemptions. Pure.

The structs are ``shared.events.outcome.Receipt``, field by field, made for speed (see ``answer``).
"""

from datetime import datetime
from typing import Literal

import msgspec

from services.evaluator.answer import Decision
from services.evaluator.circumstances import Circumstances
from services.evaluator.redemption import Redemptions
from shared.events.checkout import Sale
from shared.events.values import Channel, Device


class RecordedLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A line of a receipt as it was paid."""

    line: int
    sku: str
    group: str | None = None
    brand: str | None = None
    quantity: int
    amount: int
    discount: int


class ReceiptRedemption(msgspec.Struct, frozen=True, omit_defaults=True):
    """A redemption as its receipt records it."""

    redemption_id: str
    campaign_id: str
    instrument_id: str
    status: Literal["committed", "unauthorised"]
    discount: int
    bonuses: int
    mismatch: int = 0
    emission_id: str | None = None


class ReceiptRecorded(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A paid receipt, passed on once."""

    receipt_id: str
    decision_id: str | None = None
    store_id: str
    terminal_id: str
    region: str
    channel: Channel
    device: Device
    customer_id: str | None = None
    occurred_at: datetime
    recorded_at: datetime
    currency: str
    total: int
    discount: int
    paid: int
    bonuses: int
    bonuses_paid: int = 0
    bonuses_unauthorised: int = 0
    lines: tuple[RecordedLine, ...]
    redemptions: tuple[ReceiptRedemption, ...]
    exposed: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()
    device_id: str | None = None
    cashier_id: str | None = None
    address: str | None = None
    utc_offset_minutes: int | None = None


def bonuses_named(sale: Sale) -> int:
    """How many points the till took as payment; one pays one minor unit."""
    return sum([payment.amount for payment in sale.payments if payment.method == "bonuses"])


def record_of(
    sale: Sale,
    redemptions: Redemptions,
    *,
    decision: Decision,
    given: Circumstances,
    bonuses_paid: int,
) -> ReceiptRecorded:
    """The record of a sale whose redemptions are settled, and ``bonuses_paid`` of the points it names.

    Who sent the cart is said where the sale does not say it: a shop's server may know less than its page.
    """
    total = sum(line.amount for line in sale.lines)
    discount = sum(line.discount for line in sale.lines)
    kept = [r for _, r in sorted(redemptions.items()) if r.status in ("committed", "unauthorised")]
    return ReceiptRecorded(
        receipt_id=sale.receipt_id,
        decision_id=decision.decision_id,
        store_id=sale.store_id,
        terminal_id=sale.terminal_id,
        region=decision.region,  # as its redemptions and returns
        channel=sale.channel,
        device=given.device,
        customer_id=sale.customer_id,
        occurred_at=sale.occurred_at,
        recorded_at=given.now,
        currency=sale.currency,
        total=total,
        discount=discount,
        paid=total - discount,
        bonuses=sum(r.bonuses for r in kept),
        bonuses_paid=bonuses_paid,
        bonuses_unauthorised=bonuses_named(sale) - bonuses_paid,
        lines=tuple(
            [
                RecordedLine(
                    line=x.line,
                    sku=x.sku,
                    group=x.group,
                    brand=x.brand,
                    quantity=x.quantity,
                    amount=x.amount,
                    discount=x.discount,
                )
                for x in sale.lines
            ]
        ),
        redemptions=tuple(
            ReceiptRedemption(
                redemption_id=r.redemption_id,
                campaign_id=r.campaign_id,
                instrument_id=r.instrument_id,
                status="committed" if r.status == "committed" else "unauthorised",
                discount=r.discount,
                bonuses=r.bonuses,
                mismatch=r.mismatch,
                emission_id=r.emission_id,
            )
            for r in kept
        ),
        exposed=given.exposure.exposed,
        held_back=given.exposure.held_back,
        device_id=sale.device_id or decision.device_id,
        cashier_id=sale.cashier_id or decision.cashier_id,
        address=given.address or decision.address,
        utc_offset_minutes=given.utc_offset_minutes,
    )
