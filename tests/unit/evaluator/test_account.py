"""A bonus account: what is active, held, owed and over, and that its entries say the same."""

from datetime import timedelta

import pytest

from services.evaluator import account as accounts
from services.evaluator.account import Account, Lot, account_of, available, balance, settled
from services.evaluator.bonuses import Cause, Movement, span
from tests.builders import utc

NOW = utc(2026, 12, 10, 12)
DAY = timedelta(days=1)
CAUSE = Cause(occurred_at=NOW)


def lot(name: str = "b-1", points: int = 100, *, active: int = -10, ends: int | None = None) -> Lot:
    """Points that are active since ten days ago for ever, unless said otherwise (days from now)."""
    expires_at = None if ends is None else NOW + ends * DAY
    return Lot(name, "camp", points, NOW + active * DAY, expires_at, returnable=points)


def of(*lots: Lot, debt: int = 0) -> Account:
    return account_of("C1", lots, debt)


def remaining(account: Account) -> dict[str, int]:
    return {one.lot_id: one.points for one in account.lots if one.points}


def told(movements: list[Movement]) -> list[tuple[str, str, int]]:
    return [(m.entry.kind, m.entry.entry_id, m.entry.points) for m in movements]


def held_of(account: Account, wanted: int) -> tuple[Account, accounts.Parts]:
    account, parts, _ = accounts.hold(account, wanted, NOW)
    return account, parts


def take_back(account: Account, name: str, points: int) -> tuple[Account, list[Movement]]:
    return accounts.take_back(account, name, points, "t-1", CAUSE, NOW)


def test_points_can_be_spent_after_their_delay_until_their_end() -> None:
    assert span(NOW, 3, 30) == (NOW + 3 * DAY, NOW + 33 * DAY)
    assert span(NOW, 0, None) == (NOW, None)
    account = of(lot(active=3, ends=33))
    assert [available(account, NOW + n * DAY) for n in (0, 2, 3, 32, 33)] == [0, 0, 100, 100, 0]


def test_an_accrual_is_owed_by_the_campaign() -> None:
    account, movements = accounts.accrue(of(), lot("b-2", 50, active=1), CAUSE, NOW)
    assert told(movements) == [("accrual", "b-2", 50)]
    assert [(e.account, e.points) for e in movements[0].entries] == [
        ("customer/C1", 50),
        ("campaign/camp", -50),
    ]
    assert (balance(account, NOW), balance(account, NOW + DAY)) == (0, 50)


def test_the_oldest_is_spent_first_and_of_equals_what_ends_first() -> None:
    young = lot("b-0", 10, active=-1, ends=1)
    endless, ending = lot("b-1", 10), lot("b-2", 10, ends=90)
    account, parts = held_of(of(young, endless, ending), 15)
    assert [(part.lot_id, part.points) for part in parts] == [("b-2", 10), ("b-1", 5)]
    assert remaining(accounts.spend(account, parts)) == {"b-1": 5, "b-0": 10}


def test_what_is_not_spent_in_time_goes_back_to_its_campaign_once() -> None:
    account, movements = settled(of(lot(ends=0)), NOW)
    assert told(movements) == [("expiry", "x-b-1", -100)]
    assert movements[0].against == "campaign/camp"
    assert movements[0].entry.occurred_at == NOW
    assert settled(account, NOW + DAY) == (account, [])


def test_what_is_held_does_not_expire_before_its_hold_ends() -> None:
    account, parts = held_of(of(lot(ends=1)), 40)
    later = NOW + 2 * DAY
    account, movements = settled(account, later)
    assert told(movements) == [("expiry", "x-b-1-40", -60)]
    assert remaining(accounts.spend(account, parts)) == {}
    account, movements = accounts.release(account, parts, later)
    assert told(movements) == [("expiry", "x-b-1", -40)]
    assert balance(account, later) == 0


