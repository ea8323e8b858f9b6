"""Chunks are said again before Kafka forgets them: all that can still be of use, and nobody who was erased."""

from datetime import datetime, timedelta

import asyncpg

from services.emission.chunks import Sayer
from services.emission.cipher import CodeCipher
from services.emission.codes import NewEmission
from services.emission.issuing import Issuing
from services.emission.posting import Poster
from services.emission.renewal import EVERY, LATE_SALES, Renewal
from services.emission.store import emissions as emission_store
from services.emission.store import erasures as erasure_store
from shared import clock
from shared.codec import decode
from shared.events.customers import CodeRequest
from shared.events.reference import NOBODY, CodeChunk
from shared.topics import CODE_REQUESTS, CODES
from tests.integration.outgoing import waiting
from tests.integration.requests import a_request
from tests.integration.test_emission_erasure import record

CODE_KEY = bytes(range(32))
CIPHER = CodeCipher.of("A" * 43 + "=")
NOW = clock.now()
LONG_AGO = NOW - EVERY - timedelta(hours=1)


async def post(pool: asyncpg.Pool, new: NewEmission, at: datetime) -> int:
    """Have an emission posted; its number."""
    async with pool.acquire() as connection:
        number = await emission_store.add_emission(connection, new, CIPHER, "test", at)
        await emission_store.begin_posting(connection, number, "test", at)
    while await Poster(pool, CIPHER, CODE_KEY, now=lambda: at).post_some():
        continue
    return number


async def make(pool: asyncpg.Pool, at: datetime, *requests: CodeRequest) -> None:
    """Have codes made on request."""
    issuing = Issuing(CIPHER, CODE_KEY, now=lambda: at)
    async with pool.acquire() as connection, connection.transaction():
        await issuing.apply(connection, [(record(CODE_REQUESTS, one), one) for one in requests])


async def said(pool: asyncpg.Pool) -> list[CodeChunk]:
    """The chunks that are on their way, in order; they are gone then."""
    bodies = await waiting(pool, CODES)
    await pool.execute("delete from outbox")
    return [decode(CodeChunk, body or b"") for body in bodies]


async def renewed(pool: asyncpg.Pool, now: datetime) -> list[CodeChunk]:
    """What is said again."""
    renewal = Renewal(pool, Sayer(CIPHER, CODE_KEY), now=lambda: now)
    while await renewal.renew_some():
        continue
    return await said(pool)


def batch(emission_id: str, count: int, **fields: object) -> NewEmission:
    known = {"name": "Batch", "kind": "personal", "count": count, "emission_id": emission_id}
    return NewEmission.model_validate(known | fields)


async def test_all_chunks_of_an_emission_are_said_again_as_they_were(
    emission_tables: asyncpg.Pool,
) -> None:
    customers = tuple(f"c-{n}" for n in range(1_500))
    await post(emission_tables, batch("e1", 25_500, customers=customers), LONG_AGO)
    await post(
        emission_tables,
        NewEmission(emission_id="e2", name="W", kind="mass", word="FRIDAY"),
        LONG_AGO,
    )
    later = NOW + timedelta(days=30)
    asked = [a_request("e1", valid_until=later + timedelta(days=n)) for n in range(3)]
    await make(emission_tables, LONG_AGO, *asked)
    first = await said(emission_tables)
    assert len(first) == 26 + 1 + 3
    again = await renewed(emission_tables, NOW)
    assert sorted(again, key=_place) == sorted(first, key=_place)
    # And not once more, until it is time.
    assert await renewed(emission_tables, NOW + EVERY - timedelta(minutes=1)) == []
    assert len(await renewed(emission_tables, NOW + EVERY + timedelta(minutes=1))) == len(first)


def _place(chunk: CodeChunk) -> tuple[str, int]:
    return chunk.emission_id, chunk.chunk


async def test_what_can_be_of_no_use_any_more_is_not_said_again(
    emission_tables: asyncpg.Pool,
) -> None:
    ended = NOW - LATE_SALES - timedelta(hours=1)
    ages_ago = ended - timedelta(days=30)
    await post(emission_tables, batch("over", 1, valid_until=ended), ages_ago)
    await post(emission_tables, batch("late", 1, valid_until=ended + timedelta(hours=2)), ages_ago)
    await post(emission_tables, batch("live", 0), ages_ago)
    until = [ended, ended + timedelta(hours=2)]
    await make(emission_tables, ages_ago, *(a_request("live", valid_until=one) for one in until))
    await said(emission_tables)
    again = {
        (one.emission_id, one.chunk): one.valid_until for one in await renewed(emission_tables, NOW)
    }
    assert again == {("late", 1): None, ("live", 2): until[1]}


async def test_who_was_erased_is_named_no_more(emission_tables: asyncpg.Pool) -> None:
    number = await post(emission_tables, batch("e1", 3, customers=("c-1", "c-2")), LONG_AGO)
    await said(emission_tables)
    async with emission_tables.acquire() as connection:
        await erasure_store.unbind(connection, "c-1", [number])
    [chunk] = await renewed(emission_tables, NOW)
    assert chunk.holders == (NOBODY, "c-2", None)


async def test_a_renewal_that_was_broken_off_goes_on(emission_tables: asyncpg.Pool) -> None:
    await post(emission_tables, batch("e1", 45_000), LONG_AGO)
    await said(emission_tables)
    sayer = Sayer(CIPHER, CODE_KEY)
    assert await Renewal(emission_tables, sayer, now=lambda: NOW).renew_some()
    assert [one.chunk for one in await said(emission_tables)] == list(range(1, 21))
    assert [one.chunk for one in await renewed(emission_tables, NOW)] == list(range(21, 46))
