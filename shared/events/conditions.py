"""The promotion language: conditions. What they mean is decided in ``services.evaluator.promotion``.

Each names its ``kind``. An instrument's conditions must all be met; ``all``, ``any`` and ``not``
combine others, nested. Money is in minor units, quantities in thousandths.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from shared.events.selection import Comparison, Products
from shared.events.values import (
    Channel,
    Count,
    Currency,
    Device,
    Event,
    Id,
    PaymentMethod,
    Quantity,
)

MAX_DEPTH = 6
MAX_CONDITIONS = 100
_Names = Annotated[tuple[Id, ...], Field(min_length=1, max_length=1_000)]


def _refuse_24(at: str) -> str:
    if at == "24:00":
        message = "use 00:00 for midnight"
        raise ValueError(message)
    return at


_Clock = Annotated[
    str,
    Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="HH:MM, the store's clock"),
    BeforeValidator(_refuse_24),
]
_Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class ReceiptTotal(Event):
    """The receipt's total (minor units) before our discounts, without ``no_promo`` goods."""

    kind: Literal["receipt_total"] = "receipt_total"
    compare: Comparison


class ReceiptQuantity(Event):
    """The quantity (thousandths) of all goods on the receipt, without ``no_promo`` goods."""

    kind: Literal["receipt_quantity"] = "receipt_quantity"
    compare: Comparison


class LineCount(Event):
    """The number of the receipt's lines, without ``no_promo`` goods."""

    kind: Literal["line_count"] = "line_count"
    compare: Comparison


class PaidBy(Event):
    """The receipt is paid by these methods and no others, as the till says."""

    kind: Literal["payment_method"] = "payment_method"
    methods: Annotated[tuple[PaymentMethod, ...], Field(min_length=1)]


class ViaChannel(Event):
    """The cart comes by one of the channels."""

    kind: Literal["channel"] = "channel"
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]


class OnDevice(Event):
    """The cart comes from one of the devices."""

    kind: Literal["device"] = "device"
    devices: Annotated[tuple[Device, ...], Field(min_length=1)]


class TimeOfDay(Event):
    """``starts`` ≤ the time on the store's clock < ``ends``; past midnight if ``ends`` is earlier."""

    kind: Literal["time_of_day"] = "time_of_day"
    starts: _Clock
    ends: _Clock

    @model_validator(mode="after")
    def _is_some_time(self) -> Self:
        if self.starts == self.ends:
            message = "ends: must differ from starts; leave the condition out for the whole day"
            raise ValueError(message)
        return self


class Weekday(Event):
    """The day of the week in the store's time zone."""

    kind: Literal["weekday"] = "weekday"
    days: Annotated[tuple[_Day, ...], Field(min_length=1)]


class InCurrency(Event):
    """The receipt's currency is one of these."""

    kind: Literal["currency"] = "currency"
    currencies: Annotated[tuple[Currency, ...], Field(min_length=1, max_length=50)]


class ProductQuantity(Event):
    """Quantity (thousandths) of the selected products."""

    kind: Literal["product_quantity"] = "product_quantity"
    products: Products
    compare: Comparison


class ProductSum(Event):
    """Sum (minor units) of the selected products, before our discounts."""

    kind: Literal["product_sum"] = "product_sum"
    products: Products
    compare: Comparison


class ProductPresence(Event):
    """At least one line of the selected products is on the receipt."""

    kind: Literal["product_presence"] = "product_presence"
    products: Products


class MixPart(Event):
    """At least ``quantity`` (thousandths) of the selected products."""

    products: Products
    quantity: Quantity


class ProductMix(Event):
    """All parts at once ("2 of A and 1 of B"); a line counts for the first part that selects it."""

    kind: Literal["product_mix"] = "product_mix"
    parts: Annotated[tuple[MixPart, ...], Field(min_length=2, max_length=20)]


class PromoCode(Event):
    """A code of the emission is presented; ``cap`` bounds activations over the processing period.

    The cap is shared by all codes of the emission; ``condition_id`` names its counter. ``own``: the
    code must be bound to the customer who presents it.
    """

    kind: Literal["promo_code"] = "promo_code"
    condition_id: Id = "code"
    emission_id: Id
    cap: Count | None = None
    own: bool = False


class CustomerGroup(Event):
    """The customer belongs to one of the groups."""

    kind: Literal["customer_group"] = "customer_group"
    groups: Annotated[tuple[Id, ...], Field(min_length=1, max_length=100)]


class CustomerSegment(Event):
    """The customer is in one of the segments."""

    kind: Literal["customer_segment"] = "customer_segment"
    segments: Annotated[tuple[Id, ...], Field(min_length=1, max_length=100)]


class CustomerKnown(Event):
    """The receipt has a customer, or (``known: false``) has none."""

    kind: Literal["customer_known"] = "customer_known"
    known: bool = True


