"""What the rollup reads of each event, and nothing more: decoding less is most of its speed.

The contracts are in ``shared.events``; fields not named here are ignored, as on any internal topic.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct, ValidationError
from msgspec.json import Decoder

from shared.events.values import MAX_MONEY

# Bounded, because an index of PostgreSQL refuses longer keys.
Text = Annotated[str, Meta(min_length=1, max_length=200)]
Money = Annotated[int, Meta(ge=0, le=MAX_MONEY)]
Version = Annotated[int, Meta(ge=1, le=10**9)]
Instant = Annotated[datetime, Meta(tz=True)]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


class Redemption(Struct, frozen=True, gc=False):
    """A redemption as its receipt records it."""

    campaign_id: Text
    instrument_id: Text
    status: Literal["committed", "unauthorised"]
    discount: Money
    bonuses: Money
    emission_id: Text | None = None


class Line(Struct, frozen=True, gc=False):
    """A line of a receipt as it was paid: ``quantity`` in thousandths."""

    sku: Text
    quantity: Money
    amount: Money
    discount: Money
    group: Text | None = None


class Receipt(Struct, frozen=True, gc=False):
    """``shared.events.outcome.Receipt``, as far as it is counted; ``lines_of`` reads its lines."""

    store_id: Text
    device: Text
    region: Text
    currency: Text
    occurred_at: Instant
    total: Money
    discount: Money
    paid: Money
    bonuses: Money
    redemptions: tuple[Redemption, ...]
    lines: Raw
    customer_id: Text | None = None
    exposed: tuple[Text, ...] = ()
    held_back: tuple[Text, ...] = ()


class ReturnedRedemption(Struct, frozen=True, gc=False):
    """What a return changed of a redemption."""

    campaign_id: Text
    instrument_id: Text
    status: Literal["committed", "returned", "unauthorised"]
    released: bool
    discount: Money
    bonuses: Money
    emission_id: Text | None = None


class Returned(Struct, frozen=True, gc=False):
    """``shared.events.outcome.Returned``, as far as it is counted."""

    sold_in: Text
    device: Text
    region: Text
    currency: Text
    occurred_at: Instant
    refund: Money
    redemptions: tuple[ReturnedRedemption, ...]
    sold_at: Instant
    customer_id: Text | None = None


class Applied(Struct, frozen=True, gc=False):
    """An instrument that gave a benefit."""

    campaign_id: Text
    instrument_id: Text
    emission_id: Text | None = None


class NotApplied(Struct, frozen=True, gc=False):
    """An instrument that was considered and gave nothing, and why."""

    campaign_id: Text
    instrument_id: Text
    reason: Text


class Decision(Struct, frozen=True, gc=False):
    """``shared.events.outcome.Decision``, as far as it is counted."""

    intent: str
    outcome: str
    store_id: Text
    device: Text
    region: Text
    currency: Text
    occurred_at: Instant
    applied: tuple[Applied, ...]
    not_applied: tuple[NotApplied, ...]


class Condition(Struct, frozen=True):
    """What matters of a condition: the code that it asks for, or the conditions within it."""

    kind: str
    condition_id: Text = "code"
    emission_id: Text | None = None
    cap: int | None = None
    conditions: "tuple[Condition, ...]" = ()
    condition: "Condition | None" = None


class Period(Struct, frozen=True, omit_defaults=True):
    """A processing period other than the campaign's."""

    kind: Literal["rolling", "calendar", "consecutive"]
    days: int | None = None
    unit: Literal["day", "week", "month"] | None = None


class Limit(Struct, frozen=True):
    """A cap on redemptions, or on money (minor units)."""

    per: tuple[str, ...] = ()
    redemptions: int | None = None
    money: int | None = None


class Instrument(Struct, frozen=True):
    """An instrument's name and caps."""

    instrument_id: Text
    name: Text
    conditions: tuple[Condition, ...] = ()
    processing_period: Literal["campaign"] | Period = "campaign"
    max_redemptions: int | None = None
    on_return: Literal["release", "keep"] = "release"
    limits: tuple[Limit, ...] = ()


class Campaign(Struct, frozen=True):
    """The state of a campaign that its statistics are shown with."""

    campaign_id: Text
    version: Version
    name: Text
    status: Text
    time_zone: Text
    starts_at: Instant
    ends_at: Instant
    instruments: tuple[Instrument, ...]
    control_group: int = 0
    limits: tuple[Limit, ...] = ()


class Product(Struct, frozen=True):
    """Where a product belongs, and what a unit of it costs (minor units)."""

    sku: Text
    group: Text | None = None
    cost: Money | None = None
    currency: Text | None = None


class Store(Struct, frozen=True):
    """A store's name and place."""

    store_id: Text
    name: Text
    region: Text
    time_zone: Text
    currency: Text


_LINES = Decoder(tuple[Line, ...])


def lines_of(receipt: Receipt) -> tuple[Line, ...]:
    """The receipt's lines. Raises ``msgspec.ValidationError``."""
    lines = _LINES.decode(receipt.lines)
    if b"\\" in bytes(receipt.lines) and "\0" in texts(lines):
        message = "a text holds a null byte"
        raise ValidationError(message)
    return lines


def texts(message: object) -> str:
    """All texts of a message in one."""
    if isinstance(message, str):
        return message
    if isinstance(message, tuple):
        return "".join(map(texts, message))
    if isinstance(message, Struct):
        return "".join(texts(getattr(message, name)) for name in message.__struct_fields__)
    return ""


def minute_of(at: datetime) -> int:
    """Whole minutes since 1970 (UTC)."""
    return (at - _EPOCH) // _MINUTE
