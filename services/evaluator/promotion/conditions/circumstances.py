"""Conditions on how, when and where the receipt comes about."""

from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt

from services.evaluator.promotion.basket import Eligible, Reading
from services.evaluator.promotion.conditions.check import Check
from services.evaluator.promotion.failure import Failure, gap
from shared.events.conditions import (
    InCurrency,
    InRegion,
    InStore,
    Near,
    OnDevice,
    PaidBy,
    TimeOfDay,
    ViaChannel,
    Weekday,
)
from shared.events.values import Location

_ZERO = timedelta()
_DAY_S = 24 * 3600
_WEEK_S = 7 * _DAY_S
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG
_E6 = 1_000_000


def paid_by(condition: PaidBy) -> Check:
    """A check of the payment methods: some are named, and all of them are among these."""
    methods, failed = frozenset(condition.methods), Failure("condition_not_met", condition.kind)

    def check(reading: Reading, _: Eligible) -> Failure | None:
        paid = reading.basket.payment_methods
        return None if paid and paid <= methods else failed

    return check


def via_channel(condition: ViaChannel) -> Check:
    """A check of the channel."""
    channels, failed = frozenset(condition.channels), Failure("condition_not_met", condition.kind)
    return lambda reading, _: None if reading.basket.channel in channels else failed


def on_device(condition: OnDevice) -> Check:
    """A check of the device."""
    devices, failed = frozenset(condition.devices), Failure("condition_not_met", condition.kind)
    return lambda reading, _: None if reading.basket.device in devices else failed


def in_currency(condition: InCurrency) -> Check:
    """A check of the receipt's currency."""
    currencies = frozenset(condition.currencies)
    failed = Failure("condition_not_met", condition.kind)
    return lambda reading, _: None if reading.basket.currency in currencies else failed


def in_store(condition: InStore) -> Check:
    """A check of the store."""
    stores, failed = frozenset(condition.stores), Failure("wrong_store", condition.kind)
    return lambda reading, _: None if reading.basket.store_id in stores else failed


def in_region(condition: InRegion) -> Check:
    """A check of the store's region."""
    regions, failed = frozenset(condition.regions), Failure("wrong_store", condition.kind)
    return lambda reading, _: None if reading.basket.region in regions else failed


def time_of_day(condition: TimeOfDay) -> Check:
    """A check of the store's clock; the gap is the time until it is due."""
    starts, ends = _seconds(condition.starts), _seconds(condition.ends)

    def check(reading: Reading, _: Eligible) -> Failure | None:
        at = reading.local()
        now = at.hour * 3600 + at.minute * 60 + at.second
        is_on = starts <= now < ends if starts < ends else now >= starts or now < ends
        if is_on:
            return None
        return gap(condition.kind, _until(at, (starts - now) % _DAY_S), _DAY_S, "seconds")

    return check


def _until(at: datetime, ahead_s: int) -> int:
    """How long it is until the clock shows so much more: an hour less or more if it is changed."""
    shown = at + timedelta(seconds=ahead_s)
    changed = (shown.utcoffset() or _ZERO) - (at.utcoffset() or _ZERO)
    return ahead_s - changed // timedelta(seconds=1)


def _seconds(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def weekday(condition: Weekday) -> Check:
    """A check of the store's day; the gap is the time until the next such day."""
    days = frozenset(_DAYS.index(day) for day in condition.days)

    def check(reading: Reading, _: Eligible) -> Failure | None:
        at = reading.local()
        if at.weekday() in days:
            return None
        ahead = min((day - at.weekday()) % 7 for day in days)
        passed = at.hour * 3600 + at.minute * 60 + at.second
        return gap(condition.kind, _until(at, ahead * _DAY_S - passed), _WEEK_S, "seconds")

    return check


def near(condition: Near) -> Check:
    """A check of the distance; nobody is near whose place is not known."""
    centre = Location(latitude_e6=condition.latitude_e6, longitude_e6=condition.longitude_e6)
    failed = Failure("wrong_store", condition.kind)

    def check(reading: Reading, _: Eligible) -> Failure | None:
        place = reading.basket.location
        is_near = place is not None and distance_m(centre, place) <= condition.radius_m
        return None if is_near else failed

    return check


def distance_m(one: Location, other: Location) -> int:
    """Metres along the earth's surface, rounded to the nearest (haversine formula, a sphere)."""
    north, south = radians(one.latitude_e6 / _E6), radians(other.latitude_e6 / _E6)
    across = radians((other.longitude_e6 - one.longitude_e6) / _E6)
    chord = sin((south - north) / 2) ** 2 + cos(north) * cos(south) * sin(across / 2) ** 2
    return round(2 * _EARTH_RADIUS_M * asin(min(1.0, sqrt(chord))))
