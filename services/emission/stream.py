"""What emission reads: requests for personal codes."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka.structs import ConsumerRecord

from services.emission.issuing import Issuing
from shared.codec import InvalidMessageError, decode
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.events.customers import CodeRequest
from shared.topics import CODE_REQUESTS

CONSUMER = "emission.customers"
TOPICS = (CODE_REQUESTS.name,)
MOST_RECORDS = 1_000


@dataclass
class Stream:
    """The consumer's ``apply``."""

    issuing: Issuing

    async def apply(
        self, connection: Connection, records: Sequence[ConsumerRecord]
    ) -> Sequence[DeadLetter]:
        """Do what the records ask for, in the caller's transaction."""
        asked = []
        dead = []
        for record in records:
            try:
                request = decode(CodeRequest, record.value or b"", ignore_unknown=True)
            except InvalidMessageError as error:
                dead.append(DeadLetter(record, error.reason, str(error)))
                continue
            asked.append((record, request))
        if asked:
            dead += await self.issuing.apply(connection, asked)
        return dead
