"""Which numbers of places, offers and refusal kinds a question is about, and what they stand for. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.analytics.cells import What, Where

Key = tuple[str, ...]
PLACE_COLUMNS = ("store_id", "device", "region", "currency")
OFFER_COLUMNS = ("campaign_id", "instrument_id", "emission_id")
REFUSAL_KIND_COLUMNS = ("campaign_id", "instrument_id", "reason")


@dataclass(frozen=True)
class Selection:
    """What is counted; None is everything. What has no such column ignores it: receipts have no campaign."""

    campaign_id: str | None = None
    instrument_id: str | None = None
    emission_id: str | None = None
    store_id: str | None = None
    device: str | None = None
    region: str | None = None
    currency: str | None = None

    def of(self, columns: Iterable[str]) -> dict[str, str]:
        """The values that are asked for, of these columns."""
        values = {column: getattr(self, column, None) for column in columns}
        return {column: value for column, value in values.items() if value is not None}


@dataclass(frozen=True)
class Named:
    """A place, offer or refusal kind: its number, and its texts by column; "" stands for all."""

    number: int
    texts: Mapping[str, str]


@dataclass(frozen=True)
class Chosen:
    """Numbers, each with what it counts for. ``everything``: they are all that there are."""

    keys: Mapping[int, Key]
    everything: bool


def where_of(columns: Collection[str]) -> Where:
    """How narrow places must be for these columns to be told."""
    if "store_id" in columns:
        return "place"
    if "region" in columns:
        return "area"
    return "device" if "device" in columns else "everywhere"


def what_of(columns: Collection[str]) -> What:
    """How narrow offers (or refusal kinds) must be for these columns to be told."""
    return "each" if {"campaign_id", "instrument_id", "emission_id"} & set(columns) else "all"


def places(
    known: Sequence[Named], where: Where, selection: Selection, grouping: Sequence[str]
) -> Chosen:
    """The places of that width that are selected, by the texts that they are grouped by."""
    as_wide = [one for one in known if _where(one.texts) == where]
    return _chosen(as_wide, selection.of(PLACE_COLUMNS), grouping)


def whats(
    known: Sequence[Named], what: What, selection: Selection, grouping: Sequence[str]
) -> Chosen:
    """The offers (or refusal kinds) of that width that are selected, by what they are grouped by."""
    as_wide = [one for one in known if (one.texts["campaign_id"] != "") == (what == "each")]
    columns = as_wide[0].texts if as_wide else ()
    return _chosen(as_wide, selection.of(columns) if what == "each" else {}, grouping)


def _where(texts: Mapping[str, str]) -> Where:
    return where_of([column for column, text in texts.items() if text])


def _chosen(known: Sequence[Named], wanted: Mapping[str, str], grouping: Sequence[str]) -> Chosen:
    keys = {
        one.number: tuple(one.texts[column] for column in grouping)
        for one in known
        if all(one.texts[column] == value for column, value in wanted.items())
    }
    return Chosen(keys, len(keys) == len(known))
