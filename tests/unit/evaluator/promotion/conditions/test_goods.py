"""Conditions on the goods: at, above and below each threshold, with gap, unit and share."""

import pytest

from services.evaluator.promotion.basket import read
from services.evaluator.promotion.conditions import Terms, compile_condition
from services.evaluator.promotion.failure import Failure
from services.evaluator.promotion.period import Window
from shared.events.checkout import CartLine
from shared.events.conditions import (
    Condition,
    LineCount,
    MixPart,
    ProductMix,
    ProductPresence,
    ProductQuantity,
    ProductSum,
    ReceiptQuantity,
    ReceiptTotal,
)
from tests.builders import basket, compare, line, products, staff_discount, utc

TERMS = Terms({}, lambda _: Window(utc(2026, 1, 1), utc(2027, 1, 1)), include_discounted=False)
SWEETS, TEA = products(groups=["sweets"]), products(groups=["tea"])
GOODS = [
    line(1, amount=600, quantity=1_500, group="sweets"),
    line(2, amount=400, quantity=2_000, group="tea"),
    line(3, amount=9_000, quantity=5_000, group="sweets", no_promo=True),
    line(4, amount=9_000, quantity=5_000, group="tea", discounts=(staff_discount(),)),
]


def failure(condition: Condition, goods: list[CartLine]) -> Failure | None:
    reading = read(basket(goods))
    return compile_condition(condition, TERMS)(reading, reading.full_price)


@pytest.mark.parametrize(
    ("condition", "missing", "unit"),
    [
        (ReceiptTotal(compare=compare(1_000)), None, None),
        (ReceiptTotal(compare=compare(1_001)), 1, "money"),
        (ReceiptTotal(compare=compare(1_000, ">")), 1, "money"),
        (ReceiptQuantity(compare=compare(3_500)), None, None),
        (ReceiptQuantity(compare=compare(3_501)), 1, "quantity"),
        (LineCount(compare=compare(2)), None, None),
        (LineCount(compare=compare(3)), 1, "lines"),
        (LineCount(compare=compare(2, "between", 4)), None, None),
        (ProductQuantity(products=SWEETS, compare=compare(1_500)), None, None),
        (ProductQuantity(products=SWEETS, compare=compare(2_000)), 500, "quantity"),
        (ProductSum(products=TEA, compare=compare(400)), None, None),
        (ProductSum(products=TEA, compare=compare(1_000)), 600, "money"),
        (ProductSum(products=TEA, compare=compare(400, "between", 900)), None, None),
        (ProductPresence(products=TEA), None, None),
        (ProductPresence(products=products(skus=["milk"])), 1, "lines"),
    ],
)
def test_thresholds(condition: Condition, missing: int | None, unit: str | None) -> None:
    failed = failure(condition, GOODS)
    if missing is None:
        assert failed is None
    else:
        assert failed is not None
        assert (failed.condition, failed.missing, failed.unit) == (condition.kind, missing, unit)
        assert (failed.reason, failed.near) == ("condition_not_met", True)


@pytest.mark.parametrize(
    "condition",
    [
        ReceiptTotal(compare=compare(999, "<=")),
        ReceiptTotal(compare=compare(1_000, "<")),
        ReceiptQuantity(compare=compare(1_000, "=")),
        LineCount(compare=compare(1, "between", 1)),
        ProductQuantity(products=TEA, compare=compare(0, "=")),
        ProductSum(products=SWEETS, compare=compare(1, "between", 599)),
    ],
)
def test_of_what_is_too_much_no_more_would_help(condition: Condition) -> None:
    assert failure(condition, GOODS) == Failure("condition_not_met", condition.kind)


@pytest.mark.parametrize(
    ("needed", "share"), [(4_000, 750_000), (1_001, 999), (1_000_000, 999_000)]
)
def test_the_share_is_millionths_of_what_is_needed(needed: int, share: int) -> None:
    failed = failure(ReceiptTotal(compare=compare(needed)), GOODS)
    assert failed is not None
    assert failed.share == share


TWO_AND_ONE = ProductMix(
    parts=(
        MixPart(products=SWEETS, quantity=2_000),
        MixPart(products=products(brands=["b"]), quantity=1_000),
    )
)


@pytest.mark.parametrize(
    ("goods", "missing"),
    [
        pytest.param(
            [line(1, quantity=2_000, group="sweets"), line(2, brand="b")], None, id="just enough"
        ),
        pytest.param(
            [line(1, quantity=2_000, group="sweets", brand="b")], 1_000, id="a line counts once"
        ),
        pytest.param(
            [line(1, quantity=9_000, group="sweets", brand="b"), line(2, brand="b")],
            None,
            id="for the first part that selects it",
        ),
        pytest.param(
            [line(1, quantity=1_999, group="sweets"), line(2, brand="b")], 1, id="one gram short"
        ),
        pytest.param([line(1, quantity=500, group="sweets")], 2_500, id="both parts short"),
        pytest.param([], 3_000, id="nothing there"),
        pytest.param([line(1, quantity=9_000, brand="b")], 2_000, id="too much of one is no help"),
    ],
)
def test_a_mix_needs_all_its_parts(goods: list[CartLine], missing: int | None) -> None:
    failed = failure(TWO_AND_ONE, goods)
    if missing is None:
        assert failed is None
    else:
        assert failed is not None
        assert (failed.condition, failed.missing, failed.unit) == (
            "product_mix",
            missing,
            "quantity",
        )
        assert failed.share == missing * 1_000_000 // 3_000
