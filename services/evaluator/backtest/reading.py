"""Recorded bodies and decisions, read as far as a backtest needs them."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from services.evaluator.backtest.trial import Gave
from shared.events.values import Gift


class Head(msgspec.Struct, frozen=True):
    """What tells which of a receipt's events counts, and when it was."""

    occurred_at: datetime
    intent: str = "checkout"
    revision: int = 0

    @property
    def rank(self) -> tuple[bool, int]:
        """Of a receipt's decided events the last one: a sale's own decision, else the last cart's."""
        return self.intent == "sale", self.revision


class _Gift(msgspec.Struct, frozen=True):
    sku: str
    quantity: int = 1000


class _Applied(msgspec.Struct, frozen=True):
    campaign_id: str
    instrument_id: str
    discount: int = 0
    bonuses: int = 0
    gifts: tuple[_Gift, ...] = ()


class Decided(msgspec.Struct, frozen=True):
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
_DECIDED = msgspec.json.Decoder(Decided)


def head(body: bytes) -> Head:
    """The head of a cart or a sale that was taken in."""
    return _HEAD.decode(body)


def decided(decision: bytes) -> Decided:
    """A decision as it was sent."""
    return _DECIDED.decode(decision)
