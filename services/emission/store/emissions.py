"""Emissions, their codes and their chunks."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import asyncpg

from services.emission.cipher import CodeCipher
from services.emission.codes import NewEmission
from services.emission.history import Authored
from services.emission.store.changes import authored
from services.emission.store.listing import Listing, Page, Where
from shared.database import Connection
from shared.events.promotion import EmissionSummary
from shared.events.reference import CODES_PER_CHUNK


@dataclass(frozen=True)
class EmissionRow:
    """An emission and how far its posting is.

    ``bound`` of its codes are bound to customers, whose ids ``asked`` leaves out (``holders``).
    ``requested_codes`` more were made on request, the last time on the day ``requested_on``.
    """

    number: int
    asked: NewEmission
    status: Literal["draft", "posting", "posted"]
    posted_chunks: int
    posted_codes: int
    posting_since: datetime | None
    bound: int = 0
    holders_sha256: bytes | None = None
    authored: Authored = field(default_factory=Authored)
    requested_codes: int = 0
    requested_chunks: int = 0
    requested_on: date | None = None

    @property
    def codes(self) -> int:
        """How many codes there are: posted, and made on request."""
        return self.posted_codes + self.requested_codes

    def is_of(self, new: NewEmission) -> bool:
        """Whether this was asked for, whichever defaults either spells out."""
        return (
            self.holders_sha256 == new.holders_sha256
            and self.asked.spelled_out() == new.spelled_out()
        )

    @property
    def summary(self) -> EmissionSummary:
        """What campaigns publish of it. Codes on request are not waited for: there may be none yet."""
        return EmissionSummary(
            emission_id=self.asked.emission_id,
            kind=self.asked.kind,
            single_use=self.asked.used_once,
            posted_codes=self.posted_codes,
            valid_from=self.asked.valid_from,
            valid_until=self.asked.valid_until,
        )


async def add_emission(
    connection: Connection, new: NewEmission, cipher: CodeCipher, actor: str, now: datetime
) -> int:
    """Keep a new emission and its holders; its number. The word is encrypted as chunk 0."""
    word = None if new.word is None else cipher.encrypt([new.word], new.emission_id, 0)
    customers = new.customers or ()
    number = await connection.fetchval(
        """
        insert into emissions (
            emission_id, name, kind, word, count, pattern, single_use, valid_from, valid_until,
            bound, holders_sha256, created_by, created_at, changed_by, changed_at
        ) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $12, $13)
        returning number
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
        len(customers),
        new.holders_sha256,
        actor,
        now,
    )
    await connection.copy_records_to_table(
        "code_holders",
        records=[
            (number, 1 + start // CODES_PER_CHUNK, customers[start : start + CODES_PER_CHUNK])
            for start in range(0, len(customers), CODES_PER_CHUNK)
        ],
        columns=("emission", "chunk", "customers"),
    )
    return int(number)


async def holders(
    connection: Connection, number: int, after: int, limit: int
) -> dict[int, list[str]]:
    """Whom the first codes of each chunk are bound to, of ``limit`` chunks after ``after``."""
    rows = await connection.fetch(
        "select chunk, customers from code_holders "
        "where emission = $1 and chunk > $2 and chunk <= $2 + $3",
        number,
        after,
        limit,
    )
    return {row["chunk"]: row["customers"] for row in rows}


async def all_holders(connection: Connection, number: int) -> list[str]:
    """The customers that the emission's codes are bound to, in their order."""
    rows = await connection.fetch(
        "select customers from code_holders where emission = $1 order by chunk", number
    )
    return [customer for row in rows for customer in row["customers"]]


async def emission(
    connection: Connection, emission_id: str, cipher: CodeCipher
) -> EmissionRow | None:
    """The emission, or None."""
    row = await connection.fetchrow("select * from emissions where emission_id = $1", emission_id)
    return None if row is None else emission_of(row, cipher)


_ORDERS = (
    "kind",
    "status",
    "count",
    "valid_from",
    "valid_until",
    "created_at",
    "changed_at",
    "emission_id",
)
LISTING = Listing(
    "select *, lower(emission_id || ' ' || name) as search from emissions",
    "emission_id",
    {name: name for name in _ORDERS} | {"name": "lower(name)"},
)


@dataclass(frozen=True)
class WantedEmissions:
    """Which emissions: of one of these statuses and kinds, and (``on``) valid on a day, UTC."""

    status: Sequence[str] = ()
    kind: Sequence[str] = ()
    on: date | None = None


async def emissions(
    connection: Connection, wanted: WantedEmissions, page: Page, cipher: CodeCipher
) -> tuple[list[EmissionRow], int]:
    """A page of emissions, and how many there are."""
    where = Where()
    where.search("search", page.search)
    where.add("status = any({}::text[])", list(wanted.status))
    where.add("kind = any({}::text[])", list(wanted.kind))
    if wanted.on is not None:
        begins = datetime.combine(wanted.on, time(), UTC)
        where.add("coalesce(valid_from < {}, true)", begins + timedelta(days=1))
        where.add("coalesce(valid_until > {}, true)", begins)
    rows, total = await LISTING.page(connection, where, page)
    return [emission_of(row, cipher) for row in rows], total


async def emissions_of(
    connection: Connection, ids: Sequence[str], cipher: CodeCipher
) -> list[EmissionRow]:
    """Those of ``ids`` that exist, by id."""
    rows = await connection.fetch(
        "select * from emissions where emission_id = any($1) order by emission_id", ids
    )
    return [emission_of(row, cipher) for row in rows]


def emission_of(row: asyncpg.Record, cipher: CodeCipher) -> EmissionRow:
    """The emission of a whole row."""
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
        row["number"],
        asked,
        row["status"],
        row["posted_chunks"],
        row["posted_codes"],
        row["posting_since"],
        row["bound"],
        row["holders_sha256"],
        authored(row),
        row["requested_codes"],
        row["requested_chunks"],
        row["requested_on"],
    )


