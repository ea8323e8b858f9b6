"""Generated conditions: every kind, nested."""

from hypothesis import strategies as st

from shared.events import conditions as ask
from shared.events.selection import Comparison
from tests.unit.evaluator.promotion.words import (
    VIENNA,
    few_names,
    quantities,
    rarely,
    selections,
)


def comparisons(most: int) -> st.SearchStrategy[Comparison]:
    operators = st.sampled_from([">=", ">=", ">=", ">", "=", "<", "<="])
    half = most // 2
    return st.one_of(
        st.builds(Comparison, value=st.integers(0, half)),
        st.builds(Comparison, value=st.integers(0, most), op=operators),
        st.builds(
            Comparison,
            op=st.just("between"),
            value=st.integers(0, half),
            upper=st.integers(half, most),
        ),
    )


_mix = st.builds(
    ask.ProductMix,
    parts=st.lists(
        st.builds(ask.MixPart, products=selections, quantity=quantities), min_size=2, max_size=2
    ).map(tuple),
)
_goods = st.one_of(
    st.builds(ask.ReceiptTotal, compare=comparisons(4_000)),
    st.builds(ask.ReceiptQuantity, compare=comparisons(6_000)),
    st.builds(ask.LineCount, compare=comparisons(4)),
    st.builds(ask.ProductQuantity, products=selections, compare=comparisons(3_000)),
    st.builds(ask.ProductSum, products=selections, compare=comparisons(3_000)),
    st.builds(ask.ProductPresence, products=selections),
    _mix,
)
_customers = st.one_of(
    st.builds(ask.CustomerGroup, groups=few_names),
    st.builds(ask.CustomerSegment, segments=few_names),
    st.builds(ask.CustomerKnown, known=st.booleans()),
    st.builds(ask.Birthday, days_before=st.integers(0, 5), days_after=st.integers(0, 180)),
    st.builds(ask.FirstPurchase),
    st.builds(ask.PurchaseCount, compare=comparisons(4)),
    st.builds(ask.PurchaseSum, compare=comparisons(3_000)),
    st.builds(
        ask.ProductPurchases,
        products=selections,
        measure=st.sampled_from(["quantity", "sum", "receipts"]),
        compare=comparisons(1_000) | comparisons(3),
    ),
    st.builds(ask.DaysSincePurchase, compare=comparisons(6)),
)
_clocks = st.sampled_from(["00:00", "07:59", "08:00", "11:00", "12:00", "12:01", "23:30"])
_places = st.one_of(
    st.builds(ask.PaidBy, methods=st.sampled_from([("cash",), ("card", "cash")])),
    st.builds(ask.ViaChannel, channels=st.sampled_from([("till",), ("web", "app")])),
    st.builds(ask.OnDevice, devices=st.sampled_from([("till",), ("mobile",)])),
    st.tuples(_clocks, _clocks)
    .filter(lambda ends: ends[0] != ends[1])
    .map(lambda ends: ask.TimeOfDay(starts=ends[0], ends=ends[1])),
    st.builds(ask.Weekday, days=st.sampled_from([("thu",), ("fri", "mon")])),
    st.builds(ask.InCurrency, currencies=st.sampled_from([("EUR",), ("CHF", "USD")])),
    st.builds(ask.InStore, stores=st.sampled_from([("store-1",), ("store-2", "store-3")])),
    st.builds(ask.InRegion, regions=st.sampled_from([("east",), ("west", "south")])),
    st.builds(
        ask.Near,
        latitude_e6=st.just(VIENNA.latitude_e6),
        longitude_e6=st.just(VIENNA.longitude_e6),
        radius_m=st.sampled_from([10, 500_000]),
    ),
)
_emissions = st.sampled_from(["MASS", "MASS", "BATCH", "BATCH", "BATCH", "PAST"])


class Counter:
    """Names code conditions apart within an instrument."""

    def __init__(self) -> None:
        self.count = 0

    def next(self) -> str:
        self.count += 1
        return f"code-{self.count}"


@st.composite
def conditions(draw: st.DrawFn, counter: Counter, depth: int = 0) -> ask.Condition:
    kind = draw(st.sampled_from(["goods", "goods", "customer", "place", "code", "code", "nested"]))
    if kind == "nested" and depth < 2:
        below = [draw(conditions(counter, depth + 1)) for _ in range(draw(st.integers(1, 3)))]
        nested: list[ask.Condition] = [
            ask.All(conditions=tuple(below)),
            ask.AnyOf(conditions=tuple(below)),
            ask.AnyOf(conditions=tuple(below)),
            ask.Not(condition=below[0]),
        ]
        return draw(st.sampled_from(nested))
    if kind == "code":
        return ask.PromoCode(
            condition_id=counter.next(),
            emission_id=draw(_emissions),
            cap=draw(st.none() | st.integers(1, 3)),
            own=draw(rarely),
        )
    some = {"customer": _customers, "place": _places}.get(kind, _goods)
    found: ask.Condition = draw(some)
    return found
