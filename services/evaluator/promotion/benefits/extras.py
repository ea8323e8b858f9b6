"""What is given besides discounts: bonus points, gift goods; and tiers of benefits."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.evaluator.promotion.allocation import BASIS_POINTS, round_half_up
from services.evaluator.promotion.basket import Eligible, Reading
from services.evaluator.promotion.benefits.offer import NOTHING, Context, Given, Offer
from services.evaluator.promotion.conditions.goods import Measure
from services.evaluator.promotion.failure import Failure, gap
from services.evaluator.promotion.selection import Selection
from shared.events.benefits import Bonuses, GiftGoods
from shared.events.outcome import Unit
from shared.events.values import MAX_QUANTITY, Gift


@dataclass(frozen=True, slots=True, eq=False)
class BonusOffer:
    """Bonus points, on what remains to be paid of the selected lines."""

    benefit: Bonuses
    selection: Selection
    earns: bool = True

    def give(self, context: Context) -> Given:
        """The points earned when ``remaining`` is what is paid; none without a selected line.

        A percentage of the sum in minor units is as many points: 5% of 100.00 are 500.
        """
        positions = context.eligible.pick(self.selection)
        if not positions:
            return NOTHING
        net = sum([context.remaining[n] for n in positions])
        return Given(
            points=points(self.benefit, net, context.times),
            lifetime=(self.benefit.active_after_days, self.benefit.expires_after_days),
        )


def points(benefit: Bonuses, net: int, times: int) -> int:
    """The points for ``net`` minor units paid, the conditions met so many times."""
    earned = benefit.fixed * times + round_half_up(net * (benefit.percent or 0), BASIS_POINTS)
    return earned if benefit.max_points is None else min(earned, benefit.max_points)


@dataclass(frozen=True, slots=True, eq=False)
class GiftOffer:
    """Goods given away."""

    benefit: GiftGoods
    earns: bool = False

    def give(self, context: Context) -> Given:
        """All its gifts, or the list to choose from; none when nothing may earn anything."""
        if not context.eligible.positions:
            return NOTHING
        gifts = self.benefit.gifts
        if context.times > 1:
            gifts = tuple(
                Gift(
                    sku=gift.sku,
                    quantity=min(gift.quantity * context.times, MAX_QUANTITY),
                    value=gift.value,
                )
                for gift in gifts
            )
        return Given(gifts=gifts, choose=self.benefit.choose)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One tier: ``offer`` for ``at_least`` ≤ measured < ``below`` (None: no upper end)."""

    at_least: int
    below: int | None
    offer: Offer


@dataclass(frozen=True, slots=True, eq=False)
class TierOffer:
    """One of several offers, by a sum or a quantity of the cart before our discounts."""

    measure: Measure
    unit: Unit
    steps: Sequence[Step]
    earns: bool

    def give(self, context: Context) -> Given:
        """What the tier gives that the cart is in."""
        step = self._step(self.measure(context.reading, context.eligible))
        return step.offer.give(context) if step else NOTHING

    def failure(self, reading: Reading, eligible: Eligible) -> Failure | None:
        """Why the cart is in no tier; None if it is in one."""
        measured = self.measure(reading, eligible)
        if self._step(measured):
            return None
        return self._until(measured) or Failure("condition_not_met", "tiers")

    def next(self, reading: Reading, eligible: Eligible) -> Failure | None:
        """How much more leads to the next tier."""
        return self._until(self.measure(reading, eligible))

    def _step(self, measured: int) -> Step | None:
        for step in self.steps:
            if step.at_least <= measured and (step.below is None or measured < step.below):
                return step
        return None

    def _until(self, measured: int) -> Failure | None:
        ahead = [step.at_least for step in self.steps if step.at_least > measured]
        if not ahead:
            return None
        return gap("tiers", min(ahead) - measured, min(ahead), self.unit)
