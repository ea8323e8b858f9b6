"""The codes of a posted emission, read for who takes them away: a few chunks at a time.

Those that were made on request come last, in the order in which they were made.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

import asyncpg

from services.emission.chunks import place
from services.emission.cipher import CodeCipher
from services.emission.store import emissions as store
from services.emission.store import requests as request_store
from services.emission.store.emissions import EmissionRow
from shared.events.reference import CODES_PER_CHUNK

_CHUNKS_PER_READ = 20
_REQUESTED_PER_READ = 1_000


@dataclass(frozen=True)
class GivenCode:
    """A code, the customer it is bound to, and its number in its emission, from 1.

    ``valid_until``: when it ends, if that is not with its emission.
    """

    number: int
    code: str
    customer_id: str | None
    valid_until: datetime | None = None


async def table(
    pool: asyncpg.Pool, cipher: CodeCipher, emission: EmissionRow
) -> AsyncIterator[bytes]:
    """All codes as CSV. No connection is held between reads: the client may be slow."""
    has_requested = emission.requested_codes > 0
    columns = ["code"]
    if emission.bound or has_requested:
        columns.append("customer_id")
    if has_requested:
        columns.append("valid_until")
    yield ",".join(columns).encode() + b"\r\n"
    after = 0
    while after < emission.posted_chunks:
        for chunk in await _chunks(pool, cipher, emission, after, _CHUNKS_PER_READ):
            yield _lines(((code, customer or "", "") for code, customer in chunk), len(columns))
            after += 1
    after = 0
    while after < emission.requested_codes:
        size = min(_REQUESTED_PER_READ, emission.requested_codes - after)
        requested = await _requested(pool, cipher, emission, after, size)
        yield _lines(map(_row, requested), len(columns))
        after += size


async def some(
    pool: asyncpg.Pool, cipher: CodeCipher, emission: EmissionRow, after: int, limit: int
) -> list[GivenCode]:
    """Codes from the first after the one of the number ``after``."""
    found = await _posted(pool, cipher, emission, after, limit)
    begun = max(0, after - emission.posted_codes)
    more = min(limit - len(found), emission.requested_codes - begun)
    if more > 0:
        found += await _requested(pool, cipher, emission, begun, more)
    return found


async def _posted(
    pool: asyncpg.Pool, cipher: CodeCipher, emission: EmissionRow, after: int, limit: int
) -> list[GivenCode]:
    skipped, first = divmod(after, CODES_PER_CHUNK)
    needed = -(-(first + limit) // CODES_PER_CHUNK)
    chunks = await _chunks(pool, cipher, emission, skipped, needed)
    given = [one for chunk in chunks for one in chunk][first : first + limit]
    return [
        GivenCode(number, code, customer)
        for number, (code, customer) in enumerate(given, start=after + 1)
    ]


async def _requested(
    pool: asyncpg.Pool, cipher: CodeCipher, emission: EmissionRow, after: int, limit: int
) -> list[GivenCode]:
    """Codes on request, from the first after the one that is their own number ``after``."""
    async with pool.acquire() as connection:
        rows = await request_store.codes(connection, emission.number, after, limit)
    where = place(emission.asked.emission_id)
    return [
        GivenCode(
            emission.posted_codes + row.number,
            cipher.decrypt(row.ciphertext, where, row.number)[0],
            row.customer_id,
            row.valid_until,
        )
        for row in rows
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


def _row(one: GivenCode) -> tuple[str, str, str]:
    until = one.valid_until.isoformat() if one.valid_until else ""
    return one.code, one.customer_id or "", until


def _lines(rows: Iterable[tuple[str, str, str]], columns: int) -> bytes:
    """Neither codes nor customer ids have characters that CSV would quote."""
    return "".join(f"{','.join(row[:columns])}\r\n" for row in rows).encode()
