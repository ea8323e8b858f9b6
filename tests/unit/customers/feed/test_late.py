"""Facts from before an erasure that are read after it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import convert, structs

from services.customers.feed.late import named_in, without_forgotten
from services.customers.messages import (
    BonusEntry,
    CodeAttempt,
    CodeChunk,
    Decision,
    Message,
    Receipt,
    Returned,
)

ERASED_AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
BEFORE, AFTER = ERASED_AT - timedelta(days=3), ERASED_AT + timedelta(seconds=1)
FORGOTTEN = {"c-1": ERASED_AT}


def receipt(at: datetime, customer_id: str | None = "c-1") -> Receipt:
    of: dict[str, object] = {"receipt_id": "r", "store_id": "s", "terminal_id": "t"}
    of |= {"region": "R", "device": "till"}
    of |= {"currency": "UAH", "occurred_at": at, "customer_id": customer_id}
    return convert(of | {"discount": 0, "paid": 100, "lines": (), "redemptions": ()}, Receipt)


def returned(sold_at: datetime, at: datetime) -> Returned:
    of: dict[str, object] = {"return_id": "x", "receipt_id": "r", "store_id": "s"}
    of |= {"currency": "UAH", "complete": True}
    of |= {"sold_at": sold_at, "occurred_at": at, "customer_id": "c-1"}
    return convert(of | {"refund": 100, "lines": (), "redemptions": ()}, Returned)


def bonus(at: datetime) -> BonusEntry:
    of: dict[str, object] = {"entry_id": "e", "customer_id": "c-1", "kind": "accrual", "points": 5}
    return convert(of | {"occurred_at": at}, BonusEntry)


def decision(at: datetime) -> Decision:
    of = {"receipt_id": "r", "outcome": "decided", "store_id": "s", "customer_id": "c-1"}
    return convert(of | {"occurred_at": at}, Decision)


def attempt(at: datetime, who: str, subject: str) -> CodeAttempt:
    of: dict[str, object] = {
        "attempt_id": "a",
        "who": who,
        "subject": subject,
        "store_id": "s",
        "codes": 3,
    }
    return convert(of | {"occurred_at": at, "customer_id": "c-1"}, CodeAttempt)


def chunk(posted_at: datetime, *holders: str | None) -> CodeChunk:
    return CodeChunk("e-1", posted_at, holders)


@pytest.mark.parametrize("make", [receipt, decision], ids=["receipt", "decision"])
def test_what_happened_up_to_the_erasure_is_nobodys(make: Any) -> None:
    """A basket stays one for what is bought together, and for what a till does."""
    late = make(ERASED_AT)
    assert without_forgotten([late], FORGOTTEN) == [structs.replace(late, customer_id=None)]


@pytest.mark.parametrize(
    "fact",
    [
        receipt(AFTER),
        receipt(BEFORE, "c-2"),
        receipt(BEFORE, None),
        returned(AFTER, AFTER),
        bonus(AFTER),
        decision(AFTER),
        attempt(AFTER, "customer", "c-1"),
        chunk(AFTER, "c-1"),
    ],
)
def test_what_happened_after_it_and_to_others_stays(fact: Message) -> None:
    assert without_forgotten([fact], FORGOTTEN) == [fact]


def test_a_return_is_as_old_as_what_was_bought() -> None:
    """Else a profile would begin with less than nothing."""
    [kept] = without_forgotten([returned(BEFORE, AFTER)], FORGOTTEN)
    assert isinstance(kept, Returned)
    assert kept.customer_id is None


def test_what_is_about_the_customer_and_nothing_else_is_left_out() -> None:
    assert without_forgotten([bonus(BEFORE), attempt(BEFORE, "customer", "c-1")], FORGOTTEN) == []
    [kept] = without_forgotten([attempt(BEFORE, "store", "s")], FORGOTTEN)
    assert isinstance(kept, CodeAttempt)
    assert kept.customer_id is None


def test_codes_of_others_are_theirs() -> None:
    [kept] = without_forgotten([chunk(BEFORE, "c-1", "c-2", None)], FORGOTTEN)
    assert kept == chunk(BEFORE, None, "c-2", None)


def test_every_customer_whom_a_fact_names_is_found() -> None:
    facts: list[Message] = [
        receipt(BEFORE),
        receipt(BEFORE, None),
        chunk(BEFORE, "c-2", None, "c-3"),
    ]
    assert named_in(facts) == {"c-1", "c-2", "c-3"}
