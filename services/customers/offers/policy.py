"""A policy of offers, as data: whom it is for, when, what it gives step by step, and within which bounds.

What it means for a customer is decided in ``plan``; when something is sent, in ``moment``.
"""

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from shared.events.values import Count, Currency, Event, Id, Money, Text

MOST_STEPS = 5
MOST_DAYS = 366
_Days = Annotated[int, Field(ge=0, le=MOST_DAYS, description="whole days")]
_Ids = Annotated[tuple[Id, ...], Field(max_length=50)]
_Clock = Annotated[
    str,
    Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="HH:MM, the store's clock"),
]
_LEAP = 2024
_ALL = 10_000  # basis points
_Comment = Annotated[
    str, StringConstraints(max_length=2_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")
]


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name not in _zones():
        message = "no such time zone: give an IANA name, Europe/Kyiv say"
        raise ValueError(message)
    return name


def _day_of_year(text: str) -> str:
    try:
        date.fromisoformat(f"{_LEAP}-{text}")
    except ValueError as error:
        message = "no such day: MM-DD"
        raise ValueError(message) from error
    return text


_DayOfYear = Annotated[
    str,
    Field(pattern=r"^[0-9]{2}-[0-9]{2}$", description="MM-DD"),
    AfterValidator(_day_of_year),
]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Audience(Event):
    """Customers in all of ``all_of``, in one of ``any_of`` (if there are any) and in none of ``none_of`` (segments)."""

    all_of: _Ids = ()
    any_of: _Ids = ()
    none_of: _Ids = ()


class Range(Event):
    """``at_least`` ≤ the value ≤ ``at_most``; one of them may be missing."""

    at_least: Annotated[int, Field(ge=-MOST_DAYS, le=1_000_000)] | None = None
    at_most: Annotated[int, Field(ge=-MOST_DAYS, le=1_000_000)] | None = None

    @model_validator(mode="after")
    def _holds_something(self) -> Self:
        if self.at_least is None and self.at_most is None:
            message = "at_least: give at_least, at_most or both"
            raise ValueError(message)
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            message = "at_most: must not be less than at_least"
            raise ValueError(message)
        return self

    def holds(self, value: int) -> bool:
        """Whether the value is within."""
        return (self.at_least is None or self.at_least <= value) and (
            self.at_most is None or value <= self.at_most
        )


class When(Event):
    """What must be true of a customer: of the forecast, and of what they have bought. What is missing may be anything.

    ``probability`` (basis points) of the next purchase, within the forecast's days. ``days_to_expected``: days from
    today until the expected purchase, negative once it is overdue. ``promo_share`` is in basis points.
    """

    probability: Range | None = None
    days_to_expected: Range | None = None
    days_since_purchase: Range | None = None
    purchases: Range | None = None
    promo_share: Range | None = None


class Span(Event):
    """From one day of the year to another, both included; over New Year if ``until`` is the earlier one."""

    starts: _DayOfYear
    until: _DayOfYear

    def holds(self, day: date) -> bool:
        """Whether the day is within."""
        at = f"{day:%m-%d}"
        if self.starts <= self.until:
            return self.starts <= at <= self.until
        return at >= self.starts or at <= self.until


class Season(Event):
    """Days on which something is sent, by the store's calendar: in one of the spans, the months, on the weekdays."""

    spans: Annotated[tuple[Span, ...], Field(max_length=20)] = ()
    months: Annotated[
        tuple[Annotated[int, Field(ge=1, le=12)], ...],
        Field(max_length=12, description="1 is January"),
    ] = ()
    weekdays: Annotated[tuple[Weekday, ...], Field(max_length=7)] = ()

    def holds(self, day: date) -> bool:
        """Whether the day belongs to the season."""
        return (
            (not self.spans or any(span.holds(day) for span in self.spans))
            and (not self.months or day.month in self.months)
            and (not self.weekdays or WEEKDAYS[day.weekday()] in self.weekdays)
        )


class SalesRule(Event):
    """Sales of the last ``days`` whole days, as a share of those before them, or of the same days a year ago.

    ``of`` the whole chain, a region, a store or a product group; without ``id`` a region or store is the customer's
    own. ``at_least`` ≤ the share < ``below``, in basis points: 9000 is 90%. A year ago is 52 weeks ago, so that
    weekdays meet weekdays.
    """

    of: Literal["chain", "region", "store", "group"] = "chain"
    id: Text | None = None
    measure: Literal["purchases", "paid"] = "purchases"
    days: Annotated[int, Field(ge=1, le=90)] = 7
    against: Literal["days_before", "year_ago"] = "days_before"
    at_least: Annotated[int, Field(ge=0, le=1_000_000, description="basis points")] | None = None
    below: Annotated[int, Field(ge=1, le=1_000_000, description="basis points")] | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.at_least is None and self.below is None:
            message = "below: give below, at_least or both"
            raise ValueError(message)
        if self.at_least is not None and self.below is not None and self.at_least >= self.below:
            message = "below: must be more than at_least"
            raise ValueError(message)
        if self.of == "group" and self.id is None:
            message = "id: say which group"
            raise ValueError(message)
        if self.of == "chain" and self.id is not None:
            message = "id: the chain has none"
            raise ValueError(message)
        return self


class Beginning(Event):
    """In this season, and while sales are so, offers begin with a later (bigger) ``step``."""

    step: Annotated[int, Field(ge=2, le=MOST_STEPS)]
    season: Season = Season()
    sales: Annotated[tuple[SalesRule, ...], Field(max_length=5)] = ()


class Step(Event):
    """A code of ``emission_id`` that gives ``discount`` (as the policy counts it), valid for ``valid_days`` days.

    They are whole days of the customer's store after the one it is sent on.
    """

    emission_id: Id
    discount: Annotated[int, Field(ge=1, le=10**9, description="basis points or minor units")]
    valid_days: Annotated[int, Field(ge=1, le=90)] = 7


class QuietHours(Event):
    """Nothing is sent at ``starts`` ≤ the time on the store's clock < ``ends``; over midnight if ``ends`` is earlier."""

    starts: _Clock
    ends: _Clock

    @model_validator(mode="after")
    def _is_some_time(self) -> Self:
        if self.starts == self.ends:
            message = "ends: must differ from starts"
            raise ValueError(message)
        return self

    def hold(self, clock: str) -> bool:
        """Whether it is quiet at this time of the day (HH:MM)."""
        if self.starts < self.ends:
            return self.starts <= clock < self.ends
        return clock >= self.starts or clock < self.ends


class Sending(Event):
    """When a code is sent: an hour before the customer's usual hour of purchase, by the ``clock``, or at once.

    ``clock`` is also for those who have no usual hour yet. ``days_before_expected``: so many days before the
    expected purchase, today at the earliest; without a forecast as soon as the rest is met.
    """

    at: Literal["usual_hour", "clock", "at_once"] = "usual_hour"
    clock: _Clock = "10:00"
    days_before_expected: Annotated[int, Field(ge=0, le=60)] | None = None


class Cap(Event):
    """At most so many offers to one customer within any ``days`` days."""

    offers: Annotated[int, Field(ge=1, le=100)]
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)]


