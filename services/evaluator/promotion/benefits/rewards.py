"""Units that are free, or cheaper, for buying others: buy X get Y, the cheapest of N."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.evaluator.promotion.benefits.offer import Context, Given
from services.evaluator.promotion.benefits.portions import Portions, percent_of, take
from services.evaluator.promotion.selection import Selection
from shared.events.benefits import BuyGet, CheapestFree
from shared.events.checkout import CartLine


@dataclass(frozen=True, slots=True, eq=False)
class CheapestOffer:
    """The cheapest units are rewarded: ``reward`` for every ``group`` (thousandths) of them."""

    benefit: BuyGet | CheapestFree
    group: int
    reward: int
    selection: Selection
    earns: bool = False

    def give(self, context: Context) -> Given:
        """So many full groups, so many of the cheapest units, at so much off."""
        lines = context.reading.lines
        positions = context.eligible.pick(self.selection)
        times = _at_most(
            sum([lines[n].quantity for n in positions]) // self.group, self.benefit, context
        )
        units = take(lines, positions, times * self.reward, "cheapest")
        return Given(percent_of(context, units, self.benefit.percent))


@dataclass(frozen=True, slots=True, eq=False)
class RewardOffer:
    """For every ``buy`` of the products, ``get`` of the rewards, the cheapest of them."""

    benefit: BuyGet
    selection: Selection
    rewards: Selection
    earns: bool = False

    def give(self, context: Context) -> Given:
        """A unit that is rewarded does not count as bought, where the selections overlap."""
        lines, benefit = context.reading.lines, self.benefit
        bought = context.eligible.pick(self.selection)
        rewards = context.eligible.pick(self.rewards)
        # As many as were bought for, then as many as leave enough of what is both.
        low, high = 0, sum([lines[n].quantity for n in bought]) // benefit.buy
        while low < high:
            times = (low + high + 1) // 2
            units = take(lines, rewards, times * benefit.get, "cheapest")
            if _left(lines, bought, units) >= times * benefit.buy:
                low = times
            else:
                high = times - 1
        times = _at_most(low, benefit, context)
        units = take(lines, rewards, times * benefit.get, "cheapest")
        return Given(percent_of(context, units, benefit.percent))


def _at_most(times: int, benefit: BuyGet | CheapestFree, context: Context) -> int:
    return times if benefit.max_times is None else min(times, benefit.max_times * context.times)


def _left(lines: Sequence[CartLine], bought: Sequence[int], units: Portions) -> int:
    rewarded = dict(zip(units.positions, units.quantities, strict=True))
    return sum([lines[n].quantity - rewarded.get(n, 0) for n in bought])
