"""Emission put together: the authoring API, the poster, the consumer and the relay of the outbox."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from http import HTTPStatus
from zoneinfo import available_timezones

import asyncpg
import structlog
from fastapi import FastAPI
from pydantic import SecretStr

from services.emission.access import Access
from services.emission.authoring import Authoring
from services.emission.catalogue import Catalogue
from services.emission.chunks import Sayer
from services.emission.cipher import CodeCipher
from services.emission.drafts import Drafts
from services.emission.erasing import Erasing
from services.emission.http import LARGER_BODIES, Desk, add_routes
from services.emission.http.pages import page_routes
from services.emission.issuing import Issuing
from services.emission.keys import ApiKey
from services.emission.language import language_routes
from services.emission.posting import Poster
from services.emission.references import References
from services.emission.renewal import Renewal
from services.emission.retention import Retention
from services.emission.sign_in import SignIn
from services.emission.store import keys as key_store
from services.emission.stream import CONSUMER, MOST_RECORDS, TOPICS, Stream
from shared import clock, database
from shared.backlog import Backlog
from shared.consumer import TransactionalConsumer
from shared.outbox import Relay
from shared.settings import ServiceSettings
from shared.supervision import TRANSIENT, supervise
from shared.web.auth import Verifier
from shared.web.problems import Problem
from shared.web.service import background, create_app

ADMINISTRATOR = "admin"
"""The login of the administrator whose password is in the environment."""

log = structlog.get_logger()


class EmissionSettings(ServiceSettings):
    """Emission's settings.

    ``signing_key``: Ed25519 private key (PEM) of the tokens. ``admin_key``: the API key that has
    all scopes. ``admin_password``: of the console's user ``admin``; empty: the environment has none.
    ``code_key``: HMAC key of the digests, hex. ``code_cipher_key``: 32 bytes, URL-safe base64.
    """

    signing_key: SecretStr
    admin_key: SecretStr
    admin_password: SecretStr = SecretStr("")
    code_key: SecretStr
    code_cipher_key: SecretStr


def compose(settings: EmissionSettings, now: Callable[[], datetime] = clock.now) -> FastAPI:
    """The service: its application, which runs everything else in its lifespan.

    Raises ``ValueError`` when a secret has not its form.
    """
    admin_key = ApiKey.parse(settings.admin_key.get_secret_value())
    if admin_key is None:
        message = "TILLSTREAM_ADMIN_KEY must have the form ts_<id>_<secret>"
        raise ValueError(message)
    cipher = CodeCipher.of(settings.code_cipher_key.get_secret_value())
    code_key = bytes.fromhex(settings.code_key.get_secret_value())
    dsn = settings.database.get_secret_value()
    desks: list[Desk] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        pool = await database.pool(dsn)
        try:
            async with pool.acquire() as connection:
                await key_store.ensure_bootstrap_key(connection, admin_key)
            started = _desk(pool, settings, cipher, code_key, now)
            if password := settings.admin_password.get_secret_value():
                await started.sign_in.ensure_administrator(ADMINISTRATOR, password)
            desks.append(started)
            sayer = Sayer(cipher, code_key)
            erasing = Erasing(started.drafts, sayer, code_key, now)
            stream = Stream(erasing, Issuing(cipher, code_key, now=now))
            relay = Relay(settings.kafka, dsn)
            async with background(
                supervise("relay", relay.run),
                supervise("backlog", Backlog(pool).run),
                supervise("poster", started.poster.run),
                supervise(CONSUMER, lambda: stream_consumer(settings.kafka, pool, stream).run()),
                supervise("retention", Retention(pool, now).run),
                supervise("renewal", Renewal(pool, sayer, now).run),
            ):
                yield
        finally:
            desks.clear()
            await pool.close()

    async def ready() -> Sequence[str]:
        if not desks:
            return ["starting"]
        try:
            await desks[0].pool.fetchval("select 1")
        except TRANSIENT as error:
            log.warning("database away", error=type(error).__name__)
            return ["the database does not answer"]
        return []

    def desk() -> Desk:
        if not desks:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "Starting", headers={"Retry-After": "1"})
        return desks[0]

    verifier = Verifier(settings.verify_key, now)
    app = create_app(
        "Tillstream emission",
        verifier=verifier,
        ready=ready,
        lifespan=lifespan,
        larger_bodies=LARGER_BODIES,
        addresses=settings.addresses,
    )
    add_routes(app, desk)
    app.include_router(page_routes())
    app.include_router(language_routes(), tags=["language"])
    return app


def stream_consumer(kafka: str, pool: asyncpg.Pool, stream: Stream) -> TransactionalConsumer:
    """The consumer of what other services ask of this one."""
    return TransactionalConsumer(
        CONSUMER, TOPICS, kafka, pool, stream.apply, max_records=MOST_RECORDS
    )


def _desk(
    pool: asyncpg.Pool,
    settings: EmissionSettings,
    cipher: CodeCipher,
    code_key: bytes,
    now: Callable[[], datetime],
) -> Desk:
    zones = frozenset(available_timezones())
    signing_key = settings.signing_key.get_secret_value()
    return Desk(
        pool=pool,
        authoring=Authoring(pool, cipher, code_key, zones, now),
        references=References(pool, zones, now),
        catalogue=Catalogue(pool, now),
        drafts=Drafts(pool, cipher, now),
        access=Access(pool, signing_key, now),
        poster=Poster(pool, cipher, code_key, now=now),
        sign_in=SignIn(pool, signing_key, code_key, now),
    )
