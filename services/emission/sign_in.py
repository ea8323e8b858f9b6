"""Signing in: passwords, sessions, invitations; and the users that administrators keep."""

import asyncio
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from ipaddress import ip_address
from math import ceil
from typing import NoReturn

import asyncpg
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from services.emission import lockout
from services.emission.metrics import SIGN_INS
from services.emission.store import changes
from services.emission.store import users as store
from services.emission.store.changes import Change
from services.emission.users import (
    IDLE,
    INVITATION,
    Acceptance,
    Credentials,
    NewPassword,
    NewUser,
    Session,
    User,
    UserEdit,
)
from shared import clock
from shared.database import Connection
from shared.web.auth import PAGE_LIFETIME, sign, unauthenticated
from shared.web.problems import FieldMessage, Problem

_SECRET_BYTES = 32
_HASHING_AT_ONCE = 2  # each takes 64 MiB and a core for a moment


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in: his session's secret, for a cookie of its own, and a token for the services."""

    user: User
    secret: str = field(repr=False)
    token: str = field(repr=False)


@dataclass
class SignIn:
    """Opens and ends sessions, invites and changes users; ``signing_key`` is Ed25519 (PEM).

    ``address_key`` is what callers' addresses are known by while their failures are remembered.
    Raises ``Problem``; the answer to a wrong login and to a wrong password is the same.
    """

    pool: asyncpg.Pool
    signing_key: str = field(repr=False)
    address_key: bytes = field(repr=False)
    now: Callable[[], datetime] = clock.now
    hasher: PasswordHasher = field(default_factory=PasswordHasher)
    _hashing: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(_HASHING_AT_ONCE), init=False
    )
    _nobodys: str = field(default="", init=False, repr=False)

    async def sign_in(self, given: Credentials, address: str | None) -> SignedIn:
        """A new session for who knows the password."""
        now = self.now()
        subjects = self._subjects(given.login, address, now)
        async with self.pool.acquire() as connection, connection.transaction():
            locked_until = await _attempt(connection, subjects, now)
            hashed = await store.password_hash(connection, given.login)
        if locked_until is not None:
            SIGN_INS.labels("locked_out").inc()
            _refuse_locked(locked_until, now)
        if not await self._matches(hashed, given.password):
            SIGN_INS.labels("wrong").inc()
            fault = FieldMessage(field="password", message="login or password is wrong")
            raise unauthenticated("login or password is wrong", [fault])
        async with self.pool.acquire() as connection, connection.transaction():
            for subject in subjects:
                await store.forgive(connection, subject)
            await store.forget_old(connection, now - IDLE, now)
            if hashed and self.hasher.check_needs_rehash(hashed):
                await store.set_password(connection, given.login, await self._hash(given.password))
            opened = await self._open(connection, given.login, "signed in", now)
        SIGN_INS.labels("signed_in").inc()
        return opened

    async def renew(self, secret: str) -> SignedIn:
        """Another token for who has an open session."""
        now, digest = self.now(), _digest(secret)
        async with self.pool.acquire() as connection, connection.transaction():
            session = await self._session(connection, digest, now)
            await store.use_session(connection, digest, now)
        return SignedIn(session.user, secret, self._token(session.user, now))

    async def sign_out(self, secret: str) -> None:
        """End the session, if there is one."""
        async with self.pool.acquire() as connection, connection.transaction():
            login = await store.end_session(connection, _digest(secret))
            if login is not None:
                change = Change(f"user:{login}", "signed out", "session", login)
                await changes.record(connection, change, self.now())

    async def change_password(self, secret: str, given: NewPassword) -> None:
        """Another password for who is signed in and knows the old one; his other sessions end."""
        now, digest = self.now(), _digest(secret)
        async with self.pool.acquire() as connection:
            login = (await self._session(connection, digest, now)).user.login
            hashed = await store.password_hash(connection, login)
        if not await self._matches(hashed, given.old):
            raise Problem.of_field(
                HTTPStatus.CONFLICT, "Conflict", "old", "this is not your password"
            )
        fresh = await self._hash(given.new)
        async with self.pool.acquire() as connection, connection.transaction():
            await store.set_password(connection, login, fresh)
            await store.end_sessions(connection, login, but=digest)
            change = Change(f"user:{login}", "changed the password", "user", login)
            await changes.record(connection, change, now)

    async def add(self, new: NewUser, actor: str) -> tuple[User, str]:
        """A new user, and the secret of his invitation."""
        async with self.pool.acquire() as connection, connection.transaction():
            if not await store.add_user(connection, new, self.now()):
                raise Problem.of_field(
                    HTTPStatus.CONFLICT, "Conflict", "login", "there is a user with this login"
                )
            return await self._invite(connection, new.login, actor, "invited")

    async def invite(self, login: str, actor: str) -> tuple[User, str]:
        """Another invitation: he has lost the first, or forgotten his password."""
        async with self.pool.acquire() as connection, connection.transaction():
            return await self._invite(connection, login, actor, "invited again")

    async def edit(self, login: str, edit: UserEdit, actor: str) -> User:
        """Change a user's name or role, or disable him; an administrator must be left."""
        now = self.now()
        async with self.pool.acquire() as connection, connection.transaction():
            before = await _user(connection, login)
            leaves = edit.disabled or edit.role != "administrator"
            if (
                before.role == "administrator"
                and leaves
                and not await store.other_administrators(connection, login)
            ):
                message = "this is the last administrator: make another one first"
                raise Problem.of_field(HTTPStatus.CONFLICT, "Conflict", "role", message)
            await store.edit_user(connection, login, edit, now)
            if edit.disabled or edit.role != before.role:
                await store.end_sessions(connection, login)
            change = Change(actor, "edited", "user", login, edit.model_dump())
            await changes.record(connection, change, now)
            return await _user(connection, login)

    async def accept(self, given: Acceptance) -> SignedIn:
        """Set the password of who was invited, and sign him in."""
        now = self.now()
        hashed = await self._hash(given.password)
        async with self.pool.acquire() as connection, connection.transaction():
            login = await store.take_invitation(connection, _digest(given.secret), now)
            if login is None:
                raise Problem.of_field(
                    HTTPStatus.CONFLICT,
                    "Conflict",
                    "secret",
                    "this invitation was used or is over: ask an administrator for another one",
                )
            await store.set_password(connection, login, hashed)
            await store.end_sessions(connection, login)
            await store.forgive(connection, _login_subject(login))
            return await self._open(connection, login, "accepted the invitation", now)

    async def ensure_administrator(self, login: str, password: str) -> None:
        """The environment's administrator can sign in."""
        async with self.pool.acquire() as connection:
            known = await store.password_hash(connection, login)
            if known is None or not await self._matches(known, password):
                fresh = await self._hash(password)
                await store.ensure_administrator(connection, login, fresh, self.now())

    async def _open(
        self, connection: Connection, login: str, action: str, now: datetime
    ) -> SignedIn:
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        await store.add_session(connection, _digest(secret), login, now)
        await changes.record(connection, Change(f"user:{login}", action, "session", login), now)
        user = await _user(connection, login)
        return SignedIn(user, secret, self._token(user, now))

    async def _invite(
        self, connection: Connection, login: str, actor: str, action: str
    ) -> tuple[User, str]:
        now = self.now()
        user = await _user(connection, login)
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        await store.add_invitation(connection, _digest(secret), login, now + INVITATION)
        body = {"name": user.name, "role": user.role, "disabled": user.disabled}
        await changes.record(connection, Change(actor, action, "user", login, body), now)
        return user, secret

    async def _session(self, connection: Connection, digest: bytes, now: datetime) -> Session:
        session = await store.session(connection, digest)
        if session is None or session.is_over(now):
            raise unauthenticated("There is no open session: sign in.")
        return session

    def _token(self, user: User, now: datetime) -> str:
        return sign(self.signing_key, f"user:{user.login}", user.scopes, PAGE_LIFETIME, now)

    def _subjects(self, login: str, address: str | None, now: datetime) -> dict[bytes, lockout.Who]:
        subjects: dict[bytes, lockout.Who] = {_login_subject(login): "login"}
        # A proxy on this machine that is not trusted says nothing of who calls: all would be locked out.
        if address is not None and not ip_address(address).is_loopback:
            told = f"sign-in {now.date().isoformat()} {address}".encode()
            subjects[hmac.digest(self.address_key, told, "sha256")] = "address"
        return subjects

    async def _hash(self, password: str) -> str:
        async with self._hashing:
            return await asyncio.to_thread(self.hasher.hash, password)

    async def _matches(self, hashed: str | None, password: str) -> bool:
        """Whether it is the password; it takes as long when there is none."""
        if hashed is None:
            self._nobodys = self._nobodys or await self._hash(secrets.token_hex())
        async with self._hashing:
            return (
                await asyncio.to_thread(self._verify, hashed or self._nobodys, password)
                and hashed is not None
            )

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self.hasher.verify(hashed, password)
        except (Argon2Error, InvalidHashError):
            return False


