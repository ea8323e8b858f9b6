"""To forget a customer: everything of ours in one transaction, and word to the other services.

Compacted topics are told by tombstones; other topics keep the id until their retention ends, which the report says.
Sums in which the customer was counted stay: they do not have the id.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from services.customers import store
from services.customers.feed import erasure_store
from services.customers.feed.forgotten import be_alone
from services.customers.feed.pseudonym import pseudonym
from services.customers.forecast import store as forecasts
from services.customers.fraud.store import erasing as fraud
from services.customers.offers.store import records as offers
from services.customers.segments import store as segment_store
from shared import outbox
from shared.database import Connection
from shared.events.customers import Erased, ErasedTable, Erasure
from shared.outbox import Message, Tombstone
from shared.topics import (
    ALERTS,
    BLOCKS,
    CODE_REQUESTS,
    ERASED,
    ERASURES,
    OFFERS,
    PROFILES,
    SEGMENTS,
    Topic,
)

SOURCE = "/customers"
_KEPT_FOR_A_TIME = (OFFERS, ALERTS, CODE_REQUESTS, ERASURES)

Erase = Callable[[Connection, str], Awaitable[Sequence[ErasedTable]]]
"""Deletes a customer's rows, or keeps them without the id, in the caller's transaction."""

CONCERNS: tuple[Erase, ...] = (
    store.erase,
    segment_store.erase,
    forecasts.erase,
    offers.erase,
    fraud.erase,
)
"""Of every part of the service that has rows of customers."""


async def erase(
    connection: Connection, key: bytes, erasure: Erasure, requested_by: str, now: datetime
) -> Erased:
    """Erase the customer in the caller's transaction; returns this service's report.

    ``key`` makes the hash by which the customer will be known as erased. What happened up to ``now`` is forgotten;
    a purchase after it begins a new profile.
    """
    await be_alone(connection)
    customer_id = erasure.customer_id
    keys = _keys(customer_id, await segment_store.segments_known(connection, customer_id))
    tables: list[ErasedTable] = []
    for concern in CONCERNS:
        tables += await concern(connection, customer_id)
    tombstones = [
        Tombstone(topic, stored_key.encode(), f"{erasure.erasure_id}:{topic.name}:{number}")
        for topic, number, stored_key in keys
    ]
    report = Erased(
        erasure_id=erasure.erasure_id,
        service="customers",
        tables=tuple(tables),
        tombstones=tuple(dict.fromkeys(tombstone.topic.name for tombstone in tombstones)),
        ages_out=tuple(topic.name for topic in _KEPT_FOR_A_TIME),
        erased_at=now,
    )
    await erasure_store.note(
        connection, erasure.erasure_id, pseudonym(key, customer_id), now, requested_by
    )
    await erasure_store.report(connection, [report])
    about = erasure.erasure_id.encode()
    await outbox.put(
        connection,
        [
            *tombstones,
            Message(ERASURES, customer_id.encode(), erasure, erasure.erasure_id),
            Message(ERASED, about, report, f"{erasure.erasure_id}:customers"),
        ],
        SOURCE,
        now,
    )
    return report


def _keys(customer_id: str, segments: Sequence[str]) -> list[tuple[Topic, int, str]]:
    """Every key of a compacted topic of ours that may be about the customer, numbered within its topic."""
    of_segments = [(SEGMENTS, n, f"{customer_id}:{one}") for n, one in enumerate(segments)]
    return [(PROFILES, 0, customer_id), (BLOCKS, 0, f"customer:{customer_id}"), *of_segments]
