"""What carts meet conditions, and what is said of the gap when they don't."""

import pytest

from services.evaluator.promotion import Basket, Refused, Verdict, decide
from shared.events.checkout import CartLine
from shared.events.conditions import Condition, LineCount
from tests.builders import (
    Operator,
    all_free,
    basket,
    bonuses,
    campaign,
    code,
    compare,
    in_group,
    instrument,
    line,
    products,
    quantity_of,
    ruleset,
    staff_discount,
    sum_of,
    total,
    unknown_code,
)

BOUNTY = products(brands=["Bounty"])


def verdict(of: Basket, *conditions: Condition, include_discounted: bool = False) -> Verdict:
    """The decision by one instrument with these conditions."""
    asked = instrument(conditions=conditions, include_discounted=include_discounted)
    return decide(of, ruleset(campaign(instruments=[asked])), all_free)


def gap(found: Verdict) -> tuple[str, str | None, int | None, str | None]:
    (refused,) = found.refused
    return refused.reason, refused.condition, refused.missing, refused.unit


@pytest.mark.parametrize(
    ("op", "value", "upper", "met", "missing"),
    [
        (">=", 999, None, True, None),
        (">=", 1_000, None, True, None),
        (">=", 1_001, None, False, 1),
        (">=", 5_250, None, False, 4_250),
        (">", 999, None, True, None),
        (">", 1_000, None, False, 1),
        (">", 1_001, None, False, 2),
        ("=", 1_000, None, True, None),
        ("=", 1_001, None, False, 1),
        ("=", 999, None, False, None),
        ("<", 1_001, None, True, None),
        ("<", 1_000, None, False, None),
        ("<=", 1_000, None, True, None),
        ("<=", 999, None, False, None),
        ("between", 1_000, 1_000, True, None),
        ("between", 500, 1_000, True, None),
        ("between", 1_000, 2_000, True, None),
        ("between", 1_001, 2_000, False, 1),
        ("between", 500, 999, False, None),
    ],
)
def test_a_total_of_10_00_is_compared(
    op: Operator, value: int, upper: int | None, met: bool, missing: int | None
) -> None:
    found = verdict(basket([line(amount=1_000)]), total(value, op, upper))
    assert bool(found.granted) is met
    if not met:
        unit = "money" if missing else None
        assert gap(found) == ("condition_not_met", "receipt_total", missing, unit)


def test_the_total_is_of_all_lines() -> None:
    found = verdict(basket([line(1, amount=600), line(2, amount=300)]), total(1_000))
    assert gap(found) == ("condition_not_met", "receipt_total", 100, "money")


def test_goods_excluded_by_law_count_towards_no_condition() -> None:
    goods = [line(1, amount=600), line(2, amount=900, brand="Bounty", no_promo=True)]
    assert gap(verdict(basket(goods), total(1_000)))[2] == 400
    assert not verdict(basket(goods), sum_of(BOUNTY, 1)).granted
    assert not verdict(basket(goods), quantity_of(BOUNTY, 1)).granted


def test_goods_discounted_elsewhere_count_only_if_the_instrument_says_so() -> None:
    goods = [line(1, amount=600), line(2, amount=400, discounts=(staff_discount(),))]
    assert gap(verdict(basket(goods), total(1_000)))[2] == 400
    assert verdict(basket(goods), total(1_000), include_discounted=True).granted


def test_a_discount_elsewhere_of_nothing_is_none() -> None:
    goods = [line(amount=1_000, discounts=(staff_discount(0),))]
    assert verdict(basket(goods), total(1_000)).granted


@pytest.mark.parametrize(
    ("goods", "missing"),
    [
        ([line(quantity=1_000, brand="Bounty")], None),
        ([line(quantity=1_001, brand="Bounty")], None),
        ([line(quantity=999, brand="Bounty")], 1),
        ([line(1, quantity=400, brand="Bounty"), line(2, quantity=600, brand="Bounty")], None),
        ([line(1, quantity=400, brand="Bounty"), line(2, quantity=5_000, brand="Mars")], 600),
    ],
)
def test_a_kilo_of_bounty_is_1000_thousandths(goods: list[CartLine], missing: int | None) -> None:
    found = verdict(basket(goods), quantity_of(BOUNTY, 1_000))
    if missing is None:
        assert found.granted
    else:
        assert gap(found) == ("condition_not_met", "product_quantity", missing, "quantity")


@pytest.mark.parametrize(("amount", "missing"), [(500, None), (501, None), (499, 1), (200, 300)])
def test_the_sum_of_products(amount: int, missing: int | None) -> None:
    goods = [line(1, amount=amount, group="sweets"), line(2, amount=9_000, group="bread")]
    found = verdict(basket(goods), sum_of(products(groups=["sweets"]), 500))
    if missing is None:
        assert found.granted
    else:
        assert gap(found) == ("condition_not_met", "product_sum", missing, "money")


