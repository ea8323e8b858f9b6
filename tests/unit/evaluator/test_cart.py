"""Carts decoded fast are the contract's: nothing is taken that the models refuse, or read otherwise."""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from services.evaluator import cart
from services.evaluator.cart import decode_cart, plain_cart
from shared import codec
from shared.codec import InvalidMessageError
from shared.events import checkout, values
from shared.events.checkout import Cart

Document = dict[str, Any]
Path = tuple[str | int, ...]
MODELS: list[tuple[type[values.Event], type[msgspec.Struct]]] = [
    (checkout.Cart, cart.PlainCart),
    (checkout.CartLine, cart.CartLine),
    (checkout.OtherDiscount, cart.OtherDiscount),
    (values.Location, cart.Location),
]


def line(number: int = 1, **values: Any) -> Document:
    """The least of a line."""
    return {
        "line": number,
        "sku": "apple",
        "quantity": 1_500,
        "list_price": 333,
        "price": 333,
        "amount": 500,
        **values,
    }


def document(*lines: Document, **values: Any) -> Document:
    """The least of a cart."""
    return {
        "receipt_id": "r-1",
        "store_id": "store-1",
        "terminal_id": "till-1",
        "occurred_at": "2026-12-05T12:00:00+01:00",
        "currency": "EUR",
        "lines": list(lines or [line()]),
        **values,
    }


FULL = document(
    line(
        7,
        group="fruit",
        brand="Öbst & Söhne",
        attributes={"origin": "AT", "organic": "yes"},
        discounts=[{"kind": "markdown", "amount": 10}, {"kind": "staff", "amount": 0}],
        no_promo=True,
        min_line_amount=100,
        min_unit_price=50,
        tax_code="A",
    ),
    line(2, sku="кефір"),
    revision=3,
    customer_id="c-1",
    channel="app",
    user_agent="Mozilla/5.0 " + "x" * 400,
    device_id="device:1",
    location={"latitude_e6": 48_208_000, "longitude_e6": -16_373_000},
    codes=["WELCOME", "MORE"],
    intent="quote",
    payment_methods=["card", "cash"],
    price_groups=True,
)
"""A cart with something in every field."""


def body_of(written: Any) -> bytes:
    """As most tills write it: as it is, not escaped."""
    return json.dumps(written, ensure_ascii=False).encode()


def plain(value: Any) -> Any:
    """Values without their types; instants with their offset."""
    if isinstance(value, BaseModel):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple):
        return tuple(plain(each) for each in value)
    return (value, value.utcoffset()) if isinstance(value, datetime) else value


def assert_sound(body: bytes) -> bool:
    """What is taken is what the model takes. Returns whether it is taken."""
    found = plain_cart(body)
    if found is None:
        return False
    assert plain(found) == plain(codec.decode(Cart, body)), body
    return True


@pytest.mark.parametrize(("model", "struct"), MODELS, ids=lambda one: one.__name__)
def test_every_field_of_the_contract_is_there_with_its_default(
    model: type[values.Event], struct: type[msgspec.Struct]
) -> None:
    assert struct.__struct_fields__ == tuple(model.model_fields)
    for field in msgspec.structs.fields(struct):
        of = model.model_fields[field.name]
        default = (
            msgspec.NODEFAULT if of.is_required() else of.get_default(call_default_factory=True)
        )
        mine = {} if field.default_factory is dict else field.default
        assert mine == default


@pytest.mark.parametrize(
    "body",
    [
        body_of(document()),
        body_of(FULL),
        json.dumps(FULL).encode(),
        json.dumps(FULL, indent=2).encode(),
        body_of(document(intent="cancel", lines=[])),
        body_of(document(occurred_at="2026-12-05T12:00:00.123456Z")),
        body_of(document(line(amount=499), line(2, amount=499, quantity=1_500))),
        body_of(document(*[line(n) for n in range(1, 1_001)])),
    ],
    ids=["least", "full", "escaped", "indented", "cancel", "microseconds", "rounded", "largest"],
)
def test_good_carts_are_taken_at_once(body: bytes) -> None:
    assert assert_sound(body)


