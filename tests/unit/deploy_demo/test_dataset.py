"""Recorded redemptions find their baskets; dates move by whole weeks."""

from datetime import UTC, date, datetime, timedelta

from deploy.demo.dataset import Basket, Presented, present, whole_weeks

COUPON = Presented(18, 10000085476)


def basket(number: int = 1, *, at: datetime, household: int = 7, couponed: bool = True) -> Basket:
    return Basket(number, household, 367, at, 0, 1, couponed)


def redeemed(
    day: date, *coupons: Presented, household: int = 7
) -> list[tuple[int, date, Presented]]:
    return [(household, day, coupon) for coupon in coupons]


def test_a_coupon_is_presented_on_the_households_couponed_basket_of_that_day() -> None:
    late = datetime(2017, 11, 2, 3, 0, tzinfo=UTC)  # 1 November, 23:00 in the stores
    plain = basket(1, at=late, couponed=False)
    couponed = basket(2, at=late)
    found, unmatched = present(redeemed(date(2017, 11, 1), COUPON), [plain, couponed])
    assert (found, unmatched) == ({2: [COUPON]}, 0)


def test_a_redemption_without_such_a_basket_is_counted() -> None:
    other = basket(1, at=datetime(2017, 11, 1, 18, tzinfo=UTC), household=8)
    found, unmatched = present(redeemed(date(2017, 11, 1), COUPON), [other])
    assert (found, unmatched) == ({}, 1)


def test_a_basket_presents_nine_coupons_at_most_and_the_next_basket_the_rest() -> None:
    noon = datetime(2017, 11, 1, 17, tzinfo=UTC)
    two = [basket(1, at=noon), basket(2, at=noon + timedelta(hours=1))]
    coupons = [Presented(18, number) for number in range(10)]
    found, unmatched = present(redeemed(date(2017, 11, 1), *coupons), two)
    assert ({key: len(some) for key, some in found.items()}, unmatched) == ({1: 9, 2: 1}, 0)


def test_a_coupon_is_presented_once_on_a_basket() -> None:
    one = basket(1, at=datetime(2017, 11, 1, 18, tzinfo=UTC))
    found, unmatched = present(redeemed(date(2017, 11, 1), COUPON, COUPON), [one])
    assert (found, unmatched) == ({1: [COUPON]}, 1)


def test_the_last_sale_comes_as_late_as_whole_weeks_allow_but_not_after_now() -> None:
    last = datetime(2018, 1, 1, 4, 1, 20, tzinfo=UTC)
    now = datetime(2026, 11, 23, 0, 38, tzinfo=UTC)
    shift = whole_weeks(last, now)
    assert shift % timedelta(weeks=1) == timedelta(0)
    assert last + shift < now < last + shift + timedelta(weeks=1, minutes=2)
