"""The shapes of what marketers learn. Pure.

Money is integer minor units of the answer's one currency, quantities are thousandths, shares and uplifts basis
points.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from services.analytics.figures import Figures, Head
from services.analytics.insight.effectiveness import (
    LEAST_CUSTOMERS,
    Arm,
    Code,
    Estimate,
    Move,
    NoMove,
    Reason,
    incremental,
    uplift,
)
from services.analytics.insight.forecast import State
from services.analytics.tables import Sums

_BASIS_POINTS = 10_000
_DIGITS = 4


class DaysHead(Head):
    """The head of what is counted by whole days: those of UTC with the dates of the window's days."""

    first_day: date | None
    last_day: date | None


class ArmFigures(Figures):
    """The customers of one arm, and what they paid meanwhile, whatever they were given, less refunds."""

    customers: int
    receipts: int
    revenue: int


class UpliftFigures(Figures):
    """The revenue that there is because of the campaign: of all its time and places so far.

    ``missing`` says why it is not known; else each figure has its 95% interval.
    """

    control_group: int = Field(description="how many of the customers are held back")
    since: datetime = Field(
        description="the campaign's start, or when the share of its control group was last changed"
    )
    treated: ArmFigures
    held_back: ArmFigures
    net_discount: int = Field(description="what the campaign has cost since then")
    uplift: int | None = None
    lower: int | None = None
    upper: int | None = None
    incremental_revenue: int | None = None
    incremental_lower: int | None = None
    incremental_upper: int | None = None
    incremental_per_discount: float | None = Field(
        None, description="incremental revenue for each unit of net_discount"
    )
    incremental_per_discount_lower: float | None = None
    incremental_per_discount_upper: float | None = None
    missing: Literal["too_few_customers", "nothing_paid"] | None = None
    needed: int = Field(LEAST_CUSTOMERS, description="customers in each arm, at least")


class EffectivenessRow(Figures):
    """What a campaign brought. Names are the ids where none are known."""

    campaign_id: str
    campaign: str
    status: str
    carts: int = Field(description="cart revisions that considered one of its instruments, each")
    decided: int = Field(description="those that got a benefit, each")
    activations: int = Field(description="committed redemptions, each, before returns")
    receipts: int = Field(description="paid receipts with a benefit of it, before returns")
    conversion: int | None = Field(description="activations / carts")
    average_receipt: int | None = Field(description="revenue per receipt, rounded half up")
    units: int = Field(description="thousandths, of all goods on the receipts")
    units_per_receipt: int | None
    discount: int
    returned_discount: int
    net_discount: int
    revenue: int = Field(description="paid amount of the receipts, before returns")
    refunded: int = Field(description="for returns that took back something of it")
    net_revenue: int
    revenue_per_discount: float | None = Field(description="net_revenue / net_discount")
    uplift: UpliftFigures | None = Field(description="null: it has no control group")


class CampaignName(Figures):
    """A campaign."""

    campaign_id: str
    campaign: str


class ReasonFigures(Figures):
    """A reason, as data: what it says depends on ``code``, which figures it has, too."""

    code: Code
    campaign_id: str
    figures: Mapping[str, float]


