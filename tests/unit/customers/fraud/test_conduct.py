"""Windows over what a subject did: exact by ten minutes and by day, whatever order facts come in, and bounded."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.customers.fraud import conduct as conducts
from services.customers.fraud.conduct import (
    DAY_S,
    KEPT_DAYS,
    KEPT_SLOTS,
    MOST_MARKS,
    MOST_PARTIES,
    SLOT_S,
    Conduct,
    Signal,
    Subject,
)

ANNA = Subject("customer", "anna")
START = 20_000 * DAY_S
TIMES = st.lists(st.integers(START, START + DAY_S - 1), min_size=1, max_size=30)


def told(at: int, subject: Subject = ANNA, party: int | None = None) -> Signal:
    """A receipt with a code."""
    return Signal(subject, at, f"r-{at}", {"code_receipts": 1, "discount": 250}, party)


def conduct_of(*times: int, subject: Subject = ANNA) -> Conduct:
    """The conduct after receipts at these times."""
    found = Conduct()
    for at in times:
        conducts.add(found, told(at, subject))
    return found


@given(TIMES, st.integers(1, KEPT_SLOTS), st.randoms())
def test_a_window_counts_what_is_in_its_ten_minutes_in_any_order(
    times: list[int], slots: int, order: Random
) -> None:
    end = max(times)
    order.shuffle(times)
    found = conduct_of(*times)
    expected = sum(end // SLOT_S - slots < at // SLOT_S <= end // SLOT_S for at in times)
    assert conducts.total(found, "code_receipts", end, slots * SLOT_S) == expected
    assert conducts.total(found, "discount", end, slots * SLOT_S) == 250 * expected


@given(st.lists(st.integers(START, START + 20 * DAY_S), min_size=1, max_size=30), st.randoms())
def test_the_sums_are_the_same_in_any_order(times: list[int], order: Random) -> None:
    straight = conduct_of(*sorted(times))
    order.shuffle(times)
    shuffled = conduct_of(*times)
    assert (shuffled.latest, shuffled.days, shuffled.slots) == (
        straight.latest,
        straight.days,
        straight.slots,
    )


def test_longer_windows_go_by_whole_days() -> None:
    found = conduct_of(START, START + DAY_S, START + 6 * DAY_S)
    assert conducts.total(found, "code_receipts", START + 6 * DAY_S, 7 * DAY_S) == 3
    assert conducts.total(found, "code_receipts", START + 7 * DAY_S, 7 * DAY_S) == 2
    assert conducts.busy_days(found, "code_receipts", START + 6 * DAY_S, 7 * DAY_S) == 3


def test_what_is_kept_is_bounded() -> None:
    found = Conduct()
    for n in range(3_000):
        conducts.add(found, told(START + n * 3_600, party=n))
    assert len(found.slots) <= KEPT_SLOTS
    assert len(found.days) <= KEPT_DAYS
    assert len(found.parties) <= MOST_PARTIES
    assert len(found.marks) == MOST_MARKS


def test_what_comes_too_late_counts_nowhere() -> None:
    found = conduct_of(START + KEPT_DAYS * DAY_S, START)
    assert conducts.total(found, "code_receipts", START, 28 * DAY_S) == 0


def test_stores_and_cashiers_are_counted_by_day_only() -> None:
    found = conduct_of(START + 5, subject=Subject("store", "s"))
    assert found.slots == {}
    assert conducts.total(found, "code_receipts", START + DAY_S - 1, 3_600) == 1


def test_it_is_read_as_it_was_packed() -> None:
    found = conduct_of(START, START + 700)
    assert conducts.unpack(conducts.pack(found)) == found


def test_parties_are_met_again_within_their_days() -> None:
    found = Conduct()
    for day, party in ((0, 1), (0, 1), (1, 2), (1, 2), (1, 2)):
        conducts.add(found, told(START + day * DAY_S, party=party), new=party == 2)
    end = START + DAY_S
    assert conducts.parties_met(found, end, DAY_S) == 1
    assert conducts.parties_met(found, end, 7 * DAY_S) == 2
    assert conducts.newcomers_met(found, end, 7 * DAY_S) == 1
    assert (conducts.meetings(found, 2, end), conducts.meetings(found, 1, end)) == (3, 0)


def test_the_party_that_is_met_often_is_not_forgotten_for_many_met_once() -> None:
    found = Conduct()
    for n in range(200):
        conducts.add(found, told(START + n, party=1_000_000 if n % 5 == 0 else n))
    assert conducts.meetings(found, 1_000_000, START) == 40


def test_evidence_is_the_latest_receipts_of_the_measure_newest_first() -> None:
    found = conduct_of(START, START + 60)
    conducts.add(found, Signal(ANNA, START + 90, "other", {"returns": 1}))
    receipts = conducts.receipts_of(found, ["code_receipts"], START - 1, START + 90)
    assert receipts == [f"r-{START + 60}", f"r-{START}"]
