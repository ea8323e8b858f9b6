"""How two bodies differ: what an author reads in a history."""

from typing import Any

import pytest

from services.emission.codes import NewEmission
from services.emission.history import Difference, body_of_emission, differences

Json = dict[str, Any]
TOTAL: Json = {"kind": "receipt_total", "compare": {"op": ">=", "value": 300}}
CODE: Json = {"kind": "promo_code", "emission_id": "e1"}


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"name": "a"}, {"name": "a"}, []),
        ({"name": "a"}, {"name": "b"}, [("name", "a", "b")]),
        ({"name": "a"}, {}, [("name", "a", None)]),
        ({}, {"name": "a", "n": 0}, [("name", None, "a"), ("n", None, 0)]),
        (None, {"name": "a"}, [("name", None, "a")]),
        # A part that changed is named by its path.
        (
            {"conditions": [TOTAL, CODE]},
            {"conditions": [TOTAL | {"compare": {"op": ">", "value": 500}}, CODE]},
            [
                ("conditions.0.compare.op", ">=", ">"),
                ("conditions.0.compare.value", 300, 500),
            ],
        ),
        # One that came or went moves the others: the list is told as a whole.
        (
            {"conditions": [TOTAL]},
            {"conditions": [CODE, TOTAL]},
            [("conditions", [TOTAL], [CODE, TOTAL])],
        ),
        # Another kind is another thing.
        ({"benefit": TOTAL}, {"benefit": CODE}, [("benefit", TOTAL, CODE)]),
        ({"stores": ["a", "b"]}, {"stores": ["a", "c"]}, [("stores", ["a", "b"], ["a", "c"])]),
        ({"period": "campaign"}, {"period": CODE}, [("period", "campaign", CODE)]),
        # Nothing was kept of it.
        ({"name": "a"}, None, []),
    ],
)
def test_a_change_is_told_field_by_field(
    before: Json | None, after: Json | None, found: list[tuple[str, Any, Any]]
) -> None:
    assert differences(before, after) == [Difference(*one) for one in found]


def test_what_is_kept_of_an_emission_has_neither_word_nor_customers() -> None:
    word = NewEmission(emission_id="e1", name="Welcome", kind="mass", word="HIDDEN")
    bound = NewEmission(emission_id="e2", name="Batch", kind="personal", customers=("c-1",))
    kept = [body_of_emission(one, "draft", 1) for one in (word, bound)]
    assert "HIDDEN" not in str(kept)
    assert "c-1" not in str(kept)
    assert kept[1]["count"] == kept[1]["bound"] == 1
