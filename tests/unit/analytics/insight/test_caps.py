"""Which caps a campaign states, and over which time each counts at the moment."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from msgspec.json import Decoder

from services.analytics import messages
from services.analytics.insight.caps import Cap, Span, caps_of, span_of, spans_of_levels, whole_hour
from services.analytics.messages import Period
from shared.codec import encode
from shared.events.conditions import AnyOf, Not
from shared.events.promotion import LimitRule
from tests.builders import ZONE, campaign, code, instrument, total, utc


def stated(**values: Any) -> tuple[Cap, ...]:
    """The caps of a campaign as its event tells them."""
    return caps_of(Decoder(messages.Campaign).decode(encode(campaign(**values))))


def test_a_campaign_without_limits_has_no_caps() -> None:
    assert stated(instruments=[instrument(conditions=[total(1), code()])]) == ()


def test_caps_of_the_campaign_come_before_those_of_its_instruments() -> None:
    found = stated(
        limits=(LimitRule(money=500_000), LimitRule(redemptions=1, per=("customer", "day"))),
        instruments=[
            instrument("a", max_redemptions=10, limits=(LimitRule(redemptions=2, per=("store",)),)),
            instrument("b", [code("WELCOME", cap=1_000)], on_return="keep"),
        ],
    )
    assert found == (
        Cap(500_000, "money"),
        Cap(1, "redemptions", per=("customer", "day")),
        Cap(10, "redemptions", "a"),
        Cap(2, "redemptions", "a", per=("store",)),
        Cap(1_000, "redemptions", "b", "code", "WELCOME", keeps=True),
    )


def test_caps_of_codes_are_found_however_deep_but_not_where_a_code_must_be_missing() -> None:
    either = AnyOf(conditions=(code("A", cap=1, condition_id="a"), total(1)))
    never = Not(condition=code("C", cap=3, condition_id="c"))
    found = stated(instruments=[instrument("i", [either, never, code("B", cap=2)])])
    assert [(c.emission_id, c.condition_id, c.required) for c in found] == [
        ("A", "a", False),
        ("B", "code", True),
    ]


def test_an_instrument_s_caps_are_over_its_processing_period() -> None:
    weekly = {"kind": "calendar", "unit": "week"}
    found = stated(
        limits=(LimitRule(redemptions=9),),
        instruments=[instrument("i", max_redemptions=1, processing_period=weekly)],
    )
    assert [cap.period for cap in found] == [None, Period("calendar", unit="week")]


NOW = utc(2026, 12, 9, 23, 30)  # a Thursday, half past midnight, in Vienna


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        (None, utc(2026, 12, 5, 7), utc(2027, 1, 1)),
        (Period("calendar", unit="day"), utc(2026, 12, 9, 23), utc(2026, 12, 10, 23)),
        (Period("calendar", unit="week"), utc(2026, 12, 6, 23), utc(2026, 12, 13, 23)),
        (Period("calendar", unit="month"), utc(2026, 11, 30, 23), utc(2026, 12, 31, 23)),
        (Period("consecutive", days=5), utc(2026, 12, 5, 7), utc(2026, 12, 10, 7)),
        (Period("consecutive", days=2), utc(2026, 12, 9, 7), utc(2026, 12, 11, 7)),
    ],
)
def test_periods_are_those_of_the_campaign_s_clock(
    period: Period | None, start: datetime, end: datetime
) -> None:
    found = span_of(period, NOW, utc(2026, 12, 5, 7), utc(2027, 1, 1), "Europe/Vienna")
    assert found == Span(start, end)


def test_a_rolling_period_slides() -> None:
    found = span_of(Period("rolling", days=3), NOW, utc(2026, 12, 5), utc(2027, 1, 1), "UTC")
    assert found == Span(utc(2026, 12, 6, 23, 30), NOW, slides=True)


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (utc(2026, 12, 5, 7, 20), utc(2026, 12, 9, 3, 10)),
        (utc(2026, 12, 5), utc(2026, 12, 9)),
        (utc(2026, 12, 5, 23), utc(2026, 12, 6, 1)),
        (utc(2026, 12, 5, 7), utc(2026, 12, 5, 9)),
        (NOW.astimezone(ZONE), NOW.astimezone(ZONE) + timedelta(days=3)),
    ],
)
def test_a_time_is_made_of_days_and_of_hours_around_them(since: datetime, until: datetime) -> None:
    spans = sorted(spans_of_levels(since, until), key=lambda span: span[1])
    assert spans[0][1] == whole_hour(since)
    assert spans[-1][2] == until
    assert all(a[2] == b[1] for a, b in pairwise(spans))
    for hours, start, end in spans:
        if hours == 24:
            assert (start.hour, end.hour) == (0, 0)
        else:
            assert end - start <= timedelta(hours=24)