@pytest.mark.parametrize(
    "body",
    [
        body_of(document(occurred_at="2026-12-05T12:00:00.9999999Z")),
        body_of(document()).replace(b"apple", rb"\u0061pple"),
        body_of(document()).replace(b'"occurred_at"', rb'"\u006fccurred_at"'),
        body_of(document(occurred_at="2026-12-05T12:00Z")),
        body_of(document(currency="eur")),
        body_of(document(colour=1)).replace(b'"colour": 1', b'"revision": "x", "revision": 1'),
    ],
    ids=["too exact", "escaped ASCII", "escaped name", "no seconds", "small letters", "twice"],
)
def test_what_is_written_strangely_is_left_to_the_model(body: bytes) -> None:
    assert plain_cart(body) is None
    assert decode_cart(body) == codec.decode(Cart, body)


ONE_THING_WRONG: dict[str, tuple[Document, str]] = {
    "an unknown field": (document(colour="red"), "colour"),
    "an unknown field of a line": (document(line(), line(2, colour="red")), "lines.1.colour"),
    "a wrong type": (document(revision="0"), "revision"),
    "a fraction": (document(revision=1.0), "revision"),
    "a truth for a number": (document(line(amount=True)), "lines.0.amount"),
    "null": (document(store_id=None), "store_id"),
    "a missing field": ({k: v for k, v in document().items() if k != "terminal_id"}, "terminal_id"),
    "a negative quantity": (document(line(quantity=-1_000)), "lines.0.quantity"),
    "an overflowing quantity": (document(line(quantity=2**63)), "lines.0.quantity"),
    "a negative amount": (document(line(amount=-1)), "lines.0.amount"),
    "too much money": (document(line(list_price=10**12 + 1)), "lines.0.list_price"),
    "money too much in all": (
        document(*[line(n, price=6 * 10**11, amount=6 * 10**11, quantity=1_000) for n in (1, 2)]),
        "lines",
    ),
    "amount is not price times quantity": (document(line(), line(2, amount=502)), "lines.1"),
    "a line twice": (document(line(), line()), "lines"),
    "line 0": (document(line(0)), "lines.0.line"),
    "no lines": (document(lines=[]), "lines"),
    "too many lines": (document(*[line(n) for n in range(1, 1_002)]), "lines"),
    "too many codes": (document(codes=["X"] * 11), "codes"),
    "an empty code": (document(codes=["X", ""]), "codes.1"),
    "an e-mail address": (document(customer_id="ann@example.com"), "customer_id"),
    "a name": (document(customer_id="Ann Smith"), "customer_id"),
    "a telephone number": (document(customer_id="+43(1)234-5678"), "customer_id"),
    "a customer id that is too long": (document(customer_id="c" * 65), "customer_id"),
    "an unknown currency": (document(currency="ZZZ"), "currency"),
    "an instant without zone": (document(occurred_at="2026-12-05T12:00:00"), "occurred_at"),
    "a day": (document(occurred_at="2026-12-05"), "occurred_at"),
    "seconds of the epoch": (document(occurred_at=1_700_000_000), "occurred_at"),
    "a null byte": (document(line(sku="a\0b")), "lines.0.sku"),
    "a deletion": (document(line(sku="a\x7fb")), "lines.0.sku"),
    "a line end": (document(line(sku="a\n")), "lines.0.sku"),
    "an id with a line end": (document(store_id="store-1\n"), "store_id"),
    "an id with a blank": (document(store_id="store 1"), "store_id"),
    "a long text": (document(line(brand="x" * 201)), "lines.0.brand"),
    "a long user agent": (document(user_agent="x" * 501), "user_agent"),
    "the name of an attribute": (document(line(attributes={"a b": "c"})), "lines.0.attributes.…"),
    "an empty attribute": (document(line(attributes={"a": ""})), "lines.0.attributes.a"),
    "many attributes": (
        document(line(attributes={f"a{n}": "b" for n in range(51)})),
        "lines.0.attributes",
    ),
    "an unknown kind of discount": (
        document(line(discounts=[{"kind": "gift", "amount": 1}])),
        "lines.0.discounts.0.kind",
    ),
    "a place off the earth": (
        document(location={"latitude_e6": 90_000_001, "longitude_e6": 0}),
        "location.latitude_e6",
    ),
    "a sale's intent": (document(intent="sale"), "intent"),
}


