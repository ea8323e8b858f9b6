"""Fifths of recency, frequency and monetary value, and the classes of the three."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.customers.profile import DAY_S
from services.customers.segments.check import NEVER
from services.customers.segments.definition import RFM_CLASSES
from services.customers.segments.rfm import (
    FEWEST,
    WINDOW_DAYS,
    Fifths,
    Figures,
    Population,
    figures,
    rfm_class,
    scored,
)
from tests.unit.customers.segments.customers import NOW, Trip, view_of

FIFTHS = Fifths(
    days=(3, 7, 20, 60),
    purchases=(1, 2, 4, 9),
    paid={"UAH": (1_000, 2_000, 4_000, 8_000)},
)


def population(*days: int) -> Population:
    people = Population()
    for n, one in enumerate(days):
        people.add(Figures(days=one, purchases=n + 1, currency="UAH", paid=100 * (n + 1)))
    return people


def test_fifths_end_where_a_fifth_of_the_customers_ends() -> None:
    fifths = population(*range(FEWEST)).fifths()
    assert fifths is not None
    assert tuple(fifths.days) == (19, 39, 59, 79)
    assert tuple(fifths.purchases) == (20, 40, 60, 80)
    assert fifths.paid == {"UAH": (2_000, 4_000, 6_000, 8_000)}


def test_a_fifth_of_a_number_that_five_does_not_divide_is_the_larger_one() -> None:
    fifths = population(*range(FEWEST + 1)).fifths()
    assert fifths is not None
    assert tuple(fifths.days) == (20, 40, 60, 80)


def test_what_falls_to_the_end_of_a_fifth_is_in_it() -> None:
    view = view_of(
        Trip(days=WINDOW_DAYS - 1, paid=1), *[Trip(days=70, paid=500)] * 2, Trip(days=70, paid=0)
    )
    rfm, until = scored(view, FIFTHS, NOW)
    assert rfm is not None
    assert (rfm.monetary, until) == (2, NOW + DAY_S)


def test_there_are_no_fifths_of_too_few() -> None:
    assert population(*range(FEWEST - 1)).fifths() is None


def test_who_is_equal_gets_an_equal_fifth() -> None:
    fifths = population(*[0] * 50, *[5] * 50).fifths()
    assert fifths is not None
    assert tuple(fifths.days) == (0, 0, 5, 5)
    today, _ = scored(view_of(Trip(days=0)), fifths, NOW)
    before, _ = scored(view_of(Trip(days=5)), fifths, NOW)
    assert today is not None
    assert before is not None
    assert (today.recency, before.recency) == (5, 3)


def test_each_figure_is_scored_by_where_it_falls() -> None:
    for day, recency in ((0, 5), (3, 5), (4, 4), (7, 4), (20, 3), (21, 2), (61, 1)):
        rfm, _ = scored(view_of(Trip(days=day, paid=1)), FIFTHS, NOW)
        assert rfm is not None
        assert rfm.recency == recency, day
    for count, frequency in ((1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (9, 4), (10, 5)):
        rfm, _ = scored(view_of(*[Trip(days=1, paid=1)] * count), FIFTHS, NOW)
        assert rfm is not None
        assert rfm.frequency == frequency, count
    for paid, monetary in ((1_000, 1), (1_001, 2), (4_000, 3), (8_001, 5)):
        rfm, _ = scored(view_of(Trip(days=1, paid=paid)), FIFTHS, NOW)
        assert rfm is not None
        assert rfm.monetary == monetary, paid


def test_only_the_last_year_counts_and_the_currency_of_most_purchases() -> None:
    view = view_of(
        Trip(days=WINDOW_DAYS, paid=9_999),
        Trip(days=9, paid=5, currency="EUR"),
        Trip(days=4, paid=70),
        Trip(days=2, paid=60),
    )
    assert figures(view, NOW) == Figures(days=2, purchases=3, currency="UAH", paid=130)
    assert figures(view_of(Trip(days=WINDOW_DAYS)), NOW) is None
    assert scored(view_of(Trip(days=WINDOW_DAYS)), FIFTHS, NOW) == (None, NEVER)
    in_euros = view_of(Trip(days=1, currency="EUR"))
    rfm, until = scored(in_euros, FIFTHS, NOW)
    assert rfm is None
    assert until == NOW + (WINDOW_DAYS - 1) * DAY_S


def test_classes_are_those_of_the_grid() -> None:
    assert rfm_class(5, 5, 5) == "champions"
    assert rfm_class(5, 4, 3) == "champions"  # their mean is 3.5, rounded up
    assert rfm_class(5, 1, 1) == "new"
    assert rfm_class(4, 5, 4) == "loyal"
    assert rfm_class(1, 5, 5) == "cannot-lose"
    assert rfm_class(1, 1, 2) == "hibernating"
    assert rfm_class(2, 3, 3) == "at-risk"
    fifths = range(1, 6)
    classes = {rfm_class(r, f, m) for r in fifths for f in fifths for m in fifths}
    assert classes == set(RFM_CLASSES)


@settings(max_examples=150)
@given(
    st.lists(
        st.builds(
            Trip,
            days=st.sampled_from((0, 3, 8, 19, 59, 300, 340, 364, 364.5)),
            paid=st.sampled_from((100, 900, 3_000)),
            currency=st.sampled_from(("UAH", "UAH", "UAH", "EUR")),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_score_holds_until_the_second_that_it_says(trips: list[Trip]) -> None:
    view = view_of(*trips)
    rfm, until = scored(view, FIFTHS, NOW)
    assert until > NOW
    ages = (*range(1, 62), *range(WINDOW_DAYS - 1, WINDOW_DAYS + 2))
    moments = (visit.at + day * DAY_S + n for visit in view.visits for day in ages for n in (-1, 0))
    later = [moment for moment in moments if NOW < moment < until]
    assert [moment for moment in later if scored(view, FIFTHS, moment)[0] != rfm] == []
    if rfm is not None and all(trip.currency == "UAH" for trip in trips):
        assert scored(view, FIFTHS, until)[0] != rfm
