"""What offers bring: buyers and spending of those who were made offers against the control group. Pure.

Customers are assigned to the arms by a hash, whatever they do; both arms are begun with by the same rules at the same
times, and **everybody who was begun with counts**, also whose code was refused or never used (intention to treat). A
customer counts once for each policy, by the first time: whether there is a second is decided by what the first did. All steps are told of
by the same customers, in the days that each would have had: those who are sent a second step are chosen by
the first, and compare with nobody.

**Buyers.** ``p`` is the share of an arm's customers who bought within the days. The difference of two such shares has the
interval of Newcombe (Statistics in Medicine 17, 1998, method 10), made of Wilson's for each: it holds for small arms
and for shares near nought, where that of the textbook does not:

    l, u = (2np + z² ± z √(z² + 4np(1−p))) / 2(n + z²),
    d − √((p₁−l₁)² + (u₂−p₂)²) < p₁ − p₂ < d + √((u₁−p₁)² + (p₂−l₂)²).

**Spending.** ``m`` is what an arm's customers paid on average, nought for those who did not buy. The difference of two means has
Welch's interval, with his degrees of freedom; what it is of the control group's mean (the uplift) that of the log ratio by the delta method,
``Var(log(m₁/m₂)) ≈ s₁²/(n₁m₁²) + s₂²/(n₂m₂²)``. Of few customers, who spend unequally, it would not hold what it promises.
"""

from dataclasses import dataclass
from math import exp, log, sqrt

from scipy.special import stdtrit

LEAST_CUSTOMERS = 30
"""In each arm, for buyers: of fewer an interval says next to nothing."""
LEAST_FOR_SPENDING = 100
"""In each arm, for spending (``tests/unit`` counts how often the interval holds)."""
_Z = 1.959964
_CERTAINTY = 0.975  # both sides: 95%


@dataclass(frozen=True, slots=True)
class Arm:
    """Customers of an arm: how many, how many of them bought, what they paid (minor units), and Σ of its squares."""

    customers: int = 0
    buyers: int = 0
    paid: int = 0
    squares: float = 0

    @property
    def rate(self) -> float:
        """The share of buyers."""
        return self.buyers / self.customers

    @property
    def mean(self) -> float:
        """What a customer paid on average."""
        return self.paid / self.customers

    @property
    def variance(self) -> float:
        """Of what customers paid, estimated without bias."""
        spread = self.squares - self.paid**2 / self.customers
        return max(0.0, spread) / (self.customers - 1)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95% interval."""

    value: float
    lower: float
    upper: float

    @property
    def proven(self) -> bool:
        """Whether it is surely more, or surely less, than nothing."""
        return self.lower > 0 or self.upper < 0


def more_buyers(treated: Arm, held_back: Arm) -> Estimate | None:
    """By how much the share of buyers is larger because of the offers (0.1: ten in a hundred more); None for small arms."""
    if min(treated.customers, held_back.customers) < LEAST_CUSTOMERS:
        return None
    difference = treated.rate - held_back.rate
    (l1, u1), (l2, u2) = _wilson(treated), _wilson(held_back)
    below = sqrt((treated.rate - l1) ** 2 + (u2 - held_back.rate) ** 2)
    above = sqrt((u1 - treated.rate) ** 2 + (held_back.rate - l2) ** 2)
    return Estimate(difference, difference - below, difference + above)


def _wilson(arm: Arm) -> tuple[float, float]:
    n, p, z = arm.customers, arm.rate, _Z
    middle = 2 * n * p + z**2
    width = z * sqrt(z**2 + 4 * n * p * (1 - p))
    return (middle - width) / (2 * (n + z**2)), (middle + width) / (2 * (n + z**2))


def more_spending(treated: Arm, held_back: Arm) -> Estimate | None:
    """How much more a customer pays on average because of the offers (minor units); None for small arms."""
    if min(treated.customers, held_back.customers) < LEAST_FOR_SPENDING:
        return None
    difference = treated.mean - held_back.mean
    parts = [arm.variance / arm.customers for arm in (treated, held_back)]
    total = sum(parts)
    if total == 0:
        return Estimate(difference, difference, difference)
    freedom = total**2 / sum(
        part**2 / (arm.customers - 1) for part, arm in zip(parts, (treated, held_back), strict=True)
    )
    width = float(stdtrit(freedom, _CERTAINTY)) * sqrt(total)
    return Estimate(difference, difference - width, difference + width)


def uplift(treated: Arm, held_back: Arm) -> Estimate | None:
    """How much more is paid because of the offers, of what is paid without (0.1: a tenth); None for small arms."""
    if min(treated.customers, held_back.customers) < LEAST_FOR_SPENDING:
        return None
    if treated.paid <= 0 or held_back.paid <= 0:
        return None
    ratio = log(treated.mean / held_back.mean)
    variance = sum(arm.variance / (arm.customers * arm.mean**2) for arm in (treated, held_back))
    width = _Z * sqrt(variance)
    return Estimate(exp(ratio) - 1, exp(ratio - width) - 1, exp(ratio + width) - 1)
