"""Chunks of codes as they are published: for the first time, or once more."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from services.emission.cipher import CodeCipher
from services.emission.store import emissions as store
from services.emission.store import requests as request_store
from services.emission.store.emissions import EmissionRow
from shared import topics
from shared.codes import digest, pack
from shared.database import Connection
from shared.events.reference import CodeChunk
from shared.outbox import Message


@dataclass(frozen=True)
class Chunk:
    """Codes that leave together, by their digests; ``holders`` are of the first ones, the rest are anybody's."""

    number: int
    digests: Sequence[bytes]
    holders: Sequence[str] = ()
    valid_until: datetime | None = None


def chunk_message(row: EmissionRow, chunk: Chunk, *, again: str | None = None) -> Message:
    """The chunk of a posted emission, or one that is being posted; ``again``: why it is said once more."""
    asked, posted_at = row.asked, row.posting_since
    assert posted_at is not None  # noqa: S101 - the table checks it
    unbound = [None] * (len(chunk.digests) - len(chunk.holders)) if chunk.holders else []
    event = CodeChunk(
        emission_id=asked.emission_id,
        kind=asked.kind,
        chunk=chunk.number,
        posted_at=posted_at,
        digests=pack(chunk.digests),
        holders=(*chunk.holders, *unbound),
        valid_until=chunk.valid_until,
    )
    name = f"{asked.emission_id}:{chunk.number}"
    event_id = name if again is None else f"{name}:{again}"
    key = asked.emission_id.encode()
    return Message(topics.CODES, key, event, event_id, repeats=again is not None)


@dataclass(frozen=True)
class Sayer:
    """Says chunks again, as they are by now: whoever was erased meanwhile holds none of their codes."""

    cipher: CodeCipher
    code_key: bytes = field(repr=False)

    async def again(
        self,
        connection: Connection,
        row: EmissionRow,
        numbers: Sequence[int],
        why: str,
        ended_before: datetime | None = None,
    ) -> list[Message]:
        """Those of the emission's chunks that were published, once more; none whose codes ended before then."""
        posted = [number for number in numbers if number <= row.posted_chunks]
        requested = [number for number in numbers if number > row.posted_chunks]
        chunks = await self._posted(connection, row, posted)
        if row.status == "posted":
            chunks += await self._requested(connection, row, requested)
        return [
            chunk_message(row, chunk, again=why)
            for chunk in chunks
            if not (ended_before and chunk.valid_until and chunk.valid_until < ended_before)
        ]

    async def _posted(
        self, connection: Connection, row: EmissionRow, numbers: Sequence[int]
    ) -> list[Chunk]:
        found = await store.chunks_numbered(connection, row.number, numbers)
        emission_id = row.asked.emission_id
        return [
            Chunk(number, self._digests(self.cipher.decrypt(text, emission_id, number)), holders)
            for number, text, holders in found
        ]

    async def _requested(
        self, connection: Connection, row: EmissionRow, numbers: Sequence[int]
    ) -> list[Chunk]:
        codes = await request_store.codes_of_chunks(connection, row.number, numbers)
        where = place(row.asked.emission_id)
        chunks = []
        for number, grouped in groupby(codes, key=attrgetter("chunk")):
            those = list(grouped)
            shown = [self.cipher.decrypt(one.ciphertext, where, one.number)[0] for one in those]
            holders = [one.customer_id for one in those]
            chunks.append(Chunk(number, self._digests(shown), holders, those[0].valid_until))
        return chunks

    def _digests(self, codes: Sequence[str]) -> list[bytes]:
        return [digest(code, self.code_key) for code in codes]


def place(emission_id: str) -> str:
    """What the ciphertexts of codes on request are bound to, with their numbers; no emission's id has a space."""
    return f"{emission_id} requested"