def test_a_hold_is_kept_when_the_cart_is_decided_again_after_the_end_of_its_points() -> None:
    account, parts = held_of(of(lot(ends=1)), 40)
    later = NOW + 2 * DAY
    account, again, movements = accounts.hold(account, 30, later, parts)
    assert (accounts.amount(again), accounts.held(account)) == (30, 30)
    assert told(movements) == [("expiry", "x-b-1-30", -70)]


def test_a_hold_gets_what_there_is() -> None:
    account, parts = held_of(of(lot(points=30), lot("b-2", active=1)), 100)
    assert accounts.amount(parts) == 30
    assert (available(account, NOW), balance(account, NOW)) == (0, 30)
    assert held_of(account, 1)[1] == ()


def test_a_take_back_takes_of_its_own_lot_first_then_of_the_oldest() -> None:
    account, movements = take_back(of(lot("b-1", 50), lot("b-2", 50), lot("b-3", 50)), "b-3", 40)
    assert remaining(account) == {"b-1": 50, "b-2": 50, "b-3": 10}
    assert told(movements) == [("take_back", "t-1", -40)]
    spent = of(lot("b-1", 50), Lot("b-3", "camp", 0, NOW, returnable=50))
    assert remaining(take_back(spent, "b-3", 20)[0]) == {"b-1": 30}


def test_points_are_taken_back_before_they_are_active_but_only_those_that_the_sale_had_earned() -> (
    None
):
    own, other = lot("b-1", 50, active=3), lot("b-2", 50, active=2)
    account, _ = take_back(of(own, other), "b-1", 80)
    assert remaining(account) == {"b-2": 50}
    assert account.debt == 0


def test_a_take_back_may_leave_a_negative_balance_that_points_pay_once_active() -> None:
    spent = Lot("b-1", "camp", 0, NOW, returnable=50)
    account, _ = take_back(of(spent, lot("b-2", 30, active=2)), "b-1", 50)
    assert (balance(account, NOW), available(account, NOW)) == (-50, 0)
    assert balance(account, NOW + 2 * DAY) == -20
    account, movements = accounts.accrue(account, lot("b-3", 60, active=1), CAUSE, NOW)
    account, paid = settled(account, NOW + 3 * DAY)
    assert told([*movements, *paid]) == [("accrual", "b-3", 60)]  # paying a debt moves nothing
    assert (remaining(account), account.debt) == ({"b-2": 30, "b-3": 10}, 0)


def test_a_debt_is_paid_by_points_before_they_can_expire() -> None:
    account, movements = settled(of(lot(active=1, ends=5), debt=60), NOW + 9 * DAY)
    assert (account.debt, told(movements)) == (0, [("expiry", "x-b-1", -40)])


def test_what_has_expired_is_not_taken_back_again() -> None:
    account, _ = settled(of(lot(ends=0)), NOW)
    assert take_back(account, "b-1", 100) == (account, [])
    account, parts = held_of(of(lot(ends=1)), 30)
    account, _ = settled(accounts.spend(account, parts), NOW + DAY)
    assert take_back(account, "b-1", 100)[0].debt == 30


def test_what_is_held_is_left_to_its_receipt_by_a_take_back() -> None:
    account, parts = held_of(of(lot()), 70)
    account, _ = take_back(account, "b-1", 100)
    assert (account.debt, accounts.held(account), available(account, NOW)) == (70, 70, 0)
    released, _ = accounts.release(account, parts, NOW)
    assert (released.debt, remaining(released)) == (0, {})
    assert balance(accounts.spend(account, parts), NOW) == -70


def test_a_redemption_that_gave_no_points_has_none_to_take_back() -> None:
    assert take_back(of(lot()), "b-9", 10) == (of(lot()), [])


@pytest.mark.parametrize("points", [0, 5, 10, 25])
def test_parts_are_divided_to_the_point(points: int) -> None:
    parts = (accounts.Part("a", "c", 10, None), accounts.Part("b", "c", 10, None))
    first, rest = accounts.divided(parts, points)
    assert accounts.amount(first) == min(points, 20)
    assert accounts.amount(first) + accounts.amount(rest) == 20
