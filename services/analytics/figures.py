"""The shapes of the statistics, and how sums become them. Pure.

Money is integer minor units of the answer's one currency, bonuses are whole points.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from services.analytics.window import Period, Step

Sums = Mapping[str, int]
_NOTHING: Sums = {}


class Figures(BaseModel):
    """Base of what is answered."""

    model_config = ConfigDict(frozen=True)


class Receipts(Figures):
    """All paid receipts of the selection, with a benefit or without; whatever their campaign.

    They count as they were sold; returns beside them, when they came in.
    """

    receipts: int = 0
    total: int = Field(0, description="before our discounts")
    discount: int = 0
    paid: int = 0
    bonuses: int = 0
    average: int | None = Field(None, description="paid per receipt, rounded half up")
    returns: int = Field(
        0, description="returns that came in, whole or in part, whenever their sale was"
    )
    refunded: int = Field(
        0, description="what customers got for them: paid − refunded is what the store has kept"
    )


class Uses(Figures):
    """What instruments did. ``activations`` are committed redemptions less those that returns released.

    A cart that changes is decided again: ``carts``, ``decided`` and refusals count every revision.
    A return counts when it came in, where the sale was: what is left of a time in which more came
    back than was sold is negative.
    """

    carts: int = Field(
        0,
        description="cart revisions decided at a checkout that considered the instrument: not receipts",
    )
    decided: int = Field(0, description="those of carts that it gave a benefit")
    activations: int = Field(0, description="gross_activations − returned")
    gross_activations: int = Field(0, description="committed redemptions, before returns")
    returned: int = Field(0, description="activations whose slots returns have released")
    discount: int = Field(0, description="given with the gross activations, before returns")
    returned_discount: int = Field(
        0, description="what returns took back of it, also in part, also where the slot stays used"
    )
    net_discount: int = Field(
        0, description="discount − returned_discount: what the activations cost"
    )
    revenue: int = Field(
        0, description="paid amount of the receipts of the gross activations, before returns"
    )
    bonuses: int = Field(0, description="earned with the gross activations, before returns")
    returned_bonuses: int = Field(0, description="what returns took back of them")
    net_bonuses: int = Field(0, description="bonuses − returned_bonuses")
    unauthorised: int = Field(
        0,
        description="given by a till without right: a cost, no activation, returned or not",
    )
    unauthorised_discount: int = Field(0, description="the discount of those, before returns")
    returned_unauthorised_discount: int = Field(0, description="what returns took back of it")


class Refusals(Figures):
    """How many cart revisions an instrument gave nothing, for one reason."""

    reason: str
    refusals: int


class InstrumentFigures(Uses):
    """Uses, and refusals: most frequent reason first."""

    refusals: int = 0
    reasons: tuple[Refusals, ...] = ()


class Totals(Figures):
    """The two halves of everything: receipts, and instruments."""

    receipts: Receipts = Receipts()
    instruments: InstrumentFigures = InstrumentFigures()


class Previous(Figures):
    """The totals of the window before, as long, to compare with. Refusals are left out."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    from_: datetime = Field(alias="from")
    to: datetime
    receipts: Receipts
    instruments: Uses


class Point(Figures):
    """One minute, hour or day, by its start."""

    at: datetime
    receipts: Receipts
    instruments: Uses


class PlaceRow(Figures):
    """A store, device or region. ``name`` is the id where no name is known."""

    id: str
    name: str
    receipts: Receipts
    instruments: Uses


class InstrumentRow(InstrumentFigures):
    """An instrument within a campaign. Names are the ids where none are known."""

    campaign_id: str
    campaign: str
    instrument_id: str
    name: str


class CurrencyCount(Figures):
    """A currency that the selection has, and its receipts."""

    currency: str
    receipts: int


