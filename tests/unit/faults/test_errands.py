"""A seed is also what tills do and what the network does to their messages."""

from collections import Counter

from tests.faults.errands import RECEIPTS, errand, fate


def test_an_errand_is_the_same_every_time() -> None:
    assert errand(1, 5) == errand(1, 5)
    assert errand(1, 5) != errand(2, 5)
    assert fate(1, "r-1-s", 0) == fate(1, "r-1-s", 0)


def test_all_that_a_till_can_do_is_done_in_a_run() -> None:
    errands = [errand(1, number) for number in range(RECEIPTS)]
    assert {one.end for one in errands} == {
        "sale",
        "cancel",
        "abandon",
        "late",
        "offline",
        "cart after",
    }
    assert {one.brings_back for one in errands} == {"nothing", "all", "a piece"}
    assert {len(one.baskets) for one in errands} == {1, 2, 3}


def test_a_piece_comes_back_alone_and_with_its_rest_decided_again_or_not() -> None:
    errands = [errand(seed, number) for seed in (1, 2) for number in range(RECEIPTS)]
    pieces = [one for one in errands if one.brings_back == "a piece"]
    assert {one.comes_again for one in pieces} == {one.reprices for one in pieces} == {False, True}


def test_nobody_waits_for_the_end_of_a_hold_in_the_second_half() -> None:
    ends = {errand(1, number).end for number in range(RECEIPTS // 2 + 1, RECEIPTS)}
    assert not ends & {"abandon", "late"}


def test_messages_come_twice_late_and_both() -> None:
    fates = Counter(len(fate(1, f"e-{n}", 0).delays) for n in range(1_000))
    assert fates[1] > 800
    assert fates[2] > 80
    first = [fate(1, f"e-{n}", 0).delays[0] for n in range(1_000)]
    assert 50 < sum(delay > 0 for delay in first) < 200
