"""The promotion language: campaigns, instruments, conditions and benefits, as data.

``Campaign`` is the event on ``promo.campaigns.v1``; the rest are its parts, and also what marketers
post to emission's API. What they mean is decided in ``services.evaluator.promotion``.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.events.values import (
    Count,
    Event,
    Gift,
    Id,
    Instant,
    Money,
    Percent,
    Text,
)

MAX_CONDITIONS = 20
MAX_INSTRUMENTS = 200


class Comparison(Event):
    """``op`` compares what the cart has with ``value``; ``between`` includes both ends."""

    op: Literal[">=", ">", "=", "<", "<=", "between"] = ">="
    value: Annotated[int, Field(ge=0, le=10**12)]
    upper: Annotated[int, Field(ge=0, le=10**12)] | None = None

    @model_validator(mode="after")
    def _upper_goes_with_between(self) -> Self:
        if (self.op == "between") != (self.upper is not None):
            message = "upper: given with 'between', and only with it"
            raise ValueError(message)
        if self.upper is not None and self.upper < self.value:
            message = "upper: must not be below value"
            raise ValueError(message)
        return self


class Products(Event):
    """A selection of products: those of any of ``skus``, ``groups`` or ``brands``.

    Empty means every product on the receipt.
    """

    skus: Annotated[tuple[Text, ...], Field(max_length=5_000)] = ()
    groups: Annotated[tuple[Text, ...], Field(max_length=500)] = ()
    brands: Annotated[tuple[Text, ...], Field(max_length=500)] = ()


class ReceiptTotal(Event):
    """The receipt's total (minor units) before our discounts, without ``no_promo`` goods."""

    kind: Literal["receipt_total"] = "receipt_total"
    compare: Comparison


class PromoCode(Event):
    """A code of the emission is presented; ``cap`` bounds activations over the processing period.

    The cap is shared by all codes of the emission. ``condition_id`` names its counter.
    """

    kind: Literal["promo_code"] = "promo_code"
    condition_id: Id = "code"
    emission_id: Id
    cap: Count | None = None


class ProductQuantity(Event):
    """Quantity (thousandths) of the selected products."""

    kind: Literal["product_quantity"] = "product_quantity"
    products: Products
    compare: Comparison


class ProductSum(Event):
    """Sum (minor units) of the selected products."""

    kind: Literal["product_sum"] = "product_sum"
    products: Products
    compare: Comparison


class CustomerGroup(Event):
    """The customer belongs to one of the groups."""

    kind: Literal["customer_group"] = "customer_group"
    groups: Annotated[tuple[Id, ...], Field(min_length=1, max_length=100)]


Condition = Annotated[
    ReceiptTotal | PromoCode | ProductQuantity | ProductSum | CustomerGroup,
    Field(discriminator="kind"),
]


class PercentOff(Event):
    """A percentage off the selected products; nothing selected = the whole receipt."""

    kind: Literal["percent_off"] = "percent_off"
    percent: Percent
    of: Literal["original", "remaining"] = "remaining"
    products: Products = Products()
    max_discount: Money | None = None


class Bonuses(Event):
    """Bonus points: ``fixed``, or ``percent`` of the selected products' net sum, or both."""

    kind: Literal["bonuses"] = "bonuses"
    fixed: Annotated[int, Field(ge=0, le=1_000_000, description="bonus points, whole")] = 0
    percent: Percent | None = None
    products: Products = Products()

    @model_validator(mode="after")
    def _gives_something(self) -> Self:
        if not self.fixed and self.percent is None:
            message = "fixed: give fixed points or a percent"
            raise ValueError(message)
        return self


class GiftGoods(Event):
    """Goods given away: every one of ``gifts``; their stock is the till's business."""

    kind: Literal["gift_goods"] = "gift_goods"
    gifts: Annotated[tuple[Gift, ...], Field(min_length=1, max_length=20)]


Benefit = Annotated[PercentOff | Bonuses | GiftGoods, Field(discriminator="kind")]


class Instrument(Event):
    """Meet these conditions, all of them, and get this benefit."""

    instrument_id: Id
    name: Text
    conditions: Annotated[tuple[Condition, ...], Field(max_length=MAX_CONDITIONS)] = ()
    benefit: Benefit
    processing_period: Literal["campaign"] = "campaign"
    trigger: Literal["on_sale"] = "on_sale"
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    include_discounted: bool = False
    max_redemptions: Count | None = None

    @model_validator(mode="after")
    def _condition_ids_are_unique(self) -> Self:
        ids = [c.condition_id for c in self.conditions if isinstance(c, PromoCode)]
        if len(set(ids)) != len(ids):
            message = "conditions: condition_id must be unique within an instrument"
            raise ValueError(message)
        return self


class EmissionSummary(Event):
    """What an evaluator must know of an emission that a campaign refers to.

    ``posted_codes`` is how many codes it must hold before the campaign may become active.
    ``single_use``: each code may be redeemed once, for life, over all campaigns.
    """

    emission_id: Id
    kind: Literal["mass", "personal"]
    single_use: bool
    posted_codes: Annotated[int, Field(ge=0)]
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class Campaign(Event):
    """One state of a campaign: the latest on ``promo.campaigns.v1`` for its id is what counts.

    The period is half-open: ``starts_at`` ≤ t < ``ends_at``. No stores = everywhere; no groups =
    everybody.
    """

    campaign_id: Id
    version: Count
    name: Text
    status: Literal["running", "paused", "finished"]
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    time_zone: Text
    starts_at: Instant
    ends_at: Instant
    stores: Annotated[tuple[Id, ...], Field(max_length=20_000)] = ()
    customer_groups: Annotated[tuple[Id, ...], Field(max_length=1_000)] = ()
    instruments: Annotated[tuple[Instrument, ...], Field(min_length=1, max_length=MAX_INSTRUMENTS)]
    emissions: tuple[EmissionSummary, ...] = ()

    @model_validator(mode="after")
    def _instruments_are_named_once(self) -> Self:
        ids = [instrument.instrument_id for instrument in self.instruments]
        if len(set(ids)) != len(ids):
            message = "instruments: each instrument is in a campaign once"
            raise ValueError(message)
        return self
