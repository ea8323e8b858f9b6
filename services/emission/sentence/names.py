"""What things are called, by their ids; what has no name here is called by its id."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from shared.events.promotion import Instrument
from shared.events.selection import Selectors
from shared.events.values import Event, Gift
from shared.wording import MOST_NAMED


@dataclass(frozen=True)
class Names:
    """Names of what instruments refer to. ``currency`` says how many digits money has."""

    emissions: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    stores: Mapping[str, str] = field(default_factory=dict)
    products: Mapping[str, str] = field(default_factory=dict)
    currency: str | None = None


def skus(instrument: Instrument) -> set[str]:
    """The products that the instrument's sentence names: gifts, and the first few of each selection."""
    return set(_skus(instrument))


def _skus(part: object) -> Iterator[str]:
    match part:
        case Selectors():
            yield from part.skus[:MOST_NAMED]
        case Gift():
            yield part.sku
    if isinstance(part, Event):
        for name in type(part).model_fields:
            yield from _skus(getattr(part, name))
    elif isinstance(part, tuple):
        for one in part:
            yield from _skus(one)