@pytest.mark.parametrize("what", ONE_THING_WRONG)
def test_what_is_wrong_is_named_by_the_model(what: str) -> None:
    written, field = ONE_THING_WRONG[what]
    body = body_of(written)
    with pytest.raises(InvalidMessageError) as refused:
        codec.decode(Cart, body)
    with pytest.raises(InvalidMessageError) as mine:
        decode_cart(body)
    assert mine.value.errors == refused.value.errors
    named = [error.field or error.message.partition(":")[0] for error in mine.value.errors]
    assert any(name == field or name.startswith(f"{field}.") for name in named), named


WORTHS: list[Any] = [
    *[None, True, False, 0, 1, -1, 1.0, 1e3, 10**6, 10**9, 10**12, 10**12 + 1, 2**63, 2**64],
    *["", "x", "EUR", "eur", "ZZZ", "a b", "é", "😀" * 200, "x" * 64, "x" * 65, "x" * 201],
    *["\n", "a\n", "\x1f", "\x7f", "\x80", "\u2028", "12345678", "123456789", "+1.2-3(4)5/6"],
    *["٣٣٣٣٣٣٣٣٣", "a@b", "@b", "+a", "(a)", "-a", "staff", "till", "card", "cancel", "quote"],
    *["2026-12-05T12:00:00Z", "2026-12-05T12:00:00", "2026-12-05t12:00:00.5+0130"],
    *["2026-12-05 12:00:00.1234567Z", "0001-01-01T00:00:00+10:00", "2026-12-05T12:00:60Z"],
    *[[], {}, [1], ["x"], ["card"] * 6, {"a": "b"}, {"a": 1}, {"latitude_e6": 1}],
]
worths = st.sampled_from(WORTHS).map(deepcopy) | st.integers(-3, 2_000) | st.text(max_size=3)


def paths(written: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in a document."""
    items = written.items() if isinstance(written, dict) else enumerate(written)
    for key, below in items:
        yield (*path, key)
        if isinstance(below, dict | list):
            yield from paths(below, (*path, key))


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_whatever_is_changed_in_a_cart_it_is_taken_only_if_the_model_takes_it(
    data: st.DataObject,
) -> None:
    written = deepcopy(data.draw(st.sampled_from([FULL, document()])))
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(list(paths(written))))
        above, last = path[:-1], cast(Any, path[-1])
        within: Any = written
        for key in above:
            within = within[key]
        match data.draw(st.sampled_from(["replace", "replace", "remove", "add", "repeat"])):
            case "replace":
                within[last] = data.draw(worths)
            case "remove":
                del within[last]
            case "add" if isinstance(within, dict):
                within[data.draw(st.sampled_from(["colour", "line", "intent", "a b", "é"]))] = (
                    data.draw(worths)
                )
            case _:
                if isinstance(within, list):
                    within.append(deepcopy(within[last]))
    ascii_only = data.draw(st.booleans())
    assert_sound(json.dumps(written, ensure_ascii=ascii_only).encode())


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_whatever_is_changed_in_its_bytes_it_is_taken_only_if_the_model_takes_it(
    data: st.DataObject,
) -> None:
    body = bytearray(body_of(data.draw(st.sampled_from([FULL, document()]))))
    for _ in range(data.draw(st.integers(1, 3))):
        at, until = data.draw(st.integers(0, len(body))), data.draw(st.integers(0, 3))
        some = [b"", b'"', b"\\", b"\\n", b"\\u00", b"\\u0031", b"\\ud83d", b",", b"0", b".", b"e1"]
        body[at : at + until] = data.draw(st.sampled_from(some) | st.binary(max_size=2))
    assert_sound(bytes(body))


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 10**6),
    st.integers(-2, 2),
    st.datetimes(timezones=st.timezones() | st.just(UTC)),
)
def test_amounts_and_instants_are_read_as_the_model_reads_them(
    price: int, quantity: int, off: int, at: datetime
) -> None:
    amount = max(0, price * quantity // 1_000 + off)
    one = line(price=price, list_price=price, quantity=quantity, amount=amount)
    body = body_of(document(one, occurred_at=at.isoformat()))
    try:
        codec.decode(Cart, body)
    except InvalidMessageError:
        taken = False
    else:
        taken = True
    assert assert_sound(body) is taken
