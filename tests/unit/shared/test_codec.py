"""Reading and writing messages: errors name the field and hold none of its content."""

import json
from datetime import datetime
from typing import Any

import pytest

from shared.codec import InvalidMessageError, decode, encode, header
from shared.events.checkout import Cart, Sale
from shared.events.conditions import TimeOfDay
from shared.events.promotion import Instrument
from shared.events.reference import Customer
from tests.builders import cart, given, instrument, line, sale, sold_line


def body(**changes: Any) -> bytes:
    document = json.loads(encode(cart([line(1), line(2)])))
    return json.dumps({**document, **changes}).encode()


def line_with(**changes: Any) -> list[dict[str, Any]]:
    document = json.loads(encode(cart()))["lines"][0]
    return [{**document, **changes}]


def test_what_is_written_is_read() -> None:
    event = cart([line(1), line(2, quantity=1_250, amount=995)], codes=["A"], customer_id="c-1")
    assert decode(Cart, encode(event)) == event


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"receipt_id": None}, "receipt_id"),
        ({"colour": "red"}, "colour"),
        ({"revision": "1"}, "revision"),
        ({"revision": -1}, "revision"),
        ({"occurred_at": "2026-01-01T00:00:00"}, "occurred_at"),
        ({"occurred_at": 5}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00Z"}, "occurred_at"),
        ({"occurred_at": "9999-12-31T23:59:59.999999Z"}, "occurred_at"),
        ({"occurred_at": "9999-12-31T23:59:59-14:00"}, "occurred_at"),
        ({"currency": "XXQ"}, "currency"),
        ({"receipt_id": "a\u0000b"}, "receipt_id"),
        ({"store_id": "../etc"}, "store_id"),
        ({"customer_id": "ann@example.com"}, "customer_id"),
        ({"customer_id": "+43 660 1234567"}, "customer_id"),
        ({"customer_id": "Ann Example"}, "customer_id"),
        ({"codes": ["A"] * 11}, "codes"),
        ({"lines": []}, "lines"),
        ({"lines": line_with(quantity=-1)}, "lines.0.quantity"),
        ({"lines": line_with(quantity=10**9 + 1)}, "lines.0.quantity"),
        ({"lines": line_with(quantity=1.5)}, "lines.0.quantity"),
        ({"lines": line_with(amount=10**13)}, "lines.0.amount"),
        ({"lines": line_with(amount=2_000)}, "lines.0"),
        ({"lines": line_with(sku="a\u0000")}, "lines.0.sku"),
        ({"lines": line_with() * 2}, "lines"),
        ({"lines": [*line_with(), *line_with(line=2, price=10**12, amount=10**12)]}, "lines"),
        ({"lines": line_with() * 10_000}, "lines"),
    ],
)
def test_a_bad_field_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidMessageError) as raised:
        decode(Cart, body(**changes))
    assert raised.value.reason == "invalid_field"
    assert str(raised.value).startswith(named)


def test_a_missing_field_is_named() -> None:
    document = json.loads(body())
    del document["store_id"]
    with pytest.raises(InvalidMessageError, match="store_id: Field required"):
        decode(Cart, json.dumps(document).encode())


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"null", b'"cart"'])
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidMessageError):
        decode(Cart, raw)


def test_the_error_does_not_repeat_the_value() -> None:
    with pytest.raises(InvalidMessageError) as raised:
        decode(Cart, body(customer_id="ann@example.com"))
    assert "ann" not in str(raised.value)


