"""The codes of a posted emission, read for who takes them away: a few chunks at a time."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import asyncpg

from services.emission.cipher import CodeCipher
from services.emission.store import emissions as store
from services.emission.store.emissions import EmissionRow
from shared.events.reference import CODES_PER_CHUNK

_CHUNKS_PER_READ = 20


@dataclass(frozen=True)
class GivenCode:
    """A code, the customer it is bound to, and its number in its emission, from 1."""

    number: int
    code: str
    customer_id: str | None


async def table(
    pool: asyncpg.Pool, cipher: CodeCipher, emission: EmissionRow
) -> AsyncIterator[bytes]:
    """All codes as CSV. No connection is held between reads: the client may be slow."""
    after = 0
    yield b"code,customer_id\r\n" if emission.bound else b"code\r\n"
    while after < emission.posted_chunks:
        for chunk in await _chunks(pool, cipher, emission, after, _CHUNKS_PER_READ):
            yield _lines(chunk, is_bound=emission.bound > 0)
            after += 1


async def some(
    pool: asyncpg.Pool, cipher: CodeCipher, emission: EmissionRow, after: int, limit: int
) -> list[GivenCode]:
    """Codes from the first after the one of the number ``after``."""
    skipped, first = divmod(after, CODES_PER_CHUNK)
    needed = -(-(first + limit) // CODES_PER_CHUNK)
    chunks = await _chunks(pool, cipher, emission, skipped, needed)
    given = [one for chunk in chunks for one in chunk][first : first + limit]
    return [
        GivenCode(number, code, customer)
        for number, (code, customer) in enumerate(given, start=after + 1)
    ]


_Chunk = Sequence[tuple[str, str | None]]


async def _chunks(
    pool: asyncpg.Pool, cipher: CodeCipher, emission: EmissionRow, after: int, limit: int
) -> list[_Chunk]:
    """Chunks of codes with whom each is bound to, from the first after ``after``."""
    async with pool.acquire() as connection:
        chunks = await store.chunks(connection, emission.number, after, limit)
        holders = await store.holders(connection, emission.number, after, limit)
    return [
        [
            *zip_longest(
                cipher.decrypt(ciphertext, emission.asked.emission_id, chunk),
                holders.get(chunk, []),
            )
        ]
        for chunk, ciphertext in chunks
    ]


def _lines(chunk: _Chunk, *, is_bound: bool) -> bytes:
    """Neither codes nor customer ids have characters that CSV would quote."""
    if is_bound:
        return "".join(f"{code},{customer or ''}\r\n" for code, customer in chunk).encode()
    return "".join(f"{code}\r\n" for code, _ in chunk).encode()
