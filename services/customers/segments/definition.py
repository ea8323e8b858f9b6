"""The language of segments: conditions over a customer's profile. What they mean is decided in ``evaluation``.

Each names its ``kind``. A definition's conditions must all be met; ``all``, ``any`` and ``not`` combine others,
nested. A window of ``days`` is the last N × 24 hours, half-open: what is exactly that old is out. Purchases that came
back as a whole are none. Money is in minor units, quantities in thousandths, shares and probabilities in basis points.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from shared.events.selection import Comparison
from shared.events.values import Currency, Device, Event, Id, Text

MAX_DEPTH = 6
MAX_CONDITIONS = 100
MAX_DAYS = 400
"""As long as a profile keeps visits."""

Days = Annotated[int, Field(ge=1, le=MAX_DAYS, description="the last N days of 24 hours each")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
RfmClass = Literal[
    "champions",
    "loyal",
    "potential-loyalists",
    "new",
    "promising",
    "needs-attention",
    "about-to-sleep",
    "at-risk",
    "cannot-lose",
    "hibernating",
]
RFM_CLASSES: tuple[RfmClass, ...] = get_args(RfmClass)
_Hour = Annotated[int, Field(ge=0, le=23)]


class Hours(Event):
    """``starts`` ≤ the hour on the store's clock < ``ends``; past midnight if ``ends`` is earlier."""

    starts: _Hour
    ends: Annotated[int, Field(ge=1, le=24)]

    @model_validator(mode="after")
    def _is_some_time(self) -> Self:
        if self.starts == self.ends:
            message = "ends: must differ from starts; leave hours out for the whole day"
            raise ValueError(message)
        return self


class Only(Event):
    """Which purchases count: those that are all of this. ``promo``: with a benefit of ours, or without any.

    ``with_code``: a promo code was used, or none was. Hours and weekdays are the store's.
    """

    promo: bool | None = None
    with_code: bool | None = None
    stores: Annotated[tuple[Id, ...], Field(max_length=200)] = ()
    devices: Annotated[tuple[Device, ...], Field(max_length=10)] = ()
    weekdays: Annotated[tuple[Weekday, ...], Field(max_length=7)] = ()
    hours: Hours | None = None

    @model_validator(mode="after")
    def _is_something(self) -> Self:
        if self == Only.model_construct():
            message = "only: leave it out where every purchase counts"
            raise ValueError(message)
        return self

    @property
    def is_total(self) -> bool:
        """Whether totals of all time are kept of them."""
        marks = sum(mark is not None for mark in (self.promo, self.with_code))
        return marks == 1 and not (self.stores or self.devices or self.weekdays or self.hours)


class Purchases(Event):
    """The number of purchases, in a window or of all time."""

    kind: Literal["purchases"] = "purchases"
    compare: Comparison
    days: Days | None = None
    only: Only | None = None

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        _check_window(self.days, self.only)
        return self


class PurchaseShare(Event):
    """The share (basis points, rounded down) of purchases that are ``only`` such; not met where there is none."""

    kind: Literal["purchase_share"] = "purchase_share"
    compare: Comparison
    only: Only
    days: Days | None = None

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        _check_window(self.days, self.only)
        return self


class Spent(Event):
    """What was paid in a currency (minor units), less what was refunded."""

    kind: Literal["spent"] = "spent"
    currency: Currency
    compare: Comparison
    days: Days | None = None
    only: Only | None = None

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        if self.days is None and self.only is not None:
            message = "days: needed, because sums of all time are kept of all purchases only"
            raise ValueError(message)
        return self


class AverageReceipt(Event):
    """What was paid for a purchase on average (minor units, rounded down); not met where there is none."""

    kind: Literal["average_receipt"] = "average_receipt"
    currency: Currency
    compare: Comparison
    days: Days | None = None


class Bought(Event):
    """What was bought of any of the groups in the window.

    ``measure``: on how many ``receipts``, which ``quantity`` (thousandths), or for which ``sum`` (minor units) of the
    ``currency``.
    """

    kind: Literal["bought"] = "bought"
    groups: Annotated[tuple[Text, ...], Field(min_length=1, max_length=100)]
    measure: Literal["receipts", "quantity", "sum"] = "receipts"
    currency: Currency | None = None
    compare: Comparison
    days: Days

    @model_validator(mode="after")
    def _currency_goes_with_sum(self) -> Self:
        if (self.measure == "sum") != (self.currency is not None):
            message = "currency: given with a sum, and only with it"
            raise ValueError(message)
        return self


