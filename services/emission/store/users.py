"""Users, their sessions and invitations, and failed attempts to sign in."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from services.emission.lockout import Failures
from services.emission.users import NewUser, Session, User, UserEdit
from shared.database import Connection

_USER = """
select u.login, u.name, u.role, u.created_at, u.password_hash is not null as has_password,
    u.disabled_at is not null as disabled,
    (select max(s.used_at) from sessions s where s.login = u.login) as signed_in_at
from users u
"""


async def add_user(connection: Connection, new: NewUser, now: datetime) -> bool:
    """Keep a new user, without password; False if the login is taken."""
    added = await connection.fetchval(
        "insert into users (login, name, role, created_at) values ($1, $2, $3, $4) "
        "on conflict do nothing returning true",
        new.login,
        new.name,
        new.role,
        now,
    )
    return bool(added)


async def ensure_administrator(
    connection: Connection, login: str, password_hash: str, now: datetime
) -> None:
    """The environment's administrator exists and has its password; nothing else of him is touched."""
    await connection.execute(
        "insert into users (login, name, role, password_hash, created_at) "
        "values ($1, 'Administrator', 'administrator', $2, $3) "
        "on conflict (login) do update set password_hash = excluded.password_hash",
        login,
        password_hash,
        now,
    )


async def edit_user(connection: Connection, login: str, edit: UserEdit, now: datetime) -> bool:
    """Change a user; False if there is none."""
    found = await connection.fetchval(
        "update users set name = $2, role = $3, "
        "disabled_at = case when $4 then coalesce(disabled_at, $5) end "
        "where login = $1 returning true",
        login,
        edit.name,
        edit.role,
        edit.disabled,
        now,
    )
    return bool(found)


async def other_administrators(connection: Connection, login: str) -> int:
    """How many others may administrate; locked, so that the last two do not leave at once."""
    rows = await connection.fetch(
        "select login from users where role = 'administrator' and disabled_at is null for update"
    )
    return sum(row["login"] != login for row in rows)


async def user(connection: Connection, login: str) -> User | None:
    """The user, or None."""
    row = await connection.fetchrow(f"{_USER} where u.login = $1", login)
    return None if row is None else _user(row)


async def users(connection: Connection, after: str, limit: int) -> list[User]:
    """Users by login, from the first after ``after``."""
    rows = await connection.fetch(
        f"{_USER} where u.login > $1 order by u.login limit $2", after, limit
    )
    return [_user(row) for row in rows]


async def password_hash(connection: Connection, login: str) -> str | None:
    """The hash of an active user's password; None: no such user, disabled, or none was set."""
    found: str | None = await connection.fetchval(
        "select password_hash from users where login = $1 and disabled_at is null", login
    )
    return found


async def set_password(connection: Connection, login: str, hashed: str) -> None:
    """Give the user another password."""
    await connection.execute("update users set password_hash = $2 where login = $1", login, hashed)


async def add_session(connection: Connection, digest: bytes, login: str, now: datetime) -> None:
    """Open a session."""
    await connection.execute(
        "insert into sessions (session_sha256, login, created_at, used_at) values ($1, $2, $3, $3)",
        digest,
        login,
        now,
    )


async def session(connection: Connection, digest: bytes) -> Session | None:
    """The session, or None."""
    row = await connection.fetchrow(
        "select login, created_at, used_at from sessions where session_sha256 = $1", digest
    )
    if row is None:
        return None
    found = await user(connection, row["login"])
    return None if found is None else Session(found, row["created_at"], row["used_at"])


async def use_session(connection: Connection, digest: bytes, now: datetime) -> None:
    """The session was used."""
    await connection.execute(
        "update sessions set used_at = $2 where session_sha256 = $1", digest, now
    )


async def end_session(connection: Connection, digest: bytes) -> str | None:
    """End the session; its user, or None if there was none."""
    login: str | None = await connection.fetchval(
        "delete from sessions where session_sha256 = $1 returning login", digest
    )
    return login


async def end_sessions(connection: Connection, login: str, but: bytes = b"") -> None:
    """End the user's sessions, but for one."""
    await connection.execute(
        "delete from sessions where login = $1 and session_sha256 <> $2", login, but
    )


async def forget_old(connection: Connection, sessions_before: datetime, now: datetime) -> None:
    """Forget sessions unused since then, and what is over by now."""
    await connection.execute("delete from sessions where used_at < $1", sessions_before)
    await connection.execute("delete from invitations where expires_at <= $1", now)
    await connection.execute(
        "delete from sign_in_failures where last_at < $1 and coalesce(locked_until, $2) <= $2",
        sessions_before,
        now,
    )


async def add_invitation(
    connection: Connection, digest: bytes, login: str, expires_at: datetime
) -> None:
    """Keep an invitation in place of the user's earlier ones."""
    await connection.execute("delete from invitations where login = $1", login)
    await connection.execute(
        "insert into invitations (secret_sha256, login, expires_at) values ($1, $2, $3)",
        digest,
        login,
        expires_at,
    )


async def take_invitation(connection: Connection, digest: bytes, now: datetime) -> str | None:
    """Use an invitation up; its user, or None if it is not valid (any more)."""
    login: str | None = await connection.fetchval(
        """
        delete from invitations i using users u
        where i.secret_sha256 = $1 and i.expires_at > $2
            and u.login = i.login and u.disabled_at is null
        returning i.login
        """,
        digest,
        now,
    )
    return login


async def failures_of(connection: Connection, subjects: Sequence[bytes]) -> dict[bytes, Failures]:
    """What is held against each of the subjects, which are locked in their order."""
    for subject in sorted(subjects):
        await connection.execute(
            "insert into sign_in_failures (subject, failures, last_at) values ($1, 0, 'epoch') "
            "on conflict (subject) do update set failures = sign_in_failures.failures",
            subject,
        )
    rows = await connection.fetch(
        "select * from sign_in_failures where subject = any($1)", list(subjects)
    )
    return {
        row["subject"]: Failures(row["failures"], row["last_at"], row["locked_until"])
        for row in rows
    }


async def save_failures(connection: Connection, subject: bytes, failures: Failures) -> None:
    """Keep what is held against a subject."""
    await connection.execute(
        "update sign_in_failures set failures = $2, last_at = $3, locked_until = $4 "
        "where subject = $1",
        subject,
        failures.count,
        failures.last_at,
        failures.locked_until,
    )


async def forgive(connection: Connection, subject: bytes) -> None:
    """Hold nothing against the subject any more."""
    await connection.execute("delete from sign_in_failures where subject = $1", subject)


def _user(row: asyncpg.Record) -> User:
    return User(
        row["login"],
        row["name"],
        row["role"],
        row["created_at"],
        row["has_password"],
        row["disabled"],
        row["signed_in_at"],
    )
