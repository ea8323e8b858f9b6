"""Applying a batch of records: decode each once, and hand it to what it concerns, in one transaction."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiokafka.structs import ConsumerRecord
from msgspec import DecodeError, ValidationError
from msgspec.json import Decoder

from services.customers import profiles
from services.customers.feed.forgotten import forgotten_among
from services.customers.feed.late import named_in, without_forgotten
from services.customers.fraud.stream import Watch
from services.customers.messages import (
    BonusEntry,
    CodeAttempt,
    CodeChunk,
    CodeIssued,
    Decision,
    Message,
    Receipt,
    Returned,
)
from services.customers.offers import stream as offers
from services.customers.regions import store as regions
from shared import clock, topics
from shared.codec import header
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.outbox import REPEATS_HEADER

CONSUMER = "customers.facts"
_DECODERS: Mapping[str, Decoder[Any]] = {
    topics.RECEIPTS.name: Decoder(Receipt),
    topics.RETURNS.name: Decoder(Returned),
    topics.BONUSES.name: Decoder(BonusEntry),
    topics.CODES.name: Decoder(CodeChunk),
    topics.CODES_ISSUED.name: Decoder(CodeIssued),
    topics.DECISIONS.name: Decoder(Decision),
    topics.ATTEMPTS.name: Decoder(CodeAttempt),
}
TOPICS = tuple(_DECODERS)
# What decisions without these have to tell is on receipts; most have none, and decoding them all would be most of the work.
_TELLING = (b'"unused_codes":[', b'"foreign_codes":[')
_QUOTED = re.compile(r"'[^']*'")


@dataclass
class Stream:
    """The ``apply`` of the log; one per process, because its parts remember what they have read.

    ``key``: of the hashes by which erased customers are known.
    """

    key: bytes
    watch: Watch = field(default_factory=Watch)

    async def apply(
        self, connection: Connection, records: Sequence[ConsumerRecord]
    ) -> Sequence[DeadLetter]:
        """Apply the records; returns those that can't be used."""
        facts, dead = decoded(records)
        await self._apply(connection, facts, clock.now())
        return dead

    async def _apply(self, connection: Connection, facts: Sequence[Message], now: datetime) -> None:
        # First: nobody is erased from here on until the transaction ends.
        forgotten = await forgotten_among(connection, self.key, named_in(facts))
        if forgotten:
            facts = without_forgotten(facts, forgotten)
        await profiles.apply(connection, facts, now)
        await offers.apply(connection, facts, now)
        await regions.apply(connection, facts)
        # Last: others that meet the same stores and cashiers wait from here to the commit.
        await self.watch.apply(connection, facts, now)


def decoded(records: Sequence[ConsumerRecord]) -> tuple[list[Message], list[DeadLetter]]:
    """The facts in the records, in their order, and the records that hold none."""
    facts: list[Message] = []
    dead: list[DeadLetter] = []
    for record in records:
        value = record.value
        if header(record.headers, REPEATS_HEADER):
            continue  # it has been said before
        if record.topic == topics.DECISIONS.name and not _tells(value):
            continue
        if value is None:
            dead.append(DeadLetter(record, "no_value", "the record has no value"))
            continue
        try:
            # A null byte can only come as an escape; PostgreSQL's texts have none.
            if b"\\u0000" in value:
                dead.append(DeadLetter(record, "invalid_field", "a text holds a null byte"))
                continue
            facts.append(_DECODERS[record.topic].decode(value))
        except ValidationError as error:
            # The library quotes values in some messages: they are not for the dead letter's reason.
            dead.append(DeadLetter(record, "invalid_field", _QUOTED.sub("…", str(error))))
        except (DecodeError, UnicodeDecodeError):
            dead.append(DeadLetter(record, "invalid_json", "the value is not JSON in UTF-8"))
    return facts, dead


def _tells(decision: bytes | None) -> bool:
    """Whether a decision may tell of codes that were not used, or were somebody else's."""
    return decision is None or any(one in decision for one in _TELLING)
