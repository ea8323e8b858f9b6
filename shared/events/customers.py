"""What the customers service tells CRM systems and the other services, and what it asks of them.

Customer ids are opaque. Money is in minor units, shares and probabilities in basis points.
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.events.values import (
    Count,
    Currency,
    CustomerId,
    Device,
    Event,
    Id,
    Instant,
    Money,
    Points,
    SignedMoney,
    Text,
)

Share = Annotated[int, Field(ge=0, le=10_000, description="basis points: 10% = 1000")]
_Number = Annotated[int, Field(ge=0, le=10**12)]


class Spending(Event):
    """A customer's purchases in one currency: ``paid`` less ``refunded`` is what was kept."""

    currency: Currency
    purchases: _Number
    discount: Money
    paid: SignedMoney
    refunded: Money


class Favourite(Event):
    """A group of products that a customer buys: on how many receipts, and what was paid for it."""

    group: Text
    currency: Currency
    purchases: _Number
    quantity: Annotated[int, Field(description="integer thousandths: 1.250 kg = 1250")]
    paid: SignedMoney


class Visited(Event):
    """How many purchases were made in a store."""

    store_id: Id
    purchases: _Number


class Used(Event):
    """How many purchases were made on a device."""

    device: Device
    purchases: _Number


class Codes(Event):
    """Personal promo codes: how many the customer was given, has used, and has not; and receipts with any code."""

    offered: _Number
    used: _Number
    unused: _Number
    receipts_with_code: _Number


class BonusPoints(Event):
    """A customer's bonus points over all time, and what is left of them."""

    earned: Points
    spent: Points
    expired: Points
    taken_back: Points
    balance: int


class Forecast(Event):
    """What is expected of a customer: whether they will buy within ``days``, how often, and when next.

    ``expected_purchases`` is in thousandths. ``model`` made it, at ``made_at``.
    """

    model: Id
    made_at: Instant
    days: Count
    probability: Share
    expected_purchases: _Number
    expected_on: date | None = None


class Rfm(Event):
    """Recency, frequency and monetary value, each in fifths of all customers (5 is best), and its class."""

    recency: Annotated[int, Field(ge=1, le=5)]
    frequency: Annotated[int, Field(ge=1, le=5)]
    monetary: Annotated[int, Field(ge=1, le=5)]
    rfm_class: Id


class Profile(Event):
    """What is known of a customer: the latest for the id counts. Purchases that were wholly returned are none.

    ``hours`` and ``weekdays`` (from Monday) count purchases by the store's clock. ``promo_share`` is the share of
    purchases with a benefit of ours. ``favourites`` are the ten groups bought most often.
    """

    customer_id: CustomerId
    version: Count
    as_of: Instant
    purchases: _Number
    purchases_90_days: _Number
    first_purchase_at: Instant | None = None
    last_purchase_at: Instant | None = None
    spending: tuple[Spending, ...] = ()
    promo_purchases: _Number
    promo_share: Share
    returns: _Number
    favourites: tuple[Favourite, ...] = ()
    stores: tuple[Visited, ...] = ()
    devices: tuple[Used, ...] = ()
    hours: Annotated[tuple[_Number, ...], Field(min_length=24, max_length=24)]
    weekdays: Annotated[tuple[_Number, ...], Field(min_length=7, max_length=7)]
    codes: Codes
    bonuses: BonusPoints
    segments: tuple[Id, ...] = ()
    rfm: Rfm | None = None
    forecast: Forecast | None = None


OfferStatus = Literal["offered", "used", "expired", "withdrawn"]


class Offer(Event):
    """One state of a personal offer: the latest for ``offer_id`` is what counts.

    ``code`` is for this customer only; hand it to nobody else. It may be used until ``valid_until``. ``reason`` is
    the policy's, ``step`` (from 1) how often it was raised. ``send_at`` is when to send it.
    ``receipt_id`` is the one that used it.
    """

    offer_id: Id
    customer_id: CustomerId
    policy_id: Id
    status: OfferStatus
    reason: Text
    step: Count
    emission_id: Id
    code: Text | None = None
    send_at: Instant
    valid_until: Instant
    changed_at: Instant
    receipt_id: Id | None = None


SubjectKind = Literal["customer", "device", "address", "store", "cashier", "code"]
"""Whom an alert or a block is about. ``address`` is a keyed hash, another one each day; a ``cashier`` is store:cashier."""

AlertStatus = Literal["open", "confirmed", "dismissed"]


class Evidence(Event):
    """One figure behind an alert: what was counted, how much, what is usual, and in which receipts."""

    measure: Id
    value: int
    usual: int | None = None
    receipts: Annotated[tuple[Id, ...], Field(max_length=20)] = ()


class Alert(Event):
    """A suspicion of abuse: one state of it, the latest for ``alert_id`` is what counts.

    ``rule`` says which pattern was met. ``score`` (basis points) is how sure the learnt model is; none before it has
    learnt. The same subject and rule raise one alert while it is open: ``times`` says how often.
    """

    alert_id: Id
    rule: Id
    subject_kind: SubjectKind
    subject: Text
    status: AlertStatus
    severity: Literal["low", "medium", "high"]
    score: Share | None = None
    times: Count
    evidence: Annotated[tuple[Evidence, ...], Field(max_length=20)] = ()
    first_seen_at: Instant
    last_seen_at: Instant
    changed_at: Instant
    blocked: bool = False


class Block(Event):
    """Promotions are withheld from a subject until ``until`` (none: until it is lifted).

    The evaluator gives them nothing while it lasts, and its decisions say so. ``blocked`` false lifts it.
    """

    subject_kind: Literal["customer", "device", "cashier"]
    subject: Text
    blocked: bool
    alert_id: Id | None = None
    until: Instant | None = None
    changed_at: Instant


class CodeRequest(Event):
    """A personal code of a posted emission, please, for one customer, valid until then.

    The same ``request_id`` gets the same answer, once.
    """

    request_id: Id
    emission_id: Id
    customer_id: CustomerId
    valid_until: Instant
    requested_at: Instant


class CodeIssued(Event):
    """The answer to a request: the code, or why there is none."""

    request_id: Id
    emission_id: Id
    customer_id: CustomerId
    code: Text | None = None
    refused: Literal["no_such_emission", "not_personal", "not_posted", "ended", "erased"] | None = (
        None
    )
    valid_until: Instant
    issued_at: Instant

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> Self:
        if (self.code is None) == (self.refused is None):
            message = "code: an answer has either a code or a reason"
            raise ValueError(message)
        return self


class Erasure(Event):
    """A customer is to be forgotten: every service erases what it has under the id, and says so."""

    erasure_id: Id
    customer_id: CustomerId
    requested_at: Instant


class ErasedTable(Event):
    """Rows of a table that were deleted, or kept without the id."""

    table: Id
    deleted: _Number = 0
    anonymised: _Number = 0


class Erased(Event):
    """What a service has erased of a customer: by table, and keys deleted from compacted topics.

    ``ages_out`` are topics that still hold the id until their retention ends.
    """

    erasure_id: Id
    service: Literal["emission", "evaluator", "analytics", "customers"]
    tables: Annotated[tuple[ErasedTable, ...], Field(max_length=100)] = ()
    tombstones: Annotated[tuple[Text, ...], Field(max_length=50)] = ()
    ages_out: Annotated[tuple[Text, ...], Field(max_length=50)] = ()
    erased_at: Instant
