"""Applying a batch of records: fold it, then add its sums within the consumer's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka.structs import ConsumerRecord

from services.analytics.rollup import fold
from services.analytics.store import RollupStore
from shared.database import Connection
from shared.dead_letters import DeadLetter

CONSUMER = "analytics.rollup"
MOST_RECORDS = 5_000


@dataclass
class Stream:
    """The rollup's ``apply``; one per process, because it remembers what it has numbered."""

    store: RollupStore = field(default_factory=RollupStore)

    async def apply(
        self, connection: Connection, records: Sequence[ConsumerRecord]
    ) -> Sequence[DeadLetter]:
        """Add the records to the statistics; returns those that can't be used."""
        rollup = fold(records)
        await self.store.add(connection, rollup)
        return rollup.dead
