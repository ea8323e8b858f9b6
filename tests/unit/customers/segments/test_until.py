"""For how long an answer holds: compared with asking at every second at which anything could change."""

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from services.customers.profile import DAY_S
from services.customers.segments.check import NEVER, View
from services.customers.segments.definition import (
    All,
    AnyOf,
    AverageReceipt,
    Bought,
    Condition,
    DaysSinceFirstPurchase,
    DaysSinceLastPurchase,
    Not,
    Only,
    Purchases,
    PurchaseShare,
    Spent,
)
from shared.events.selection import Comparison
from shared.events.values import Currency
from tests.unit.customers.segments.customers import NOW, Trip, ask, view_of

UAH, EUR = Currency("UAH"), Currency("EUR")
LONGEST = 4
OPS = (">=", ">", "=", "<", "<=")


def compared(highest: int) -> st.SearchStrategy[Comparison]:
    values = st.integers(0, highest)
    plain = st.builds(Comparison, op=st.sampled_from(OPS), value=values)
    between = st.tuples(values, values).map(
        lambda two: Comparison(op="between", value=min(two), upper=max(two))
    )
    return plain | between


days = st.integers(1, LONGEST)
only = st.sampled_from((Only(promo=True), Only(promo=False), Only(stores=("s2",))))
# The same few seconds again and again, so that visits leave together.
trips = st.builds(
    Trip,
    days=st.sampled_from((-0.5, 0, 1 / DAY_S, 0.5, 1, 1.5, 2, 3, 3.5, 4, 5, 9)),
    paid=st.sampled_from((0, 1, 2, 5)),
    promo=st.booleans(),
    returned=st.sampled_from((False, False, False, True)),
    store=st.sampled_from(("s1", "s2")),
    currency=st.sampled_from(("UAH", "UAH", "EUR")),
    goods=st.sampled_from(((), (("tea", 1, 1),), (("tea", 2, 3), ("milk", 1, 1)))),
)
leaves = st.one_of(
    st.builds(Purchases, compare=compared(5), days=days),
    st.builds(Purchases, compare=compared(5), days=days, only=only),
    st.builds(PurchaseShare, compare=compared(10_000), days=days, only=only),
    st.builds(Spent, currency=st.sampled_from((UAH, EUR)), compare=compared(12), days=days),
    st.builds(AverageReceipt, currency=st.just(UAH), compare=compared(5), days=days),
    st.builds(
        Bought,
        groups=st.sampled_from((("tea",), ("milk",), ("tea", "milk"))),
        measure=st.sampled_from(("receipts", "quantity")),
        compare=compared(5),
        days=days,
    ),
    st.builds(DaysSinceLastPurchase, compare=compared(6)),
    st.builds(DaysSinceFirstPurchase, compare=compared(10)),
    st.builds(Purchases, compare=compared(5)),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(All, conditions=st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(AnyOf, conditions=st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, condition=inner),
    ),
    max_leaves=4,
)


def seconds(view: View) -> Iterator[int]:
    """Every second after now at which time alone can change anything, and those beside it."""
    for visit in view.state.visits:
        for day in range(12):
            for beside in (-1, 0, 1):
                yield visit.at + day * DAY_S + beside


@settings(max_examples=150)
@given(leaves, st.lists(trips, max_size=6))
def test_one_condition_changes_at_the_second_that_it_says(
    condition: Condition, visits: list[Trip]
) -> None:
    view = view_of(*visits)
    holds, until = ask(condition, view)
    later = [second for second in seconds(view) if second > NOW]
    assert [s for s in later if s < until and ask(condition, view, s)[0] != holds] == []
    if until != NEVER:
        assert until > NOW
        assert ask(condition, view, until)[0] != holds


@settings(max_examples=150)
@given(conditions, st.lists(trips, max_size=6))
def test_nothing_changes_before_the_second_that_a_combination_says(
    condition: Condition, visits: list[Trip]
) -> None:
    view = view_of(*visits)
    holds, until = ask(condition, view)
    assert until > NOW
    later = [second for second in seconds(view) if NOW < second < until]
    assert [second for second in later if ask(condition, view, second)[0] != holds] == []


def test_of_those_not_met_the_last_decides_and_of_those_met_the_first() -> None:
    view = view_of(Trip(days=0))
    one_day: Condition = Purchases(compare=Comparison(value=1), days=1)
    three_days: Condition = Purchases(compare=Comparison(value=1), days=3)
    both = All(conditions=(one_day, three_days))
    assert ask(both, view) == (True, NOW + DAY_S)
    neither = All(conditions=(Not(condition=three_days), Not(condition=one_day)))
    assert ask(neither, view) == (False, NOW + 3 * DAY_S)
    either = AnyOf(conditions=(one_day, three_days))
    assert ask(either, view) == (True, NOW + 3 * DAY_S)
    assert ask(AnyOf(conditions=neither.conditions), view) == (False, NOW + DAY_S)


def test_purchases_of_one_second_leave_together() -> None:
    view = view_of(Trip(days=0), Trip(days=0), Trip(days=0.5), Trip(days=0.5))
    one = Comparison(op="=", value=1)
    assert ask(Purchases(compare=one, days=1), view) == (False, NEVER)
    at_all = Only(stores=("s1",))
    assert ask(Purchases(compare=one, days=1, only=at_all), view) == (False, NEVER)
    share = PurchaseShare(compare=Comparison(op="<", value=10_000), days=1, only=at_all)
    assert ask(share, view) == (False, NEVER)
    two = Comparison(op="=", value=2)
    assert ask(Purchases(compare=two, days=1, only=at_all), view) == (False, NOW + DAY_S // 2)
    of_two = view_of(Trip(days=0.5, promo=True), Trip(days=0.5))
    no_promo = PurchaseShare(compare=Comparison(op="=", value=0), days=1, only=Only(promo=True))
    assert ask(no_promo, of_two) == (False, NEVER)
