"""Requests for personal codes, their answers, and the codes that were made for them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from shared.database import Connection


@dataclass(frozen=True)
class Answered:
    """A request and its answer, encrypted; ``request_sha256`` is what the request is known by."""

    request_id: str
    customer_id: str
    request_sha256: bytes
    answer: bytes


@dataclass(frozen=True)
class RequestedCode:
    """A code that was made for a customer, encrypted; ``number`` counts those of its emission from 1."""

    number: int
    chunk: int
    ciphertext: bytes
    customer_id: str
    valid_until: datetime


async def answered(connection: Connection, request_ids: Collection[str]) -> dict[str, Answered]:
    """Those of the requests that have an answer, by id."""
    rows = await connection.fetch(
        "select request_id, customer_id, request_sha256, answer from code_requests"
        " where request_id = any($1)",
        list(request_ids),
    )
    return {row["request_id"]: Answered(*row) for row in rows}


async def keep_answers(connection: Connection, new: Sequence[Answered], now: datetime) -> None:
    """Keep answers. Raises asyncpg's ``UniqueViolationError`` if one of the requests has its answer by now."""
    await connection.copy_records_to_table(
        "code_requests",
        records=[(a.request_id, a.customer_id, a.request_sha256, a.answer, now) for a in new],
        columns=("request_id", "customer_id", "request_sha256", "answer", "answered_at"),
    )


async def forget_answers(connection: Connection, before: datetime, most: int) -> int:
    """Forget the oldest answers of before; how many they were, ``most`` at once."""
    return int(
        await connection.fetchval(
            """
            with old as (
                delete from code_requests where request_id in (
                    select request_id from code_requests where answered_at < $1
                    order by answered_at limit $2
                ) returning 1
            )
            select count(*) from old
            """,
            before,
            most,
        )
    )


async def keep_codes(
    connection: Connection, emission: int, new: Sequence[RequestedCode], day: date
) -> None:
    """Keep codes that were made on request on that day, and count them: they are the emission's next."""
    await connection.copy_records_to_table(
        "requested_codes",
        records=[
            (emission, c.number, c.chunk, c.ciphertext, c.customer_id, c.valid_until) for c in new
        ],
        columns=("emission", "number", "chunk", "ciphertext", "customer_id", "valid_until"),
    )
    await connection.execute(
        "update emissions set requested_codes = requested_codes + $2,"
        " requested_chunks = requested_chunks + $3, requested_on = $4 where number = $1",
        emission,
        len(new),
        len({code.chunk for code in new}),
        day,
    )


async def codes(
    connection: Connection, emission: int, after: int, limit: int
) -> list[RequestedCode]:
    """Codes of the emission that were made on request, from the first after the one of that number."""
    rows = await connection.fetch(
        "select number, chunk, ciphertext, customer_id, valid_until from requested_codes"
        " where emission = $1 and number > $2 order by number limit $3",
        emission,
        after,
        limit,
    )
    return [RequestedCode(*row) for row in rows]


async def codes_of_chunks(
    connection: Connection, emission: int, chunks: Collection[int]
) -> list[RequestedCode]:
    """The codes of these of the emission's chunks, in their order."""
    rows = await connection.fetch(
        "select number, chunk, ciphertext, customer_id, valid_until from requested_codes"
        " where emission = $1 and chunk = any($2) order by number",
        emission,
        list(chunks),
    )
    return [RequestedCode(*row) for row in rows]
