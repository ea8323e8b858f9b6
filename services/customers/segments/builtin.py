"""The segments that are there from the start, and what else a marketer may start from.

The three of the source (``sources/000``): who often uses promo codes, who rarely or for the first time does, and who
buys a kind of product; and one for each class of recency, frequency and monetary value.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from services.customers.segments.definition import (
    RFM_CLASSES,
    Bought,
    DaysSinceFirstPurchase,
    DaysSinceLastPurchase,
    Definition,
    Expected,
    InRfm,
    Only,
    PersonalCodes,
    Purchases,
)
from shared.events.selection import Comparison

_HALF = 5_000


@dataclass(frozen=True)
class Builtin:
    """A segment that is there from the start; its thresholds may be changed, it can't be taken away."""

    segment_id: str
    name: str
    definition: Definition


@dataclass(frozen=True)
class Template:
    """What a new segment may begin as; one that ``needs_group`` is of products yet to be chosen."""

    template_id: str
    name: str
    definition: Definition
    needs_group: bool = False


def at_least(value: int) -> Comparison:
    """From this value on."""
    return Comparison(op=">=", value=value)


_WITH_CODE = Only(with_code=True)
_OFTEN, _OFTEN_DAYS = 3, 90
_FREQUENT = Definition(
    conditions=(Purchases(compare=at_least(_OFTEN), days=_OFTEN_DAYS, only=_WITH_CODE),)
)
# The other users of codes. Who never used one is none of them.
_RARE = Definition(
    conditions=(
        Purchases(compare=at_least(1), only=_WITH_CODE),
        Purchases(compare=Comparison(op="<", value=_OFTEN), days=_OFTEN_DAYS, only=_WITH_CODE),
    )
)


def builtins() -> Iterator[Builtin]:
    """The segments that are there from the start."""
    yield Builtin("frequent-promo-users", "Frequent users of promo codes", _FREQUENT)
    yield Builtin("rare-promo-users", "Rare or first-time users of promo codes", _RARE)
    for one in RFM_CLASSES:
        name = "RFM: " + one.replace("-", " ")
        yield Builtin(f"rfm-{one}", name, Definition(conditions=(InRfm(classes=(one,)),)))


def buyers(group: str, *, receipts: int = 3, days: int = 90) -> Definition:
    """Buyers of a kind of product: the group on so many receipts of the last days."""
    return Definition(conditions=(Bought(groups=(group,), compare=at_least(receipts), days=days),))


def templates() -> Iterator[Template]:
    """What a new segment may begin as."""
    yield Template("buyers", "Buyers of a kind of product", buyers("-"), needs_group=True)
    yield Template("frequent", "Frequent users of promo codes", _FREQUENT)
    yield Template("rare", "Rare or first-time users of promo codes", _RARE)
    yield Template(
        "lapsing",
        "Used to come, has not come lately",
        Definition(
            conditions=(
                Purchases(compare=at_least(6), days=365),
                DaysSinceLastPurchase(compare=at_least(60)),
            )
        ),
    )
    yield Template(
        "new",
        "New customers",
        Definition(conditions=(DaysSinceFirstPurchase(compare=Comparison(op="<", value=30)),)),
    )
    yield Template(
        "expected",
        "Expected to buy within a week",
        Definition(
            conditions=(
                Expected(
                    probability=at_least(_HALF),
                    expected_in_days=Comparison(op="between", value=0, upper=7),
                ),
            )
        ),
    )
    yield Template(
        "unused",
        "Have a personal code that they did not use",
        Definition(conditions=(PersonalCodes(compare=at_least(1)),)),
    )