def test_products_are_those_of_any_sku_group_or_brand_each_line_once() -> None:
    goods = [
        line(1, amount=1, sku="a"),
        line(2, amount=10, group="b"),
        line(3, amount=100, brand="c"),
        line(4, amount=1_000, sku="a", group="b", brand="c"),
        line(5, amount=10_000, sku="b", group="c", brand="a"),
    ]
    selected = products(skus=["a"], groups=["b"], brands=["c"])
    assert verdict(basket(goods), sum_of(selected, 1_111, "=")).granted


def test_no_products_named_are_all() -> None:
    found = verdict(basket([line(1, quantity=2_000), line(2)]), quantity_of(products(), 3_000, "="))
    assert found.granted


def test_an_instrument_for_carts_without_some_products() -> None:
    without_bounty = quantity_of(BOUNTY, 0, "=")
    assert verdict(basket([line()]), without_bounty).granted
    assert gap(verdict(basket([line(brand="Bounty")]), without_bounty)) == (
        "condition_not_met",
        "product_quantity",
        None,
        None,
    )


def test_of_several_gaps_the_greatest_is_named_and_none_is_near() -> None:
    found = verdict(basket(), total(500), quantity_of(products(), 5_000), total(9_000))
    assert gap(found) == ("condition_not_met", "receipt_total", 8_000, "money")
    assert found.near_misses == ()


def test_what_more_would_not_help_is_named_before_any_gap() -> None:
    found = verdict(basket(), total(5_000), LineCount(compare=compare(0, "=")), total(1, "<"))
    assert gap(found) == ("condition_not_met", "line_count", None, None)


@pytest.mark.parametrize(
    ("customer_id", "groups", "reason"),
    [
        ("c-1", {"gold"}, None),
        ("c-1", {"staff", "silver"}, None),
        ("c-1", {"staff"}, "wrong_customer_group"),
        ("c-1", set(), "wrong_customer_group"),
        (None, set(), "customer_unknown"),
        (None, {"gold"}, "customer_unknown"),
    ],
)
def test_customer_groups(customer_id: str | None, groups: set[str], reason: str | None) -> None:
    shopper = basket(codes=["WELCOME"], customer_id=customer_id, customer_groups=groups)
    groups_asked = in_group("gold", "silver")
    plain, led_to = verdict(shopper, groups_asked), verdict(shopper, code(), groups_asked)
    assert bool(plain.granted) is (reason is None)
    assert plain.refused == (), "an instrument for other groups is not met at all"
    assert [refused.reason for refused in led_to.refused] == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("customer_id", "groups", "segments", "reason"),
    [
        ("c-1", {"gold"}, set(), None),
        ("c-1", set(), {"rare"}, None),
        ("c-1", {"staff"}, {"often"}, "wrong_customer_group"),
        (None, {"gold"}, {"rare"}, "customer_unknown"),
    ],
)
def test_a_campaign_for_groups_and_segments_needs_one_of_either(
    customer_id: str | None, groups: set[str], segments: set[str], reason: str | None
) -> None:
    shopper = basket(
        codes=["WELCOME"],
        customer_id=customer_id,
        customer_groups=groups,
        segments=frozenset(segments),
    )
    for conditions, said in (((), []), ((code(),), [reason] if reason else [])):
        some = campaign(
            instruments=[instrument(conditions=conditions)],
            customer_groups=("gold", "silver"),
            segments=("rare",),
        )
        found = decide(shopper, ruleset(some), all_free)
        assert bool(found.granted) is (reason is None)
        assert [refused.reason for refused in found.refused] == said


def test_bonuses_need_a_customer() -> None:
    rules = ruleset(campaign(instruments=[instrument(benefit=bonuses(50))]))
    assert decide(basket(customer_id="c-1"), rules, all_free).bonuses == 50
    assert decide(basket(), rules, all_free).refused == (
        Refused("campaign-1", "instrument-1", "customer_unknown", None, None, None, None),
    )


def test_a_code_of_the_emission_must_be_there() -> None:
    assert verdict(basket(codes=["WELCOME"]), code("WELCOME")).granted
    for others in ([], ["FRIDAY"], [unknown_code("WELCOME")]):
        found = verdict(basket(codes=others), code("WELCOME"))
        assert (found.granted, found.refused) == ((), ())


def test_two_emissions_asked_for_and_one_there() -> None:
    found = verdict(basket(codes=["WELCOME"]), code("WELCOME"), code("PLUS", condition_id="plus"))
    assert gap(found) == ("code_missing", "plus", None, None)
    both = basket(codes=["PLUS", "WELCOME"])
    (granted,) = verdict(both, code("WELCOME"), code("PLUS", condition_id="plus")).granted
    assert (granted.code, granted.emission_id) == (1, "WELCOME")
