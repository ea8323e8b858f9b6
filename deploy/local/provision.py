"""Databases, roles, migrations and topics: made once, completed on every start."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from deploy.local.errors import StackError
from deploy.local.services import ROOT
from shared.migrate import MigrationChangedError, migrate
from shared.topics import DEAD_LETTER_CONFIG, TOPICS, Topic

_APPLICATION = "grant select, insert, update, delete on tables"
_TOPIC_TIMEOUT_MS = 30_000


async def databases(admin: str, passwords: Mapping[str, str], *, embedded: bool) -> None:
    """A database, its owner and its application's role for each name in ``passwords``.

    ``admin`` may create roles and databases. An ``embedded`` server is ours alone, so the
    databases everybody may connect to by default are closed as well.
    """
    try:
        connection = await asyncpg.connect(admin)
        try:
            for name, password in passwords.items():
                await _roles_and_database(connection, name, password)
            if embedded:
                for shared in ("postgres", "template1"):
                    await connection.execute(f"revoke all on database {shared} from public")
        finally:
            await connection.close()
        for name in passwords:
            await _schema(_with_database(admin, name), name)
    except (asyncpg.PostgresError, MigrationChangedError) as error:
        msg = f"the databases could not be prepared: {error}"
        raise StackError(msg) from error


async def _roles_and_database(
    connection: "asyncpg.Connection[asyncpg.Record]", name: str, password: str
) -> None:
    owner = f"{name}_owner"
    for role, kind in ((owner, "nologin"), (name, "login")):
        if not await connection.fetchval("select 1 from pg_roles where rolname = $1", role):
            await connection.execute(f'create role "{role}" {kind}')
    # A literal: utility statements take no parameters. Our passwords are URL-safe base64.
    literal = await connection.fetchval("select quote_literal($1::text)", password)
    await connection.execute(f'alter role "{name}" password {literal}')
    # An administrator that is no superuser may act for a role only as its member.
    await connection.execute(f'grant "{owner}" to current_user')
    if not await connection.fetchval("select 1 from pg_database where datname = $1", name):
        await connection.execute(f'create database "{name}" owner "{owner}"')
    await connection.execute(f'revoke all on database "{name}" from public')
    await connection.execute(f'grant connect on database "{name}" to "{name}"')


async def _schema(dsn: str, name: str) -> None:
    owner = f"{name}_owner"
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f'set role "{owner}"')
        await connection.execute("revoke all on schema public from public")
        await connection.execute(f'grant usage on schema public to "{name}"')
        # Before the migrations, so that what they create is covered.
        await connection.execute(f'alter default privileges {_APPLICATION} to "{name}"')
        await connection.execute(f'alter default privileges grant usage on sequences to "{name}"')
        await migrate(connection, migrations(name))
        await connection.execute(f'revoke insert, update, delete on migrations from "{name}"')
    finally:
        await connection.close()


async def topics(bootstrap: str, wanted: Iterable[Topic] = TOPICS) -> list[str]:
    """Create the topics that are missing, with their dead-letter topics; returns their names."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=_TOPIC_TIMEOUT_MS)
    try:
        await admin.start()
        existing = set(await admin.list_topics())
        new = [topic for topic in _new_topics(wanted) if topic.name not in existing]
        if new:
            response = await admin.create_topics(new)
            for name, code, *rest in response.topic_errors:
                # Another one may have made it since we looked.
                if code and for_code(code) is not TopicAlreadyExistsError:
                    msg = f"topic {name} could not be created: {rest or for_code(code)}"
                    raise StackError(msg)
    except KafkaError as error:
        msg = f"the topics could not be created: {error}"
        raise StackError(msg) from error
    finally:
        await admin.close()
    return [topic.name for topic in new]


def _new_topics(wanted: Iterable[Topic]) -> list[NewTopic]:
    new = []
    for topic in wanted:
        config = topic.topic_config
        new.append(NewTopic(topic.name, topic.partitions, 1, topic_configs=config))
        if topic.dead_letters:
            letters = dict(DEAD_LETTER_CONFIG)
            new.append(NewTopic(topic.dead_letter_name, 1, 1, topic_configs=letters))
    return new


def migrations(service: str) -> list[Path]:
    """The migrations of ``service``, in their order."""
    return [ROOT / "shared" / "migrations", ROOT / "services" / service / "migrations"]


def _with_database(dsn: str, name: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))
