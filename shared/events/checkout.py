"""What tills and web shops send: carts before payment, sales after it."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from shared.events.values import (
    MAX_CODES,
    MAX_LINES,
    MAX_MONEY,
    THOUSANDTHS,
    Channel,
    Count,
    Currency,
    CustomerId,
    Event,
    Gift,
    Id,
    Instant,
    Location,
    Money,
    PaymentMethod,
    Points,
    Quantity,
    SignedMoney,
    Text,
)


class OtherDiscount(Event):
    """A discount on a line that Tillstream did not give; it is already within ``price``."""

    kind: Literal["staff", "markdown", "manual", "loyalty", "other"]
    amount: Money


class CartLine(Event):
    """One line of a cart.

    ``amount`` is the till's own, tax included, before Tillstream's discounts; it is ``price`` ×
    ``quantity`` to ±1 minor unit. ``list_price`` and ``price`` are per unit (1000 thousandths).
    """

    line: Count
    sku: Text
    group: Text | None = None
    brand: Text | None = None
    attributes: dict[Id, Text] = Field(default_factory=dict, max_length=50)
    quantity: Quantity
    list_price: Money
    price: Money
    amount: Money
    discounts: Annotated[tuple[OtherDiscount, ...], Field(max_length=20)] = ()
    no_promo: bool = False
    min_line_amount: Money = 0
    min_unit_price: Money = 0
    tax_code: Text | None = None

    @model_validator(mode="after")
    def _amount_is_price_times_quantity(self) -> Self:
        exact = self.price * self.quantity
        if abs(self.amount * THOUSANDTHS - exact) > THOUSANDTHS:
            message = f"amount of line {self.line} must be price × quantity, to ±1 minor unit"
            raise ValueError(message)
        return self


class SoldLine(CartLine):
    """A cart line as it was paid: ``discount`` is what Tillstream's benefits took off it."""

    discount: Money = 0

    @model_validator(mode="after")
    def _discount_within_amount(self) -> Self:
        if self.discount > self.amount:
            message = f"discount of line {self.line} exceeds its amount"
            raise ValueError(message)
        return self


class _Receipt(Event):
    """What carts and sales have in common. A higher ``revision`` replaces a lower one."""

    receipt_id: Id
    revision: Annotated[int, Field(ge=0, le=10**6)] = 0
    store_id: Id
    terminal_id: Id
    occurred_at: Instant
    currency: Currency
    customer_id: CustomerId | None = None
    channel: Channel = "till"
    user_agent: Annotated[Text, Field(max_length=500)] | None = None
    device_id: Id | None = None
    cashier_id: Id | None = None
    location: Location | None = None
    codes: Annotated[tuple[Text, ...], Field(max_length=MAX_CODES)] = ()


def _check_lines(lines: Sequence[CartLine]) -> None:
    """Line numbers are unique, and the total is money."""
    if len({line.line for line in lines}) != len(lines):
        message = "lines: line numbers must be unique on a receipt"
        raise ValueError(message)
    if sum(line.amount for line in lines) > MAX_MONEY:
        message = f"lines: amounts add up to more than {MAX_MONEY}"
        raise ValueError(message)


