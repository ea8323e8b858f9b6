"""The largest carts and definitions: exact to the last cent, or refused by name."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from services.evaluator.promotion import Verdict, decide
from shared.events import benefits as give
from shared.events.checkout import Cart
from shared.events.conditions import MixPart, ProductMix, PurchaseSum
from shared.events.promotion import Campaign, Instrument, Repeat
from shared.events.values import MAX_MONEY, MAX_QUANTITY, Gift
from tests.builders import (
    all_free,
    basket,
    bonuses,
    campaign,
    compare,
    instrument,
    line,
    percent_off,
    plain_line,
    products,
    quantity_of,
    ruleset,
    sum_of,
    total,
)

LINES = 1_000
AMOUNT = MAX_MONEY // LINES - 1  # 999,999,999 each: just below 10^12 in all
TOTAL = AMOUNT * LINES
ODD, EVEN = products(groups=["odd"]), products(groups=["even"])
GOODS = tuple(
    plain_line(
        n,
        amount=AMOUNT,
        quantity=MAX_QUANTITY,
        price=AMOUNT // 1_000_000,
        sku=f"sku-{n}",
        group="odd" if n % 2 else "even",
    )
    for n in range(1, LINES + 1)
)
OF = basket(GOODS, customer_id="c-1")


def verdict(benefit: give.Benefit, *conditions: Any, repeat: Repeat | None = None) -> Verdict:
    asked = instrument("i", conditions, benefit, repeat=repeat)
    return decide(OF, ruleset(campaign(instruments=[asked])), all_free)


UNITS = MAX_QUANTITY * LINES // 1_000  # 10^9 pieces
HALF = LINES // 2


@pytest.mark.parametrize(
    ("benefit", "discount"),
    [
        (percent_off(3_333), (TOTAL * 3_333 + 5_000) // 10_000),
        (percent_off(1), (TOTAL + 5_000) // 10_000),
        (percent_off(10_000), TOTAL),
        (percent_off(10_000, max_discount=MAX_MONEY), TOTAL),
        (percent_off(10_000, max_units=MAX_QUANTITY), AMOUNT),
        (percent_off(5_000, products=ODD, max_units=1_000), 500),  # of 999.999999
        (give.AmountOff(amount=MAX_MONEY), TOTAL),
        (give.AmountOff(amount=TOTAL - 1), TOTAL - 1),
        (give.AmountOff(amount=1, per_unit=True), UNITS),
        (give.AmountOff(amount=MAX_MONEY, per_unit=True), TOTAL),
        (give.FixedPrice(price=0), TOTAL),
        (give.FixedPrice(price=1), TOTAL - UNITS),
        (give.FixedPrice(price=1, units=1_000), TOTAL - UNITS),
        (give.FixedPrice(price=1, units=MAX_QUANTITY), TOTAL - LINES),
        # 333,333 sets; 1,000 pieces are left, for 9,999.99999 full price
        (give.FixedPrice(price=7, units=3_000_000), TOTAL - 333_333 * 7 - 1_000_000),
        (give.BuyGet(buy=1_000, get=1_000), TOTAL // 2),
        (give.BuyGet(buy=1_000, get=1_000, products=ODD, rewards=EVEN), AMOUNT * HALF),
        (give.BuyGet(buy=MAX_QUANTITY, get=MAX_QUANTITY, max_times=1), AMOUNT),
        (give.CheapestFree(of=2_000), TOTAL // 2),
        (give.CheapestFree(of=MAX_QUANTITY), AMOUNT // 1_000_000 * LINES + 1_000),
        (
            give.Tiers(tiers=(give.Tier(at_least=TOTAL, benefit=give.AmountOff(amount=TOTAL)),)),
            TOTAL,
        ),
    ],
)
def test_every_discount_on_a_thousand_lines_of_a_million_is_exact(
    benefit: give.Benefit, discount: int
) -> None:
    found = verdict(benefit)
    assert found.total == TOTAL
    assert found.discount == discount
    assert sum(x.discount for x in found.lines) == found.discount
    assert all(0 <= x.discount <= AMOUNT for x in found.lines)


def test_points_and_gifts_for_a_thousand_lines_of_a_million() -> None:
    assert verdict(bonuses(percent=10_000)).bonuses == TOTAL
    mug = give.GiftGoods(gifts=(Gift(sku="mug", quantity=MAX_QUANTITY),))
    (granted,) = verdict(mug, total(1), repeat=Repeat()).granted
    assert (granted.times, granted.gifts[0].quantity) == (TOTAL, MAX_QUANTITY)


def test_conditions_on_a_thousand_lines_of_a_million() -> None:
    mix = ProductMix(
        parts=(
            MixPart(products=ODD, quantity=MAX_QUANTITY),
            MixPart(products=EVEN, quantity=MAX_QUANTITY),
        )
    )
    exact = (total(TOTAL), quantity_of(EVEN, MAX_QUANTITY * HALF), sum_of(ODD, AMOUNT * HALF), mix)
    assert verdict(give.AmountOff(amount=7), *exact, repeat=Repeat()).discount == 7
    assert verdict(give.AmountOff(amount=7), mix, repeat=Repeat()).discount == 7 * HALF
    (refused,) = verdict(give.AmountOff(amount=7), total(TOTAL + 1)).refused
    assert refused.missing == 1
    (refused,) = verdict(give.AmountOff(amount=7), PurchaseSum(compare=compare(MAX_MONEY))).refused
    assert refused.missing == MAX_MONEY


def test_floors_that_fill_one_line_after_another_are_all_kept() -> None:
    goods = [
        plain_line(n, amount=10_000, min_line_amount=10_000 - n * 9, sku=f"sku-{n}")
        for n in range(1, LINES + 1)
    ]
    room = sum(n * 9 for n in range(1, LINES + 1))
    asked = instrument("i", [], give.AmountOff(amount=room))
    found = decide(basket(goods), ruleset(campaign(instruments=[asked])), all_free)
    assert [x.discount for x in found.lines] == [n * 9 for n in range(1, LINES + 1)]


def test_two_hundred_instruments_on_a_thousand_lines() -> None:
    some = [instrument(f"i-{n}", [], give.AmountOff(amount=999)) for n in range(200)]
    found = decide(OF, ruleset(campaign(instruments=some)), all_free)
    assert (len(found.granted), found.discount) == (200, 200 * 999)


def test_a_cart_of_that_size_is_a_cart() -> None:
    lines = tuple(line(n, amount=AMOUNT, quantity=MAX_QUANTITY, price=1_000) for n in (1, 2))
    assert len(lines) == 2
    with pytest.raises(ValidationError, match="lines"):
        Cart.model_validate({"lines": [{}] * (LINES + 1)})


def nested(depth: int, wrap: Callable[[Any], Any]) -> dict[str, Any]:
    condition: Any = {"kind": "receipt_total", "compare": {"value": 1}}
    for _ in range(depth - 1):
        condition = wrap(condition)
    return {
        "instrument_id": "i",
        "name": "i",
        "conditions": (condition,),
        "benefit": {"kind": "percent_off", "percent": 1_000},
    }


WRAPS: list[Callable[[Any], Any]] = [
    lambda inner: {"kind": "not", "condition": inner},
    lambda inner: {"kind": "all", "conditions": (inner,)},
    lambda inner: {"kind": "any", "conditions": (inner,)},
]


@pytest.mark.parametrize("wrap", WRAPS)
def test_nesting_of_six_is_read_and_deeper_is_refused_by_field(
    wrap: Callable[[Any], Any],
) -> None:
    assert Instrument.model_validate(nested(6, wrap)).conditions
    for depth in (7, 60):
        with pytest.raises(ValidationError, match=r"conditions\.0\.condition\S*: .*deeper than 6"):
            Instrument.model_validate(nested(depth, wrap))


@pytest.mark.parametrize("wrap", WRAPS)
def test_pathological_nesting_is_refused_by_field_not_by_a_crash(
    wrap: Callable[[Any], Any],
) -> None:
    with pytest.raises(ValidationError) as caught:
        Instrument.model_validate(nested(5_000, wrap))
    assert {error["loc"][0] for error in caught.value.errors()} == {"conditions"}


def test_nesting_in_text_is_refused_not_crashed_on() -> None:
    opened, closed = '{"kind":"not","condition":' * 50_000, "}" * 50_000
    body = f'{{"conditions":[{opened}{{"kind":"first_purchase"}}{closed}]}}'
    with pytest.raises(ValidationError):
        Instrument.model_validate_json(body)


def many(count: int) -> dict[str, Any]:
    return {"kind": "any", "conditions": tuple([{"kind": "first_purchase"}] * count)}


def test_more_than_a_hundred_conditions_in_all_are_refused_by_field() -> None:
    definition = nested(1, WRAPS[0])
    for count, refused in ((49, False), (50, True)):
        definition["conditions"] = (many(count), many(49))
        if refused:
            with pytest.raises(ValidationError, match=r"conditions\.1\S*: .*more than 100"):
                Instrument.model_validate(definition)
        else:
            assert Instrument.model_validate(definition)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"conditions": (many(101),)}, "conditions.0.any.conditions"),
        ({"conditions": tuple([{"kind": "first_purchase"}] * 101)}, "conditions"),
        (
            {
                "benefit": {
                    "kind": "percent_off",
                    "percent": 1,
                    "products": {"skus": ("s",) * 5_001},
                }
            },
            "benefit.percent_off.products.skus",
        ),
        ({"limits": tuple({"redemptions": 1} for _ in range(21))}, "limits"),
        (
            {"conditions": ({"kind": "store", "stores": ("s",) * 20_001},)},
            "conditions.0.store.stores",
        ),
        ({"benefit": {"kind": "amount_off", "amount": 10**12 + 1}}, "benefit.amount_off.amount"),
        ({"benefit": {"kind": "percent_off", "percent": 10_001}}, "benefit.percent_off.percent"),
        ({"benefit": {"kind": "percent_off", "percent": 0.5}}, "benefit.percent_off.percent"),
        ({"name": "n" * 201}, "name"),
    ],
)
def test_what_is_too_large_is_refused_by_field(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Instrument.model_validate({**nested(1, WRAPS[0]), **changed})
    assert field in {".".join(map(str, error["loc"])) for error in caught.value.errors()}


def test_a_campaign_has_at_most_two_hundred_instruments() -> None:
    some = campaign()
    with pytest.raises(ValidationError, match="instruments"):
        Campaign.model_validate({**dict(some), "instruments": some.instruments * 201})
