"""Benefits against arithmetic done one unit at a time, in fractions."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from hypothesis import given, settings
from hypothesis import strategies as st

from services.evaluator.promotion import decide
from shared.events.benefits import (
    AmountOff,
    Benefit,
    BuyGet,
    CheapestFree,
    FixedPrice,
    PercentOff,
)
from shared.events.checkout import CartLine
from tests.builders import all_free, basket, campaign, instrument, plain_line, products, ruleset

few = settings(max_examples=60, deadline=None)
A, B = products(groups=["a"]), products(groups=["b"])


@dataclass(frozen=True)
class Unit:
    """One piece: what it costs, the order it is taken in, and its group."""

    line: int
    worth: Fraction
    price: int
    group: str | None


@st.composite
def pieces(draw: st.DrawFn) -> list[CartLine]:
    return [
        plain_line(
            n,
            amount=draw(st.integers(0, 60)) * count,
            quantity=count * 1_000,
            group=draw(st.sampled_from(["a", "b"])),
        )
        for n, count in enumerate(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)), 1)
    ]


def units(goods: Sequence[CartLine], group: str | None = None) -> list[Unit]:
    return [
        Unit(x.line, Fraction(x.amount * 1_000, x.quantity), x.price, x.group)
        for x in goods
        for _ in range(x.quantity // 1_000)
        if group in {None, x.group}
    ]


def cheapest(found: Sequence[Unit]) -> list[Unit]:
    return sorted(found, key=lambda unit: (unit.price, unit.line))


def dearest(found: Sequence[Unit]) -> list[Unit]:
    return sorted(found, key=lambda unit: (-unit.price, unit.line))


def half_up(exact: Fraction) -> int:
    return floor(exact + Fraction(1, 2))


def discount(goods: Sequence[CartLine], benefit: Benefit) -> int:
    rules = ruleset(campaign(instruments=[instrument(benefit=benefit)]))
    return decide(basket(goods), rules, all_free).discount


@few
@given(
    pieces(), st.integers(1, 10_000), st.integers(1, 9), st.sampled_from(["cheapest", "dearest"])
)
def test_a_percentage_of_some_units(
    goods: list[CartLine], percent: int, most: int, pick: str
) -> None:
    taken = (cheapest if pick == "cheapest" else dearest)(units(goods))[:most]
    benefit = PercentOff.model_validate(
        {"percent": percent, "max_units": most * 1_000, "pick": pick}
    )
    exact = sum((unit.worth for unit in taken), Fraction(0)) * percent / 10_000
    assert discount(goods, benefit) == half_up(exact)


@few
@given(pieces(), st.integers(1, 80), st.integers(1, 9))
def test_an_amount_off_some_units(goods: list[CartLine], amount: int, most: int) -> None:
    taken = cheapest(units(goods))[:most]
    benefit = AmountOff(amount=amount, per_unit=True, max_units=most * 1_000)
    # What does not fit on one line moves to the others.
    room = sum((unit.worth for unit in taken), Fraction(0))
    assert discount(goods, benefit) == min(amount * len(taken), room)


@few
@given(pieces(), st.integers(0, 80), st.integers(1, 9))
def test_a_price_for_some_units(goods: list[CartLine], price: int, most: int) -> None:
    taken = dearest(units(goods))[:most]
    saved = sum((max(Fraction(0), unit.worth - price) for unit in taken), Fraction(0))
    assert discount(goods, FixedPrice(price=price, max_units=most * 1_000)) == saved


@few
@given(pieces(), st.integers(0, 200), st.integers(1, 4), st.integers(1, 12))
def test_a_price_for_sets(goods: list[CartLine], price: int, size: int, most: int) -> None:
    taken = dearest(units(goods))[:most]
    saved = Fraction(0)
    for first in range(0, len(taken) - size + 1, size):
        one = taken[first : first + size]
        saved += max(Fraction(0), sum((unit.worth for unit in one), Fraction(0)) - price)
    benefit = FixedPrice(price=price, units=size * 1_000, max_units=most * 1_000)
    assert discount(goods, benefit) == saved


@few
@given(pieces(), st.integers(2, 5), st.integers(1, 10_000), st.none() | st.integers(1, 3))
def test_the_cheapest_of_some(
    goods: list[CartLine], of: int, percent: int, most: int | None
) -> None:
    found = cheapest(units(goods))
    free = len(found) // of if most is None else min(most, len(found) // of)
    exact = sum((unit.worth for unit in found[:free]), Fraction(0)) * percent / 10_000
    benefit = CheapestFree(of=of * 1_000, percent=percent, max_times=most)
    assert discount(goods, benefit) == half_up(exact)


@few
@given(pieces(), st.integers(1, 3), st.integers(1, 3))
def test_rewards_of_the_same_products(goods: list[CartLine], buy: int, get: int) -> None:
    found = cheapest(units(goods))
    free = found[: len(found) // (buy + get) * get]
    exact = sum((unit.worth for unit in free), Fraction(0))
    assert discount(goods, BuyGet(buy=buy * 1_000, get=get * 1_000)) == exact


@few
@given(pieces(), st.integers(1, 3), st.integers(1, 3), st.sampled_from(["a", "b", None]))
def test_rewards_of_other_products(
    goods: list[CartLine], buy: int, get: int, of: str | None
) -> None:
    """``of`` None: everything is bought, what is of group b is rewarded, too."""
    rewards, everything = cheapest(units(goods, "b")), units(goods, of)
    times = 0
    while True:
        free = rewards[: (times + 1) * get]
        overlap = len(free) if of != "a" else 0
        if len(everything) - overlap < (times + 1) * buy:
            break
        times += 1
    exact = sum((unit.worth for unit in rewards[: times * get]), Fraction(0))
    bought = {"a": A, "b": B, None: products()}[of]
    benefit = BuyGet(buy=buy * 1_000, get=get * 1_000, products=bought, rewards=B)
    assert discount(goods, benefit) == exact
