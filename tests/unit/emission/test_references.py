"""Which customers and birthdays are taken, before anything is kept."""

import json

import pytest

from services.emission.references import KnownCustomer, NewCustomers, faults_of_customers
from shared.codec import InvalidMessageError, decode


def test_a_birthday_is_a_day_that_some_year_has() -> None:
    def is_taken(day: str) -> bool:
        body = {"customers": [{"customer_id": "a1", "birthday": day}]}
        try:
            decode(NewCustomers, json.dumps(body).encode())
        except InvalidMessageError as error:
            return error.errors[0].field != "customers.0.birthday"
        return True

    taken = [f"{m:02}-{d:02}" for m in range(14) for d in range(33) if is_taken(f"{m:02}-{d:02}")]
    assert len(taken) == 366
    lasts = [max(day for day in taken if day.startswith(f"{m:02}")) for m in range(1, 13)]
    days = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    assert lasts == [f"{m:02}-{d}" for m, d in enumerate(days, start=1)]


@pytest.mark.parametrize("day", ["2-29", "02-29\n", " 02-29", "02/29", "0229", "٠٢-٢٩"])
def test_a_birthday_is_two_digits_of_each(day: str) -> None:
    with pytest.raises(ValueError, match="birthday"):
        KnownCustomer(customer_id="a1", birthday=day)


def test_a_birthday_is_forgotten_by_null_and_not_by_saying_nothing() -> None:
    body = b'{"customers": [{"customer_id": "a1", "birthday": null}]}'
    assert decode(NewCustomers, body).customers == (KnownCustomer(customer_id="a1", birthday=None),)
    with pytest.raises(InvalidMessageError, match=r"customers\.0\.birthday"):
        decode(NewCustomers, b'{"customers": [{"customer_id": "a1"}]}')


def test_every_customer_that_is_given_again_is_named_by_position() -> None:
    customers = [KnownCustomer(customer_id=who, birthday=None) for who in ("a", "b", "a", "b", "c")]
    assert [fault.field for fault in faults_of_customers(customers)] == [
        "customers.2.customer_id",
        "customers.3.customer_id",
    ]
