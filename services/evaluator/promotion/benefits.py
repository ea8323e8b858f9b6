"""Benefits: what an instrument gives, compiled to offers that are worked out line by line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from services.evaluator.promotion.allocation import BASIS_POINTS, round_half_up, spread
from services.evaluator.promotion.basket import Eligible, Reading, Selection, select
from shared.events.benefits import Benefit, Bonuses, GiftGoods, PercentOff
from shared.events.values import Gift

Shares = tuple[tuple[int, int], ...]
"""Discounts (minor units, above zero) by position in ``Reading.lines``, ascending."""


@dataclass(frozen=True, slots=True, eq=False)
class PercentOffer:
    """A percentage off the selected lines."""

    benefit: PercentOff
    selection: Selection

    def shares(self, reading: Reading, eligible: Eligible, remaining: Sequence[int]) -> Shares:
        """What it takes off each line, given what earlier benefits left of all lines.

        A line's part is cut at its floor; the parts are added up exactly and rounded once, then
        held to ``max_discount``, then spread.
        """
        percent = self.benefit.percent
        of_original = self.benefit.of == "original"
        positions = self.selection.pick(eligible)
        rooms = [max(0, remaining[n] - reading.floors[n]) for n in positions]
        exact = [
            min(
                (reading.lines[n].amount if of_original else remaining[n]) * percent,
                room * BASIS_POINTS,
            )
            for n, room in zip(positions, rooms, strict=True)
        ]
        discount = round_half_up(sum(exact), BASIS_POINTS)
        if self.benefit.max_discount is not None:
            discount = min(discount, self.benefit.max_discount)
        shares = spread(discount, exact, rooms)
        return tuple((n, share) for n, share in zip(positions, shares, strict=True) if share)


@dataclass(frozen=True, slots=True, eq=False)
class BonusOffer:
    """Bonus points, on what remains to be paid of the selected lines."""

    benefit: Bonuses
    selection: Selection

    def points(self, eligible: Eligible, remaining: Sequence[int]) -> int:
        """The points earned when ``remaining`` is what is paid; none without a selected line.

        A percentage of the sum in minor units is as many points: 5% of 100.00 are 500.
        """
        positions = self.selection.pick(eligible)
        if not positions:
            return 0
        net = sum(remaining[n] for n in positions)
        return self.benefit.fixed + round_half_up(net * (self.benefit.percent or 0), BASIS_POINTS)


@dataclass(frozen=True, slots=True, eq=False)
class GiftOffer:
    """Goods given away."""

    benefit: GiftGoods

    def gifts(self, eligible: Eligible) -> tuple[Gift, ...]:
        """All its gifts; none when nothing on the receipt may earn anything."""
        return self.benefit.gifts if eligible.positions else ()


Offer = PercentOffer | BonusOffer | GiftOffer


def compile_benefit(benefit: Benefit) -> Offer:
    """The offer that a benefit makes."""
    match benefit:
        case PercentOff():
            return PercentOffer(benefit, select(benefit.products))
        case Bonuses():
            return BonusOffer(benefit, select(benefit.products))
        case GiftGoods():
            return GiftOffer(benefit)
        case _:
            assert_never(benefit)
