"""Conditions on how, when and where: at, before and after their edges."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.evaluator.promotion import Basket, Refused, decide
from services.evaluator.promotion.conditions.circumstances import distance_m
from shared.events.conditions import (
    Condition,
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
from tests.builders import all_free, basket, campaign, code, instrument, ruleset, utc

KYIV = "Europe/Kyiv"
HOUR, DAY = 3_600, 86_400
FRANCS_OR_EUROS = InCurrency.model_validate({"currencies": ("EUR", "CHF")})


def refusal(of: Basket, condition: Condition) -> Refused | None:
    """Why the cart does not meet the one condition; a code leads to it, so that it is answered."""
    coded = campaign(instruments=[instrument(conditions=[code(), condition])])
    found = decide(of, ruleset(coded), all_free)
    assert len(found.granted) + len(found.refused) == 1
    return found.refused[0] if found.refused else None


def cart(**values: Any) -> Basket:
    return basket(codes=["WELCOME"], **values)


def local(zone: str, *parts: int) -> Basket:
    year, month, day, hour, minute, second = (*parts, 0, 0, 0)[:6]
    at = datetime(year, month, day, hour, minute, second, tzinfo=ZoneInfo(zone))
    return cart(occurred_at=at.astimezone(ZoneInfo("UTC")), time_zone=zone)


@pytest.mark.parametrize(
    ("paid", "met"),
    [(set(), False), ({"card"}, True), ({"card", "voucher"}, True), ({"card", "cash"}, False)],
)
def test_paid_by_these_methods_and_no_others(paid: set[str], met: bool) -> None:
    found = refusal(cart(payment_methods=frozenset(paid)), PaidBy(methods=("card", "voucher")))
    assert (found is None) is met
    if found:
        assert (found.reason, found.condition) == ("condition_not_met", "payment_method")


@pytest.mark.parametrize(
    ("values", "condition", "reason"),
    [
        ({"channel": "web"}, ViaChannel(channels=("web", "app")), None),
        ({"channel": "till"}, ViaChannel(channels=("web", "app")), "condition_not_met"),
        ({"device": "mobile"}, OnDevice(devices=("mobile",)), None),
        ({"device": "tablet"}, OnDevice(devices=("mobile",)), "condition_not_met"),
        ({"currency": "EUR"}, FRANCS_OR_EUROS, None),
        ({"currency": "UAH"}, FRANCS_OR_EUROS, "condition_not_met"),
        ({"store_id": "s-2"}, InStore(stores=("s-1", "s-2")), None),
        ({"store_id": "s-3"}, InStore(stores=("s-1", "s-2")), "wrong_store"),
        ({"region": "east"}, InRegion(regions=("east",)), None),
        ({"region": ""}, InRegion(regions=("east",)), "wrong_store"),
    ],
)
def test_the_place_and_the_way(
    values: dict[str, Any], condition: Condition, reason: str | None
) -> None:
    found = refusal(cart(**values), condition)
    assert (found and found.reason) == reason
    if found:
        assert (found.condition, found.missing) == (condition.kind, None)


@pytest.mark.parametrize(
    ("starts", "ends", "clock", "missing"),
    [
        ("08:00", "10:00", (7, 59, 59), 1),
        ("08:00", "10:00", (8,), None),
        ("08:00", "10:00", (9, 59, 59), None),
        ("08:00", "10:00", (10,), 22 * HOUR),
        ("22:00", "02:00", (21, 59, 59), 1),
        ("22:00", "02:00", (23, 30), None),
        ("22:00", "02:00", (0,), None),
        ("22:00", "02:00", (1, 59, 59), None),
        ("22:00", "02:00", (2,), 20 * HOUR),
        ("00:00", "23:59", (23, 59, 30), 30),
    ],
)
def test_hours_are_half_open_and_may_pass_midnight(
    starts: str, ends: str, clock: tuple[int, ...], missing: int | None
) -> None:
    found = refusal(local(KYIV, 2026, 12, 10, *clock), TimeOfDay(starts=starts, ends=ends))
    assert (found and found.missing) == missing
    if found:
        assert (found.condition, found.unit) == ("time_of_day", "seconds")


def test_hours_are_the_stores_also_when_its_clocks_have_changed() -> None:
    early = TimeOfDay(starts="08:00", ends="09:00")
    assert refusal(cart(occurred_at=utc(2026, 12, 10, 6), time_zone=KYIV), early) is None
    in_summer = ruleset(
        campaign(
            instruments=[instrument(conditions=[early])],
            starts_at=utc(2026, 1, 1),
            ends_at=utc(2027, 1, 1),
        )
    )
    for hour, granted in ((5, 1), (6, 0)):
        at = basket(occurred_at=utc(2026, 6, 10, hour), time_zone=KYIV)
        assert len(decide(at, in_summer, all_free).granted) == granted


@pytest.mark.parametrize(
    ("parts", "missing"),
    [
        ((2026, 12, 11, 0), None),
        ((2026, 12, 11, 23, 59, 59), None),
        ((2026, 12, 10, 23, 59, 59), 1),
        ((2026, 12, 12, 0), 2 * DAY),
        ((2026, 12, 14, 12), None),
        ((2026, 12, 15, 12), 2 * DAY + 12 * HOUR),
    ],
)
def test_weekdays_are_the_stores(parts: tuple[int, ...], missing: int | None) -> None:
    found = refusal(local(KYIV, *parts), Weekday(days=("fri", "mon")))
    assert (found and found.missing) == missing


def test_it_is_friday_in_kyiv_while_it_is_thursday_in_sao_paulo() -> None:
    at, friday = utc(2026, 12, 10, 23), Weekday(days=("fri",))
    assert refusal(cart(occurred_at=at, time_zone=KYIV), friday) is None
    found = refusal(cart(occurred_at=at, time_zone="America/Sao_Paulo"), friday)
    assert found is not None
    assert (found.missing, found.unit) == (4 * HOUR, "seconds")


def place(latitude: float, longitude: float) -> Location:
    return Location(latitude_e6=round(latitude * 1e6), longitude_e6=round(longitude * 1e6))


@pytest.mark.parametrize(
    ("one", "other", "metres"),
    [
        pytest.param(place(50.45, 30.52), place(50.45, 30.52), 0, id="here"),
        pytest.param(place(0, 0), place(0, 1), 111_195, id="a degree of the equator"),
        pytest.param(place(0, 179.5), place(0, -179.5), 111_195, id="over the date line"),
        pytest.param(place(90, 0), place(-90, 0), 20_015_115, id="pole to pole"),
        pytest.param(place(0, 0), place(0, 180), 20_015_115, id="to the antipode"),
        pytest.param(place(60, 0), place(60, 1), 55_597, id="a degree in the north is shorter"),
    ],
)
def test_distances_are_along_the_surface(one: Location, other: Location, metres: int) -> None:
    assert abs(distance_m(one, other) - metres) <= 1
    assert distance_m(one, other) == distance_m(other, one)


def test_near_takes_in_its_edge_and_nobody_whose_place_is_not_known() -> None:
    away = distance_m(place(0, 0), place(0, 0.01))
    for radius_m, reason in ((away, None), (away - 1, "wrong_store")):
        point = Near(latitude_e6=0, longitude_e6=0, radius_m=radius_m)
        found = refusal(cart(location=place(0, 0.01)), point)
        assert (found and found.reason) == reason
    found = refusal(cart(), Near(latitude_e6=0, longitude_e6=0, radius_m=20_000_000))
    assert found is not None
    assert found.reason == "wrong_store"
