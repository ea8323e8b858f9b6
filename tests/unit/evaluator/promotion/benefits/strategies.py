"""Generated benefits: every kind."""

from hypothesis import strategies as st

from shared.events import benefits as give
from shared.events.values import Gift
from tests.unit.evaluator.promotion.words import percentages, quantities, selections

_most_units = st.none() | quantities
_picks = st.sampled_from(["cheapest", "dearest"])
_most_money = st.sampled_from([None, None, 500, 99, 0])
_gifts = st.sampled_from([(Gift(sku="mug"),), (Gift(sku="mug"), Gift(sku="tea", quantity=2_000))])
_tier_benefits = st.one_of(
    st.builds(
        give.PercentOff,
        percent=percentages,
        of=st.sampled_from(["original", "remaining"]),
        products=selections,
        max_discount=_most_money,
        max_units=_most_units,
        pick=_picks,
    ),
    st.builds(
        give.AmountOff, amount=st.integers(1, 900), products=selections, max_discount=_most_money
    ),
    st.builds(
        give.AmountOff,
        amount=st.integers(1, 900),
        per_unit=st.just(True),
        products=selections,
        max_units=_most_units,
        pick=_picks,
    ),
    st.builds(
        give.FixedPrice,
        price=st.integers(0, 1_500),
        units=st.none() | st.sampled_from([1_000, 2_000, 3_000]),
        products=selections,
        max_units=_most_units,
    ),
    st.builds(
        give.Bonuses,
        fixed=st.integers(1, 50),
        percent=st.none() | percentages,
        products=selections,
        max_points=st.none() | st.integers(0, 60),
    ),
    st.builds(give.Bonuses, percent=percentages, products=selections),
    st.builds(give.GiftGoods, gifts=_gifts),
    st.just(give.GiftGoods(gifts=(Gift(sku="mug"), Gift(sku="tea")), choose=1)),
)


@st.composite
def _tiers(draw: st.DrawFn) -> give.Tiers:
    starts = sorted(draw(st.sets(st.integers(0, 3_000), min_size=1, max_size=3)))
    below = draw(st.none() | st.integers(1, 500))
    return give.Tiers(
        by=draw(st.sampled_from(["sum", "quantity"])),
        products=draw(selections),
        tiers=tuple(
            give.Tier(
                at_least=start,
                below=start + below if below and start == starts[-1] else None,
                benefit=draw(_tier_benefits),
            )
            for start in starts
        ),
    )


benefits = st.one_of(
    _tier_benefits,
    _tier_benefits,
    st.builds(
        give.BuyGet,
        buy=st.sampled_from([1_000, 2_000]),
        get=st.sampled_from([500, 1_000]),
        products=selections,
        rewards=st.none() | selections,
        percent=percentages,
        max_times=st.none() | st.integers(1, 2),
    ),
    st.builds(
        give.CheapestFree,
        of=st.sampled_from([2_000, 3_000]),
        products=selections,
        percent=percentages,
        max_times=st.none() | st.integers(1, 2),
    ),
    _tiers(),
)
