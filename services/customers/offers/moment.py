"""When an offer is sent and how long it lasts, by the clock of the customer's own store. Pure.

Days are those of the store's calendar, however long they are: a day on which the clocks change has 23 or 25 hours.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.customers.offers.policy import QuietHours, Season, Sending, Step

HOURS = 24
LEAST_PURCHASES = 3
"""Of fewer nothing is concluded about the hour of the day."""
_LOOK_DAYS = 14
"""So far ahead a day of the season is looked for: any weekday comes within seven."""


def usual_hour(hours: Sequence[int]) -> int | None:
    """The hour of the day around which most purchases were made (by the store's clock), or None if they are too few.

    An hour counts twice and its neighbours once, so that purchases about 18:00 are not torn apart by the hour's turn;
    of two the earlier.
    """
    if sum(hours) < LEAST_PURCHASES:
        return None
    weights = [
        hours[hour - 1] + 2 * hours[hour] + hours[(hour + 1) % HOURS] for hour in range(HOURS)
    ]
    return weights.index(max(weights))


def sending_hour(sending: Sending, hours: Sequence[int]) -> time:
    """The time of the day at which a customer who buys at these ``hours`` is written to."""
    usual = usual_hour(hours) if sending.at == "usual_hour" else None
    if usual is None:
        return time.fromisoformat(sending.clock)
    return time((usual - 1) % HOURS)


def sending_time(
    sending: Sending,
    quiet: QuietHours | None,
    season: Season,
    earliest: datetime,
    expected_on: date | None,
    hours: Sequence[int],
    zone: ZoneInfo,
) -> datetime | None:
    """When to send, not before ``earliest``; None if no day of the season comes within two weeks from when it should be."""
    local = earliest.astimezone(zone)
    first = local.date()
    if sending.days_before_expected is not None and expected_on is not None:
        first = max(first, expected_on - timedelta(days=sending.days_before_expected))
    at = sending_hour(sending, hours)
    for day in _days(first):
        if not season.holds(day):
            continue
        wanted = _instant(day, at, zone)
        if sending.at == "at_once":
            wanted = max(earliest, _instant(day, time(), zone))
        if wanted < earliest:
            continue
        found = after_quiet(wanted, quiet, zone)
        # What was moved behind a quiet night must be within the season then, too.
        if season.holds(found.astimezone(zone).date()):
            return found
    return None


def after_quiet(at: datetime, quiet: QuietHours | None, zone: ZoneInfo) -> datetime:
    """``at``, or the end of the quiet hours that it falls into."""
    local = at.astimezone(zone)
    if quiet is None or not quiet.hold(f"{local:%H:%M}"):
        return at.astimezone(UTC)
    ends = time.fromisoformat(quiet.ends)
    day = local.date() + timedelta(days=1 if local.time() >= ends else 0)
    return _instant(day, ends, zone)


def end_of(step: Step, sent_at: datetime, zone: ZoneInfo) -> datetime:
    """Until when a code sent at ``sent_at`` is valid: the midnight after its last day."""
    return _midnight(sent_at.astimezone(zone).date() + timedelta(days=step.valid_days + 1), zone)


def after_days(at: datetime, days: int, zone: ZoneInfo) -> datetime:
    """So many days after ``at``: at its midnight, or ``at`` itself if they are none."""
    if not days:
        return at
    return _midnight(at.astimezone(zone).date() + timedelta(days=days), zone)


def windows(
    steps: Sequence[Step], wait_days: int, sent_at: datetime, zone: ZoneInfo
) -> list[tuple[datetime, datetime]]:
    """From when until when each step lasts if each is sent as soon as it may be: the first at ``sent_at``.

    It depends on nothing that a customer does, so that it can be applied to who was sent nothing.
    """
    found: list[tuple[datetime, datetime]] = []
    starts = sent_at
    for step in steps:
        ends = end_of(step, starts, zone)
        found.append((starts, ends))
        starts = after_days(ends, wait_days, zone)
    return found


def _days(first: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range(_LOOK_DAYS + 1))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return _instant(day, time(), zone)


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """That time on that day; one that the clocks skip is as much later, of one that comes twice it is the first."""
    return datetime.combine(day, at, zone).astimezone(UTC)
