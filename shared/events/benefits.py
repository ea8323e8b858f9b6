"""The promotion language: benefits. What they mean is decided in ``services.evaluator.promotion``.

Money is in minor units, quantities in thousandths, percentages in basis points. "Products" empty =
the whole receipt. ``max_units`` bounds the quantity that gets the benefit: the cheapest units first,
or the dearest (``pick``).
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.events.selection import Products
from shared.events.values import Count, Event, Gift, Money, Percent, Points, Quantity

_MEASURED = "money in minor units (cents), quantities in thousandths"
Pick = Literal["cheapest", "dearest"]
_Price = Annotated[int, Field(ge=1, le=10**12, description="integer minor units (cents)")]


class PercentOff(Event):
    """A percentage off the selected products."""

    kind: Literal["percent_off"] = "percent_off"
    percent: Percent
    of: Literal["original", "remaining"] = "remaining"
    products: Products = Products()
    max_discount: Money | None = None
    max_units: Quantity | None = None
    pick: Pick = "cheapest"


class AmountOff(Event):
    """An amount off the selected products: once, or (``per_unit``) off every unit (1000).

    What does not fit on one line moves to the others; what fits on none is not given.
    """

    kind: Literal["amount_off"] = "amount_off"
    amount: _Price
    per_unit: bool = False
    products: Products = Products()
    max_discount: Money | None = None
    max_units: Quantity | None = None
    pick: Pick = "cheapest"

    @model_validator(mode="after")
    def _units_are_for_per_unit(self) -> Self:
        if self.max_units is not None and not self.per_unit:
            message = "max_units: only an amount per unit has units"
            raise ValueError(message)
        return self


class FixedPrice(Event):
    """The selected products at a price: each unit, or (``units``) every full set of so many.

    Nobody pays more than before. Sets are made of the dearest units first ("3 for 99.00").
    """

    kind: Literal["fixed_price"] = "fixed_price"
    price: Money
    units: Quantity | None = None
    products: Products = Products()
    max_units: Quantity | None = None


class BuyGet(Event):
    """For every ``buy`` (thousandths) of the products, ``get`` of ``rewards`` at ``percent`` off.

    Without ``rewards`` they are of the same products, the cheapest of every ``buy`` + ``get``.
    10000 (the default) is free. As often as it fits, at most ``max_times``.
    """

    kind: Literal["buy_get"] = "buy_get"
    buy: Quantity
    get: Quantity
    products: Products = Products()
    rewards: Products | None = None
    percent: Percent = 10_000
    max_times: Count | None = None


class CheapestFree(Event):
    """The cheapest of every ``of`` units (thousandths) of the products is free, or ``percent`` off."""

    kind: Literal["cheapest_free"] = "cheapest_free"
    of: Annotated[int, Field(ge=2_000, le=10**9, description="integer thousandths: 3 = 3000")]
    products: Products = Products()
    percent: Percent = 10_000
    max_times: Count | None = None


class Bonuses(Event):
    """Bonus points: ``fixed``, or ``percent`` of the selected products' net sum, or both.

    They can be spent ``active_after_days`` days (of 24 hours) after the sale, and for
    ``expires_after_days`` days from then on; none = for ever.
    """

    kind: Literal["bonuses"] = "bonuses"
    fixed: Annotated[int, Field(ge=0, le=1_000_000, description="bonus points, whole")] = 0
    percent: Percent | None = None
    products: Products = Products()
    max_points: Points | None = None
    active_after_days: Annotated[int, Field(ge=0, le=366)] = 0
    expires_after_days: Annotated[int, Field(ge=1, le=3_660)] | None = None

    @model_validator(mode="after")
    def _gives_something(self) -> Self:
        if not self.fixed and self.percent is None:
            message = "fixed: give fixed points or a percent"
            raise ValueError(message)
        return self


class GiftGoods(Event):
    """Goods given away: every one of ``gifts``, or so many of the list as ``choose`` says.

    Their stock is the till's business: of a choice, what is out of stock is followed by the next.
    """

    kind: Literal["gift_goods"] = "gift_goods"
    gifts: Annotated[tuple[Gift, ...], Field(min_length=1, max_length=20)]
    choose: Annotated[int, Field(ge=1, le=20)] | None = None

    @model_validator(mode="after")
    def _chooses_from_more(self) -> Self:
        if self.choose is not None and self.choose >= len(self.gifts):
            message = "choose: must be fewer than there are gifts; leave it out to give them all"
            raise ValueError(message)
        return self


TierBenefit = Annotated[
    PercentOff | AmountOff | FixedPrice | Bonuses | GiftGoods, Field(discriminator="kind")
]


class Tier(Event):
    """``benefit`` applies where ``at_least`` ≤ what is measured < ``below`` (none: no upper end)."""

    at_least: Annotated[int, Field(ge=0, le=10**12, description=_MEASURED)]
    below: Annotated[int, Field(ge=1, le=10**12, description=_MEASURED)] | None = None
    benefit: TierBenefit


class Tiers(Event):
    """One benefit of several, by the ``sum`` (minor units) or ``quantity`` of the products.

    A tier without ``below`` ends where the next begins ("300 → 5%, 500 → 10%").
    """

    kind: Literal["tiers"] = "tiers"
    by: Literal["sum", "quantity"] = "sum"
    products: Products = Products()
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=20)]


Benefit = Annotated[
    PercentOff | AmountOff | FixedPrice | BuyGet | CheapestFree | Tiers | Bonuses | GiftGoods,
    Field(discriminator="kind"),
]
