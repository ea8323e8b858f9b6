"""What is free of a limit: in all, of money, and of the last N days."""

from datetime import UTC, datetime, timedelta

import pytest

from services.evaluator.counters import (
    Counter,
    Counters,
    Taken,
    counts_money,
    minute_of,
    rolling_days,
)
from services.evaluator.promotion.limits import Limit

ROLLING = "c/i/~customer=C1@30d"
T = datetime(2026, 12, 10, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def rolling(at: datetime, cap: int = 10) -> Limit:
    return Limit(ROLLING, cap, since=at - 30 * DAY)


@pytest.mark.parametrize(
    ("limit_id", "money", "days"),
    [
        ("c/i", False, None),
        ("c/money", False, None),
        ("c/i/money", False, None),
        ("c/i/code@30d", False, 30),
        ("c/i/~customer.day=C17,2026-12-05", False, None),
        ("c/i/~customer=money@2026-12-01", False, None),
        ("c/i/~money", True, None),
        ("c/~money", True, None),
        ("c/i/~customer.money=C17@7d", True, 7),
        ("c/i/~money@2026-12-01", True, None),
        ("code:00d", False, None),
    ],
)
def test_an_id_tells_what_is_counted(limit_id: str, money: bool, days: int | None) -> None:
    assert (counts_money(limit_id), rolling_days(limit_id)) == (money, days)


def test_what_is_held_and_used_is_not_free() -> None:
    counters = Counters({"c/i": Counter(cap=10)})
    counters.move([Taken("c/i", 3)], held=1)
    counters.move([Taken("c/i", 4)], used=1)
    assert counters.free(Limit("c/i", 10)) == 3
    counters.move([Taken("c/i", 3)], held=-1)
    counters.move([Taken("c/i", 4)], used=-1)
    assert counters.free(Limit("c/i", 10)) == 10
    assert counters.changed == {"c/i"}


def test_the_cap_is_that_of_the_rules_it_is_asked_by() -> None:
    counters = Counters({"c/i": Counter(cap=10, used=6)})
    assert counters.free(Limit("c/i", 8)) == 2
    assert counters.free(Limit("c/i", 5)) == -1


def test_a_limit_never_met_is_untouched() -> None:
    assert Counters({}).free(Limit("c/i", 7)) == 7
    assert Counters({}).free(rolling(T)) == 10


@pytest.mark.parametrize(("amount", "fits"), [(3, True), (4, True), (5, False)])
def test_there_is_room_for_a_whole_amount_or_none(amount: int, fits: bool) -> None:
    counters = Counters({"c/i/~money": Counter(cap=10, used=6), "c/i": Counter(cap=1)})
    assert counters.has_room([Taken("c/i", 1), Taken("c/i/~money", amount)], None) is fits


def test_taking_nothing_needs_no_room() -> None:
    counters = Counters({"c/i/~money": Counter(cap=10, used=12)})
    assert counters.has_room([Taken("c/i/~money", 0)], None)


@pytest.mark.parametrize(
    ("later", "free"),
    [
        (timedelta(), 6),
        (30 * DAY - SECOND, 6),
        (30 * DAY, 10),  # what was used at ``since`` is out
        (30 * DAY + SECOND, 10),
    ],
)
def test_a_use_leaves_a_rolling_limit_after_its_days(later: timedelta, free: int) -> None:
    counters = Counters({ROLLING: Counter(cap=10)})
    counters.move([Taken(ROLLING, 4)], used=1, at=T)
    assert counters.free(rolling(T + later)) == free


def test_uses_of_a_minute_leave_at_its_end() -> None:
    counters = Counters({ROLLING: Counter(cap=10)})
    for second in (1, 20, 59):
        counters.move([Taken(ROLLING, 1)], used=1, at=T + second * SECOND)
    assert counters.moved == {(ROLLING, T + timedelta(minutes=1)): 3}
    assert counters.free(rolling(T + 30 * DAY + 59 * SECOND)) == 7
    assert counters.free(rolling(T + 30 * DAY + 60 * SECOND)) == 10


def test_a_whole_minute_is_its_own_end() -> None:
    assert minute_of(T) == T
    assert minute_of(T + timedelta(microseconds=1)) == T + timedelta(minutes=1)


def test_later_uses_count_for_a_late_event_too() -> None:
    """Else five late ones and five that came before them could be ten within the same days."""
    counters = Counters({ROLLING: Counter(cap=10)})
    counters.move([Taken(ROLLING, 8)], used=1, at=T)
    assert counters.free(rolling(T - 29 * DAY)) == 2
    assert counters.free(rolling(T - 300 * DAY)) == 2


def test_no_window_ever_holds_more_than_the_cap_in_whatever_order_events_come() -> None:
    counters = Counters({ROLLING: Counter(cap=5)})
    let_in = []
    for n in range(400):
        at = T + timedelta(hours=n * 379 % (90 * 24))
        if counters.free(rolling(at, 5)) >= 1:
            counters.move([Taken(ROLLING, 1)], used=1, at=at)
            let_in.append(at)
    fullest = max(sum(1 for at in let_in if end - 30 * DAY < at <= end) for end in let_in)
    assert fullest == 5


def test_a_hold_counts_in_every_window() -> None:
    counters = Counters({ROLLING: Counter(cap=10, held=3)})
    assert counters.free(rolling(T)) == 7


def test_a_use_that_is_given_back_is_taken_out_of_its_minute() -> None:
    counters = Counters({ROLLING: Counter(cap=10)})
    counters.move([Taken(ROLLING, 4)], used=1, at=T + SECOND)
    counters.move([Taken(ROLLING, 4)], used=-1, at=T + SECOND)
    assert counters.free(rolling(T)) == 10
    assert set(counters.moved.values()) == {0}


def test_a_rolling_limit_is_used_at_some_time() -> None:
    with pytest.raises(ValueError, match="at some time"):
        Counters({ROLLING: Counter(cap=1)}).move([Taken(ROLLING, 1)], used=1)


def test_uses_that_were_not_loaded_are_not_guessed() -> None:
    counters = Counters({ROLLING: Counter(cap=10, known_since=T - 30 * DAY)})
    assert counters.free(rolling(T)) == 10
    with pytest.raises(ValueError, match="uses are known after"):
        counters.free(rolling(T - SECOND))


@pytest.mark.parametrize(("since_days", "free"), [(30, 1), (20, 3), (10, 6), (0, 6)])
def test_each_cart_of_a_batch_has_a_window_of_its_own(since_days: int, free: int) -> None:
    uses = {T - 25 * DAY: 2, T - 15 * DAY: 3}
    counters = Counters({ROLLING: Counter(cap=10, recent=4, uses=uses)})
    limit = Limit(ROLLING, 10, since=T - since_days * DAY)
    assert counters.free(limit) == free
