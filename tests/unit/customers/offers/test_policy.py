"""What a policy may say, and what it must not."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from services.customers.offers.policy import QuietHours, Range, Season, Span
from tests.unit.customers.offers.examples import policy


def step(discount: int, emission_id: str = "e1") -> dict[str, Any]:
    return {"emission_id": emission_id, "discount": discount, "valid_days": 7}


def test_steps_rise_up_to_the_bound_itself() -> None:
    made = policy(steps=(step(500, "a"), step(501, "b"), step(1_500, "c")))
    assert [one.discount for one in made.steps] == [500, 501, 1_500]
    assert made.step(2).emission_id == "b"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"steps": (step(500, "a"), step(500, "b"))}, r"steps\.1\.discount: must be more"),
        ({"steps": (step(500, "a"), step(400, "b"))}, r"steps\.1\.discount: must be more"),
        ({"steps": (step(500, "a"), step(1_501, "b"))}, r"steps\.1\.discount: must not be more"),
        ({"steps": (step(500, "a"), step(600, "a"))}, r"steps\.1\.emission_id: each step"),
        ({"max_discount": 10_001}, "max_discount: is at most 10000"),
        ({"beginnings": ({"step": 3},)}, r"beginnings\.0\.step: there is no such step"),
        ({"time_zone": "Mars/Olympus"}, "no such time zone"),
        ({"season": {"spans": ({"starts": "02-30", "until": "03-01"},)}}, "no such day"),
        ({"when": {"purchases": {}}}, "at_least: give at_least, at_most or both"),
        ({"when": {"purchases": {"at_least": 2, "at_most": 1}}}, "must not be less"),
        ({"quiet_hours": {"starts": "21:00", "ends": "21:00"}}, "ends: must differ"),
        ({"sales": ({"below": 9_000, "of": "group"},)}, "id: say which group"),
        ({"sales": ({"below": 9_000, "id": "x"},)}, "id: the chain has none"),
        ({"sales": ({"of": "chain"},)}, "below: give below"),
        ({"sales": ({"at_least": 9_000, "below": 9_000},)}, "below: must be more"),
        ({"steps": ()}, "at least 1 item"),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_field(
    fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        policy(**fields)


def test_an_amount_may_be_more_than_all_basis_points() -> None:
    assert policy(discounts_in="amount", max_discount=20_000).max_discount == 20_000


def test_both_ends_of_a_range_belong_to_it() -> None:
    within = Range(at_least=-3, at_most=10)
    assert [n for n in (-4, -3, 0, 10, 11) if within.holds(n)] == [-3, 0, 10]
    assert Range(at_most=0).holds(-366)
    assert not Range(at_least=1).holds(0)


def test_quiet_hours_go_over_midnight() -> None:
    night = QuietHours(starts="21:00", ends="09:00")
    times = ("20:59", "21:00", "23:59", "00:00", "08:59", "09:00", "12:00")
    assert [at for at in times if night.hold(at)] == ["21:00", "23:59", "00:00", "08:59"]
    noon = QuietHours(starts="12:00", ends="14:00")
    assert [at for at in ("11:59", "12:00", "13:59", "14:00") if noon.hold(at)] == [
        "12:00",
        "13:59",
    ]


def test_a_span_goes_over_new_year_and_has_both_its_days() -> None:
    winter = Span(starts="12-15", until="01-07")
    days = (
        date(2025, 12, 14),
        date(2025, 12, 15),
        date(2026, 1, 1),
        date(2026, 1, 7),
        date(2026, 1, 8),
    )
    assert [f"{day:%m-%d}" for day in days if winter.holds(day)] == ["12-15", "01-01", "01-07"]
    leap = Span(starts="02-28", until="02-29")
    assert leap.holds(date(2028, 2, 29))
    assert not leap.holds(date(2026, 3, 1))


def test_a_season_is_a_span_and_a_month_and_a_weekday() -> None:
    season = Season(
        spans=(Span(starts="03-01", until="03-10"), Span(starts="05-01", until="05-10")),
        months=(3,),
        weekdays=("tue",),
    )
    assert season.holds(date(2026, 3, 10))
    assert not season.holds(date(2026, 3, 11))  # a Wednesday, and behind the span
    assert not season.holds(date(2026, 3, 9))  # a Monday
    assert not season.holds(date(2026, 5, 5))  # a Tuesday in a span, of another month
    assert Season().holds(date(2026, 1, 1))
