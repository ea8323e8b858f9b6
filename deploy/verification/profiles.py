"""Profiles made again from the log, beside those that the customers service keeps."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zlib import crc32

import asyncpg
from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from deploy import log
from deploy.log import Repeats
from services.customers import profile, profiles
from services.customers.feed.late import named_in, without_forgotten
from services.customers.feed.pseudonym import pseudonym
from services.customers.messages import Message, Returned
from services.customers.profile import Kept, State
from services.customers.profiles import Changes
from services.customers.stream import CONSUMER, decoded
from shared import topics

FACTS = (topics.RECEIPTS.name, topics.RETURNS.name, topics.BONUSES.name, topics.CODES.name)
"""What profiles are made of."""
CUSTOMERS_AT_ONCE = 20_000
"""So many states fit into memory; the log is read once for as many."""
_MOST_DIFFERENCES = 20

Progress = Callable[[str, int, int | None], None]
"""What is being done, how much of it is done, and of how much, if that is known."""


@dataclass
class Found:
    """How many profiles there are, what they add up to, and those that differ: id and the fields."""

    customers: int = 0
    purchases: int = 0
    returns: int = 0
    events: int = 0
    differing: int = 0
    differences: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass
class Recount:
    """Folds the log from its beginning, for one of ``parts`` of all customers."""

    part: int
    parts: int
    forgotten: Callable[[set[str]], Mapping[str, datetime]]
    states: dict[str, State] = field(default_factory=dict)
    _kept: dict[str, Kept] = field(default_factory=dict)
    _early: dict[str, list[Returned]] = field(default_factory=dict)
    _repeats: Repeats = field(default_factory=Repeats)

    def add(self, records: Sequence[ConsumerRecord]) -> None:
        """Fold records that are in the order of their partitions."""
        facts: Sequence[Message] = decoded([r for r in records if not self._repeats.has(r)])[0]
        if forgotten := self.forgotten(named_in(facts)):
            facts = without_forgotten(facts, forgotten)
        changes = profiles.sorted_out(facts)
        mine = {c for c in changes.customers() if crc32(c.encode()) % self.parts == self.part}
        changes = _only(changes, mine)
        self._keep(changes)
        self._put_off(changes)
        for customer_id in changes.customers():
            self.states.setdefault(customer_id, State())
        profiles.fold(self.states, changes, self._kept)

    def _keep(self, changes: Changes) -> None:
        new = []
        for receipt in changes.receipts:
            if receipt.receipt_id not in self._kept:
                self._kept[receipt.receipt_id] = profile.kept(receipt)
                new.append(receipt)
        changes.receipts = new
        for receipt in new:
            changes.returns += self._early.pop(receipt.receipt_id, [])

    def _put_off(self, changes: Changes) -> None:
        """Returns that come before their receipt wait for it."""
        for returned in changes.returns:
            if returned.receipt_id not in self._kept:
                self._early.setdefault(returned.receipt_id, []).append(returned)
        changes.returns = [one for one in changes.returns if one.receipt_id in self._kept]


def _only(changes: Changes, customers: set[str]) -> Changes:
    """The changes of these customers."""
    return Changes(
        [one for one in changes.receipts if one.customer_id in customers],
        [one for one in changes.returns if one.customer_id in customers],
        [one for one in changes.bonuses if one.customer_id in customers],
        type(changes.codes)({k: n for k, n in changes.codes.items() if k[0] in customers}),
    )


async def verify(
    dsn: str, kafka: str, key: bytes, progress: Progress, consumer: str = CONSUMER
) -> Found:
    """Compare every profile with what the log says, as of where ``consumer`` stands in it."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            found = Found(customers=await connection.fetchval("select count(*) from profiles"))
            until = await _standing(connection, consumer)
            erased = {
                row["subject"]: row["erased_at"]
                for row in await connection.fetch(
                    "select subject, max(requested_at) as erased_at from erasures group by subject"
                )
            }
            beginnings = await log.beginnings_of(kafka, FACTS)
            found.notes += [
                f"{one.topic} does not begin at offset 0 but at {offset}: profiles hold what it has lost"
                for one, offset in beginnings.items()
                if offset
            ]

            def forgotten(customers: set[str]) -> Mapping[str, datetime]:
                if not erased:
                    return {}
                known = {c: erased.get(pseudonym(key, c)) for c in customers}
                return {c: at for c, at in known.items() if at is not None}

            parts = max(1, -(-found.customers // CUSTOMERS_AT_ONCE))
            for part in range(parts):
                recount = Recount(part, parts, forgotten)
                async for count in _read(kafka, beginnings, until, recount):
                    found.events += count
                    progress("events", found.events, parts * sum(until.values()))
                await _compare(connection, recount, found, progress)
    finally:
        await connection.close()
    return found


async def _standing(connection: asyncpg.Connection, consumer: str) -> dict[TopicPartition, int]:
    rows = await connection.fetch(
        "select topic, partition, next from offsets where consumer = $1 and topic = any($2)",
        consumer,
        list(FACTS),
    )
    return {TopicPartition(row["topic"], row["partition"]): row["next"] for row in rows}


async def _read(
    kafka: str,
    beginnings: Mapping[TopicPartition, int],
    until: Mapping[TopicPartition, int],
    recount: Recount,
) -> AsyncIterator[int]:
    async for records in log.read(kafka, beginnings, until):
        recount.add(records)
        yield len(records)
        await asyncio.sleep(0)


async def _compare(
    connection: asyncpg.Connection, recount: Recount, found: Found, progress: Progress
) -> None:
    """Compare the part's profiles with those that are kept; what is in one of the two only differs, too."""
    compared = 0
    async for row in connection.cursor("select customer_id, state from profiles", prefetch=1_000):
        customer_id = row["customer_id"]
        if crc32(customer_id.encode()) % recount.parts != recount.part:
            continue
        kept = profile.unpack(row["state"])
        found.purchases += kept.purchases
        found.returns += kept.returns
        said = profile.readable(recount.states.pop(customer_id, State()))
        _note(found, customer_id, _differing(profile.readable(kept), said))
        compared += 1
        progress("profiles", compared, None)
    for customer_id, state in recount.states.items():
        _note(found, customer_id, _differing(profile.readable(State()), profile.readable(state)))


def _differing(kept: dict[str, object], said: dict[str, object]) -> list[str]:
    return [name for name, value in kept.items() if value != said[name]]


def _note(found: Found, customer_id: str, differing: list[str]) -> None:
    if differing:
        found.differing += 1
        if len(found.differences) < _MOST_DIFFERENCES:
            found.differences[customer_id] = differing
