"""Which numbers a question is about."""

import pytest

from services.analytics.cells import What, Where
from services.analytics.dimensions import Named, Selection, places, what_of, whats, where_of

_PLACES = [
    Named(number, dict(zip(("store_id", "device", "region", "currency"), texts, strict=True)))
    for number, texts in enumerate(
        [
            ("s1", "till", "North", "EUR"),
            ("s2", "till", "North", "EUR"),
            ("s2", "app", "North", "EUR"),
            ("", "till", "North", "EUR"),
            ("", "app", "North", "EUR"),
            ("", "till", "", "EUR"),
            ("", "app", "", "EUR"),
            ("", "", "", "EUR"),
            ("", "", "", "CZK"),
        ]
    )
]
_OFFERS = [
    Named(number, dict(zip(("campaign_id", "instrument_id", "emission_id"), texts, strict=True)))
    for number, texts in enumerate([("c1", "i1", ""), ("c1", "i1", "e1"), ("", "", "")])
]


@pytest.mark.parametrize(
    ("columns", "where"),
    [
        ((), "everywhere"),
        (("currency", "campaign_id"), "everywhere"),
        (("device",), "device"),
        (("device", "region"), "area"),
        (("region",), "area"),
        (("region", "store_id"), "place"),
    ],
)
def test_places_are_as_wide_as_what_is_asked_allows(columns: tuple[str, ...], where: Where) -> None:
    assert where_of(columns) == where


@pytest.mark.parametrize(
    ("columns", "what"),
    [((), "all"), (("reason",), "all"), (("emission_id",), "each"), (("campaign_id",), "each")],
)
def test_offers_are_as_wide_as_what_is_asked_allows(columns: tuple[str, ...], what: What) -> None:
    assert what_of(columns) == what


@pytest.mark.parametrize(
    ("where", "selection", "numbers"),
    [
        ("place", Selection(), {0, 1, 2}),
        ("place", Selection(store_id="s2"), {1, 2}),
        ("area", Selection(), {3, 4}),
        ("device", Selection(device="app"), {6}),
        ("everywhere", Selection(), {7, 8}),
        ("everywhere", Selection(currency="CZK"), {8}),
        ("place", Selection(store_id="nowhere"), set()),
    ],
)
def test_only_places_of_the_same_width_are_chosen(
    where: Where, selection: Selection, numbers: set[int]
) -> None:
    assert places(_PLACES, where, selection, ()).keys.keys() == numbers


def test_places_count_for_what_they_are_grouped_by() -> None:
    chosen = places(_PLACES, "place", Selection(), ("store_id",))
    assert chosen.keys == {0: ("s1",), 1: ("s2",), 2: ("s2",)}
    assert chosen.everything


def test_what_is_selected_is_not_everything() -> None:
    assert not places(_PLACES, "place", Selection(device="app"), ()).everything


def test_single_offers_and_all_of_them_are_never_chosen_together() -> None:
    each = whats(_OFFERS, "each", Selection(emission_id="e1"), ("campaign_id",))
    assert each.keys == {1: ("c1",)}
    assert whats(_OFFERS, "all", Selection(), ()).keys == {2: ()}