class Cart(_Receipt):
    """A cart before payment.

    ``quote`` asks for advice and holds nothing, ``checkout`` holds the slots it needs until the
    decision's ``expires_at``, ``cancel`` frees them (its lines may be empty). ``price_groups`` asks
    for the discounts in unit prices, too (some fiscal printers know no others). ``pay_bonuses`` are
    the points that the customer wants to pay with: a checkout holds as many as may be paid.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"intent": {"const": "cancel"}}, "required": ["intent"]},
            "else": {"properties": {"lines": {"minItems": 1}}, "required": ["lines"]},
        }
    )

    intent: Literal["quote", "checkout", "cancel"] = "checkout"
    payment_methods: Annotated[tuple[PaymentMethod, ...], Field(max_length=5)] = ()
    price_groups: bool = False
    pay_bonuses: Points = 0
    lines: Annotated[tuple[CartLine, ...], Field(max_length=MAX_LINES)] = ()

    @model_validator(mode="after")
    def _has_lines(self) -> Self:
        if not self.lines and self.intent != "cancel":
            message = "lines: a cart needs at least one line"
            raise ValueError(message)
        _check_lines(self.lines)
        return self


class GivenBenefit(Event):
    """A benefit that the till really gave, in the terms of the decision that granted it.

    ``lease_id``: it was given offline, from the quota that the store had leased.
    """

    campaign_id: Id
    instrument_id: Id
    discount: Money = 0
    gifts: Annotated[tuple[Gift, ...], Field(max_length=20)] = ()
    lease_id: Id | None = None


class Payment(Event):
    """One means of payment and the amount paid by it; a bonus point pays one minor unit."""

    method: PaymentMethod
    amount: SignedMoney


class Sale(_Receipt):
    """A paid receipt, stating the discounts, codes and gifts really given.

    ``decision_id`` names the decision that it follows, if there was one. The discounts of the
    lines add up to those of ``given``. ``cash_rounding`` is outside discounts.
    """

    intent: Literal["sale"] = "sale"
    decision_id: Id | None = None
    lines: Annotated[tuple[SoldLine, ...], Field(min_length=1, max_length=MAX_LINES)]
    given: Annotated[tuple[GivenBenefit, ...], Field(max_length=200)] = ()
    payments: Annotated[tuple[Payment, ...], Field(max_length=20)] = ()
    cash_rounding: SignedMoney = 0

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        _check_lines(self.lines)
        by_line = sum(line.discount for line in self.lines)
        by_benefit = sum(benefit.discount for benefit in self.given)
        if by_line != by_benefit:
            message = f"given: discounts add up to {by_benefit}, those of the lines to {by_line}"
            raise ValueError(message)
        if any(payment.method == "bonuses" and payment.amount < 0 for payment in self.payments):
            message = "payments: bonuses paid are not below zero; a return gives them back"
            raise ValueError(message)
        named = {(benefit.campaign_id, benefit.instrument_id) for benefit in self.given}
        if len(named) != len(self.given):
            message = "given: each instrument of a campaign is named once"
            raise ValueError(message)
        return self


class ReturnedLine(Event):
    """So much (thousandths) of a line of the sale comes back."""

    line: Count
    quantity: Quantity


class Return(Event):
    """All or part of a sale undone; no ``lines`` = all that is left of it.

    ``receipt_id`` is the sale's. Any store and terminal may take goods back. ``policy`` says what a
    part is worth: its share of what was paid (``proportional``), or what was paid less what the rest
    costs when it is decided again (``reprice``). ``gifts`` are those that come back; of the others of a
    benefit that is lost the value is withheld.
    """

    intent: Literal["return"]
    receipt_id: Id
    store_id: Id
    terminal_id: Id
    occurred_at: Instant
    lines: Annotated[tuple[ReturnedLine, ...], Field(max_length=MAX_LINES)] = ()
    cashier_id: Id | None = None
    policy: Literal["proportional", "reprice"] = "proportional"
    gifts: Annotated[tuple[Gift, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _lines_are_named_once(self) -> Self:
        if len({line.line for line in self.lines}) != len(self.lines):
            message = "lines: each line is returned once"
            raise ValueError(message)
        return self


class Confirmation(Event):
    """A decided receipt is paid, to the letter of its decision (over HTTP; over Kafka: a sale).

    ``gifts`` are those that were taken, by the benefit they come with; none stated = all that may be taken.
    ``customer_id``: a card shown with payment. ``occurred_at``: when it was paid; now unless stated.
    """

    occurred_at: Instant | None = None
    customer_id: CustomerId | None = None
    gifts: Annotated[tuple[GivenBenefit, ...], Field(max_length=200)] | None = None
    payments: Annotated[tuple[Payment, ...], Field(max_length=20)] = ()
    cash_rounding: SignedMoney = 0

    @model_validator(mode="after")
    def _gifts_are_gifts(self) -> Self:
        if any(benefit.discount for benefit in self.gifts or ()):
            message = "gifts: name gifts only; discounts are confirmed as they were decided"
            raise ValueError(message)
        return self