class FirstPurchase(Event):
    """The customer has bought nothing before, whatever the processing period."""

    kind: Literal["first_purchase"] = "first_purchase"


class Birthday(Event):
    """Today, in the store's time zone, is within some days of the customer's birthday."""

    kind: Literal["birthday"] = "birthday"
    days_before: Annotated[int, Field(ge=0, le=180)] = 0
    days_after: Annotated[int, Field(ge=0, le=180)] = 0


class PurchaseCount(Event):
    """The customer's purchases (receipts) within the processing period, before this one."""

    kind: Literal["purchase_count"] = "purchase_count"
    compare: Comparison


class PurchaseSum(Event):
    """What they came to (minor units), before our discounts, without ``no_promo`` goods."""

    kind: Literal["purchase_sum"] = "purchase_sum"
    compare: Comparison


class ProductPurchases(Event):
    """Earlier purchases of the selected products within the processing period.

    ``measure``: their ``quantity`` (thousandths), their ``sum`` (minor units), or how many
    ``receipts`` had some.
    """

    kind: Literal["product_purchases"] = "product_purchases"
    products: Products
    measure: Literal["quantity", "sum", "receipts"] = "quantity"
    compare: Comparison


class DaysSincePurchase(Event):
    """Whole days since the customer's last purchase within the processing period.

    Without a purchase in it, the condition is not met: see ``first_purchase``.
    """

    kind: Literal["days_since_purchase"] = "days_since_purchase"
    compare: Comparison


class InStore(Event):
    """The receipt is of one of the stores."""

    kind: Literal["store"] = "store"
    stores: Annotated[tuple[Id, ...], Field(min_length=1, max_length=20_000)]


class InRegion(Event):
    """The store is in one of the regions."""

    kind: Literal["region"] = "region"
    regions: Annotated[tuple[str, ...], Field(min_length=1, max_length=1_000)]


class Near(Event):
    """Within ``radius_m`` metres of a point; the cart's own place, else its store's."""

    kind: Literal["near"] = "near"
    latitude_e6: Annotated[int, Field(ge=-90_000_000, le=90_000_000, description="microdegrees")]
    longitude_e6: Annotated[int, Field(ge=-180_000_000, le=180_000_000, description="microdegrees")]
    radius_m: Annotated[int, Field(ge=1, le=20_000_000, description="metres")]


class All(Event):
    """All of the conditions are met."""

    kind: Literal["all"] = "all"
    conditions: Annotated[tuple["Condition", ...], Field(min_length=1, max_length=MAX_CONDITIONS)]


class AnyOf(Event):
    """At least one of the conditions is met; the first that is met counts."""

    kind: Literal["any"] = "any"
    conditions: Annotated[tuple["Condition", ...], Field(min_length=1, max_length=MAX_CONDITIONS)]


class Not(Event):
    """The condition is not met."""

    kind: Literal["not"] = "not"
    condition: "Condition"


Condition = Annotated[
    ReceiptTotal
    | ReceiptQuantity
    | LineCount
    | PaidBy
    | ViaChannel
    | OnDevice
    | TimeOfDay
    | Weekday
    | InCurrency
    | ProductQuantity
    | ProductSum
    | ProductPresence
    | ProductMix
    | PromoCode
    | CustomerGroup
    | CustomerSegment
    | CustomerKnown
    | FirstPurchase
    | Birthday
    | PurchaseCount
    | PurchaseSum
    | ProductPurchases
    | DaysSincePurchase
    | InStore
    | InRegion
    | Near
    | All
    | AnyOf
    | Not,
    Field(discriminator="kind"),
]
History = FirstPurchase | PurchaseCount | PurchaseSum | ProductPurchases | DaysSincePurchase
"""Conditions that look at earlier purchases."""

All.model_rebuild()
AnyOf.model_rebuild()
Not.model_rebuild()


def children(condition: Condition) -> tuple[tuple[str, Condition], ...]:
    """The conditions that a condition combines, each with the path of its field from here."""
    match condition:
        case All() | AnyOf():
            return tuple((f"conditions.{n}", one) for n, one in enumerate(condition.conditions))
        case Not():
            return (("condition", condition.condition),)
        case _:
            return ()


def walk(
    conditions: Sequence[Condition], path: str = "conditions"
) -> Iterator[tuple[str, Condition, int]]:
    """Every condition, however deep, with the path of its field and its depth (from 1)."""
    for n, condition in enumerate(conditions):
        yield from _walk(condition, f"{path}.{n}", 1)


def _walk(condition: Condition, path: str, depth: int) -> Iterator[tuple[str, Condition, int]]:
    yield path, condition, depth
    for field, child in children(condition):
        yield from _walk(child, f"{path}.{field}", depth + 1)
