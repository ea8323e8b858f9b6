"""Posting: an emission's codes are made, kept and published in the background, chunk by chunk.

A chunk's digests, ciphertext and event are written by one transaction, so that a posting resumes
after a crash with the first chunk that was not committed: nothing is lost, doubled, or published
with two contents.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
import structlog

from services.emission.cipher import CodeCipher
from services.emission.codes import RandomBytes, generate
from services.emission.store import emissions as store
from services.emission.store.emissions import EmissionRow
from shared import clock, outbox, topics
from shared.codes import digest, pack
from shared.database import Connection
from shared.events.reference import CodeChunk

SOURCE = "/emission"
_CHUNKS_PER_TRANSACTION = 20
_IDLE_SECONDS = 1.0

log = structlog.get_logger()


@dataclass
class Poster:
    """Posts what is to be posted, oldest first; ``code_key`` is the key of the digests."""

    pool: asyncpg.Pool
    cipher: CodeCipher
    code_key: bytes = field(repr=False)
    random_bytes: RandomBytes = secrets.token_bytes
    now: Callable[[], datetime] = clock.now
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """There is something to post."""
        self._wake.set()

    async def run(self) -> None:
        """Post until cancelled; raises when PostgreSQL is away."""
        while True:
            self._wake.clear()
            if not await self.post_some():
                try:
                    # Another process may have taken the request: look without being told, too.
                    await asyncio.wait_for(self._wake.wait(), _IDLE_SECONDS)
                except TimeoutError:
                    continue

    async def post_some(self) -> bool:
        """Post some chunks of one emission in one transaction; False if there was nothing to post."""
        async with self.pool.acquire() as connection, connection.transaction():
            row = await store.next_posting(connection, self.cipher)
            if row is None:
                return False
            messages = []
            posted, first = row.posted_codes, row.posted_chunks + 1
            for chunk in range(first, first + _CHUNKS_PER_TRANSACTION):
                size = row.chunk_size(posted)
                if size == 0:
                    break
                messages.append(await self._post(connection, row, chunk, size))
                posted += size
            await store.advance(connection, row.number, first + len(messages) - 1, posted)
            await outbox.put(connection, messages, SOURCE, self.now())
        if posted == row.asked.size:
            log.info("emission posted", emission_id=row.asked.emission_id, codes=posted)
        return True

    async def _post(
        self, connection: Connection, row: EmissionRow, chunk: int, size: int
    ) -> outbox.Message:
        asked = row.asked
        codes = await self._codes(connection, row, chunk, size)
        ciphertext = self.cipher.encrypt(list(codes.values()), asked.emission_id, chunk)
        await store.add_chunk(connection, row.number, chunk, ciphertext)
        return outbox.Message(
            topics.CODES,
            asked.emission_id.encode(),
            CodeChunk(
                emission_id=asked.emission_id, kind=asked.kind, chunk=chunk, digests=pack(codes)
            ),
            f"{asked.emission_id}:{chunk}",
        )

    async def _codes(
        self, connection: Connection, row: EmissionRow, chunk: int, size: int
    ) -> dict[bytes, str]:
        """The chunk's codes by digest, all of them ours alone."""
        if row.asked.word is not None:  # claimed when the emission was written
            return {digest(row.asked.word, self.code_key): row.asked.word}
        codes: dict[bytes, str] = {}
        while len(codes) < size:
            fresh = await asyncio.to_thread(
                generate,
                row.asked.pattern or "",
                size - len(codes),
                self.code_key,
                self.random_bytes,
            )
            for taken in await store.claim_codes(connection, row.number, chunk, list(fresh)):
                del fresh[taken]
            codes |= fresh
        return codes
