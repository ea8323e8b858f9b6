"""The promotion language: instruments and campaigns, as data.

``Campaign`` is the event on ``promo.campaigns.v1``; the rest are its parts, and also what marketers
post to emission's API. What they mean is decided in ``services.evaluator.promotion``.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.events.benefits import Benefit
from shared.events.conditions import MAX_CONDITIONS, MAX_DEPTH, Condition, PromoCode, walk
from shared.events.values import Count, Event, Id, Instant, Money, Text

MAX_INSTRUMENTS = 200
MAX_DAYS = 366
_Days = Annotated[int, Field(ge=1, le=MAX_DAYS)]


class Rolling(Event):
    """The last ``days`` days of 24 hours, sliding: until this very moment."""

    kind: Literal["rolling"] = "rolling"
    days: _Days


class Calendar(Event):
    """The day, week (from Monday) or month in the campaign's time zone."""

    kind: Literal["calendar"] = "calendar"
    unit: Literal["day", "week", "month"]


class Consecutive(Event):
    """Windows of ``days`` days, one after another from the campaign's start."""

    kind: Literal["consecutive"] = "consecutive"
    days: _Days


ProcessingPeriod = (
    Literal["campaign"] | Annotated[Rolling | Calendar | Consecutive, Field(discriminator="kind")]
)
"""Over which period history and limits are counted; ``campaign``: from the campaign's start."""

Per = Literal["customer", "code", "store", "day"]


class LimitRule(Event):
    """A cap on ``redemptions``, or on the ``money`` (minor units) of discounts; one of the two.

    It counts in all, or apart for each of what ``per`` names (``["customer", "day"]``: a customer's
    on one day, in the campaign's time zone), over the processing period.
    """

    per: Annotated[tuple[Per, ...], Field(max_length=4)] = ()
    redemptions: Count | None = None
    money: Annotated[Money, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _caps_one_thing(self) -> Self:
        if (self.redemptions is None) == (self.money is None):
            message = "redemptions: give either redemptions or money"
            raise ValueError(message)
        if len(set(self.per)) != len(self.per):
            message = "per: names each only once"
            raise ValueError(message)
        return self


class Repeat(Event):
    """The benefit is given for every full multiple of the conditions, at most ``max_times``."""

    max_times: Count | None = None


def _refuse_repeated(limits: tuple[LimitRule, ...]) -> None:
    named = [(frozenset(rule.per), rule.money is None) for rule in limits]
    for n, one in enumerate(named):
        if one in named[:n]:
            message = f"limits.{n}: there is another limit of the same kind"
            raise ValueError(message)


class Instrument(Event):
    """Meet these conditions, all of them, and get this benefit.

    ``stacking``: ``combinable`` with others; ``exclusive`` applies only if nothing has, then blocks
    the rest; of a ``best_of`` group (named by ``best_of``) the best one applies.
    ``max_redemptions`` is short for a limit in all. When a sale is returned as a whole, its slots are free
    again (``release``) or stay used (``keep``).
    """

    instrument_id: Id
    name: Text
    conditions: Annotated[tuple[Condition, ...], Field(max_length=MAX_CONDITIONS)] = ()
    benefit: Benefit
    processing_period: ProcessingPeriod = "campaign"
    trigger: Literal["on_sale", "on_period_end"] = "on_sale"
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    include_discounted: bool = False
    stacking: Literal["combinable", "exclusive", "best_of"] = "combinable"
    best_of: Id | None = None
    repeat: Repeat | None = None
    max_redemptions: Count | None = None
    on_return: Literal["release", "keep"] = "release"
    limits: Annotated[tuple[LimitRule, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        _refuse_huge(self.conditions)
        ids = [c.condition_id for _, c, _ in walk(self.conditions) if isinstance(c, PromoCode)]
        if len(set(ids)) != len(ids):
            message = "conditions: condition_id must be unique within an instrument"
            raise ValueError(message)
        if (self.stacking == "best_of") != (self.best_of is not None):
            message = "best_of: names the group of stacking 'best_of', and only of it"
            raise ValueError(message)
        in_all = LimitRule(redemptions=self.max_redemptions) if self.max_redemptions else None
        _refuse_repeated((*self.limits, in_all) if in_all else self.limits)
        return self


def _refuse_huge(conditions: tuple[Condition, ...]) -> None:
    for count, (path, _, depth) in enumerate(walk(conditions), start=1):
        if depth > MAX_DEPTH:
            message = f"{path}: conditions are nested deeper than {MAX_DEPTH}"
            raise ValueError(message)
        if count > MAX_CONDITIONS:
            message = f"{path}: there are more than {MAX_CONDITIONS} conditions"
            raise ValueError(message)


class EmissionSummary(Event):
    """What an evaluator must know of an emission that a campaign refers to.

    ``posted_codes`` is how many codes it must hold before the campaign may become active.
    ``single_use``: each code may be redeemed once, for life, over all campaigns.
    """

    emission_id: Id
    kind: Literal["mass", "personal"]
    single_use: bool
    posted_codes: Annotated[int, Field(ge=0)]
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class Campaign(Event):
    """One state of a campaign: the latest on ``promo.campaigns.v1`` for its id is what counts.

    The period is half-open: ``starts_at`` ≤ t < ``ends_at``. No stores = everywhere; no groups and
    no segments = everybody, else one of either. ``control_group`` (basis points) of the customers
    are held back. ``limits`` are over all its instruments, from its start.
    """

    campaign_id: Id
    version: Count
    name: Text
    status: Literal["running", "paused", "finished"]
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    time_zone: Text
    starts_at: Instant
    ends_at: Instant
    stores: Annotated[tuple[Id, ...], Field(max_length=20_000)] = ()
    customer_groups: Annotated[tuple[Id, ...], Field(max_length=1_000)] = ()
    segments: Annotated[tuple[Id, ...], Field(max_length=1_000)] = ()
    control_group: Annotated[int, Field(ge=0, le=10_000, description="basis points")] = 0
    limits: Annotated[tuple[LimitRule, ...], Field(max_length=20)] = ()
    instruments: Annotated[tuple[Instrument, ...], Field(min_length=1, max_length=MAX_INSTRUMENTS)]
    emissions: tuple[EmissionSummary, ...] = ()

    @model_validator(mode="after")
    def _instruments_are_named_once(self) -> Self:
        ids = [instrument.instrument_id for instrument in self.instruments]
        if len(set(ids)) != len(ids):
            message = "instruments: each instrument is in a campaign once"
            raise ValueError(message)
        _refuse_repeated(self.limits)
        return self
