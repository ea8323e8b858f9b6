"""Who is in a segment: a definition is compiled once, and then answered for one customer after another.

An answer says for how long it holds if nothing is bought, returned, or earned. For a count, a sum or days that second is
exact: the answer is another one from then on. For a combination and a class nothing changes before it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.customers.profile import DAY_S, CodeCount, State
from services.customers.segments import definition as asked
from services.customers.segments import windows
from services.customers.segments.check import (
    HIGH,
    LOW,
    NEVER,
    Answer,
    Check,
    View,
    constant,
    passing,
)
from shared.events.selection import Comparison

_EPOCH_DAY = 719_163  # 1970-01-01 as date.toordinal() counts


def compiled(definition: asked.Definition) -> Check:
    """The check of a definition."""
    return _all_of([_compiled(condition) for condition in definition.conditions])


def _compiled(condition: asked.Condition) -> Check:
    return _COMPILERS[type(condition)](condition)


# ---- combinations ----


def _all_of(checks: Sequence[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]

    def check(view: View, now: int) -> Answer:
        soonest, latest = NEVER, 0
        for one in checks:
            holds, until = one(view, now)
            if holds:
                soonest = min(soonest, until)
            elif until == NEVER:
                return False, NEVER
            else:  # while any of them is not met, all are not
                latest = max(latest, until)
        return (False, latest) if latest else (True, soonest)

    return check


def _any_of(checks: Sequence[Check]) -> Check:
    return _none_of(_all_of([_none_of(one) for one in checks]))


def _none_of(one: Check) -> Check:
    def check(view: View, now: int) -> Answer:
        holds, until = one(view, now)
        return not holds, until

    return check


# ---- what time does not change ----


def _codes(condition: asked.PersonalCodes) -> Check:
    emissions = frozenset(condition.emissions)

    def value(state: State) -> int:
        counts = state.codes.items()
        return sum(measure(count) for one, count in counts if not emissions or one in emissions)

    measure = _CODES[condition.measure]
    return constant(condition.compare, value)


def _used(count: CodeCount) -> int:
    return max(0, min(count.used, count.offered))


_CODES: dict[str, Callable[[CodeCount], int]] = {
    "offered": lambda count: count.offered,
    "used": _used,
    "unused": lambda count: count.offered - _used(count),
}


# ---- what days and other reckonings change ----


def _first(view: View) -> int | None:
    return view.state.first_at if view.state.purchases > 0 else None


def _days_since(compare: Comparison, since: Callable[[View], int | None]) -> Check:
    low, high = passing(compare)

    def check(view: View, now: int) -> Answer:
        at = since(view)
        if at is None:
            return False, NEVER
        days = max(0, (now - at) // DAY_S)
        if days < low:
            return False, at + low * DAY_S
        if days > high:
            return False, NEVER
        return True, at + (high + 1) * DAY_S if high < HIGH else NEVER

    return check


def _in_rfm(condition: asked.InRfm) -> Check:
    classes = frozenset(condition.classes)
    fifths = [passing(one) for one in (condition.recency, condition.frequency, condition.monetary)]

    def check(view: View, _: int) -> Answer:
        rfm = view.rfm
        if rfm is None:
            return False, view.rfm_until
        holds = (not classes or rfm.rfm_class in classes) and all(
            low <= fifth <= high
            for fifth, (low, high) in zip(
                (rfm.recency, rfm.frequency, rfm.monetary), fifths, strict=True
            )
        )
        return holds, view.rfm_until

    return check


def _expected(condition: asked.Expected) -> Check:
    lowest, highest = passing(condition.probability)
    low, high = passing(condition.expected_in_days)
    by_days = condition.expected_in_days is not None

    def check(view: View, now: int) -> Answer:
        forecast = view.forecast
        if forecast is None or not lowest <= forecast.probability <= highest:
            return False, NEVER
        if not by_days:
            return True, NEVER
        if forecast.expected_on is None:
            return False, NEVER
        day = forecast.expected_on.toordinal() - _EPOCH_DAY
        left = day - now // DAY_S
        if left > high:
            return False, (day - high) * DAY_S
        if left < low:
            return False, NEVER
        return True, (day - low + 1) * DAY_S if low > LOW else NEVER

    return check


_COMPILERS: Mapping[type, Callable[[Any], Check]] = {
    asked.Purchases: windows.counted,
    asked.PurchaseShare: windows.counted,
    asked.Spent: windows.spent,
    asked.AverageReceipt: windows.spent,
    asked.Bought: windows.bought,
    asked.DaysSinceLastPurchase: lambda one: _days_since(one.compare, View.latest),
    asked.DaysSinceFirstPurchase: lambda one: _days_since(one.compare, _first),
    asked.InRfm: _in_rfm,
    asked.Expected: _expected,
    asked.Returns: lambda one: constant(one.compare, lambda state: state.returns),
    asked.BonusBalance: lambda one: constant(one.compare, lambda state: state.points.balance),
    asked.PersonalCodes: _codes,
    asked.All: lambda one: _all_of([_compiled(each) for each in one.conditions]),
    asked.AnyOf: lambda one: _any_of([_compiled(each) for each in one.conditions]),
    asked.Not: lambda one: _none_of(_compiled(one.condition)),
}