def test_a_name_that_is_no_field_of_ours_is_not_repeated() -> None:
    """The keys of a mapping come from the till, and may be anything."""
    odd = line_with(attributes={"ann@example.com": "x"})
    with pytest.raises(InvalidMessageError) as raised:
        decode(Cart, body(lines=odd))
    assert str(raised.value).startswith("lines.0.attributes.…")
    assert "ann" not in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"benefit": {"kind": "percent_off", "percent": 0}}, ["benefit.percent"]),
        ({"benefit": {"kind": "percent_off"}}, ["benefit.percent"]),
        ({"benefit": {"kind": "discount"}}, ["benefit"]),
        ({"benefit": {"kind": "bonuses"}}, ["benefit"]),
        (
            {"conditions": [{"kind": "payment_method", "methods": ["visa"]}]},
            ["conditions.0.methods.0"],
        ),
        (
            {"conditions": [{"kind": "not", "condition": {"kind": "any", "conditions": [{}]}}]},
            ["conditions.0.condition.conditions.0"],
        ),
        (
            {"benefit": {"kind": "tiers", "tiers": [{"at_least": 1, "benefit": {"kind": "gift"}}]}},
            ["benefit.tiers.0.benefit"],
        ),
        ({"processing_period": {"kind": "rolling", "days": 0}}, ["processing_period.days"]),
        ({"name": "", "priority": 2_000}, ["name", "priority"]),
    ],
)
def test_the_path_is_that_of_the_body_and_only_what_is_wrong_is_named(
    changes: dict[str, Any], named: list[str]
) -> None:
    document = json.loads(encode(instrument())) | changes
    with pytest.raises(InvalidMessageError) as raised:
        decode(Instrument, json.dumps(document).encode())
    assert [error.field for error in raised.value.errors] == named


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"benefit": {"kind": "percent_off", "percent": "10%"}},
            "Input should be a valid integer: basis points: 10% = 1000",
        ),
        (
            {"benefit": {"kind": "percent_off", "percent": 12_000}},
            "Input should be less than or equal to 10000: basis points: 10% = 1000",
        ),
        (
            {"benefit": {"kind": "percent_off", "percent": 1_000, "max_discount": 299.99}},
            "Input should be a valid integer: integer minor units (cents)",
        ),
        (
            {"processing_period": {"kind": "rolling", "days": 1.5}},
            "Input should be a valid integer",
        ),
        (
            {"conditions": [{"kind": "time_of_day", "starts": "20:00", "ends": "24:00"}]},
            "use 00:00 for midnight",
        ),
        (
            {"trigger": "never"},
            "Input should be 'on_sale' or 'on_period_end'",
        ),
    ],
)
def test_the_message_says_in_which_unit_a_number_is(changes: dict[str, Any], message: str) -> None:
    document = json.loads(encode(instrument())) | changes
    with pytest.raises(InvalidMessageError) as raised:
        decode(Instrument, json.dumps(document).encode())
    assert [error.message for error in raised.value.errors] == [message]


def test_whoever_means_for_ever_may_write_the_last_second_of_the_calendar() -> None:
    at = "9999-12-31T23:59:59Z"
    assert decode(Cart, body(occurred_at=at)).occurred_at == datetime.fromisoformat(at)


def test_the_day_may_end_at_midnight() -> None:
    evening = {"kind": "time_of_day", "starts": "20:00", "ends": "00:00"}
    document = json.loads(encode(instrument())) | {"conditions": [evening]}
    [condition] = decode(Instrument, json.dumps(document).encode()).conditions
    assert condition == TimeOfDay(starts="20:00", ends="00:00")


def test_an_unknown_kind_is_told_which_there_are_briefly_and_not_repeated() -> None:
    ann = {"kind": "expected tags: ann@example.com"}
    odd = {"conditions": [ann], "benefit": ann}
    document = json.loads(encode(instrument())) | odd
    with pytest.raises(InvalidMessageError) as raised:
        decode(Instrument, json.dumps(document).encode())
    conditions, benefit = (error.message for error in raised.value.errors)
    assert conditions.startswith("no such kind: must be one of 'receipt_total', ")
    assert conditions.endswith("', …")
    assert len(conditions) <= 200
    assert benefit.endswith("'tiers', 'bonuses', 'gift_goods'")
    assert "ann@" not in str(raised.value)


def test_unknown_fields_are_refused_from_tills_and_ignored_on_internal_topics() -> None:
    newer = b'{"customer_id": "c-1", "groups": [], "since": "2026"}'
    assert decode(Customer, newer, ignore_unknown=True) == Customer(customer_id="c-1")
    with pytest.raises(InvalidMessageError, match="since"):
        decode(Customer, newer)


def test_a_sale_whose_benefits_do_not_add_up_is_refused() -> None:
    with pytest.raises(ValueError, match="discounts add up to 90, those of the lines to 100"):
        sale([sold_line(discount=100)], [given(discount=90)])


def test_a_line_of_a_sale_never_goes_below_zero() -> None:
    with pytest.raises(ValueError, match="discount of line 1 exceeds its amount"):
        sold_line(amount=100, discount=101)


def test_a_sale_is_read_as_it_is_written() -> None:
    event = sale([sold_line(discount=100)], [given(discount=100)])
    assert decode(Sale, encode(event)) == event


def test_headers_are_found_by_name() -> None:
    assert header([("a", b"1"), ("ce_id", b"x")], "ce_id") == "x"
    assert header([("ce_id", b"\xff")], "ce_id") is None
    assert header([("ce_id", None)], "ce_id") is None
    assert header([], "ce_id") is None
