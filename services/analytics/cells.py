"""The tables of sums, and which sums are kept besides those per minute. Pure.

Minute cells are the finest grain and hold everything. Levels are the same sums per hour and day
(UTC), and wider: an empty text in a place, an offer or a refusal kind stands for all of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Literal

Place = tuple[str, str, str, str]
"""Store, device, region, currency."""
Offer = tuple[str, str, str]
"""Campaign, instrument, emission of the code that it was got with ("": without one)."""
RefusalKind = tuple[str, str, str]
"""Campaign, instrument, reason."""
Where = Literal["place", "area", "device", "everywhere"]
"""One place; all stores of a device and region; all of a device; everything: each of one currency."""
What = Literal["each", "all"]
"""Each offer (or refusal kind) by itself; all of them (all with the same reason)."""
Level = tuple[int, What, Where]
"""How long, and how wide."""

ALL_OFFERS: Offer = ("", "", "")
HOURS = (1, 24)
"""How long levels are."""


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of sums: ``<name>_cells`` per minute and ``<name>_levels`` per hour and day.

    ``what``: the column that says of what they are, beside the place. ``measures``: SQL types.
    """

    name: str
    what: str | None
    measures: Mapping[str, str]

    @property
    def cells(self) -> str:
        """The table per minute."""
        return f"{self.name}_cells"

    @property
    def levels(self) -> str:
        """The table per hour and day."""
        return f"{self.name}_levels"

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that are numbers for texts."""
        return (self.what, "place_id") if self.what else ("place_id",)


RECEIPTS = Kind(
    "receipt",
    None,
    {
        "receipts": "int",
        "total": "bigint",
        "discount": "bigint",
        "paid": "bigint",
        "bonuses": "bigint",
        "promo_receipts": "int",
        "promo_paid": "bigint",
    },
)
RETURNS = Kind("return", None, {"returns": "int", "refunded": "bigint"})
INSTRUMENTS = Kind(
    "instrument",
    "offer_id",
    {
        "carts": "int",
        "decided": "int",
        "activations": "int",
        "discount": "bigint",
        "revenue": "bigint",
        "bonuses": "bigint",
        "unauthorised": "int",
        "unauthorised_discount": "bigint",
    },
)
TAKE_BACKS = Kind(
    "take_back",
    "offer_id",
    {
        "returned": "int",
        "returned_discount": "bigint",
        "returned_bonuses": "bigint",
        "returned_unauthorised_discount": "bigint",
    },
)
REFUSALS = Kind("refusal", "refusal_kind_id", {"refusals": "int"})
KINDS = (RECEIPTS, INSTRUMENTS, REFUSALS, RETURNS, TAKE_BACKS)


def levels_of(kind: Kind) -> Iterator[Level]:
    """The levels that are kept, the finest first.

    Not each offer of each place per hour: they are as sparse as per minute, it would be a copy. Devices per
    day only: per hour they are soon added up of their regions.
    """
    whats: tuple[What, ...] = ("each", "all") if kind.what else ("each",)
    wheres: tuple[Where, ...] = ("place", "area", "device", "everywhere")
    for hours, what, where in product(HOURS, whats, wheres):
        if hours == HOURS[-1] or (where != "device" and (what, where) != ("each", "place")):
            yield hours, what, where


def widened(place: Place) -> tuple[Place, Place, Place]:
    """What a place is counted with: its area, its device and everything of its currency."""
    _, device, region, currency = place
    return ("", device, region, currency), ("", device, "", currency), ("", "", "", currency)


def for_reason(kind: RefusalKind) -> RefusalKind:
    """All refusals for the same reason."""
    return ("", "", kind[2])
