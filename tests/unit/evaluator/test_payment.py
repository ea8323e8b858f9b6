"""Payment with bonus points: how much may be paid, and that returns give it back to the point."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.evaluator.account import Account, Lot, account_of
from services.evaluator.payment import Payment, hold, payable, refund, release, spend
from tests.builders import utc

NOW = utc(2026, 12, 10, 12)
DAY = timedelta(days=1)
SOON = NOW + timedelta(minutes=15)
ALL = 10**6
NOTHING = Payment("R1", "C1", "store-1")


def account(*points: int) -> Account:
    """Lots named a, b, …: each younger and ending later than the one before."""
    return account_of(
        "C1",
        [
            Lot(f"b-{'abc'[n]}", "camp", of, NOW + (n - 9) * DAY, NOW + (n + 1) * DAY)
            for n, of in enumerate(points)
        ],
    )


@pytest.mark.parametrize(
    ("available", "share", "to_pay", "expected"),
    [
        (10_000, 5_000, 999, 499),
        (300, 5_000, 1_000, 300),
        (300, 0, 1_000, 0),
        (300, 10_000, 200, 200),
        (0, 10_000, 200, 0),
    ],
)
def test_at_most_a_share_of_what_is_to_pay_rounded_down(
    available: int, share: int, to_pay: int, expected: int
) -> None:
    assert payable(available, share, to_pay) == expected


def test_a_hold_is_spent_at_the_store() -> None:
    now, held, _ = hold(account(100), NOTHING, 60, SOON, NOW)
    assert (held.status, held.points, held.expires_at) == ("held", 60, SOON)
    now, paid, [spent] = spend(now, held, 60, NOW, NOW)
    assert (paid.status, paid.points, paid.expires_at) == ("spent", 60, None)
    assert [(e.account, e.points) for e in spent.entries] == [
        ("customer/C1", -60),
        ("store/store-1", 60),
    ]
    assert [lot.points for lot in now.lots] == [40]


def test_less_than_was_held_may_be_spent_and_more_if_it_is_there() -> None:
    held = hold(account(100), NOTHING, 60, SOON, NOW)
    less, paid, _ = spend(*held[:2], 20, NOW, NOW)
    assert (paid.points, [(lot.points, lot.held) for lot in less.lots]) == (20, [(80, 0)])
    more, paid, _ = spend(*held[:2], 500, NOW, NOW)
    assert (paid.points, [(lot.points, lot.held) for lot in more.lots]) == (100, [(0, 0)])


def test_a_sale_after_its_hold_pays_with_what_is_free() -> None:
    now, held, _ = hold(account(100), NOTHING, 60, SOON, NOW)
    now, expired, _ = release(now, held, "expired", SOON)
    assert (expired.status, expired.points) == ("expired", 0)
    now, _, _ = hold(now, Payment("R2", "C1", "store-1"), 70, SOON, NOW)
    assert spend(now, expired, 60, NOW, NOW)[1].points == 30


def test_nothing_there_is_nothing_paid() -> None:
    now, paid, movements = spend(account(), NOTHING, 60, NOW, NOW)
    assert (now, paid, movements) == (account(), NOTHING, [])


def test_no_more_points_come_back_than_are_refunded() -> None:
    """A gift that is kept was withheld from an earlier refund: its share of points is not made up for."""
    now, paid, _ = spend(account(500), NOTHING, 500, NOW, NOW)
    now, paid, _ = refund(now, paid, 600, 1_000, "t1", NOW, NOW, most=200)
    now, paid, _ = refund(now, paid, 700, 1_000, "t2", NOW, NOW, most=100)
    assert paid.refunded == 300


def test_the_youngest_points_come_back_first_with_the_time_that_they_had() -> None:
    now, paid, _ = spend(account(10, 10, 10), NOTHING, 25, NOW, NOW)
    later = NOW + 100 * DAY
    now, paid, movements = refund(now, paid, 400, 1_000, "t1", later, later, ALL)
    back = [(m.entry.points, m.entry.active_at, m.entry.expires_at) for m in movements]
    assert back[:2] == [(5, later, later + 3 * DAY), (5, later, later + 2 * DAY)]
    assert [m.entry.kind for m in movements[2:]] == ["expiry"]  # what had not been paid with
    now, paid, _ = refund(now, paid, 1_000, 1_000, "t2", later, later, ALL)
    assert (paid.status, paid.refunded) == ("returned", 25)
    assert sum(lot.points for lot in now.lots) == 25


@given(
    points=st.integers(1, 500),
    lots=st.lists(st.integers(1, 200), min_size=1, max_size=3),
    shares=st.lists(st.integers(1, 300), min_size=1, max_size=6),
)
def test_parts_give_back_what_all_at_once_does(
    points: int, lots: list[int], shares: list[int]
) -> None:
    now, paid, _ = spend(account(*lots), NOTHING, points, NOW, NOW)
    total, refunded = sum(shares), 0
    for n, share in enumerate(shares):
        refunded += share
        now, paid, _ = refund(now, paid, refunded, total, f"t{n}", NOW, NOW, ALL)
        assert abs(paid.refunded * total - paid.points * refunded) * 2 <= total
    assert paid.refunded == paid.points
    assert sum(lot.points for lot in now.lots) == sum(lots)
