"""Authoring segments: what is added, changed, archived, and brought back; every change of a definition has all customers looked at."""

from collections.abc import Iterable
from datetime import datetime

from services.customers.segments import catalogue_store, pass_store, store
from services.customers.segments.builtin import Builtin
from services.customers.segments.catalogue_store import Row
from services.customers.segments.definition import Definition
from shared.database import Connection

MOST = 500
"""Segments that are not archived: each of them is evaluated whenever a customer does something."""
SYSTEM = "system"
"""Who made the segments that are there from the start."""


class NoSuchSegmentError(LookupError):
    """There is no segment with that id."""


class RefusedError(ValueError):
    """It can't be done as things are; the text says why."""


async def add(
    connection: Connection,
    segment_id: str,
    name: str,
    definition: Definition,
    *,
    by: str,
    now: datetime,
) -> tuple[Row, bool]:
    """Add a segment; one that is there just so is left so. Returns it, and whether it is new.

    Raises ``RefusedError`` if another one has the id, or there are too many.
    """
    await catalogue_store.lock(connection, segment_id)
    found = await catalogue_store.find(connection, segment_id)
    if found is not None:
        if (found.name, found.definition, found.archived) == (name, definition, False):
            return found, False
        message = "another segment has this id"
        raise RefusedError(message)
    await _check_room(connection)
    new = _row(segment_id, name, definition, by=by, now=now)
    return await _save(connection, new, "added", evaluate=True), True


async def edit(
    connection: Connection,
    segment_id: str,
    name: str,
    definition: Definition,
    *,
    by: str,
    now: datetime,
) -> Row:
    """Change a segment's name and definition; the same again changes nothing.

    Raises ``NoSuchSegmentError``, or ``RefusedError`` if it is archived.
    """
    found = await _locked(connection, segment_id)
    if (found.name, found.definition) == (name, definition):
        return found
    if found.archived:
        message = "it is archived: restore it first"
        raise RefusedError(message)
    changed = found._replace(name=name, definition=definition)
    return await _save(
        connection,
        _next(changed, by, now),
        "changed",
        evaluate=definition != found.definition,
    )


async def archive(
    connection: Connection, segment_id: str, *, archived: bool, by: str, now: datetime
) -> Row:
    """Archive a segment: all its members leave; or restore it. What is so already is left so.

    Raises ``NoSuchSegmentError``; ``RefusedError`` for those that are there from the start, or if there are too many.
    """
    found = await _locked(connection, segment_id)
    if found.archived == archived:
        return found
    if found.builtin:
        message = "segments that are there from the start can't be archived"
        raise RefusedError(message)
    if not archived:
        await _check_room(connection)
    changed = _next(found._replace(archived=archived), by, now)
    return await _save(connection, changed, "archived" if archived else "restored", evaluate=True)


async def seed(
    connection: Connection, builtins: Iterable[Builtin], now: datetime, *, builtin: bool = True
) -> None:
    """Add the segments that are not there yet; ``builtin``: for good."""
    wanted = sorted(builtins, key=lambda one: one.segment_id)
    for one in wanted:
        await catalogue_store.lock(connection, one.segment_id)
    known = await catalogue_store.known(connection, [one.segment_id for one in wanted])
    for one in wanted:
        if one.segment_id not in known:
            new = _row(one.segment_id, one.name, one.definition, by=SYSTEM, now=now)
            await _save(connection, new._replace(builtin=builtin), "added", evaluate=True)


async def _locked(connection: Connection, segment_id: str) -> Row:
    await catalogue_store.lock(connection, segment_id)
    found = await catalogue_store.find(connection, segment_id)
    if found is None:
        raise NoSuchSegmentError
    return found


async def _check_room(connection: Connection) -> None:
    if await catalogue_store.active(connection) >= MOST:
        message = f"there are {MOST} segments: archive one first"
        raise RefusedError(message)


async def _save(connection: Connection, row: Row, action: str, *, evaluate: bool) -> Row:
    """Save it; ``evaluate``: and have all customers looked at, by what it is now."""
    number = None
    if evaluate:
        await store.revise(connection)
        number = await pass_store.ask(connection, row.segment_id, row.changed_at)
    await catalogue_store.save(connection, row, action, number)
    saved = await catalogue_store.find(connection, row.segment_id)
    assert saved is not None  # noqa: S101 - it was just saved
    return saved


def _row(segment_id: str, name: str, definition: Definition, *, by: str, now: datetime) -> Row:
    return Row(
        segment_id,
        name,
        builtin=False,
        definition=definition,
        version=1,
        archived=False,
        members=0,
        changed_at=now,
        changed_by=by,
        called=0,
        to_call=None,
    )


def _next(row: Row, by: str, now: datetime) -> Row:
    return row._replace(version=row.version + 1, changed_by=by, changed_at=now)
