"""How much a campaign brings: its uplift against the control group, and where budget brings more. Pure.

**Uplift.** A campaign with a control group assigns each customer to it by a hash, with a known probability
``c``, whatever the customer buys. So what all customers would pay is thinned twice: the sums that the two
arms have paid, ``T`` (treated) and ``C`` (held back), each divided by the probability of its arm, estimate
the same total if the campaign changes nothing (Horvitz and Thompson 1952), and

    uplift = (T / (1 − c)) / (C / c) − 1.

It needs nobody who has not bought: those of both arms are missing alike, and customers that only the campaign
has brought count for it. What one customer paid (``x``) is one independent draw, so ``Var(T) ≈ Σ x²`` over the
treated (a compound Poisson sum), the same for ``C``, and by the delta method

    Var(log(1 + uplift)) ≈ Σ x² / T² + Σ x² / C²,

which gives the interval ``(1 + uplift) · exp(±1.96 · √Var) − 1``: 95% for sums of many customers, which is why
nothing is said of fewer than ``LEAST_CUSTOMERS`` in an arm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Literal

LEAST_CUSTOMERS = 100
"""In each arm: of fewer the interval would not hold what it promises (``tests/unit`` counts how often it does)."""
LEAST_RECEIPTS = 30
"""Of a campaign: of fewer nothing is concluded about its budget."""
_NOTABLE = 1.2
"""How many times as much must come back for a difference that may be chance to be worth a word."""
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Arm:
    """The customers of an arm, and what they paid, refunds taken off (minor units); ``squares``: Σ x² of theirs."""

    customers: int = 0
    receipts: int = 0
    revenue: int = 0
    squares: float = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95% interval."""

    value: float
    lower: float
    upper: float

    def scaled(self, divisor: float) -> "Estimate":
        """The same in other units."""
        return Estimate(self.value / divisor, self.lower / divisor, self.upper / divisor)


def uplift(treated: Arm, held_back: Arm, share: float) -> Estimate | None:
    """How much more is paid because of the campaign (0.1: a tenth); ``share`` is that of the control group.

    None where there are too few customers, or an arm has paid nothing.
    """
    few = min(treated.customers, held_back.customers) < LEAST_CUSTOMERS
    if few or not 0 < share < 1 or treated.revenue <= 0 or held_back.revenue <= 0:
        return None
    ratio = log(treated.revenue / (1 - share)) - log(held_back.revenue / share)
    variance = sum(arm.squares / arm.revenue**2 for arm in (treated, held_back))
    width = _Z * sqrt(variance)
    return Estimate(exp(ratio) - 1, exp(ratio - width) - 1, exp(ratio + width) - 1)


def incremental(treated: Arm, found: Estimate) -> Estimate:
    """What the treated paid because of the campaign (minor units): it rises with the uplift, and so do its bounds."""

    def of(value: float) -> float:
        return treated.revenue * (1 - 1 / (1 + value))

    return Estimate(of(found.value), of(found.lower), of(found.upper))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A running campaign whose budget could be moved, or be added to.

    ``per_discount`` is what a unit of discount has brought: because of the campaign (``proven``: there is a
    control group to know it by), or on the receipts it was given on. ``uplift`` goes with the former.
    """

    campaign_id: str
    name: str
    receipts: int
    net_discount: int
    revenue_per_discount: float | None
    per_discount: Estimate | None = None
    uplift: Estimate | None = None


Code = Literal[
    "brings_less", "brings_more", "uplift_proven", "uplift_not_proven", "no_control_group"
]


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, as data: a word, the campaign that it is about, and figures."""

    code: Code
    campaign_id: str
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Move:
    """Budget should be moved. ``certain``: the intervals of the two do not meet."""

    source: Candidate
    target: Candidate
    basis: Literal["uplift", "revenue"]
    certain: bool
    reasons: tuple[Reason, ...]
    sentence: str


NoMove = Literal["too_few_campaigns", "too_little_data", "no_difference"]


def suggest(candidates: Sequence[Candidate]) -> Move | NoMove:
    """Where budget should go, or why nothing is said of it.

    Of campaigns with a proven effect by what it was for each unit of discount; only where fewer than two have
    one by the revenue on promoted receipts, which proves nothing of causes.
    """
    if len(candidates) < 2:  # noqa: PLR2004 - from one to another
        return "too_few_campaigns"
    known = [one for one in candidates if one.receipts >= LEAST_RECEIPTS and one.net_discount > 0]
    proven = sorted(
        ((one.per_discount.value, one.campaign_id, one) for one in known if one.per_discount),
        key=lambda row: row[:2],
    )
    if len(proven) > 1:
        return _by_uplift(proven[0][2], proven[-1][2])
    told = sorted(
        (
            (one.revenue_per_discount, one.campaign_id, one)
            for one in known
            if one.revenue_per_discount is not None
        ),
        key=lambda row: row[:2],
    )
    if len(told) < 2:  # noqa: PLR2004
        return "too_little_data"
    return _by_revenue(told[0][2], told[-1][2])


def _by_uplift(source: Candidate, target: Candidate) -> Move | NoMove:
    less, more = source.per_discount, target.per_discount
    if less is None or more is None or more.value <= max(0.0, less.value * _NOTABLE):
        return "no_difference"
    certain = less.upper < more.lower
    reasons = [_brings("brings_less", source, less), _brings("brings_more", target, more)]
    reasons += [_proof(one) for one in (source, target)]
    verb = "Move budget" if certain else "Consider moving budget"
    doubt = "" if certain else "; the difference may be chance"
    sentence = (
        f"{verb} from {source.name} to {target.name}: because of the campaign, each 1.00 of discount"
        f" brought {less.value:.2f} there and {more.value:.2f} here{doubt}."
    )
    return Move(source, target, "uplift", certain, tuple(reasons), sentence)


def _by_revenue(source: Candidate, target: Candidate) -> Move | NoMove:
    less, more = source.revenue_per_discount or 0.0, target.revenue_per_discount or 0.0
    if more <= less * _NOTABLE:
        return "no_difference"
    reasons = [
        _brings("brings_less", source, Estimate(less, less, less)),
        _brings("brings_more", target, Estimate(more, more, more)),
        *[_proof(one) for one in (source, target)],
    ]
    sentence = (
        f"Consider moving budget from {source.name} to {target.name}: promoted receipts brought {less:.2f}"
        f" for each 1.00 of discount there and {more:.2f} here; without control groups on both it is not"
        " known what would have been bought anyway."
    )
    return Move(source, target, "revenue", certain=False, reasons=tuple(reasons), sentence=sentence)


def _brings(code: Code, one: Candidate, found: Estimate) -> Reason:
    return Reason(
        code,
        one.campaign_id,
        {
            "per_discount": found.value,
            "lower": found.lower,
            "upper": found.upper,
            "net_discount": one.net_discount,
        },
    )


def _proof(one: Candidate) -> Reason:
    if one.uplift is None:
        return Reason("no_control_group", one.campaign_id, {})
    proven = one.uplift.lower > 0
    figures = {
        "uplift": one.uplift.value,
        "lower": one.uplift.lower,
        "upper": one.uplift.upper,
    }
    return Reason("uplift_proven" if proven else "uplift_not_proven", one.campaign_id, figures)
