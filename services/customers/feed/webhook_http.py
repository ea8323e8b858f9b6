"""Webhooks over HTTP (scope ``customers:write``: their addresses may be secrets of the receiver)."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any
from uuid import uuid4

import asyncpg
from fastapi import APIRouter, Depends, Response

from services.customers.feed import webhook_store
from services.customers.feed.cloud_events import KINDS, trial
from services.customers.feed.delivery import Sender
from services.customers.feed.receiver import BadAddressError, check_url
from services.customers.feed.sending import open_client
from services.customers.feed.signing import secret
from services.customers.feed.webhook_store import Webhook
from services.customers.feed.webhook_views import (
    Attempts,
    AttemptView,
    NewWebhook,
    Replay,
    SecretMade,
    TrialAnswer,
    WebhookChange,
    WebhookMade,
    Webhooks,
    WebhookView,
)
from shared import clock
from shared.database import Connection
from shared.events.values import Id
from shared.web.auth import Principal, require
from shared.web.body import json_body
from shared.web.problems import Problem

MOST = 50
"""Each reads its topics by itself."""
FORMER_SECRET_LASTS = timedelta(days=1)
_LOCK = 0x7111_3EB1
_NOT_KEPT = {"Cache-Control": "no-store"}
_CONFLICTS: dict[int | str, dict[str, Any]] = {HTTPStatus.CONFLICT: {}}
Editor = Annotated[Principal, Depends(require("customers:write"))]


def routes(pool: asyncpg.Pool, sender: Sender) -> APIRouter:
    """Webhooks: who is told, how it goes, and telling them again."""
    router = APIRouter(
        prefix="/v1/webhooks",
        tags=["webhooks"],
        dependencies=[Depends(require("customers:write"))],
    )
    _add_authoring(router, pool, sender)
    _add_running(router, pool)
    _add_looking(router, pool, sender)
    return router


def _add_authoring(router: APIRouter, pool: asyncpg.Pool, sender: Sender) -> None:
    @router.post("", status_code=HTTPStatus.CREATED, responses=_CONFLICTS)
    async def create(
        caller: Editor,
        new: Annotated[NewWebhook, Depends(json_body(NewWebhook))],
        response: Response,
    ) -> WebhookMade:
        """Make a webhook. Its secret is shown now and never again."""
        _check(new, sender)
        now, webhook_id = clock.now(), uuid4().hex
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
            if len(await webhook_store.every(connection)) >= MOST:
                detail = f"There are {MOST} already: delete one first."
                raise Problem(HTTPStatus.CONFLICT, "Too many webhooks", detail)
            kinds = tuple(dict.fromkeys(new.topics))
            since = min(new.since or now, now)
            hook = await webhook_store.create(
                connection, webhook_id, new.name, new.url, kinds, since, caller.subject, now
            )
        response.headers.update(_NOT_KEPT)
        made = secret(sender.key, webhook_id, hook.secret_number)
        return WebhookMade(webhook=WebhookView.of(hook), secret=made)

    @router.put("/{webhook_id}")
    async def edit(
        webhook_id: Id, change: Annotated[WebhookChange, Depends(json_body(WebhookChange))]
    ) -> WebhookView:
        """Change a webhook. Of topics that are new to it, it is told what happens from now on."""
        _check(change, sender)
        kinds = tuple(dict.fromkeys(change.topics))
        async with pool.acquire() as connection, connection.transaction():
            await webhook_store.edit(
                connection, webhook_id, change.name, change.url, kinds, clock.now()
            )
            kept = [KINDS[kind].name for kind in kinds]
            await webhook_store.forget_positions(connection, webhook_id, kept)
            return WebhookView.of(await _found(connection, webhook_id))

    @router.delete("/{webhook_id}", status_code=HTTPStatus.NO_CONTENT)
    async def delete(webhook_id: Id) -> None:
        """Delete a webhook; it is told nothing more."""
        async with pool.acquire() as connection, connection.transaction():
            if not await webhook_store.delete(connection, webhook_id):
                raise _unknown()

    @router.post("/{webhook_id}/secret")
    async def renew_secret(webhook_id: Id, response: Response) -> SecretMade:
        """Give it another secret, shown now and never again; for a day both sign what is sent."""
        now = clock.now()
        until = now + FORMER_SECRET_LASTS
        async with pool.acquire() as connection, connection.transaction():
            number = await webhook_store.renew_secret(connection, webhook_id, until, now)
        if number is None:
            raise _unknown()
        response.headers.update(_NOT_KEPT)
        made = secret(sender.key, webhook_id, number)
        return SecretMade(secret=made, former_valid_until=until)


def _add_running(router: APIRouter, pool: asyncpg.Pool) -> None:
    @router.post("/{webhook_id}/pause")
    async def pause(webhook_id: Id) -> WebhookView:
        """Tell it nothing more until it is resumed; what happens meanwhile waits."""
        async with pool.acquire() as connection, connection.transaction():
            await webhook_store.pause(connection, webhook_id, "asked", clock.now())
            return WebhookView.of(await _found(connection, webhook_id))

    @router.post("/{webhook_id}/resume")
    async def resume(webhook_id: Id) -> WebhookView:
        """Go on where it was paused. One that fails is tried again at once."""
        async with pool.acquire() as connection, connection.transaction():
            await webhook_store.resume(connection, webhook_id, clock.now())
            return WebhookView.of(await _found(connection, webhook_id))

    @router.post("/{webhook_id}/replay")
    async def replay(
        webhook_id: Id, asked: Annotated[Replay, Depends(json_body(Replay))]
    ) -> WebhookView:
        """Deliver again what happened from a time on, or (now, or a time to come) skip what waits.

        Of profiles and segments the topics keep the latest of each customer, of offers and alerts 30 and 90 days.
        """
        now = clock.now()
        async with pool.acquire() as connection, connection.transaction():
            await webhook_store.replay(connection, webhook_id, min(asked.since, now), now)
            return WebhookView.of(await _found(connection, webhook_id))


def _add_looking(router: APIRouter, pool: asyncpg.Pool, sender: Sender) -> None:
    @router.get("")
    async def every() -> Webhooks:
        """All webhooks."""
        async with pool.acquire() as connection:
            found = await webhook_store.every(connection)
        return Webhooks(items=tuple(WebhookView.of(hook) for hook in found))

    @router.get("/{webhook_id}")
    async def one(webhook_id: Id) -> WebhookView:
        """One webhook."""
        async with pool.acquire() as connection:
            return WebhookView.of(await _found(connection, webhook_id))

    @router.get("/{webhook_id}/deliveries")
    async def deliveries(webhook_id: Id) -> Attempts:
        """Its latest attempts: at most 100."""
        async with pool.acquire() as connection:
            await _found(connection, webhook_id)
            found = await webhook_store.attempts(connection, webhook_id)
        return Attempts(items=tuple(AttemptView.of(attempt) for attempt in found))

    @router.post("/{webhook_id}/test")
    async def test(webhook_id: Id) -> TrialAnswer:
        """Send it an event that says nothing, signed as all are, and see how it answers; paused or not."""
        now = clock.now()
        async with pool.acquire() as connection:
            hook = await _found(connection, webhook_id)
        async with open_client() as client:
            body, delivery_id = trial(webhook_id, now), uuid4().hex
            outcome = await sender.send(client, hook, body, delivery_id, now)
        return TrialAnswer(
            taken=outcome.taken,
            status=outcome.status,
            error=outcome.error,
            milliseconds=outcome.milliseconds,
        )


def _check(change: WebhookChange, sender: Sender) -> None:
    """Raises ``Problem`` (422) for an address at which nothing may be delivered."""
    try:
        check_url(change.url, sender.private)
    except BadAddressError as error:
        title = "Nothing can be delivered there"
        raise Problem.of_field(HTTPStatus.UNPROCESSABLE_ENTITY, title, "url", str(error)) from error


async def _found(connection: Connection, webhook_id: str) -> Webhook:
    hook = await webhook_store.find(connection, webhook_id)
    if hook is None:
        raise _unknown()
    return hook


def _unknown() -> Problem:
    return Problem.of_field(HTTPStatus.NOT_FOUND, "Not found", "webhook_id", "no such webhook")