class Head(Figures):
    """What an answer is about.

    ``as_of``: when it was read. ``counted_until``: everything in the log by then is in it.
    ``currency`` is null when there is nothing to count.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    as_of: datetime
    counted_until: datetime | None
    from_: datetime | None = Field(alias="from")
    to: datetime | None
    period: Period | None
    time_zone: str
    currency: str | None
    currencies: tuple[CurrencyCount, ...]


class TotalsAnswer(Head):
    """Totals, and those of the window before."""

    totals: Totals
    previous: Previous | None


class SeriesAnswer(Head):
    """Totals over time, ascending; gaps are filled unless there would be too many points."""

    step: Step
    points: tuple[Point, ...]


class PlacesAnswer(Head):
    """By store, device or region: most activations first. ``truncated``: there are more rows."""

    rows: tuple[PlaceRow, ...]
    truncated: bool


class InstrumentsAnswer(Head):
    """By instrument: most activations first. ``truncated``: there are more rows."""

    rows: tuple[InstrumentRow, ...]
    truncated: bool


class RefusalsAnswer(Head):
    """Refusals by reason: most frequent first."""

    rows: tuple[Refusals, ...]


class Snapshot(Head):
    """Everything that the dashboard shows for one selection, read at one instant."""

    totals: Totals
    previous: Previous | None
    step: Step
    points: tuple[Point, ...]
    stores: tuple[PlaceRow, ...]
    devices: tuple[PlaceRow, ...]
    regions: tuple[PlaceRow, ...]
    instruments: tuple[InstrumentRow, ...]
    truncated: bool


class Choice(Figures):
    """Something to filter by."""

    id: str
    name: str
    status: str | None = None


class Choices(Figures):
    """Everything to filter by, each list by name."""

    campaigns: tuple[Choice, ...]
    stores: tuple[Choice, ...]
    devices: tuple[Choice, ...]
    regions: tuple[Choice, ...]


def receipts_of(sums: Sums) -> Receipts:
    """Sums of receipts with their average."""
    count = sums.get("receipts", 0)
    average = (2 * sums["paid"] + count) // (2 * count) if count else None
    return Receipts(**sums, average=average)


def uses_of(sums: Sums) -> Uses:
    """Sums of instruments with what returns have left of them."""
    return Uses(**_less_returned(sums))


def refusals_of(sums: Mapping[tuple[str, ...], Sums]) -> tuple[Refusals, ...]:
    """Sums by key, of which the last part is the reason: most frequent first, then by name."""
    rows = (Refusals(reason=key[-1], refusals=row["refusals"]) for key, row in sums.items())
    return tuple(sorted(rows, key=lambda row: (-row.refusals, row.reason)))


def totals_of(receipts: Sums, uses: Sums, reasons: Sequence[Refusals]) -> Totals:
    """Both halves of the totals."""
    return Totals(receipts=receipts_of(receipts), instruments=_with_reasons(uses, reasons))


def points_of(
    starts: Iterable[datetime],
    receipts: Mapping[datetime, Sums],
    uses: Mapping[datetime, Sums],
) -> tuple[Point, ...]:
    """A point for each start; zeros where nothing was counted."""
    return tuple(
        Point(
            at=at,
            receipts=receipts_of(receipts.get(at, _NOTHING)),
            instruments=uses_of(uses.get(at, _NOTHING)),
        )
        for at in starts
    )


def place_rows(
    receipts: Mapping[tuple[str, ...], Sums],
    uses: Mapping[tuple[str, ...], Sums],
    names: Mapping[str, str],
) -> tuple[PlaceRow, ...]:
    """A row for each key of either: most activations first, then most receipts, then by id."""
    rows = (
        PlaceRow(
            id=key[0],
            name=names.get(key[0], key[0]),
            receipts=receipts_of(receipts.get(key, _NOTHING)),
            instruments=uses_of(uses.get(key, _NOTHING)),
        )
        for key in receipts.keys() | uses.keys()
    )
    return tuple(
        sorted(rows, key=lambda row: (-row.instruments.activations, -row.receipts.receipts, row.id))
    )


def instrument_rows(
    uses: Mapping[tuple[str, ...], Sums],
    refusals: Mapping[tuple[str, ...], Sums],
    campaigns: Mapping[str, str],
    names: Mapping[tuple[str, str], str],
) -> tuple[InstrumentRow, ...]:
    """A row for each (campaign, instrument): most activations first, then decided, carts, ids.

    ``refusals`` is by (campaign, instrument, reason).
    """
    by_instrument: dict[tuple[str, ...], dict[tuple[str, ...], Sums]] = {}
    for key, sums in refusals.items():
        by_instrument.setdefault(key[:2], {})[key] = sums
    rows = []
    for campaign_id, instrument_id in uses.keys() | by_instrument.keys():
        key = (campaign_id, instrument_id)
        figures = _with_reasons(uses.get(key, _NOTHING), refusals_of(by_instrument.get(key, {})))
        rows.append(
            InstrumentRow(
                **dict(figures),
                campaign_id=campaign_id,
                campaign=campaigns.get(campaign_id, campaign_id),
                instrument_id=instrument_id,
                name=names.get(key, instrument_id),
            )
        )
    return tuple(
        sorted(
            rows,
            key=lambda row: (
                -row.activations,
                -row.decided,
                -row.carts,
                row.campaign_id,
                row.instrument_id,
            ),
        )
    )


def _with_reasons(uses: Sums, reasons: Sequence[Refusals]) -> InstrumentFigures:
    return InstrumentFigures(
        **_less_returned(uses),
        refusals=sum(row.refusals for row in reasons),
        reasons=tuple(reasons),
    )


def _less_returned(sums: Sums) -> dict[str, int]:
    """The cells know the activations as they were sold; what is called so is less the returned ones."""
    gross = sums.get("activations", 0)
    return {
        **sums,
        "gross_activations": gross,
        "activations": gross - sums.get("returned", 0),
        "net_discount": sums.get("discount", 0) - sums.get("returned_discount", 0),
        "net_bonuses": sums.get("bonuses", 0) - sums.get("returned_bonuses", 0),
    }
