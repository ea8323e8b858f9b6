"""What carts cannot do without: the keys that instruments are met by."""

import pytest

from services.evaluator.promotion.conditions import required_keys
from services.evaluator.promotion.conditions.requirements import rarest
from services.evaluator.promotion.selection import Key
from shared.events.conditions import (
    All,
    AnyOf,
    Condition,
    CustomerGroup,
    CustomerSegment,
    FirstPurchase,
    InRegion,
    InStore,
    MixPart,
    Not,
    ProductMix,
    ProductPresence,
)
from shared.events.selection import Attribute, Products, Selectors
from tests.builders import code, products, quantity_of, sum_of, total

CODE, SKU, GROUP = ("code", "WELCOME"), ("sku", "s"), ("group", "g")
BY_SKU, BY_GROUP = sum_of(products(skus=["s"]), 1), sum_of(products(groups=["g"]), 1)
SIZE = Products(attributes=(Attribute(name="size", values=("L", "M")),))


@pytest.mark.parametrize(
    ("condition", "keys"),
    [
        (code(), {CODE}),
        (quantity_of(products(skus=["s", "t"]), 1), {SKU, ("sku", "t")}),
        (quantity_of(products(skus=["s"]), 0), set()),
        (sum_of(products(skus=["s"]), 5, "<="), set()),
        (sum_of(products(), 5), set()),
        (sum_of(Products(exclude=Selectors(skus=("s",))), 5), set()),
        (ProductPresence(products=SIZE), {("attribute:size", "L"), ("attribute:size", "M")}),
        (CustomerGroup(groups=("a",)), {("customer_group", "a")}),
        (CustomerSegment(segments=("a",)), {("segment", "a")}),
        (InStore(stores=("a",)), {("store", "a")}),
        (InRegion(regions=("a",)), {("region", "a")}),
        (total(5), set()),
        (FirstPurchase(), set()),
        (Not(condition=code()), set()),
        (All(conditions=(total(5), BY_GROUP, BY_SKU)), {SKU}),
        (All(conditions=(BY_SKU, code())), {CODE}),
        (AnyOf(conditions=(BY_SKU, code())), {SKU, CODE}),
        (AnyOf(conditions=(BY_SKU, total(5))), set()),
        (AnyOf(conditions=(All(conditions=(total(5), BY_SKU)), BY_GROUP)), {SKU, GROUP}),
        (
            ProductMix(
                parts=(
                    MixPart(products=products(groups=["g"]), quantity=1),
                    MixPart(products=products(skus=["s"]), quantity=1),
                )
            ),
            {SKU},
        ),
    ],
)
def test_required_keys(condition: Condition, keys: set[Key]) -> None:
    assert required_keys(condition) == keys


@pytest.mark.parametrize(
    ("choices", "chosen"),
    [
        ([], set()),
        ([set(), set()], set()),
        ([set(), {("region", "r")}], {("region", "r")}),
        ([{("store", "s")}, {SKU}, {GROUP}], {SKU}),
        ([{SKU}, {CODE}], {CODE}),
        ([{SKU, ("sku", "t")}, {("sku", "u")}], {("sku", "u")}),
        ([{CODE, GROUP}, {SKU}], {SKU}),
    ],
)
def test_the_rarest_keys_are_chosen(choices: list[set[Key]], chosen: set[Key]) -> None:
    assert rarest(map(frozenset, choices)) == chosen
