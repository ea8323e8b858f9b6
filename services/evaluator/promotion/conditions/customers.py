"""Conditions on who buys, and on the codes they present."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import msgspec

from services.evaluator.promotion.basket import Basket, Eligible, PresentedCode, Reading
from services.evaluator.promotion.conditions.check import Check, Terms, valid_at
from services.evaluator.promotion.failure import Failure
from shared.events.conditions import (
    Birthday,
    CustomerGroup,
    CustomerKnown,
    CustomerSegment,
    PromoCode,
)
from shared.events.promotion import EmissionSummary

_FEBRUARY = 2
_LEAP_DAY = 29


def customer_group(condition: CustomerGroup) -> Check:
    """A check of the customer's groups."""
    wrong = Failure("wrong_customer_group", condition.kind)
    return _belongs(condition.groups, wrong, lambda basket: basket.customer_groups)


def customer_segment(condition: CustomerSegment) -> Check:
    """A check of the customer's segments."""
    wrong = Failure("wrong_segment", condition.kind)
    return _belongs(condition.segments, wrong, lambda basket: basket.segments)


def _belongs(names: Sequence[str], wrong: Failure, of: Callable[[Basket], frozenset[str]]) -> Check:
    """A check that the customer is in one of these."""
    wanted, unknown = frozenset(names), Failure("customer_unknown", wrong.condition)

    def check(reading: Reading, _: Eligible) -> Failure | None:
        if reading.basket.customer_id is None:
            return unknown
        return wrong if wanted.isdisjoint(of(reading.basket)) else None

    return check


def customer_known(condition: CustomerKnown) -> Check:
    """A check that the receipt has a customer, or that it has none."""
    failed = (
        Failure("customer_unknown", condition.kind)
        if condition.known
        else Failure("condition_not_met", condition.kind)
    )
    known = condition.known
    return lambda reading, _: None if (reading.basket.customer_id is not None) is known else failed


def birthday(condition: Birthday) -> Check:
    """A check of the days around the customer's birthday, on the store's calendar."""
    before, after = condition.days_before, condition.days_after
    unknown = Failure("customer_unknown", condition.kind)
    failed = Failure("condition_not_met", condition.kind)

    def check(reading: Reading, _: Eligible) -> Failure | None:
        basket = reading.basket
        if basket.customer_id is None:
            return unknown
        if basket.birthday is None:
            return failed
        today = reading.local().date()
        for year in (today.year - 1, today.year, today.year + 1):
            day = _in_year(basket.birthday, year)
            if day - timedelta(days=before) <= today <= day + timedelta(days=after):
                return None
        return failed

    return check


def _in_year(month_day: str, year: int) -> date:
    """The birthday (MM-DD) of a year; 29 February is kept on the 28th where there is none."""
    month, day = int(month_day[:2]), int(month_day[3:])
    if (month, day) == (_FEBRUARY, _LEAP_DAY) and not _is_leap(year):
        day = _LEAP_DAY - 1
    return date(year, month, day)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


class _Code(msgspec.Struct, frozen=True):
    """A check of the codes of one emission."""

    emission: EmissionSummary | None
    emission_id: str
    name: str
    own: bool

    def failure(self, reading: Reading, _: Eligible) -> Failure | None:
        codes: Sequence[PresentedCode] | None = reading.codes.get(self.emission_id)
        if codes is None:
            return Failure("code_missing", self.name)
        # Of an emission the campaign does not describe we know neither dates nor single use.
        if self.emission is None or not valid_at(self.emission, reading.at):
            return Failure("code_not_valid", self.name)
        codes = [code for code in codes if not code.is_over(reading.at)]
        if not codes:
            return Failure("code_not_valid", self.name)
        if self.own:
            customer = reading.basket.customer_id
            if customer is None:
                return Failure("customer_unknown", self.name)
            if all(code.holder != customer for code in codes):
                return Failure("code_not_yours", self.name)
        return None


def promo_code(condition: PromoCode, terms: Terms) -> Check:
    """A check that a code of the emission is there, valid, and the customer's own if it must be."""
    emission = terms.emissions.get(condition.emission_id)
    return _Code(emission, condition.emission_id, condition.condition_id, condition.own).failure
