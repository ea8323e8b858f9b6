"""What the rollup reads of each event, and nothing more: decoding less is most of its speed.

The contracts are in ``shared.events``; fields not named here are ignored, as on any internal topic.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, TypeVar

from aiokafka.structs import ConsumerRecord
from msgspec import DecodeError, Meta, Struct, ValidationError
from msgspec.json import Decoder

from shared.dead_letters import DeadLetter
from shared.events.values import MAX_MONEY

# Bounded, because an index of PostgreSQL refuses longer keys.
Text = Annotated[str, Meta(min_length=1, max_length=200)]
Money = Annotated[int, Meta(ge=0, le=MAX_MONEY)]
Version = Annotated[int, Meta(ge=1, le=10**9)]
Instant = Annotated[datetime, Meta(tz=True)]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_QUOTED = re.compile(r"'[^']*'")


class Redemption(Struct, frozen=True, gc=False):
    """A redemption as its receipt records it."""

    campaign_id: Text
    instrument_id: Text
    status: Literal["committed", "unauthorised"]
    discount: Money
    bonuses: Money


class Receipt(Struct, frozen=True, gc=False):
    """``shared.events.outcome.Receipt``, as far as it is counted."""

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


class Applied(Struct, frozen=True, gc=False):
    """An instrument that gave a benefit."""

    campaign_id: Text
    instrument_id: Text


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


class Instrument(Struct, frozen=True):
    """An instrument's name."""

    instrument_id: Text
    name: Text


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


class Store(Struct, frozen=True):
    """A store's name and place."""

    store_id: Text
    name: Text
    region: Text
    time_zone: Text
    currency: Text


M = TypeVar("M")


def decode(decoder: Decoder[M], record: ConsumerRecord) -> M | DeadLetter:
    """The message of a record, or the record with the reason why it can't be used."""
    value = record.value
    if value is None:
        return DeadLetter(record, "no_value", "the record has no value")
    try:
        message = decoder.decode(value)
    except ValidationError as error:
        # The library quotes values in some messages: they are not for the dead letter's reason.
        return DeadLetter(record, "invalid_field", _QUOTED.sub("…", str(error)))
    except (DecodeError, UnicodeDecodeError):
        return DeadLetter(record, "invalid_json", "the value is not JSON in UTF-8")
    # A null byte can only come as an escape, and escapes are rare: looking for them is cheap.
    if b"\\" in value and "\0" in texts(message):
        return DeadLetter(record, "invalid_field", "a text holds a null byte")
    return message


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
