"""Generated baskets and campaigns: the whole language over few words, so that much of it meets."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from hypothesis import strategies as st

from services.evaluator.promotion import Basket, Limit, PresentedCode
from services.evaluator.promotion.history import Purchase, PurchasedLine, ordered
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
from tests.unit.evaluator.promotion.benefits.strategies import benefits
from tests.unit.evaluator.promotion.conditions.strategies import Counter, conditions
from tests.unit.evaluator.promotion.words import (
    GRAZ,
    NAMES,
    VIENNA,
    maybe_name,
    names,
    quantities,
    rarely,
)

STORES = ["store-1", "store-2"]
DESCRIBED = (
    emission("MASS"),
    emission("BATCH", kind="personal", single_use=True),
    emission("PAST", valid_until=NOON),
)
HELD = {"MASS": 1, "BATCH": 1, "PAST": 1, "OTHER": 1}

seldom = st.sampled_from([False] * 11 + [True])
amounts = st.sampled_from([1_000, 999, 333, 2_000, 1_500, 101, 3_000, 5, 0])


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
        min_line_amount=draw(st.sampled_from([0, 0, 0, 0, 1, 500])),
        min_unit_price=draw(st.sampled_from([0, 0, 0, 0, 333])),
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


_ends = st.sampled_from([None, NOON, NOON + timedelta(microseconds=1)])


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
            holder = held if word == "B2" else None
            ends = draw(_ends) if word == "B3" else None
            found.append(PresentedCode(n, one.digest, "BATCH", holder, ends))
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
            [
                draw(lines(n))
                for n in range(1, draw(st.sampled_from([4, 3, most_lines, 2, 1, 5, 0])) + 1)
            ]
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
