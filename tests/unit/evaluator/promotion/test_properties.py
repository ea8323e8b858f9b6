"""What holds for every cart and every set of campaigns."""

import operator
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from services.evaluator.promotion import Basket, Limit, Ruleset, Verdict, decide
from shared.events.benefits import GiftGoods
from shared.events.checkout import CartLine
from shared.events.conditions import (
    Condition,
    CustomerGroup,
    ProductQuantity,
    ProductSum,
    PromoCode,
    ReceiptTotal,
)
from shared.events.promotion import Campaign, Instrument
from shared.events.selection import Products
from shared.events.values import Gift
from tests.builders import (
    NOON,
    all_free,
    basket,
    bonuses,
    campaign,
    code,
    compare,
    emission,
    in_group,
    instrument,
    line,
    percent_off,
    presented,
    products,
    ruleset,
    staff_discount,
    utc,
)

NAMES = ["a", "b", "c"]
EMISSIONS = ["MASS", "BATCH"]
DESCRIBED = (
    emission("MASS"),
    emission("BATCH", kind="personal", single_use=True),
)

few = settings(max_examples=30, deadline=None)
many = settings(max_examples=100, deadline=None)

names = st.sampled_from(NAMES)
rarely = st.sampled_from([False, False, False, True])


@st.composite
def lines(draw: st.DrawFn, number: int) -> CartLine:
    return line(
        number,
        amount=draw(st.integers(0, 3_000)),
        quantity=draw(st.sampled_from([1_000, 2_000, 1_333, 250])),
        sku=draw(names),
        group=draw(st.none() | names),
        brand=draw(st.none() | names),
        discounts=(staff_discount(),) if draw(rarely) else (),
        no_promo=draw(rarely),
        min_line_amount=draw(st.sampled_from([0, 0, 1, 500])),
        min_unit_price=draw(st.sampled_from([0, 0, 333])),
    )


@st.composite
def baskets(draw: st.DrawFn) -> Basket:
    count = draw(st.integers(0, 7))
    words = draw(st.lists(st.sampled_from(["MASS", "B1", "B2", "B3"]), max_size=4))
    return basket(
        [draw(lines(number)) for number in range(1, count + 1)],
        store_id=draw(st.sampled_from(["store-1", "store-2"])),
        customer_id=draw(st.none() | st.just("c-1")),
        customer_groups=draw(st.sets(names)),
        codes=[
            presented(word, "MASS" if word == "MASS" else "BATCH", n)
            for n, word in enumerate(words)
        ],
    )


selections = st.builds(products, *[st.lists(names, max_size=2, unique=True)] * 3)
comparisons = st.builds(
    compare, st.integers(0, 4_000), st.sampled_from([">=", ">", "=", "<", "<="])
) | st.builds(compare, st.integers(0, 500), st.just("between"), st.integers(500, 4_000))


@st.composite
def conditions(draw: st.DrawFn, number: int) -> Condition:
    compared = draw(comparisons)
    emission_id, cap = draw(st.sampled_from(EMISSIONS)), draw(st.none() | st.integers(1, 3))
    choices: list[Condition] = [
        ReceiptTotal(compare=compared),
        ProductQuantity(products=draw(selections), compare=compared),
        ProductSum(products=draw(selections), compare=compared),
        in_group(draw(names)),
        code(emission_id, cap, condition_id=f"code-{number}"),
    ]
    return draw(st.sampled_from(choices))


percentages = st.sampled_from([1, 500, 1_000, 3_333, 10_000])
benefits = st.one_of(
    st.builds(
        percent_off,
        percentages,
        of=st.sampled_from(["original", "remaining"]),
        products=selections,
        max_discount=st.none() | st.integers(0, 500),
    ),
    st.builds(bonuses, st.integers(1, 50), st.none() | percentages, products=selections),
    st.builds(bonuses, percent=percentages, products=selections),
    st.just(GiftGoods(gifts=(Gift(sku="mug"),))),
)


@st.composite
def instruments(draw: st.DrawFn, number: int) -> Instrument:
    asked = draw(st.integers(0, 2))
    return instrument(
        f"i-{number}",
        [draw(conditions(n)) for n in range(asked)],
        draw(benefits),
        priority=draw(st.integers(-1, 1)),
        include_discounted=draw(rarely),
        max_redemptions=draw(st.none() | st.integers(1, 3)),
    )