class Suggestion(Figures):
    """Where budget should go. ``certain``: the intervals of the two do not meet."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    from_: CampaignName = Field(alias="from")
    to: CampaignName
    basis: Literal["uplift", "revenue"]
    certain: bool
    reasons: tuple[ReasonFigures, ...]
    sentence: str


class EffectivenessAnswer(DaysHead):
    """Each campaign of the days: most net revenue first, then by id; and where to move budget."""

    average_receipt: int | None = Field(
        description="of all receipts, with a promotion or without, rounded half up"
    )
    rows: tuple[EffectivenessRow, ...]
    suggestion: Suggestion | None
    no_suggestion: NoMove | None
    truncated: bool


def half_up(part: int, whole: int) -> int | None:
    """So much for each of the whole, rounded half up; None where there is nothing."""
    return (2 * part + whole) // (2 * whole) if whole > 0 else None


def share(part: int, whole: int) -> int | None:
    """A part of a whole in basis points; None where there is no whole."""
    return half_up(part * _BASIS_POINTS, whole)


def effectiveness_row(
    campaign_id: str,
    known: tuple[str, str],
    uses: Sums,
    sums: Sums,
    compared: UpliftFigures | None,
) -> EffectivenessRow:
    """A campaign of which the name and status are ``known``; ``uses`` are of its instruments, ``sums`` of its receipts."""
    receipts, revenue = sums.get("receipts", 0), sums.get("revenue", 0)
    net_discount = sums.get("discount", 0) - sums.get("returned_discount", 0)
    net_revenue = revenue - sums.get("refunded", 0)
    carts, activations = uses.get("carts", 0), uses.get("activations", 0)
    return EffectivenessRow(
        campaign_id=campaign_id,
        campaign=known[0],
        status=known[1],
        carts=carts,
        decided=uses.get("decided", 0),
        activations=activations,
        receipts=receipts,
        conversion=share(activations, carts),
        average_receipt=half_up(revenue, receipts),
        units=sums.get("units", 0),
        units_per_receipt=half_up(sums.get("units", 0), receipts),
        discount=sums.get("discount", 0),
        returned_discount=sums.get("returned_discount", 0),
        net_discount=net_discount,
        revenue=revenue,
        refunded=sums.get("refunded", 0),
        net_revenue=net_revenue,
        revenue_per_discount=_per(net_revenue, net_discount),
        uplift=compared,
    )


def uplift_figures(
    control_group: int, since: datetime, arms: tuple[Arm, Arm], net_discount: int
) -> tuple[UpliftFigures, Estimate | None, Estimate | None]:
    """The comparison of both arms, treated first; with the uplift, and what each unit of discount brought."""
    treated, held_back = arms
    figures = UpliftFigures(
        control_group=control_group,
        since=since,
        treated=_arm(treated),
        held_back=_arm(held_back),
        net_discount=net_discount,
    )
    found = uplift(treated, held_back, control_group / _BASIS_POINTS)
    if found is None:
        few = min(treated.customers, held_back.customers) < LEAST_CUSTOMERS
        missing = "too_few_customers" if few else "nothing_paid"
        return figures.model_copy(update={"missing": missing}), None, None
    brought = incremental(treated, found)
    each = brought.scaled(net_discount) if net_discount > 0 else None
    update: dict[str, float | None] = {
        **_named(found.scaled(1 / _BASIS_POINTS), ("uplift", "lower", "upper"), None),
        **_named(brought, ("incremental_revenue", "incremental_lower", "incremental_upper"), None),
    }
    if each:
        name = "incremental_per_discount"
        update |= _named(each, (name, f"{name}_lower", f"{name}_upper"), _DIGITS)
    return figures.model_copy(update=update), found, each


def suggestion_of(move: Move) -> Suggestion:
    """A move as it is answered."""
    return Suggestion(
        from_=CampaignName(campaign_id=move.source.campaign_id, campaign=move.source.name),
        to=CampaignName(campaign_id=move.target.campaign_id, campaign=move.target.name),
        basis=move.basis,
        certain=move.certain,
        reasons=tuple(
            ReasonFigures(code=one.code, campaign_id=one.campaign_id, figures=_told(one))
            for one in move.reasons
        ),
        sentence=move.sentence,
    )


def _told(reason: Reason) -> dict[str, float]:
    if reason.code in ("uplift_proven", "uplift_not_proven"):
        return {name: round(value * _BASIS_POINTS) for name, value in reason.figures.items()}
    return {name: round(value, _DIGITS) for name, value in reason.figures.items()}


def _arm(arm: Arm) -> ArmFigures:
    return ArmFigures(customers=arm.customers, receipts=arm.receipts, revenue=arm.revenue)


def _named(
    found: Estimate, names: tuple[str, str, str], digits: int | None
) -> dict[str, float | None]:
    values = (found.value, found.lower, found.upper)
    return {name: round(value, digits) for name, value in zip(names, values, strict=True)}


def _per(part: int, whole: int) -> float | None:
    return round(part / whole, _DIGITS) if whole > 0 else None


class CapPeriod(Figures):
    """Over which time a cap counts at the moment: ``from`` ≤ t < ``to``."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    kind: Literal["campaign", "rolling", "calendar", "consecutive"]
    days: int | None = None
    unit: Literal["day", "week", "month"] | None = None
    from_: datetime = Field(alias="from")
    to: datetime


