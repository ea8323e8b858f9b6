"""What the clock of a receipt's store said: hours, weekdays and days of customers go by it. Pure."""

from datetime import date, timedelta

from services.customers.messages import Receipt


def offset_minutes(receipt: Receipt) -> int:
    """By how much the store's clock was ahead of UTC; where the receipt does not say, the till's own zone counts."""
    if receipt.utc_offset_minutes is not None:
        return receipt.utc_offset_minutes
    ahead = receipt.occurred_at.utcoffset()
    return int(ahead.total_seconds()) // 60 if ahead else 0


def day(receipt: Receipt) -> date:
    """The day on which the receipt was paid, by the store's clock."""
    at = receipt.occurred_at
    return (
        at + timedelta(minutes=offset_minutes(receipt)) - (at.utcoffset() or timedelta())
    ).date()
