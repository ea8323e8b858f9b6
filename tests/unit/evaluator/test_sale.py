"""Sales decoded fast: what the structs take, the contract's model takes, with the same values."""

import msgspec
import orjson
import pytest

from services.evaluator.sale import PlainSale, decode_sale, plain_sale
from shared.codec import InvalidMessageError, decode, encode
from shared.events.checkout import GivenBenefit, Payment, Sale
from shared.events.values import Gift
from tests.builders import given, sale, sold_line

WHOLE = sale(
    [sold_line(amount=10_000, discount=1_000), sold_line(2, amount=500)],
    [
        given(discount=1_000),
        GivenBenefit(
            campaign_id="c", instrument_id="i", gifts=(Gift(sku="mug"),), lease_id="lease-1"
        ),
    ],
    customer_id="C1",
    decision_id="d-1",
    codes=["WELCOME"],
    payments=(Payment(method="bonuses", amount=100), Payment(method="cash", amount=9_400)),
    cash_rounding=-1,
)


def changed(**values: object) -> bytes:
    """The sale's body with other values."""
    return orjson.dumps({**orjson.loads(encode(WHOLE)), **values})


def test_every_field_of_the_contract_is_there() -> None:
    fields = {field.name for field in msgspec.structs.fields(PlainSale)}
    assert fields == set(Sale.model_fields)


def test_a_plain_sale_has_the_values_that_the_contract_reads() -> None:
    plain = plain_sale(encode(WHOLE))
    assert plain is not None
    assert decode(Sale, msgspec.json.encode(plain)) == WHOLE


@pytest.mark.parametrize(
    "body",
    [
        changed(given=[]),
        changed(payments=[{"method": "bonuses", "amount": -1}]),
        changed(given=[{"campaign_id": "c", "instrument_id": "i", "discount": 500}] * 2),
        changed(lines=[]),
        changed(currency="XXX1"),
        changed(surprise=1),
        changed(intent="return"),
    ],
    ids=["sum", "negative points", "named twice", "no lines", "currency", "unknown", "intent"],
)
def test_what_the_contract_refuses_is_refused(body: bytes) -> None:
    assert plain_sale(body) is None
    with pytest.raises(InvalidMessageError):
        decode_sale(body)
