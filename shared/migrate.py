"""Numbered SQL migrations: each file once, in order, under an advisory lock."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from shared.database import Connection

_LOCK = 0x7111_57EA  # any number, the same for every migrator of a database
_TABLE = """
create table if not exists migrations (
    name text primary key,
    sha256 text not null,
    applied_at timestamptz not null default now()
)"""


class MigrationChangedError(RuntimeError):
    """A migration that was applied has since been edited: write a new one instead."""


async def migrate(connection: Connection, directories: Sequence[Path]) -> list[str]:
    """Apply what is new in ``directories`` (in that order), each file in its own transaction.

    A file is known by ``<folder of the directory>/<file name>``. Returns the names applied.
    """
    await connection.execute("select pg_advisory_lock($1)", _LOCK)
    try:
        await connection.execute(_TABLE)
        rows = await connection.fetch("select name, sha256 from migrations")
        known = {row["name"]: row["sha256"] for row in rows}
        applied = []
        for directory in directories:
            for path in sorted(directory.glob("[0-9]*.sql")):
                name = f"{directory.parent.name}/{path.name}"
                if await _apply(connection, name, path.read_text(), known.get(name)):
                    applied.append(name)
        return applied
    finally:
        await connection.execute("select pg_advisory_unlock($1)", _LOCK)


async def _apply(connection: Connection, name: str, sql: str, known_sha256: str | None) -> bool:
    sha256 = hashlib.sha256(sql.encode()).hexdigest()
    if known_sha256 == sha256:
        return False
    if known_sha256 is not None:
        message = f"migration {name} was edited after it was applied: add a new one instead"
        raise MigrationChangedError(message)
    async with connection.transaction():
        await connection.execute(sql)
        await connection.execute(
            "insert into migrations (name, sha256) values ($1, $2)", name, sha256
        )
    return True
