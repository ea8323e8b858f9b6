"""A sale from its body, decoded fast: ``shared.events.checkout.Sale``, field by field (see ``cart``)."""

from typing import Annotated, Literal, cast

import msgspec
from msgspec import Meta

from services.evaluator.cart import (
    CartLine,
    Id,
    Money,
    PlainReceipt,
    Quantity,
    Struct,
    Text,
    adds_up,
    is_of_this_world,
    is_plain,
)
from shared.codec import decode
from shared.events.checkout import Sale
from shared.events.values import MAX_LINES, MAX_MONEY, PaymentMethod

_SignedMoney = Annotated[int, Meta(ge=-MAX_MONEY, le=MAX_MONEY)]


class SoldLine(CartLine, frozen=True, kw_only=True):
    """``checkout.SoldLine``."""

    discount: Money = 0


class Gift(Struct, frozen=True, kw_only=True):
    """``values.Gift``."""

    sku: Text
    quantity: Quantity = 1000
    value: Money = 0


class GivenBenefit(Struct, frozen=True, kw_only=True):
    """``checkout.GivenBenefit``."""

    campaign_id: Id
    instrument_id: Id
    discount: Money = 0
    gifts: Annotated[tuple[Gift, ...], Meta(max_length=20)] = ()
    lease_id: Id | None = None


class Payment(Struct, frozen=True):
    """``checkout.Payment``."""

    method: PaymentMethod
    amount: _SignedMoney


class PlainSale(PlainReceipt, frozen=True, kw_only=True):
    """``checkout.Sale``, without those that need more than a look."""

    intent: Literal["sale"] = "sale"
    decision_id: Id | None = None
    lines: Annotated[tuple[SoldLine, ...], Meta(min_length=1, max_length=MAX_LINES)]
    given: Annotated[tuple[GivenBenefit, ...], Meta(max_length=200)] = ()
    payments: Annotated[tuple[Payment, ...], Meta(max_length=20)] = ()
    cash_rounding: _SignedMoney = 0


_DECODER = msgspec.json.Decoder(PlainSale)


def decode_sale(body: bytes) -> Sale:
    """The sale in a body: its attributes at least. Raises ``InvalidMessageError``."""
    found = plain_sale(body)
    return decode(Sale, body) if found is None else cast(Sale, found)


def plain_sale(body: bytes) -> PlainSale | None:
    """The sale in a body, if it is plain enough to be sure that the contract's model takes it."""
    if not is_plain(body):
        return None
    try:
        sale = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    good = is_of_this_world(sale) and adds_up(sale.lines) and _is_consistent(sale)
    return sale if good else None


def _is_consistent(sale: PlainSale) -> bool:
    """Discounts are within their lines and add up to those given; each instrument is named once."""
    return (
        all(line.discount <= line.amount for line in sale.lines)
        and sum([line.discount for line in sale.lines]) == sum([g.discount for g in sale.given])
        and len({(g.campaign_id, g.instrument_id) for g in sale.given}) == len(sale.given)
        and all(p.amount >= 0 for p in sale.payments if p.method == "bonuses")
    )
