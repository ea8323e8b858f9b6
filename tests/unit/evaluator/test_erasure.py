"""What is kept of a customer who is erased."""

from typing import Any

import orjson
import pytest

from services.evaluator.erasure import Event, renamed, without, without_person
from services.evaluator.promotion.basket import read
from services.evaluator.promotion.limits import compile_rule
from services.evaluator.promotion.period import compile_period
from services.evaluator.recording import SOMEBODY, Code, Facts, decode_facts, encode_facts
from shared.events.promotion import LimitRule
from tests.builders import NOON, basket, presented


@pytest.mark.parametrize(
    ("limit_id", "after"),
    [
        ("c/i/~customer=C1", "c/i/~customer=X"),
        ("c/~customer=C1", "c/~customer=X"),
        ("c/i/~customer.day=C1,2026-12-05", "c/i/~customer.day=X,2026-12-05"),
        (
            "c/i/~customer.code.store.day.money=C1,00ff,s:1,2026-12-05@30d",
            "c/i/~customer.code.store.day.money=X,00ff,s:1,2026-12-05@30d",
        ),
        ("c/i/~customer=C1@2026-12-01", "c/i/~customer=X@2026-12-01"),
        ("c/i/~customer=C11", "c/i/~customer=C11"),
        ("c/i/~customer.store=C2,C1", "c/i/~customer.store=C2,C1"),
        ("c/i/~store=C1", "c/i/~store=C1"),
        ("c/i/code", "c/i/code"),
        ("code:00ff", "code:00ff"),
        ("C1/C1", "C1/C1"),
    ],
)
def test_a_limit_has_another_name_in_place_of_the_customer_s(limit_id: str, after: str) -> None:
    assert renamed(limit_id, "C1", "X") == after


@pytest.mark.parametrize("customer_id", ["C1", "+a.b:(c)_d-1", "c/d"])
@pytest.mark.parametrize("per", [("customer",), ("customer", "code", "store", "day")])
def test_whatever_ids_a_limit_is_made_of_the_customer_s_is_found(
    customer_id: str, per: tuple[Any, ...]
) -> None:
    window_at = compile_period("campaign", NOON, NOON, "UTC")
    rule = compile_rule(LimitRule(per=per, redemptions=1), "camp/inst", window_at, "UTC")
    reading = read(basket(store_id="a:b", customer_id=customer_id))
    limit = rule.limit(reading, presented("WELCOME"))
    assert limit is not None
    name = renamed(limit.limit_id, customer_id, "X")
    assert name == limit.limit_id.replace(f"={customer_id}", "=X")
    assert customer_id not in name


def document(**fields: Any) -> bytes:
    return orjson.dumps(fields)


def test_a_document_keeps_all_but_who_it_was_and_from_where() -> None:
    kept = {"receipt_id": "r-1", "total": 1_000, "lines": [{"sku": "s", "customer_id": "C1"}]}
    personal = {
        "customer_id": "C1",
        "device_id": "d",
        "address": "a",
        "user_agent": "u",
        "location": {"latitude_e6": 1},
        "bonus_balance": 5,
    }
    assert orjson.loads(without_person(document(**kept, **personal), "C1")) == kept
    of_another = document(**kept, **personal)
    assert without_person(of_another, "C2") is of_another


def event(**fields: Any) -> Event:
    known: dict[str, Any] = {
        "customer_id": "C1",
        "told_customer_id": None,
        "body": document(customer_id="C1", receipt_id="r"),
        "decision": document(customer_id="C1", applied=[]),
        "answer": None,
        "facts": encode_facts(facts()),
    }
    return Event(**(known | fields))


def facts(*codes: Code) -> Facts:
    return Facts(1, NOON, NOON, "till", "West", "UTC", groups=("gold",), codes=codes)


def test_an_event_of_the_customer_s_is_nobody_s_and_cannot_be_decided_again() -> None:
    after = without(event(answer=document(customer_id="C1", paid=5)), "C1")
    assert after == Event(
        customer_id="",
        told_customer_id=None,
        body=document(receipt_id="r"),
        decision=document(applied=[]),
        answer=document(paid=5),
        facts=None,
    )


def test_of_another_s_event_only_the_name_goes() -> None:
    body = document(customer_id="C2", device_id="d")
    told = event(customer_id="C2", told_customer_id="C1", body=body, facts=None)
    after = without(told, "C1")
    assert (after.customer_id, after.told_customer_id, after.body) == ("C2", None, body)
    assert after.decision == document(applied=[])


def test_a_return_says_whose_it_is_by_its_answer_alone() -> None:
    body = document(receipt_id="r", intent="return")
    answer = document(customer_id="C1", refund=5)
    after = without(event(body=body, decision=None, answer=answer, facts=None), "C1")
    assert (after.customer_id, after.body, after.answer) == ("", body, document(refund=5))


def test_whose_a_code_was_that_somebody_else_presented_is_not_kept() -> None:
    codes = (Code(0, b"1", "e", "C1"), Code(1, b"2", "e", "C2"), Code(2, b"3", "e", None))
    body = document(customer_id="C2")
    older = event(customer_id=None, body=body, facts=encode_facts(facts(*codes)))
    after = without(older, "C1")
    assert after.facts is not None
    assert [c.holder for c in decode_facts(after.facts).codes] == [SOMEBODY, "C2", None]
    assert without(older, "C3") == older
