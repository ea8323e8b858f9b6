"""The caps of a campaign: what may be used how often, or up to which sum, and over which time. Pure."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from services.analytics.messages import Campaign, Condition, Instrument, Limit, Period

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Counts = Literal["redemptions", "money"]


class Cap(Struct, frozen=True, omit_defaults=True):
    """A cap on redemptions or on money (minor units of discounts).

    ``instrument_id`` None: over all instruments of the campaign. ``condition_id`` is a promo-code
    condition's, ``emission_id`` the emission it asks for; ``required``: the instrument is not met without
    it. ``per``: it is counted apart for each of these. ``keeps``: a return frees nothing of it.
    """

    cap: int
    counts: Counts
    instrument_id: str | None = None
    condition_id: str | None = None
    emission_id: str | None = None
    required: bool = True
    per: tuple[str, ...] = ()
    period: Period | None = None
    keeps: bool = False


def caps_of(campaign: Campaign) -> tuple[Cap, ...]:
    """All caps that a campaign states: its own, then its instruments', in their order."""
    return (
        *_of_limits(campaign.limits),
        *[cap for instrument in campaign.instruments for cap in _of_instrument(instrument)],
    )


def _of_instrument(instrument: Instrument) -> Iterator[Cap]:
    name, keeps = instrument.instrument_id, instrument.on_return == "keep"
    period = None if instrument.processing_period == "campaign" else instrument.processing_period
    own = instrument.limits
    if instrument.max_redemptions is not None:
        own = (Limit(redemptions=instrument.max_redemptions), *own)
    yield from _of_limits(own, name, period, keeps=keeps)
    for condition, required in _codes(instrument.conditions):
        if condition.cap is not None:
            yield Cap(
                condition.cap,
                "redemptions",
                name,
                condition.condition_id,
                condition.emission_id,
                required,
                period=period,
                keeps=keeps,
            )


def _of_limits(
    limits: Iterable[Limit],
    instrument_id: str | None = None,
    period: Period | None = None,
    *,
    keeps: bool = False,
) -> Iterator[Cap]:
    for limit in limits:
        money = limit.money is not None
        cap = limit.money if money else limit.redemptions
        yield Cap(
            cap or 0,
            "money" if money else "redemptions",
            instrument_id,
            per=limit.per,
            period=period,
            keeps=keeps,
        )


def _codes(
    conditions: Iterable[Condition], *, required: bool = True
) -> Iterator[tuple[Condition, bool]]:
    """The conditions that ask for a code, and whether all carts must meet them; none within ``not``."""
    for condition in conditions:
        if condition.kind == "promo_code":
            yield condition, required
        yield from _codes(condition.conditions, required=required and condition.kind != "any")


class Span(Struct, frozen=True):
    """``start`` ≤ t < ``end``; ``slides``: there is one for every instant, and it ends with it."""

    start: datetime
    end: datetime
    slides: bool = False


def span_of(
    period: Period | None, now: datetime, starts_at: datetime, ends_at: datetime, time_zone: str
) -> Span:
    """Over which time a cap counts at the moment (domain: Processing period), within its campaign's."""
    zone = ZoneInfo(time_zone)
    if period is None:
        return Span(starts_at, ends_at)
    if period.kind == "rolling":
        return Span(now - timedelta(days=period.days or 1), now, slides=True)
    today = now.astimezone(zone).date()
    if period.kind == "calendar":
        first, after = _calendar(period.unit or "day", today)
        return Span(_midnight(first, zone), _midnight(after, zone))
    begun = starts_at.astimezone(zone)
    days = period.days or 1
    number = (today - begun.date()).days // days
    start = _at(begun, number * days, zone)
    if now < start:
        number -= 1
    return Span(_at(begun, number * days, zone), _at(begun, (number + 1) * days, zone))


def _calendar(unit: str, day: date) -> tuple[date, date]:
    if unit == "day":
        return day, day + timedelta(days=1)
    if unit == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _at(begun: datetime, days: int, zone: ZoneInfo) -> datetime:
    """As many days later by the clock on the wall."""
    day = begun.date() + timedelta(days=days)
    return datetime.combine(day, begun.time(), zone).astimezone(UTC)


_DAY = timedelta(days=1)


def whole_hour(at: datetime) -> datetime:
    """The start of its hour, as UTC has it."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def spans_of_levels(since: datetime, until: datetime) -> Iterator[tuple[int, datetime, datetime]]:
    """A time by sums of days (24 hours, UTC) and of hours before and after them: how long, from, to.

    It begins with an hour, as periods do, but where a zone differs from others by half of one.
    """
    first, last = whole_hour(since), until.astimezone(UTC)
    begins = -(-(first - _EPOCH) // _DAY) * _DAY + _EPOCH
    ends = (last - _EPOCH) // _DAY * _DAY + _EPOCH
    if begins >= ends:
        yield 1, first, last
        return
    yield 24, begins, ends
    if first < begins:
        yield 1, first, begins
    if ends < last:
        yield 1, ends, last
