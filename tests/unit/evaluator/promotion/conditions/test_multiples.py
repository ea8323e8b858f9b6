"""How often a benefit is given: for each full multiple of what the conditions ask for."""

import pytest

from services.evaluator.promotion import decide
from services.evaluator.promotion.history import Purchase, PurchasedLine
from shared.events.benefits import AmountOff
from shared.events.conditions import (
    All,
    AnyOf,
    Condition,
    LineCount,
    MixPart,
    Not,
    ProductMix,
    PurchaseCount,
    ReceiptQuantity,
)
from shared.events.promotion import Repeat
from tests.builders import (
    NOON,
    all_free,
    basket,
    campaign,
    code,
    compare,
    instrument,
    line,
    products,
    quantity_of,
    ruleset,
    sum_of,
    total,
)

SWEETS, TEA = products(groups=["sweets"]), products(groups=["tea"])
GOODS = [
    line(1, amount=900, quantity=3_999, group="sweets"),
    line(2, amount=800, quantity=2_000, group="tea"),
]
EARLIER = tuple(
    Purchase(f"r-{day}", NOON.replace(day=day), (PurchasedLine("s", 1_000, 100),))
    for day in range(6, 10)
)


def times(*conditions: Condition, repeat: Repeat | None = Repeat()) -> int:  # noqa: B008 - frozen
    rules = ruleset(
        campaign(instruments=[instrument("i", conditions, AmountOff(amount=1), repeat=repeat)])
    )
    of = basket(GOODS, codes=["WELCOME"], customer_id="c", purchases=EARLIER)
    (granted,) = decide(of, rules, all_free).granted
    assert granted.discount == granted.times
    return granted.times


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        pytest.param([quantity_of(SWEETS, 1_000)], 3, id="for each full kilo"),
        pytest.param([quantity_of(SWEETS, 1_333)], 3, id="just three times"),
        pytest.param([quantity_of(SWEETS, 3_999)], 1, id="just once"),
        pytest.param([sum_of(TEA, 200)], 4, id="for each 2.00"),
        pytest.param([total(400)], 4, id="for each 4.00 of the receipt"),
        pytest.param([ReceiptQuantity(compare=compare(2_000))], 2, id="for each 2 of all"),
        pytest.param([LineCount(compare=compare(1))], 2, id="for each line"),
        pytest.param([PurchaseCount(compare=compare(2))], 2, id="for each second purchase"),
        pytest.param([quantity_of(SWEETS, 1_000), sum_of(TEA, 400)], 2, id="the least of both"),
        pytest.param([quantity_of(SWEETS, 1_000, ">")], 1, id="above is not at least"),
        pytest.param([total(1, "between", 9_999)], 1, id="between has no multiples"),
        pytest.param([quantity_of(SWEETS, 0)], 1, id="of nothing there are no multiples"),
        pytest.param([code()], 1, id="nor of a code"),
        pytest.param([], 1, id="nor of nothing at all"),
        pytest.param([code(), sum_of(TEA, 200)], 4, id="what has none does not bound"),
        pytest.param([Not(condition=total(9_000)), sum_of(TEA, 200)], 4, id="nor does not"),
        pytest.param([All(conditions=(total(300), sum_of(TEA, 200)))], 4, id="all: the least"),
        pytest.param([AnyOf(conditions=(total(300), sum_of(TEA, 200)))], 5, id="any: the most"),
        pytest.param(
            [AnyOf(conditions=(total(9_999), sum_of(TEA, 400)))], 2, id="any: of those met"
        ),
        pytest.param(
            [sum_of(TEA, 200), AnyOf(conditions=(code(), total(9_999)))],
            4,
            id="an alternative that is not met does not bound",
        ),
        pytest.param(
            [AnyOf(conditions=(code(), All(conditions=(total(1), total(9_999)))))],
            1,
            id="nor does it count where half of it is met",
        ),
    ],
)
def test_multiples(conditions: list[Condition], expected: int) -> None:
    assert times(*conditions) == expected
    assert times(*conditions, repeat=None) == 1


@pytest.mark.parametrize(("most", "expected"), [(1, 1), (2, 2), (3, 3), (4, 3), (None, 3)])
def test_up_to_a_maximum(most: int | None, expected: int) -> None:
    assert times(quantity_of(SWEETS, 1_000), repeat=Repeat(max_times=most)) == expected


@pytest.mark.parametrize(("tea", "expected"), [(1_000, 2), (2_000, 1), (500, 3)])
def test_a_mix_is_there_as_often_as_its_scarcest_part(tea: int, expected: int) -> None:
    mix = ProductMix(
        parts=(MixPart(products=SWEETS, quantity=1_000), MixPart(products=TEA, quantity=tea))
    )
    assert times(mix) == expected
