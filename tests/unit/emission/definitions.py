"""What tests of definitions share: parts of the language as authors write them, in JSON."""

import json
from typing import Any

from services.emission.validation import faults_of_definition
from shared.codec import decode
from shared.events.promotion import Instrument

Json = dict[str, Any]
OFF: Json = {"kind": "percent_off", "percent": 1_000}
BONUSES: Json = {"kind": "bonuses", "fixed": 50}
MUG: Json = {"kind": "gift_goods", "gifts": [{"sku": "mug"}]}


def compared(kind: str, op: str, value: int, upper: int | None = None, **fields: Any) -> Json:
    """A condition that compares."""
    bounds = {"op": op, "value": value} | ({} if upper is None else {"upper": upper})
    return {"kind": kind, "compare": bounds} | fields


def total(op: str, value: int, upper: int | None = None) -> Json:
    """The receipt's total."""
    return compared("receipt_total", op, value, upper)


def quantity_of(brand: str, op: str, value: int, upper: int | None = None) -> Json:
    """The quantity of a brand's products."""
    return compared("product_quantity", op, value, upper, products={"brands": [brand]})


def sum_of(brand: str, op: str, value: int, upper: int | None = None) -> Json:
    """The sum of a brand's products."""
    return compared("product_sum", op, value, upper, products={"brands": [brand]})


def presence_of(*brands: str, **fields: Any) -> Json:
    """Some products of the brands."""
    return {"kind": "product_presence", "products": {"brands": list(brands)} | fields}


def visits(op: str, value: int, upper: int | None = None) -> Json:
    """The number of earlier purchases."""
    return compared("purchase_count", op, value, upper)


def days_since(op: str, value: int) -> Json:
    """Days since the last purchase."""
    return compared("days_since_purchase", op, value)


def code(emission_id: str = "E1", **fields: Any) -> Json:
    """A code of the emission."""
    return {
        "kind": "promo_code",
        "condition_id": f"c-{emission_id}",
        "emission_id": emission_id,
    } | fields


def store(*stores: str) -> Json:
    """One of the stores."""
    return {"kind": "store", "stores": list(stores)}


def group(*groups: str) -> Json:
    """One of the customer groups."""
    return {"kind": "customer_group", "groups": list(groups)}


def days(*names: str) -> Json:
    """One of the weekdays."""
    return {"kind": "weekday", "days": list(names)}


def mix(*parts: tuple[Json, int]) -> Json:
    """So many of each."""
    return {
        "kind": "product_mix",
        "parts": [{"products": products, "quantity": n} for products, n in parts],
    }


STRANGER: Json = {"kind": "customer_known", "known": False}
FIRST: Json = {"kind": "first_purchase"}
BIRTHDAY: Json = {"kind": "birthday", "days_before": 3}


def every(*conditions: Json) -> Json:
    """All of the conditions."""
    return {"kind": "all", "conditions": list(conditions)}


def any_of(*conditions: Json) -> Json:
    """Any of the conditions."""
    return {"kind": "any", "conditions": list(conditions)}


def no(condition: Json) -> Json:
    """Not the condition."""
    return {"kind": "not", "condition": condition}


def instrument(*conditions: Json, benefit: Json | None = None, **fields: Any) -> Instrument:
    """An instrument of the conditions, 10% off unless said otherwise."""
    body = {
        "instrument_id": "i1",
        "name": "tried",
        "conditions": list(conditions),
        "benefit": benefit or OFF,
    }
    return decode(Instrument, json.dumps(body | fields).encode())


def faulty(*conditions: Json, **fields: Any) -> list[str]:
    """The fields of the instrument that are refused, in order."""
    return [fault.field for fault in faults_of_definition(instrument(*conditions, **fields))]
