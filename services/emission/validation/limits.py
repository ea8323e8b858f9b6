"""Limits and repeats that the rest of the instrument leaves without a meaning."""

from collections.abc import Iterator, Sequence

from services.emission.validation.benefits import gives_discount, multiplies
from services.emission.validation.claims import Claim, unfold
from services.emission.validation.facts import Facts
from services.emission.validation.spans import let_through
from shared.codec import FieldError
from shared.events.benefits import AmountOff, Benefit, Tiers
from shared.events.conditions import (
    All,
    AnyOf,
    Condition,
    LineCount,
    ProductMix,
    ProductPurchases,
    ProductQuantity,
    ProductSum,
    PromoCode,
    PurchaseCount,
    PurchaseSum,
    ReceiptQuantity,
    ReceiptTotal,
)
from shared.events.promotion import Instrument, LimitRule

_COUNTED = (
    ReceiptTotal,
    ReceiptQuantity,
    LineCount,
    ProductQuantity,
    ProductSum,
    PurchaseCount,
    PurchaseSum,
    ProductPurchases,
)


def claims_within(claims: Sequence[Claim]) -> Iterator[Claim]:
    """Every claim about a single condition, also those of each branch of a choice."""
    single, choices = unfold(claims)
    yield from single
    for choice in choices:
        yield from claims_within(choice.branches)


def asks_for_code(claims: Sequence[Claim]) -> bool:
    """Whether a code can be what meets the conditions."""
    return any(c.holds and isinstance(c.condition, PromoCode) for c in claims_within(claims))


def faults_of_caps(claims: Sequence[Claim]) -> Iterator[FieldError]:
    """Caps of codes that must not be there: a code that is not there is not counted."""
    for claim in claims_within(claims):
        condition = claim.condition
        if isinstance(condition, PromoCode) and not claim.holds and condition.cap is not None:
            message = "a code that must not be there is not counted: leave the cap out"
            yield FieldError(f"{claim.path}.cap", message, "never")


def faults_of_limits(
    instrument: Instrument, claims: Sequence[Claim], facts: Facts
) -> Iterator[FieldError]:
    """Limits that can count nothing, or can never be paid from."""
    for n, rule in enumerate(instrument.limits):
        at = f"limits.{n}"
        if "code" in rule.per and not asks_for_code(claims):
            message = "counts per code, and no condition asks for one: add a promo_code condition"
            yield FieldError(f"{at}.per", message, "never")
        if "customer" in rule.per and facts.is_without_customer:
            message = "counts per customer, and the conditions ask for receipts without one"
            yield FieldError(f"{at}.per", f"{message}: take one of them out", "never")
        yield from _faults_of_money(rule, instrument.benefit, at)


def _faults_of_money(rule: LimitRule, benefit: Benefit, path: str) -> Iterator[FieldError]:
    if rule.money is None:
        return
    if not gives_discount(benefit):
        message = "counts discounts, and the benefit gives none: limit the redemptions"
        yield FieldError(f"{path}.money", message, "never")
    amount = greatest_amount(benefit)
    if amount > rule.money:
        message = f"must be at least {amount}, the benefit's amount: it is paid whole or not at all"
        yield FieldError(f"{path}.money", message, "never")


def greatest_amount(benefit: Benefit) -> int:
    """The fixed amount that it takes off at once (minor units); 0 if there is none."""
    if isinstance(benefit, Tiers):
        return max(greatest_amount(tier.benefit) for tier in benefit.tiers)
    if not isinstance(benefit, AmountOff) or benefit.per_unit:
        return 0
    cap = benefit.max_discount
    return benefit.amount if cap is None else min(benefit.amount, cap)


def faults_of_repeat(instrument: Instrument) -> Iterator[FieldError]:
    """A repeat without a condition that has multiples, or of a benefit that does not grow."""
    if instrument.repeat is None:
        return
    if not any(map(_has_multiples, instrument.conditions)):
        message = "needs a condition that has multiples: one with >= and a value above 0, as"
        yield FieldError("repeat", f"{message} product_quantity, or a product_mix", "never")
    if not multiplies(instrument.benefit):
        message = "the benefit is the same however often it is given: bound it by max_units or"
        yield FieldError("repeat", f"{message} max_times, or leave repeat out", "never")


def _has_multiples(condition: Condition) -> bool:
    if isinstance(condition, All | AnyOf):
        return any(map(_has_multiples, condition.conditions))
    if isinstance(condition, ProductMix):
        return True
    if not isinstance(condition, _COUNTED):
        return False
    compare = condition.compare
    return compare.op == ">=" and let_through(compare)[0][0] > 0
