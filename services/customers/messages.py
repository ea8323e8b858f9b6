"""What is read of each event, and nothing more: decoding less is most of the speed.

The contracts are in ``shared.events``; fields not named here are ignored, as on any internal topic.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from shared.events.values import MAX_MONEY

# Bounded, because an index of PostgreSQL refuses longer keys.
Text = Annotated[str, Meta(min_length=1, max_length=200)]
Money = Annotated[int, Meta(ge=0, le=MAX_MONEY)]
Instant = Annotated[datetime, Meta(tz=True)]


class Line(Struct, frozen=True, gc=False):
    """A line of a receipt as it was paid: ``quantity`` in thousandths, amounts in minor units."""

    line: int
    sku: Text
    quantity: Money
    amount: Money
    discount: Money
    group: Text | None = None


class Redemption(Struct, frozen=True, gc=False):
    """A redemption as its receipt records it; ``emission_id`` is the emission of the code it used."""

    campaign_id: Text
    instrument_id: Text
    status: Literal["committed", "unauthorised"]
    discount: Money
    bonuses: Money
    emission_id: Text | None = None


class Receipt(Struct, frozen=True, gc=False):
    """``shared.events.outcome.Receipt``."""

    receipt_id: Text
    store_id: Text
    terminal_id: Text
    region: Text
    device: Text
    currency: Text
    occurred_at: Instant
    discount: Money
    paid: Money
    lines: tuple[Line, ...]
    redemptions: tuple[Redemption, ...]
    customer_id: Text | None = None
    device_id: Text | None = None
    cashier_id: Text | None = None
    address: Text | None = None
    utc_offset_minutes: Annotated[int, Meta(ge=-1_080, le=1_080)] | None = None


class ReturnedLine(Struct, frozen=True, gc=False):
    """So much (thousandths) of a line came back, and what is refunded for it (minor units)."""

    line: int
    quantity: Money
    refund: Money


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
    """``shared.events.outcome.Returned``."""

    return_id: Text
    receipt_id: Text
    store_id: Text
    sold_at: Instant
    occurred_at: Instant
    currency: Text
    complete: bool
    refund: Money
    lines: tuple[ReturnedLine, ...]
    redemptions: tuple[ReturnedRedemption, ...]
    customer_id: Text | None = None
    cashier_id: Text | None = None
    sold_in: Text | None = None
    region: Text | None = None


class BonusEntry(Struct, frozen=True, gc=False):
    """``shared.events.outcome.BonusEntry``: ``points`` is signed."""

    entry_id: Text
    customer_id: Text
    kind: Literal["accrual", "spend", "refund", "take_back", "expiry"]
    points: Annotated[int, Meta(ge=-MAX_MONEY, le=MAX_MONEY)]
    occurred_at: Instant


class CodeChunk(Struct, frozen=True, gc=False):
    """``shared.events.reference.CodeChunk``: to whom codes were given; never the codes."""

    emission_id: Text
    posted_at: Instant
    holders: tuple[Text | None, ...] = ()


class UnusedCode(Struct, frozen=True, gc=False):
    """Why the code at a position of the cart (from 0) was not used."""

    code: int
    reason: Text


class Decision(Struct, frozen=True, gc=False):
    """``shared.events.outcome.Decision``, as far as it tells of codes that were not the customer's to use."""

    receipt_id: Text
    outcome: Text
    store_id: Text
    occurred_at: Instant
    unused_codes: tuple[UnusedCode, ...] = ()
    foreign_codes: tuple[int, ...] = ()
    customer_id: Text | None = None
    device_id: Text | None = None
    cashier_id: Text | None = None
    address: Text | None = None


class CodeAttempt(Struct, frozen=True, gc=False):
    """``shared.events.outcome.CodeAttempt``: codes of a caller who is locked out for guessing."""

    attempt_id: Text
    who: Literal["store", "terminal", "customer", "address"]
    subject: Text
    store_id: Text
    codes: int
    occurred_at: Instant
    receipt_id: Text | None = None
    customer_id: Text | None = None


class CodeIssued(Struct, frozen=True, gc=False):
    """``shared.events.customers.CodeIssued``: a code that was asked for, or why there is none. Never to be logged."""

    request_id: Text
    emission_id: Text
    customer_id: Text
    valid_until: Instant
    issued_at: Instant
    code: Text | None = None
    refused: Literal["no_such_emission", "not_personal", "not_posted", "ended", "erased"] | None = (
        None
    )

    def __repr__(self) -> str:
        """Without the code."""
        return f"CodeIssued({self.request_id!r})"


Message = Receipt | Returned | BonusEntry | CodeChunk | Decision | CodeAttempt | CodeIssued
