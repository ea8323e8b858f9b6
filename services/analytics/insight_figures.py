"""The shapes of what marketers learn. Pure.

Money is integer minor units of the answer's one currency, quantities are thousandths, shares and uplifts basis
points.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

from pydantic import ConfigDict, Field

from services.analytics.effectiveness import (
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
from services.analytics.figures import Figures, Head
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
