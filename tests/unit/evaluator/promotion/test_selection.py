"""Which products are selected."""

import pytest

from services.evaluator.promotion.basket import read
from services.evaluator.promotion.history import PurchasedLine
from services.evaluator.promotion.selection import select
from shared.events.selection import Attribute, Products, Selectors
from tests.builders import basket, line

LINES = (
    line(1, sku="bread", group="bakery", brand="Own", attributes={"diet": "vegan"}),
    line(2, sku="bun", group="bakery"),
    line(3, sku="soap", brand="Own", attributes={"diet": "none", "size": "L"}),
    line(4, sku="Own", group="Own"),
    line(5, sku="beer", group="drinks", attributes={"size": "L"}),
)
LARGE = Attribute(name="size", values=("L", "XL"))
VEGAN = Attribute(name="diet", values=("vegan",))


@pytest.mark.parametrize(
    ("products", "selected"),
    [
        pytest.param(Products(), [1, 2, 3, 4, 5], id="nothing named: all"),
        pytest.param(Products(skus=("bread", "beer")), [1, 5], id="skus"),
        pytest.param(Products(groups=("bakery",)), [1, 2], id="a group"),
        pytest.param(Products(brands=("Own",)), [1, 3], id="a brand is no sku and no group"),
        pytest.param(Products(attributes=(LARGE,)), [3, 5], id="any value of an attribute"),
        pytest.param(Products(attributes=(LARGE, VEGAN)), [1, 3, 5], id="any of two attributes"),
        pytest.param(Products(skus=("bun",), brands=("Own",)), [1, 2, 3], id="any of selectors"),
        pytest.param(Products(skus=("bread",), groups=("bakery",)), [1, 2], id="each line once"),
        pytest.param(Products(skus=("nothing",)), [], id="nothing of it there"),
        pytest.param(
            Products(exclude=Selectors(groups=("bakery",))), [3, 4, 5], id="all but a group"
        ),
        pytest.param(
            Products(groups=("bakery",), exclude=Selectors(skus=("bun",))), [1], id="less a sku"
        ),
        pytest.param(
            Products(brands=("Own",), exclude=Selectors(attributes=(VEGAN,))), [3], id="less vegan"
        ),
        pytest.param(
            Products(skus=("bun",), exclude=Selectors(skus=("bun",))), [], id="exclusion wins"
        ),
        pytest.param(Products(exclude=Selectors()), [1, 2, 3, 4, 5], id="nothing excluded"),
    ],
)
def test_selected_products(products: Products, selected: list[int]) -> None:
    reading = read(basket(LINES))
    found = reading.promotable.pick(select(products))
    assert [reading.lines[n].line for n in found] == selected
    assert [x.line for x in LINES if select(products).takes(x)] == selected


def test_earlier_purchases_are_selected_in_the_same_way() -> None:
    bought = PurchasedLine("bread", 1_000, 100, "bakery", None, {"size": "XL"})
    assert select(Products(attributes=(LARGE,))).takes(bought)
    assert not select(Products(brands=("bakery",))).takes(bought)
    assert not select(Products(exclude=Selectors(groups=("bakery",)))).takes(bought)