class Returns(Event):
    """The number of returns of all time, of whole receipts or of parts."""

    kind: Literal["returns"] = "returns"
    compare: Comparison


class DaysSinceLastPurchase(Event):
    """Whole days since the last purchase; not met where there was none."""

    kind: Literal["days_since_last_purchase"] = "days_since_last_purchase"
    compare: Comparison


class DaysSinceFirstPurchase(Event):
    """Whole days since the first purchase; not met where there was none."""

    kind: Literal["days_since_first_purchase"] = "days_since_first_purchase"
    compare: Comparison


class BonusBalance(Event):
    """The bonus points that are left; below zero after a take-back."""

    kind: Literal["bonus_balance"] = "bonus_balance"
    compare: Comparison


class PersonalCodes(Event):
    """Personal promo codes that the customer was given: all of them, the used, or the unused; of any emission, or of these."""

    kind: Literal["codes"] = "codes"
    measure: Literal["offered", "used", "unused"] = "unused"
    emissions: Annotated[tuple[Id, ...], Field(max_length=100)] = ()
    compare: Comparison


class InRfm(Event):
    """The class by recency, frequency and monetary value, or the fifths (1–5, 5 is best) are so."""

    kind: Literal["rfm"] = "rfm"
    classes: Annotated[tuple[RfmClass, ...], Field(max_length=len(RFM_CLASSES))] = ()
    recency: Comparison | None = None
    frequency: Comparison | None = None
    monetary: Comparison | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not (self.classes or self.recency or self.frequency or self.monetary):
            message = "classes: name a class, or compare a fifth"
            raise ValueError(message)
        return self


class Expected(Event):
    """The forecast: the probability of a purchase (basis points), and in how many days the next one is expected.

    Days are of UTC, 0 is today; fewer than none if that day has passed. Not met without a forecast.
    """

    kind: Literal["forecast"] = "forecast"
    probability: Comparison | None = None
    expected_in_days: Comparison | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not (self.probability or self.expected_in_days):
            message = "probability: compare it, or the days"
            raise ValueError(message)
        return self


class All(Event):
    """All of the conditions are met."""

    kind: Literal["all"] = "all"
    conditions: Annotated[tuple["Condition", ...], Field(min_length=1, max_length=MAX_CONDITIONS)]


class AnyOf(Event):
    """At least one of the conditions is met."""

    kind: Literal["any"] = "any"
    conditions: Annotated[tuple["Condition", ...], Field(min_length=1, max_length=MAX_CONDITIONS)]


class Not(Event):
    """The condition is not met."""

    kind: Literal["not"] = "not"
    condition: "Condition"


Condition = Annotated[
    Purchases
    | PurchaseShare
    | Spent
    | AverageReceipt
    | Bought
    | Returns
    | DaysSinceLastPurchase
    | DaysSinceFirstPurchase
    | BonusBalance
    | PersonalCodes
    | InRfm
    | Expected
    | All
    | AnyOf
    | Not,
    Field(discriminator="kind"),
]

All.model_rebuild()
AnyOf.model_rebuild()
Not.model_rebuild()


class Definition(Event):
    """Who is in a segment: the customers of whom all the conditions are met."""

    conditions: Annotated[tuple[Condition, ...], Field(min_length=1, max_length=MAX_CONDITIONS)]

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        depths = list(_depths(self.conditions, 1))
        if max(depths) > MAX_DEPTH:
            message = f"conditions: nested deeper than {MAX_DEPTH}"
            raise ValueError(message)
        if len(depths) > MAX_CONDITIONS:
            message = f"conditions: {len(depths)}, over {MAX_CONDITIONS}"
            raise ValueError(message)
        return self


def _check_window(days: int | None, only: Only | None) -> None:
    if days is None and only is not None and not only.is_total:
        message = (
            "days: needed, because totals of all time are kept of promo, or of with_code, only"
        )
        raise ValueError(message)


def _depths(conditions: Sequence[Condition], depth: int) -> Iterator[int]:
    for condition in conditions:
        yield depth
        match condition:
            case All() | AnyOf():
                yield from _depths(condition.conditions, depth + 1)
            case Not():
                yield from _depths((condition.condition,), depth + 1)
            case _:
                pass
