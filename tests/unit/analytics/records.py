"""Records of what the rollup reads, each like others but for what a test says of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka.structs import ConsumerRecord

from services.analytics import stream
from services.analytics.rollup import Rollup
from shared.codec import encode
from shared.events.outcome import (
    Applied,
    Decision,
    NotApplied,
    Receipt,
    ReceiptRedemption,
    RecordedLine,
    Returned,
    ReturnedRedemption,
)
from shared.events.values import Currency
from shared.topics import DECISIONS, RECEIPTS, RETURNS

NOON = datetime(2026, 12, 10, 12, 0, 30, tzinfo=UTC)
MINUTE = 29_948_400  # 2026-12-10T12:00Z
PLACE = ("store-1", "till", "North", "EUR")
OFFER = ("campaign-1", "instrument-1", "")


def record(topic: str, value: bytes | None, offset: int = 0) -> ConsumerRecord:
    size = len(value or b"")
    return ConsumerRecord(topic, 0, offset, 0, 0, b"key", value, None, 0, size, ())


def fold(records: list[ConsumerRecord]) -> Rollup:
    """The sums of records that can all be used."""
    rollup, dead = stream.fold(records)
    assert dead == []
    return rollup


def redemption(**values: Any) -> ReceiptRedemption:
    defaults: dict[str, Any] = {
        "redemption_id": "redemption-1",
        "campaign_id": "campaign-1",
        "instrument_id": "instrument-1",
        "status": "committed",
        "discount": 0,
        "bonuses": 0,
    }
    return ReceiptRedemption(**{**defaults, **values})


def receipt(**values: Any) -> ConsumerRecord:
    total = values.get("total", 1_000)
    discount = values.get("discount", 0)
    defaults: dict[str, Any] = {
        "receipt_id": "receipt-1",
        "store_id": "store-1",
        "terminal_id": "till-1",
        "region": "North",
        "channel": "till",
        "device": "till",
        "occurred_at": NOON,
        "recorded_at": NOON,
        "currency": Currency("EUR"),
        "total": total,
        "discount": discount,
        "paid": total - discount,
        "bonuses": 0,
        "lines": (RecordedLine(line=1, sku="a", quantity=1_000, amount=total, discount=discount),),
        "redemptions": (),
    }
    return record(RECEIPTS.name, encode(Receipt(**{**defaults, **values})))


def returned(**values: Any) -> ConsumerRecord:
    """A return of a sale of the day before, in another store."""
    defaults: dict[str, Any] = {
        "return_id": "return-1",
        "receipt_id": "receipt-1",
        "store_id": "store-2",
        "terminal_id": "till-9",
        "sold_in": "store-1",
        "region": "North",
        "device": "till",
        "sold_at": NOON - timedelta(days=1),
        "occurred_at": NOON,
        "recorded_at": NOON,
        "currency": Currency("EUR"),
        "complete": True,
        "refund": 0,
        "money": values.get("refund", 0),
        "bonuses": 0,
        "lines": (),
        "redemptions": (),
    }
    return record(RETURNS.name, encode(Returned(**{**defaults, **values})))


def taken_back(**values: Any) -> ReturnedRedemption:
    defaults: dict[str, Any] = {
        "redemption_id": "redemption-1",
        "campaign_id": "campaign-1",
        "instrument_id": "instrument-1",
        "status": "returned",
        "released": True,
        "discount": 0,
        "bonuses": 0,
    }
    return ReturnedRedemption(**{**defaults, **values})


def decision(**values: Any) -> ConsumerRecord:
    defaults: dict[str, Any] = {
        "decision_id": "decision-1",
        "receipt_id": "receipt-1",
        "revision": 0,
        "intent": "checkout",
        "outcome": "decided",
        "store_id": "store-1",
        "terminal_id": "till-1",
        "region": "North",
        "device": "till",
        "occurred_at": NOON,
        "decided_at": NOON,
        "currency": Currency("EUR"),
        "ruleset_version": 1,
        "total": 1_000,
        "discount": 0,
        "bonuses": 0,
        "lines": (),
        "applied": (),
        "not_applied": (),
    }
    return record(DECISIONS.name, encode(Decision(**{**defaults, **values})))


def not_applied(instrument_id: str, reason: Any = "code_missing") -> NotApplied:
    return NotApplied(campaign_id="campaign-1", instrument_id=instrument_id, reason=reason)


def applied(instrument_id: str = "instrument-1") -> Applied:
    return Applied(campaign_id="campaign-1", instrument_id=instrument_id)
