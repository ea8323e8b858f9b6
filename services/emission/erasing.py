"""Erasing customers: their groups, birthdays, codes, requests and drafts that name them, in the consumer's transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiokafka.structs import ConsumerRecord

from services.emission.chunks import Sayer
from services.emission.codes import sha256_of_holders
from services.emission.drafts import Drafts
from services.emission.erasure import known_by, report
from services.emission.posting import SOURCE
from services.emission.store import campaigns as campaign_store
from services.emission.store import changes
from services.emission.store import emissions as emission_store
from services.emission.store import erasures as store
from services.emission.store import references as reference_store
from services.emission.store.changes import Change
from services.emission.store.erasures import Kept
from shared import clock, outbox, topics
from shared.codec import encode
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.events.customers import Erasure
from shared.outbox import Message, Tombstone

ACTOR = "tillstream"

Asked = tuple[ConsumerRecord, Erasure]


@dataclass
class Erasing:
    """Erases customers; ``code_key`` is the key of what they are known by afterwards."""

    drafts: Drafts
    sayer: Sayer
    code_key: bytes = field(repr=False)
    now: Callable[[], datetime] = clock.now

    async def apply(self, connection: Connection, asked: Sequence[Asked]) -> list[DeadLetter]:
        """Erase the customers, in the caller's transaction; an erasure of somebody else under a known id is returned.

        An erasure that was done is not done again, and reported again.
        """
        await store.lock_erasing(connection)
        # Whoever writes emissions or groups has written them, or will not find the customer there.
        await campaign_store.lock_authoring(connection)
        await reference_store.lock_reference(connection)
        dead = []
        for record, erasure in asked:
            customer = known_by(erasure.customer_id, self.code_key)
            kept = await store.kept(connection, erasure.erasure_id)
            if kept is None:
                await self._erase(connection, erasure, customer)
            elif kept.customer == customer:
                await self._report(connection, kept.erasure_id, kept.report, repeats=True)
            else:
                detail = "erasure_id: there was another erasure with this id"
                dead.append(DeadLetter(record, "conflicting_erasure", detail))
        return dead

    async def _erase(self, connection: Connection, erasure: Erasure, customer: bytes) -> None:
        now, customer_id = self.now(), erasure.customer_id
        deleted = await store.delete_customer(connection, customer_id)
        deleted["drafts"] = await self.drafts.forget_customer(connection, customer_id)
        anonymised = await self._unbind(connection, erasure, now)
        topic = topics.CUSTOMERS
        tombstone = Tombstone(topic, customer_id.encode(), f"erased:{erasure.erasure_id}")
        await outbox.put(connection, [tombstone], SOURCE, now)
        done = report(erasure, deleted, anonymised, topic.name, now)
        body = encode(done)
        await store.keep(
            connection, Kept(erasure.erasure_id, customer, erasure.requested_at, body, now)
        )
        await self._report(connection, erasure.erasure_id, body, repeats=False)
        # How much it was, and nobody's id.
        detail = {"erasure_id": erasure.erasure_id} | deleted | anonymised
        await changes.record(connection, Change(ACTOR, "erased", "customer", "*", detail), now)

    async def _unbind(
        self, connection: Connection, erasure: Erasure, now: datetime
    ) -> dict[str, int]:
        """Have nobody hold the customer's codes, here and wherever they were published to; how many rows by table."""
        customer_id = erasure.customer_id
        numbers = await store.emissions_of(connection, customer_id)
        # A poster that is about to publish one of the chunks has done so, or will say what is said now.
        rows = await emission_store.locked_by_number(connection, numbers, self.drafts.cipher)
        posted, requested = await store.unbind(connection, customer_id, numbers)
        messages: list[Message] = []
        for row in rows:
            chunks = sorted({chunk for number, chunk in posted + requested if number == row.number})
            why = f"erased:{erasure.erasure_id}"
            messages += await self.sayer.again(connection, row, chunks, why)
            if row.bound:
                holders = await emission_store.all_holders(connection, row.number)
                await store.set_holders_sha256(connection, row.number, sha256_of_holders(holders))
        await outbox.put(connection, messages, SOURCE, now)
        return {"code_holders": len(posted), "requested_codes": len(requested)}

    async def _report(
        self, connection: Connection, erasure_id: str, body: bytes, *, repeats: bool
    ) -> None:
        # One for each service: a reader of all of them tells them apart by it.
        event_id = f"{erasure_id}:emission"
        message = Message(topics.ERASED, erasure_id.encode(), body, event_id, repeats)
        await outbox.put(connection, [message], SOURCE, self.now())
