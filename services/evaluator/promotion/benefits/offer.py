"""What an offer is given to work with, and what it gives."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from services.evaluator.promotion.basket import Eligible, Reading
from shared.events.values import Gift

Shares = tuple[tuple[int, int], ...]
"""Discounts (minor units, above zero) by position in ``Reading.lines``, ascending."""


Lifetime = tuple[int, int | None]
FOR_EVER: Lifetime = (0, None)


class Context(msgspec.Struct, frozen=True):
    """A cart as one instrument finds it: ``remaining`` is what earlier ones left of all lines.

    ``times`` is how often its conditions are met; 1 unless it repeats.
    """

    reading: Reading
    eligible: Eligible
    remaining: Sequence[int]
    times: int = 1

    def rooms(self, positions: Sequence[int]) -> list[int]:
        """How much may still be taken off each of the lines."""
        remaining, floors = self.remaining, self.reading.floors
        return [room if (room := remaining[n] - floors[n]) > 0 else 0 for n in positions]


class Given(msgspec.Struct, frozen=True):
    """What an offer gives: discounts, bonus points, gifts (``choose``: so many of them).

    ``lifetime`` of points: in how many days they can be spent, and for how many from then on.
    """

    shares: Shares = ()
    points: int = 0
    gifts: tuple[Gift, ...] = ()
    choose: int | None = None
    lifetime: Lifetime = FOR_EVER

    @property
    def discount(self) -> int:
        """All shares together (minor units)."""
        return sum([share for _, share in self.shares])

    def __bool__(self) -> bool:
        return bool(self.shares or self.points or self.gifts)


NOTHING = Given()


class Offer(Protocol):
    """A compiled benefit. ``earns``: all that it gives are bonus points, which need a customer."""

    @property
    def earns(self) -> bool:
        """Whether it gives bonus points only."""

    def give(self, context: Context) -> Given:
        """What the cart gets; nothing is a falsy ``Given``."""
