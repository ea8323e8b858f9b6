"""Groups that are bought together, against figures reckoned by hand."""

from collections import Counter
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from services.customers.cross_sell import pairs as core
from services.customers.cross_sell.pairs import FEWEST_TOGETHER, Baskets, Pair


def baskets_of(*groups: tuple[str, ...]) -> Baskets:
    baskets = Baskets()
    for one in groups:
        baskets.add(one)
    return baskets


def test_support_confidence_and_lift_are_those_of_the_textbook() -> None:
    # 20 receipts: tea on 8, biscuits on 10, both on 6. By chance it would be 8 × 10 / 20 = 4.
    baskets = baskets_of(
        *[("tea", "biscuits")] * 6,
        *[("tea", "milk")] * 2,
        *[("biscuits",)] * 4,
        *[("milk",)] * 8,
    )
    [pair] = baskets.pairs()
    assert pair == Pair("biscuits", "tea", together=6, of_first=10, of_second=8, receipts=20)
    assert pair.support == 3_000
    assert pair.confidence("tea") == 7_500
    assert pair.confidence("biscuits") == 6_000
    assert pair.lift == 150


def test_a_group_counts_once_on_a_receipt_and_lines_without_a_group_do_not() -> None:
    baskets = baskets_of(*[("tea", "tea", "", "milk")] * FEWEST_TOGETHER)
    [pair] = baskets.pairs()
    assert (pair.first, pair.second, pair.together) == ("milk", "tea", FEWEST_TOGETHER)
    assert baskets.of_groups() == {"tea": FEWEST_TOGETHER, "milk": FEWEST_TOGETHER}
    assert baskets.receipts == FEWEST_TOGETHER


def test_what_few_share_is_left_out_and_nothing_comes_of_nothing() -> None:
    assert baskets_of(*[("tea", "milk")] * (FEWEST_TOGETHER - 1)).pairs() == []
    assert Baskets().pairs() == []
    assert baskets_of((), ("",)).pairs() == []


def test_pairs_are_looked_for_among_the_groups_on_the_most_receipts() -> None:
    many = core.MOST_GROUPS
    everyday = tuple(f"g{n:04}" for n in range(many))
    rare = ("rare-1", "rare-2")
    baskets = baskets_of(*[everyday] * 6, *[rare] * 5)
    found = baskets.pairs()
    assert len(found) == many * (many - 1) // 2
    assert not any({pair.first, pair.second} & set(rare) for pair in found)


groups = st.sampled_from(("a", "b", "c", "d", "e"))


@given(st.lists(st.sets(groups, max_size=4), max_size=40))
def test_pairs_are_those_that_counting_them_one_by_one_finds(receipts: list[set[str]]) -> None:
    counted = Counter(pair for one in receipts for pair in combinations(sorted(one), 2))
    found = baskets_of(*[tuple(one) for one in receipts]).pairs()
    assert {(pair.first, pair.second): pair.together for pair in found} == {
        pair: count for pair, count in counted.items() if count >= FEWEST_TOGETHER
    }
    assert [pair.together for pair in found] == sorted(
        (pair.together for pair in found), reverse=True
    )