async def _attempt(
    connection: Connection, subjects: dict[bytes, lockout.Who], now: datetime
) -> datetime | None:
    """Count an attempt; until when it is not heard, or None if it is."""
    held = await store.failures_of(connection, list(subjects))
    locks = [one.locked_until for one in held.values() if lockout.is_locked(one, now)]
    if locks:
        return max(until for until in locks if until is not None)
    for subject, who in subjects.items():
        failures = lockout.after_attempt(held[subject], who, now)
        await store.save_failures(connection, subject, failures)
        if failures.locked_until is not None and who == "login":
            # The login may be anything that somebody typed: it is not written down.
            change = Change("anonymous", "locked out", "session", "sign-in")
            await changes.record(connection, change, now)
    return None


def _refuse_locked(until: datetime, now: datetime) -> NoReturn:
    seconds = max(1, ceil((until - now).total_seconds()))
    raise Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many attempts",
        f"There were too many wrong attempts to sign in. Try again in {seconds} s, or ask an"
        " administrator for an invitation.",
        headers={"Retry-After": str(seconds)},
    )


async def _user(connection: Connection, login: str) -> User:
    found = await store.user(connection, login)
    if found is None:
        raise Problem.of_field(HTTPStatus.NOT_FOUND, "Not found", "login", "no such user")
    return found


def _login_subject(login: str) -> bytes:
    return sha256(f"login {login}".encode()).digest()


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
