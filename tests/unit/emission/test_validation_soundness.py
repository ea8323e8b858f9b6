"""What can apply is never refused: wherever the engine applies an instrument, it could be written."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.emission.validation import faults_of_definition
from services.emission.validation.numbers import QUANTITY, SOME, SUM, Numbers
from services.evaluator.promotion.basket import Basket
from services.evaluator.promotion.decision import decide
from services.evaluator.promotion.history import Purchase, PurchasedLine, ordered
from shared.events.conditions import AnyOf, walk
from shared.events.promotion import Instrument
from tests.builders import NOON, ZONE, all_free, basket, campaign, line, presented, ruleset
from tests.unit.emission.definitions import (
    BONUSES,
    FIRST,
    MUG,
    OFF,
    Json,
    any_of,
    code,
    compared,
    days,
    every,
    group,
    instrument,
    mix,
    no,
    store,
)

# Few values of everything, so that conditions meet and contradict each other often.
SMALL = st.integers(0, 4)
BRANDS = st.sampled_from(["A", "B"])


@st.composite
def selections(draw: st.DrawFn) -> Json:
    """Brands, maybe less a sku or a brand."""
    brands = draw(st.lists(BRANDS, max_size=2, unique=True))
    less: list[Json] = [{}, {}, {"skus": ["x"]}]
    excluded = draw(st.sampled_from(less if brands == ["B"] else [*less, {"brands": ["B"]}]))
    return {"brands": brands} | ({"exclude": excluded} if excluded else {})


@st.composite
def comparisons(draw: st.DrawFn, kind: str) -> Json:
    """A comparison with a small number."""
    fields: Json = {"products": draw(selections())} if kind.startswith("product") else {}
    if kind == "product_purchases":
        fields["measure"] = draw(st.sampled_from(["quantity", "sum", "receipts"]))
    op = draw(st.sampled_from([">=", ">", "=", "<", "<=", "between"]))
    value = draw(SMALL)
    upper = value + draw(SMALL) if op == "between" else None
    return compared(kind, op, value, upper, **fields)


COMPARED = (
    "receipt_total", "receipt_quantity", "line_count", "product_quantity", "product_sum",
    "purchase_count", "purchase_sum", "product_purchases", "days_since_purchase",
)  # fmt: skip


def some(values: Any) -> Any:
    """One or two of the values."""
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


LEAVES = st.one_of(
    *(comparisons(kind) for kind in COMPARED),
    st.builds(lambda selected: {"kind": "product_presence", "products": selected}, selections()),
    st.builds(
        lambda one, other, n: mix(({"brands": ["A"]} | one, n + 1), ({"brands": ["B"]} | other, 1)),
        *[st.sampled_from([{}, {"exclude": {"skus": ["x"]}}])] * 2,
        SMALL,
    ),
    some(["s1", "s2", "s3"]).map(lambda names: store(*names)),
    some(["thu", "fri", "sat"]).map(lambda names: days(*names)),
    some(["a", "b"]).map(lambda names: group(*names)),
    some(["rare", "new"]).map(lambda names: {"kind": "customer_segment", "segments": names}),
    some(["cash", "card"]).map(lambda names: {"kind": "payment_method", "methods": names}),
    some(["till", "web", "app"]).map(lambda names: {"kind": "channel", "channels": names}),
    st.sampled_from([(8, 12), (12, 14), (22, 9)]).map(
        lambda hours: {
            "kind": "time_of_day",
            "starts": f"{hours[0]:02}:00",
            "ends": f"{hours[1]:02}:00",
        }
    ),
    st.booleans().map(lambda known: {"kind": "customer_known", "known": known}),
    st.just(FIRST),
    st.booleans().map(lambda own: code(own=own)),
)


def _nested(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        inner.map(no),
        several.map(lambda found: every(*found)),
        several.map(lambda found: any_of(*found)),
    )


CONDITIONS = st.recursive(LEAVES, _nested, max_leaves=5)


def named_apart(conditions: list[Json]) -> list[Json]:
    """The conditions with a counter of its own for each code."""
    counter = iter(range(1_000))

    def rename(value: Any) -> Any:
        if isinstance(value, list):
            return [rename(one) for one in value]
        if isinstance(value, dict):
            renamed = {key: rename(one) for key, one in value.items()}
            if value.get("kind") == "promo_code":
                renamed["condition_id"] = f"c{next(counter)}"
            return renamed
        return value

    return [rename(one) for one in conditions]


@st.composite
def benefits(draw: st.DrawFn) -> Json:
    """A discount, bonuses or a gift."""
    products = {"products": draw(selections())}
    off = OFF | {"percent": 10_000}
    # One tier only: each must be reached, also if another one is.
    tier = {"at_least": draw(SMALL), "benefit": draw(st.sampled_from([off, MUG]))}
    return draw(
        st.sampled_from(
            [
                MUG,
                off | products,
                BONUSES | products,
                {"kind": "buy_get", "buy": 1000, "get": 1000} | products,
                {"kind": "tiers", "by": "sum", "tiers": [tier]} | products,
                {"kind": "tiers", "by": "quantity", "tiers": [tier]} | products,
            ]
        )
    )


@st.composite
def goods(draw: st.DrawFn, number: int) -> Any:
    """A line of a small amount and quantity."""
    quantity = draw(st.sampled_from([1, 2, 3, 1_000, 2_000]))
    return line(
        number,
        sku=draw(st.sampled_from(["x", "y"])),
        brand=draw(st.sampled_from(["A", "B", None])),
        quantity=quantity,
        amount=draw(SMALL) * max(1, quantity // 1_000),
    )


@st.composite
def purchases(draw: st.DrawFn) -> Any:
    """Up to three earlier receipts of one line each."""
    made = []
    for n, ago in enumerate(draw(st.lists(st.integers(1, 5), max_size=3))):
        sold = draw(goods(1))
        bought = PurchasedLine(sold.sku, sold.quantity, sold.amount, sold.group, sold.brand)
        made.append(Purchase(f"r{n}", NOON - timedelta(days=ago), (bought,)))
    return ordered(made)


@st.composite
def baskets(draw: st.DrawFn) -> Basket:
    """A receipt of up to three lines, of a customer or of nobody."""
    codes = [presented("E1")] if draw(st.booleans()) else []
    customer = {
        "customer_id": "a1",
        "customer_groups": draw(st.sets(st.sampled_from(["a", "b"]))),
        "segments": frozenset(draw(st.sets(st.sampled_from(["rare", "new"])))),
        "purchases": draw(purchases()),
    }
    return basket(
        [draw(goods(n)) for n in range(1, draw(st.integers(1, 3)) + 1)],
        store_id=draw(st.sampled_from(["s1", "s2", "s3"])),
        occurred_at=NOON + timedelta(days=draw(st.integers(0, 2)), hours=draw(st.integers(-3, 3))),
        time_zone="Europe/Vienna",
        channel=draw(st.sampled_from(["till", "web", "app"])),
        payment_methods=frozenset(draw(st.sets(st.sampled_from(["cash", "card"])))),
        codes=codes,
        **(customer if draw(st.booleans()) else {}),
    )


def applies(one: Instrument, cart: Basket) -> bool:
    """Whether the engine grants the instrument."""
    running = campaign(instruments=[one], starts_at=datetime(2026, 12, 1, tzinfo=ZONE))
    return bool(decide(cart, ruleset(running), all_free).granted)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.lists(CONDITIONS, max_size=3), benefits(), baskets())
def test_what_applies_is_never_refused(conditions: list[Json], benefit: Json, cart: Basket) -> None:
    one = instrument(*named_apart(conditions), benefit=benefit)
    assume(applies(one, cart))
    # Each alternative of an ``any`` must be possible, also if another one is met.
    alternatives = tuple(
        f"{path}.conditions." for path, part, _ in walk(one.conditions) if isinstance(part, AnyOf)
    )
    found = [fault.field for fault in faults_of_definition(one)]
    assert [field for field in found if not field.startswith(alternatives)] == []


def test_what_leaves_nothing_of_one_of_two_measures_is_refused() -> None:
    """It was an error of ours: a rule looked for the ends of what has none."""
    assert not Numbers(31).allow((SUM, ()), (QUANTITY, SOME))
