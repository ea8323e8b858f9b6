"""Benefits that give nothing, and tiers that overlap or are never reached."""

from collections.abc import Iterator

from services.emission.validation.facts import Facts
from services.emission.validation.goods import EVERYTHING, Goods, goods
from services.emission.validation.numbers import Measure
from services.emission.validation.spans import FOREVER, Spans
from shared.codec import FieldError
from shared.events.benefits import (
    AmountOff,
    Benefit,
    Bonuses,
    BuyGet,
    CheapestFree,
    FixedPrice,
    GiftGoods,
    PercentOff,
    Tiers,
)


def faults_of_benefit(benefit: Benefit, facts: Facts, path: str = "benefit") -> list[FieldError]:
    """What is wrong with a benefit that is given where ``facts`` hold."""
    if isinstance(benefit, Tiers):
        return [*_faults_of_order(benefit, path), *_faults_of_tiers(benefit, facts, path)]
    faults = list(_faults_of_caps(benefit, path))
    if isinstance(benefit, Bonuses) and facts.is_without_customer:
        message = "bonuses need a customer, and the conditions ask for receipts without one"
        faults.append(FieldError(path, f"{message}: give something else", "never"))
    return [*faults, *_faults_of_goods(benefit, facts, path)]


def gives_discount(benefit: Benefit) -> bool:
    """Whether it takes money off, at least in one of its tiers."""
    if isinstance(benefit, Tiers):
        return any(gives_discount(tier.benefit) for tier in benefit.tiers)
    return not isinstance(benefit, Bonuses | GiftGoods)


def gives_bonuses(benefit: Benefit) -> bool:
    """Whether it gives bonuses, at least in one of its tiers."""
    if isinstance(benefit, Tiers):
        return any(gives_bonuses(tier.benefit) for tier in benefit.tiers)
    return isinstance(benefit, Bonuses)


def multiplies(benefit: Benefit) -> bool:
    """Whether giving it twice gives more than giving it once."""
    match benefit:
        case AmountOff() | GiftGoods():
            return True
        case Bonuses():
            return benefit.fixed > 0
        case PercentOff() | FixedPrice():
            return benefit.max_units is not None
        case BuyGet() | CheapestFree():
            return benefit.max_times is not None
        case Tiers():
            return any(multiplies(tier.benefit) for tier in benefit.tiers)


def _faults_of_caps(benefit: Benefit, path: str) -> Iterator[FieldError]:
    for field in ("max_discount", "max_points"):
        if getattr(benefit, field, None) == 0:
            message = "0 leaves nothing to give: raise it, or leave it out"
            yield FieldError(f"{path}.{field}", message, "never")
    if (
        isinstance(benefit, FixedPrice)
        and benefit.units is not None
        and benefit.max_units is not None
        and benefit.max_units < benefit.units
    ):
        message = f"must be at least one set of units, {benefit.units}"
        yield FieldError(f"{path}.max_units", message, "never")


def _faults_of_goods(benefit: Benefit, facts: Facts, path: str) -> Iterator[FieldError]:
    """Goods that the conditions keep off the receipt, or of which they leave too few."""
    for field, selected, least in _least_goods(benefit):
        some = ((Measure("quantity", selected), ((least, FOREVER),)),)
        if not facts.numbers.allow(*some):
            message = f"needs at least {least} thousandths of goods that the conditions rule out"
            yield FieldError(f"{path}.{field}", f"{message}: change one of the two", "never")


def _least_goods(benefit: Benefit) -> Iterator[tuple[str, Goods, int]]:
    match benefit:
        case PercentOff() | AmountOff():
            yield "products", goods(benefit.products), 1
        case FixedPrice():
            yield "products", goods(benefit.products), benefit.units or 1
        case CheapestFree():
            yield "of", goods(benefit.products), benefit.of
        case BuyGet(rewards=None):
            yield "buy", goods(benefit.products), benefit.buy + benefit.get
        case BuyGet():
            yield "buy", goods(benefit.products), benefit.buy
            if benefit.rewards is not None:
                yield "rewards", goods(benefit.rewards), 1
        case Bonuses():
            yield "products", goods(benefit.products), 1
        case GiftGoods():
            yield "gifts", EVERYTHING, 1


def _faults_of_order(benefit: Tiers, path: str) -> Iterator[FieldError]:
    for n, tier in enumerate(benefit.tiers):
        at = f"{path}.tiers.{n}"
        if tier.below is not None and tier.below <= tier.at_least:
            yield FieldError(f"{at}.below", f"must be above at_least, {tier.at_least}", "never")
        if n == 0:
            continue
        before = benefit.tiers[n - 1]
        if tier.at_least <= before.at_least:
            message = f"must be above {before.at_least}, where the tier before begins: give them"
            yield FieldError(f"{at}.at_least", f"{message} in ascending order", "overlap")
        elif before.below is not None and before.below > tier.at_least:
            message = f"overlaps the tier before: begin at {before.below}, where that one ends"
            yield FieldError(f"{at}.at_least", message, "overlap")


def _faults_of_tiers(benefit: Tiers, facts: Facts, path: str) -> Iterator[FieldError]:
    measure = Measure(benefit.by, goods(benefit.products))
    for n, tier in enumerate(benefit.tiers):
        spans = _span_of(benefit, n)
        if not spans:
            continue
        if not facts.numbers.allow((measure, spans)):
            message = "the conditions are never met where this tier is reached: change one of them"
            yield FieldError(f"{path}.tiers.{n}.at_least", message, "never")
            continue
        within = facts.copy()
        within.numbers.keep((measure, spans))
        yield from faults_of_benefit(tier.benefit, within, f"{path}.tiers.{n}.benefit")


def _span_of(benefit: Tiers, n: int) -> Spans:
    """What is measured where the tier is given; nothing for a tier that is out of order."""
    tier = benefit.tiers[n]
    after = benefit.tiers[n + 1].at_least if n + 1 < len(benefit.tiers) else FOREVER
    below = after if tier.below is None else tier.below
    return ((tier.at_least, below - 1),) if tier.at_least < below else ()
