"""The segments that are there from the start mean what the source says."""

import pytest

from services.customers.segments.builtin import builtins, buyers, templates
from services.customers.segments.definition import RFM_CLASSES
from services.customers.segments.evaluation import compiled
from tests.unit.customers.segments.customers import NOW, Trip, view_of

DEFINITIONS = {one.segment_id: one.definition for one in builtins()}
USED, PLAIN = Trip(days=10, with_code=True), Trip(days=10)
LONG_AGO = Trip(days=200, with_code=True)


@pytest.mark.parametrize(
    ("trips", "segments"),
    [
        ([], set()),
        ([PLAIN, PLAIN], set()),
        ([USED], {"rare-promo-users"}),
        ([USED, USED, PLAIN], {"rare-promo-users"}),
        ([LONG_AGO, LONG_AGO, LONG_AGO, PLAIN], {"rare-promo-users"}),
        ([USED, USED, USED, PLAIN], {"frequent-promo-users"}),
    ],
)
def test_who_uses_codes_does_so_often_or_rarely(trips: list[Trip], segments: set[str]) -> None:
    view = view_of(*trips)
    of_codes = {"frequent-promo-users", "rare-promo-users"}
    found = {one for one in of_codes if compiled(DEFINITIONS[one])(view, NOW)[0]}
    assert found == segments


def test_every_class_is_a_segment() -> None:
    assert {f"rfm-{one}" for one in RFM_CLASSES} <= set(DEFINITIONS)


def test_buyers_of_a_kind_bought_it_on_several_receipts_lately() -> None:
    tea = Trip(days=5, goods=(("tea", 1_000, 100),))
    check = compiled(buyers("tea", receipts=2, days=30))
    assert check(view_of(tea, tea), NOW)[0]
    assert not check(view_of(tea, Trip(days=5, goods=(("milk", 1_000, 100),))), NOW)[0]
    assert not check(view_of(tea, Trip(days=30, goods=tea.goods)), NOW)[0]


def test_templates_have_ids_of_their_own_and_can_be_evaluated() -> None:
    found = list(templates())
    assert len({one.template_id for one in found}) == len(found)
    for one in found:
        compiled(one.definition)(view_of(PLAIN), NOW)
