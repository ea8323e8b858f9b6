"""Definitions that would mean nothing are refused, with the field and the reason."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.customers.segments.definition import MAX_CONDITIONS, MAX_DEPTH, Definition
from shared.codec import encode

MANY = {"op": ">=", "value": 3}
ONE = {"kind": "purchases", "compare": MANY}


def nested(depth: int) -> dict[str, Any]:
    condition: dict[str, Any] = ONE
    for _ in range(depth - 1):
        condition = {"kind": "not", "condition": condition}
    return {"conditions": [condition]}


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ({**ONE, "days": 0}, "greater than or equal to 1"),
        ({**ONE, "days": 401}, "less than or equal to 400"),
        ({**ONE, "only": {}}, "only: leave it out"),
        ({**ONE, "only": {"stores": ["s1"]}}, "days: needed"),
        ({**ONE, "only": {"promo": True, "with_code": True}}, "days: needed"),
        ({**ONE, "days": 9, "only": {"hours": {"starts": 9, "ends": 9}}}, "ends: must differ"),
        ({"kind": "purchase_share", "compare": MANY}, "only"),
        (
            {"kind": "spent", "currency": "UAH", "compare": MANY, "only": {"promo": True}},
            "days: needed",
        ),
        ({"kind": "bought", "groups": ["tea"], "compare": MANY}, "days"),
        ({"kind": "bought", "groups": [], "compare": MANY, "days": 9}, "at least 1 item"),
        (
            {"kind": "bought", "groups": ["tea"], "measure": "sum", "compare": MANY, "days": 9},
            "currency: given with a sum",
        ),
        (
            {"kind": "bought", "groups": ["tea"], "currency": "UAH", "compare": MANY, "days": 9},
            "currency: given with a sum",
        ),
        ({"kind": "rfm"}, "classes: name a class"),
        ({"kind": "forecast"}, "probability: compare it"),
    ],
)
def test_what_cannot_be_known_is_refused(condition: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Definition.model_validate({"conditions": [condition]}, strict=False)


def test_depth_and_number_are_bounded() -> None:
    Definition.model_validate(nested(MAX_DEPTH), strict=False)
    with pytest.raises(ValidationError, match="nested deeper"):
        Definition.model_validate(nested(MAX_DEPTH + 1), strict=False)
    half = {"kind": "all", "conditions": [ONE] * (MAX_CONDITIONS // 2 - 1)}
    Definition.model_validate({"conditions": [half, half]}, strict=False)
    with pytest.raises(ValidationError, match=f"{MAX_CONDITIONS + 1}, over"):
        Definition.model_validate({"conditions": [half, half, ONE]}, strict=False)


def test_a_definition_is_the_same_after_it_was_stored() -> None:
    definition = Definition.model_validate(
        {"conditions": [{**ONE, "days": 30, "only": {"weekdays": ["sat", "sun"]}}]}, strict=False
    )
    assert Definition.model_validate_json(encode(definition)) == definition
