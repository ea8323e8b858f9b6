"""Recorded bodies and decisions, read as far as a backtest needs them.

They were validated when they came; reading a cart again by its contract takes five times as long.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import cast

import msgspec

from services.evaluator.backtest.trial import Gave
from shared.events.checkout import Cart
from shared.events.values import Channel, Gift, PaymentMethod


class Head(msgspec.Struct, frozen=True, gc=False):
    """What tells which of a receipt's events counts, and when it was."""

    occurred_at: datetime
    intent: str = "checkout"
    revision: int = 0

    @property
    def rank(self) -> tuple[bool, int]:
        """Of a receipt's decided events the last one: a sale's own decision, else the last cart's."""
        return self.intent == "sale", self.revision


class _Discount(msgspec.Struct, frozen=True, gc=False):
    amount: int


class _Payment(msgspec.Struct, frozen=True, gc=False):
    method: PaymentMethod


class _Line(msgspec.Struct, frozen=True, gc=False):
    """What promotions look at of a ``CartLine``."""

    line: int
    sku: str
    quantity: int
    price: int
    amount: int
    list_price: int = 0
    group: str | None = None
    brand: str | None = None
    attributes: dict[str, str] = {}
    discounts: tuple[_Discount, ...] = ()
    no_promo: bool = False
    min_line_amount: int = 0
    min_unit_price: int = 0


class Body(msgspec.Struct, frozen=True, gc=False):
    """What promotions look at of a ``Cart`` or a ``Sale``."""

    receipt_id: str
    store_id: str
    occurred_at: datetime
    currency: str
    lines: tuple[_Line, ...]
    intent: str = "checkout"
    customer_id: str | None = None
    channel: Channel = "till"
    planned: tuple[PaymentMethod, ...] = msgspec.field(name="payment_methods", default=())
    payments: tuple[_Payment, ...] = ()

    @property
    def payment_methods(self) -> tuple[PaymentMethod, ...]:
        """How it was paid, or was going to be."""
        return tuple([payment.method for payment in self.payments]) or self.planned


class _Gift(msgspec.Struct, frozen=True, gc=False):
    sku: str
    quantity: int = 1000


class _Applied(msgspec.Struct, frozen=True, gc=False):
    campaign_id: str
    instrument_id: str
    discount: int = 0
    bonuses: int = 0
    gifts: tuple[_Gift, ...] = ()


class Decided(msgspec.Struct, frozen=True, gc=False):
    """What a decision gave, before our discounts ``total`` (minor units)."""

    total: int
    applied: tuple[_Applied, ...] = ()

    @property
    def gave(self) -> tuple[Gave, ...]:
        """By instrument."""
        return tuple(
            Gave(a.campaign_id, a.instrument_id, a.discount, a.bonuses, _goods(a.gifts))
            for a in self.applied
        )


def _goods(gifts: Iterable[_Gift | Gift]) -> tuple[tuple[str, int], ...]:
    return tuple((gift.sku, gift.quantity) for gift in gifts)


_HEAD = msgspec.json.Decoder(Head)
_BODY = msgspec.json.Decoder(Body)
_DECIDED = msgspec.json.Decoder(Decided)


def head(body: bytes) -> Head:
    """The head of a cart or a sale that was taken in."""
    return _HEAD.decode(body)


def event(body: bytes) -> Cart:
    """A cart, or a sale as one, that was taken in, for what promotions look at: it has no other fields."""
    return cast(Cart, _BODY.decode(body))


def decided(decision: bytes) -> Decided:
    """A decision as it was sent."""
    return _DECIDED.decode(decision)
