"""Generated baskets and campaigns: the whole language over few words, so that much of it meets."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from hypothesis import strategies as st

from services.evaluator.promotion import Basket, Limit, PresentedCode
from services.evaluator.promotion.history import Purchase, PurchasedLine, ordered
from shared.events import benefits as give
from shared.events import conditions as ask
from shared.events.checkout import CartLine
from shared.events.promotion import (
    Calendar,
    Campaign,
    Consecutive,
    Instrument,
    LimitRule,
    Repeat,
    Rolling,
)
from shared.events.selection import Attribute, Comparison, Products, Selectors
from shared.events.values import Gift, Location
from tests.builders import (
    NOON,
    campaign,
    emission,
    instrument,
    plain_line,
    presented,
    staff_discount,
    unknown_code,
    utc,
)

NAMES = ["a", "b", "c"]
STORES = ["store-1", "store-2"]
DESCRIBED = (
    emission("MASS"),
    emission("BATCH", kind="personal", single_use=True),
    emission("PAST", valid_until=NOON),
)
HELD = {"MASS": 1, "BATCH": 1, "PAST": 1, "OTHER": 1}
VIENNA = Location(latitude_e6=48_208_500, longitude_e6=16_372_500)
GRAZ = Location(latitude_e6=47_070_700, longitude_e6=15_439_500)

names = st.sampled_from(NAMES)
maybe_name = st.none() | names
rarely = st.sampled_from([False] * 5 + [True])
seldom = st.sampled_from([False] * 11 + [True])
quantities = st.sampled_from([1_000, 2_000, 3_000, 250, 1_333])
amounts = st.sampled_from([1_000, 999, 333, 2_000, 101, 5, 0]) | st.integers(1, 3_000)
percentages = st.sampled_from([1_000, 3_333, 500, 10_000, 1])
few_names = st.lists(names, min_size=1, max_size=2, unique=True).map(tuple)


def _subset(of: Sequence[str]) -> st.SearchStrategy[frozenset[str]]:
    return st.sets(st.sampled_from(of), max_size=2).map(frozenset)


@st.composite
def lines(draw: st.DrawFn, number: int) -> CartLine:
    quantity, amount = draw(quantities), draw(amounts)
    return plain_line(
        number,
        amount=amount,
        quantity=quantity,
        sku=draw(names),
        group=draw(maybe_name),
        brand=draw(maybe_name),
        attributes={"size": draw(names)} if draw(st.booleans()) else {},
        discounts=(staff_discount(),) if draw(rarely) else (),
        no_promo=draw(rarely),
        min_line_amount=draw(st.sampled_from([0, 0, 1, 500])),
        min_unit_price=draw(st.sampled_from([0, 0, 333])),
    )


_purchased = st.builds(
    PurchasedLine,
    names,
    quantities,
    st.integers(0, 2_000),
    maybe_name,
    maybe_name,
    st.sampled_from([{}, {"size": "a"}]),
    rarely,
)
_hours_before = st.sampled_from([-24, 0, 1, 12, 13, 23, 24, 25, 60, 132, 170, 400])


@st.composite
def _purchases(draw: st.DrawFn) -> Sequence[Purchase]:
    return ordered(
        Purchase(
            f"receipt-{n}",
            NOON - timedelta(hours=draw(_hours_before)),
            tuple(draw(st.lists(_purchased, max_size=2))),
        )
        for n in range(draw(st.integers(0, 4)))
    )


@st.composite
def _codes(draw: st.DrawFn) -> tuple[PresentedCode, ...]:
    words = draw(
        st.lists(st.sampled_from(["MASS", "PAST", "B1", "B2", "B3", "?"]), min_size=1, max_size=4)
    )
    held = draw(st.sampled_from([None, "c-1", "c-2"]))
    found = []
    for n, word in enumerate(words):
        if word == "?":
            found.append(unknown_code(word, n))
        elif word in HELD:
            found.append(presented(word, word, n))
        else:
            one = presented(word, "BATCH", n)
            found.append(PresentedCode(n, one.digest, "BATCH", held if word == "B2" else None))
    return tuple(found)


@st.composite
def baskets(draw: st.DrawFn, most_lines: int = 6) -> Basket:
    customer_id = draw(st.sampled_from(["c-1", "c-1", None]))
    known = customer_id is not None
    return Basket(
        receipt_id=draw(st.sampled_from(["", "receipt-1"])),
        store_id=draw(st.sampled_from(STORES)),
        occurred_at=NOON,
        lines=tuple(
            [draw(lines(n)) for n in range(1, draw(st.sampled_from([3, 1, 2, most_lines, 0])) + 1)]
        ),
        currency=draw(st.sampled_from(["EUR", "CHF"])),
        region=draw(st.sampled_from(["east", "west"])),
        time_zone=draw(st.sampled_from(["Europe/Vienna", "America/Sao_Paulo"])),
        location=draw(st.sampled_from([None, VIENNA, GRAZ])),
        channel=draw(st.sampled_from(["till", "web"])),
        device=draw(st.sampled_from(["till", "mobile"])),
        payment_methods=draw(st.sampled_from([frozenset(), {"cash"}, {"cash", "card"}])),
        customer_id=customer_id,
        customer_groups=draw(_subset(NAMES)) if known else frozenset(),
        segments=draw(_subset(NAMES)) if known else frozenset(),
        birthday=draw(st.sampled_from([None, "12-10", "12-12", "01-30"])) if known else None,
        purchases=draw(_purchases()) if known else (),
        codes=draw(_codes()),
    )


_few = st.sampled_from([(), (), ("a",), ("b",)])
_sizes = (
    st.just(())
    | st.just(())
    | st.builds(Attribute, name=st.just("size"), values=few_names).map(lambda one: (one,))
)
selections = st.builds(
    Products,
    skus=_few,
    groups=_few,
    brands=_few,
    attributes=_sizes,
    exclude=st.none() | st.none() | st.builds(Selectors, skus=_few, groups=_few, attributes=_sizes),
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
periods = st.one_of(
    st.just("campaign"),
    st.builds(Rolling, days=st.integers(1, 10)),
    st.builds(Calendar, unit=st.sampled_from(["day", "week", "month"])),
    st.builds(Consecutive, days=st.integers(1, 7)),
)
_pers = st.lists(
    st.sampled_from(["customer", "code", "store", "day"]), max_size=2, unique=True
).map(tuple)
_limit_rules = st.builds(LimitRule, per=_pers, redemptions=st.integers(1, 3)) | st.builds(
    LimitRule, per=_pers, money=st.integers(50, 900)
)


def _kind(rule: LimitRule) -> tuple[frozenset[str], bool]:
    return frozenset(rule.per), rule.money is None


limit_rules = st.lists(_limit_rules, max_size=2, unique_by=_kind).map(tuple)
_stackings = st.sampled_from(["combinable", "combinable", "combinable", "exclusive", "best_of"])


@st.composite
def instruments(draw: st.DrawFn, number: int) -> Instrument:
    counter, stacking, rules = Counter(), draw(_stackings), draw(limit_rules)
    free_of_all = all(rule.per or rule.money for rule in rules)
    return instrument(
        f"i-{number}",
        [draw(conditions(counter)) for _ in range(draw(st.integers(0, 2)))],
        draw(benefits),
        processing_period=draw(periods),
        priority=draw(st.integers(-1, 1)),
        include_discounted=draw(rarely),
        stacking=stacking,
        best_of=draw(st.sampled_from(["g-1", "g-2"])) if stacking == "best_of" else None,
        repeat=draw(st.none() | st.builds(Repeat, max_times=st.none() | st.integers(1, 3))),
        max_redemptions=draw(st.none() | st.integers(1, 3)) if free_of_all else None,
        limits=rules,
    )


@st.composite
def campaigns(draw: st.DrawFn, most: int = 4) -> list[Campaign]:
    return [
        campaign(
            f"c-{number}",
            [draw(instruments(n)) for n in range(draw(st.integers(1, 3)))],
            priority=draw(st.integers(-1, 1)),
            status="paused" if draw(seldom) else "running",
            starts_at=NOON if draw(seldom) else utc(2026, 12, 5),
            ends_at=NOON if draw(seldom) else utc(2027, 1, 1),
            stores=("store-1",) if draw(seldom) else (),
            customer_groups=(draw(names),) if draw(seldom) else (),
            segments=(draw(names),) if draw(seldom) else (),
            control_group=5_000 if draw(seldom) else 0,
            limits=draw(limit_rules) if draw(seldom) else (),
            emissions=DESCRIBED,
        )
        for number in range(draw(st.integers(1, most)))
    ]


@st.composite
def capacities(draw: st.DrawFn) -> Callable[[Limit], int]:
    """Answers of ``free`` that depend on nothing but the limit."""
    used = draw(st.integers(0, 3))

    def free(limit: Limit) -> int:
        gone = (sum(limit.limit_id.encode()) + used) % 3
        return limit.cap - (gone * 150 if limit.money else gone)

    return free