class CapForecast(Figures):
    """When a cap is expected to be used up, and between when (95%).

    ``expected``: within its period; no ``latest``: perhaps not. ``not_within``: not within its period; with
    ``earliest``: perhaps nevertheless. ``sliding``: the period slides, what is used frees itself again.
    """

    state: State | Literal["sliding", "not_running"]
    at: datetime | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    per_day: float | None = Field(None, description="used a day, at the latest rate")


class CapRow(Figures):
    """A cap of a campaign, over all of its instruments or (with ``instrument_id``) one.

    ``code``: on redemptions with codes of the emission that a condition asks for. With ``per`` it is one for each
    of these, and only listed. Receipts that are held count for nothing here: the certificate is exact.
    """

    campaign_id: str
    campaign: str
    status: str
    instrument_id: str | None
    instrument: str | None
    kind: Literal["campaign", "instrument", "code"]
    emission_id: str | None
    condition_id: str | None
    counts: Literal["redemptions", "money"]
    currency: str | None = Field(description="of money that was used")
    per: tuple[str, ...]
    period: CapPeriod
    cap: int
    used: int | None
    remaining: int | None
    forecast: CapForecast | None


class CapsAnswer(Figures):
    """The caps of all campaigns that are not finished, by campaign, as it states them."""

    as_of: datetime
    counted_until: datetime | None
    rows: tuple[CapRow, ...]


class CustomersFigures(Figures):
    """How many different customers, estimated (HyperLogLog), and 95% bounds."""

    estimate: int = 0
    lower: int = 0
    upper: int = 0


class CampaignCustomers(CampaignName):
    """Who used a benefit of a campaign."""

    customers: CustomersFigures


class DayCustomers(Figures):
    """Who bought on a day."""

    day: date
    customers: CustomersFigures


class CustomersAnswer(DaysHead):
    """Different customers that bought, on all days together; by campaign, most first, and by day.

    Receipts without a customer count for none.
    """

    customers: CustomersFigures
    campaigns: tuple[CampaignCustomers, ...]
    days: tuple[DayCustomers, ...]


class CategoryRow(Figures):
    """What was bought of a product group on receipts with a benefit of the instrument, got with that code.

    All goods of the receipts count, as they were sold: returns are not taken off. A receipt with several
    benefits counts for each.
    """

    campaign_id: str
    campaign: str
    instrument_id: str
    instrument: str
    emission_id: str | None = Field(description="of the code used; null: without one")
    group: str | None = Field(description="of the receipt, or else of the catalogue")
    lines: int
    quantity: int = Field(description="thousandths")
    amount: int = Field(description="before our discounts")
    discount: int
    revenue: int = Field(description="amount − discount")
    covered_revenue: int = Field(description="of goods whose cost the catalogue knew then")
    cost: int = Field(description="of those goods")
    margin: int | None = Field(description="covered_revenue − cost")
    margin_share: int | None = Field(description="margin / covered_revenue")
    covered: int | None = Field(description="covered_revenue / revenue")


class CategoriesAnswer(DaysHead):
    """Product groups by what they were bought with: most revenue first."""

    rows: tuple[CategoryRow, ...]
    truncated: bool


def category_row(sums: Mapping[str, Any], campaign: str, instrument: str) -> CategoryRow:
    """A row of the sums of a group."""
    revenue, covered = sums["amount"] - sums["discount"], sums["covered"]
    margin = covered - sums["cost"] if covered or sums["cost"] else None
    return CategoryRow(
        campaign_id=sums["campaign_id"],
        campaign=campaign,
        instrument_id=sums["instrument_id"],
        instrument=instrument,
        emission_id=sums["emission_id"] or None,
        group=sums["group"] or None,
        **{name: sums[name] for name in ("lines", "quantity", "amount", "discount", "cost")},
        revenue=revenue,
        covered_revenue=covered,
        margin=margin,
        margin_share=None if margin is None else share(margin, covered),
        covered=share(covered, revenue),
    )
