"""A cart from its body, decoded fast: ``shared.events.checkout.Cart``, field by field, in structs.

Most carts are as they should be, and the structs know that in half of the time that the contract's
models take. What they do not take, the models decide on: so the structs may be stricter than the
contract (they are about what hardly anybody writes, such as escaped letters), never laxer.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, cast

import msgspec
from msgspec import Meta

from shared.codec import decode
from shared.events.checkout import Cart
from shared.events.values import (
    FIRST_INSTANT,
    LAST_INSTANT,
    MAX_CODES,
    MAX_LINES,
    MAX_MONEY,
    MAX_QUANTITY,
    THOUSANDTHS,
    Channel,
    Currency,
    PaymentMethod,
)

# ``is_plain`` sees to it that there are no control characters.
Text = Annotated[str, Meta(min_length=1, max_length=200)]
_Agent = Annotated[str, Meta(min_length=1, max_length=500)]
# Python's "$" would let a line end follow.
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}\Z")]
# Neither e-mail address nor name nor telephone number.
_CustomerId = Annotated[
    str, Meta(pattern=r"^(?!\+?[\d.()/-]{9,20}\Z)[A-Za-z0-9+][A-Za-z0-9+._:()-]{0,63}\Z")
]
Money = Annotated[int, Meta(ge=0, le=MAX_MONEY)]
Quantity = Annotated[int, Meta(gt=0, le=MAX_QUANTITY)]
Count = Annotated[int, Meta(ge=1, le=10**9)]
_Instant = Annotated[datetime, Meta(tz=True)]


class Struct(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Base of the structs: immutable, closed to unknown fields."""


class OtherDiscount(Struct, frozen=True):
    """``checkout.OtherDiscount``."""

    kind: Literal["staff", "markdown", "manual", "loyalty", "other"]
    amount: Money


class CartLine(Struct, frozen=True, kw_only=True):
    """``checkout.CartLine``."""

    line: Count
    sku: Text
    group: Text | None = None
    brand: Text | None = None
    attributes: Annotated[dict[Id, Text], Meta(max_length=50)] = {}
    quantity: Quantity
    list_price: Money
    price: Money
    amount: Money
    discounts: Annotated[tuple[OtherDiscount, ...], Meta(max_length=20)] = ()
    no_promo: bool = False
    min_line_amount: Money = 0
    min_unit_price: Money = 0
    tax_code: Text | None = None


class Location(Struct, frozen=True):
    """``values.Location``."""

    latitude_e6: Annotated[int, Meta(ge=-90_000_000, le=90_000_000)]
    longitude_e6: Annotated[int, Meta(ge=-180_000_000, le=180_000_000)]


class PlainReceipt(Struct, frozen=True, kw_only=True):
    """What carts and sales have in common."""

    receipt_id: Id
    revision: Annotated[int, Meta(ge=0, le=10**6)] = 0
    store_id: Id
    terminal_id: Id
    occurred_at: _Instant
    currency: str
    customer_id: _CustomerId | None = None
    channel: Channel = "till"
    user_agent: _Agent | None = None
    device_id: Id | None = None
    cashier_id: Id | None = None
    location: Location | None = None
    codes: Annotated[tuple[Text, ...], Meta(max_length=MAX_CODES)] = ()


class PlainCart(PlainReceipt, frozen=True, kw_only=True):
    """``checkout.Cart``, without those that need more than a look."""

    intent: Literal["quote", "checkout", "cancel"] = "checkout"
    payment_methods: Annotated[tuple[PaymentMethod, ...], Meta(max_length=5)] = ()
    price_groups: bool = False
    pay_bonuses: Annotated[int, Meta(ge=0, le=MAX_MONEY)] = 0
    lines: Annotated[tuple[CartLine, ...], Meta(max_length=MAX_LINES)] = ()


_DECODER = msgspec.json.Decoder(PlainCart)
# Escapes of ASCII may hide what the next two look for, and control characters.
_ESCAPED_ASCII = re.compile(rb"\\(?:[bfnrt]|u00[0-7])")
# A struct's instant is rounded to microseconds, a model's is truncated.
_TOO_EXACT = re.compile(rb"\.[0-9]{7}")
_DELETE = b"\x7f"


def decode_cart(body: bytes) -> Cart:
    """The cart in a body: its attributes at least. Raises ``InvalidMessageError``."""
    found = plain_cart(body)
    return decode(Cart, body) if found is None else cast(Cart, found)


def plain_cart(body: bytes) -> PlainCart | None:
    """The cart in a body, if it is plain enough to be sure that the contract's model takes it."""
    if not is_plain(body):
        return None
    try:
        cart = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    has_lines = bool(cart.lines) or cart.intent == "cancel"
    return cart if has_lines and is_of_this_world(cart) and adds_up(cart.lines) else None


def is_plain(body: bytes) -> bool:
    """Whether nothing in it is read in two ways."""
    return not (
        _DELETE in body
        or _TOO_EXACT.search(body)
        or (b"\\" in body and _ESCAPED_ASCII.search(body))
    )


def is_of_this_world(receipt: PlainReceipt) -> bool:
    """Its currency is a known one, and its instant one that the contract takes."""
    return (
        receipt.currency in Currency.allowed_currencies
        and FIRST_INSTANT <= receipt.occurred_at <= LAST_INSTANT
    )


def adds_up(lines: Sequence[CartLine]) -> bool:
    """Amounts are price × quantity, to ±1; their sum is money; no line number comes twice."""
    total = 0
    for line in lines:
        total += line.amount
        if (
            not -THOUSANDTHS
            <= line.amount * THOUSANDTHS - line.price * line.quantity
            <= THOUSANDTHS
        ):
            return False
    return total <= MAX_MONEY and len({line.line for line in lines}) == len(lines)
