"""Server-sent events: snapshots of the figures, and the activations one by one."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response, StreamingResponse

from services.analytics import figures
from services.analytics.changes import Changes
from services.analytics.feed import Feed, Mark
from services.analytics.freshness import Fresh
from services.analytics.live import Live, ReadingFailedError, Update
from services.analytics.parameters import ActivationsFilter, StreamFilter
from services.analytics.reading import Question, Statistics
from shared import clock
from shared.supervision import TRANSIENT
from shared.web.auth import Scope, authenticate, require
from shared.web.problems import Problem

_SCOPE: Scope = "statistics:read"
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_EVENTS: dict[str, Any] = {
    "tags": ["statistics"],
    "dependencies": [Depends(require(_SCOPE))],
    "response_class": StreamingResponse,
    "responses": {HTTPStatus.OK.value: {"content": {"text/event-stream": {}}}},
}
LastEventId = Annotated[str | None, Header(max_length=64)]


def routes(source: Statistics, changes: Changes) -> APIRouter:
    """The streams (scope ``statistics:read``)."""
    router = APIRouter()
    _add_snapshots(router, source, changes)
    _add_activations(router, Feed(changes, source.pool))
    return router


def _add_snapshots(router: APIRouter, source: Statistics, changes: Changes) -> None:
    async def read_snapshot(question: Question) -> figures.Snapshot:
        async with source.reading(question, clock.now()) as read:
            return await read.snapshot()

    live, fresh = Live(changes, read_snapshot), Fresh(source.pool, source.ends)

    @router.get("/v1/statistics/stream", **_EVENTS)
    async def stream(
        request: Request,
        asked: Annotated[StreamFilter, Query()],
        last_event_id: LastEventId = None,
    ) -> Response:
        """Server-sent events: ``snapshot`` when the figures changed, at most twice a second.

        A snapshot's id is that of its figures: who comes back with the latest gets only the next.
        Between them ``freshness``, every two seconds: how far each source has been counted.
        Ends with ``expired`` when the token has, with ``failed`` when the figures can't be read.
        """
        question = asked.question
        if live.is_full(question):
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "Too many different dashboards are open",
                "Close some, or come back later.",
                headers={"Retry-After": "30"},
            )
        updates = _snapshots(live.watch(question, last_event_id), fresh)
        return StreamingResponse(
            _events(request, updates), media_type="text/event-stream", headers=_HEADERS
        )


async def _snapshots(updates: AsyncGenerator[Update | None], fresh: Fresh) -> AsyncGenerator[str]:
    async with aclosing(updates):
        async for update in updates:
            if update is None:
                now = (await fresh.now()).model_dump_json()
                yield f"event: freshness\ndata: {now}\n\n"
            else:
                yield f"id: {update.digest}\nevent: snapshot\ndata: {update.body}\n\n"


def _add_activations(router: APIRouter, feed: Feed) -> None:
    @router.get("/v1/statistics/activations/stream", **_EVENTS)
    async def activations(
        request: Request,
        asked: Annotated[ActivationsFilter, Query()],
        last_event_id: LastEventId = None,
    ) -> Response:
        """Server-sent events: each ``activation`` as it is counted, at first the latest ``limit``.

        ``ready`` says that all which were there have been sent. Who comes back with the id of the last one
        misses none and gets none twice; ``gap`` comes first if some of those between are no longer kept. Ends with ``expired`` when the token has, with
        ``failed`` when they can't be read.
        """
        known = last_event_id is not None and last_event_id.isdecimal()
        seen = int(last_event_id) if known and last_event_id else None
        found = _activations(feed.follow(asked.selection, seen, asked.limit))
        return StreamingResponse(
            _events(request, found), media_type="text/event-stream", headers=_HEADERS
        )


async def _activations(
    found: AsyncGenerator[Sequence[figures.Activation] | Mark | None],
) -> AsyncGenerator[str]:
    async with aclosing(found):
        async for several in found:
            if several is None:
                yield ": still here\n\n"
            elif isinstance(several, str):
                yield f"event: {several}\ndata: {{}}\n\n"
            else:
                yield "".join(
                    f"id: {one.id}\nevent: activation\ndata: {one.model_dump_json()}\n\n"
                    for one in several
                )


async def _events(request: Request, events: AsyncGenerator[str]) -> AsyncIterator[str]:
    yield "retry: 1500\n\n"
    try:
        async with aclosing(events):
            async for event in events:
                # A stream outlives its request's check: an expired token must not read on.
                authenticate(request)
                yield event
    except Problem:
        yield "event: expired\ndata: {}\n\n"
    except (ReadingFailedError, *TRANSIENT):
        yield "event: failed\ndata: {}\n\n"
