"""The shapes of the statistics. Pure.

Money is integer minor units of the answer's one currency, bonuses are whole points, shares are basis
points (10000 is all).
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from services.analytics.window import Period, Step


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
    promo_receipts: int = Field(
        0, description="receipts with at least one committed redemption, returned or not"
    )
    promo_paid: int = Field(0, description="paid amount of those")
    average_with: int | None = Field(
        None, description="paid per receipt with a promotion, rounded half up"
    )
    average_without: int | None = Field(
        None, description="paid per receipt without one, rounded half up"
    )
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
    conversion: int | None = Field(
        None,
        description="gross_activations ÷ decided in basis points, rounded half up; null if nothing"
        " was decided. Every revision of a cart counts as decided and a receipt is paid once, so that"
        " carts that change lower it: it is the least share of the offers made that were paid. A sale"
        " that was never decided before (offline) is an activation without a decision, and a sale"
        " counts when it was paid: over a short time it may exceed 10000.",
    )
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


class UsesAndRefusals(Uses):
    """Uses, and how many cart revisions got nothing."""

    refusals: int = 0


class InstrumentFigures(UsesAndRefusals):
    """The same with the reasons: most frequent first."""

    reasons: tuple[Refusals, ...] = ()


class Totals(Figures):
    """The two halves of everything: receipts, and instruments."""

    receipts: Receipts = Receipts()
    instruments: InstrumentFigures = InstrumentFigures()


class Previous(Figures):
    """The totals of the window before, as long, to compare with; refusals without their reasons."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    from_: datetime = Field(alias="from")
    to: datetime
    receipts: Receipts
    instruments: UsesAndRefusals


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


class CampaignRow(Uses):
    """A campaign. The name is the id where none is known."""

    campaign_id: str
    campaign: str


class CodeRow(Uses):
    """What was got with the codes of an emission; ``emission_id`` "" is without a code.

    A cart counts for a code only where the code gave a benefit: ``carts`` are ``decided`` then.
    """

    emission_id: str
    name: str


class CurrencyCount(Figures):
    """A currency that the selection has, and its receipts."""

    currency: str
    receipts: int


class Source(Figures):
    """A topic that is counted: until when all of it is, and how many records are not."""

    topic: str
    read_until: datetime | None
    records_behind: int | None = Field(description="null while the log does not answer")


class Freshness(Figures):
    """``counted_until``: everything in the log by then has been counted."""

    as_of: datetime
    counted_until: datetime | None
    sources: tuple[Source, ...]


class Head(Figures):
    """What an answer is about.

    ``as_of``: when it was read. ``counted_until``: everything in the log by then is in it.
    ``currency`` is null when there is nothing to count.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    as_of: datetime
    counted_until: datetime | None
    sources: tuple[Source, ...]
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


class CampaignsAnswer(Head):
    """By campaign: most activations first. ``truncated``: there are more rows."""

    rows: tuple[CampaignRow, ...]
    truncated: bool


class CodesAnswer(Head):
    """By code: most activations first. ``truncated``: there are more rows."""

    rows: tuple[CodeRow, ...]
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
    campaigns: tuple[CampaignRow, ...]
    instruments: tuple[InstrumentRow, ...]
    codes: tuple[CodeRow, ...]
    truncated: bool


class Choice(Figures):
    """Something to filter by."""

    id: str
    name: str
    status: str | None = None


class InstrumentChoice(Choice):
    """An instrument of a campaign."""

    campaign_id: str


class Choices(Figures):
    """Everything to filter by, each list by name."""

    campaigns: tuple[Choice, ...]
    instruments: tuple[InstrumentChoice, ...]
    emissions: tuple[Choice, ...]
    stores: tuple[Choice, ...]
    devices: tuple[Choice, ...]
    regions: tuple[Choice, ...]


class Activation(Figures):
    """One committed redemption. Ids rise in the order in which they were counted.

    ``emission_id`` "" is without a code; ``paid`` is what its whole receipt paid. Names are the ids where none
    are known.
    """

    id: int
    at: datetime
    counted_at: datetime
    campaign_id: str
    campaign: str
    instrument_id: str
    instrument: str
    emission_id: str
    store_id: str
    store: str
    device: str
    region: str
    currency: str
    discount: int
    bonuses: int
    paid: int


class ActivationsAnswer(Freshness):
    """The latest activations, latest first."""

    rows: tuple[Activation, ...]
