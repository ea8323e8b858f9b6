"""Erasing a customer here: there is no id, but a hash that who has the id could find. A number by lot takes its place.

Figures stay as they are; sketches of who bought cannot be asked for anybody.
"""

import secrets
from collections.abc import Sequence

from aiokafka.structs import ConsumerRecord

from services.analytics.insight.folding import customer_of
from shared import clock, outbox
from shared.codec import InvalidMessageError, decode
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.events.customers import Erased, ErasedTable, Erasure
from shared.outbox import Message
from shared.topics import ERASED, ERASURES

CONSUMER = "analytics.erasures"
TOPICS = (ERASURES.name,)
_SOURCE = "/analytics"
_TABLES = ("participants", "customer_refunds")


async def apply(connection: Connection, records: Sequence[ConsumerRecord]) -> Sequence[DeadLetter]:
    """Erase whom the records name, in the caller's transaction, and say so."""
    dead = []
    for record in records:
        try:
            erasure = decode(Erasure, record.value or b"", ignore_unknown=True)
        except InvalidMessageError as error:
            dead.append(DeadLetter(record, error.reason, str(error)))
            continue
        now = clock.now()
        report = Erased(
            erasure_id=erasure.erasure_id,
            service="analytics",
            tables=tuple([await _anonymise(connection, table, erasure) for table in _TABLES]),
            erased_at=now,
        )
        about = erasure.erasure_id.encode()
        said = Message(ERASED, about, report, f"{erasure.erasure_id}:analytics")
        await outbox.put(connection, [said], _SOURCE, now)
    return dead


async def _anonymise(connection: Connection, table: str, erasure: Erasure) -> ErasedTable:
    nobody = secrets.randbits(63)
    tag = await connection.execute(
        f"update {table} set customer = $2 where customer = $1",  # noqa: S608 - our own names
        customer_of(erasure.customer_id),
        nobody,
    )
    return ErasedTable(table=table, anonymised=int(tag.rsplit(" ", 1)[1]))
