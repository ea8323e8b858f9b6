"""Applying a batch of records: fold it, then add its sums within the consumer's transaction."""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka.structs import ConsumerRecord
from msgspec import DecodeError, ValidationError
from msgspec.json import Decoder

from services.analytics import rollup
from services.analytics.insight import folding
from services.analytics.insight.store import InsightStore
from services.analytics.messages import (
    Campaign,
    Decision,
    Product,
    Receipt,
    Returned,
    Store,
    lines_of,
    texts,
)
from services.analytics.rollup import Refused, Rollup
from services.analytics.store import RollupStore
from shared import topics
from shared.codec import header
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.outbox import REPEATS_HEADER

CONSUMER = "analytics.rollup"
MOST_RECORDS = 5_000
_PART_RECORDS = 2_500
_SLICE_RECORDS = 250
_QUOTED = re.compile(r"'[^']*'")


@dataclass(frozen=True, slots=True)
class Reader:
    """How records of a topic are read and counted. Compacted topics delete with an empty record."""

    decoder: Decoder[Any]
    add: Callable[[Rollup, Any], Refused | None]
    compacted: bool = False


def _add_receipt(sums: Rollup, receipt: Receipt) -> Refused | None:
    # Most receipts have no promotion, and nobody asks for their lines.
    lines = lines_of(receipt) if receipt.redemptions else ()
    refused = rollup.add_receipt(sums, receipt)
    if refused is None:
        folding.add_receipt(sums.insight, receipt, lines)
    return refused


def _add_return(sums: Rollup, returned: Returned) -> Refused | None:
    refused = rollup.add_return(sums, returned)
    if refused is None:
        folding.add_return(sums.insight, returned)
    return refused


def _add_campaign(sums: Rollup, campaign: Campaign) -> None:
    rollup.add_campaign(sums, campaign)
    folding.add_campaign(sums.insight, campaign)


def _add_product(sums: Rollup, product: Product) -> None:
    folding.add_product(sums.insight, product)


_READERS: Mapping[str, Reader] = {
    topics.RECEIPTS.name: Reader(Decoder(Receipt), _add_receipt),
    topics.RETURNS.name: Reader(Decoder(Returned), _add_return),
    topics.DECISIONS.name: Reader(Decoder(Decision), rollup.add_decision),
    topics.CAMPAIGNS.name: Reader(Decoder(Campaign), _add_campaign, compacted=True),
    topics.STORES.name: Reader(Decoder(Store), rollup.add_store, compacted=True),
    topics.PRODUCTS.name: Reader(Decoder(Product), _add_product, compacted=True),
}
TOPICS = tuple(_READERS)
"""The topics that ``fold`` takes records of."""


def fold(records: Sequence[ConsumerRecord]) -> tuple[Rollup, list[DeadLetter]]:
    """The sums of the records, and those that can't be used.

    Each record is taken once: repeats are the consumer's to skip.
    """
    sums = Rollup()
    return sums, list(_fold_into(sums, records))


def _fold_into(sums: Rollup, records: Sequence[ConsumerRecord]) -> Iterator[DeadLetter]:
    for record in records:
        if header(record.headers, REPEATS_HEADER):
            continue  # a till asked again and was told again
        refused = _add(sums, record)
        if refused is not None:
            yield DeadLetter(record, refused.reason, refused.detail)


async def _folded(records: Sequence[ConsumerRecord]) -> tuple[Rollup, list[DeadLetter]]:
    """The same a slice at a time, so that PostgreSQL is heard meanwhile."""
    sums = Rollup()
    dead: list[DeadLetter] = []
    for start in range(0, len(records), _SLICE_RECORDS):
        dead += _fold_into(sums, records[start : start + _SLICE_RECORDS])
        await asyncio.sleep(0)
    return sums, dead


def _add(sums: Rollup, record: ConsumerRecord) -> Refused | None:
    reader = _READERS[record.topic]
    value = record.value
    if value is None:
        # What a deleted campaign or store did in its time keeps its name, a product sold its cost.
        return None if reader.compacted else Refused("no_value", "the record has no value")
    try:
        message = reader.decoder.decode(value)
        # A null byte can only come as an escape, and escapes are rare: looking for them is cheap.
        if b"\\" in value and "\0" in texts(message):
            return Refused("invalid_field", "a text holds a null byte")
        return reader.add(sums, message)
    except ValidationError as error:
        # The library quotes values in some messages: they are not for the dead letter's reason.
        return Refused("invalid_field", _QUOTED.sub("…", str(error)))
    except (DecodeError, UnicodeDecodeError):
        return Refused("invalid_json", "the value is not JSON in UTF-8")


@dataclass
class Stream:
    """The rollup's ``apply``; one per process, because it remembers what it has numbered."""

    store: RollupStore = field(default_factory=RollupStore)
    insights: InsightStore = field(init=False)

    def __post_init__(self) -> None:
        self.insights = InsightStore(self.store.places)

    async def apply(
        self, connection: Connection, records: Sequence[ConsumerRecord]
    ) -> Sequence[DeadLetter]:
        """Add the records to the statistics; returns those that can't be used.

        PostgreSQL works on one part of them while the next is folded.
        """
        dead: list[DeadLetter] = []
        adding: asyncio.Task[None] | None = None
        try:
            for start in range(0, len(records), _PART_RECORDS):
                sums, refused = await _folded(records[start : start + _PART_RECORDS])
                dead += refused
                if adding is not None:
                    await adding
                adding = asyncio.create_task(self._write(connection, sums))
        finally:
            if adding is not None:
                await adding
        return dead

    async def _write(self, connection: Connection, sums: Rollup) -> None:
        await self.insights.add(connection, sums.insight)
        # Last, since others who have activations wait from there to the commit.
        await self.store.add(connection, sums)
