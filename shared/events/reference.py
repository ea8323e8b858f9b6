"""Reference data that emission owns and publishes: stores, products, customers' groups, promo codes."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from shared.events.values import (
    Count,
    Currency,
    CustomerId,
    Event,
    Id,
    Instant,
    Location,
    Money,
    Text,
)

CODES_PER_CHUNK = 1_000
NOBODY = "tillstream:nobody"
"""The holder of a code that nobody may use any more: its customer was erased."""


class Store(Event):
    """A store (a web shop is one). ``region`` is where its statistics are counted.

    ``time_zone`` is what hours and weekdays go by, ``location`` what distances are measured from.
    At most ``bonus_share`` (basis points) of a receipt may be paid with bonus points.
    """

    store_id: Id
    name: Text
    region: Text
    time_zone: Text
    currency: Currency
    location: Location | None = None
    bonus_share: Annotated[int, Field(ge=0, le=10_000, description="basis points")] = 5_000


class Product(Event):
    """A product, as it is called and where it belongs. ``cost`` is of a unit (1000 thousandths)."""

    sku: Text
    name: Text
    group: Text | None = None
    brand: Text | None = None
    attributes: Annotated[dict[Id, Text], Field(max_length=50)] = Field(default_factory=dict)
    cost: Money | None = None
    currency: Currency | None = None

    @model_validator(mode="after")
    def _cost_has_a_currency(self) -> Self:
        if (self.cost is None) != (self.currency is None):
            message = "currency: given with a cost, and only with it"
            raise ValueError(message)
        return self


BirthDay = Annotated[
    str,
    StringConstraints(
        pattern=r"^(02-(0[1-9]|[12][0-9])|(0[13-9]|1[0-2])-(0[1-9]|[12][0-9]|30)"
        r"|(0[13578]|1[02])-31)$"
    ),
    Field(description="MM-DD, a day that some year has"),
]


class Customer(Event):
    """The groups that a customer belongs to, and the day of their birth."""

    customer_id: CustomerId
    groups: Annotated[tuple[Id, ...], Field(max_length=1_000)] = ()
    birthday: BirthDay | None = None


class SegmentChange(Event):
    """A customer entered or left a segment; the latest for the two is what counts."""

    customer_id: CustomerId
    segment_id: Id
    member: bool
    changed_at: Instant


class CodeChunk(Event):
    """Up to 1,000 codes of an emission, as keyed digests: never the codes themselves.

    ``digests`` is base64 of the digests, 16 bytes each, one after another (``shared.codes``).
    ``holders`` are the customers that the codes are bound to, in the same order (null: anybody may use it;
    ``tillstream:nobody``: nobody may any more, its customer was erased); none at all if no code is bound. ``chunk`` counts
    from 1; one that is said again (``ts_repeats``) says who may not use its codes any more, and is not counted again. ``posted_at`` is the emission's: a word may be used again once its
    emission has ended, and of two emissions with the same word the later one has it. ``valid_until``: these codes end
    before their emission does.
    """

    emission_id: Id
    kind: Literal["mass", "personal"]
    chunk: Count
    posted_at: Instant
    digests: Annotated[str, Field(max_length=22_000)]
    holders: Annotated[tuple[CustomerId | None, ...], Field(max_length=CODES_PER_CHUNK)] = ()
    valid_until: Instant | None = None