@st.composite
def campaigns(draw: st.DrawFn, most: int = 5) -> list[Campaign]:
    return [
        campaign(
            f"c-{number}",
            [draw(instruments(n)) for n in range(draw(st.integers(1, 3)))],
            priority=draw(st.integers(-1, 1)),
            status="paused" if draw(rarely) else "running",
            starts_at=NOON if draw(st.booleans()) else utc(2026, 12, 5),
            ends_at=NOON if draw(rarely) else utc(2027, 1, 1),
            stores=("store-1",) if draw(st.booleans()) else (),
            customer_groups=(draw(names),) if draw(rarely) else (),
            emissions=DESCRIBED,
        )
        for number in range(draw(st.integers(0, most)))
    ]


@st.composite
def capacities(draw: st.DrawFn) -> Callable[[Limit], int]:
    """Answers of ``free`` that depend on nothing but the limit."""
    used = draw(st.integers(0, 3))
    return lambda limit: limit.cap - (sum(limit.limit_id.encode()) + used) % 3


def by_line(found: Verdict) -> dict[int, int]:
    return {decided.line: decided.discount for decided in found.lines}


@few
@given(baskets(), campaigns(), capacities())
def test_everything_adds_up(of: Basket, some: list[Campaign], free: Callable[[Limit], int]) -> None:
    found = decide(of, ruleset(*some), free)
    shares: Counter[int] = Counter()
    for granted in found.granted:
        assert granted.discount == sum(share for _, share in granted.lines)
        assert all(share > 0 for _, share in granted.lines)
        shares.update(dict(granted.lines))
    assert {number: shares[number] for number in by_line(found)} == by_line(found)
    assert found.discount == sum(by_line(found).values()) == sum(g.discount for g in found.granted)
    assert found.total == sum(item.amount for item in of.lines)
    assert found.bonuses == sum(granted.bonuses for granted in found.granted)


@few
@given(baskets(), campaigns())
def test_no_line_goes_below_zero_or_its_floor(of: Basket, some: list[Campaign]) -> None:
    discounts = by_line(decide(of, ruleset(*some), all_free))
    for item in of.lines:
        discount = discounts[item.line]
        assert 0 <= discount <= item.amount
        if discount:
            assert item.amount - discount >= item.min_line_amount
            assert (item.amount - discount) * 1_000 >= item.min_unit_price * item.quantity
            assert not item.no_promo


@few
@given(baskets(), campaigns(), capacities())
def test_every_redemption_gives_something_and_every_refusal_nothing(
    of: Basket, some: list[Campaign], free: Callable[[Limit], int]
) -> None:
    found = decide(of, ruleset(*some), free)
    assert all(granted.discount or granted.bonuses or granted.gifts for granted in found.granted)
    answered = [(g.campaign_id, g.instrument_id) for g in found.granted]
    answered += [(r.campaign_id, r.instrument_id) for r in found.refused]
    assert len(set(answered)) == len(answered)


@few
@given(baskets(), campaigns(), capacities())
def test_no_more_slots_are_taken_than_are_free_and_only_announced_ones(
    of: Basket, some: list[Campaign], free: Callable[[Limit], int]
) -> None:
    rules = ruleset(*some)
    announced = set(rules.consider(of).limits())
    asked: set[Limit] = set()

    def asking(limit: Limit) -> int:
        asked.add(limit)
        return free(limit)

    found = decide(of, rules, asking)
    taken: Counter[Limit] = Counter()
    for granted in found.granted:
        for claim in granted.limits:
            taken[claim.limit] += claim.amount
    assert asked <= announced
    assert all(count <= free(limit) for limit, count in taken.items())


@few
@given(baskets(), campaigns(), capacities(), st.randoms(use_true_random=False))
def test_the_order_of_lines_campaigns_and_codes_changes_nothing(
    of: Basket, some: list[Campaign], free: Callable[[Limit], int], chance: Any
) -> None:
    def shuffled(items: Sequence[Any]) -> list[Any]:
        return chance.sample(list(items), len(items))  # type: ignore[no-any-return]

    first = decide(of, ruleset(*some), free)
    other = replace(of, lines=shuffled(of.lines), codes=tuple(shuffled(of.codes)))
    second = decide(other, ruleset(*shuffled(some)), free)
    assert by_line(first) == by_line(second)
    assert structs.replace(first, lines=()) == structs.replace(second, lines=())


