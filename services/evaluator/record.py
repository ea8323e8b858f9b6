"""A paid receipt as everybody else gets it: clean, once, with its redemptions. Pure."""

from datetime import datetime

from services.evaluator.redemption import Redemptions
from shared.events.checkout import Sale
from shared.events.outcome import Receipt, ReceiptRedemption, RecordedLine
from shared.events.values import Device


def record_of(
    sale: Sale,
    redemptions: Redemptions,
    *,
    decision_id: str,
    region: str,
    device: Device,
    now: datetime,
) -> Receipt:
    """The record of a sale whose redemptions are settled."""
    total = sum(line.amount for line in sale.lines)
    discount = sum(line.discount for line in sale.lines)
    kept = [r for _, r in sorted(redemptions.items()) if r.status in ("committed", "unauthorised")]
    return Receipt(
        receipt_id=sale.receipt_id,
        decision_id=decision_id,
        store_id=sale.store_id,
        terminal_id=sale.terminal_id,
        region=region,
        channel=sale.channel,
        device=device,
        customer_id=sale.customer_id,
        occurred_at=sale.occurred_at,
        recorded_at=now,
        currency=sale.currency,
        total=total,
        discount=discount,
        paid=total - discount,
        bonuses=sum(r.bonuses for r in kept),
        lines=tuple(
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
        ),
        redemptions=tuple(
            ReceiptRedemption(
                redemption_id=r.redemption_id,
                campaign_id=r.campaign_id,
                instrument_id=r.instrument_id,
                status="committed" if r.status == "committed" else "unauthorised",
                discount=r.discount,
                bonuses=r.bonuses,
            )
            for r in kept
        ),
    )
