"""Facts for tests of customers."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.customers.messages import (
    BonusEntry,
    Line,
    Receipt,
    Redemption,
    Returned,
    ReturnedLine,
    ReturnedRedemption,
)

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def a_line(number: int = 1, **values: Any) -> Line:
    defaults: dict[str, Any] = {
        "line": number,
        "sku": f"sku-{number}",
        "quantity": 1_000,
        "amount": 1_000,
        "discount": 0,
        "group": "dairy",
    }
    return Line(**{**defaults, **values})


def a_redemption(**values: Any) -> Redemption:
    defaults: dict[str, Any] = {
        "campaign_id": "campaign-1",
        "instrument_id": "instrument-1",
        "status": "committed",
        "discount": 0,
        "bonuses": 0,
    }
    return Redemption(**{**defaults, **values})


def a_receipt(number: int = 1, **values: Any) -> Receipt:
    lines = values.get("lines", (a_line(),))
    discount = sum(line.discount for line in lines)
    defaults: dict[str, Any] = {
        "receipt_id": f"receipt-{number}",
        "store_id": "store-1",
        "terminal_id": "till-1",
        "region": "North",
        "device": "till",
        "currency": "EUR",
        "occurred_at": NOON,
        "discount": discount,
        "paid": sum(line.amount for line in lines) - discount,
        "lines": lines,
        "redemptions": (),
        "customer_id": "c-1",
        "utc_offset_minutes": 0,
    }
    return Receipt(**{**defaults, **values})


def a_return(of: Receipt, number: int = 1, **values: Any) -> Returned:
    """All of a receipt, unless said otherwise, a day after it."""
    defaults: dict[str, Any] = {
        "return_id": f"return-{of.receipt_id}-{number}",
        "receipt_id": of.receipt_id,
        "store_id": of.store_id,
        "sold_at": of.occurred_at,
        "occurred_at": of.occurred_at + DAY,
        "currency": of.currency,
        "complete": True,
        "refund": of.paid,
        "lines": tuple(
            ReturnedLine(line.line, line.quantity, line.amount - line.discount) for line in of.lines
        ),
        "redemptions": tuple(
            ReturnedRedemption(
                one.campaign_id,
                one.instrument_id,
                "returned",
                released=True,
                discount=one.discount,
                bonuses=one.bonuses,
                emission_id=one.emission_id,
            )
            for one in of.redemptions
        ),
        "customer_id": of.customer_id,
    }
    return Returned(**{**defaults, **values})


def a_bonus(points: int, kind: str = "accrual", **values: Any) -> BonusEntry:
    defaults: dict[str, Any] = {
        "entry_id": f"entry-{kind}-{points}",
        "customer_id": "c-1",
        "kind": kind,
        "points": points,
        "occurred_at": NOON,
    }
    return BonusEntry(**{**defaults, **values})