class Budget(Event):
    """At most so many ``codes``, and ``cost`` (minor units): what codes used have given, and open ones may give."""

    codes: Count | None = None
    cost: Money | None = None


class Policy(Event):
    """Whom to make an offer, when, and what: an offer unused when its days are over is followed by the next step.

    ``reason`` is what the CRM is told; a customer never has two offers for one reason. ``discounts_in`` says what
    discounts are: ``percent`` of the receipt (basis points), or an ``amount`` (minor units of ``currency``). They rise from
    step to step, ``max_discount`` at most. ``wait_days`` pass between the end of a step and the next one, ``pause_days`` between the end
    of the last and a new first one. ``control_share`` (basis points) of the customers are left without, so that
    it can be told what offers bring. ``time_zone`` is for customers whose store is not known. Of two policies for the same customer the one with the
    higher ``priority`` comes first.
    """

    policy_id: Id
    name: Text
    reason: Text
    comment: _Comment = ""
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    who: Audience = Audience()
    when: When = When()
    season: Season = Season()
    sales: Annotated[tuple[SalesRule, ...], Field(max_length=5)] = ()
    discounts_in: Literal["percent", "amount"] = "percent"
    currency: Currency
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=MOST_STEPS)]
    max_discount: Annotated[int, Field(ge=1, le=10**9, description="basis points or minor units")]
    beginnings: Annotated[tuple[Beginning, ...], Field(max_length=5)] = ()
    wait_days: Annotated[int, Field(ge=0, le=90)] = 0
    pause_days: _Days = 30
    sending: Sending = Sending()
    quiet_hours: QuietHours | None = QuietHours(starts="21:00", ends="09:00")
    time_zone: Annotated[Text, AfterValidator(_known_zone)] = "UTC"
    cap: Cap | None = None
    budget: Budget = Budget()
    control_share: Annotated[int, Field(ge=0, le=5_000, description="basis points")] = 1_000

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        for message in self._contradictions():
            raise ValueError(message)
        return self

    def _contradictions(self) -> Iterator[str]:
        before = 0
        for n, step in enumerate(self.steps):
            if step.discount <= before:
                yield f"steps.{n}.discount: must be more than in the step before"
            if step.discount > self.max_discount:
                yield f"steps.{n}.discount: must not be more than max_discount"
            before = step.discount
        if self.discounts_in == "percent" and self.max_discount > _ALL:
            yield "max_discount: is at most 10000 basis points, all of the receipt"
        emissions = [step.emission_id for step in self.steps]
        for n, emission_id in enumerate(emissions):
            # Which of two steps a receipt has used could not be told.
            if emission_id in emissions[:n]:
                yield f"steps.{n}.emission_id: each step needs an emission of its own"
        for n, beginning in enumerate(self.beginnings):
            if beginning.step > len(self.steps):
                yield f"beginnings.{n}.step: there is no such step"

    def step(self, number: int) -> Step:
        """The step, from 1."""
        return self.steps[number - 1]

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of who has no store."""
        return ZoneInfo(self.time_zone)

    @property
    def segments(self) -> frozenset[str]:
        """Every segment that it names."""
        return frozenset((*self.who.all_of, *self.who.any_of, *self.who.none_of))