async def begin_posting(connection: Connection, number: int, actor: str, now: datetime) -> None:
    """A draft is to be posted, and says from now on that it was posted ``now``."""
    await connection.execute(
        "update emissions set status = 'posting', posting_since = $3, "
        "changed_by = $2, changed_at = $3 where number = $1 and status = 'draft'",
        number,
        actor,
        now,
    )


async def next_posting(connection: Connection, cipher: CodeCipher) -> EmissionRow | None:
    """The emission with the fewest codes to post, locked; None if no other poster leaves one.

    A word for everybody must not wait for ten million personal codes.
    """
    row = await connection.fetchrow(
        "select * from emissions where status = 'posting' "
        "order by count - posted_codes, number limit 1 "
        "for no key update skip locked"
    )
    return None if row is None else emission_of(row, cipher)


async def locked_emissions(
    connection: Connection, ids: Collection[str], cipher: CodeCipher
) -> dict[str, EmissionRow]:
    """Those of ``ids`` that exist, locked: nobody else makes codes of them meanwhile."""
    rows = await connection.fetch(
        "select * from emissions where emission_id = any($1) order by number for no key update",
        list(ids),
    )
    return {row["emission_id"]: emission_of(row, cipher) for row in rows}


async def locked_by_number(
    connection: Connection, numbers: Collection[int], cipher: CodeCipher
) -> list[EmissionRow]:
    """The emissions of these numbers, locked: none of them is posted on meanwhile."""
    rows = await connection.fetch(
        "select * from emissions where number = any($1) order by number for no key update",
        list(numbers),
    )
    return [emission_of(row, cipher) for row in rows]


async def chunks_numbered(
    connection: Connection, number: int, chunks: Collection[int]
) -> list[tuple[int, bytes, list[str]]]:
    """Posted chunks of an emission, encrypted, each with whom its first codes are bound to."""
    rows = await connection.fetch(
        "select chunk, ciphertext, coalesce(customers, '{}') as customers"
        " from code_chunks left join code_holders using (emission, chunk)"
        " where emission = $1 and chunk = any($2) order by chunk",
        number,
        list(chunks),
    )
    return [(row["chunk"], row["ciphertext"], row["customers"]) for row in rows]


async def claim_word(connection: Connection, number: int, digest: bytes, now: datetime) -> bool:
    """Take a word for the emission; False if another live emission has it.

    The word of an emission that is no longer valid is free again.
    """
    taken = await connection.fetchval(
        """
        insert into codes (digest, emission) values ($1, $2)
        on conflict (digest) do update set emission = excluded.emission
        where codes.emission = excluded.emission or exists (
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
    connection: Connection, number: int, digests: Iterable[bytes]
) -> set[bytes] | None:
    """Take the codes for the emission; those that were free, None = all of them.

    COPY takes half the time of an insert that minds conflicts, and a conflict is rare: a pattern
    has room for 100,000 codes for each that is asked for. In order, the index is read less.
    """
    wanted = sorted(digests)
    try:
        async with connection.transaction():
            await connection.copy_records_to_table(
                "codes",
                records=((digest, number) for digest in wanted),
                columns=("digest", "emission"),
            )
    except asyncpg.UniqueViolationError:
        rows = await connection.fetch(
            "insert into codes (digest, emission) select digest, $2 from unnest($1::bytea[]) digest "
            "on conflict do nothing returning digest",
            wanted,
            number,
        )
        return {row["digest"] for row in rows}
    return None


async def add_chunks(
    connection: Connection, number: int, ciphertexts: Sequence[tuple[int, bytes]]
) -> None:
    """Keep chunks' codes for export."""
    await connection.copy_records_to_table(
        "code_chunks",
        records=[(number, chunk, ciphertext) for chunk, ciphertext in ciphertexts],
        columns=("emission", "chunk", "ciphertext"),
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
