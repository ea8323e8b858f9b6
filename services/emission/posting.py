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

from services.emission.chunks import Chunk, chunk_message
from services.emission.cipher import CodeCipher
from services.emission.codes import RandomBytes, generate
from services.emission.metrics import CODES_POSTED
from services.emission.store import emissions as store
from services.emission.store.emissions import EmissionRow
from shared import clock, outbox
from shared.codes import digest
from shared.database import Connection
from shared.events.reference import CODES_PER_CHUNK

SOURCE = "/emission"
_CODES_PER_TRANSACTION = 20 * CODES_PER_CHUNK
_IDLE_SECONDS = 1.0

log = structlog.get_logger()


@dataclass
class Poster:
    """Posts what is to be posted, what is soonest done first; ``code_key`` is the key of the digests."""

    pool: asyncpg.Pool
    cipher: CodeCipher
    code_key: bytes = field(repr=False)
    random_bytes: RandomBytes = secrets.token_bytes
    now: Callable[[], datetime] = clock.now
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _ahead: "_Ahead | None" = None

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
            size = min(_CODES_PER_TRANSACTION, row.asked.size - row.posted_codes)
            codes = await self._codes(connection, row, size)
            messages = await self._keep(connection, row, codes)
            posted = row.posted_codes + size
            await store.advance(connection, row.number, row.posted_chunks + len(messages), posted)
            await outbox.put(connection, messages, SOURCE, self.now())
        CODES_POSTED.inc(size)
        if posted == row.asked.size:
            log.info("emission posted", emission_id=row.asked.emission_id, codes=posted)
        return True

    async def _keep(
        self, connection: Connection, row: EmissionRow, codes: dict[bytes, str]
    ) -> list[outbox.Message]:
        """Keep the codes, encrypted, and say what is to be published: chunk by chunk."""
        asked, pairs = row.asked, list(codes.items())
        holders = await self._holders(connection, row)
        ciphertexts, messages = [], []
        for start in range(0, len(pairs), CODES_PER_CHUNK):
            chunk = row.posted_chunks + 1 + start // CODES_PER_CHUNK
            digests, shown = zip(*pairs[start : start + CODES_PER_CHUNK], strict=True)
            ciphertexts.append((chunk, self.cipher.encrypt(shown, asked.emission_id, chunk)))
            published = Chunk(chunk, digests, holders.get(chunk, []))
            messages.append(chunk_message(row, published))
        await store.add_chunks(connection, row.number, ciphertexts)
        return messages

    async def _holders(self, connection: Connection, row: EmissionRow) -> dict[int, list[str]]:
        if row.posted_codes >= row.bound:  # most have none: they are not asked for
            return {}
        chunks = _CODES_PER_TRANSACTION // CODES_PER_CHUNK
        return await store.holders(connection, row.number, row.posted_chunks, chunks)

    async def _codes(self, connection: Connection, row: EmissionRow, size: int) -> dict[bytes, str]:
        """So many codes by digest, all of them claimed for this emission."""
        asked = row.asked
        if asked.word is not None:  # claimed when it was asked to be posted
            return {digest(asked.word, self.code_key): asked.word}
        pattern = asked.pattern or ""
        codes: dict[bytes, str] = {}
        while len(codes) < size:
            fresh = await self._made(pattern, size - len(codes))
            if not codes:
                self._make_ahead(pattern, min(size, asked.size - row.posted_codes - size))
            free = await store.claim_codes(connection, row.number, fresh)
            codes |= fresh if free is None else {d: c for d, c in fresh.items() if d in free}
        return codes

    async def _made(self, pattern: str, size: int) -> dict[bytes, str]:
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead.pattern == pattern and ahead.size == size:
            return await ahead.codes
        return await asyncio.to_thread(self._generate, pattern, size)

    def _make_ahead(self, pattern: str, size: int) -> None:
        """Make the next codes while PostgreSQL keeps these; made in vain if they are not asked for."""
        if size > 0:
            codes = asyncio.create_task(asyncio.to_thread(self._generate, pattern, size))
            self._ahead = _Ahead(pattern, size, codes)

    def _generate(self, pattern: str, size: int) -> dict[bytes, str]:
        return generate(pattern, size, self.code_key, self.random_bytes)


@dataclass(frozen=True)
class _Ahead:
    """Codes that are being made before they are asked for."""

    pattern: str
    size: int
    codes: asyncio.Task[dict[bytes, str]]
