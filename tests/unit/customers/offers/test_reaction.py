"""What codes that come, receipts and returns make of offers, in whichever order they are read."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.customers.messages import (
    CodeIssued,
    Receipt,
    Redemption,
    Returned,
    ReturnedRedemption,
)
from services.customers.offers import life
from services.customers.offers.life import Record
from services.customers.offers.reaction import Book, releases, uses
from tests.unit.customers.offers import test_life as lives
from tests.unit.customers.offers.examples import DAY, NOON, policy
from tests.unit.customers.offers.test_sales import receipt, returned

LATER = NOON + timedelta(hours=1)


def paid(**fields: Any) -> Receipt:
    """With a code of the offer's emission that gave 20.00, by two instruments."""
    values: dict[str, Any] = {
        "customer_id": "c-1",
        "occurred_at": LATER,
        "redemptions": (
            Redemption("camp", "i1", "committed", 1_500, 0, "e5"),
            Redemption("camp", "i2", "committed", 500, 0, "e5"),
            Redemption("camp", "i3", "committed", 100, 0, None),
            Redemption("camp", "i4", "unauthorised", 100, 0, "e9"),
        ),
    }
    return receipt(**(values | fields))


def brought_back(**fields: Any) -> Returned:
    values: dict[str, Any] = {
        "customer_id": "c-1",
        "redemptions": (
            ReturnedRedemption("camp", "i1", "returned", True, 2_000, 0, "e5"),
            ReturnedRedemption("camp", "i2", "committed", False, 10, 0, "e7"),
        ),
    }
    return returned(**(values | fields))


def issued(**fields: Any) -> CodeIssued:
    values: dict[str, Any] = {
        "request_id": "o-1",
        "emission_id": "e5",
        "customer_id": "c-1",
        "valid_until": lives.ENDS,
        "issued_at": NOON,
        "code": "ABC",
    }
    return CodeIssued(**(values | fields))


def book(*records: Record, released: set[tuple[str, str]] | None = None) -> Book:
    return Book({one.offer_id: one for one in records}, released or set())


def after(made: Book, *facts: object) -> dict[str, str]:
    made.apply(facts, LATER)
    return {offer_id: one.status for offer_id, one in made.records.items()}


def test_what_a_receipt_used_and_what_it_gave() -> None:
    assert uses(paid()) == {"e5": 2_000}
    assert uses(paid(customer_id=None)) == {}
    assert uses(brought_back()) == {}


def test_what_a_return_lets_be_used_again() -> None:
    assert releases(brought_back()) == {"e5"}
    assert releases(brought_back(customer_id=None)) == frozenset()
    assert releases(paid()) == frozenset()


def test_a_code_that_comes_is_kept_and_a_refusal_ends_it() -> None:
    made = book(lives.requested())
    assert after(made, issued()) == {"o-1": "issued"}
    assert made.records["o-1"].code == "ABC"
    assert made.changes == [(lives.requested(), made.records["o-1"])]
    assert after(book(lives.requested()), issued(code=None, refused="ended")) == {"o-1": "refused"}
    # One that was erased since, or never was ours.
    assert after(book(), issued()) == {}


def test_a_receipt_with_a_code_of_the_emission_uses_its_customers_offer() -> None:
    made = book(lives.offered())
    assert after(made, paid()) == {"o-1": "used"}
    assert (made.records["o-1"].receipt_id, made.records["o-1"].given) == ("r1", 2_000)


@pytest.mark.parametrize(
    "fields",
    [
        {"customer_id": "c-2"},
        {"occurred_at": NOON - timedelta(seconds=1)},
        {"occurred_at": lives.ENDS + life.LATE},
        {"redemptions": (Redemption("camp", "i1", "committed", 5, 0, "e7"),)},
        {"redemptions": (Redemption("camp", "i1", "unauthorised", 5, 0, "e5"),)},
    ],
)
def test_another_receipt_uses_nothing(fields: dict[str, Any]) -> None:
    made = book(lives.offered())
    assert after(made, paid(**fields)) == {"o-1": "offered"}
    assert made.changes == []


def test_of_two_offers_of_an_emission_the_later_one_is_used() -> None:
    old = replace(lives.expired(), offer_id="o-0", send_at=NOON - DAY)
    assert after(book(old, lives.offered()), paid()) == {"o-0": "expired", "o-1": "used"}


def test_what_is_returned_is_offered_again() -> None:
    made = book(lives.offered())
    assert after(made, paid(), brought_back()) == {"o-1": "offered"}
    assert after(made, paid(receipt_id="r2")) == {"o-1": "used"}
    assert made.records["o-1"].receipt_id == "r2"


def test_a_return_that_comes_first_has_the_same_end() -> None:
    made = book(lives.offered())
    assert after(made, brought_back(), paid()) == {"o-1": "offered"}
    assert made.now_released == {("r1", "e5"): "c-1"}
    # In a later batch: it was kept.
    assert after(book(lives.offered(), released={("r1", "e5")}), paid()) == {"o-1": "offered"}
    assert after(book(lives.offered(), released={("r1", "e7")}), paid()) == {"o-1": "used"}


def test_of_the_return_of_another_receipt_nothing_is_changed() -> None:
    made = book(lives.used())
    assert after(made, brought_back(receipt_id="r-7")) == {"o-1": "used"}
    assert made.now_released == {("r-7", "e5"): "c-1"}
    assert after(made, brought_back(receipt_id="r-1")) == {"o-1": "offered"}


def test_returns_of_codes_that_were_no_offers_are_not_kept() -> None:
    made = book(replace(lives.offered(), customer_id="c-2"))
    after(made, brought_back())
    assert made.now_released == {}


def test_facts_that_say_nothing_of_offers_change_nothing() -> None:
    made = book(lives.offered())
    assert after(made, receipt(), returned(), policy()) == {"o-1": "offered"}
    assert made.changes == []
