"""What an instrument that is given at the end of a period cannot ask for: there is no cart."""

from collections.abc import Iterator, Sequence

from services.emission.validation.claims import Claim, unfold
from services.emission.validation.numbers import KNOWN, said_of_numbers
from services.emission.validation.spans import Spans, meet
from shared.codec import FieldError
from shared.events.benefits import Bonuses, Tiers
from shared.events.conditions import (
    All,
    AnyOf,
    CustomerGroup,
    CustomerSegment,
    Not,
    ProductPurchases,
    PurchaseCount,
    PurchaseSum,
    walk,
)
from shared.events.promotion import Instrument, Rolling

_HISTORY = (PurchaseCount, PurchaseSum, ProductPurchases)
_ONLY_BONUSES = "only bonuses can be given at the end of a period"
_NO_TIERS = ": write one instrument per tier, with `between` in a condition on purchases"
_KNOWN = (*_HISTORY, CustomerGroup, CustomerSegment, All, AnyOf, Not)


def faults_at_period_end(instrument: Instrument, claims: Sequence[Claim]) -> Iterator[FieldError]:
    """What does not go with the trigger ``on_period_end``."""
    if instrument.trigger != "on_period_end":
        return
    if not isinstance(instrument.benefit, Bonuses):
        is_tiers = isinstance(instrument.benefit, Tiers)
        yield _fault("benefit", _ONLY_BONUSES + (_NO_TIERS if is_tiers else ""))
    if isinstance(instrument.processing_period, Rolling):
        message = "a sliding period has no end: use campaign, calendar or consecutive"
        yield _fault("processing_period", message)
    if instrument.stacking != "combinable":
        yield _fault("stacking", "there is no receipt to stack on: must be combinable")
    for path, condition, _ in walk(instrument.conditions):
        if not isinstance(condition, _KNOWN):
            message = "cannot be known at the end of a period: ask for groups, segments, or"
            yield _fault(path, f"{message} purchases of the period")
    for n, rule in enumerate(instrument.limits):
        if {"code", "store"} & set(rule.per):
            message = "at the end of a period there is neither code nor store: take them out"
            yield _fault(f"limits.{n}.per", message)
    if not _asks_for_purchases(claims):
        message = "must ask for purchases of the period: add purchase_count, purchase_sum or"
        yield _fault("conditions", f"{message} product_purchases, above 0")


def _asks_for_purchases(claims: Sequence[Claim]) -> bool:
    """Whether nobody meets the claims who has bought nothing."""
    single, choices = unfold(claims)
    return any(
        isinstance(claim.condition, _HISTORY)
        and all(_is_above_zero(spans) for _, spans in said_of_numbers(claim))
        for claim in single
    ) or any(all(_asks_for_purchases([branch]) for branch in choice.branches) for choice in choices)


def _is_above_zero(spans: Spans) -> bool:
    """Of a known customer: at the end of a period there are no others."""
    left = meet(spans, KNOWN)
    return bool(left) and left[0][0] > 0


def _fault(field: str, message: str) -> FieldError:
    return FieldError(field, message, "trigger")
