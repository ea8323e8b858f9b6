"""What the evaluator answers and records: decisions, redemptions, receipts, bonuses."""

from typing import Annotated, Literal

from pydantic import Field

from shared.events.values import (
    Channel,
    Currency,
    CustomerId,
    Device,
    Event,
    Gift,
    Id,
    Instant,
    Money,
    Points,
    Quantity,
    SignedMoney,
    Text,
)

Reason = Literal[
    "condition_not_met",
    "wrong_store",
    "wrong_customer_group",
    "customer_unknown",
    "campaign_not_active",
    "code_missing",
    "code_not_valid",
    "limit_reached",
    "nothing_to_discount",
]
"""Why an instrument that was considered gave nothing."""


class LineDiscount(Event):
    """A share of a benefit on one line."""

    line: int
    discount: Money


class Applied(Event):
    """A benefit granted. ``code`` is the position (from 0) in the cart's codes of the one used."""

    campaign_id: Id
    instrument_id: Id
    redemption_id: Id | None = None
    discount: Money = 0
    lines: tuple[LineDiscount, ...] = ()
    bonuses: Points = 0
    gifts: tuple[Gift, ...] = ()
    code: int | None = None


class NotApplied(Event):
    """An instrument that was considered and gave nothing, and the gap.

    ``missing`` is how much more of ``unit`` the failed condition needs (minor units, thousandths).
    """

    campaign_id: Id
    instrument_id: Id
    reason: Reason
    condition: Text | None = None
    missing: int | None = None
    unit: Literal["money", "quantity"] | None = None


class DecidedLine(Event):
    """A line with all discounts: the till registers ``amount`` − ``discount``."""

    line: int
    amount: Money
    discount: Money


class Decision(Event):
    """The answer to one revision of a cart.

    ``outcome``: ``decided``; ``superseded`` (a higher revision was seen); ``cancelled``; ``paid``
    (the receipt is committed: the benefits are those it was paid with, nothing is held).
    ``unknown_codes`` are the positions (from 0) of codes that belong to no emission.
    """

    decision_id: Id
    receipt_id: Id
    revision: int
    intent: Literal["quote", "checkout", "cancel"]
    outcome: Literal["decided", "superseded", "cancelled", "paid"]
    store_id: Id
    terminal_id: Id
    region: Text
    device: Device
    customer_id: CustomerId | None = None
    occurred_at: Instant
    decided_at: Instant
    expires_at: Instant | None = None
    currency: Currency
    ruleset_version: int
    total: Money
    discount: Money
    bonuses: Points
    lines: tuple[DecidedLine, ...]
    applied: tuple[Applied, ...]
    not_applied: tuple[NotApplied, ...]
    unknown_codes: tuple[int, ...] = ()


RedemptionStatus = Literal["held", "committed", "released", "expired", "unauthorised"]


class Redemption(Event):
    """One change of state of one redemption: one use of one instrument on one receipt.

    ``unauthorised`` was given by the till without right: a cost, never an activation.
    ``mismatch`` is what the till gave minus what was decided (minor units), if they differ.
    """

    redemption_id: Id
    status: RedemptionStatus
    campaign_id: Id
    instrument_id: Id
    receipt_id: Id
    decision_id: Id | None = None
    store_id: Id
    terminal_id: Id
    region: Text
    device: Device
    customer_id: CustomerId | None = None
    occurred_at: Instant
    changed_at: Instant
    currency: Currency
    discount: Money
    bonuses: Points
    gifts: tuple[Gift, ...] = ()
    mismatch: SignedMoney = 0


class RecordedLine(Event):
    """A line of a receipt as it was paid: ``amount`` before, ``discount`` by our benefits."""

    line: int
    sku: Text
    group: Text | None = None
    brand: Text | None = None
    quantity: Quantity
    amount: Money
    discount: Money


class ReceiptRedemption(Event):
    """A redemption as its receipt records it."""

    redemption_id: Id
    campaign_id: Id
    instrument_id: Id
    status: Literal["committed", "unauthorised"]
    discount: Money
    bonuses: Points


class Receipt(Event):
    """A paid receipt, passed on once, clean: what statistics and profiles are made of.

    ``total`` − ``discount`` = ``paid`` (minor units, before cash rounding).
    """

    receipt_id: Id
    decision_id: Id | None = None
    store_id: Id
    terminal_id: Id
    region: Text
    channel: Channel
    device: Device
    customer_id: CustomerId | None = None
    occurred_at: Instant
    recorded_at: Instant
    currency: Currency
    total: Money
    discount: Money
    paid: Money
    bonuses: Points
    lines: Annotated[tuple[RecordedLine, ...], Field(min_length=1)]
    redemptions: tuple[ReceiptRedemption, ...]


class BonusEntry(Event):
    """Bonus points accrued by a redemption to a customer."""

    entry_id: Id
    customer_id: CustomerId
    redemption_id: Id
    campaign_id: Id
    instrument_id: Id
    receipt_id: Id
    kind: Literal["accrual"]
    points: Annotated[int, Field(gt=0)]
    occurred_at: Instant
    recorded_at: Instant
