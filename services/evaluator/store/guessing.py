"""Tallies of failed codes: read without locks; locked, in the order of their keys, to be added to."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.evaluator.guessing import PRINT_BYTES, Subject, Tally, blame
from shared.database import Connection, Query


async def tallies(connection: Connection, subjects: Collection[Subject]) -> dict[Subject, Tally]:
    """What is held against these, as far as there is anything."""
    return await held_against(subjects).of(connection)


def held_against(subjects: Collection[Subject]) -> Query[dict[Subject, Tally]]:
    """What ``tallies`` reads."""
    return Query(
        "select realm, who, name, failed, since, lockouts, locked_until from guesses"
        " join unnest($1::text[], $2::text[], $3::text[]) as asked (realm, who, name)"
        " using (realm, who, name)",
        _columns(sorted(subjects)),
        _tallies,
    )


async def add(
    connection: Connection, blamed: Mapping[Subject, Sequence[bytes]], now: datetime
) -> None:
    """Hold failed codes (digests) against subjects, on top of what others have added meanwhile.

    Best done last: the rows are those of whole stores, locked until the transaction ends.
    """
    subjects = sorted(blamed)
    locked = _tallies(
        await connection.fetch(
            "insert into guesses (realm, who, name)"
            " select * from unnest($1::text[], $2::text[], $3::text[])"
            " on conflict (realm, who, name) do update set name = excluded.name"
            " returning realm, who, name, failed, since, lockouts, locked_until",
            *_columns(subjects),
        )
    )
    after = [blame(locked[one], blamed[one], one.rule, now) for one in subjects]
    await connection.execute(
        "update guesses set failed = new.failed, since = new.since, lockouts = new.lockouts,"
        " locked_until = new.locked_until, forgotten_from = new.forgotten_from"
        " from unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::timestamptz[],"
        " $6::int[], $7::timestamptz[], $8::timestamptz[])"
        " as new (realm, who, name, failed, since, lockouts, locked_until, forgotten_from)"
        " where (guesses.realm, guesses.who, guesses.name) = (new.realm, new.who, new.name)",
        *_columns(subjects),
        [b"".join(tally.failed) for tally in after],
        [tally.since for tally in after],
        [tally.lockouts for tally in after],
        [tally.locked_until for tally in after],
        [tally.forgotten_from(one.rule) for one, tally in zip(subjects, after, strict=True)],
    )


async def forget(connection: Connection, now: datetime, most: int) -> int:
    """Remove tallies of which nothing matters any more; returns how many."""
    removed = await connection.execute(
        "delete from guesses where (realm, who, name) in (select realm, who, name from guesses"
        " where forgotten_from <= $1 order by forgotten_from limit $2 for update skip locked)",
        now,
        most,
    )
    return int(removed.rsplit(" ", 1)[1])


def _columns(subjects: Iterable[Subject]) -> tuple[list[str], list[str], list[str]]:
    names = [(one.realm, one.who, one.name) for one in subjects]
    return [n[0] for n in names], [n[1] for n in names], [n[2] for n in names]


def _tallies(rows: Iterable[Any]) -> dict[Subject, Tally]:
    return {
        Subject(realm, who, name): Tally(_prints(failed), since, lockouts, locked_until)
        for realm, who, name, failed, since, lockouts, locked_until in rows
    }


def _prints(packed: bytes) -> tuple[bytes, ...]:
    return tuple([packed[i : i + PRINT_BYTES] for i in range(0, len(packed), PRINT_BYTES)])
