"""What emission reads: customers that are to be erased, and requests for personal codes."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka.structs import ConsumerRecord

from services.emission.erasing import Erasing
from services.emission.issuing import Issuing
from shared.codec import InvalidMessageError, decode
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.events.customers import CodeRequest, Erasure
from shared.topics import CODE_REQUESTS, ERASURES

CONSUMER = "emission.customers"
TOPICS = (ERASURES.name, CODE_REQUESTS.name)
MOST_RECORDS = 1_000


@dataclass
class Stream:
    """The consumer's ``apply``."""

    erasing: Erasing
    issuing: Issuing

    async def apply(
        self, connection: Connection, records: Sequence[ConsumerRecord]
    ) -> Sequence[DeadLetter]:
        """Do what the records ask for, in the caller's transaction; who is to be erased gets no more codes."""
        erasures: list[tuple[ConsumerRecord, Erasure]] = []
        requests: list[tuple[ConsumerRecord, CodeRequest]] = []
        dead: list[DeadLetter] = []
        for record in records:
            body = record.value or b""
            try:
                if record.topic == ERASURES.name:
                    erasures.append((record, decode(Erasure, body, ignore_unknown=True)))
                else:
                    requests.append((record, decode(CodeRequest, body, ignore_unknown=True)))
            except InvalidMessageError as error:
                dead.append(DeadLetter(record, error.reason, str(error)))
        if erasures:
            dead += await self.erasing.apply(connection, erasures)
        if requests:
            dead += await self.issuing.apply(connection, requests)
        return dead
