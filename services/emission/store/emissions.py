"""Emissions, their codes and their chunks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import asyncpg

from services.emission.cipher import CodeCipher
from services.emission.codes import NewEmission
from shared.database import Connection
from shared.events.promotion import EmissionSummary
from shared.events.reference import CODES_PER_CHUNK


@dataclass(frozen=True)
class EmissionRow:
    """An emission and how far its posting is."""

    number: int
    asked: NewEmission
    status: Literal["draft", "posting", "posted"]
    posted_chunks: int
    posted_codes: int

    def chunk_size(self, posted_codes: int) -> int:
        """How many codes the chunk after so many codes has; 0 when all are posted."""
        return min(CODES_PER_CHUNK, self.asked.size - posted_codes)

    @property
    def summary(self) -> EmissionSummary:
        """What campaigns publish of it."""
        return EmissionSummary(
            emission_id=self.asked.emission_id,
            kind=self.asked.kind,
            single_use=self.asked.used_once,
            posted_codes=self.posted_codes,
            valid_from=self.asked.valid_from,
            valid_until=self.asked.valid_until,
        )


async def add_emission(connection: Connection, new: NewEmission, cipher: CodeCipher) -> int:
    """Keep a new emission; its number. The word is encrypted as chunk 0."""
    word = None if new.word is None else cipher.encrypt([new.word], new.emission_id, 0)
    return int(
        await connection.fetchval(
            """
            insert into emissions
                (emission_id, name, kind, word, count, pattern, single_use, valid_from, valid_until)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning number
            """,
            new.emission_id,
            new.name,
            new.kind,
            word,
            new.size,
            new.code_pattern,
            new.used_once,
            new.valid_from,
            new.valid_until,
        )
    )


async def emission(
    connection: Connection, emission_id: str, cipher: CodeCipher
) -> EmissionRow | None:
    """The emission, or None."""
    row = await connection.fetchrow("select * from emissions where emission_id = $1", emission_id)
    return None if row is None else _emission(row, cipher)


async def emissions(
    connection: Connection, after: str, limit: int, cipher: CodeCipher
) -> list[EmissionRow]:
    """Emissions by id, from the first after ``after``."""
    rows = await connection.fetch(
        "select * from emissions where emission_id > $1 order by emission_id limit $2", after, limit
    )
    return [_emission(row, cipher) for row in rows]


async def emissions_of(
    connection: Connection, ids: Sequence[str], cipher: CodeCipher
) -> list[EmissionRow]:
    """Those of ``ids`` that exist, by id."""
    rows = await connection.fetch(
        "select * from emissions where emission_id = any($1) order by emission_id", ids
    )
    return [_emission(row, cipher) for row in rows]


def _emission(row: asyncpg.Record, cipher: CodeCipher) -> EmissionRow:
    emission_id, mass = row["emission_id"], row["kind"] == "mass"
    asked = NewEmission(
        emission_id=emission_id,
        name=row["name"],
        kind=row["kind"],
        word=cipher.decrypt(row["word"], emission_id, 0)[0] if mass else None,
        count=None if mass else row["count"],
        pattern=row["pattern"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        single_use=row["single_use"],
    )
    return EmissionRow(
        row["number"], asked, row["status"], row["posted_chunks"], row["posted_codes"]
    )


async def begin_posting(connection: Connection, emission_id: str) -> None:
    """A draft is to be posted."""
    await connection.execute(
        "update emissions set status = 'posting' where emission_id = $1 and status = 'draft'",
        emission_id,
    )


async def next_posting(connection: Connection, cipher: CodeCipher) -> EmissionRow | None:
    """The oldest emission to be posted, locked; None if there is none that no other poster has."""
    row = await connection.fetchrow(
        "select * from emissions where status = 'posting' order by number limit 1 "
        "for no key update skip locked"
    )
    return None if row is None else _emission(row, cipher)


async def claim_word(connection: Connection, number: int, digest: bytes, now: datetime) -> bool:
    """Take a word for the emission; False if another live emission has it.

    The word of an emission that is no longer valid is free again.
    """
    taken = await connection.fetchval(
        """
        insert into codes (digest, emission, chunk) values ($1, $2, 1)
        on conflict (digest) do update set emission = excluded.emission, chunk = excluded.chunk
        where exists (
            select from emissions e where e.number = codes.emission and e.valid_until <= $3
        )
        returning true
        """,
        digest,
        number,
        now,
    )
    return bool(taken)


async def claim_codes(
    connection: Connection, number: int, chunk: int, digests: list[bytes]
) -> set[bytes]:
    """Take the codes for a chunk; those that another chunk or emission had before."""
    status = await connection.execute(
        """
        insert into codes (digest, emission, chunk) select digest, $2, $3 from unnest($1::bytea[]) digest
        on conflict do nothing
        """,
        digests,
        number,
        chunk,
    )
    if status == f"INSERT 0 {len(digests)}":
        return set()
    rows = await connection.fetch(
        "select digest from codes where digest = any($1) and (emission, chunk) <> ($2, $3)",
        digests,
        number,
        chunk,
    )
    return {row["digest"] for row in rows}


async def add_chunk(connection: Connection, number: int, chunk: int, ciphertext: bytes) -> None:
    """Keep a chunk's codes for export."""
    await connection.execute(
        "insert into code_chunks (emission, chunk, ciphertext) values ($1, $2, $3)",
        number,
        chunk,
        ciphertext,
    )


async def advance(
    connection: Connection, number: int, posted_chunks: int, posted_codes: int
) -> None:
    """So much is posted; the emission is, once all its codes are."""
    await connection.execute(
        """
        update emissions set posted_chunks = $2, posted_codes = $3,
            status = case when $3 = count then 'posted' else 'posting' end
        where number = $1
        """,
        number,
        posted_chunks,
        posted_codes,
    )


async def chunks(
    connection: Connection, number: int, after: int, limit: int
) -> list[tuple[int, bytes]]:
    """Posted chunks of an emission, encrypted, from the first after ``after``."""
    rows = await connection.fetch(
        "select chunk, ciphertext from code_chunks where emission = $1 and chunk > $2 "
        "order by chunk limit $3",
        number,
        after,
        limit,
    )
    return [(row["chunk"], row["ciphertext"]) for row in rows]
