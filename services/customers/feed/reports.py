"""What the services say of erasures, read from their topic."""

from collections.abc import Sequence

from aiokafka.structs import ConsumerRecord

from services.customers.feed import erasure_store
from shared.codec import InvalidMessageError, decode
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.events.customers import Erased
from shared.topics import ERASED

CONSUMER = "customers.erasures"
TOPICS = (ERASED.name,)


async def apply(connection: Connection, records: Sequence[ConsumerRecord]) -> Sequence[DeadLetter]:
    """Keep the reports, in the caller's transaction."""
    reports, dead = [], []
    for record in records:
        try:
            reports.append(decode(Erased, record.value or b"", ignore_unknown=True))
        except InvalidMessageError as error:
            dead.append(DeadLetter(record, error.reason, str(error)))
    await erasure_store.report(connection, reports)
    return dead