@few
@given(baskets(), campaigns(), capacities())
def test_a_ruleset_built_step_by_step_decides_as_one_built_at_once(
    of: Basket, some: list[Campaign], free: Callable[[Limit], int]
) -> None:
    rules = Ruleset.empty().with_codes({"MASS": 1, "BATCH": 1})
    for version, item in enumerate(some):
        finished = item.model_copy(update={"status": "finished"})
        draft = item.model_copy(update={"instruments": some[0].instruments})
        rules = rules.with_campaigns([draft], version)
        rules = rules.with_campaigns([finished], version).with_campaigns([item], version)
    assert decide(of, rules, free) == decide(of, ruleset(*some), free)


@few
@given(baskets(), campaigns(), capacities(), instruments(9))
def test_a_campaign_that_does_not_match_changes_nothing(
    of: Basket, some: list[Campaign], free: Callable[[Limit], int], more: Instrument
) -> None:
    coded = more.model_copy(update={"conditions": (*more.conditions, code("OTHER"))})
    strangers = [
        campaign("s-1", [coded], priority=9, emissions=DESCRIBED),
        campaign(
            "s-2", [instrument("i", more.conditions, more.benefit)], priority=9, stores=("x",)
        ),
        campaign("s-3", [more], priority=9, status="paused", emissions=DESCRIBED),
        campaign("s-4", [more], priority=9, ends_at=NOON, emissions=DESCRIBED),
    ]
    before = decide(of, ruleset(*some), free)
    after = decide(of, ruleset(*some, *strangers), free)
    refused = tuple(r for r in after.refused if not r.campaign_id.startswith("s-"))
    # A code that led nowhere now led to a stranger: it is still unused.
    assert [n for n, _ in after.unused_codes] == [n for n, _ in before.unused_codes]
    unused = before.unused_codes
    assert structs.replace(after, refused=refused, unused_codes=unused) == before


HOLDS: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
}


def plainly_met(of: Basket, item: Campaign, asked: Instrument) -> bool:
    """Whether the conditions are met, read off the cart without any index or compilation."""
    counted = [
        x for x in of.lines if not x.no_promo and (asked.include_discounted or not x.discounts)
    ]

    def chosen(selected: Products) -> list[CartLine]:
        if selected == Products():
            return counted
        return [
            x
            for x in counted
            if x.sku in selected.skus or x.group in selected.groups or x.brand in selected.brands
        ]

    def met(condition: Condition) -> bool:
        if isinstance(condition, PromoCode):
            return any(x.emission_id == condition.emission_id for x in of.codes)
        if isinstance(condition, CustomerGroup):
            return of.customer_id is not None and bool({*condition.groups} & of.customer_groups)
        if isinstance(condition, ReceiptTotal):
            actual = sum(x.amount for x in counted)
        elif isinstance(condition, ProductSum):
            actual = sum(x.amount for x in chosen(condition.products))
        else:
            actual = sum(x.quantity for x in chosen(condition.products))
        compared = condition.compare
        if compared.op == "between":
            return compared.value <= actual <= (compared.upper or 0)
        return HOLDS[compared.op](actual, compared.value)

    return (
        item.status == "running"
        and item.starts_at <= of.occurred_at < item.ends_at
        and (not item.stores or of.store_id in item.stores)
        and (
            not item.customer_groups
            or (of.customer_id is not None and bool({*item.customer_groups} & of.customer_groups))
        )
        and (asked.benefit.kind != "bonuses" or of.customer_id is not None)
        and all(map(met, asked.conditions))
    )


@many
@given(baskets(), campaigns())
def test_the_index_finds_what_plain_reading_finds(of: Basket, some: list[Campaign]) -> None:
    found = decide(of, ruleset(*some), all_free)
    met = {(g.campaign_id, g.instrument_id) for g in found.granted} | {
        (r.campaign_id, r.instrument_id)
        for r in found.refused
        if r.reason in {"limit_reached", "nothing_to_discount"}
    }
    assert met == {
        (item.campaign_id, asked.instrument_id)
        for item in some
        for asked in item.instruments
        if plainly_met(of, item, asked)
    }


@few
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20), st.integers(1, 10_000))
def test_a_percentage_is_that_of_decimal_arithmetic(amounts: list[int], percent: int) -> None:
    goods = [line(n, amount=amount) for n, amount in enumerate(amounts, 1)]
    rules = ruleset(campaign(instruments=[instrument(benefit=percent_off(percent))]))
    exact = Decimal(sum(amounts)) * percent / 10_000
    expected = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    assert decide(basket(goods), rules, all_free).discount == expected
