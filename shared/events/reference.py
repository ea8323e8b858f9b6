"""Reference data that emission owns and publishes: stores, customers' groups, promo codes."""

from typing import Annotated, Literal

from pydantic import Field

from shared.events.values import Count, Currency, CustomerId, Event, Id, Instant, Text

CODES_PER_CHUNK = 1_000


class Store(Event):
    """A store (a web shop is one). ``region`` is where its statistics are counted."""

    store_id: Id
    name: Text
    region: Text
    time_zone: Text
    currency: Currency


class Customer(Event):
    """The groups that a customer belongs to."""

    customer_id: CustomerId
    groups: Annotated[tuple[Id, ...], Field(max_length=1_000)] = ()


class CodeChunk(Event):
    """Up to 1,000 codes of an emission, as keyed digests: never the codes themselves.

    ``digests`` is base64 of the digests, 16 bytes each, one after another (``shared.codes``).
    ``chunk`` counts from 1. ``posted_at`` is the emission's: a word may be used again once its
    emission has ended, and of two emissions with the same word the later one has it.
    """

    emission_id: Id
    kind: Literal["mass", "personal"]
    chunk: Count
    posted_at: Instant
    digests: Annotated[str, Field(max_length=22_000)]
